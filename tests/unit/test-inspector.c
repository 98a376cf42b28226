// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs of a played inspector: a shell script in place of sekimori-inspect, or this program itself. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/inspection.h"
#include "core/macro.h"
#include "inspect/waiting.h"
#include "system/child.h"
#include "system/inspector.h"
#include "testing.h"

#define DEADLINE_MS 10000

static char dir[] = "/tmp/sekimori-inspector-XXXXXX";
static char program[64], data[64], said[64];
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

static void run_until_done(void)
{
	RUN_UNTIL(event, result.calls);
	CU_ASSERT_EQUAL_FATAL(result.calls, 1);
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
		run_until_done();
	event = sd_event_unref(event);
	if (block)
		close(fd);
	/* Taken over in any case. */
	CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), -1);
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

#define S UINT64_C(1000000)

static struct {
	uint64_t us[16]; /* when the next one is to be started, each time that it was said */
	size_t n;
} plans;

/* Every time but the first. A test does not wait for a minute. */
int __real_sd_event_source_set_time_relative(sd_event_source *source, uint64_t usec);
int __wrap_sd_event_source_set_time_relative(sd_event_source *source, uint64_t usec);
int __wrap_sd_event_source_set_time_relative(sd_event_source *source, uint64_t usec)
{
	if (plans.n < ARRAY_SIZE(plans.us))
		plans.us[plans.n++] = usec;
	return __real_sd_event_source_set_time_relative(source, usec < INSPECTOR_SPARE_RETRY_US ? usec : 1000);
}

/* With one that waits already. */
static struct inspector_spare *spare_begin(const char *path, const char *body)
{
	struct inspector_spare *spare = NULL;

	memset(&result, 0, sizeof(result));
	memset(&plans, 0, sizeof(plans));
	report_make();
	program_make(body);
	CU_ASSERT_EQUAL_FATAL(sd_event_new(&event), 0);
	CU_ASSERT_EQUAL_FATAL(inspector_spare_new(&spare, event, path), 0);
	CU_ASSERT_FALSE(inspector_spare_waits(spare));
	RUN_UNTIL(event, inspector_spare_waits(spare));
	CU_ASSERT_TRUE_FATAL(inspector_spare_waits(spare));
	return spare;
}

/* The device is /dev/full: what a child finds as 0 is another one. */
static void inspect(struct inspector_spare *spare, unsigned int deadline_ms)
{
	struct inspector *inspector = NULL;
	int fd = open("/dev/full", O_RDONLY | O_CLOEXEC);

	memset(&result, 0, sizeof(result));
	CU_ASSERT_EQUAL_FATAL(inspector_start(&inspector, spare, event, program, fd, 7, deadline_ms, done, NULL), 0);
	run_until_done();
	CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), -1);
}

