// SPDX-License-Identifier: GPL-2.0-or-later
/* core/civil: dates, hours and days of the week, as a policy's author means them. */
#include <string.h>

#include "core/civil.h"
#include "core/macro.h"
#include "testing.h"

#define MINUTE 60
#define HOUR 3600
#define WEEK (7 * CIVIL_DAY)
#define WEEK_MINUTES (7 * 24 * 60)

/* 2026-11-16, a Monday. */
static int64_t monday(void)
{
	return civil_from_date(2026, 11, 16);
}

static bool parse(const char *text, bool end, int64_t *civil)
{
	return civil_parse(text, strlen(text), end, civil);
}

static void dates_count_from_1970(void)
{
	static const struct {
		int year;
		unsigned int month, day;
		int64_t civil;
		const char *text;
	} rows[] = {
		{1970, 1, 1, 0, "1970-01-01"},
		{1972, 2, 29, 68169600, "1972-02-29"},
		{1999, 12, 31, 946598400, "1999-12-31"},
		{2000, 2, 29, 951782400, "2000-02-29"},
		{2000, 3, 1, 951868800, "2000-03-01"},
		{2024, 2, 29, 1709164800, "2024-02-29"},
		{2026, 11, 21, 1795219200, "2026-11-21"},
		{2100, 2, 28, 4107456000, "2100-02-28"},
		{2100, 3, 1, 4107542400, "2100-03-01"},
		{2400, 2, 29, 13574563200, "2400-02-29"},
		{9999, 12, 31, 253402214400, "9999-12-31"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t civil = -1;

		EXPECT(civil_from_date(rows[i].year, rows[i].month, rows[i].day) == rows[i].civil,
		       rows[i].text);
		EXPECT(parse(rows[i].text, false, &civil) && civil == rows[i].civil, rows[i].text);
	}
}

static void every_day_is_written_as_it_is_read(void)
{
	char text[CIVIL_TEXT_MAX], previous[CIVIL_TEXT_MAX] = "";

	/* Each day at first, over four kinds of century years; then each 97th. */
	for (int64_t day = 0; day <= CIVIL_MAX / CIVIL_DAY; day += day < 160000 ? 1 : 97) {
		int64_t civil = day * CIVIL_DAY + day % CIVIL_DAY, back = -1;

		civil_format(civil, text);
		if (!parse(text, false, &back) || back != civil || strcmp(text, previous) <= 0) {
			EXPECT(false, text);
			return;
		}
		strcpy(previous, text);
	}
}

static void a_date_is_its_first_or_its_last_second(void)
{
	static const struct {
		const char *text;
		const char *first;
		const char *last;
	} rows[] = {
		{"2026-04-01", "2026-04-01T00:00:00", "2026-04-01T23:59:59"},
		{"2026-04-01T08:30", "2026-04-01T08:30:00", "2026-04-01T08:30:59"},
		{"2026-04-01T08:30:15", "2026-04-01T08:30:15", "2026-04-01T08:30:15"},
		{"2026-04-01T23:59", "2026-04-01T23:59:00", "2026-04-01T23:59:59"},
		{"2027-12-31", "2027-12-31T00:00:00", "2027-12-31T23:59:59"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[CIVIL_TEXT_MAX];
		int64_t civil = -1;

		EXPECT(parse(rows[i].text, false, &civil), rows[i].text);
		civil_format(civil, text);
		EXPECT(!strcmp(text, rows[i].first), rows[i].text);
		EXPECT(parse(rows[i].text, true, &civil), rows[i].text);
		civil_format(civil, text);
		EXPECT(!strcmp(text, rows[i].last), rows[i].text);
	}
}

static void what_is_no_date_is_refused(void)
{
	static const char *const rows[] = {
		"",
		"2026",
		"2026-04",
		"2026-4-1",
		"26-04-01",
		"2026/04/01",
		"2026-04-01 ",
		" 2026-04-01",
		"2026-04-011",
		"12026-04-01",
		"1969-12-31",
		"2026-00-01",
		"2026-13-01",
		"2026-04-00",
		"2026-04-31",
		"2026-02-29", /* no leap year */
		"2100-02-29", /* nor this */
		"2024-02-30",
		"2026-04-01T",
		"2026-04-01T8:30",
		"2026-04-01T08:3",
		"2026-04-01T08",
		"2026-04-01T08:30:",
		"2026-04-01T08:30:5",
		"2026-04-01T24:00",
		"2026-04-01T08:60",
		"2026-04-01T08:30:60",
		"2026-04-01 08:30",
		"2026-04-01t08:30",
		"2026-04-01T08:30:15Z",
		"2026-04-01T08:30+09:00",
		"２０２６-04-01",
	};
	int64_t civil;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(!parse(rows[i], false, &civil) && !parse(rows[i], true, &civil), rows[i]);
	/* The length counts, not what lies behind it. */
	CU_ASSERT_TRUE(civil_parse("2026-04-01T", 10, false, &civil));
	CU_ASSERT_FALSE(civil_parse("2026-04-01", 9, false, &civil));
}

static void moments_outside_the_calendar_are_written_as_the_nearest_inside(void)
{
	char text[CIVIL_TEXT_MAX];

	civil_format(-1, text);
	CU_ASSERT_STRING_EQUAL(text, "1970-01-01T00:00:00");
	civil_format(INT64_MIN, text);
	CU_ASSERT_STRING_EQUAL(text, "1970-01-01T00:00:00");
	civil_format(CIVIL_MAX, text);
	CU_ASSERT_STRING_EQUAL(text, "9999-12-31T23:59:59");
	civil_format(INT64_MAX, text);
	CU_ASSERT_STRING_EQUAL(text, "9999-12-31T23:59:59");
}

static void windows_are_read(void)
{
	static const struct {
		const char *text;
		uint32_t begin, end;
		uint8_t weekdays;
	} rows[] = {
		{"08:30-17:15", 30600, 62100, 0x7f},
		{"8:30-17:15", 30600, 62100, 0x7f},
		{"8:5-9:7", 29100, 32820, 0x7f},
		{"08:30", 30600, 30660, 0x7f},
		{"08:30:15", 30615, 30616, 0x7f},
		{"08:30:15-17:15:01", 30615, 62101, 0x7f},
		{"08:30-17:15:01", 30600, 62101, 0x7f},
		{"10:00-10:00", 36000, 36060, 0x7f},
		{"10:00:05-10:00:05", 36005, 36006, 0x7f},
		{"23:59-23:59", 86340, 86400, 0x7f},
		{"00:00-24:00", 0, 86400, 0x7f},
		{"22:00-06:00", 79200, 21600, 0x7f},
		{"22:00-0:00", 79200, 0, 0x7f},
		{" 08:30\t-  17:15 ", 30600, 62100, 0x7f},
		{"Mon 08:30", 30600, 30660, 0x01},
		{"Sun 08:30", 30600, 30660, 0x40},
		{"Mon-Fri 08:30-17:15", 30600, 62100, 0x1f},
		{"Sat-Mon 08:30", 30600, 30660, 0x61},
		{"Tue-Tue 08:30", 30600, 30660, 0x02},
		{"Tue-Mon 08:30", 30600, 30660, 0x7f},
		{"Mon,Wed,Fri 08:30", 30600, 30660, 0x15},
		{"Thu,Sat-Sun\t08:30", 30600, 30660, 0x68},
		{" Fri  22:00-06:00", 79200, 21600, 0x10},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct civil_window window;

		EXPECT(!civil_window_parse(rows[i].text, strlen(rows[i].text), &window),
		       rows[i].text);
		EXPECT(window.begin == rows[i].begin && window.end == rows[i].end &&
			       window.weekdays == rows[i].weekdays,
		       rows[i].text);
	}
}

static void what_is_no_window_is_refused(void)
{
	static const char *const rows[] = {
		"",
		" ",
		"8",
		"8:",
		":30",
		"24:00",
		"24:00-08:00",
		"08:30-24:01",
		"08:30-24:00:01",
		"25:00",
		"08:60",
		"08:30:60",
		"08:30:",
		"08:30-",
		"-17:15",
		"08:30--17:15",
		"08:30-17:15x",
		"17:15x",
		"08:30 17:15",
		"08:30-17:15-18:00",
		"008:30",
		"08:030",
		"08: 30",
		"+8:30",
		"08.30",
		"Mon",
		"Mon ",
		"Mon08:30",
		"mon 08:30",
		"MON 08:30",
		"Monday 08:30",
		"Mon- 08:30",
		"Mon, 08:30",
		"Mon-Fri-Sun 08:30",
		"Mon Fri 08:30",
		"Mon -Fri 08:30",
		"Xyz 08:30",
		"08:30 Mon",
		"08:30\n",
		"０8:30",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct civil_window window;
		const char *expected = civil_window_parse(rows[i], strlen(rows[i]), &window);

		EXPECT(expected && *expected, rows[i]);
	}
}

/* A moment of the week of monday(). */
static int64_t moment(unsigned int weekday, unsigned int hour, unsigned int minute,
		      unsigned int second)
{
	return monday() + weekday * CIVIL_DAY + hour * HOUR + minute * MINUTE + second;
}

static void windows_are_open_from_their_begin_to_their_end(void)
{
	static const struct {
		const char *text;
		unsigned int weekday, hour, minute, second;
		bool open;
	} rows[] = {
		{"08:30-17:15", 2, 8, 29, 59, false},
		{"08:30-17:15", 2, 8, 30, 0, true},
		{"08:30-17:15", 2, 17, 14, 59, true},
		{"08:30-17:15", 2, 17, 15, 0, false},
		{"08:30", 2, 8, 30, 59, true},
		{"08:30", 2, 8, 31, 0, false},
		{"08:30:15", 2, 8, 30, 15, true},
		{"08:30:15", 2, 8, 30, 16, false},
		{"22:00-06:00", 2, 23, 0, 0, true},
		{"22:00-06:00", 2, 5, 59, 59, true},
		{"22:00-06:00", 2, 6, 0, 0, false},
		{"22:00-06:00", 2, 21, 59, 59, false},
		{"22:00-24:00", 2, 23, 59, 59, true},
		{"22:00-24:00", 2, 0, 0, 0, false},
		{"22:00-0:00", 2, 23, 59, 59, true},
		{"22:00-0:00", 2, 0, 0, 0, false},
		{"00:00-24:00", 2, 0, 0, 0, true},
		{"Mon-Fri 08:30-17:15", 4, 9, 0, 0, true},
		{"Mon-Fri 08:30-17:15", 5, 9, 0, 0, false},
		{"Mon-Fri 08:30-17:15", 6, 9, 0, 0, false},
		{"Mon-Fri 08:30-17:15", 0, 9, 0, 0, true},
		{"Sat-Mon 08:30-17:15", 6, 9, 0, 0, true},
		{"Sat-Mon 08:30-17:15", 0, 9, 0, 0, true},
		{"Sat-Mon 08:30-17:15", 1, 9, 0, 0, false},
		/* Friday's night lasts into Saturday, Thursday's is not there. */
		{"Fri 22:00-06:00", 4, 23, 0, 0, true},
		{"Fri 22:00-06:00", 5, 5, 59, 59, true},
		{"Fri 22:00-06:00", 4, 5, 0, 0, false},
		{"Fri 22:00-06:00", 5, 23, 0, 0, false},
		/* Over the end of the week. */
		{"Sun 22:00-06:00", 0, 5, 0, 0, true},
		{"Sun 22:00-06:00", 6, 5, 0, 0, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct civil_window window;
		int64_t change;

		EXPECT(!civil_window_parse(rows[i].text, strlen(rows[i].text), &window),
		       rows[i].text);
		EXPECT(civil_window_contains(&window,
					     moment(rows[i].weekday, rows[i].hour, rows[i].minute,
						    rows[i].second),
					     &change) == rows[i].open,
		       rows[i].text);
	}
}

static void the_next_change_is_told(void)
{
	static const struct {
		const char *text;
		unsigned int weekday, hour; /* now */
		unsigned int change_day, change_hour, change_minute;
	} rows[] = {
		{"08:30-17:15", 2, 7, 2, 8, 30},         {"08:30-17:15", 2, 9, 2, 17, 15},
		{"08:30-17:15", 2, 18, 3, 8, 30},        {"22:00-06:00", 2, 23, 3, 6, 0},
		{"22:00-24:00", 2, 23, 3, 0, 0},         {"Mon-Fri 08:30-17:15", 4, 18, 7, 8, 30},
		{"Mon 08:30", 0, 9, 7, 8, 30},           {"Mon-Fri 00:00-24:00", 1, 12, 5, 0, 0},
		{"Sat-Sun 22:00-06:00", 6, 23, 7, 6, 0},
	};
	struct civil_window window;
	int64_t change;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT(!civil_window_parse(rows[i].text, strlen(rows[i].text), &window),
		       rows[i].text);
		civil_window_contains(&window, moment(rows[i].weekday, rows[i].hour, 0, 0),
				      &change);
		EXPECT(change == moment(rows[i].change_day, rows[i].change_hour,
					rows[i].change_minute, 0),
		       rows[i].text);
	}
	CU_ASSERT_PTR_NULL(civil_window_parse("00:00-24:00", 11, &window));
	CU_ASSERT_TRUE(civil_window_contains(&window, monday(), &change));
	CU_ASSERT_EQUAL(change, 0);
}

/* The meaning, spelled out: every minute of a week by itself. */
static void fill_week(const struct civil_window *window, bool week[WEEK_MINUTES])
{
	unsigned int begin = window->begin / MINUTE, end = window->end / MINUTE;
	unsigned int length = begin < end ? end - begin : end + 24 * 60 - begin;

	memset(week, 0, WEEK_MINUTES * sizeof(week[0]));
	for (unsigned int day = 0; day < 7; day++)
		for (unsigned int i = 0; window->weekdays >> day & 1 && i < length; i++)
			week[(day * 24 * 60 + begin + i) % WEEK_MINUTES] = true;
}

static void check_against_week(const struct civil_window *window, int64_t civil)
{
	static bool week[WEEK_MINUTES];
	unsigned int now = (unsigned int)((civil - monday() + 52 * WEEK) % WEEK / MINUTE);
	int64_t expected = 0, change;
	bool open;

	fill_week(window, week);
	for (unsigned int i = 1; i <= WEEK_MINUTES && !expected; i++)
		if (week[(now + i) % WEEK_MINUTES] != week[now])
			expected = civil - civil % MINUTE + i * MINUTE;
	open = civil_window_contains(window, civil, &change);
	if (open != week[now] || change != expected) {
		char row[96];

		snprintf(row, sizeof(row), "%u-%u days %02x at minute %u", window->begin,
			 window->end, window->weekdays, now);
		EXPECT(open == week[now], row);
		EXPECT(change == expected, row);
	}
}

static void many_windows_agree_with_a_scan_by_minutes(void)
{
	static const unsigned int edges[] = {0, 1, 360, 510, 720, 1035, 1320, 1438, 1439, 1440};
	static const uint8_t days[] = {0x7f, 0x1f, 0x60, 0x61, 0x01, 0x40, 0x15, 0x2a, 0x3f, 0x08};
	unsigned int seed = 1, n = 0;

	for (size_t b = 0; b + 1 < ARRAY_SIZE(edges); b++)
		for (size_t e = 0; e < ARRAY_SIZE(edges); e++)
			for (size_t d = 0; d < ARRAY_SIZE(days) && edges[b] != edges[e]; d++)
				for (unsigned int k = 0; k < 6; k++, n++) {
					struct civil_window window = {edges[b] * MINUTE,
								      edges[e] * MINUTE, days[d]};

					seed = seed * 1103515245u + 12345u;
					/* At odd seconds anywhere in two weeks, and right at the
					 * edges. */
					check_against_week(
						&window,
						monday() + (k < 4 ? seed / 7 % (2 * WEEK)
								  : (seed >> 8) % 14 * CIVIL_DAY +
									    (k == 4 ? window.begin
										    : window.end)));
				}
	CU_ASSERT(n > 4000);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(dates_count_from_1970),
		TEST(every_day_is_written_as_it_is_read),
		TEST(a_date_is_its_first_or_its_last_second),
		TEST(what_is_no_date_is_refused),
		TEST(moments_outside_the_calendar_are_written_as_the_nearest_inside),
		TEST(windows_are_read),
		TEST(what_is_no_window_is_refused),
		TEST(windows_are_open_from_their_begin_to_their_end),
		TEST(the_next_change_is_told),
		TEST(many_windows_agree_with_a_scan_by_minutes),
	};

	return testing_run("civil", tests, ARRAY_SIZE(tests));
}
