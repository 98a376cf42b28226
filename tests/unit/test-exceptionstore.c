// SPDX-License-Identifier: GPL-2.0-or-later
/* The store: what was written is read again, what was refused is not there, and what has to be counted is. */
#include <time.h>

#include "exceptionstore-world.h"

/* A whole life, and the story beside it: what is read must be what was written. */
static void what_was_written_is_read_again(void)
{
	static const char *const life[] = { "approve:sato", "approve:kato", "begin:system", "use:system", "return:ito",
					    "confirm-erased:desk", "close:desk" };
	struct exceptionstore *store = fresh();
	struct exception seen;
	struct story story;

	wish(&story, "access=1 uses=3 quota=1000000 seconds=600 return=1d medium=USB-0012");
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), 0);
	CU_ASSERT_EQUAL(story.x.number, 1);
	for (size_t i = 0; i < ARRAY_SIZE(life); i++) {
		char word[32], *nick;
		uint8_t id[16];

		CU_ASSERT_EQUAL(exceptionstore_get(store, 1, &seen), 0);
		EXPECT(!memcmp(&seen, &story.x, sizeof(seen)), life[i]);
		memcpy(id, seen.grant.id, sizeof(id));
		memset(&seen, 0, sizeof(seen));
		CU_ASSERT_EQUAL(exceptionstore_find_grant(store, id, &seen), 0);
		EXPECT(!memcmp(&seen, &story.x, sizeof(seen)), life[i]);
		/* Also by another daemon. */
		exceptionstore_close(store);
		CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
		snprintf(word, sizeof(word), "%s", life[i]);
		nick = strchr(word, ':');
		*nick++ = '\0';
		story.world.now += 5;
		CU_ASSERT_EQUAL(act(store, &story, 1, word, nick), 0);
	}
	CU_ASSERT_EQUAL(story.x.state, EXCEPTION_CLOSED);
	CU_ASSERT_EQUAL(exceptionstore_get(store, 2, &seen), EXCEPTIONSTORE_E_ABSENT);
	memset(seen.grant.id, 0xee, sizeof(seen.grant.id));
	CU_ASSERT_EQUAL(exceptionstore_find_grant(store, (const uint8_t *)"0123456789abcdef", &seen),
			EXCEPTIONSTORE_E_ABSENT);
	exceptionstore_close(store);
}

