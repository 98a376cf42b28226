// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/roads.h"

struct roads {
	const char *path;
	int dir;
	sd_event_source *watch;
	roads_tried_fn tried;
	void *userdata;
};

static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static int open_dir(const char *path)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return is_ours(&st) ? TAKE_FD(fd) : -EPERM;
}

/* By the descriptor, which may then mark it. */
static int note_open(int dir, const char *file, bool *marked)
{
	_cleanup_(closep) int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !is_ours(&st))
		return -1;
	*marked = !(st.st_mode & S_IWUSR);
	return TAKE_FD(fd);
}

/* The drill's own note tells of it from now on, also if it was there before: its device, once it is told of again, leaves no other. */
static bool note_rename(struct roads *roads, const char *file, const char *given)
{
	if (!renameat2(roads->dir, file, roads->dir, given, RENAME_NOREPLACE))
		return true;
	return errno == EEXIST && !unlinkat(roads->dir, file, 0);
}

/* Is it there still, and on record? */
static bool note_tell(struct roads *roads, const char *file, const struct road_note *note)
{
	bool marked = false;
	_cleanup_(closep) int fd = note_open(roads->dir, file, &marked);
	int r;

	if (fd < 0 || marked)
		return fd >= 0;
	r = roads->tried(roads->userdata, note);
	if (r == ROADS_DRILL && !note->drill) {
		struct road_note drills = *note;
		char given[ROAD_FILE_SIZE];

		drills.drill = true;
		road_note_file(&drills, given);
		return note_rename(roads, file, given) && note_tell(roads, given, &drills);
	}
	if (r < 0 || (r == ROADS_DROP && !unlinkat(roads->dir, file, 0)))
		return false;
	if (fchmod(fd, S_IRUSR) < 0)
		fprintf(stderr, SD_WARNING "%s/%s: %s\n", roads->path, file, strerror(errno));
	return true;
}

static void note_look(struct roads *roads, const char *file)
{
	struct road_note note;

	if (road_note_parse(&note, file))
		note_tell(roads, file, &note);
}

static void note_end(struct roads *roads, const char *file)
{
	struct road_note note;

	if (road_note_parse(&note, file) && note.drill && note_tell(roads, file, &note))
		unlinkat(roads->dir, file, 0);
}

static void each(struct roads *roads, void (*look)(struct roads *roads, const char *file))
{
	/* A descriptor of its own: readdir(3) remembers how far it has come. */
	int fd = openat(roads->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	unsigned int n = 0;

	if (!dir) {
		fprintf(stderr, SD_WARNING "%s: %s\n", roads->path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *entry = readdir(dir); entry && n < ROAD_NOTES_MAX; entry = readdir(dir)) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		look(roads, entry->d_name);
	}
	closedir(dir);
}

void roads_look(struct roads *roads)
{
	if (roads)
		each(roads, note_look);
}

void roads_end_drill(struct roads *roads)
{
	if (roads)
		each(roads, note_end);
}

/* Whatever has come, or was missed (IN_Q_OVERFLOW): the directory says all. */
static int happened(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
	roads_look(userdata);
	return 0;
}

int roads_new(struct roads **roadsp, sd_event *event, const char *path, roads_tried_fn tried, void *userdata)
{
	_cleanup_(roads_freep) struct roads *roads = calloc(1, sizeof(*roads));
	int r;

	if (!roads)
		return -ENOMEM;
	*roads = (struct roads){ .path = path, .tried = tried, .userdata = userdata };
	roads->dir = open_dir(path);
	if (roads->dir < 0)
		return roads->dir;
	r = sd_event_add_inotify(event, &roads->watch, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW, happened, roads);
	if (r < 0)
		return r;
	*roadsp = TAKE_PTR(roads);
	return 0;
}

struct roads *roads_free(struct roads *roads)
{
	if (!roads)
		return NULL;
	sd_event_source_disable_unref(roads->watch);
	if (roads->dir >= 0)
		close(roads->dir);
	free(roads);
	return NULL;
}
