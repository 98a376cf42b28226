// SPDX-License-Identifier: GPL-2.0-or-later
/* report/tally-exceptions: what the records of exceptions come to, in a month and at its end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/macro.h"
#include "report/tally-exceptions.h"
#include "testing.h"

static uint64_t next_seq;

static void add(struct tally *tally, const char *time, const char *kind, const char *members)
{
	char line[1024];
	int n = snprintf(line, sizeof(line), "{\"seq\":%" PRIu64 ",\"time\":\"2026-%s.000000Z\",\"kind\":\"%s\"%s}",
			 ++next_seq, time, kind, members);

	CU_ASSERT_TRUE_FATAL(n > 0 && n < (int)sizeof(line));
	CU_ASSERT_EQUAL(tally_add(tally, line, (size_t)n), 0);
}

/* A step of an exception, with what the daemon puts into each of them. */
static void step(struct tally *tally, const char *time, unsigned int number, const char *event, const char *from,
		 const char *to, const char *more)
{
	char kind[64], members[896];

	snprintf(kind, sizeof(kind), "exception-%s", event);
	snprintf(members, sizeof(members), ",\"exception\":%u,\"person\":\"tanaka\",\"requester\":\"tanaka\",\"from\":\"%s\",\"to\":\"%s\"%s",
		 number, from, to, more);
	add(tally, time, kind, members);
}

#define TERMS                                                                                                            \
	",\"purpose\":\"申告書\",\"form\":\"8\",\"access\":\"rw\",\"class\":\"storage-plain\",\"fingerprint\":\"blake2b:00\"," \
	"\"begin\":0,\"end\":1792576800"

static struct tally *october(struct period *period)
{
	setenv("TZ", "UTC0", 1);
	tzset();
	next_seq = 0;
	if (!period_set_month(period, "2026-10"))
		abort();
	return tally_new(period);
}

static struct tally_exceptions *end(struct tally *tally)
{
	CU_ASSERT_EQUAL(tally_end(tally, INT64_MAX), 0);
	return tally->exceptions;
}

static void ask(struct tally *tally, const char *time, unsigned int number)
{
	step(tally, time, number, "request", "draft", "requested", TERMS);
}

static void grant_by_two(struct tally *tally, unsigned int number)
{
	step(tally, "10-05T09:10:00", number, "approve", "requested", "requested", ",\"by\":\"sato\"");
	step(tally, "10-05T09:20:00", number, "approve", "requested", "approved", ",\"by\":\"ito\"" TERMS);
	step(tally, "10-05T09:20:00", number, "begin", "approved", "live", "");
}

static void a_life_is_one_exception_with_all_that_was_done(void)
{
	struct period period;
	struct tally *tally = october(&period);
	const struct tally_exception *one;
	struct tally_exceptions *e;

	ask(tally, "10-05T09:00:00", 7);
	grant_by_two(tally, 7);
	step(tally, "10-05T09:30:00", 7, "use", "live", "live", "");
	step(tally, "10-05T09:40:00", 7, "written", "live", "live", ",\"bytes\":1000");
	step(tally, "10-05T09:50:00", 7, "written", "live", "live", ",\"bytes\":500");
	step(tally, "10-05T10:00:00", 7, "expire", "live", "expired", "");
	step(tally, "10-05T11:00:00", 7, "return", "expired", "returned", ",\"by\":\"tanaka\"");
	step(tally, "10-06T09:00:00", 7, "confirm-erased", "returned", "erase-confirmed", ",\"by\":\"sato\"");
	step(tally, "10-06T09:01:00", 7, "close", "erase-confirmed", "closed", ",\"by\":\"sato\"");
	e = end(tally);
	CU_ASSERT_EQUAL_FATAL(e->n, 1);
	one = e->list[0];
	CU_ASSERT_EQUAL(one->what.state, EXCEPTION_CLOSED);
	CU_ASSERT_EQUAL(one->what.approvals.n, 2);
	CU_ASSERT_STRING_EQUAL(one->what.approvals.by[1].name, "ito");
	CU_ASSERT_EQUAL(one->what.used, 1);
	CU_ASSERT_EQUAL(one->what.written, 1500);
	CU_ASSERT_STRING_EQUAL(one->what.grant.purpose, "申告書");
	CU_ASSERT_EQUAL(one->due, 0);
	CU_ASSERT_EQUAL(e->events[EXCEPTION_REQUEST], 1);
	CU_ASSERT_EQUAL(e->events[EXCEPTION_APPROVE], 1);
	CU_ASSERT_EQUAL(e->first_approvals, 1);
	CU_ASSERT_EQUAL(e->granted_by_two, 1);
	CU_ASSERT_EQUAL(counts_sorted(e->people, EXCEPTIONS_STEPS)[0]->values[EXCEPTIONS_WRITTEN], 1500);
	CU_ASSERT_STRING_EQUAL(counts_sorted(e->forms, EXCEPTIONS_STEPS)[0]->parts[0], "8");
	tally_free(tally);
}

