/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A text file that somebody gave to the tool, and what is to be said about its lines. Unlike the
 * daemon the tool reads anybody's file: nothing is put in force by it.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/macro.h"
#include "core/policy.h"
#include "ctl/command.h"

struct source {
	const char *name; /* as it was given; "-" is standard input */
	char *text;       /* NUL-terminated; may hold NUL bytes too */
	size_t len;
	/* Where the line that was asked for last begins. */
	size_t at;
	unsigned int line;
};

/*
 * Reads the whole file, at most POLICY_FILE_MAX bytes. After a failure, which has been told on
 * standard error, false. `name` stays the caller's.
 */
bool source_read(struct source *source, const struct context *context, const char *name);
void source_deinit(struct source *source);

/* A line by its number from 1, without line feed and byte order mark; *len is its length. NULL
 * beyond the end. */
const char *source_line(struct source *source, unsigned int line, size_t *len);

/* --- findings ------------------------------------------------------------------------------ */

/* In JSON only so many are listed; the rest is counted. */
#define FINDINGS_JSON_MAX 10000

/* FILE:LINE:COLUMN: error|warning: …, to standard error or into JSON. */
struct findings {
	const struct context *context;
	struct json_object *errors; /* arrays, with --json */
	struct json_object *warnings;
	char *file; /* name as shown, escaped */
	size_t n_errors;
	size_t n_warnings;
};

void findings_init(struct findings *findings, const struct context *context, const char *file);
void findings_deinit(struct findings *findings);

/* A lex_error_fn; userdata is the findings. */
void findings_error(void *userdata, const char *file, unsigned int line, unsigned int column,
		    const char *message);

/* `code` is the finding's stable word. */
void findings_warning(struct findings *findings, unsigned int line, unsigned int column,
		      const char *code, const char *message);

/* "3 errors": to standard error, if there are any and it is for people. */
void findings_sum(const struct findings *findings);

/*
 * Reads and parses a policy; all that is wrong is told. False after errors. *policyp is to be freed
 * with policy_free(), the source with source_deinit(), in any case.
 */
bool source_policy(struct source *source, const struct context *context, const char *name,
		   struct findings *findings, struct policy **policyp);
