/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of an event log, read in order: the rotated ones (events-TIME-SEQ.jsonl, or compressed events-TIME-SEQ.jsonl.zst, where
 * TIME is YYYYMMDDTHHMMSSZ and SEQ the number of its first record, 12 digits), then events.jsonl.
 * Streams: memory does not grow with the log. Any bytes may stand in them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/macro.h"

/* A longer line is no record; it is given in part and marked. The daemon writes at most LOGSTORE_LINE_MAX. */
#define LOGSET_LINE_MAX (64 * 1024)

struct logset;

struct logset_line {
	const char *file; /* its name, as long as the set is open */
	uint64_t number;  /* from 1, in this file */
	const char *text; /* not NUL-terminated, without newline; good until the next call */
	size_t len;
	bool first;	/* of its file */
	bool cut;	/* the file ends without a newline here */
	bool too_long;	/* only its beginning */
	bool misnamed;	/* the first of a file whose name says another number or time */
	bool early;	/* the file ends before since_us; see logset_give_early() */
};

/*
 * paths: files, or directories (all files of a log in it, rotated and current, in order), or "-" for standard
 * input. Of a directory, files that end before `since_us` (the next one's first record is a day before it, for clocks that
 * were set) are skipped, if each file's first record is later than the one's before; 0: none is. Microseconds since the
 * epoch. What begins as a zstd frame is unpacked, whatever its name.
 * Negative errno (-ENOENT also for a directory without a log); *badp (static until the next call) names the path.
 */
int logset_open(struct logset **setp, char *const *paths, size_t n, int64_t since_us, const char **badp);
struct logset *logset_close(struct logset *set);
DEFINE_CLEANUP(struct logset *, logset_close);

/*
 * 1 and the next line, 0 at the end, negative errno (of opening or reading, or a damaged compressed file: -EBADMSG).
 * After an error the next call goes on with the next file.
 */
int logset_next(struct logset *set, struct logset_line *line);

/* Hands out the lines of skipped files too, marked, before the first logset_next(): verifying wants all. */
void logset_give_early(struct logset *set);

/* The file that logset_next() spoke of last; "" before the first. */
const char *logset_file(const struct logset *set);

/* Once all is read: is there what the last directory's newest records stand in, events.jsonl? */
enum logset_newest {
	LOGSET_NEWEST_UNASKED, /* no directory was given last */
	LOGSET_NEWEST_THERE,
	LOGSET_NEWEST_MISSING,
	LOGSET_NEWEST_EMPTIED, /* behind older files: the keeper never leaves it so */
};
enum logset_newest logset_newest(const struct logset *set);

/* Bytes read from files so far, and of all files when they were opened (0: not known), for showing progress. */
uint64_t logset_bytes_read(const struct logset *set);
uint64_t logset_bytes_total(const struct logset *set);

/*
 * For following a log that is being written, before the first logset_next(): that then returns 0 whenever there is no whole
 * line yet, and may be called again; when the last directory's current file was rotated it goes on with the next.
 * A line that is cut at the end of the current file is held back until its newline comes.
 */
void logset_follow(struct logset *set);
