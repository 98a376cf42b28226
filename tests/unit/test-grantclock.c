// SPDX-License-Identifier: GPL-2.0-or-later
/* The clock of grants: whatever becomes of the wall clock, nothing lasts longer than it was granted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/civil.h"
#include "core/grantclock.h"
#include "core/macro.h"
#include "testing.h"

#define US INT64_C(1000000)
#define NOON INT64_C(1780282800) /* 2026-06-01T12:00:00 in Japan */

/* A terminal: what its clocks show, what is on its disk, and what truly passes. */
struct terminal {
	struct grantclock clock;
	struct grantclock_mark disk;
	bool kept;
	int64_t truth;	 /* seconds since the epoch */
	int64_t wall;	 /* its wall clock */
	uint64_t uptime; /* seconds of CLOCK_BOOTTIME */
	uint8_t boot;
	bool runs;
	unsigned int told;
};

static struct grantclock_reading reading(const struct terminal *terminal)
{
	struct grantclock_reading reading = { .wall_us = terminal->wall * US,
					      .boot_us = terminal->uptime * (uint64_t)US };

	memset(reading.boot_id, terminal->boot, sizeof(reading.boot_id));
	return reading;
}

static void keep(struct terminal *terminal)
{
	terminal->disk = terminal->clock.mark;
	terminal->kept = true;
	grantclock_kept(&terminal->clock);
}

static void tick(struct terminal *terminal)
{
	struct grantclock_reading now = reading(terminal);

	terminal->told |= grantclock_read(&terminal->clock, &now);
	if (grantclock_mark_due(&terminal->clock))
		keep(terminal);
}

static void start(struct terminal *terminal)
{
	struct grantclock_reading now = reading(terminal);

	terminal->told |= grantclock_start(&terminal->clock, terminal->kept ? &terminal->disk : NULL, &now);
	terminal->runs = true;
	keep(terminal);
}

/* Time passes; the daemon, if it runs, looks every ten seconds. */
static void pass(struct terminal *terminal, int64_t seconds, bool on)
{
	for (int64_t left = seconds; left > 0; left -= 10) {
		int64_t step = left < 10 ? left : 10;

		terminal->truth += step;
		terminal->wall += step;
		if (on)
			terminal->uptime += (uint64_t)step;
		if (on && terminal->runs)
			tick(terminal);
	}
}

static void power_off(struct terminal *terminal, int64_t seconds)
{
	terminal->runs = false;
	pass(terminal, seconds, false);
	terminal->uptime = 5;
	terminal->boot++;
}

/*
 * One word of a story: on:S (runs), sleep:S, killed:S (the daemon is dead), off:S (then it boots), wall:±S (somebody sets the clock),
 * rtc:±S (while it is off: what the clock shows after off:), start.
 */
static void play(struct terminal *terminal, const char *word)
{
	const char *colon = strchr(word, ':');
	int64_t n = colon ? strtoll(colon + 1, NULL, 10) : 0;

	if (!strncmp(word, "on:", 3)) {
		pass(terminal, n, true);
	} else if (!strncmp(word, "sleep:", 6)) {
		/* Nothing looks until it wakes. */
		terminal->truth += n;
		terminal->wall += n;
		terminal->uptime += (uint64_t)n;
		tick(terminal);
	} else if (!strncmp(word, "killed:", 7)) {
		terminal->runs = false;
		pass(terminal, n, true);
		start(terminal);
	} else if (!strncmp(word, "off:", 4)) {
		power_off(terminal, n);
	} else if (!strncmp(word, "wall:", 5)) {
		terminal->wall += n;
		if (terminal->runs)
			tick(terminal);
	} else if (!strcmp(word, "start")) {
		start(terminal);
	} else {
		printf("no word %s\n", word);
		abort();
	}
}

static void begin(struct terminal *terminal)
{
	*terminal = (struct terminal){ .truth = NOON, .wall = NOON, .uptime = 100, .boot = 1 };
	start(terminal);
}

