// SPDX-License-Identifier: GPL-2.0-or-later
/* core/purse: what one user, and all together, may have written one by one, and what is only counted. */
#include <string.h>

#include "core/macro.h"
#include "core/purse.h"
#include "testing.h"

#define START 1000000000ull

static struct purses purses;

static bool admit(uint32_t uid, unsigned int kind, uint64_t now)
{
	return purses_admit(&purses, purses_find(&purses, uid, now), kind, now);
}

static void spend(uint32_t uid, uint64_t now)
{
	for (unsigned int i = 0; i < PURSES_USER_COINS; i++)
		CU_ASSERT_TRUE(admit(uid, 0, now));
}

static void begin(void)
{
	memset(&purses, 0, sizeof(purses));
}

static void what_is_beyond_the_purse_is_counted_by_kind(void)
{
	struct purses_user *user;

	begin();
	spend(1001, START);
	CU_ASSERT_EQUAL(purses_due(&purses), UINT64_MAX);
	CU_ASSERT_FALSE(admit(1001, 1, START + 5));
	CU_ASSERT_FALSE(admit(1001, 1, START + 7));
	CU_ASSERT_FALSE(admit(1001, 2, START + 9));
	user = purses_find(&purses, 1001, START + 9);
	CU_ASSERT_TRUE(purses_counted(user));
	CU_ASSERT_EQUAL(user->counts[0], 0);
	CU_ASSERT_EQUAL(user->counts[1], 2);
	CU_ASSERT_EQUAL(user->counts[2], 1);
	CU_ASSERT_EQUAL(user->last_us - user->first_us, 4);
	CU_ASSERT_EQUAL(purses_due(&purses), START + 5 + PURSES_SUMMARY_US);
	purses_clear(user);
	CU_ASSERT_FALSE(purses_counted(user));
	CU_ASSERT_EQUAL(purses_due(&purses), UINT64_MAX);
	CU_ASSERT_FALSE_FATAL(admit(1001, 1, START + 10));
	CU_ASSERT_EQUAL(user->counts[1], 1);
}

static void one_more_is_admitted_after_each_while_and_never_more_than_the_purse(void)
{
	uint64_t now = START;

	begin();
	spend(1001, now);
	for (unsigned int i = 0; i < 3; i++) {
		CU_ASSERT_FALSE(admit(1001, 0, now + PURSES_USER_REFILL_US - 1));
		now += PURSES_USER_REFILL_US;
		CU_ASSERT_TRUE(admit(1001, 0, now));
		CU_ASSERT_FALSE(admit(1001, 0, now));
	}
	/* A long rest fills it, and no further. */
	now += 1000 * PURSES_USER_REFILL_US;
	spend(1001, now);
	CU_ASSERT_FALSE(admit(1001, 0, now));
}

static void a_part_of_a_while_is_not_lost(void)
{
	begin();
	spend(1001, START);
	CU_ASSERT_TRUE(admit(1001, 0, START + PURSES_USER_REFILL_US + PURSES_USER_REFILL_US / 2));
	CU_ASSERT_TRUE(admit(1001, 0, START + 2 * PURSES_USER_REFILL_US));
	CU_ASSERT_FALSE(admit(1001, 0, START + 2 * PURSES_USER_REFILL_US));
}

static void one_user_s_flood_is_no_other_s(void)
{
	begin();
	spend(1001, START);
	for (unsigned int i = 0; i < 1000; i++)
		CU_ASSERT_FALSE(admit(1001, 0, START));
	spend(1002, START);
}

