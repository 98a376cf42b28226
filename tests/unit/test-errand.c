// SPDX-License-Identifier: GPL-2.0-or-later
/* system/errand: the loop goes on, whatever the errand waits for. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/macro.h"
#include "system/errand.h"
#include "testing.h"

static sd_event *event;

/* What errands leave; shared with their processes. */
static volatile struct {
	char said[32];
	pid_t pid;
	int n_open;
} *left;

static void say(const void *order)
{
	strcpy((char *)left->said, order);
}

static void die(const void *order)
{
	raise(SIGKILL);
}

static void hang(const void *order)
{
	left->pid = getpid();
	while (true)
		pause();
}

/* Nothing of the daemon's is open in there but what it writes errors to. */
static void count_open(const void *order)
{
	for (int fd = 0; fd < 256; fd++)
		left->n_open += fcntl(fd, F_GETFD) >= 0;
}

static void begin(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	CU_ASSERT_EQUAL_FATAL(sd_event_new(&event), 0);
	memset((void *)left, 0, sizeof(*left));
}

static void start(errand_run_fn run, const char *order)
{
	CU_ASSERT_EQUAL_FATAL(errand_start(event, run, order), 0);
}

/* By the loop: nothing else here takes leave of a child. */
static bool is_childless(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0;
}

static void finish(void)
{
	RUN_UNTIL(event, is_childless());
	CU_ASSERT_TRUE(is_childless());
	CU_ASSERT_PTR_NULL(sd_event_unref(event));
}

static void it_knows_its_order_and_is_taken_leave_of(void)
{
	char order[] = "Sanwa";

	begin();
	start(say, order);
	/* It has a copy. */
	strcpy(order, "later");
	finish();
	CU_ASSERT_STRING_EQUAL((const char *)left->said, "Sanwa");
}

static void one_that_dies_is_taken_leave_of(void)
{
	begin();
	start(die, NULL);
	finish();
}

static void nothing_of_the_daemon_is_open_in_there(void)
{
	int fd = open("/dev/null", O_RDONLY);

	begin();
	start(count_open, NULL);
	finish();
	CU_ASSERT_EQUAL(left->n_open, 3);
	close(fd);
}

static void one_that_hangs_holds_nobody_up(void)
{
	begin();
	start(hang, NULL);
	start(say, "meanwhile");
	RUN_UNTIL(event, left->said[0] && left->pid);
	CU_ASSERT_STRING_EQUAL((const char *)left->said, "meanwhile");
	CU_ASSERT_FALSE(is_childless());
	CU_ASSERT_EQUAL_FATAL(kill(left->pid, SIGKILL), 0);
	finish();
}

int main(void)
{
	static const struct test tests[] = {
		TEST(it_knows_its_order_and_is_taken_leave_of),
		TEST(one_that_dies_is_taken_leave_of),
		TEST(nothing_of_the_daemon_is_open_in_there),
		TEST(one_that_hangs_holds_nobody_up),
	};

	left = mmap(NULL, sizeof(*left), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (left == MAP_FAILED)
		return 1;
	/* Whoever started this may have left something open. */
	close_range(STDERR_FILENO + 1, ~0U, 0);
	return testing_run("errand", tests, ARRAY_SIZE(tests));
}
