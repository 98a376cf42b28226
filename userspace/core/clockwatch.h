/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Can what the clock says of a file's age be believed? Whoever sets the clock ahead would have the whole log removed. So the way of the
 * clock is compared with the time that the terminal has really been on, and a jump ahead keeps everything for a while.
 *
 * A terminal that is off for nights, weekends and holidays leaps ahead at each start, and must not be held back for ever: what
 * the clock may gain is two weeks, and 20 times what the terminal has been on since. All times are microseconds; no clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CLOCKWATCH_DAY INT64_C(86400000000)
#define CLOCKWATCH_HOLD (7 * CLOCKWATCH_DAY) /* that nothing is removed after a jump, of running and of the clock */
#define CLOCKWATCH_SLACK (14 * CLOCKWATCH_DAY)
#define CLOCKWATCH_SHARE 20

struct clockwatch {
	int64_t mark_us;  /* the clock after the newest jump ahead, or where watching began */
	int64_t ran_us;	  /* that we have run since */
	int64_t off_us;	  /* that the clock has gained since beyond what we have run */
	int64_t ahead_us; /* that the jumps have brought, less what was taken back */
	int64_t seen_us, boot_us; /* the clocks at the newest look */
	bool running;		  /* there was one in this run */
};

/* Nothing is known of before. */
void clockwatch_begin(struct clockwatch *watch, int64_t now_us);

/*
 * Looks at the wall clock, and at CLOCK_BOOTTIME. newest_us: time of the newest record of the log, for the first look of a run.
 * How far a jump has led ahead if one is found, else 0.
 */
int64_t clockwatch_look(struct clockwatch *watch, int64_t now_us, int64_t boot_us, int64_t newest_us);

/* The clock was found to be `by_us` earlier than the newest record: a jump has been taken back, or a part of it. */
void clockwatch_reversed(struct clockwatch *watch, int64_t now_us, int64_t by_us);

/* Is something as old as `newest_us` older than `retention_us`, as far as the clock can be believed? */
bool clockwatch_expired(const struct clockwatch *watch, int64_t now_us, int64_t newest_us, int64_t retention_us);

/* As a line of text and back. False: it is not such a line. */
#define CLOCKWATCH_TEXT_MAX 128
void clockwatch_format(const struct clockwatch *watch, char out[static CLOCKWATCH_TEXT_MAX]);
bool clockwatch_parse(struct clockwatch *watch, const char *text);
