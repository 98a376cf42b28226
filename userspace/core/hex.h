/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hexadecimal digits, whatever the locale thinks of them. */
#pragma once

#include "core/macro.h"

/* 0 to 15, -1 for anything else. */
static inline _unused_ int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}
