// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/exceptions: begins, warnings and ends, by whatever the clocks say; also of thousands at once. */
#include <sqlite3.h>
#include <time.h>

#include "exceptions-world.h"
#include "system/exceptionstore-inside.h"

static void it_begins_when_it_should_warns_twice_and_ends_at_its_deadline(void)
{
	world_begin();
	/* From 09:10 on, for two hours. */
	grant("begin=10m");
	EXPECT_STATE(1, "approved");
	CU_ASSERT_EQUAL(in_force(), 0);
	CU_ASSERT_EQUAL(use(1), EXCEPTION_E_APPROVED);
	advance(10 * MINUTE - 1);
	EXPECT_STATE(1, "approved");
	advance(1);
	EXPECT_STATE(1, "live");
	CU_ASSERT_EQUAL(in_force(), 1);
	EXPECT_RECORDS(" request approve approve refused begin");
	advance(2 * HOUR - 15 * MINUTE - 1);
	CU_ASSERT_EQUAL(world.warnings, 0);
	advance(1);
	CU_ASSERT_EQUAL(world.warnings, 1);
	CU_ASSERT_EQUAL(world.warned_seconds, 15 * MINUTE);
	advance(MINUTE);
	CU_ASSERT_EQUAL(world.warnings, 1);
	/* Another daemon knows what was warned of. */
	stop();
	start();
	pump();
	CU_ASSERT_EQUAL(world.warnings, 1);
	advance(9 * MINUTE);
	CU_ASSERT_EQUAL(world.warnings, 2);
	CU_ASSERT_EQUAL(world.warned_seconds, 5 * MINUTE);
	EXPECT_RECORDS(" warned warned");
	advance(5 * MINUTE - 1);
	CU_ASSERT_EQUAL(world.warnings, 2);
	CU_ASSERT_EQUAL(in_force(), 1);
	CU_ASSERT_EQUAL(exceptions_seconds_left(world.exceptions, exceptions_find_open(world.exceptions, 1)), 1);
	advance(1);
	CU_ASSERT_EQUAL(in_force(), 0);
	EXPECT_STATE(1, "expired");
	EXPECT_RECORDS(" expire");
	world_end();
}

static void the_clock_that_people_set_neither_lengthens_nor_revives_it(void)
{
	world_begin();
	grant("");
	CU_ASSERT_EQUAL(use(1), 0);
	forget_records();
	advance(HOUR);
	world.wall_us -= DAY * US;
	advance(0);
	CU_ASSERT_STRING_EQUAL(member("what"), "back");
	CU_ASSERT_STRING_EQUAL(member("seconds_behind"), "86400");
	advance(10);
	EXPECT_RECORDS(" clock");
	CU_ASSERT_EQUAL(in_force(), 1);
	/* Asleep past its end, with a clock that is a day behind. */
	advance(HOUR - 10);
	EXPECT_STATE(1, "expired");
	/* Put right, and then set a day ahead: it ends by that, and putting it right again brings nothing back. */
	world.wall_us += DAY * US;
	advance(0);
	grant("");
	CU_ASSERT_EQUAL(in_force(), 1);
	world.wall_us += DAY * US;
	advance(0);
	EXPECT_STATE(2, "expired");
	world.wall_us -= DAY * US;
	advance(0);
	CU_ASSERT_EQUAL(in_force(), 0);
	EXPECT_RECORDS(" expire request approve approve begin expire clock");
	world_end();
}

static void reboot(int64_t wall_us)
{
	stop();
	world.boot++;
	world.boot_us = 5 * US;
	world.wall_us = wall_us;
	start();
	pump();
}

static void a_reboot_costs_time_and_a_clock_that_is_reset_ends_everything(void)
{
	world_begin();
	grant("");
	advance(HOUR);
	reboot(world.wall_us + 10 * MINUTE * US);
	CU_ASSERT_EQUAL(in_force(), 1);
	CU_ASSERT_EQUAL(exceptions_seconds_left(world.exceptions, exceptions_find_open(world.exceptions, 1)), 50 * MINUTE);
	/* Nothing was wrong with that. */
	EXPECT_RECORDS(" request approve approve begin");
	/* Ended in order, nothing was lost that would be charged. */
	reboot(world.wall_us);
	CU_ASSERT_EQUAL(exceptions_seconds_left(world.exceptions, exceptions_find_open(world.exceptions, 1)), 50 * MINUTE);
	reboot(0);
	CU_ASSERT_EQUAL(in_force(), 0);
	EXPECT_STATE(1, "expired");
	EXPECT_RECORDS(" clock expire");
	/* What is granted now is in force, and the clock may come right. */
	grant("");
	CU_ASSERT_EQUAL(in_force(), 1);
	CU_ASSERT_TRUE(exceptions_now(world.exceptions) > STORY_BEGIN + 70 * MINUTE);
	/* Off past the end. */
	reboot((STORY_BEGIN + 4 * HOUR) * US);
	CU_ASSERT_EQUAL(in_force(), 0);
	EXPECT_STATE(2, "expired");
	world_end();
}

