// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs of a played inspector: a shell script in place of sekimori-inspect. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "core/macro.h"
#include "system/inspector.h"
#include "testing.h"

#define DEADLINE_MS 10000

static char dir[] = "/tmp/sekimori-inspector-XXXXXX";
static char program[64], data[64];
static sd_event *event;

static struct {
	unsigned int calls;
	enum inspector_end end;
	struct report report;
	char detail[128];
} result;

static void done(void *userdata, enum inspector_end end, const struct report *report,
		 const char *detail)
{
	result.calls++;
	result.end = end;
	if (report)
		result.report = *report;
	snprintf(result.detail, sizeof(result.detail), "%s", detail);
	CU_ASSERT_EQUAL(report != NULL, end == INSPECTOR_REPORTED);
	sd_event_exit(event, 0);
}

static void file_write(const char *path, mode_t mode, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	CU_ASSERT(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

static void program_make(const char *body)
{
	char text[512];

	snprintf(text, sizeof(text), "#!/bin/sh\nPATH=/usr/bin:/bin\ndata=%s\n%s\n", data, body);
	file_write(program, 0700, text, strlen(text));
}

static void report_make(void)
{
	struct report report;

	report_init(&report, REPORT_PLAIN);
	report.n_units = 1;
	strcpy(report.units[0].vendor, "SANWA");
	file_write(data, 0600, &report, sizeof(report));
}

static void run(const char *body, unsigned int deadline_ms, int block)
{
	struct inspector *inspector = NULL;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), r;

	memset(&result, 0, sizeof(result));
	report_make();
	program_make(body);
	CU_ASSERT_EQUAL(sd_event_new(&event), 0);
	r = block ? inspector_start_block(&inspector, event, program, "/dev/sdz", makedev(8, 400),
					  block == 2, deadline_ms, done, NULL) :
		    inspector_start(&inspector, NULL, event, program, fd, 7, deadline_ms, done, NULL);
	CU_ASSERT_EQUAL(r, 0);
	if (!r)
		sd_event_loop(event);
	event = sd_event_unref(event);
	if (block)
		close(fd);
	/* Taken over in any case. */
	CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), -1);
	CU_ASSERT_EQUAL(result.calls, 1);
}

static void whole_report_is_taken(void)
{
	run("cat $data >&4", DEADLINE_MS, false);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
	CU_ASSERT_EQUAL(result.report.outcome, REPORT_PLAIN);
	CU_ASSERT_STRING_EQUAL(result.report.units[0].vendor, "SANWA");
}

static void report_in_pieces_is_taken_as_one(void)
{
	run("for i in 0 1 2 3 4 5; do dd if=$data bs=2000 skip=$i count=1 2>/dev/null >&4; done",
	    DEADLINE_MS, false);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
}

static void part_of_a_report_is_none(void)
{
	char body[128];
	static const size_t lengths[] = {0, 1, 4096, 8192, sizeof(struct report) - 1};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		snprintf(body, sizeof(body), "head -c %zu $data >&4; kill -9 $$", lengths[i]);
		run(body, DEADLINE_MS, false);
		CU_ASSERT_EQUAL(result.end, INSPECTOR_FAILED);
		CU_ASSERT_STRING_EQUAL(result.detail,
				       "inspector died of signal 9 without a valid report");
	}
}

static void more_than_a_report_is_none(void)
{
	run("cat $data >&4; printf x >&4; exit 3", DEADLINE_MS, false);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_FAILED);
	CU_ASSERT_STRING_EQUAL(result.detail, "inspector exited with 3 without a valid report");
	/* A pipe that overflows neither blocks the child for ever nor hides what came first. */
	run("cat $data $data $data $data $data $data $data $data >&4 2>/dev/null", DEADLINE_MS,
	    false);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_FAILED);
}

static void inspector_that_hangs_is_killed_at_the_deadline(void)
{
	run("head -c 8000 $data >&4; exec sleep 60", 100, false);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_TIMEOUT);
	/* It may have said all there is before. */
	run("cat $data >&4; exec sleep 60", 3000, false);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
}

static void arguments_say_what_the_descriptor_is(void)
{
	run("[ \"$*\" = \"--interface 7 --deadline 10000\" ] && [ -c /proc/self/fd/3 ] && cat $data >&4",
	    DEADLINE_MS, false);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
	run("[ \"$*\" = \"--block /dev/sdz --devnum 8:400 --deadline 10000\" ] && cat $data >&4",
	    DEADLINE_MS, 1);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
	run("[ \"$*\" = \"--block /dev/sdz --devnum 8:400 --deadline 10000 --read-only\" ] && "
	    "cat $data >&4",
	    DEADLINE_MS, 2);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
}

