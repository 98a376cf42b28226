/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The certificate that a medium was wiped: what 様式第3号 (消去・廃棄記録) of the local rules asks
 * for, in Japanese and below in English, as a text of UTF-8 lines that can be printed or pasted.
 * Pure.
 */
#pragma once

#include <stddef.h>

#include "core/civil.h"
#include "desk/target-say.h"
#include "desk/wipe-medium.h"

#define CERTIFICATE_MAX 16384

struct certificate {
	int64_t when;             /* civil seconds */
	const char *organisation; /* "" if not known; these are texts from people and devices */
	const char *by;
	const char *witness; /* or "" */
	const char *why;     /* or "" */
	const char *number;  /* "" if it is not in the register */
	const char *product;
	const char *id;
	const char *serial;
	uint64_t size;
	bool overwritten_before; /* all of it, when it was issued */
	const struct wipe *wipe; /* that was successful */
};

/* Writes the text and a NUL; returns its length, or 0 if it does not fit. */
size_t certificate_format(const struct certificate *certificate, char out[static CERTIFICATE_MAX]);
