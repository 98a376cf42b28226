/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that one verification of the event log finds: shown to a person as it comes, or collected for
 * a program, and counted beyond what either is given. Exit without memory, as tools do.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/logverify.h"

struct logfound {
	bool json;          /* collected in `findings`, else printed to standard output */
	uint64_t n;         /* of all findings, also of those that were not shown */
	uint64_t first_bad; /* lowest number that a finding names; 0: none does */
	bool kinds[N_LOGVERIFY_KINDS];
	struct json_object *findings;   /* as logfinding_json(), the first ten thousand */
	struct json_object *unreadable; /* [{"file":"…","error":"…"}] */
};

void logfound_init(struct logfound *found, bool json);
void logfound_deinit(struct logfound *found);

/* A logverify_fn; userdata: the struct logfound. */
void logfound_take(void *userdata, const struct logverify_finding *finding);

/* Notes a file that could not be read; error: a negative errno. Says nothing. */
void logfound_unreadable(struct logfound *found, const char *file, int error);

/* For people: how many were not shown, if any; and what to do about what was found, each advice
 * once. */
void logfound_print_more(const struct logfound *found);
void logfound_print_advice(const struct logfound *found);
