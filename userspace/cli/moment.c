// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <time.h>

#include "cli/moment.h"
#include "cli/output.h"
#include "core/civil.h"
#include "core/macro.h"
#include "core/utf8.h"

/* "2026-11-21T17:15:00", and as much again for what is no moment. */
#define WIDE_MAX 40

static const struct {
	const char *name;
	int64_t days;
} days[] = {
	{"today", 0},
	{"tomorrow", 1},
	{"\xe4\xbb\x8a\xe6\x97\xa5", 0}, /* 今日 */
	{"\xe6\x98\x8e\xe6\x97\xa5", 1}, /* 明日 */
};

/* What a Japanese keyboard gives: U+FF01 to U+FF5E are ASCII in full width, U+3000 is the blank. False: too long. */
static bool narrow(const char *text, char out[static WIDE_MAX])
{
	size_t len = strlen(text), used = 0;

	while (len) {
		uint32_t cp;
		size_t n = utf8_decode(text, len, &cp);
		bool wide = n && ((cp >= 0xff01 && cp <= 0xff5e) || cp == 0x3000);

		n = n ? n : 1;
		if (used + n >= WIDE_MAX)
			return false;
		if (wide)
			out[used++] = cp == 0x3000 ? ' ' : (char)(cp - 0xff01 + '!');
		else
			used += (size_t)((char *)mempcpy(out + used, text, n) - (out + used));
		text += n;
		len -= n;
	}
	out[used] = '\0';
	return true;
}

/* "H:MM", "HH:MM" and nothing behind. */
static bool parse_hour(const char *text, int64_t *seconds)
{
	struct civil_window window;

	if (strspn(text, "0123456789:") != strlen(text) || civil_window_parse(text, strlen(text), &window))
		return false;
	*seconds = window.begin;
	return true;
}

/* "today", "tomorrow 17:15". */
static bool parse_day(const char *text, int64_t midnight, bool end, int64_t *civil)
{
	for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
		size_t len = strlen(days[i].name);
		int64_t seconds = end ? CIVIL_DAY - 1 : 0;

		if (strncmp(text, days[i].name, len))
			continue;
		text += len + strspn(text + len, " ");
		if (*text && !parse_hour(text, &seconds))
			return false;
		*civil = midnight + days[i].days * CIVIL_DAY + seconds;
		return true;
	}
	return false;
}

bool moment_parse(const char *text, int64_t now, bool end, int64_t *civil)
{
	int64_t midnight = now - now % CIVIL_DAY, seconds;
	char narrowed[WIDE_MAX];
	char *blank;

	if (!narrow(text, narrowed))
		return false;
	if (parse_day(narrowed, midnight, end, civil))
		return true;
	if (parse_hour(narrowed, &seconds)) {
		*civil = midnight + seconds;
		return true;
	}
	blank = strchr(narrowed, ' ');
	if (blank)
		*blank = 'T';
	/* A minute that is named stands for its beginning, as on a clock. */
	return civil_parse(narrowed, strlen(narrowed), end && strlen(narrowed) == strlen("2026-11-21"), civil);
}

int64_t moment_epoch(int64_t civil)
{
	time_t fields = (time_t)civil;
	struct tm tm;

	gmtime_r(&fields, &tm);
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm);
}

char *moment_text(int64_t epoch)
{
	time_t when = (time_t)epoch;
	char text[64] = "";
	struct tm tm;

	if (localtime_r(&when, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	return output_format("%s", text);
}
