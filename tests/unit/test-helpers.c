// SPDX-License-Identifier: GPL-2.0-or-later
/* system/helpers and system/child: what the daemon's end says to sekimori-helpers, and makes of its answers. The other end is played. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/macro.h"
#include "system/child.h"
#include "system/helpers.h"
#include "testing.h"

#define OPEN "/usr/libexec/sekimori/sekimori-open"

static char dir[] = "/tmp/sekimori-helpers-XXXXXX";
static char path[64];
static int listening;
static sd_event *event;

static struct {
	unsigned int calls;
	int code, status;
} ended;

static void exited(void *userdata, int code, int status)
{
	ended.calls++;
	ended.code = code;
	ended.status = status;
	sd_event_exit(event, 0);
}

static struct child *start(const int *fds, size_t n)
{
	static const char *const argv[] = {"sekimori-open", "close", "", NULL};
	struct child *child = NULL;

	memset(&ended, 0, sizeof(ended));
	CU_ASSERT_EQUAL_FATAL(sd_event_new(&event), 0);
	CU_ASSERT_EQUAL_FATAL(child_start(&child, event, OPEN, argv, child_env_utf8, fds, n, exited, NULL), 0);
	return child;
}

static void finish(struct child *child)
{
	child_free(child);
	event = sd_event_unref(event);
}

/* The played end of the newest connection. */
static int take(void)
{
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

	CU_ASSERT_FATAL(fd >= 0);
	return fd;
}

static void an_order_has_program_arguments_and_descriptors_by_their_numbers(void)
{
	static const char expected[] = "sekimori-open\0close\0"; /* and the empty one */
	int pipes[2], got[CHILD_FDS_MAX], len;
	char message[HELPERS_MESSAGE_MAX], c = 0;
	size_t n = CHILD_FDS_MAX;
	struct child *child;

	CU_ASSERT_EQUAL_FATAL(pipe2(pipes, O_CLOEXEC), 0);
	child = start((const int[]){-1, pipes[1], -1, listening}, 4);

	_cleanup_(closep) int far = take();

	len = helpers_receive(far, message, sizeof(message), got, &n);
	CU_ASSERT_EQUAL_FATAL(len, (int)(3 + sizeof(expected)));
	CU_ASSERT_EQUAL(message[0], HELPERS_RUN);
	CU_ASSERT_STRING_EQUAL(helpers_programs[(uint8_t)message[1]].path, OPEN);
	CU_ASSERT_EQUAL(message[2], 0x0a);
	CU_ASSERT_FALSE(memcmp(message + 3, expected, sizeof(expected)));
	CU_ASSERT_EQUAL_FATAL(n, 2);
	CU_ASSERT_EQUAL(write(got[0], "x", 1), 1);
	CU_ASSERT_TRUE(read(pipes[0], &c, 1) == 1 && c == 'x');
	for (size_t i = 0; i < n; i++)
		close(got[i]);
	close(pipes[0]);
	close(pipes[1]);
	finish(child);
}

static void its_end_is_told_once(void)
{
	const struct helpers_ended answer = {.kind = HELPERS_ENDED, .code = CLD_EXITED, .status = 3};
	struct child *child = start(NULL, 0);
	_cleanup_(closep) int far = take();

	CU_ASSERT_EQUAL(helpers_send(far, &answer, sizeof(answer), NULL, 0), 0);
	CU_ASSERT_EQUAL(helpers_send(far, &answer, sizeof(answer), NULL, 0), 0);
	CU_ASSERT_TRUE(sd_event_loop(event) >= 0);
	CU_ASSERT_EQUAL(ended.code, CLD_EXITED);
	CU_ASSERT_EQUAL(ended.status, 3);
	CU_ASSERT_EQUAL(ended.calls, 1);
	finish(child);
}

static void a_connection_that_ends_or_talks_nonsense_is_a_death(void)
{
	for (unsigned int nonsense = 0; nonsense < 2; nonsense++) {
		struct child *child = start(NULL, 0);
		_cleanup_(closep) int far = take();

		if (nonsense) {
			CU_ASSERT_EQUAL(helpers_send(far, "e", 1, NULL, 0), 0);
		} else {
			close(far);
			far = -1;
		}
		CU_ASSERT_TRUE(sd_event_loop(event) >= 0);
		CU_ASSERT_TRUE(ended.code == CLD_KILLED && ended.status == SIGKILL);
		finish(child);
	}
}

static void it_is_killed_or_left_by_a_word(void)
{
	struct child *child = start(NULL, 0);
	char message[HELPERS_MESSAGE_MAX];
	_cleanup_(closep) int far = take();
	size_t none = 0;

	CU_ASSERT_TRUE(helpers_receive(far, message, sizeof(message), NULL, &none) > 1);
	child_kill(child);
	CU_ASSERT_EQUAL(helpers_receive(far, message, sizeof(message), NULL, &none), 1);
	CU_ASSERT_EQUAL(message[0], HELPERS_KILL);
	child_leave(child);
	CU_ASSERT_EQUAL(helpers_receive(far, message, sizeof(message), NULL, &none), 1);
	CU_ASSERT_EQUAL(message[0], HELPERS_LEAVE);
	finish(child);
	CU_ASSERT_EQUAL(helpers_receive(far, message, sizeof(message), NULL, &none), 0);
}

