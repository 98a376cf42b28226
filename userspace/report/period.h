/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A month on the wall clock of this terminal: when it begins and ends, and which day and hour a moment belongs to.
 * Moments are microseconds since the epoch (UTC). A day that the zone makes longer or shorter has its hours as they are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PERIOD_DAYS_MAX 31
/* An hour more: the clock may be set back once in a month. */
#define PERIOD_HOURS_MAX (PERIOD_DAYS_MAX * 24 + 2)

struct period {
	int year;
	unsigned int month; /* 1 to 12 */
	unsigned int n_days;
	int64_t since_us, until_us; /* until is exclusive */
	size_t n_hours;
	struct period_hour {
		int64_t begin_us;
		uint8_t day;  /* from 0 */
		uint8_t hour; /* 0 to 23 */
	} hours[PERIOD_HOURS_MAX];
	size_t last; /* where the last moment was found: the next is mostly near */
};

/* "YYYY-MM", years 1970 to 9999. False: it is not such a month. */
bool period_set_month(struct period *period, const char *text);

/* The month that a moment lies in. */
void period_set_now(struct period *period, int64_t now_us);

/* The hour that a moment inside the period belongs to. */
const struct period_hour *period_find(struct period *period, int64_t us);

/* Local time for people: "2026-11-21 08:30:00". */
#define PERIOD_TEXT_MAX 32
void period_format(int64_t us, char out[static PERIOD_TEXT_MAX]);