static int reset_clock(const char *nick, int64_t *by)
{
	struct exception_actor actor = story_actor(nick);

	return exceptions_reset_clock(world.exceptions, &actor, by);
}

#define AHEAD (INT64_C(200) * DAY)

/* The wall clock is wrong for a moment, and its time is lived by. */
static void run_ahead(void)
{
	struct exception x;

	world.wall_us += AHEAD * US;
	exceptions_clock_set(world.exceptions);
	for (int i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL_FATAL(submit("ito", EXCEPTION_REQUEST, "", &x), 0);
		CU_ASSERT_EQUAL(step(x.number, "ito", EXCEPTION_WITHDRAW), 0);
	}
	world.wall_us -= AHEAD * US;
	advance(0);
}

static void a_clock_that_was_once_ahead_is_set_back_by_hand(void)
{
	int64_t by = -1;

	world_begin();
	world.rules.daily = 4;
	CU_ASSERT_EQUAL(reset_clock("desk", &by), 0);
	CU_ASSERT_EQUAL(by, 0);
	EXPECT_RECORDS("");
	run_ahead();
	forget_records();
	CU_ASSERT_EQUAL(exceptions_clock_ahead(world.exceptions), AHEAD);
	CU_ASSERT_EQUAL(reset_clock("nobody", &by), EXCEPTION_E_UNKNOWN);
	CU_ASSERT_EQUAL(exceptions_clock_ahead(world.exceptions), AHEAD);
	CU_ASSERT_EQUAL(reset_clock("desk", &by), 0);
	CU_ASSERT_EQUAL(by, AHEAD);
	CU_ASSERT_EQUAL(exceptions_clock_ahead(world.exceptions), 0);
	EXPECT(!strcmp(member("what"), "reset") && !strcmp(member("by"), "desk") && !strcmp(member("by_uid"), "1007") &&
		       !strcmp(member("seconds_behind"), "17280000"), json_object_to_json_string(world.newest));
	EXPECT_RECORDS(" clock");
	/* Also after the next start. */
	stop();
	start();
	pump();
	CU_ASSERT_EQUAL(exceptions_now(world.exceptions), world.wall_us / US);
	/* What was asked for in the time that is given up is of no last 24 hours; and a restart ends nothing. */
	grant("");
	reboot(world.wall_us + 10 * MINUTE * US);
	CU_ASSERT_EQUAL(in_force(), 1);
	EXPECT_RECORDS(" request approve approve begin");
	world_end();
}

static void the_clock_is_not_set_back_while_anything_lives_by_it(void)
{
	struct exception x;
	int64_t by, now;

	world_begin();
	run_ahead();
	now = exceptions_now(world.exceptions);
	/* Waiting; approved, its begin to come; live; and a code by telephone that is awaited. */
	CU_ASSERT_EQUAL_FATAL(submit("ito", EXCEPTION_REQUEST, "", &x), 0);
	CU_ASSERT_EQUAL(reset_clock("desk", &by), EXCEPTIONSTORE_E_LIVE);
	CU_ASSERT_EQUAL(step(x.number, "ito", EXCEPTION_WITHDRAW), 0);
	x.number = grant("begin=201d period=1h");
	EXPECT_STATE(x.number, "approved");
	CU_ASSERT_EQUAL(reset_clock("desk", &by), EXCEPTIONSTORE_E_LIVE);
	CU_ASSERT_EQUAL(step(x.number, "ito", EXCEPTION_WITHDRAW), 0);
	x.number = grant("");
	CU_ASSERT_EQUAL(reset_clock("desk", &by), EXCEPTIONSTORE_E_LIVE);
	CU_ASSERT_EQUAL(in_force(), 1);
	CU_ASSERT_EQUAL(step(x.number, "sato", EXCEPTION_REVOKE), 0);
	CU_ASSERT_EQUAL(exceptions_watch_clock(world.exceptions, now + HOUR), 0);
	CU_ASSERT_EQUAL(reset_clock("desk", &by), EXCEPTIONSTORE_E_LIVE);
	CU_ASSERT_TRUE(exceptions_now(world.exceptions) >= now);
	advance(2 * HOUR);
	CU_ASSERT_EQUAL(reset_clock("desk", &by), 0);
	CU_ASSERT_EQUAL(exceptions_now(world.exceptions), world.wall_us / US);
	world_end();
}