static void no_other_program_is_asked_for(void)
{
	static const char *const argv[] = {"sh", NULL};

	CU_ASSERT_EQUAL(helpers_run("/bin/sh", argv, NULL, 0), -EPERM);
	CU_ASSERT_EQUAL(helpers_run("sekimori-open", argv, NULL, 0), -EPERM);
}

static void nobody_there_is_an_error_and_no_synchronised_clock(void)
{
	static const char *const argv[] = {"sekimori-open", NULL};

	setenv(HELPERS_VARIABLE, "/nowhere/helpers", true);
	CU_ASSERT_TRUE(helpers_stand());
	CU_ASSERT_EQUAL(helpers_run(OPEN, argv, NULL, 0), -ENOENT);
	CU_ASSERT_EQUAL(helpers_udev("block", NULL), -ENOENT);
	CU_ASSERT_FALSE(helpers_clock_is_synchronised());
	setenv(HELPERS_VARIABLE, path, true);
}

/* The kernel takes the question for whoever accepts later; a late answer is not for the next one. */
static void a_clock_that_is_not_told_in_time_is_not_synchronised(void)
{
	CU_ASSERT_FALSE(helpers_clock_is_synchronised());

	_cleanup_(closep) int late = take();

	CU_ASSERT_TRUE(helpers_send(late, "y", 1, NULL, 0) < 0);
}

/* The next question on the played end; '\0' if there is none. */
static char asked(int fd)
{
	char kind = 0;

	return recv(fd, &kind, 1, MSG_DONTWAIT) == 1 ? kind : '\0';
}

static void the_clock_may_be_asked_ahead_and_is_asked_once_a_second(void)
{
	_cleanup_(closep) int house = -1;

	helpers_clock_ask();
	helpers_clock_ask();
	house = take();
	CU_ASSERT_EQUAL(asked(house), HELPERS_CLOCK);
	CU_ASSERT_EQUAL(asked(house), '\0');
	CU_ASSERT_EQUAL(helpers_send(house, "y", 1, NULL, 0), 0);
	CU_ASSERT_TRUE(helpers_clock_is_synchronised());
	CU_ASSERT_TRUE(helpers_clock_is_synchronised());
	CU_ASSERT_EQUAL(asked(house), '\0');

	usleep(HELPERS_CLOCK_FRESH_US);
	helpers_clock_ask();
	CU_ASSERT_EQUAL(asked(house), HELPERS_CLOCK);
	CU_ASSERT_EQUAL(helpers_send(house, "n", 1, NULL, 0), 0);
	CU_ASSERT_FALSE(helpers_clock_is_synchronised());
}

static void an_answer_that_was_asked_for_too_early_does_not_count(void)
{
	int house;

	usleep(HELPERS_CLOCK_FRESH_US);
	helpers_clock_ask();
	/* The end of the test before has ended that connection. */
	CU_ASSERT_FALSE(helpers_clock_is_synchronised());
	house = take();
	CU_ASSERT_EQUAL(asked(house), HELPERS_CLOCK);
	close(house);

	helpers_clock_ask();
	helpers_clock_ask();
	house = take();
	CU_ASSERT_EQUAL(asked(house), HELPERS_CLOCK);
	CU_ASSERT_EQUAL(helpers_send(house, "y", 1, NULL, 0), 0);
	usleep(HELPERS_CLOCK_FRESH_US);
	CU_ASSERT_FALSE(helpers_clock_is_synchronised());
	CU_ASSERT_EQUAL(asked(house), HELPERS_CLOCK);
	close(house);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(an_order_has_program_arguments_and_descriptors_by_their_numbers),
		TEST(its_end_is_told_once),
		TEST(a_connection_that_ends_or_talks_nonsense_is_a_death),
		TEST(it_is_killed_or_left_by_a_word),
		TEST(no_other_program_is_asked_for),
		TEST(nobody_there_is_an_error_and_no_synchronised_clock),
		TEST(a_clock_that_is_not_told_in_time_is_not_synchronised),
		TEST(the_clock_may_be_asked_ahead_and_is_asked_once_a_second),
		TEST(an_answer_that_was_asked_for_too_early_does_not_count),
	};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int r;

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/helpers", dir);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (listening < 0 || bind(listening, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listening, 8) < 0)
		return 1;
	setenv(HELPERS_VARIABLE, path, true);
	r = testing_run("helpers", tests, ARRAY_SIZE(tests));
	unlink(path);
	rmdir(dir);
	return r;
}
