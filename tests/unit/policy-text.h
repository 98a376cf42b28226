/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies in tests: parsing a text, and what was complained of meanwhile.
 */
#pragma once

#include <stdio.h>
#include <string.h>

#include "core/policy.h"

/* Public keys as minisign writes them. */
#define DESK_KEY "\"RWSfcF3DAIFQarVYJ2uRwmmhkCPji+t/R5yL4zgcMYAU09VtUdObB+Dt\""
#define OTHER_KEY "\"RWRxe4NnwkvHtrlddm/InH/QijvehhQSXyiwbXeO7Nflbf7XzLN2esnW\""

/* The errors of one parse, one line each; line and column are those of the last. */
struct errors {
	char text[4096];
	size_t used;
	unsigned int n;
	unsigned int line;
	unsigned int column;
};

static inline void errors_note(void *userdata, const char *file, unsigned int line,
			       unsigned int column, const char *message)
{
	struct errors *errors = userdata;

	errors->n++;
	errors->line = line;
	errors->column = column;
	/* What does not fit is only counted. */
	if (errors->used < sizeof(errors->text))
		errors->used += (size_t)snprintf(errors->text + errors->used,
						 sizeof(errors->text) - errors->used,
						 "%s:%u:%u: %s\n", file, line, column, message);
}

/* A copy that ends where the text does, so that a sanitizer sees who reads beyond. */
static inline char *text_copy(const char *text, size_t len)
{
	char *copy = malloc(len);

	return len ? memcpy(copy, text, len) : copy;
}

static inline int policy_parse_bytes(const char *text, size_t len, struct errors *errors,
				     struct policy **policy)
{
	char *copy = text_copy(text, len);
	int r;

	*errors = (struct errors){ .n = 0 };
	*policy = NULL;
	r = policy_parse("p", copy, len, errors_note, errors, policy);
	free(copy);
	return r;
}

static inline int policy_parse_text(const char *text, struct errors *errors, struct policy **policy)
{
	return policy_parse_bytes(text, strlen(text), errors, policy);
}

/* A policy that must be right; NULL after saying what was wrong with it. */
static inline struct policy *policy_of(const char *text)
{
	struct errors errors;
	struct policy *policy;

	if (policy_parse_text(text, &errors, &policy))
		printf("\n%s%s", text, errors.text);
	return policy;
}

/* A moment of the wall clock, from "2026-04-01" or "2026-04-01T08:30:00". */
static inline int64_t civil_of(const char *text)
{
	int64_t civil = -1;

	return civil_parse(text, strlen(text), false, &civil) ? civil : -1;
}