/* What the log knows of is told to the store; the rest is asked for, in the order in which it was done. */
static void a_step_is_untold_until_it_is_told_once(void)
{
	static const struct {
		uint32_t number, step;
		enum exception_event_kind kind;
	} order[] = { { 1, 1, EXCEPTION_REQUEST }, { 2, 1, EXCEPTION_REQUEST }, { 2, 2, EXCEPTION_DENY }, { 1, 2, EXCEPTION_APPROVE } };
	struct exceptionstore *store = fresh();
	struct exception_deed deed;
	struct exception x;
	struct story story;

	CU_ASSERT_EQUAL(exceptionstore_untold(store, &x, &deed), EXCEPTIONSTORE_E_ABSENT);
	wish(&story, "");
	act(store, &story, 0, "request", "ito");
	CU_ASSERT_EQUAL(act(store, &story, 1, "approve", "boss"), EXCEPTION_E_OWN);
	wish(&story, "");
	act(store, &story, 0, "request", "ito");
	CU_ASSERT_EQUAL(act(store, &story, 2, "deny", "sato"), 0);
	CU_ASSERT_EQUAL(act(store, &story, 1, "approve", "sato"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		exceptionstore_close(store);
		CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
		CU_ASSERT_EQUAL(exceptionstore_untold(store, &x, &deed), 0);
		CU_ASSERT_EQUAL(x.number, order[i].number);
		CU_ASSERT_EQUAL(deed.number, order[i].step);
		CU_ASSERT_EQUAL(deed.kind, order[i].kind);
		/* As it was then. */
		CU_ASSERT_EQUAL(x.steps, order[i].step);
		CU_ASSERT_EQUAL(x.state, deed.to);
		CU_ASSERT_EQUAL(exceptionstore_told(store, x.number, deed.number), 0);
	}
	CU_ASSERT_EQUAL(exceptionstore_untold(store, &x, &deed), EXCEPTIONSTORE_E_ABSENT);
	exceptionstore_close(store);
}

struct deeds {
	unsigned int n;
	struct exception_deed last;
};

static int note_deed(void *userdata, const struct exception_deed *deed)
{
	struct deeds *deeds = userdata;

	CU_ASSERT_EQUAL(deed->number, deeds->n + 1);
	CU_ASSERT_TRUE(!deeds->n || deed->from == deeds->last.to);
	deeds->last = *deed;
	deeds->n++;
	return 0;
}

static void each_step_says_who_when_and_from_where(void)
{
	struct exceptionstore *store = fresh();
	struct deeds deeds = { .n = 0 };
	struct story story;

	wish(&story, "");
	act(store, &story, 0, "request", "ito");
	story.world.now += 60;
	CU_ASSERT_EQUAL(act(store, &story, 1, "deny", "sato"), 0);
	CU_ASSERT_EQUAL(exceptionstore_deeds(store, 1, 0, note_deed, &deeds), 0);
	CU_ASSERT_EQUAL(deeds.n, 2);
	CU_ASSERT_EQUAL(deeds.last.kind, EXCEPTION_DENY);
	CU_ASSERT_EQUAL(deeds.last.when, STORY_BEGIN + 60);
	CU_ASSERT_EQUAL(deeds.last.who.uid, 1002);
	CU_ASSERT_STRING_EQUAL(deeds.last.who.name, "sato");
	CU_ASSERT_STRING_EQUAL(deeds.last.session, "c1");
	CU_ASSERT_STRING_EQUAL(deeds.last.note, "理由");
	CU_ASSERT_EQUAL(exceptionstore_deeds(store, 2, 0, note_deed, &deeds), EXCEPTIONSTORE_E_ABSENT);
	exceptionstore_close(store);
}

static int note_number(void *userdata, const struct exception_deed *deed)
{
	char *numbers = userdata;

	sprintf(numbers + strlen(numbers), " %u", deed->number);
	return 0;
}

static void of_very_many_steps_the_newest_come_and_peoples_are_not_pushed_out(void)
{
	struct exceptionstore *store = fresh();
	char numbers[256] = "";
	struct story story;

	wish(&story, "");
	act(store, &story, 0, "request", "ito");
	act(store, &story, 1, "approve", "sato");
	act(store, &story, 1, "approve", "kato");
	act(store, &story, 1, "begin", "system");
	for (int i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(act(store, &story, 1, "use", "system"), 0);
		CU_ASSERT_EQUAL(act(store, &story, 1, "written", "system"), 0);
	}
	CU_ASSERT_EQUAL(act(store, &story, 1, "return", "ito"), 0);
	CU_ASSERT_EQUAL(exceptionstore_deeds(store, 1, 3, note_number, numbers), 0);
	CU_ASSERT_STRING_EQUAL(numbers, " 3 4 10 11 12 13");
	exceptionstore_close(store);
}

static void a_device_that_comes_and_goes_is_let_in_sixty_times_an_hour(void)
{
	struct exceptionstore *store = fresh();
	struct story story;

	for (uint32_t number = 1; number <= 2; number++) {
		wish(&story, "");
		CU_ASSERT_EQUAL(act(store, &story, 0, "import", "system"), 0);
		CU_ASSERT_EQUAL(act(store, &story, number, "begin", "system"), 0);
	}
	for (int i = 0; i < EXCEPTION_USES_HOURLY; i++) {
		CU_ASSERT_EQUAL(act(store, &story, 1, "use", "system"), 0);
		story.world.now++;
	}
	CU_ASSERT_EQUAL(act(store, &story, 1, "use", "system"), EXCEPTION_E_MANY_USES);
	/* Each has its own hour. */
	CU_ASSERT_EQUAL(act(store, &story, 2, "use", "system"), 0);
	story.world.now = STORY_BEGIN + 3600 - 1;
	CU_ASSERT_EQUAL(act(store, &story, 1, "use", "system"), EXCEPTION_E_MANY_USES);
	story.world.now = STORY_BEGIN + 3600;
	CU_ASSERT_EQUAL(act(store, &story, 1, "use", "system"), 0);
	CU_ASSERT_EQUAL(act(store, &story, 1, "use", "system"), EXCEPTION_E_MANY_USES);
	exceptionstore_close(store);
}

static void a_refused_step_leaves_nothing_behind(void)
{
	struct exceptionstore *store = fresh();
	struct deeds deeds = { .n = 0 };
	struct story story, again;

	wish(&story, "purpose=");
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), EXCEPTION_E_INCOMPLETE);
	CU_ASSERT_EQUAL(story.x.number, 0);
	CU_ASSERT_EQUAL(COUNT(store, .states = 0), 0);
	wish(&story, "");
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), 0);
	/* A file or a code that comes twice. */
	again = story;
	again.x.state = EXCEPTION_DRAFT;
	CU_ASSERT_EQUAL(act(store, &again, 0, "import", "system"), EXCEPTIONSTORE_E_USED);
	CU_ASSERT_EQUAL(act(store, &story, 1, "approve", "boss"), EXCEPTION_E_OWN);
	CU_ASSERT_EQUAL(act(store, &story, 1, "begin", "system"), EXCEPTION_E_WAITING);
	CU_ASSERT_EQUAL(act(store, &story, 2, "approve", "sato"), EXCEPTIONSTORE_E_ABSENT);
	CU_ASSERT_EQUAL(exceptionstore_deeds(store, 1, 0, note_deed, &deeds), 0);
	CU_ASSERT_EQUAL(deeds.n, 1);
	CU_ASSERT_EQUAL(COUNT(store, .states = 0), 1);
	exceptionstore_close(store);
	CU_ASSERT_EQUAL(opened(&store), 0);
	exceptionstore_close(store);
}

