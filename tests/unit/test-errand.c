// SPDX-License-Identifier: GPL-2.0-or-later
/* system/errand: the loop goes on, whatever the errand waits for. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/macro.h"
#include "system/errand.h"
#include "testing.h"

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
	strcpy(result, order);
	return 0;
}

static int refuse(const void *order, void *result)
{
	return -ENODEV;
}

static int die(const void *order, void *result)
{
	raise(SIGKILL);
	return 0;
}

static int hang(const void *order, void *result)
{
	pause();
	return 0;
}

/* Nothing of the daemon's is open in there but what it writes errors to. */
static int count_open(const void *order, void *result)
{
	int *n = result;

	for (int fd = 0; fd < 256; fd++)
		*n += fcntl(fd, F_GETFD) >= 0;
	return 0;
}

static void setup(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	CU_ASSERT_EQUAL_FATAL(sd_event_new(&event), 0);
	calls = outcome = 0;
	memset(said, 0, sizeof(said));
}

static void run(errand_run_fn fn, const char *order)
{
	setup();
	CU_ASSERT_EQUAL_FATAL(errand_start(NULL, event, fn, order, sizeof(said), done, NULL), 0);
	while (!calls)
		sd_event_run(event, UINT64_MAX);
	event = sd_event_unref(event);
	CU_ASSERT_EQUAL(calls, 1);
}

static void result_arrives(void)
{
	run(echo, "Sanwa");
	CU_ASSERT_EQUAL(outcome, 0);
	CU_ASSERT_STRING_EQUAL(said, "Sanwa");
}

static void error_and_death_are_told(void)
{
	run(refuse, NULL);
	CU_ASSERT_EQUAL(outcome, -ENODEV);
	run(die, NULL);
	CU_ASSERT_EQUAL(outcome, -EIO);
}

static void nothing_of_the_daemon_is_open_in_there(void)
{
	int fd = open("/dev/null", O_RDONLY), n;

	run(count_open, NULL);
	memcpy(&n, said, sizeof(n));
	CU_ASSERT_EQUAL(n, 3);
	close(fd);
}

static void one_that_hangs_holds_nobody_up(void)
{
	struct errand *stuck = NULL;

	setup();
	CU_ASSERT_EQUAL_FATAL(errand_start(&stuck, event, hang, NULL, 0, done, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(errand_start(NULL, event, echo, "meanwhile", sizeof(said), done, NULL), 0);
	while (!calls)
		sd_event_run(event, UINT64_MAX);
	CU_ASSERT_EQUAL(calls, 1);
	CU_ASSERT_STRING_EQUAL(said, "meanwhile");
	CU_ASSERT_PTR_NULL(errand_cancel(stuck));
	sd_event_run(event, UINT64_MAX);
	event = sd_event_unref(event);
}

static void cancelled_one_ends_in_silence(void)
{
	struct errand *stuck = NULL;

	setup();
	CU_ASSERT_EQUAL_FATAL(errand_start(&stuck, event, hang, NULL, 0, done, NULL), 0);
	CU_ASSERT_PTR_NULL(errand_cancel(stuck));
	CU_ASSERT_PTR_NULL(errand_cancel(NULL));
	CU_ASSERT_EQUAL(sd_event_run(event, 5000000), 1);
	CU_ASSERT_EQUAL(calls, 0);
	event = sd_event_unref(event);
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(result_arrives),
		TEST(error_and_death_are_told),
		TEST(nothing_of_the_daemon_is_open_in_there),
		TEST(one_that_hangs_holds_nobody_up),
		TEST(cancelled_one_ends_in_silence),
	};

	/* Whoever started this may have left something open. */
	close_range(STDERR_FILENO + 1, ~0U, 0);
	return testing_run("errand", tests, ARRAY_SIZE(tests));
}
