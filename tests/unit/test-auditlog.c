// SPDX-License-Identifier: GPL-2.0-or-later
/* system/auditlog: a kernel that puts the sender to sleep does not stop the daemon. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "system/auditlog.h"
#include "testing.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static unsigned int delivered;
static char newest[AUDITLOG_MESSAGE_MAX];
static int answer;

static int deliver(const char *message, bool success)
{
	pthread_mutex_lock(&gate);
	delivered++;
	strcpy(newest, message);
	pthread_mutex_unlock(&gate);
	return answer;
}

static unsigned int count(void)
{
	unsigned int n;

	pthread_mutex_lock(&gate);
	n = delivered;
	pthread_mutex_unlock(&gate);
	return n;
}

static void wait_for(unsigned int n)
{
	for (time_t end = time(NULL) + TESTING_PATIENCE_S; count() < n && time(NULL) < end;)
		usleep(10000);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int put(struct auditlog *log, const char *serial)
{
	const struct auditlog_field fields[] = { { "op", "denied" }, { "serial", serial }, { NULL, NULL } };

	return auditlog_send(log, fields, false);
}

static void a_sender_that_sleeps_stops_nobody_and_what_it_cannot_send_is_counted(void)
{
	struct auditlog *log;
	int64_t began = now_ms();
	unsigned int taken = 0;

	delivered = 0;
	CU_ASSERT_EQUAL_FATAL(auditlog_new(&log, deliver), 0);
	pthread_mutex_lock(&gate);
	for (unsigned int i = 0; i < 1000; i++)
		taken += put(log, "x") == 0;
	CU_ASSERT_TRUE(now_ms() - began < 2000);
	CU_ASSERT_TRUE(taken >= 64 && taken < 100);
	CU_ASSERT_EQUAL(auditlog_dropped(log), 1000 - taken);
	CU_ASSERT_EQUAL(put(log, "x"), -ENOBUFS);
	pthread_mutex_unlock(&gate);
	wait_for(taken);
	CU_ASSERT_EQUAL(count(), taken);
	CU_ASSERT_EQUAL(put(log, "y"), 0);
	auditlog_free(log);
	CU_ASSERT_EQUAL(count(), taken + 1);
}

static void an_end_does_not_wait_for_a_sender_that_sleeps(void)
{
	struct auditlog *log;
	int64_t began;

	delivered = 0;
	CU_ASSERT_EQUAL_FATAL(auditlog_new(&log, deliver), 0);
	pthread_mutex_lock(&gate);
	CU_ASSERT_EQUAL(put(log, "x"), 0);
	began = now_ms();
	auditlog_free(log);
	CU_ASSERT_TRUE(now_ms() - began < 2000);
	pthread_mutex_unlock(&gate);
	wait_for(1);
	CU_ASSERT_EQUAL(count(), 1);
	/* It frees what it shared with us. */
	usleep(50000);
}

static void values_that_could_end_the_quotes_are_hexadecimal_and_errors_come_back(void)
{
	struct auditlog *log;

	delivered = 0;
	answer = -EPERM;
	CU_ASSERT_EQUAL_FATAL(auditlog_new(&log, deliver), 0);
	CU_ASSERT_EQUAL(put(log, "a\"b"), 0);
	wait_for(1);
	CU_ASSERT_STRING_EQUAL(newest, "op=\"denied\" serial=612262");
	usleep(50000);
	CU_ASSERT_EQUAL(put(log, "x"), -EPERM);
	answer = 0;
	auditlog_free(log);
}

static const struct test tests[] = {
	TEST(a_sender_that_sleeps_stops_nobody_and_what_it_cannot_send_is_counted),
	TEST(an_end_does_not_wait_for_a_sender_that_sleeps),
	TEST(values_that_could_end_the_quotes_are_hexadecimal_and_errors_come_back),
};

int main(void)
{
	return testing_run("audit log", tests, ARRAY_SIZE(tests));
}