/* A grant of one hour, granted after `before`; at the end of the story, is it over? */
struct row {
	const char *name;
	const char *story;
	bool over;
	unsigned int told; /* bits that must have been told since the grant */
};

static bool is_over(const struct terminal *terminal, int64_t granted, int64_t end)
{
	int64_t now = grantclock_now(&terminal->clock);

	return grantclock_phase(granted, end, now) == GRANTCLOCK_OVER ||
	       granted < terminal->clock.mark.void_before;
}

static void run(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct terminal terminal;
		char words[256], *save, *word;
		int64_t granted, end, truly;

		begin(&terminal);
		pass(&terminal, 600, true);
		granted = grantclock_now(&terminal.clock);
		truly = terminal.truth;
		end = granted + 3600;
		terminal.told = 0;
		snprintf(words, sizeof(words), "%s", rows[i].story);
		for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
			play(&terminal, word);
		EXPECT(is_over(&terminal, granted, end) == rows[i].over, rows[i].name);
		EXPECT((terminal.told & rows[i].told) == rows[i].told, rows[i].name);
		EXPECT(rows[i].told || !terminal.told, rows[i].name);
		/* Whatever the row expects: it must not be in force when an hour has truly passed. */
		if (terminal.truth >= truly + 3600)
			EXPECT(is_over(&terminal, granted, end), rows[i].name);
	}
}

#define RUN(rows) run(rows, ARRAY_SIZE(rows))

static void a_grant_never_lasts_longer_than_it_was_granted(void)
{
	static const struct row rows[] = {
		{ "a second before the end", "on:3599", false, 0 },
		{ "the end", "on:3600", true, 0 },
		{ "asleep past the end", "on:60 sleep:3540", true, 0 },
		{ "awake before the end", "on:60 sleep:3539", false, 0 },
		{ "the daemon dead over the end", "on:60 killed:3540", true, 0 },
		{ "the daemon dead for a while", "on:60 killed:3539", false, 0 },

		{ "set back an hour", "on:1800 wall:-3600 on:1799", false, GRANTCLOCK_BACK },
		{ "set back an hour, the end", "on:1800 wall:-3600 on:1800", true, GRANTCLOCK_BACK },
		{ "set back every minute", "on:900 wall:-900 on:900 wall:-900 on:900 wall:-900 on:900", true,
		  GRANTCLOCK_BACK },
		{ "set back while asleep", "on:60 wall:-3600 sleep:3540", true, GRANTCLOCK_BACK },
		{ "set back while the daemon is dead", "on:60 wall:-7200 killed:3540", true, GRANTCLOCK_BACK },
		{ "set back to 1970", "on:60 wall:-1780283460 on:3540", true, GRANTCLOCK_BACK },
		{ "set back a little is not told", "on:60 wall:-30 on:3540", true, 0 },

		{ "set forward beyond the end", "on:60 wall:3600", true, 0 },
		{ "set forward and right again", "on:60 wall:3600 on:10 wall:-3600", true, GRANTCLOCK_BACK },
		{ "set forward a little", "on:60 wall:600 on:2939", false, 0 },
		{ "set forward a little, the end", "on:60 wall:600 on:2940", true, 0 },

		{ "reboot", "on:60 off:120 start", false, GRANTCLOCK_REBOOTED },
		{ "reboot, used to the end", "on:60 off:120 start on:3420", true, GRANTCLOCK_REBOOTED },
		{ "off past the end", "on:60 off:3600 start", true, GRANTCLOCK_REBOOTED },
		{ "reboot with a clock that is slow", "on:60 off:30 wall:-50 start", false, GRANTCLOCK_REBOOTED },
		{ "reboot with a clock gone back", "on:60 off:120 wall:-600 start", true,
		  GRANTCLOCK_REBOOTED | GRANTCLOCK_VOIDED | GRANTCLOCK_BACK },
		{ "reboot with a clock of 1970", "on:60 off:120 wall:-1780283580 start", true,
		  GRANTCLOCK_REBOOTED | GRANTCLOCK_VOIDED },
		{ "and the daemon killed afterwards", "on:60 off:120 wall:-600 start killed:10", true,
		  GRANTCLOCK_VOIDED },
		{ "and rebooted again, the clock right", "on:60 off:60 wall:-600 start on:60 wall:600 off:60 start",
		  true, GRANTCLOCK_VOIDED },
		{ "off for days, a clock set to the last mark, put right by NTP",
		  "on:60 off:259200 wall:-259200 start on:10 wall:259200", true, GRANTCLOCK_REBOOTED },
	};

	RUN(rows);
}

