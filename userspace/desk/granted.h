/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this desk granted by telephone and by file: rows of the register's table `grants`. */
#pragma once

#include <stdint.h>

#include "desk/register.h"

#define GRANTED_CODE "code"
#define GRANTED_FILE "file"

struct granted {
	int64_t number; /* of the row, from 1 */
	const char *kind;
	const char *id; /* the grant's: 32 hexadecimal digits, also in the terminal's log */
	const char *time;
	const char *by;
	const char *why;       /* or NULL */
	const char *terminal;
	const char *challenge; /* NULL for files */
	const char *terms;     /* a JSON object: class, access, seconds, … */
};

/* Enters one, with the time of now; number and time are not read. Between begin and commit. */
int granted_add(struct media_register *reg, const struct granted *granted);

/*
 * Each of them, oldest first; only those for a terminal, or to a challenge, if these are not NULL. Stops at the first value
 * other than 0 and returns it.
 */
typedef int (*granted_fn)(void *userdata, const struct granted *granted);
int granted_each(struct media_register *reg, const char *terminal, const char *challenge, granted_fn each, void *userdata);
