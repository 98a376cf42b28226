// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logset-inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/civil.h"
#include "log/logrecord.h"

#define CURRENT "events.jsonl"
#define STEM "events-"
#define SEQ_DIGITS 12
#define TIME_LEN (sizeof("YYYYMMDDTHHMMSSZ") - 1)

/* A clock that was set back makes records of a file later than the file after it; that far it is believed. */
#define CLOCK_SLACK_US (86400 * LOGSET_SECOND_US)

/* Files may be rotated while the directory is being read. */
#define LIST_TRIES 8

/* --- names ----------------------------------------------------------------------------------- */

static bool digits_parse(const char *text, size_t n, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*value = *value * 10 + (uint64_t)(text[i] - '0');
	}
	return true;
}

/* YYYYMMDDTHHMMSSZ */
static bool stamp_parse(const char *text, int64_t *us)
{
	char iso[sizeof("YYYY-MM-DDTHH:MM:SS")];
	int64_t seconds;

	if (text[8] != 'T' || text[15] != 'Z')
		return false;
	snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s", text, text + 4, text + 6, text + 9, text + 11,
		 text + 13);
	if (!civil_parse(iso, strlen(iso), false, &seconds))
		return false;
	*us = seconds * LOGSET_SECOND_US;
	return true;
}

static bool name_parse(struct logset_file *file)
{
	const char *at = file->name;

	if (strncmp(at, STEM, strlen(STEM)))
		return false;
	at += strlen(STEM);
	if (strlen(at) < TIME_LEN + 1 + SEQ_DIGITS || !stamp_parse(at, &file->begin_us))
		return false;
	at += TIME_LEN;
	if (*at != '-' || !digits_parse(at + 1, SEQ_DIGITS, &file->seq))
		return false;
	at += 1 + SEQ_DIGITS;
	file->rotated = !strcmp(at, LOGSET_PLAIN) || !strcmp(at, LOGSET_PACKED);
	return file->rotated;
}

bool logset_is_packed(const struct logset_file *file)
{
	size_t len = strlen(file->name);

	return len > strlen(LOGSET_PACKED) && !strcmp(file->name + len - strlen(LOGSET_PACKED), LOGSET_PACKED);
}

/* --- the list of files ------------------------------------------------------------------------- */

static struct logset_file *file_add(struct logset *set, char *path)
{
	struct logset_file *file;
	const char *slash;

	if (!path)
		return NULL;
	if (set->n == set->allocated) {
		size_t more = set->allocated ? 2 * set->allocated : 16;
		struct logset_file *files = reallocarray(set->files, more, sizeof(*files));

		if (!files) {
			free(path);
			return NULL;
		}
		set->files = files;
		set->allocated = more;
	}
	file = &set->files[set->n++];
	slash = strrchr(path, '/');
	*file = (struct logset_file){.path = path, .name = slash ? slash + 1 : path, .fd = -1};
	return file;
}

void logset_file_deinit(struct logset_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
}

void logset_truncate(struct logset *set, size_t n)
{
	while (set->n > n)
		logset_file_deinit(&set->files[--set->n]);
}

static char *path_in(const char *dir, const char *name)
{
	size_t len = strlen(dir);
	char *path;

	if (asprintf(&path, "%s%s%s", dir, len && dir[len - 1] == '/' ? "" : "/", name) < 0)
		return NULL;
	return path;
}

/* Where two have the same number one is being made of the other: the plain one first, it is whole. */
static int compare_files(const void *a, const void *b)
{
	const struct logset_file *x = a, *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	if (x->begin_us != y->begin_us)
		return x->begin_us < y->begin_us ? -1 : 1;
	return (int)logset_is_packed(x) - (int)logset_is_packed(y);
}

bool logset_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* *moved: the file that is open as the current one already bears a rotated name. */
static int list_rotated(struct logset *set, const char *dir, const struct stat *current, bool *moved)
{
	DIR *handle = opendir(dir);
	size_t from = set->n, to;
	struct dirent *entry;
	int r = 0;

	*moved = false;
	if (!handle)
		return -errno;
	while ((errno = 0, entry = readdir(handle))) {
		struct logset_file probe = {.name = entry->d_name}, *file;
		struct stat st;

		if (!name_parse(&probe) || fstatat(dirfd(handle), entry->d_name, &st, 0) || !S_ISREG(st.st_mode))
			continue;
		if (current && logset_same_file(&st, current)) {
			*moved = true;
			break;
		}
		file = file_add(set, path_in(dir, entry->d_name));
		if (!file) {
			r = -ENOMEM;
			break;
		}
		name_parse(file);
		file->size = (uint64_t)st.st_size;
	}
	if (!r && !entry && errno)
		r = -errno;
	closedir(handle);
	if (r)
		return r;

	if (set->n - from > 1)
		qsort(set->files + from, set->n - from, sizeof(*set->files), compare_files);
	to = from;
	for (size_t i = from; i < set->n; i++) {
		struct logset_file *file = &set->files[i];

		if (i > from && file->seq == set->files[to - 1].seq && file->begin_us == set->files[to - 1].begin_us &&
		    logset_is_packed(file) && !logset_is_packed(&set->files[to - 1]))
			logset_file_deinit(file);
		else
			set->files[to++] = *file;
	}
	set->n = to;
	return 0;
}

