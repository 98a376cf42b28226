/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moments as people type and read them, on the wall clock of this terminal. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * "2026-11-21", "2026-11-21T17:15" or with a blank, "17:15" (of today), "today", "tomorrow", "tomorrow 17:15", the Japanese 今日, 明日 too,
 * and full-width digits, colons and blanks. A bare day stands for its first second, with `end` for its last one. Civil seconds (core/civil.h),
 * whose now is `now`. False if it is none.
 */
bool moment_parse(const char *text, int64_t now, bool end, int64_t *civil);

/* The same as seconds since the epoch, UTC. Where the zone has an hour twice, the first; where it leaves one out, the hour after. */
int64_t moment_epoch(int64_t civil);

/* "2026-11-21 17:15", local time, of seconds since the epoch; malloc'd. */
char *moment_text(int64_t epoch);
