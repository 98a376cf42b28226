/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rotated files of a log, beside its current one: STEM-YYYYMMDDTHHMMSSZ-SSSSSSSSSSSS.jsonl with the time and the number of
 * the file's first record, and the same with .zst once it is compressed. And the time in a record.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/macro.h"

#define LOGFILES_SUFFIX ".jsonl"
#define LOGFILES_PACKED LOGFILES_SUFFIX ".zst"
/* More files than this beside each other are not ours. */
#define LOGFILES_MAX 20000
/* -YYYYMMDDTHHMMSSZ-SSSSSSSSSSSSSSSSSSSS.jsonl.zst */
#define LOGFILES_TAIL_MAX 56

struct logfiles_name {
	int64_t time_us;
	uint64_t seq;
	bool packed;
};

/* Appends what follows STEM, without ".zst". */
void logfiles_tail(char out[static LOGFILES_TAIL_MAX], int64_t time_us, uint64_t seq);

/* Is it the name of a rotated file of this stem? */
bool logfiles_parse(struct logfiles_name *out, const char *stem, const char *name);

/* Microseconds since the epoch of "YYYY-MM-DDTHH:MM:SS.ffffffZ" in a record, and writing it; -1 if there is none. */
#define LOGFILES_TIME_MAX 32
int64_t logfiles_record_time(const char *line, size_t len);
void logfiles_format_time(char out[static LOGFILES_TIME_MAX], int64_t time_us);

/* The rotated files, oldest first; safedir_free_names(). */
int logfiles_list(int dir, const char *stem, char ***namesp, size_t *np);
