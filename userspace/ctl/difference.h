/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a line of USBGuard's rule language means something else here. Each difference is a row of
 * the table in difference.c; docs/policy.md explains them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/rule.h"

struct difference {
	const char *code; /* stable word */
	const char *text;
};

/* Told of each difference once, with the column that it is about. */
typedef void (*difference_fn)(void *userdata, const struct difference *difference,
			      unsigned int column);

/* `line` is the rule's text. */
void difference_find(const struct rule *rule, const char *line, size_t len, difference_fn tell,
		     void *userdata);
