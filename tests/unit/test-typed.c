// SPDX-License-Identifier: GPL-2.0-or-later
/* Periods, amounts and moments as people type them. */
#include <stdlib.h>
#include <string.h>

#include "cli/duration.h"
#include "cli/moment.h"
#include "core/civil.h"
#include "core/macro.h"
#include "testing.h"

static void periods_are_read_as_people_write_them(void)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} rows[] = {
		{ "15m", 900 },		{ "90min", 5400 },	 { "2h", 7200 },	   { "3d", 259200 },
		{ "２時間", 7200 },	{ "1h30m", 5400 },	 { "1h 30m", 5400 },	   { "2 h", 7200 },
		{ "2時間", 7200 },	{ "２時間３０分", 9000 }, { "３日", 259200 },	   { "3日間", 259200 },
		{ "366d", 366 * 86400 },
	};
	static const char *const none[] = {
		"",	"0",   "2",   "30",  "３０",   "0m",   "h",	"m2",	 "2x",	 "2h30",	"-2h", "+2h",	   "1.5h", "2hh",
		"367d", "99999999999999999999h", "時間", "2 時 間", "17:15", "2026-11-21", "２ｈ", "2h ", " 2h", "2 "
	};
	uint32_t seconds;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(duration_parse(rows[i].text, &seconds) && seconds == rows[i].seconds, rows[i].text);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		EXPECT(!duration_parse(none[i], &seconds), none[i]);
	EXPECT(duration_lacks_unit("30") && duration_lacks_unit("３０"), "numbers alone");
	EXPECT(!duration_lacks_unit("") && !duration_lacks_unit("30m") && !duration_lacks_unit("30 ") && !duration_lacks_unit("m"), "others");
}

static void amounts_are_bytes_by_powers_of_1024(void)
{
	static const struct {
		const char *text;
		uint64_t bytes;
		const char *shown;
	} rows[] = {
		{ "1", 1, "1 B" },
		{ "512K", 512 * 1024, "512 KiB" },
		{ "500M", UINT64_C(500) << 20, "500 MiB" },
		{ "500MiB", UINT64_C(500) << 20, "500 MiB" },
		{ "２G", UINT64_C(2) << 30, "2 GiB" },
		{ "1536", 1536, "1.5 KiB" },
		{ "1023", 1023, "1023 B" },
	};
	static const char *const none[] = { "", "0", "0M", "M", "5T", "5MB", "-5M", "5 M M", "99999999999999999999", "8589934592G" };
	uint64_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(freep) char *shown = amount_text(rows[i].bytes);

		EXPECT(amount_parse(rows[i].text, &bytes) && bytes == rows[i].bytes, rows[i].text);
		EXPECT(!strcmp(shown, rows[i].shown), shown);
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		EXPECT(!amount_parse(none[i], &bytes), none[i]);
	free(amount_text(UINT64_MAX));
}

/* Saturday, 2026-11-21, 10:20 */
static int64_t now(void)
{
	return civil_from_date(2026, 11, 21) + 10 * 3600 + 20 * 60;
}

static void moments_are_read_on_the_clock_on_the_wall(void)
{
	static const struct {
		const char *text;
		bool end;
		const char *civil;
	} rows[] = {
		{ "17:15", true, "2026-11-21T17:15:00" },
		{ "9:05", false, "2026-11-21T09:05:00" },
		{ "１７：１５", true, "2026-11-21T17:15:00" },
		{ "today", true, "2026-11-21T23:59:59" },
		{ "今日 17:15", true, "2026-11-21T17:15:00" },
		{ "tomorrow", false, "2026-11-22T00:00:00" },
		{ "tomorrow 8:30", true, "2026-11-22T08:30:00" },
		{ "明日", true, "2026-11-22T23:59:59" },
		{ "明日　８：３０", true, "2026-11-22T08:30:00" },
		{ "2026-12-04", true, "2026-12-04T23:59:59" },
		{ "2026-12-04", false, "2026-12-04T00:00:00" },
		{ "2026-12-04 17:15", true, "2026-12-04T17:15:00" },
		{ "2026-12-04T17:15", true, "2026-12-04T17:15:00" },
	};
	static const char *const none[] = {
		"",	     "24:01",	   "8",		 "8:",	      ":30",	   "Mon 8:30",	 "8:30-9:30", "todayish",
		"tomorrow x", "2026-13-01", "2026-02-30", "21.11.2026", "2026-11-21T", "2h",	 "\xff\xfe",
		"2026-11-21 17:15 and much more than any moment has"
	};
	char text[CIVIL_TEXT_MAX];
	int64_t civil;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT(moment_parse(rows[i].text, now(), rows[i].end, &civil), rows[i].text);
		civil_format(civil, text);
		EXPECT(!strcmp(text, rows[i].civil), rows[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		EXPECT(!moment_parse(none[i], now(), true, &civil), none[i]);
}

static void local_moments_come_back_as_they_were_typed(void)
{
	static const char *const zones[] = { "JST-9", "UTC", "CET-1CEST,M3.5.0,M10.5.0/3" };

	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		_cleanup_(freep) char *text = NULL;

		setenv("TZ", zones[i], 1);
		text = moment_text(moment_epoch(now()));
		EXPECT(!strcmp(text, "2026-11-21 10:20"), zones[i]);
	}
	setenv("TZ", "JST-9", 1);
	CU_ASSERT_EQUAL(moment_epoch(now()), now() - 9 * 3600);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(periods_are_read_as_people_write_them),
		TEST(amounts_are_bytes_by_powers_of_1024),
		TEST(moments_are_read_on_the_clock_on_the_wall),
		TEST(local_moments_come_back_as_they_were_typed),
	};

	return testing_run("typed", tests, ARRAY_SIZE(tests));
}
