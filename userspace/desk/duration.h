/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lengths of time, and amounts, as people type and read them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * "15m", "90m", "2h", "3d"; a number alone is hours. Full-width digits and the Japanese 分, 時間, 日 too. At most a year.
 * False if it is none.
 */
bool duration_parse(const char *text, uint32_t *seconds);

/* "2 h", "1 h 30 min", "3 days", in the reader's language; malloc'd. */
char *duration_text(uint32_t seconds);

/* "1048576", "200KiB", "200MiB", "2GiB": bytes, at least 1. */
bool amount_parse(const char *text, uint64_t *bytes);
