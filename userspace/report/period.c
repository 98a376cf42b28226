// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/period.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND_US INT64_C(1000000)
#define HOUR_S 3600

static int64_t month_begin(int year, unsigned int month)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = (int)month - 1, .tm_mday = 1, .tm_isdst = -1 };

	return (int64_t)mktime(&tm);
}

static void period_fill(struct period *period)
{
	int64_t begin = month_begin(period->year, period->month);
	int64_t end = month_begin(period->year, period->month + 1);

	period->since_us = begin * SECOND_US;
	period->until_us = end * SECOND_US;
	period->n_hours = 0;
	period->n_days = 0;
	period->last = 0;
	for (int64_t at = begin; at < end && period->n_hours < PERIOD_HOURS_MAX; at += HOUR_S) {
		struct period_hour *hour = &period->hours[period->n_hours++];
		time_t moment = (time_t)at;
		struct tm tm;

		localtime_r(&moment, &tm);
		*hour = (struct period_hour){ .begin_us = at * SECOND_US,
					      .day = (uint8_t)(tm.tm_mday - 1),
					      .hour = (uint8_t)tm.tm_hour };
		period->n_days = (unsigned int)tm.tm_mday;
	}
}

/* Digits only, exactly `len` of them. */
static bool take_number(const char *text, size_t len, int *number)
{
	*number = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*number = *number * 10 + (text[i] - '0');
	}
	return true;
}

bool period_set_month(struct period *period, const char *text)
{
	int year, month;

	if (strlen(text) != 7 || text[4] != '-' || !take_number(text, 4, &year) ||
	    !take_number(text + 5, 2, &month) || year < 1970 || month < 1 || month > 12)
		return false;
	period->year = year;
	period->month = (unsigned int)month;
	period_fill(period);
	return true;
}

void period_set_now(struct period *period, int64_t now_us)
{
	time_t now = (time_t)(now_us / SECOND_US);
	struct tm tm;

	localtime_r(&now, &tm);
	period->year = tm.tm_year + 1900;
	period->month = (unsigned int)tm.tm_mon + 1;
	period_fill(period);
}

const struct period_hour *period_find(struct period *period, int64_t us)
{
	size_t low = 0, high = period->n_hours;
	const struct period_hour *last = &period->hours[period->last];

	if (us >= last->begin_us && us - last->begin_us < HOUR_S * SECOND_US)
		return last;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (period->hours[middle].begin_us <= us)
			low = middle;
		else
			high = middle;
	}
	period->last = low;
	return &period->hours[low];
}

void period_format(int64_t us, char out[static PERIOD_TEXT_MAX])
{
	time_t moment = (time_t)(us / SECOND_US);
	struct tm tm;

	localtime_r(&moment, &tm);
	if (!strftime(out, PERIOD_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &tm))
		strcpy(out, "?");
}
