// SPDX-License-Identifier: GPL-2.0-or-later
/* system/inquiry: the loop goes on, whatever the thread waits for. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "core/macro.h"
#include "system/inquiry.h"
#include "testing.h"

struct order {
	int pipe[2];
	char text[32];
};

static sd_event *event;
static int calls, outcome;
static char said[64];

static void done(void *userdata, int r, const void *result)
{
	calls++;
	outcome = r;
	CU_ASSERT_EQUAL(!r, result != NULL);
	if (result)
		memcpy(said, result, sizeof(said));
}

static int echo(const void *order, void *result)
{
	strcpy(result, ((const struct order *)order)->text);
	return 0;
}

static int refuse(const void *order, void *result)
{
	return -ENODEV;
}

/* Until somebody closes the other end. */
static int hang(const void *order, void *result)
{
	return read(((const struct order *)order)->pipe[0], result, 1) ? -EIO : 0;
}

static int say_zeroes(const void *order, void *result)
{
	static const char zeroes[sizeof(said)];

	if (memcmp(result, zeroes, sizeof(said)))
		return -EBADMSG;
	strcpy(result, "zeroes");
	return 0;
}

static int list_signals(const void *order, void *result)
{
	static const int of_the_loop[] = { SIGTERM, SIGCHLD, SIGHUP, SIGINT };
	sigset_t blocked;

	if (pthread_sigmask(SIG_SETMASK, NULL, &blocked))
		return -EIO;
	for (size_t i = 0; i < ARRAY_SIZE(of_the_loop); i++)
		if (!sigismember(&blocked, of_the_loop[i]))
			return -of_the_loop[i];
	return 0;
}

static void setup(void)
{
	CU_ASSERT_EQUAL_FATAL(sd_event_new(&event), 0);
	calls = outcome = 0;
	memset(said, 'x', sizeof(said));
}

static struct inquiry *ask(inquiry_run_fn fn, const struct order *order)
{
	struct inquiry *inquiry = NULL;

	CU_ASSERT_EQUAL_FATAL(inquiry_start(&inquiry, event, fn, order, sizeof(*order), sizeof(said), done, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(inquiry);
	return inquiry;
}

static void run(inquiry_run_fn fn, const char *text)
{
	struct order order = { .pipe = { -1, -1 } };

	setup();
	strcpy(order.text, text);
	ask(fn, &order);
	/* It has a copy. */
	memset(&order, 0, sizeof(order));
	while (!calls)
		sd_event_run(event, UINT64_MAX);
	event = sd_event_unref(event);
	CU_ASSERT_EQUAL(calls, 1);
}

static void answer_arrives(void)
{
	run(echo, "Sanwa");
	CU_ASSERT_EQUAL(outcome, 0);
	CU_ASSERT_STRING_EQUAL(said, "Sanwa");
	run(say_zeroes, "");
	CU_ASSERT_STRING_EQUAL(said, "zeroes");
}

static void error_is_told(void)
{
	run(refuse, "");
	CU_ASSERT_EQUAL(outcome, -ENODEV);
}

static void signals_stay_the_loops(void)
{
	run(list_signals, "");
	CU_ASSERT_EQUAL(outcome, 0);
}

static void one_that_hangs_holds_nobody_up(void)
{
	struct order stuck = { .text = "" }, quick = { .text = "meanwhile" };

	setup();
	CU_ASSERT_EQUAL_FATAL(pipe(stuck.pipe), 0);
	ask(hang, &stuck);
	ask(echo, &quick);
	while (!calls)
		sd_event_run(event, UINT64_MAX);
	CU_ASSERT_STRING_EQUAL(said, "meanwhile");
	close(stuck.pipe[1]);
	while (calls < 2)
		sd_event_run(event, UINT64_MAX);
	CU_ASSERT_EQUAL(outcome, 0);
	close(stuck.pipe[0]);
	event = sd_event_unref(event);
}

static void cancelled_one_ends_in_silence(void)
{
	struct order stuck = { .text = "" };

	setup();
	CU_ASSERT_EQUAL_FATAL(pipe(stuck.pipe), 0);
	CU_ASSERT_PTR_NULL(inquiry_cancel(ask(hang, &stuck)));
	CU_ASSERT_PTR_NULL(inquiry_cancel(NULL));
	close(stuck.pipe[1]);
	CU_ASSERT_EQUAL(sd_event_run(event, 5000000), 1);
	CU_ASSERT_EQUAL(calls, 0);
	close(stuck.pipe[0]);
	event = sd_event_unref(event);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(answer_arrives),
		TEST(error_is_told),
		TEST(signals_stay_the_loops),
		TEST(one_that_hangs_holds_nobody_up),
		TEST(cancelled_one_ends_in_silence),
	};

	return testing_run("inquiry", tests, ARRAY_SIZE(tests));
}
