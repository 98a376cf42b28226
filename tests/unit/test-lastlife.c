// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/lastlife: what the next life finds, whenever this one is killed. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/lastlife.h"
#include "daemon/manager.h"
#include "testing.h"

static const struct deaths_device first = { .name = "2-1.3.1", .busnum = 2, .devnum = 117 }, second = { "1-1", 1, 4 };

static char directory[] = "/tmp/lastlife-XXXXXX", path[64];
static struct lastlife *life;

uint64_t manager_now_us(void)
{
	return 1000;
}

/* What a life would find that began now. */
static struct deaths found(void)
{
	char text[DEATHS_TEXT_MAX] = "";
	struct deaths deaths;
	FILE *f = fopen(path, "re");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_TRUE(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	CU_ASSERT_TRUE(deaths_parse(&deaths, text));
	return deaths;
}

static void begin(void)
{
	CU_ASSERT_EQUAL_FATAL(lastlife_new(&life, path), 0);
}

static void finish(void)
{
	life = lastlife_free(life);
	unlink(path);
}

static void device_that_is_met_is_noted_until_it_is_judged(void)
{
	struct deaths deaths;

	begin();
	lastlife_meet(life, &second);
	lastlife_meet(life, &first);
	deaths = found();
	CU_ASSERT_EQUAL(deaths.n_judging, 2);
	CU_ASSERT_TRUE(deaths_is_judging(&deaths, &first) && deaths_is_judging(&deaths, &second));
	lastlife_judging(life, &second, 1);
	deaths = found();
	CU_ASSERT_EQUAL(deaths.n_judging, 1);
	CU_ASSERT_TRUE(deaths_is_judging(&deaths, &second));
	lastlife_judging(life, NULL, 0);
	deaths = found();
	CU_ASSERT_EQUAL(deaths.n_judging, 0);
	CU_ASSERT_TRUE(deaths.running);
	finish();
}

static void killed_life_counts_for_the_next_one(void)
{
	begin();
	lastlife_meet(life, &first);
	lastlife_judging(life, NULL, 0);
	life = lastlife_free(life);
	begin();
	CU_ASSERT_EQUAL(lastlife_deaths(life)->count, 1);
	lastlife_end(life);
	CU_ASSERT_FALSE(found().running);
	life = lastlife_free(life);
	begin();
	CU_ASSERT_EQUAL(lastlife_deaths(life)->count, 0);
	finish();
}

static void file_that_was_taken_away_is_made_anew(void)
{
	struct deaths deaths;

	begin();
	CU_ASSERT_EQUAL(unlink(path), 0);
	lastlife_meet(life, &first);
	deaths = found();
	CU_ASSERT_TRUE(deaths_is_judging(&deaths, &first));
	lastlife_judging(life, NULL, 0);
	CU_ASSERT_EQUAL(found().n_judging, 0);
	finish();
}

static void file_whose_name_another_has_taken_is_made_anew(void)
{
	struct deaths deaths;
	char aside[80];
	FILE *f;

	begin();
	snprintf(aside, sizeof(aside), "%s.aside", path);
	CU_ASSERT_EQUAL(rename(path, aside), 0);
	f = fopen(path, "we");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fclose(f);
	lastlife_meet(life, &first);
	deaths = found();
	CU_ASSERT_TRUE(deaths_is_judging(&deaths, &first));
	unlink(aside);
	finish();
}

static void file_that_somebody_made_long_is_made_anew(void)
{
	struct deaths deaths;
	struct stat st;

	begin();
	CU_ASSERT_EQUAL(truncate(path, 10 * DEATHS_TEXT_MAX), 0);
	lastlife_meet(life, &first);
	deaths = found();
	CU_ASSERT_TRUE(deaths_is_judging(&deaths, &first));
	CU_ASSERT_TRUE(!stat(path, &st) && st.st_size < DEATHS_TEXT_MAX);
	finish();
}

int main(void)
{
	static const struct test tests[] = {
		TEST(device_that_is_met_is_noted_until_it_is_judged),
		TEST(killed_life_counts_for_the_next_one),
		TEST(file_that_was_taken_away_is_made_anew),
		TEST(file_whose_name_another_has_taken_is_made_anew),
		TEST(file_that_somebody_made_long_is_made_anew),
	};
	char lock[80];
	int r;

	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/deaths", directory);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	r = testing_run("lastlife", tests, ARRAY_SIZE(tests));
	unlink(lock);
	rmdir(directory);
	return r;
}
