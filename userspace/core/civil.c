// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/civil.h"
#include "core/lex.h"
#include "core/macro.h"
#include "core/mark-text.h"

#define DAYS_ALL 0x7f

/* Days since 1970-01-01; counts from March, so that the leap day is the last of its year. */
static int64_t days_from_date(int year, unsigned int month, unsigned int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t civil_from_date(int year, unsigned int month, unsigned int day)
{
	return days_from_date(year, month, day) * CIVIL_DAY;
}

static bool is_leap(int year)
{
	return !(year % 4) && (year % 100 || !(year % 400));
}

static unsigned int days_in_month(int year, unsigned int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Reads min to max digits at *p; false if there are fewer, or one too many. */
static bool take_digits(const char **p, const char *end, unsigned int min, unsigned int max,
			unsigned int *value)
{
	unsigned int n = 0;

	*value = 0;
	while (n < max && *p < end && **p >= '0' && **p <= '9') {
		*value = *value * 10 + (unsigned int)(**p - '0');
		(*p)++;
		n++;
	}
	return n >= min && !(*p < end && **p >= '0' && **p <= '9');
}

static bool take_char(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

/* HH:MM[:SS]; *length: 60 or 1, by what was written. */
static bool take_time(const char **p, const char *end, unsigned int min_digits,
		      uint32_t *seconds, uint32_t *length)
{
	unsigned int h, m, s = 0;

	if (!take_digits(p, end, min_digits, 2, &h) || !take_char(p, end, ':') ||
	    !take_digits(p, end, min_digits, 2, &m))
		return false;
	*length = 60;
	if (take_char(p, end, ':')) {
		if (!take_digits(p, end, min_digits, 2, &s))
			return false;
		*length = 1;
	}
	*seconds = h * 3600 + m * 60 + s;
	return (h < 24 && m < 60 && s < 60) || (h == 24 && !m && !s);
}

bool civil_parse(const char *text, size_t len, bool end, int64_t *civil)
{
	const char *p = text, *stop = text + len;
	unsigned int year, month, day;
	uint32_t seconds = 0, length = CIVIL_DAY;

	if (len < 10 || !take_digits(&p, stop, 4, 4, &year) || !take_char(&p, stop, '-') ||
	    !take_digits(&p, stop, 2, 2, &month) || !take_char(&p, stop, '-') ||
	    !take_digits(&p, stop, 2, 2, &day))
		return false;
	if (year < 1970 || !month || month > 12 || !day || day > days_in_month((int)year, month))
		return false;
	if (p < stop && (!take_char(&p, stop, 'T') || !take_time(&p, stop, 2, &seconds, &length) ||
			 seconds == CIVIL_DAY))
		return false;
	*civil = civil_from_date((int)year, month, day) + seconds;
	if (end)
		*civil += length - 1;
	return p == stop;
}

bool civil_parse_moment(const char *text, size_t len, int64_t *us)
{
	static const size_t whole = CIVIL_TEXT_MAX - 1;
	const char *p = text + whole, *stop = text + len;
	unsigned int micro;
	int64_t seconds;

	if (len != whole + sizeof(".123456Z") - 1 || !civil_parse(text, whole, false, &seconds) ||
	    !take_char(&p, stop, '.') || !take_digits(&p, stop, 6, 6, &micro) || *p != 'Z')
		return false;
	*us = seconds * 1000000 + micro;
	return true;
}

void civil_expect(struct lex *lex, bool end, int64_t *civil)
{
	static const char what[] = N_("a date like 2026-04-01 or 2026-04-01T08:30");
	const struct lex_token *token = lex_expect(lex, what);

	if (token && (token->quoted || !civil_parse(token->text, token->len, end, civil)))
		lex_expected(lex, token, what);
	else if (token && !*civil)
		*civil = 1;
}

void civil_format(int64_t civil, char out[static CIVIL_TEXT_MAX])
{
	int64_t days, seconds;
	unsigned int month = 1;
	int year;

	if (civil < 0)
		civil = 0;
	if (civil > CIVIL_MAX)
		civil = CIVIL_MAX;
	days = civil / CIVIL_DAY;
	seconds = civil % CIVIL_DAY;
	/* A first guess, at most one year late. */
	year = 1970 + (int)(days / 366);
	while (days_from_date(year + 1, 1, 1) <= days)
		year++;
	days -= days_from_date(year, 1, 1);
	while (days >= days_in_month(year, month))
		days -= days_in_month(year, month++);
	snprintf(out, CIVIL_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned int)year % 10000u,
		 month % 100u, (unsigned int)(days + 1) % 100u, (unsigned int)(seconds / 3600) % 100u,
		 (unsigned int)(seconds / 60 % 60) % 100u, (unsigned int)(seconds % 60) % 100u);
}

/* --- windows --- */

static const char *const weekday_names[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

static void skip_blanks(const char **p, const char *end)
{
	while (*p < end && (**p == ' ' || **p == '\t'))
		(*p)++;
}

static int take_weekday(const char **p, const char *end)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(weekday_names); i++)
		if (end - *p >= 3 && !memcmp(*p, weekday_names[i], 3)) {
			*p += 3;
			return (int)i;
		}
	return -1;
}

static bool take_weekdays(const char **p, const char *end, uint8_t *mask)
{
	do {
		int first = take_weekday(p, end), last = first;

		if (first < 0)
			return false;
		if (take_char(p, end, '-'))
			last = take_weekday(p, end);
		if (last < 0)
			return false;
		/* "Sat-Mon" goes over the end of the week. */
		for (int day = first;; day = (day + 1) % 7) {
			*mask = (uint8_t)(*mask | 1u << day);
			if (day == last)
				break;
		}
	} while (take_char(p, end, ','));
	return *p < end && (**p == ' ' || **p == '\t');
}

const char *civil_window_parse(const char *text, size_t len, struct civil_window *window)
{
	static const char expected[] = N_("a time or window like 08:30-17:15 or Mon-Fri 08:30-17:15");
	const char *p = text, *end = text + len;
	uint32_t length;

	*window = (struct civil_window){ .weekdays = 0 };
	skip_blanks(&p, end);
	if (p < end && *p >= 'A' && *p <= 'Z') {
		if (!take_weekdays(&p, end, &window->weekdays))
			return N_("days like Mon-Fri or Mon,Wed and a blank");
		skip_blanks(&p, end);
	} else {
		window->weekdays = DAYS_ALL;
	}
	if (!take_time(&p, end, 1, &window->begin, &length) || window->begin == CIVIL_DAY)
		return expected;
	window->end = window->begin + length;
	skip_blanks(&p, end);
	if (take_char(&p, end, '-')) {
		skip_blanks(&p, end);
		if (!take_time(&p, end, 1, &window->end, &length))
			return expected;
		skip_blanks(&p, end);
		/* From a time to itself is that time, never the whole day. */
		if (window->end == window->begin)
			window->end += length;
	}
	return p == end ? NULL : expected;
}

/* Does a window that is open at this second of this weekday (0 is Monday) exist? */
static bool window_open(const struct civil_window *window, unsigned int weekday, uint32_t second)
{
	bool today = window->weekdays >> weekday & 1;
	bool yesterday = window->weekdays >> (weekday + 6) % 7 & 1;

	if (window->begin < window->end)
		return today && second >= window->begin && second < window->end;
	return (today && second >= window->begin) || (yesterday && second < window->end);
}

bool civil_window_contains(const struct civil_window *window, int64_t civil, int64_t *change)
{
	int64_t day = civil / CIVIL_DAY;
	/* 1970-01-01 was a Thursday. */
	unsigned int weekday = (unsigned int)((day + 3) % 7);
	bool open = window_open(window, weekday, (uint32_t)(civil % CIVIL_DAY));

	*change = 0;
	/* The answer can change only at an edge; a week later everything has come round. */
	for (unsigned int d = 0; d <= 8 && !*change; d++) {
		uint32_t edges[3] = { 0, window->begin, window->end % CIVIL_DAY };

		if (edges[1] > edges[2]) {
			edges[1] = window->end % CIVIL_DAY;
			edges[2] = window->begin;
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(edges) && !*change; i++) {
			int64_t at = (day + d) * CIVIL_DAY + edges[i];

			if (at > civil && window_open(window, (weekday + d) % 7, edges[i]) != open)
				*change = at;
		}
	}
	return open;
}
