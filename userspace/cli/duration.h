/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lengths of time, and amounts, as people type and read them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * "15m", "90m", "2h", "3d", "1h30m". Full-width digits and the Japanese 分, 時間, 日 too. At most a year. False if it is none; so is a
 * number alone, which one takes for minutes and another for hours.
 */
bool duration_parse(const char *text, uint32_t *seconds);

/* Is it such a number? */
bool duration_lacks_unit(const char *text);

/* "2 h", "1 h 30 min", "3 days", in the reader's language; malloc'd. */
char *duration_text(uint32_t seconds);

/* "1048576", "200K", "200KiB", "500M", "2GiB": bytes, at least 1. K, M and G are KiB, MiB and GiB. False if it is none. */
bool amount_parse(const char *text, uint64_t *bytes);

/* "200 MiB", "1.5 GiB", "512 B": for people, one digit behind the point; malloc'd. */
char *amount_text(uint64_t bytes);