/* Each power failure loses what passed since the last mark; each boot is charged for as much. */
static void pulling_the_plug_again_and_again_wins_nothing(void)
{
	struct terminal terminal;
	int64_t granted, end, used = 0;

	begin(&terminal);
	granted = grantclock_now(&terminal.clock);
	end = granted + 3600;
	for (int i = 0; i < 400 && !is_over(&terminal, granted, end); i++) {
		/* Used for just less than a mark's time, then the RTC is set to what the disk knows. */
		pass(&terminal, 25, true);
		used += 25;
		power_off(&terminal, 1);
		terminal.wall = terminal.disk.now_us / US;
		start(&terminal);
	}
	CU_ASSERT_TRUE(is_over(&terminal, granted, end));
	CU_ASSERT_TRUE(used <= 3600);
	CU_ASSERT_TRUE(used > 300);
}

/* A terminal that is restarted, quickly and often, has a healthy clock: nothing is lost, and nothing is void. */
static void quick_restarts_in_order_cost_no_time(void)
{
	struct terminal terminal;
	int64_t granted;

	begin(&terminal);
	granted = grantclock_now(&terminal.clock);
	for (int i = 0; i < 20; i++) {
		pass(&terminal, 30, true);
		tick(&terminal);
		grantclock_end(&terminal.clock);
		keep(&terminal);
		power_off(&terminal, 10);
		start(&terminal);
	}
	CU_ASSERT_FALSE(terminal.told & GRANTCLOCK_VOIDED);
	CU_ASSERT_EQUAL(grantclock_now(&terminal.clock), granted + 20 * 40);
	/* The end in order is known once: what comes after it may be lost again. */
	CU_ASSERT_FALSE(terminal.disk.ended);
}

static void what_is_granted_after_the_clock_went_back_is_good(void)
{
	struct terminal terminal;
	int64_t granted;

	begin(&terminal);
	power_off(&terminal, 60);
	terminal.wall -= 86400;
	start(&terminal);
	CU_ASSERT_TRUE(terminal.told & GRANTCLOCK_VOIDED);
	pass(&terminal, 10, true);
	granted = grantclock_now(&terminal.clock);
	CU_ASSERT_FALSE(is_over(&terminal, granted, granted + 60));
	/* NTP puts the clock right: no more than the truth has passed. */
	terminal.wall += 86400;
	tick(&terminal);
	CU_ASSERT_FALSE(is_over(&terminal, granted, granted + 60));
	pass(&terminal, 60, true);
	CU_ASSERT_TRUE(is_over(&terminal, granted, granted + 60));
}

/* A virtual machine that goes back to an earlier moment keeps its boot id. */
static void a_restored_snapshot_is_another_boot(void)
{
	struct terminal terminal;
	int64_t before;

	begin(&terminal);
	pass(&terminal, 600, true);
	before = grantclock_now(&terminal.clock);
	terminal.uptime -= 300;
	terminal.wall -= 300;
	terminal.told = 0;
	tick(&terminal);
	CU_ASSERT_EQUAL(terminal.told, GRANTCLOCK_REBOOTED | GRANTCLOCK_VOIDED | GRANTCLOCK_BACK);
	CU_ASSERT_TRUE(grantclock_now(&terminal.clock) > before);
	CU_ASSERT_TRUE(is_over(&terminal, before, before + 3600));
}