static void floods_and_missing_reports_are_counted_by_the_store(void)
{
	struct exceptionstore *store = fresh();
	struct story story;
	int r = 0;

	for (int i = 0; i < 5; i++) {
		wish(&story, "");
		CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), 0);
	}
	wish(&story, "");
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), EXCEPTION_E_MANY_WAITING);
	/* Whoever withdraws them and asks again is stopped by the day. */
	for (uint32_t number = 1; number < 40 && !r; number++) {
		CU_ASSERT_EQUAL(act(store, &story, number, "withdraw", "ito"), 0);
		wish(&story, "");
		r = act(store, &story, 0, "request", "ito");
	}
	CU_ASSERT_EQUAL(r, EXCEPTION_E_MANY_TODAY);
	CU_ASSERT_EQUAL(COUNT(store, .states = 0), 20);
	/* Unanswered ones wait until they lapse, not longer. */
	story.world.now += 86399;
	CU_ASSERT_EQUAL(act(store, &story, 20, "lapse", "system"), EXCEPTION_E_EARLY);
	wish(&story, "may-wait=4 may-daily=100");
	story.world.now += 86399;
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), EXCEPTION_E_MANY_WAITING);
	story.world.now += 1;
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), 0);
	CU_ASSERT_EQUAL(act(store, &story, 21, "withdraw", "ito"), 0);
	/* Others are not. */
	wish(&story, "");
	strcpy(story.x.requester.name, "abe");
	story.x.requester.uid = 1009;
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "asker"), 0);
	/* Nor is he the day after. */
	wish(&story, "");
	story.world.now += 86400;
	CU_ASSERT_EQUAL(act(store, &story, 0, "emergency", "boss"), 0);
	wish(&story, "");
	story.world.now += 86400;
	CU_ASSERT_EQUAL(act(store, &story, 0, "emergency", "boss"), 0);
	wish(&story, "");
	story.world.now += 86400;
	CU_ASSERT_EQUAL(act(store, &story, 0, "emergency", "boss"), EXCEPTION_E_REPORTS_DUE);
	CU_ASSERT_EQUAL(COUNT(store, .due = EXCEPTION_DUE_REPORT), 2);
	CU_ASSERT_EQUAL(act(store, &story, 23, "report", "ito"), 0);
	wish(&story, "");
	story.world.now += 86400;
	CU_ASSERT_EQUAL(act(store, &story, 0, "emergency", "boss"), 0);
	exceptionstore_close(store);
}

