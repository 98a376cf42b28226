/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register's extract for terminals: a `medium` line (core/medium.h, docs/policy.md) for each
 * medium that they must know, in the order of their numbers' entry. Left out is what holds nothing
 * that could be let in or shut out: what was wiped, and what was disposed of while its volume lives
 * on under another number.
 */
#pragma once

#include <stdio.h>

#include "desk/register.h"

struct extract {
	size_t n;      /* lines written */
	size_t n_left; /* media left out */
};

/* 0 or a register's code. */
int extract_write(struct media_register *reg, FILE *out, struct extract *extract);

/*
 * The base policy's text with `version N` in place of its own statement, or in front. The text must
 * have been parsed without error. malloc'd.
 */
char *extract_set_version(const char *base, size_t len, uint64_t version);