/* The time of a file's first record; names can be given by anybody. False: it cannot be told. */
static bool first_time(struct logreader *reader, const struct logset_file *file, int64_t *us)
{
	int fd = file->fd >= 0 ? file->fd : open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct logset_line line;
	uint64_t seq;
	bool told;

	if (fd < 0)
		return false;
	logreader_begin(reader, fd);
	told = logreader_next(reader, &line, false) > 0 && logrecord_begin(line.text, line.len, &seq, us);
	if (fd != file->fd)
		close(fd);
	else if (lseek(fd, 0, SEEK_SET))
		told = false;
	return told;
}

/*
 * Marks files that end before `since`: the next one begins before it. That holds only if each begins later than the
 * one before: a clock that had lost its time makes a file of the year 2000 behind those of this one. Then none is.
 */
static int mark_early(struct logset *set, size_t from, int64_t since_us)
{
	struct logreader *reader;
	size_t keep = from;
	int64_t before = INT64_MIN, us;

	if (!since_us || set->n - from < 2)
		return 0;
	reader = logreader_new();
	if (!reader)
		return -ENOMEM;
	for (size_t i = from; i < set->n; i++) {
		if (!first_time(reader, &set->files[i], &us) || us < before) {
			keep = from;
			break;
		}
		if (set->files[i].rotated && us < since_us - CLOCK_SLACK_US)
			keep = i;
		before = us;
	}
	for (size_t i = from; i < keep; i++)
		set->files[i].early = true;
	logreader_free(reader);
	return 0;
}

/*
 * The current file is opened before the others are listed: what is rotated meanwhile is then either seen under its new name
 * too (and everything looked at again) or comes as the current one.
 */
int logset_list_directory(struct logset *set, const char *dir, int64_t since_us)
{
	_cleanup_(freep) char *path = path_in(dir, CURRENT);
	size_t from = set->n;

	if (!path)
		return -ENOMEM;
	for (unsigned int tries = 0; tries < LIST_TRIES; tries++) {
		_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		struct logset_file *file;
		struct stat st;
		bool moved;
		int r;

		if (fd < 0 && errno != ENOENT)
			return -errno;
		if (fd >= 0 && fstat(fd, &st))
			return -errno;
		r = list_rotated(set, dir, fd >= 0 ? &st : NULL, &moved);
		if (r)
			return r;
		if (moved) {
			logset_truncate(set, from);
			continue;
		}
		if (fd >= 0) {
			file = file_add(set, strdup(path));
			if (!file)
				return -ENOMEM;
			file->current = true;
			file->size = (uint64_t)st.st_size;
			file->fd = TAKE_FD(fd);
		}
		if (set->n == from)
			return -ENOENT;
		return mark_early(set, from, since_us);
	}
	return -EBUSY;
}

int logset_list_path(struct logset *set, const char *path, int64_t since_us)
{
	struct logset_file *file;
	struct stat st = {0};

	if (strcmp(path, "-")) {
		if (stat(path, &st))
			return -errno;
		if (S_ISDIR(st.st_mode)) {
			int r = logset_list_directory(set, path, since_us);

			free(set->follow_dir);
			set->follow_dir = r ? NULL : strdup(path);
			return r || set->follow_dir ? r : -ENOMEM;
		}
	}
	free(set->follow_dir);
	set->follow_dir = NULL;
	file = file_add(set, strdup(path));
	if (!file)
		return -ENOMEM;
	if (strcmp(path, "-")) {
		file->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		/* Now, so that a file that may not be read is told before anything is shown. A pipe is opened but once. */
		file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (file->fd < 0)
			return -errno;
		if (S_ISREG(st.st_mode)) {
			close(file->fd);
			file->fd = -1;
		}
	} else {
		file->name = "-";
	}
	return 0;
}
