/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers of media. A pattern is a number in which a row of # stands for digits: "R8-###" gives
 * R8-001, R8-002, … Two desks that issue at once must not take the same one, and it enters the
 * register only when the medium is proved: until then it is kept by a lock on one byte of
 * DESK/numbers.lock, which ends with the process, however it ends.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/medium.h"
#include "desk/desk.h"

#define ISSUE_NUMBER_PATTERN "M-####"

/* Has it exactly one row of 1 to 9 #, and is it otherwise a number? */
bool issue_number_is_pattern(const char *text);

/* Number n of a pattern; false if it has more digits than the pattern. */
bool issue_number_make(const char *pattern, uint32_t n, char out[static MEDIUM_NUMBER_MAX]);

/* The n that makes this number; 0 if the pattern does not. */
uint32_t issue_number_match(const char *pattern, const char *number);

/*
 * Keeps a number: this one, or the first after the highest that the pattern has given so far. *lock
 * is to be closed after the register has it. 0, or COMMAND_FAILED after saying why.
 */
int issue_number_keep(const struct context *context, const struct desk *desk, const char *text,
		      char number[static MEDIUM_NUMBER_MAX], int *lock);