/* --- the clock ------------------------------------------------------------------------------------ */

static void the_mark_goes_forward_only(void)
{
	struct exceptionstore *store = fresh();
	struct grantclock_mark mark = { .now_us = 1000, .boot_us = 5, .boot_id = { 1, 2, [15] = 9 } }, seen;
	struct story story;

	CU_ASSERT_EQUAL(exceptionstore_mark(store, &seen), EXCEPTIONSTORE_E_ABSENT);
	CU_ASSERT_EQUAL(exceptionstore_keep_mark(store, &mark), 0);
	CU_ASSERT_EQUAL(exceptionstore_mark(store, &seen), 0);
	CU_ASSERT_EQUAL(memcmp(&mark, &seen, sizeof(mark)), 0);
	mark.now_us = 999;
	CU_ASSERT_EQUAL(exceptionstore_keep_mark(store, &mark), EXCEPTIONSTORE_E_CLOCK);
	mark.now_us = 2000;
	mark.void_before = 77;
	CU_ASSERT_EQUAL(exceptionstore_keep_mark(store, &mark), 0);
	exceptionstore_close(store);
	CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
	CU_ASSERT_EQUAL(exceptionstore_mark(store, &seen), 0);
	CU_ASSERT_EQUAL(memcmp(&mark, &seen, sizeof(mark)), 0);

	/* Back only by a reset, and not while something is in force. */
	wish(&story, "emergency=3h");
	CU_ASSERT_EQUAL(act(store, &story, 0, "emergency", "boss"), 0);
	mark.now_us = 500;
	mark.resets = 1;
	CU_ASSERT_EQUAL(exceptionstore_keep_mark(store, &mark), EXCEPTIONSTORE_E_LIVE);
	CU_ASSERT_EQUAL(act(store, &story, 1, "revoke", "sato"), 0);
	CU_ASSERT_EQUAL(exceptionstore_keep_mark(store, &mark), 0);
	CU_ASSERT_EQUAL(exceptionstore_mark(store, &seen), 0);
	CU_ASSERT_EQUAL(seen.now_us, 500);
	exceptionstore_close(store);
}

static void the_mark_is_kept_with_the_step_or_not_at_all(void)
{
	struct exceptionstore *store = fresh();
	struct grantclock_mark mark = { .now_us = 1000 }, seen;
	struct exception_actor ito = story_actor("ito");
	struct exceptionstore_act doing;
	struct exception x;
	struct story story;

	wish(&story, "");
	story.event = (struct exception_event){ .kind = EXCEPTION_REQUEST };
	doing = (struct exceptionstore_act){ &story.event, &ito, &story.world, &mark };
	CU_ASSERT_EQUAL(exceptionstore_submit(store, &story.x, &doing, NULL), 0);
	CU_ASSERT_EQUAL(exceptionstore_mark(store, &seen), 0);
	CU_ASSERT_EQUAL(seen.now_us, 1000);
	/* A mark that goes back takes the step with it. */
	mark.now_us = 1;
	story.event.kind = EXCEPTION_WITHDRAW;
	CU_ASSERT_EQUAL(exceptionstore_step(store, 1, &doing, NULL, NULL), EXCEPTIONSTORE_E_CLOCK);
	CU_ASSERT_EQUAL(exceptionstore_get(store, 1, &x), 0);
	CU_ASSERT_EQUAL(x.state, EXCEPTION_REQUESTED);
	exceptionstore_close(store);
}

/* --- many ---------------------------------------------------------------------------------------- */

