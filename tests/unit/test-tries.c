// SPDX-License-Identifier: GPL-2.0-or-later
/* core/tries: wrong passphrases make the next one wait. */
#include <stdio.h>

#include "core/macro.h"
#include "core/tries.h"
#include "testing.h"

#define SECOND 1000000ull
#define UUID "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a001"

static struct tries tries;

static void waiting_doubles_up_to_a_minute(void)
{
	static const unsigned int expected[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
	uint64_t now = 5 * SECOND;

	tries = (struct tries){ .volumes = { { .wrong = 0 } } };
	CU_ASSERT_EQUAL(tries_wait(&tries, UUID, now), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		tries_add_wrong(&tries, UUID, now);
		CU_ASSERT_EQUAL(tries_wait(&tries, UUID, now), expected[i]);
		CU_ASSERT_EQUAL(tries_wrong(&tries, UUID), i + 1);
		now += expected[i] * SECOND - 1;
		CU_ASSERT_EQUAL(tries_wait(&tries, UUID, now), 1);
		CU_ASSERT_EQUAL(tries_wait(&tries, UUID, ++now), 0);
	}
}

static void a_right_one_begins_anew(void)
{
	tries = (struct tries){ .volumes = { { .wrong = 0 } } };
	for (unsigned int i = 0; i < 5; i++)
		tries_add_wrong(&tries, UUID, SECOND);
	tries_set_right(&tries, UUID);
	CU_ASSERT_EQUAL(tries_wait(&tries, UUID, SECOND), 0);
	tries_add_wrong(&tries, UUID, SECOND);
	CU_ASSERT_EQUAL(tries_wait(&tries, UUID, SECOND), 1);
}

static void volumes_are_counted_apart_and_the_oldest_gives_way(void)
{
	char uuid[TRIES_UUID_MAX];

	tries = (struct tries){ .volumes = { { .wrong = 0 } } };
	for (unsigned int i = 0; i <= TRIES_VOLUMES_MAX; i++) {
		snprintf(uuid, sizeof(uuid), "volume-%u", i);
		tries_add_wrong(&tries, uuid, (100 + i) * SECOND);
		CU_ASSERT_EQUAL(tries_wrong(&tries, uuid), 1);
	}
	CU_ASSERT_EQUAL(tries_wrong(&tries, "volume-0"), 0);
	CU_ASSERT_EQUAL(tries_wrong(&tries, "volume-1"), 1);
	CU_ASSERT_EQUAL(tries_wrong(&tries, ""), 0);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(waiting_doubles_up_to_a_minute),
		TEST(a_right_one_begins_anew),
		TEST(volumes_are_counted_apart_and_the_oldest_gives_way),
	};

	return testing_run("tries", tests, ARRAY_SIZE(tests));
}