static void time_never_goes_back(void)
{
	struct terminal terminal;
	int64_t before, granted_seconds = 0;

	srandom(20260601);
	begin(&terminal);
	before = grantclock_now(&terminal.clock);
	for (int i = 0; i < 20000; i++) {
		int64_t n = random() % 200, now;

		switch (random() % 8) {
		case 0:
			terminal.wall += random() % 100000 - 50000;
			break;
		case 1:
			power_off(&terminal, n);
			terminal.wall += random() % 2 ? -n * 2 : 0;
			start(&terminal);
			break;
		case 2:
			terminal.runs = false;
			pass(&terminal, n, true);
			start(&terminal);
			granted_seconds = n;
			break;
		default:
			pass(&terminal, n, true);
			granted_seconds = n;
		}
		tick(&terminal);
		now = grantclock_now(&terminal.clock);
		EXPECT(now >= before + granted_seconds, "time has passed");
		before = now;
		granted_seconds = 0;
	}
}

static void a_clock_that_was_ahead_is_set_back_by_hand_only(void)
{
	struct terminal terminal;
	struct grantclock_reading now;

	begin(&terminal);
	terminal.wall += 366 * 86400;
	tick(&terminal);
	terminal.wall -= 366 * 86400;
	tick(&terminal);
	CU_ASSERT_EQUAL(grantclock_now(&terminal.clock), NOON + 366 * 86400);
	now = reading(&terminal);
	grantclock_reset(&terminal.clock, &now);
	CU_ASSERT_EQUAL(grantclock_now(&terminal.clock), NOON);
	CU_ASSERT_EQUAL(terminal.clock.mark.resets, 1);
	CU_ASSERT_EQUAL(terminal.clock.mark.void_before, 0);
	CU_ASSERT_TRUE(grantclock_mark_due(&terminal.clock));
}

static void the_mark_is_due_every_half_minute(void)
{
	struct terminal terminal;
	struct grantclock_reading now;

	begin(&terminal);
	CU_ASSERT_FALSE(grantclock_mark_due(&terminal.clock));
	terminal.uptime += 29;
	now = reading(&terminal);
	grantclock_read(&terminal.clock, &now);
	CU_ASSERT_FALSE(grantclock_mark_due(&terminal.clock));
	terminal.uptime += 1;
	now = reading(&terminal);
	grantclock_read(&terminal.clock, &now);
	CU_ASSERT_TRUE(grantclock_mark_due(&terminal.clock));
	grantclock_kept(&terminal.clock);
	CU_ASSERT_FALSE(grantclock_mark_due(&terminal.clock));
}