static double seconds(void)
{
	struct timespec ts;

	/* Of this process: others may be busy. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int stop_at_once(void *userdata, const struct exception *x)
{
	return -ECANCELED;
}

static void ten_thousand_are_listed_and_asked_for(void)
{
	enum { N = 10000 };
	struct exceptionstore *store = fresh();
	unsigned int n = 0;
	struct exceptionstore_filter all = { .states = 0 };
	double begin;
	struct story story;

	for (unsigned int i = 0; i < N; i++) {
		wish(&story, "approvers=1 may-wait=20000 may-daily=20000");
		story.world.now = STORY_BEGIN + i * 3600;
		story.x.requester.uid = 5000 + i % 100;
		snprintf(story.x.requester.name, sizeof(story.x.requester.name), "user%u", i % 100);
		memcpy(story.x.grant.person, story.x.requester.name, sizeof(story.x.grant.person));
		story.x.grant.uid = story.x.requester.uid;
		story.event = (struct exception_event){ .kind = EXCEPTION_REQUEST };
		struct exception_actor actor = { .who = story.x.requester, .roles = EXCEPTION_ROLE_ASK };
		struct exceptionstore_act doing = { .event = &story.event, .actor = &actor, .world = &story.world };
		int r = exceptionstore_submit(store, &story.x, &doing, NULL);

		CU_ASSERT_EQUAL_FATAL(r, 0);
		if (i % 10 == 3)
			CU_ASSERT_EQUAL_FATAL(act(store, &story, story.x.number, "approve", "sato"), 0);
	}
	exceptionstore_close(store);
	begin = seconds();
	CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
	printf(" (10,000: opened and checked in %.0f ms", (seconds() - begin) * 1e3);
	begin = seconds();
	CU_ASSERT_EQUAL(COUNT(store, .states = 0), N);
	printf(", listed in %.0f ms", (seconds() - begin) * 1e3);
	begin = seconds();
	CU_ASSERT_EQUAL(COUNT(store, .states = 1u << EXCEPTION_APPROVED), N / 10);
	CU_ASSERT_EQUAL(COUNT(store, .states = 1u << EXCEPTION_APPROVED | 1u << EXCEPTION_REQUESTED), N);
	CU_ASSERT_EQUAL(COUNT(store, .states = 1u << EXCEPTION_LIVE), 0);
	CU_ASSERT_EQUAL(COUNT(store, .person = "user7"), N / 100);
	CU_ASSERT_EQUAL(COUNT(store, .person = "user"), 0);
	CU_ASSERT_EQUAL(COUNT(store, .after = N - 5), 5);
	CU_ASSERT_EQUAL(COUNT(store, .after = 100, .limit = 50), 50);
	CU_ASSERT_EQUAL(COUNT(store, .from = STORY_BEGIN + 3600, .until = STORY_BEGIN + 4 * 3600), 3);
	CU_ASSERT_TRUE(seconds() - begin < 10);
	CU_ASSERT_EQUAL(exceptionstore_list(store, &all, stop_at_once, &n), -ECANCELED);
	begin = seconds();
	CU_ASSERT_EQUAL(act(store, &story, N - 1, "approve", "sato"), 0);
	printf(", a step in %.1f ms) ", (seconds() - begin) * 1e3);
	/* A request among ten thousand is as quick as the disk. */
	CU_ASSERT_TRUE(seconds() - begin < 2);
	exceptionstore_close(store);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(what_was_written_is_read_again),
		TEST(a_step_is_untold_until_it_is_told_once),
		TEST(each_step_says_who_when_and_from_where),
		TEST(of_very_many_steps_the_newest_come_and_peoples_are_not_pushed_out),
		TEST(a_device_that_comes_and_goes_is_let_in_sixty_times_an_hour),
		TEST(a_refused_step_leaves_nothing_behind),
		TEST(floods_and_missing_reports_are_counted_by_the_store),
		TEST(the_mark_goes_forward_only),
		TEST(the_mark_is_kept_with_the_step_or_not_at_all),
		TEST(ten_thousand_are_listed_and_asked_for),
	};

	return store_testing_run("exceptionstore", tests, ARRAY_SIZE(tests));
}
