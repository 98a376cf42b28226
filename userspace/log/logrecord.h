/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record of the event log, read by a person or handed to another program. What stands in it is a stranger's: the texts here
 * are escaped as on a terminal (core/text.h). Exit without memory, as tools do.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A record's nesting; ours have 3. */
#define LOGRECORD_DEPTH 8

/* NULL: the line is not one whole JSON object. */
struct json_object *logrecord_parse(const char *line, size_t len);

/* A member as text: strings as they are, numbers and truth values in words, anything else as JSON; "" if it is absent or null. */
char *logrecord_text(struct json_object *record, const char *key);

/*
 * What the daemon's records begin with, without parsing them: {"seq":17,"time":"2026-… False: the line does not begin so; *seq
 * is 0 if not even with a number.
 */
bool logrecord_begin(const char *line, size_t len, uint64_t *seq, int64_t *us);

/* The record's time; false if it has none. */
bool logrecord_time(struct json_object *record, int64_t *us);

/* What the barrier said in this record: "allow", "block", or "" where nothing was decided. */
const char *logrecord_verdict(struct json_object *record);
