// SPDX-License-Identifier: GPL-2.0-or-later
/* core/burst: what one user may have written one by one, and what is only counted. */
#include <string.h>

#include "core/burst.h"
#include "core/macro.h"
#include "testing.h"

#define START 1000000000ull

static struct burst burst;

static bool admit(uint32_t uid, unsigned int kind, uint64_t now)
{
	return burst_admit(burst_find(&burst, uid, now), kind, now);
}

static void spend(uint32_t uid, uint64_t now)
{
	for (unsigned int i = 0; i < BURST_RECORDS; i++)
		CU_ASSERT_TRUE(admit(uid, 0, now));
}

static void begin(void)
{
	memset(&burst, 0, sizeof(burst));
}

static void what_is_beyond_the_purse_is_counted_by_kind(void)
{
	struct burst_user *user;

	begin();
	spend(1001, START);
	CU_ASSERT_EQUAL(burst_due(&burst), UINT64_MAX);
	CU_ASSERT_FALSE(admit(1001, 1, START + 5));
	CU_ASSERT_FALSE(admit(1001, 1, START + 7));
	CU_ASSERT_FALSE(admit(1001, 2, START + 9));
	user = burst_find(&burst, 1001, START + 9);
	CU_ASSERT_TRUE(burst_is_counted(user));
	CU_ASSERT_EQUAL(user->counts[0], 0);
	CU_ASSERT_EQUAL(user->counts[1], 2);
	CU_ASSERT_EQUAL(user->counts[2], 1);
	CU_ASSERT_EQUAL(user->last_us - user->first_us, 4);
	CU_ASSERT_EQUAL(burst_due(&burst), START + 5 + BURST_SUMMARY_US);
	burst_clear(user);
	CU_ASSERT_FALSE(burst_is_counted(user));
	CU_ASSERT_EQUAL(burst_due(&burst), UINT64_MAX);
	CU_ASSERT_FALSE_FATAL(admit(1001, 1, START + 10));
	CU_ASSERT_EQUAL(user->counts[1], 1);
}

static void one_more_is_admitted_after_each_while_and_never_more_than_the_purse(void)
{
	uint64_t now = START;

	begin();
	spend(1001, now);
	for (unsigned int i = 0; i < 3; i++) {
		CU_ASSERT_FALSE(admit(1001, 0, now + BURST_REFILL_US - 1));
		now += BURST_REFILL_US;
		CU_ASSERT_TRUE(admit(1001, 0, now));
		CU_ASSERT_FALSE(admit(1001, 0, now));
	}
	/* A long rest fills it, and no further. */
	now += 1000 * BURST_REFILL_US;
	spend(1001, now);
	CU_ASSERT_FALSE(admit(1001, 0, now));
}

static void a_part_of_a_while_is_not_lost(void)
{
	begin();
	spend(1001, START);
	CU_ASSERT_TRUE(admit(1001, 0, START + BURST_REFILL_US + BURST_REFILL_US / 2));
	CU_ASSERT_TRUE(admit(1001, 0, START + 2 * BURST_REFILL_US));
	CU_ASSERT_FALSE(admit(1001, 0, START + 2 * BURST_REFILL_US));
}

static void one_user_s_flood_is_no_other_s(void)
{
	begin();
	spend(1001, START);
	CU_ASSERT_FALSE(admit(1001, 0, START));
	spend(1002, START);
}

static void who_was_not_seen_for_longest_makes_room_after_his_summary(void)
{
	struct burst_user *user;

	begin();
	for (uint32_t uid = 0; uid < BURST_USERS_MAX; uid++)
		CU_ASSERT_TRUE(admit(uid, 0, START + uid));
	CU_ASSERT_TRUE(admit(5000, 0, START + 100));
	/* 0 has gone; 1 is the next, and has something to tell. */
	while (admit(1, 2, START + 101))
		;
	for (uint32_t uid = 2; uid < BURST_USERS_MAX; uid++)
		admit(uid, 0, START + 200);
	admit(5000, 0, START + 200);
	user = burst_find(&burst, 7000, START + 300);
	CU_ASSERT_EQUAL_FATAL(user->uid, 1);
	CU_ASSERT_TRUE(burst_is_counted(user));
	CU_ASSERT_EQUAL(user->counts[2], 1);
	burst_clear(user);
	user = burst_find(&burst, 7000, START + 300);
	CU_ASSERT_EQUAL(user->uid, 7000);
	CU_ASSERT_FALSE(burst_is_counted(user));
	spend(7000, START + 300);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(what_is_beyond_the_purse_is_counted_by_kind),
		TEST(one_more_is_admitted_after_each_while_and_never_more_than_the_purse),
		TEST(a_part_of_a_while_is_not_lost),
		TEST(one_user_s_flood_is_no_other_s),
		TEST(who_was_not_seen_for_longest_makes_room_after_his_summary),
	};

	return testing_run("burst", tests, ARRAY_SIZE(tests));
}
