// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logset.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/civil.h"
#include "log/logreader.h"
#include "log/logrecord.h"

#define CURRENT "events.jsonl"
#define STEM "events-"
#define PLAIN ".jsonl"
#define PACKED ".jsonl.zst"
#define SEQ_DIGITS 12
#define TIME_LEN (sizeof("YYYYMMDDTHHMMSSZ") - 1)

/* A clock that was set back makes records of a file later than the file after it; that far it is believed. */
#define SECOND_US INT64_C(1000000)
#define CLOCK_SLACK_US (86400 * SECOND_US)

/* Files may be rotated while the directory is being read. */
#define LIST_TRIES 8

struct logset_file {
	char *path;
	const char *name;   /* the end of path */
	bool rotated;	    /* its name tells begin and seq */
	bool current;	    /* of a directory */
	bool early;	    /* ends before since_us */
	bool empty;	    /* opened, and no line came of it */
	uint64_t seq;
	int64_t begin_us;
	uint64_t size;
	int fd; /* -1: not opened yet */
};

struct logset {
	struct logset_file *files;
	size_t n, allocated;
	size_t next;		  /* the file to be opened next */
	struct logset_file *now;  /* being read, or NULL */
	const char *spoken_of;
	struct logreader *reader;
	bool begun; /* a file was opened */
	bool give_early;
	bool follow;
	char *follow_dir;     /* whose current file is the last of the set */
	bool list_due;	      /* that file was rotated: list what is later than `list_after` */
	int list_error;	      /* why that failed, and was told; negative errno */
	uint64_t list_after;
};

static char bad[4096];

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
	*us = seconds * SECOND_US;
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
	file->rotated = !strcmp(at, PLAIN) || !strcmp(at, PACKED);
	return file->rotated;
}

