// SPDX-License-Identifier: GPL-2.0-or-later
/* system/child: what a helper program inherits, and what it does not. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/macro.h"
#include "system/child.h"
#include "testing.h"

#define TEXT_MAX 4096

static int holding(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* What the script writes to its descriptor 5, while 3 and 4 are these; "" where it fails. */
static const char *said_by(const char *script, int three, int four, const char *const *env)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	static char text[TEXT_MAX];
	int ends[2], status = -1;
	size_t used = 0;
	ssize_t n;
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	CU_ASSERT_EQUAL_FATAL(
		child_spawn(&pid, "/bin/sh", argv, env, (const int[]){three, four, ends[1]}, 3), 0);
	close(ends[1]);
	while ((n = read(ends[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	close(ends[0]);
	waitpid(pid, &status, 0);
	text[WIFEXITED(status) && !WEXITSTATUS(status) ? used : 0] = '\0';
	return text;
}

/* The second and the first of what is open here become 3 and 4 there, whatever is in whose way. */
static void descriptors_arrive_under_their_numbers_though_those_are_taken(void)
{
	_cleanup_(closep) int first = holding("first "), second = holding("second ");
	_cleanup_(closep) int third = fcntl(first, F_DUPFD_CLOEXEC, CHILD_FD_FIRST);

	CU_ASSERT(first <= CHILD_FD_FIRST + 1 && third <= CHILD_FD_FIRST + 3);
	CU_ASSERT_STRING_EQUAL(said_by("cat <&3 >&5; cat <&4 >&5", second, first, child_env_utf8),
			       "second first ");
	lseek(first, 0, SEEK_SET);
	CU_ASSERT_STRING_EQUAL(said_by("cat <&4 >&5", -1, first, child_env_utf8), "first ");
}

static void nothing_else_is_open(void)
{
	_cleanup_(closep) int here = holding("here"), high = fcntl(here, F_DUPFD_CLOEXEC, 10);
	static const char script[] =
		"exec >&5; [ -e /proc/$$/fd/3 ] && echo 3; [ -c /proc/$$/fd/0 ] && echo null;"
		"for n in 4 6 7 8 9 10 11 12 13; do [ ! -e /proc/$$/fd/$n ] || echo $n; done";

	CU_ASSERT(high >= 10);
	CU_ASSERT_STRING_EQUAL(said_by(script, here, -1, child_env_utf8), "3\nnull\n");
}

static void environment_and_signals_are_those_of_a_new_program(void)
{
	static const char script[] =
		"exec >&5; echo \"$LANG,$HOME,$DBUS_SYSTEM_BUS_ADDRESS\"; "
		"while read name value; do [ $name != SigBlk: ] || echo $value; "
		"done < /proc/$$/status";
	static const char *const none[] = {NULL};
	sigset_t mask, before;

	setenv("HOME", "/root", 1);
	sigfillset(&mask);
	sigprocmask(SIG_BLOCK, &mask, &before);
	signal(SIGUSR1, SIG_IGN);
	CU_ASSERT_STRING_EQUAL(said_by(script, -1, -1, child_env_utf8),
			       "C.UTF-8,,\n0000000000000000\n");
	CU_ASSERT_STRING_EQUAL(said_by(script, -1, -1, none), ",,\n0000000000000000\n");
	/* What is ignored here ends the child all the same. */
	CU_ASSERT_STRING_EQUAL(said_by("kill -USR1 $$; echo alive >&5", -1, -1, none), "");
	signal(SIGUSR1, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void what_cannot_be_started_is_an_error_and_leaves_nothing_open(void)
{
	const char *const argv[] = {"none", NULL};
	const int bad[] = {0, 999}, many[CHILD_FDS_MAX + 1] = {0};
	int next = dup(0);
	pid_t pid;

	close(next);
	CU_ASSERT_EQUAL(child_spawn(&pid, "/nonexistent/none", argv, child_env_utf8, bad, 1),
			-ENOENT);
	CU_ASSERT_EQUAL(child_spawn(&pid, "/bin/true", argv, child_env_utf8, bad, 2), -EBADF);
	CU_ASSERT_EQUAL(
		child_spawn(&pid, "/bin/true", argv, child_env_utf8, many, ARRAY_SIZE(many)),
		-EINVAL);
	CU_ASSERT_EQUAL(fcntl(10, F_GETFD), -1);
	CU_ASSERT_EQUAL(dup(0), next);
	close(next);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(descriptors_arrive_under_their_numbers_though_those_are_taken),
		TEST(nothing_else_is_open),
		TEST(environment_and_signals_are_those_of_a_new_program),
		TEST(what_cannot_be_started_is_an_error_and_leaves_nothing_open),
	};

	/* Whoever started this may have left something open. */
	close_range(CHILD_FD_FIRST, ~0U, 0);
	return testing_run("child", tests, ARRAY_SIZE(tests));
}
