// SPDX-License-Identifier: GPL-2.0-or-later
/* core/clockwatch: what retention may believe of the clock. */
#include <string.h>

#include "core/clockwatch.h"
#include "core/macro.h"
#include "testing.h"

#define DAY CLOCKWATCH_DAY
#define HOUR (DAY / 24)
#define T0 (INT64_C(20000) * DAY)

static struct clockwatch watch;
static int64_t now, boot, newest;

static int64_t look(void)
{
	int64_t leapt = clockwatch_look(&watch, now, boot, newest);

	newest = now;
	return leapt;
}

static void begin(void)
{
	now = newest = T0;
	boot = HOUR;
	clockwatch_begin(&watch, now);
	CU_ASSERT_EQUAL(look(), 0);
}

static int64_t run(int64_t us)
{
	now += us;
	boot += us;
	return look();
}

/* As through a file: another run knows nothing else. */
static int64_t restart_after(int64_t us)
{
	char text[CLOCKWATCH_TEXT_MAX];

	clockwatch_format(&watch, text);
	memset(&watch, 0xff, sizeof(watch));
	CU_ASSERT_TRUE_FATAL(clockwatch_parse(&watch, text));
	now += us;
	boot = HOUR;
	return look();
}

static void an_office_terminal_is_never_held_back(void)
{
	int64_t old = T0 - 400 * DAY;

	begin();
	for (int week = 0; week < 60; week++) {
		for (int day = 0; day < 5; day++) {
			CU_ASSERT_EQUAL(run(8 * HOUR), 0);
			CU_ASSERT_EQUAL(restart_after(16 * HOUR), 0);
		}
		CU_ASSERT_EQUAL(restart_after(week == 30 ? 9 * DAY : 2 * DAY), 0);
	}
	CU_ASSERT_TRUE(clockwatch_expired(&watch, now, old, 400 * DAY));
	CU_ASSERT_TRUE(clockwatch_expired(&watch, now, now - 11 * DAY, 10 * DAY));
	CU_ASSERT_FALSE(clockwatch_expired(&watch, now, now - 9 * DAY, 10 * DAY));
}

static void nothing_expires_before_a_week_was_run(void)
{
	begin();
	CU_ASSERT_FALSE(clockwatch_expired(&watch, now, T0 - 1000 * DAY, DAY));
	CU_ASSERT_EQUAL(run(7 * DAY - HOUR), 0);
	CU_ASSERT_FALSE(clockwatch_expired(&watch, now, T0 - 1000 * DAY, DAY));
	CU_ASSERT_EQUAL(run(HOUR), 0);
	CU_ASSERT_TRUE(clockwatch_expired(&watch, now, T0 - 1000 * DAY, DAY));
}

static void a_leap_is_found_running_and_across_a_restart_and_makes_nothing_older(void)
{
	for (int restart = 0; restart < 2; restart++) {
		int64_t leapt;

		begin();
		CU_ASSERT_EQUAL(run(30 * DAY), 0);
		if (restart) {
			leapt = restart_after(5000 * DAY);
		} else {
			now += 5000 * DAY;
			leapt = look();
		}
		CU_ASSERT_EQUAL(leapt, 5000 * DAY);
		CU_ASSERT_FALSE(clockwatch_expired(&watch, now, T0, 400 * DAY));
		CU_ASSERT_EQUAL(run(8 * DAY), 0);
		/* 38 days old, whatever the clock says. */
		CU_ASSERT_FALSE(clockwatch_expired(&watch, now, T0, 400 * DAY));
		CU_ASSERT_TRUE(clockwatch_expired(&watch, now, T0, 30 * DAY));
		/* Set right again: it is as it was. */
		now -= 5000 * DAY;
		clockwatch_reversed(&watch, now, 5000 * DAY);
		CU_ASSERT_EQUAL(look(), 0);
		CU_ASSERT_EQUAL(run(8 * DAY), 0);
		CU_ASSERT_TRUE(clockwatch_expired(&watch, now, T0, 40 * DAY));
		CU_ASSERT_FALSE(clockwatch_expired(&watch, now, T0, 50 * DAY));
	}
}

static void small_steps_ahead_add_up(void)
{
	int64_t leapt = 0;

	begin();
	for (int i = 0; i < 500; i++)
		leapt += restart_after(13 * DAY);
	CU_ASSERT_TRUE(leapt > 6400 * DAY);
	CU_ASSERT_FALSE(clockwatch_expired(&watch, now, T0, 400 * DAY));
	begin();
	leapt = 0;
	for (int i = 0; i < 5000; i++) {
		now += DAY;
		leapt += look();
	}
	CU_ASSERT_TRUE(leapt > 4900 * DAY);
}

static void only_its_own_lines_are_read(void)
{
	static const char *const bad[] = { "", "\n", "1 2 3\n", "1 2 3 4", "1 2 3 -4\n", "1 2 3 4 5\n", "1 2 3 4\n\n",
					   "9999999999999999999 2 3 4\n", "a 2 3 4\n" };
	char text[CLOCKWATCH_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT(!clockwatch_parse(&watch, bad[i]), bad[i]);
	CU_ASSERT_TRUE(clockwatch_parse(&watch, "1 2 3 4\n"));
	clockwatch_format(&watch, text);
	CU_ASSERT_STRING_EQUAL(text, "1 2 3 4\n");
	/* Clocks out of their mind overflow nothing. */
	for (int i = 0; i < 4; i++) {
		clockwatch_look(&watch, INT64_MAX, INT64_MAX, INT64_MIN);
		clockwatch_look(&watch, INT64_MIN, 0, INT64_MAX);
		clockwatch_expired(&watch, INT64_MIN, INT64_MAX, 1);
		clockwatch_reversed(&watch, INT64_MIN, INT64_MAX);
	}
}

static const struct test tests[] = {
	TEST(an_office_terminal_is_never_held_back),
	TEST(nothing_expires_before_a_week_was_run),
	TEST(a_leap_is_found_running_and_across_a_restart_and_makes_nothing_older),
	TEST(small_steps_ahead_add_up),
	TEST(only_its_own_lines_are_read),
};

int main(void)
{
	return testing_run("clock watch", tests, ARRAY_SIZE(tests));
}