static void an_extension_is_warned_of_anew_and_an_unanswered_request_lapses(void)
{
	struct exception_event event = { .kind = EXCEPTION_EXTEND, .until = STORY_BEGIN + 3 * HOUR };
	struct exception_actor ito = story_actor("ito"), sato = story_actor("sato"), kato = story_actor("kato");
	struct exception x;

	world_begin();
	grant("");
	CU_ASSERT_EQUAL(submit("ito", EXCEPTION_REQUEST, "", &x), 0);
	CU_ASSERT_EQUAL(exceptions_counts(world.exceptions).waiting, 1);
	CU_ASSERT_EQUAL(exceptions_counts(world.exceptions).live, 1);
	advance(110 * MINUTE);
	CU_ASSERT_EQUAL(world.warned_seconds, 10 * MINUTE);
	CU_ASSERT_EQUAL(exceptions_step(world.exceptions, 1, &event, &ito, &x), 0);
	event.kind = EXCEPTION_APPROVE;
	CU_ASSERT_EQUAL(exceptions_step(world.exceptions, 1, &event, &sato, &x), 0);
	CU_ASSERT_EQUAL(exceptions_step(world.exceptions, 1, &event, &kato, &x), 0);
	CU_ASSERT_EQUAL(x.grant.not_after, STORY_BEGIN + 3 * HOUR);
	advance(10 * MINUTE);
	CU_ASSERT_EQUAL(world.warnings, 1);
	CU_ASSERT_EQUAL(in_force(), 1);
	advance(45 * MINUTE);
	CU_ASSERT_EQUAL(world.warnings, 2);
	CU_ASSERT_EQUAL(world.warned_seconds, 15 * MINUTE);
	advance(DAY - 165 * MINUTE - 1);
	EXPECT_STATE(2, "requested");
	EXPECT_STATE(1, "expired");
	advance(1);
	EXPECT_STATE(2, "lapsed");
	CU_ASSERT_PTR_NULL(exceptions_find_open(world.exceptions, 2));
	/* It was never used, so it owes nothing, and is closed a day later with whatever comes next. */
	advance(DAY - 2);
	EXPECT_STATE(1, "expired");
	advance(1);
	EXPECT_STATE(1, "closed");
	world_end();
}

/* --- the real clocks, and many ------------------------------------------------------------------- */

