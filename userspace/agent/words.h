/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces of sentences: times, lengths, devices and exceptions in the reader's words. Everything that comes from a device or
 * a person is made safe here (core/text.h) and cut, so that no name fills a screen. All results are malloc'd and never
 * NULL: without memory the agent ends, as the tools do (cli/output.h), and nothing but notices is lost.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/output.h"

/* Columns that a name, and that a sentence of a person's, takes at most. */
#define WORDS_NAME_COLUMNS 48
#define WORDS_LINE_COLUMNS 160

/* A number, negative too; 0 if there is none. */
int64_t words_number(struct json_object *object, const char *key);

/* Members of an array; 0 if there is none. */
size_t words_count(struct json_object *object, const char *key);

/* Is the word in the array of strings? */
bool words_contain(struct json_object *object, const char *key, const char *word);

/* A member for reading, safe and at most `columns` wide. */
char *words_member(struct json_object *object, const char *key, size_t columns);

/* "15:30", or with its date if that is another day than that of `now`; seconds since the epoch, shown in local time. */
char *words_moment(int64_t moment, int64_t now);

/* "2 h 15 min"; rounded up to minutes, days above 48 hours. */
char *words_length(int64_t seconds);

/* What a device calls itself, with its medium's number in front if it is registered; never empty. */
char *words_device(struct json_object *record);

/* "read-only", "read and write", as in a sentence. */
const char *words_access(const char *access);

/* What an exception is for: the kind of device, or the medium's number. */
char *words_subject(struct json_object *exception);

/* All that an approver has to know, a line each: nobody approves what he has not seen. */
char *words_request(struct json_object *exception, int64_t now);
