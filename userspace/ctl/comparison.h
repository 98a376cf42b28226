/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between two policies, by meaning and not by text: header fields, media by their
 * number, rules by their canonical form. Told piece by piece to whoever prints it.
 */
#pragma once

#include <stdbool.h>

#include "core/policy.h"

enum comparison_kind {
	COMPARISON_HEADER,  /* a field: what, before, after */
	COMPARISON_MEDIUM,  /* added (before is NULL), removed (after is NULL): the number in `what`
			     */
	COMPARISON_CHANGED, /* an attribute of a medium: the number in `what` */
	COMPARISON_RULE,    /* added or removed as above, or moved: both */
};

struct comparison {
	enum comparison_kind kind;
	const char *what;
	const char *attribute; /* CHANGED */
	const char *before;    /* text of a value, medium or rule; NULL: not there */
	const char *after;
	unsigned int line_before;
	unsigned int line_after;
};

typedef void (*comparison_fn)(void *userdata, const struct comparison *difference);

/* Tells of each difference, in the order of the kinds. 0 or -ENOMEM. */
int comparison_make(const struct policy *before, const struct policy *after, comparison_fn tell,
		    void *userdata);
