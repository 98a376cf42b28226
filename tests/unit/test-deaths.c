// SPDX-License-Identifier: GPL-2.0-or-later
/* core/deaths: a daemon that dies again and again waits, and leaves alone what it was judging. */
#include <stdio.h>
#include <string.h>

#include "core/deaths.h"
#include "core/macro.h"
#include "testing.h"

#define SECOND UINT64_C(1000000)

static const struct deaths_device stick = {.name = "2-1.3", .busnum = 2, .devnum = 7};
static const struct deaths_device other = {.name = "2-2", .busnum = 2, .devnum = 8};

/* As the next life finds it: by the text alone. */
static void die_and_begin(struct deaths *deaths, uint64_t now_us)
{
	char text[DEATHS_TEXT_MAX];

	CU_ASSERT_EQUAL(deaths_format(deaths, text), strlen(text));
	CU_ASSERT_TRUE(deaths_parse(deaths, text));
	deaths_begin(deaths, now_us);
}

static void each_death_makes_the_next_life_wait_longer(void)
{
	static const unsigned int expected[] = {0, 1, 2, 4, 8, 16, 32, 60, 60};
	struct deaths deaths = {.running = false};
	uint64_t now = SECOND;

	deaths_begin(&deaths, now);
	CU_ASSERT_EQUAL(deaths_wait_s(&deaths), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		now += expected[i] * SECOND;
		die_and_begin(&deaths, now);
		CU_ASSERT_EQUAL(deaths_wait_s(&deaths), expected[i]);
		CU_ASSERT_EQUAL(deaths_is_loop(&deaths), i >= 2);
	}
	die_and_begin(&deaths, now + DEATHS_QUIET_US);
	CU_ASSERT_EQUAL(deaths.count, 1);
	CU_ASSERT_EQUAL(deaths_wait_s(&deaths), 0);
}

static void an_orderly_end_begins_anew(void)
{
	struct deaths deaths = {.running = false};

	for (unsigned int i = 0; i < 5; i++) {
		deaths_begin(&deaths, i);
		deaths_set_judging(&deaths, &stick, 1);
	}
	CU_ASSERT_TRUE(deaths_holds(&deaths, &stick));
	deaths_end(&deaths);
	die_and_begin(&deaths, 6);
	CU_ASSERT_EQUAL(deaths.count, 0);
	CU_ASSERT_FALSE(deaths_holds(&deaths, &stick));
}

static void what_was_judged_at_the_third_death_is_held_by_its_plug(void)
{
	struct deaths deaths = {.running = false};
	struct deaths_device replugged = stick;

	replugged.devnum++;
	deaths_begin(&deaths, 0);
	for (unsigned int life = 1; life <= 3; life++) {
		CU_ASSERT_TRUE(deaths_set_judging(&deaths, &stick, 1));
		CU_ASSERT_FALSE(deaths_set_judging(&deaths, &stick, 1));
		CU_ASSERT_FALSE(deaths_holds(&deaths, &stick));
		die_and_begin(&deaths, life * SECOND);
	}
	CU_ASSERT_TRUE(deaths_holds(&deaths, &stick));
	CU_ASSERT_FALSE(deaths_holds(&deaths, &replugged));
	CU_ASSERT_FALSE(deaths_holds(&deaths, &other));
	deaths_forget(&deaths);
	CU_ASSERT_EQUAL(deaths_wait_s(&deaths), 0);
	die_and_begin(&deaths, 5 * SECOND);
	CU_ASSERT_TRUE(deaths_holds(&deaths, &stick));
}

static void what_was_settled_before_the_death_is_not_held(void)
{
	struct deaths deaths = {.running = false};

	for (unsigned int i = 0; i < 6; i++) {
		deaths_begin(&deaths, i);
		deaths_set_judging(&deaths, &stick, 1);
		deaths_set_judging(&deaths, NULL, 0);
	}
	CU_ASSERT_TRUE(deaths_is_loop(&deaths));
	CU_ASSERT_EQUAL(deaths.n_held, 0);
}

static void fail_and_begin(struct deaths *deaths, uint64_t now_us)
{
	deaths_fail(deaths);
	die_and_begin(deaths, now_us);
}