static void program_that_is_not_there_is_an_error(void)
{
	struct inspector *inspector = NULL;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CU_ASSERT_EQUAL(sd_event_new(&event), 0);
	CU_ASSERT_EQUAL(inspector_start(&inspector, NULL, event, "/nonexistent", fd, 0, 100, done, NULL),
			-ENOENT);
	CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), -1);
	CU_ASSERT_PTR_NULL(inspector);
	event = sd_event_unref(event);
}

/* --- one that waits --- */

#define IN_TIME_US (INSPECTOR_SPARE_US + 5000000)

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* With one that waits already. */
static struct inspector_spare *spare_begin(const char *body)
{
	struct inspector_spare *spare = NULL;
	uint64_t end = now_us() + IN_TIME_US;

	memset(&result, 0, sizeof(result));
	report_make();
	program_make(body);
	CU_ASSERT_EQUAL_FATAL(sd_event_new(&event), 0);
	CU_ASSERT_EQUAL_FATAL(inspector_spare_new(&spare, event, program), 0);
	CU_ASSERT_FALSE(inspector_spare_waits(spare));
	while (!inspector_spare_waits(spare) && now_us() < end)
		sd_event_run(event, 100000);
	CU_ASSERT_TRUE(inspector_spare_waits(spare));
	return spare;
}

static void inspect(struct inspector_spare *spare, unsigned int deadline_ms)
{
	struct inspector *inspector = NULL;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL(inspector_start(&inspector, spare, event, program, fd, 7, deadline_ms, done, NULL), 0);
	/* The loop has ended by done(). */
	while (!result.calls)
		sd_event_run(event, UINT64_MAX);
	CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), -1);
	CU_ASSERT_EQUAL(result.calls, 1);
}

static void spare_end(struct inspector_spare *spare)
{
	CU_ASSERT_PTR_NULL(inspector_spare_free(spare));
	event = sd_event_unref(event);
}

/* A report only from one that was started before, by an order of its length. */
static void one_that_waits_inspects_a_single_device(void)
{
	struct inspector_spare *spare =
		spare_begin("[ \"$*\" = --wait ] && [ ! -e /proc/self/fd/3 ] || exit 9\n"
			    "[ $(head -c 8 <&4 | wc -c) = 8 ] && cat $data >&4");

	inspect(spare, DEADLINE_MS);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
	CU_ASSERT_STRING_EQUAL(result.report.units[0].vendor, "SANWA");
	CU_ASSERT_FALSE(inspector_spare_waits(spare));
	spare_end(spare);
}

static void without_one_that_waits_another_is_started(void)
{
	struct inspector_spare *spare = spare_begin("[ \"$1\" != --wait ] || exit 5\ncat $data >&4");

	while (inspector_spare_waits(spare))
		sd_event_run(event, UINT64_MAX);
	inspect(spare, DEADLINE_MS);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
	spare_end(spare);
}

/* It has died, and nobody has looked yet. */
static void one_that_died_unseen_is_not_used(void)
{
	struct inspector_spare *spare = spare_begin("[ \"$1\" != --wait ] || exit 5\ncat $data >&4");

	usleep(500000);
	CU_ASSERT_TRUE(inspector_spare_waits(spare));
	inspect(spare, DEADLINE_MS);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
	spare_end(spare);
}

static void one_that_waited_and_hangs_is_killed_at_the_deadline(void)
{
	struct inspector_spare *spare = spare_begin("head -c 8 <&4 > /dev/null; exec sleep 60");

	inspect(spare, 100);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_TIMEOUT);
	spare_end(spare);
}

static const struct test tests[] = {
	TEST(whole_report_is_taken),
	TEST(report_in_pieces_is_taken_as_one),
	TEST(part_of_a_report_is_none),
	TEST(more_than_a_report_is_none),
	TEST(inspector_that_hangs_is_killed_at_the_deadline),
	TEST(arguments_say_what_the_descriptor_is),
	TEST(program_that_is_not_there_is_an_error),
	TEST(one_that_waits_inspects_a_single_device),
	TEST(without_one_that_waits_another_is_started),
	TEST(one_that_died_unseen_is_not_used),
	TEST(one_that_waited_and_hangs_is_killed_at_the_deadline),
};

int main(void)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (!mkdtemp(dir))
		return 1;
	snprintf(program, sizeof(program), "%s/program", dir);
	snprintf(data, sizeof(data), "%s/data", dir);
	r = testing_run("inspector", tests, ARRAY_SIZE(tests));
	unlink(program);
	unlink(data);
	rmdir(dir);
	return r;
}