static void spare_end(struct inspector_spare *spare)
{
	CU_ASSERT_PTR_NULL(inspector_spare_free(spare));
	event = sd_event_unref(event);
	/* It is not there for the next test to meet. */
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* What it was sent, as one line. */
static void order_line(char line[static REPORT_DETAIL_MAX], const struct inspection *order, dev_t device)
{
	const uint8_t *bytes = (const uint8_t *)order;
	size_t at = 0;

	for (size_t i = 0; i < sizeof(*order); i++)
		at += (size_t)snprintf(line + at, REPORT_DETAIL_MAX - at, "%02x", bytes[i]);
	snprintf(line + at, REPORT_DETAIL_MAX - at, " %u:%u", major(device), minor(device));
}

/* This program, started as an inspector that waits: reports what it was sent. */
static int stand_in(void)
{
	struct inspection order;
	struct report report;
	struct stat st;

	if (waiting_receive(&order) || fstat(CHILD_FD_FIRST, &st) < 0)
		return 1;
	report_init(&report, REPORT_PLAIN);
	order_line(report.detail, &order, st.st_rdev);
	return write(CHILD_FD_FIRST + 1, &report, sizeof(report)) == (ssize_t)sizeof(report) ? 0 : 1;
}

static void one_that_waits_gets_the_device_and_the_order(void)
{
	const struct inspection order = {.deadline_ms = DEADLINE_MS, .interface = 7};
	struct inspector_spare *spare = spare_begin("/proc/self/exe", "exit 9");
	char line[REPORT_DETAIL_MAX];
	struct stat full;

	CU_ASSERT_EQUAL(stat("/dev/full", &full), 0);
	order_line(line, &order, full.st_rdev);
	inspect(spare, DEADLINE_MS);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
	CU_ASSERT_STRING_EQUAL(result.report.detail, line);
	spare_end(spare);
}

/* A report only from one that was started before, by an order of its length. */
static void one_that_waits_inspects_a_single_device(void)
{
	struct inspector_spare *spare =
		spare_begin(program, "[ \"$*\" = --wait ] && [ ! -e /proc/self/fd/3 ] || exit 9\n"
				     "[ $(head -c 8 <&4 | wc -c) = 8 ] && cat $data >&4");

	inspect(spare, DEADLINE_MS);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
	CU_ASSERT_STRING_EQUAL(result.report.units[0].vendor, "SANWA");
	CU_ASSERT_FALSE(inspector_spare_waits(spare));
	spare_end(spare);
}

static void without_one_that_waits_another_is_started(void)
{
	struct inspector_spare *spare = spare_begin(program, "[ \"$1\" != --wait ] || exit 5\ncat $data >&4");

	RUN_UNTIL(event, !inspector_spare_waits(spare));
	CU_ASSERT_FALSE(inspector_spare_waits(spare));
	inspect(spare, DEADLINE_MS);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
	spare_end(spare);
}

/* It has died, and nobody has looked yet. */
static void one_that_died_unseen_is_not_used(void)
{
	struct inspector_spare *spare = spare_begin(program, "[ \"$1\" != --wait ] || exit 5\ncat $data >&4");
	siginfo_t info;

	CU_ASSERT_EQUAL(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	CU_ASSERT_TRUE(inspector_spare_waits(spare));
	inspect(spare, DEADLINE_MS);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
	RUN_UNTIL(event, plans.n);
	CU_ASSERT_EQUAL(plans.us[0], INSPECTOR_SPARE_RETRY_US);
	spare_end(spare);
}

static void one_that_waited_and_hangs_is_killed_at_the_deadline(void)
{
	struct inspector_spare *spare = spare_begin(program, "head -c 8 <&4 > /dev/null; exec sleep 60");

	inspect(spare, 100);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_TIMEOUT);
	spare_end(spare);
}

/* --- one that is of no use --- */

/* Standard error goes to a file between the two; the second one gives its text. */
static int stderr_before = -1;

static void stderr_keep(void)
{
	int fd = open(said, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

	stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	CU_ASSERT_FATAL(fd >= 0 && stderr_before >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	close(fd);
}

static void stderr_give(char *text, size_t size)
{
	int fd = open(said, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	dup2(stderr_before, STDERR_FILENO);
	close(stderr_before);
	n = read(fd, text, size - 1);
	CU_ASSERT_FATAL(n >= 0);
	text[n] = '\0';
	close(fd);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

static void internal_make(const char *path, const char *detail)
{
	struct report report;

	report_init(&report, REPORT_INTERNAL);
	strcpy(report.detail, detail);
	file_write(path, 0600, &report, sizeof(report));
}

static void expect_plans(const uint64_t *seconds, size_t n)
{
	CU_ASSERT_EQUAL_FATAL(plans.n, n);
	for (size_t i = 0; i < n; i++)
		CU_ASSERT_EQUAL(plans.us[i], seconds[i] * S);
}

static void one_that_is_never_of_use_is_told_once_and_tried_ever_later(void)
{
	static const uint64_t seconds[] = {60, 120, 240, 480, 960, 1920, 3600, 3600, 3600};
	struct inspector_spare *spare;
	char text[4096], path[80];

	snprintf(path, sizeof(path), "%s.internal", data);
	internal_make(path, "sandbox, calls: Invalid argument");
	stderr_keep();
	spare = spare_begin(program, "cat $data.internal >&4; exit 1");
	RUN_UNTIL(event, plans.n >= ARRAY_SIZE(seconds));
	spare_end(spare);
	stderr_give(text, sizeof(text));
	unlink(path);
	expect_plans(seconds, ARRAY_SIZE(seconds));
	CU_ASSERT_EQUAL(count(text, "\n"), 1);
	CU_ASSERT_EQUAL(count(text, "has exited with 1: sandbox, calls: Invalid argument; "), 1);
	CU_ASSERT_EQUAL(count(text, "tried in 60 s, "), 1);
}

static void another_kind_of_end_is_told_too(void)
{
	struct inspector_spare *spare;
	char text[4096];

	stderr_keep();
	spare = spare_begin(program, "head -c 100 $data >&4; exit 3");
	RUN_UNTIL(event, plans.n >= 2);
	program_make("kill -9 $$");
	RUN_UNTIL(event, plans.n >= 5);
	unlink(program);
	RUN_UNTIL(event, plans.n >= 7);
	spare_end(spare);
	stderr_give(text, sizeof(text));
	CU_ASSERT_EQUAL(count(text, "\n"), 3);
	/* Part of a report says nothing. */
	CU_ASSERT_EQUAL(count(text, "has exited with 3; "), 1);
	CU_ASSERT_EQUAL(count(text, "has died of signal 9; "), 1);
	CU_ASSERT_EQUAL(count(text, "no inspector can be started ahead: No such file or directory; "), 1);
}

static void one_that_was_of_use_begins_anew(void)
{
	static const uint64_t seconds[] = {60, 120};
	struct inspector_spare *spare;
	char text[4096];

	stderr_keep();
	spare = spare_begin(program, "exit 3");
	RUN_UNTIL(event, plans.n >= 2);
	expect_plans(seconds, ARRAY_SIZE(seconds));
	program_make("head -c 8 <&4 > /dev/null; cat $data >&4");
	RUN_UNTIL(event, inspector_spare_waits(spare));
	inspect(spare, DEADLINE_MS);
	CU_ASSERT_EQUAL(result.end, INSPECTOR_REPORTED);
	program_make("exit 3");
	RUN_UNTIL(event, plans.n >= 5);
	spare_end(spare);
	stderr_give(text, sizeof(text));
	CU_ASSERT_EQUAL(plans.us[2], INSPECTOR_SPARE_US);
	CU_ASSERT_EQUAL(plans.us[3], 60 * S);
	CU_ASSERT_EQUAL(plans.us[4], 120 * S);
	CU_ASSERT_EQUAL(count(text, "has exited with 3; "), 2);
}

static const struct test tests[] = {
	TEST(whole_report_is_taken),
	TEST(report_in_pieces_is_taken_as_one),
	TEST(part_of_a_report_is_none),
	TEST(more_than_a_report_is_none),
	TEST(inspector_that_hangs_is_killed_at_the_deadline),
	TEST(arguments_say_what_the_descriptor_is),
	TEST(program_that_is_not_there_is_an_error),
	TEST(one_that_waits_gets_the_device_and_the_order),
	TEST(one_that_waits_inspects_a_single_device),
	TEST(without_one_that_waits_another_is_started),
	TEST(one_that_died_unseen_is_not_used),
	TEST(one_that_waited_and_hangs_is_killed_at_the_deadline),
	TEST(one_that_is_never_of_use_is_told_once_and_tried_ever_later),
	TEST(another_kind_of_end_is_told_too),
	TEST(one_that_was_of_use_begins_anew),
};

int main(int argc, char **argv)
{
	sigset_t set;
	int r;

	if (argc == 2 && !strcmp(argv[1], "--wait"))
		return stand_in();
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (!mkdtemp(dir))
		return 1;
	snprintf(program, sizeof(program), "%s/program", dir);
	snprintf(data, sizeof(data), "%s/data", dir);
	snprintf(said, sizeof(said), "%s/said", dir);
	r = testing_run("inspector", tests, ARRAY_SIZE(tests));
	unlink(program);
	unlink(data);
	unlink(said);
	rmdir(dir);
	return r;
}
