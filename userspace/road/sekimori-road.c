// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sekimori-road: what modprobe runs in the place of loading a driver of a road for media that is not USB
 * (udev-rules/sekimori-modprobe.conf). It loads nothing and fails, as /bin/false would; during a drill (docs/drill.md) it says in the
 * kernel's log that the road would be closed, and loads the driver.
 *
 *	sekimori-road MODULE         from modprobe.d: install MODULE …
 *	sekimori-road --tell WHAT    from udev: a road is open because of the drill (it fails if there is none)
 *
 * Exit status: 0 the driver is loaded; 1 the road is closed, or the driver cannot be loaded; 2 wrong use. It runs as root, early: of
 * its environment it takes the language of its help alone, and it reads nothing but that there is a drill.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/i18n.h"

/* sekimorid keeps it (daemon/drill.h). */
#define DRILL_FILE "/run/sekimori/drill"

#define MODPROBE "/sbin/modprobe"

/* The kernel's longest, MODULE_NAME_LEN: 64 bytes less a pointer. */
#define NAME_MAX_LEN 56

/* One of root's own; a link, or anybody else's file, is no drill. */
static bool drill_is_on(void)
{
	struct stat st;

	return !lstat(DRILL_FILE, &st) && S_ISREG(st.st_mode) && !st.st_uid && !(st.st_mode & 022);
}

/* Letters, digits and what else stands in names of modules and devices: it goes to the log and to modprobe. */
static bool name_is_sound(const char *name)
{
	static const char sound[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:.";
	size_t len = strlen(name);

	return len && len <= NAME_MAX_LEN && name[0] != '-' && strspn(name, sound) == len;
}

/* <4>: a warning (include/linux/kern_levels.h). Where the log cannot be written the road is told of by its devices alone. */
static void tell(const char *what)
{
	/* One write is one message, and it cannot be sought in: no stream of stdio's. */
	char message[sizeof("<4>sekimori: drill mode:  would be blocked\n") + NAME_MAX_LEN];
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
		"but for drill mode.\n\n"
		"  sekimori-road --tell WHAT   only say in the kernel's log that WHAT would be blocked\n"
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
	bool only_tell = argc == 3 && !strcmp(argv[1], "--tell");
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
	if (!(argc == 2 || only_tell) || !name_is_sound(name))
		return usage_error();
	if (!drill_is_on())
		return EXIT_FAILURE;
	tell(name);
	return only_tell ? EXIT_SUCCESS : load(name);
}
