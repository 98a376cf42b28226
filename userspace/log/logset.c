// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logset-inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/logrecord.h"

static char bad[4096];

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
		int r = logset_list_path(set, paths[i], since_us);

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
		logset_truncate(set, 0);
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

	if (fd < 0 && errno == ENOENT && !logset_is_packed(file)) {
		if (asprintf(&other, "%s%s", file->path, LOGSET_PACKED + strlen(LOGSET_PLAIN)) < 0) {
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
	       (seq != file->seq || us < file->begin_us || us >= file->begin_us + LOGSET_SECOND_US);
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
	return !logset_same_file(&ours, &there);
}

/*
 * After rotation: the files that begin later than the one that was the current one, whose own new name is told by its
 * first record's number.
 */
static int list_later(struct logset *set, uint64_t seq)
{
	size_t from = set->n, at;
	int r;

	r = logset_list_directory(set, set->follow_dir, 0);
	if (r) {
		logset_truncate(set, from);
		return r;
	}
	for (at = from; at < set->n && set->files[at].rotated && set->files[at].seq <= seq; at++)
		logset_file_deinit(&set->files[at]);
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