/* The month counts what was done in it; what is owed at its end may be older. */
static void what_is_owed_from_before_is_listed_and_not_counted(void)
{
	struct period period;
	struct tally *tally = october(&period);
	struct tally_exceptions *e;

	ask(tally, "09-01T09:00:00", 1);
	step(tally, "09-01T09:10:00", 1, "approve", "requested", "approved", ",\"by\":\"sato\"" TERMS);
	step(tally, "09-01T09:10:00", 1, "begin", "approved", "live", "");
	step(tally, "09-01T09:20:00", 1, "use", "live", "live", "");
	step(tally, "09-01T10:00:00", 1, "expire", "live", "expired", "");
	ask(tally, "09-02T09:00:00", 2);
	step(tally, "09-02T10:00:00", 2, "deny", "requested", "denied", "");
	e = end(tally);
	CU_ASSERT_EQUAL_FATAL(e->n, 1);
	CU_ASSERT_EQUAL(e->list[0]->what.number, 1);
	CU_ASSERT_FALSE(e->list[0]->inside);
	CU_ASSERT_EQUAL(e->list[0]->due, EXCEPTION_DUE_RETURN | EXCEPTION_DUE_ERASURE | EXCEPTION_DUE_OVERDUE);
	CU_ASSERT_EQUAL(e->overdue, 1);
	CU_ASSERT_EQUAL(e->events[EXCEPTION_REQUEST], 0);
	CU_ASSERT_EQUAL(counts_n(e->people), 0);
	tally_free(tally);
}

static void what_comes_after_the_month_changes_nothing(void)
{
	struct period period;
	struct tally *tally = october(&period);
	struct tally_exceptions *e;

	step(tally, "10-30T09:00:00", 3, "emergency", "draft", "live", TERMS ",\"emergency\":true");
	step(tally, "10-30T11:00:00", 3, "expire", "live", "expired", ",\"emergency\":true");
	step(tally, "11-01T00:00:00", 3, "report", "expired", "expired", ",\"emergency\":true,\"note\":\"x\"");
	ask(tally, "11-02T09:00:00", 4);
	e = end(tally);
	CU_ASSERT_EQUAL_FATAL(e->n, 1);
	CU_ASSERT_EQUAL(e->unreported, 1);
	CU_ASSERT_EQUAL(e->reports_overdue, 1);
	CU_ASSERT_EQUAL(e->events[EXCEPTION_REPORT], 0);
	tally_free(tally);
}

static void an_extension_is_no_approval_of_a_request(void)
{
	struct period period;
	struct tally *tally = october(&period);
	struct tally_exceptions *e;

	ask(tally, "10-05T09:00:00", 7);
	grant_by_two(tally, 7);
	step(tally, "10-05T09:30:00", 7, "extend", "live", "live", ",\"until\":1800000000");
	step(tally, "10-05T09:40:00", 7, "approve", "live", "live", ",\"by\":\"sato\",\"until\":1800000000");
	CU_ASSERT_EQUAL(tally->exceptions->list[0]->what.grant.not_after, 1792576800);
	step(tally, "10-05T09:50:00", 7, "approve", "live", "live", ",\"by\":\"ito\",\"until\":1800000000");
	step(tally, "10-05T09:55:00", 7, "extend", "live", "live", ",\"until\":1900000000");
	step(tally, "10-05T09:56:00", 7, "deny", "live", "live", ",\"by\":\"ito\",\"until\":1900000000");
	e = end(tally);
	CU_ASSERT_EQUAL(e->list[0]->what.grant.not_after, 1800000000);
	CU_ASSERT_EQUAL(e->list[0]->what.approvals.n, 2);
	CU_ASSERT_EQUAL(e->events[EXCEPTION_APPROVE], 1);
	CU_ASSERT_EQUAL(e->extensions_approved, 2);
	CU_ASSERT_EQUAL(e->events[EXCEPTION_DENY], 0);
	CU_ASSERT_EQUAL(e->extensions_denied, 1);
	tally_free(tally);
}