static void warnings_come_fifteen_and_five_minutes_before_the_end(void)
{
	static const struct {
		int64_t length, now;
		enum grantclock_phase phase;
		int64_t next; /* 0: never */
	} rows[] = {
		{ 3600, -1, GRANTCLOCK_BEFORE, 0 },
		{ 3600, 0, GRANTCLOCK_RUNS, 2700 },
		{ 3600, 2699, GRANTCLOCK_RUNS, 2700 },
		{ 3600, 2700, GRANTCLOCK_ENDS_SOON, 3300 },
		{ 3600, 3299, GRANTCLOCK_ENDS_SOON, 3300 },
		{ 3600, 3300, GRANTCLOCK_LAST_MINUTES, 3600 },
		{ 3600, 3599, GRANTCLOCK_LAST_MINUTES, 3600 },
		{ 3600, 3600, GRANTCLOCK_OVER, 0 },
		{ 901, 0, GRANTCLOCK_RUNS, 1 },
		{ 901, 1, GRANTCLOCK_ENDS_SOON, 601 },
		{ 900, 0, GRANTCLOCK_RUNS, 600 },
		{ 900, 600, GRANTCLOCK_LAST_MINUTES, 900 },
		{ 301, 0, GRANTCLOCK_RUNS, 1 },
		{ 300, 0, GRANTCLOCK_RUNS, 300 },
		{ 300, 299, GRANTCLOCK_RUNS, 300 },
		{ 300, 300, GRANTCLOCK_OVER, 0 },
		{ 0, 0, GRANTCLOCK_OVER, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t next = grantclock_next(NOON, NOON + rows[i].length, NOON + rows[i].now);
		char name[64];

		snprintf(name, sizeof(name), "%d of %d", (int)rows[i].now, (int)rows[i].length);
		EXPECT(grantclock_phase(NOON, NOON + rows[i].length, NOON + rows[i].now) == rows[i].phase, name);
		if (rows[i].phase == GRANTCLOCK_OVER)
			EXPECT(next == INT64_MAX, name);
		else
			EXPECT(next == NOON + rows[i].next, name);
	}
}

static void a_deadline_is_told_in_boot_time(void)
{
	struct terminal terminal;

	begin(&terminal);
	CU_ASSERT_EQUAL(grantclock_deadline(&terminal.clock, NOON + 60), 160 * (uint64_t)US);
	CU_ASSERT_EQUAL(grantclock_deadline(&terminal.clock, NOON), 100 * (uint64_t)US);
	CU_ASSERT_EQUAL(grantclock_deadline(&terminal.clock, NOON - 60), 100 * (uint64_t)US);
	CU_ASSERT_EQUAL(grantclock_deadline(&terminal.clock, INT64_MAX), UINT64_MAX);
}

static void the_fiscal_year_ends_with_march_local_time(void)
{
	static const struct {
		const char *when; /* UTC */
		int32_t offset;
		const char *end; /* UTC */
	} rows[] = {
		{ "2026-06-01T00:00:00", 32400, "2027-03-31T15:00:00" },
		{ "2027-03-31T14:59:59", 32400, "2027-03-31T15:00:00" },
		{ "2027-03-31T15:00:00", 32400, "2028-03-31T15:00:00" },
		{ "2027-01-01T00:00:00", 32400, "2027-03-31T15:00:00" },
		{ "2026-12-31T16:00:00", 32400, "2027-03-31T15:00:00" },
		{ "2027-03-31T23:59:59", 0, "2027-04-01T00:00:00" },
		{ "2027-04-01T00:00:00", 0, "2028-04-01T00:00:00" },
		{ "2027-04-01T03:00:00", -14400, "2027-04-01T04:00:00" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t when, end;

		CU_ASSERT_TRUE(civil_parse(rows[i].when, strlen(rows[i].when), false, &when));
		CU_ASSERT_TRUE(civil_parse(rows[i].end, strlen(rows[i].end), false, &end));
		EXPECT(grantclock_fiscal_end(when, rows[i].offset) == end, rows[i].when);
	}
}

int main(void)
{
	static const struct test tests[] = {
		TEST(a_grant_never_lasts_longer_than_it_was_granted),
		TEST(pulling_the_plug_again_and_again_wins_nothing),
		TEST(quick_restarts_in_order_cost_no_time),
		TEST(what_is_granted_after_the_clock_went_back_is_good),
		TEST(a_restored_snapshot_is_another_boot),
		TEST(time_never_goes_back),
		TEST(a_clock_that_was_ahead_is_set_back_by_hand_only),
		TEST(the_mark_is_due_every_half_minute),
		TEST(warnings_come_fifteen_and_five_minutes_before_the_end),
		TEST(a_deadline_is_told_in_boot_time),
		TEST(the_fiscal_year_ends_with_march_local_time),
	};

	return testing_run("grantclock", tests, ARRAY_SIZE(tests));
}