static void many_users_write_no_more_than_all_may(void)
{
	unsigned int written = 0, counted = 0;

	begin();
	for (uint32_t uid = 100000; uid < 101000; uid++)
		for (unsigned int i = 0; i < PURSES_USER_COINS; i++)
			written += admit(uid, 1, START);
	CU_ASSERT_EQUAL(written, PURSES_ALL_COINS);
	for (size_t i = 0; i < ARRAY_SIZE(purses.users); i++)
		counted += (unsigned int)purses.users[i].counts[1];
	CU_ASSERT_EQUAL(written + counted, 1000 * PURSES_USER_COINS);
	/* For a whole day, and each of them new. */
	for (uint32_t second = 1; second <= 86400; second++) {
		for (size_t i = 0; i < ARRAY_SIZE(purses.users); i++)
			purses_clear(&purses.users[i]);
		for (uint32_t n = 0; n < 20; n++)
			written += admit(200000 + 20 * second + n, 1, START + second * 1000000ull);
	}
	CU_ASSERT_EQUAL(written, PURSES_ALL_COINS + 86400 * 1000000ull / PURSES_ALL_REFILL_US);
}

/* His own purse stays as it is: who was not written for want of the common one has not spent it. */
static void the_common_purse_takes_nothing_from_one_s_own(void)
{
	begin();
	for (uint32_t uid = 1; uid <= PURSES_ALL_COINS / PURSES_USER_COINS; uid++)
		spend(uid, START);
	CU_ASSERT_FALSE(admit(1001, 0, START));
	CU_ASSERT_EQUAL(purses_find(&purses, 1001, START)->purse.coins, PURSES_USER_COINS);
	CU_ASSERT_TRUE(admit(1001, 0, START + PURSES_ALL_REFILL_US));
}

static void nobody_gains_a_full_purse_by_being_forgotten(void)
{
	uint64_t now = START;

	begin();
	spend(1001, now);
	CU_ASSERT_FALSE(admit(1001, 0, now));
	purses_clear(purses_find(&purses, 1001, now));
	/* So many others come that there is no place for all of them. */
	for (uint32_t uid = 2000; uid < 2000 + 2 * PURSES_MAX; uid++)
		admit(uid, 0, now + 1);
	CU_ASSERT_FALSE(admit(1001, 0, now + 2));
	purses_clear(purses_find(&purses, 1001, now + 2));
	/* It is full again: the place is free for another, and he finds a full one. */
	now += PURSES_USER_COINS * PURSES_USER_REFILL_US;
	CU_ASSERT_EQUAL(purses_find(&purses, 3000, now)->uid, 3000);
}

static void who_finds_no_place_shares_one_with_the_unknown(void)
{
	struct purses_user *others;

	begin();
	for (uint32_t uid = 1; uid <= PURSES_MAX; uid++)
		CU_ASSERT_TRUE(admit(uid, 0, START));
	others = purses_find(&purses, 5000, START + 1);
	CU_ASSERT_EQUAL(others->uid, PURSES_OTHERS);
	CU_ASSERT_PTR_EQUAL(others, purses_find(&purses, 6000, START + 1));
	CU_ASSERT_PTR_EQUAL(others, purses_find(&purses, PURSES_OTHERS, START + 1));
	for (uint32_t uid = 5000; uid < 5000 + PURSES_USER_COINS; uid++)
		CU_ASSERT_TRUE(admit(uid, 0, START + 2));
	CU_ASSERT_FALSE(admit(6000, 2, START + 3));
	CU_ASSERT_EQUAL(others->counts[2], 1);
	/* Who has a place keeps it, whatever they do. */
	CU_ASSERT_TRUE(admit(1, 0, START + 4));
}

int main(void)
{
	static const struct test tests[] = {
		TEST(what_is_beyond_the_purse_is_counted_by_kind),
		TEST(one_more_is_admitted_after_each_while_and_never_more_than_the_purse),
		TEST(a_part_of_a_while_is_not_lost),
		TEST(one_user_s_flood_is_no_other_s),
		TEST(many_users_write_no_more_than_all_may),
		TEST(the_common_purse_takes_nothing_from_one_s_own),
		TEST(nobody_gains_a_full_purse_by_being_forgotten),
		TEST(who_finds_no_place_shares_one_with_the_unknown),
	};

	return testing_run("purse", tests, ARRAY_SIZE(tests));
}