static double seconds(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void the_loop_wakes_at_the_end_and_at_nothing_else(void)
{
	struct exception x;
	double late;

	world_begin();
	stop();
	world.real_clocks = true;
	start();
	pump();
	CU_ASSERT_EQUAL(submit("ito", EXCEPTION_REQUEST, "", NULL), 0);
	/* Somebody waits for an answer; nothing is to be done until it lapses. */
	CU_ASSERT_EQUAL(sd_event_run(world.event, 300000), 0);
	CU_ASSERT_EQUAL(submit("boss", EXCEPTION_EMERGENCY, "period=1", &x), 0);
	/* Once for the end, once to tell of it. Nobody asks what is in force meanwhile: on a busy machine that may be after the end. */
	CU_ASSERT_TRUE(sd_event_run(world.event, TESTING_PATIENCE_S * 1000000ULL) > 0);
	late = seconds(CLOCK_REALTIME) - (double)x.grant.not_after;
	/* No later than a busy machine lets it be. */
	EXPECT(late >= 0 && late < 20, "late");
	EXPECT_STATE(2, "expired");
	pump();
	CU_ASSERT_EQUAL(in_force(), 0);
	CU_ASSERT_EQUAL(sd_event_run(world.event, 300000), 0);
	world_end();
}

/* --- many of them, without waiting for each: rows like the first one, with digests of their own --- */

static void id_of(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	uint8_t id[16] = { 0xee };
	int number = sqlite3_value_int(argv[0]);

	memcpy(id + 4, &number, sizeof(number));
	sqlite3_result_blob(context, id, sizeof(id), SQLITE_TRANSIENT);
}

/* sum_of(number, step): of the exception, or of its first step. */
static void sum_of(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct exceptionstore_row row = *(const struct exceptionstore_row *)sqlite3_user_data(context);
	uint8_t nothing[EXCEPTIONSTORE_SUM_SIZE] = { 0 }, sum[EXCEPTIONSTORE_SUM_SIZE], next[EXCEPTIONSTORE_SUM_SIZE];
	int number = sqlite3_value_int(argv[0]);

	row.x.number = (uint32_t)number;
	memset(row.x.grant.id, 0, sizeof(row.x.grant.id));
	row.x.grant.id[0] = 0xee;
	memcpy(row.x.grant.id + 4, &number, sizeof(number));
	exceptionstore_sum(&exceptionstore_exceptions, &row, nothing, sum);
	exceptionstore_sum(&exceptionstore_steps, &row, sum, next);
	sqlite3_result_blob(context, sqlite3_value_int(argv[1]) ? next : sum, sizeof(sum), SQLITE_TRANSIENT);
}

/* "INSERT … SELECT n, …": `first` stands in the place of the first columns, of which there are so many. */
static int multiply(struct exceptionstore *store, const struct table *table, const char *first, size_t n_first,
		    unsigned int n, int step)
{
	char *sql = sqlite3_mprintf("WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM c WHERE n < %u)"
				    " INSERT INTO %s SELECT %s",
				    n, table->name, first);
	int r;

	for (size_t i = n_first; i < table->n; i++)
		sql = sqlite3_mprintf("%z, t.%s", sql, table->columns[i].name);
	sql = sqlite3_mprintf("%z, sum_of(c.n, %d) FROM c, %s t WHERE t.%s = 1 ORDER BY c.n", sql, step, table->name,
			      table->columns[0].name);
	r = exceptionstore_run(store, sql);
	sqlite3_free(sql);
	return r;
}

static void fill(unsigned int n)
{
	struct exceptionstore *store = NULL;
	struct exception_actor ito = story_actor("ito");
	struct exceptionstore_row row = { .wish_seconds = 0 };
	struct exceptionstore_act act = { .actor = &ito };
	struct story story;

	story_begin(&story, "");
	act.event = &story.event;
	act.world = &story.world;
	CU_ASSERT_EQUAL_FATAL(exceptionstore_open(world.path, &store), 0);
	CU_ASSERT_EQUAL_FATAL(exceptionstore_submit(store, &story.x, &act, &row.deed), 0);
	CU_ASSERT_EQUAL(exceptionstore_told(store, 1, 1), 0);
	row.x = story.x;
	sqlite3_create_function(store->db, "id_of", 1, SQLITE_UTF8, NULL, id_of, NULL, NULL);
	sqlite3_create_function(store->db, "sum_of", 2, SQLITE_UTF8, &row, sum_of, NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(multiply(store, &exceptionstore_exceptions, "c.n, id_of(c.n)", 2, n, 0), 0);
	CU_ASSERT_EQUAL_FATAL(multiply(store, &exceptionstore_steps, "c.n", 1, n, 1), 0);
	exceptionstore_close(store);
}

static void thousands_are_opened_quickly_and_lapse_without_being_in_the_way(void)
{
	enum { N = 10000 };
	double begin;
	size_t n;

	world_begin();
	stop();
	fill(N);
	world.rules.waiting = world.rules.daily = 2 * N;
	begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
	start();
	pump();
	begin = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
	printf(" (%d: opened in %.0f ms)", N, begin * 1e3);
	CU_ASSERT_TRUE(begin < 3);
	CU_ASSERT_EQUAL(exceptions_counts(world.exceptions).waiting, N);
	grant("");
	CU_ASSERT_EQUAL(in_force(), 1);
	forget_records();
	/* All of them are overdue, and so is the end of the one that is in force: that comes first. */
	world.wall_us += DAY * US;
	world.boot_us += DAY * US;
	exceptions_clock_set(world.exceptions);
	CU_ASSERT_EQUAL(strncmp(world.kinds, " expire lapse ", 14), 0);
	exceptions_open(world.exceptions, &n);
	CU_ASSERT_TRUE(n > N - 100);
	for (int i = 0; i < 50; i++)
		CU_ASSERT_TRUE(sd_event_run(world.event, 0) > 0);
	CU_ASSERT_TRUE(exceptions_counts(world.exceptions).waiting < N - 300);
	CU_ASSERT_EQUAL(in_force(), 0);
	world_end();
}

static const struct test tests[] = {
	TEST(it_begins_when_it_should_warns_twice_and_ends_at_its_deadline),
	TEST(the_clock_that_people_set_neither_lengthens_nor_revives_it),
	TEST(a_reboot_costs_time_and_a_clock_that_is_reset_ends_everything),
	TEST(a_clock_that_was_once_ahead_is_set_back_by_hand),
	TEST(the_clock_is_not_set_back_while_anything_lives_by_it),
	TEST(an_extension_is_warned_of_anew_and_an_unanswered_request_lapses),
	TEST(the_loop_wakes_at_the_end_and_at_nothing_else),
	TEST(thousands_are_opened_quickly_and_lapse_without_being_in_the_way),
};

int main(void)
{
	return testing_run("exceptions-time", tests, ARRAY_SIZE(tests));
}