static bool is_packed(const struct logset_file *file)
{
	size_t len = strlen(file->name);

	return len > strlen(PACKED) && !strcmp(file->name + len - strlen(PACKED), PACKED);
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

static void file_deinit(struct logset_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
}

static void files_truncate(struct logset *set, size_t n)
{
	while (set->n > n)
		file_deinit(&set->files[--set->n]);
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
	return (int)is_packed(x) - (int)is_packed(y);
}

static bool same_file(const struct stat *a, const struct stat *b)
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
		if (current && same_file(&st, current)) {
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
		    is_packed(file) && !is_packed(&set->files[to - 1]))
			file_deinit(file);
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
static int list_directory(struct logset *set, const char *dir, int64_t since_us)
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
			files_truncate(set, from);
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

static int list_path(struct logset *set, const char *path, int64_t since_us)
{
	struct logset_file *file;
	struct stat st = {0};

	if (strcmp(path, "-")) {
		if (stat(path, &st))
			return -errno;
		if (S_ISDIR(st.st_mode)) {
			int r = list_directory(set, path, since_us);

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

int logset_open(struct logset **setp, char *const *paths, size_t n, int64_t since_us, const char **badp)
{
	_cleanup_(logset_closep) struct logset *set = calloc(1, sizeof(*set));

	*badp = "";
	if (!set)
		return -ENOMEM;
	set->spoken_of = "";
	set->reader = logreader_new();
	if (!set->reader)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int r = list_path(set, paths[i], since_us);

		if (r) {
			snprintf(bad, sizeof(bad), "%s", paths[i]);
			*badp = bad;
			return r;
		}
	}
	*setp = TAKE_PTR(set);
	return 0;
}

struct logset *logset_close(struct logset *set)
{
	if (set) {
		files_truncate(set, 0);
		free(set->files);
		free(set->follow_dir);
		logreader_free(set->reader);
		free(set);
	}
	return NULL;
}

void logset_give_early(struct logset *set)
{
	set->give_early = true;
}

void logset_follow(struct logset *set)
{
	set->follow = true;
}

const char *logset_file(const struct logset *set)
{
	return set->spoken_of;
}

uint64_t logset_bytes_read(const struct logset *set)
{
	return logreader_bytes(set->reader);
}

uint64_t logset_bytes_total(const struct logset *set)
{
	uint64_t total = 0;

	for (size_t i = 0; i < set->n; i++)
		if (!set->files[i].early || set->give_early)
			total += set->files[i].size;
	return total;
}

enum logset_newest logset_newest(const struct logset *set)
{
	const struct logset_file *last = set->n ? &set->files[set->n - 1] : NULL;

	if (!last || !(last->current || last->rotated))
		return LOGSET_NEWEST_UNASKED;
	if (!last->current)
		return LOGSET_NEWEST_MISSING;
	return last->empty && set->n > 1 && set->files[set->n - 2].rotated ? LOGSET_NEWEST_EMPTIED : LOGSET_NEWEST_THERE;
}

/* --- reading --------------------------------------------------------------------------------- */

/* A rotated file may have been compressed since it was listed. */
static int open_rotated(struct logset_file *file)
{
	_cleanup_(freep) char *other = NULL;
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && errno == ENOENT && !is_packed(file)) {
		if (asprintf(&other, "%s%s", file->path, PACKED + strlen(PLAIN)) < 0) {
			other = NULL;
			return -ENOMEM;
		}
		fd = open(other, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	}
	return fd < 0 ? -errno : fd;
}

static int begin_next(struct logset *set)
{
	struct logset_file *file = &set->files[set->next++];

	set->spoken_of = file->name;
	if (file->fd < 0) {
		int fd = strcmp(file->name, "-") ? open_rotated(file) : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

		if (fd < 0)
			return fd == -1 ? -errno : fd;
		file->fd = fd;
	}
	set->now = file;
	file->empty = true;
	set->begun = true;
	logreader_begin(set->reader, file->fd);
	return 0;
}

static void end_file(struct logset *set)
{
	close(set->now->fd);
	set->now->fd = -1;
	set->now = NULL;
}

static bool is_misnamed(const struct logset_file *file, const struct logset_line *line)
{
	uint64_t seq;
	int64_t us;

	return logrecord_begin(line->text, line->len, &seq, &us) &&
	       (seq != file->seq || us < file->begin_us || us >= file->begin_us + SECOND_US);
}

/* What the set itself has to say of a line, and learns from it. */
static void take_line(struct logset *set, struct logset_line *line)
{
	struct logset_file *file = set->now;
	int64_t us;

	line->file = file->name;
	line->early = file->early;
	line->misnamed = line->first && file->rotated && is_misnamed(file, line);
	file->empty = false;
	if (line->first && !file->rotated)
		logrecord_begin(line->text, line->len, &file->seq, &us);
}

/* Is another file the current one now? 1: yes, or negative errno. */
static int was_rotated(const struct logset *set)
{
	struct stat ours, there;

	if (fstat(set->now->fd, &ours))
		return -errno;
	if (stat(set->now->path, &there))
		return errno == ENOENT ? 0 : -errno;
	return !same_file(&ours, &there);
}

/*
 * After rotation: the files that begin later than the one that was the current one, whose own new name is told by its
 * first record's number.
 */
static int list_later(struct logset *set, uint64_t seq)
{
	size_t from = set->n, at;
	int r;

	r = list_directory(set, set->follow_dir, 0);
	if (r) {
		files_truncate(set, from);
		return r;
	}
	for (at = from; at < set->n && set->files[at].rotated && set->files[at].seq <= seq; at++)
		file_deinit(&set->files[at]);
	memmove(set->files + from, set->files + at, (set->n - at) * sizeof(*set->files));
	set->n -= at - from;
	return 0;
}

/* 1: a line; 0: nothing new, or (set->now is NULL) there are more files to go on with; negative errno. */
static int follow_on(struct logset *set, struct logset_line *line)
{
	int r = was_rotated(set);

	if (r <= 0)
		return r;
	/* It got its last lines before it was renamed. */
	r = logreader_next(set->reader, line, false);
	if (r) {
		if (r > 0)
			take_line(set, line);
		return r;
	}
	set->list_after = set->now->seq;
	set->list_due = true;
	end_file(set);
	return 0;
}

/* As often as it takes: one error is told once. */
static int list_on(struct logset *set)
{
	int r = list_later(set, set->list_after);
	bool told = r == set->list_error;

	set->list_error = r;
	set->list_due = r || set->next == set->n;
	return told ? 0 : r;
}

int logset_next(struct logset *set, struct logset_line *line)
{
	for (;;) {
		bool hold;
		int r;

		if (!set->now) {
			while (set->next < set->n && set->files[set->next].early && !set->give_early)
				set->next++;
			r = set->next == set->n && set->list_due ? list_on(set) : 0;
			if (r)
				return r;
			if (set->next == set->n)
				return 0;
			r = begin_next(set);
			/* Retention may remove the oldest while the others are waiting. */
			if (r == -ENOENT && set->files[set->next - 1].rotated && !set->begun)
				continue;
			if (r)
				return r;
		}
		hold = set->follow && set->follow_dir && set->now->current && set->next == set->n;
		r = logreader_next(set->reader, line, hold);
		if (!r && hold) {
			r = follow_on(set, line);
			if (!r && set->now)
				return 0;
			if (!r)
				continue;
		}
		if (r > 0) {
			take_line(set, line);
			return 1;
		}
		if (set->now)
			end_file(set);
		if (r)
			return r;
	}
}
