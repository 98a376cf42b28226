/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a device was let through or kept out. A reason is a short stable code that stands in the log
 * and on D-Bus, and a sentence for the person in front of the terminal, which the tools translate.
 * Adding a reason is adding a row in reason.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct reason {
	const char *code;
	const char *text;
};

/* Each row by its place from 0; NULL behind the last one. */
const struct reason *reason_row(size_t i);

/* The row of a code, or NULL. */
const struct reason *reason_find(const char *code);

/* The sentence for a code; the code itself if it is unknown. Never NULL. */
const char *reason_text(const char *code);