static void a_failure_is_no_death_and_suspects_nobody(void)
{
	static const unsigned int expected[] = {0, 1, 2, 4, 8, 8, 8};
	struct deaths deaths = {.running = false};

	deaths_begin(&deaths, SECOND);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		deaths_set_judging(&deaths, &stick, 1);
		fail_and_begin(&deaths, SECOND);
		CU_ASSERT_EQUAL(deaths_wait_s(&deaths), expected[i]);
		CU_ASSERT_EQUAL(deaths.count, 0);
		CU_ASSERT_FALSE(deaths_is_loop(&deaths));
		CU_ASSERT_EQUAL(deaths.n_held, 0);
	}
	/* One that fails after it has run long begins a row; an orderly end or a long life ends it. */
	deaths_fail(&deaths);
	die_and_begin(&deaths, SECOND + DEATHS_QUIET_US);
	CU_ASSERT_EQUAL(deaths_wait_s(&deaths), 0);
	fail_and_begin(&deaths, SECOND + DEATHS_QUIET_US);
	CU_ASSERT_EQUAL(deaths_wait_s(&deaths), 1);
	deaths_forget(&deaths);
	CU_ASSERT_EQUAL(deaths_wait_s(&deaths), 0);
}

static void failures_between_deaths_forgive_none_of_them(void)
{
	struct deaths deaths = {.running = false};

	deaths_begin(&deaths, 0);
	for (unsigned int i = 0; i < 3; i++) {
		deaths_set_judging(&deaths, &stick, 1);
		die_and_begin(&deaths, SECOND);
		fail_and_begin(&deaths, SECOND);
	}
	CU_ASSERT_TRUE(deaths_is_loop(&deaths));
	CU_ASSERT_TRUE(deaths_holds(&deaths, &stick));
}

static void more_than_there_is_room_for_give_way_oldest_first(void)
{
	struct deaths_device many[DEATHS_DEVICES_MAX + 1];
	struct deaths deaths = {.running = true, .count = DEATHS_LOOP};
	char text[DEATHS_TEXT_MAX];

	for (unsigned int i = 0; i <= DEATHS_DEVICES_MAX; i++) {
		many[i] = (struct deaths_device){.busnum = 65535, .devnum = 60000 + i};
		memset(many[i].name, '9', sizeof(many[i].name) - 1);
	}
	deaths_set_judging(&deaths, many, ARRAY_SIZE(many));
	die_and_begin(&deaths, 1);
	CU_ASSERT_EQUAL(deaths.n_held, DEATHS_DEVICES_MAX);
	deaths_set_judging(&deaths, many + DEATHS_DEVICES_MAX, 1);
	die_and_begin(&deaths, 2);
	CU_ASSERT_FALSE(deaths_holds(&deaths, &many[0]));
	CU_ASSERT_TRUE(deaths_holds(&deaths, &many[1]));
	CU_ASSERT_TRUE(deaths_holds(&deaths, &many[DEATHS_DEVICES_MAX]));
	/* The fullest text there is. */
	deaths_set_judging(&deaths, many, DEATHS_DEVICES_MAX);
	deaths_format(&deaths, text);
	CU_ASSERT_TRUE(deaths_parse(&deaths, text));
}

static void nonsense_is_a_first_life(void)
{
	static const char *const texts[] = {
		"", "\n", "sekimori-deaths 1", "sekimori-deaths 2\n", "sekimori-deaths 1\nrunning 2\n",
		"sekimori-deaths 1\nrunning\n", "sekimori-deaths 1\ndeaths -1\n", "sekimori-deaths 1\ndeaths 100001\n", "sekimori-deaths 1\nfailures 1 1\n",
		"sekimori-deaths 1\nbegun 99999999999999999999\n", "sekimori-deaths 1\nheld 2-1 2\n",
		"sekimori-deaths 1\nheld  2 7\n", "sekimori-deaths 1\nheld 2-1 2 65536\n", "sekimori-deaths 1\nheld 2-1 2 7 8\n",
		"sekimori-deaths 1\nheld 1-1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1 2 7\n",
		"sekimori-deaths 1\nloved 2-1 2 7\n",
	};
	char many[DEATHS_TEXT_MAX] = "sekimori-deaths 1\n";
	struct deaths deaths;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		deaths.count = 9;
		CU_ASSERT_FALSE(deaths_parse(&deaths, texts[i]));
		CU_ASSERT_EQUAL(deaths.count, 0);
	}
	for (unsigned int i = 0; i <= DEATHS_DEVICES_MAX; i++)
		strcat(many, "judging 2-1 2 7\n");
	CU_ASSERT_FALSE(deaths_parse(&deaths, many));
}

int main(void)
{
	static const struct test tests[] = {
		TEST(each_death_makes_the_next_life_wait_longer),
		TEST(an_orderly_end_begins_anew),
		TEST(what_was_judged_at_the_third_death_is_held_by_its_plug),
		TEST(what_was_settled_before_the_death_is_not_held),
		TEST(a_failure_is_no_death_and_suspects_nobody),
		TEST(failures_between_deaths_forgive_none_of_them),
		TEST(more_than_there_is_room_for_give_way_oldest_first),
		TEST(nonsense_is_a_first_life),
	};

	return testing_run("deaths", tests, ARRAY_SIZE(tests));
}
