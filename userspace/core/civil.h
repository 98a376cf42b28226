/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Civil time: what the clock on the wall shows here. A moment is a number of seconds since
 * 1970-01-01 00:00:00 *local* time ("civil seconds"), so that a policy's dates and hours
 * are compared without knowing the time zone. Proleptic Gregorian calendar, no leap seconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CIVIL_DAY 86400
/* "2026-11-21T08:30:00" and a NUL. */
#define CIVIL_TEXT_MAX 20
/* 9999-12-31T23:59:59 */
#define CIVIL_MAX INT64_C(253402300799)

/* Civil seconds of a date. Years 1970 to 9999. */
int64_t civil_from_date(int year, unsigned int month, unsigned int day);

/*
 * Reads YYYY-MM-DD, YYYY-MM-DDTHH:MM or YYYY-MM-DDTHH:MM:SS. A bare date stands for its first second,
 * with `end` for its last one. False if it is not such a moment.
 */
bool civil_parse(const char *text, size_t len, bool end, int64_t *civil);

/* Reads "2026-11-21T08:30:00.123456Z", as it stands in records: UTC, microseconds since the epoch. False: it is not that. */
bool civil_parse_moment(const char *text, size_t len, int64_t *us);

/*
 * Takes a moment as the next word of a statement, or reports what was expected. For keeping: 0, which those who keep
 * one use for "no limit", becomes 1.
 */
struct lex;
void civil_expect(struct lex *lex, bool end, int64_t *civil);

/* Writes YYYY-MM-DDTHH:MM:SS; moments outside the years 1970 to 9999 as the nearest inside. */
void civil_format(int64_t civil, char out[static CIVIL_TEXT_MAX]);

/*
 * Hours of the day, and days of the week: begin and end are seconds since midnight; end is the first
 * second after the window and at most 86400. A window whose end is not after its begin spans
 * midnight and belongs to the day on which it begins.
 */
struct civil_window {
	uint32_t begin;
	uint32_t end;
	uint8_t weekdays; /* bit 0 is Monday; 0x7f every day */
};

/*
 * Reads [DAY[-DAY][,DAY…] ]TIME[-TIME] with DAY of Mon Tue Wed Thu Fri Sat Sun and TIME of
 * H:MM, HH:MM or HH:MM:SS; 24:00 as an end. A single TIME is that minute (or second). Blanks may
 * stand around a TIME. NULL, or what was expected.
 */
const char *civil_window_parse(const char *text, size_t len, struct civil_window *window);

/* Is the moment inside? *change: the first later moment at which the answer is another; 0 never. */
bool civil_window_contains(const struct civil_window *window, int64_t civil, int64_t *change);
