/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which records somebody wants to see. A cheap look at the line's bytes first, then the parsed record decides. Strings
 * match as wholes (device: port, id, serial or fingerprint; person: user, uid, or holder; verdict: the record's own as
 * logrecord_verdict() has it, or that of one of its interfaces; reason likewise).
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "log/logset.h"

#define LOGFILTER_KINDS_MAX 64

struct logfilter {
	const char *person;
	const char *medium;
	const char *device;
	const char *terminal;
	const char *verdict; /* "allow", "block", "would-block" */
	const char *reason;
	const char *kinds[LOGFILTER_KINDS_MAX + 1]; /* NULL-terminated; none: all */
	int64_t since_us, until_us; /* of "time", microseconds since the epoch; until is exclusive; 0: no limit */
};

/* Does every record match? */
bool logfilter_is_empty(const struct logfilter *filter);

/* The record if it matches, owned by the caller; NULL if not. A line that is no JSON object never matches. */
struct json_object *logfilter_match(const struct logfilter *filter, const struct logset_line *line);

/*
 * A moment as people write it: 2026-11-01, 2026-11-01T08:30 or 2026-11-01T08:30:00 in local time; "now", "today", "yesterday" (their
 * first moment); -7d, -12h, -30m before now. With `end` a date, "today" and "yesterday" include the whole day, and a
 * minute the whole minute. False: it is none of these.
 */
bool logfilter_moment_parse(const char *text, int64_t now_us, bool end, int64_t *us);
