// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sekimori-road: what modprobe runs in the place of loading a driver of a road for media that is not USB
 * (udev-rules/sekimori-modprobe.conf). It loads nothing and fails, as /bin/false would; during a drill (docs/drill.md) it says in the
 * kernel's log that the road would be closed, and loads the driver. Either is noted for the daemon (core/road.h), which records it.
 *
 *	sekimori-road MODULE         from modprobe.d: install MODULE …
 *	sekimori-road --tell WHAT    from udev: a road is closed to WHAT, or open because of the drill
 *
 * Exit status: 0 the driver is loaded, or it was told; 1 the road is closed, or the driver cannot be loaded; 2 wrong use. It runs as
 * root, early: of its environment it takes the language of its help alone, and it reads nothing but that there is a drill.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "core/macro.h"
#include "core/road.h"

/* sekimorid keeps it (daemon/drill.h). */
#define DRILL_FILE "/run/sekimori/drill"

#define MODPROBE "/sbin/modprobe"

/* Before the daemon has ever run there is none; its unit makes it the same. */
#define RUN_DIRECTORY "/run/sekimori"

/* One of root's own; a link, or anybody else's file, is no drill. */
static bool drill_is_on(void)
{
	struct stat st;

	return !lstat(DRILL_FILE, &st) && S_ISREG(st.st_mode) && !st.st_uid && !(st.st_mode & 022);
}

/* The directory of notes, if nobody but root can have put something there; negative: none. */
static int notes_open(void)
{
	_cleanup_(closep) int dir = -1;
	struct stat st;

	/* What is there already is judged below. */
	(void)!mkdir(RUN_DIRECTORY, 0755);
	(void)!mkdir(ROAD_NOTES_DIR, 0700);
	dir = open(ROAD_NOTES_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid || st.st_mode & 022)
		return -1;
	return TAKE_FD(dir);
}

static bool notes_are_many(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	unsigned int n = 0;

	if (!dir) {
		if (own >= 0)
			close(own);
		return true;
	}
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n >= ROAD_NOTES_MAX;
}

/* One that is there already has been told of, or will be. Where none can be left the road is closed all the same. */
static void note_leave(bool drill, const char *name)
{
	_cleanup_(closep) int dir = notes_open(), fd = -1;
	char file[ROAD_FILE_SIZE];
	struct road_note note;

	if (dir < 0 || notes_are_many(dir) || !road_note_set(&note, drill, name))
		return;
	road_note_file(&note, file);
	fd = openat(dir, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* <4>: a warning (include/linux/kern_levels.h). Where the log cannot be written the road is told of by its devices alone. */
static void tell(const char *what)
{
	/* One write is one message, and it cannot be sought in: no stream of stdio's. */
	char message[sizeof("<4>sekimori: drill mode:  would be blocked\n") + ROAD_NAME_MAX];
	int len = snprintf(message, sizeof(message), "<4>sekimori: drill mode: %s would be blocked\n", what);
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, message, (size_t)len) < 0)
		fprintf(stderr, "sekimori-road: /dev/kmsg: %s\n", strerror(errno));
	close(fd);
}

static void print_usage(FILE *out)
{
	fputs(_("Usage: sekimori-road MODULE\n"
		"Runs in place of loading a driver of a road that is closed, from modprobe.d: it loads none,\n"
		"but for drill mode, and leaves word for the event log.\n\n"
		"  sekimori-road --tell WHAT   only leave word that WHAT is blocked, or in drill mode would be\n"
		"  sekimori-road --help | --version\n"),
	      out);
}

static int usage_error(void)
{
	i18n_init();
	fputs("sekimori-road: ", stderr);
	fputs(_("wrong use\n"), stderr);
	print_usage(stderr);
	return 2;
}

static int finish_output(void)
{
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int load(const char *name)
{
	static char *const nothing[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };

	execle(MODPROBE, "modprobe", "--ignore-install", "--", name, (char *)NULL, nothing);
	fprintf(stderr, "sekimori-road: " MODPROBE ": %s\n", strerror(errno));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	bool drill, only_tell = argc == 3 && !strcmp(argv[1], "--tell");
	const char *name = argc > 1 ? argv[argc - 1] : "";

	if (argc == 2 && !strcmp(name, "--help")) {
		i18n_init();
		print_usage(stdout);
		return finish_output();
	}
	if (argc == 2 && !strcmp(name, "--version")) {
		puts("sekimori-road " SEKIMORI_VERSION);
		return finish_output();
	}
	if (!(argc == 2 || only_tell) || !road_name_is_sound(name))
		return usage_error();
	drill = drill_is_on();
	note_leave(drill, name);
	if (!drill)
		return only_tell ? EXIT_SUCCESS : EXIT_FAILURE;
	tell(name);
	return only_tell ? EXIT_SUCCESS : load(name);
}