/* Told after a crash: what was done was done then. */
static void a_late_record_says_when_it_was(void)
{
	struct period period;
	struct tally *tally = october(&period);

	ask(tally, "10-05T09:00:00", 7);
	step(tally, "10-05T12:00:00", 7, "approve", "requested", "approved", ",\"by\":\"sato\",\"at\":1791190000,\"late\":true" TERMS);
	CU_ASSERT_EQUAL(end(tally)->list[0]->what.approved, 1791190000);
	tally_free(tally);
}

/* A store that was lost begins at 1 again. */
static void the_same_number_asked_for_again_is_another_one(void)
{
	struct period period;
	struct tally *tally = october(&period);
	struct tally_exceptions *e;

	ask(tally, "10-05T09:00:00", 1);
	step(tally, "10-05T09:10:00", 1, "deny", "requested", "denied", "");
	ask(tally, "10-06T09:00:00", 1);
	e = end(tally);
	CU_ASSERT_EQUAL_FATAL(e->n, 2);
	CU_ASSERT_EQUAL(e->list[0]->what.state, EXCEPTION_DENIED);
	CU_ASSERT_EQUAL(e->list[1]->what.state, EXCEPTION_REQUESTED);
	CU_ASSERT_EQUAL(e->waiting, 1);
	tally_free(tally);
}

static void too_many_are_counted_and_harm_nothing(void)
{
	struct period period;
	struct tally *tally = october(&period);
	struct tally_exceptions *e;

	/* Ended before the month: they make room. */
	for (unsigned int i = 1; i <= EXCEPTIONS_KEPT_MAX; i++) {
		ask(tally, "09-05T09:00:00", i);
		step(tally, "09-05T09:10:00", i, "lapse", "requested", "lapsed", "");
	}
	for (unsigned int i = 10001; i <= 10000 + EXCEPTIONS_KEPT_MAX + 100; i++)
		ask(tally, "10-05T09:00:00", i);
	step(tally, "10-05T09:10:00", 10000 + EXCEPTIONS_KEPT_MAX + 50, "lapse", "requested", "lapsed", "");
	e = end(tally);
	CU_ASSERT_EQUAL(e->n, EXCEPTIONS_KEPT_MAX);
	CU_ASSERT_EQUAL(e->beyond, 100);
	CU_ASSERT_EQUAL(e->events[EXCEPTION_REQUEST], EXCEPTIONS_KEPT_MAX + 100);
	CU_ASSERT_EQUAL(e->events[EXCEPTION_LAPSE], 1);
	tally_free(tally);
}

static void strange_records_are_passed_over(void)
{
	static const char *const members[] = {
		"", ",\"exception\":0", ",\"exception\":-1", ",\"exception\":4294967296", ",\"exception\":\"7\"",
		",\"exception\":7.5", ",\"exception\":{}", ",\"exception\":null",
	};
	struct period period;
	struct tally *tally = october(&period);
	struct tally_exceptions *e;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		add(tally, "10-05T09:00:00", "exception-request", members[i]);
	add(tally, "10-05T09:00:00", "exception-nonsense", ",\"exception\":7");
	add(tally, "10-05T09:00:00", "exception-", ",\"exception\":7");
	add(tally, "10-05T09:00:00", "exception-refused", ",\"reason\":\"exception-own\"");
	add(tally, "10-05T09:00:00", "phone-refused", "");
	step(tally, "10-05T09:00:00", 8, "approve", "nowhere", "heaven",
	     ",\"end\":18446744073709551615,\"begin\":\"soon\",\"class\":\"\\u0000\",\"by\":7");
	e = end(tally);
	CU_ASSERT_EQUAL_FATAL(e->n, 1);
	CU_ASSERT_EQUAL(e->list[0]->what.grant.not_after, 0);
	CU_ASSERT_EQUAL(e->list[0]->what.state, EXCEPTION_DRAFT);
	CU_ASSERT_EQUAL(e->refused, 1);
	CU_ASSERT_EQUAL(e->phone_refused, 1);
	CU_ASSERT_EQUAL(e->events[EXCEPTION_REQUEST], 0);
	tally_free(tally);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(a_life_is_one_exception_with_all_that_was_done),
		TEST(what_is_owed_from_before_is_listed_and_not_counted),
		TEST(what_comes_after_the_month_changes_nothing),
		TEST(an_extension_is_no_approval_of_a_request),
		TEST(a_late_record_says_when_it_was),
		TEST(the_same_number_asked_for_again_is_another_one),
		TEST(too_many_are_counted_and_harm_nothing),
		TEST(strange_records_are_passed_over),
	};

	return testing_run("tally-exceptions", tests, ARRAY_SIZE(tests));
}
