// SPDX-License-Identifier: GPL-2.0-or-later
/* core/incident: which records are incidents, and how they are folded. */
#include <stdio.h>
#include <string.h>

#include "core/incident.h"
#include "core/macro.h"
#include "testing.h"

#define SECOND UINT64_C(1000000)
#define STICK "blake2b:00112233445566778899aabbccddeeff"

static struct incident out[INCIDENT_OUT_MAX];

static struct incident_fact fact_of(const char *kind, const char *reason, const char *fingerprint,
				    uint64_t seq, uint64_t seconds)
{
	return (struct incident_fact){ .seq = seq, .boot_us = seconds * SECOND, .date = 20261121,
				       .kind = kind, .reason = reason, .why = "",
				       .fingerprint = fingerprint, .medium = "", .attempt = "",
				       .program = "", .uid = "" };
}

static size_t add(struct incidents *incidents, const char *kind, const char *reason,
		  const char *fingerprint, uint64_t seq, uint64_t seconds)
{
	struct incident_fact fact = fact_of(kind, reason, fingerprint, seq, seconds);

	return incidents_add(incidents, &fact, out);
}

static void one_record_is_enough_for_these(void)
{
	static const struct {
		const char *kind, *reason, *why;
		int type; /* -1: none */
	} rows[] = {
		{ "denied", "medium-lost", "", INCIDENT_LOST_MEDIUM },
		{ "tampering", "", "", INCIDENT_TAMPERING },
		{ "denied", "two-faces", "", INCIDENT_TAMPERING },
		{ "denied", "mark-forged", "", INCIDENT_TAMPERING },
		{ "denied", "mark-other-device", "", INCIDENT_TAMPERING },
		{ "refused", "", "", INCIDENT_GATE_ATTEMPT },
		{ "volume-refused", "infected", "", INCIDENT_INFECTED_MEDIUM },
		{ "log-damaged", "", "", INCIDENT_LOG_DAMAGE },
		{ "log-begun", "", "key-state-lost", INCIDENT_LOG_DAMAGE },
		{ "log-continued", "", "file-missing", INCIDENT_LOG_DAMAGE },
		{ "crash-loop", "", "", INCIDENT_CRASH_LOOP },
		{ "log-begun", "", "first", -1 },
		{ "log-continued", "", "rotated", -1 },
		{ "denied", "not-registered", "", -1 },
		{ "volume-refused", "wrong-passphrase", "", -1 },
		{ "allowed", "medium-lost", "", -1 },
		{ "clock-reversed", "", "", -1 },
		{ "removed", "medium-lost", "", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct incidents *incidents = incidents_new();
		struct incident_fact fact = fact_of(rows[i].kind, rows[i].reason, STICK, 7, 100);
		size_t n;

		fact.why = rows[i].why;
		n = incidents_add(incidents, &fact, out);
		EXPECT(n == (rows[i].type >= 0), rows[i].kind);
		if (n)
			EXPECT((int)out[0].type == rows[i].type && out[0].first_seq == 7 &&
				       out[0].last_seq == 7 && out[0].count == 1 && !out[0].again,
			       rows[i].kind);
		incidents_free(incidents);
	}
}

static void five_refusals_of_one_device_in_ten_minutes(void)
{
	struct incidents *incidents = incidents_new();

	for (uint64_t i = 1; i <= 4; i++)
		CU_ASSERT_EQUAL(add(incidents, "denied", "not-registered", STICK, i, i * 150), 0);
	CU_ASSERT_EQUAL_FATAL(add(incidents, "denied", "not-registered", STICK, 5, 750), 1);
	CU_ASSERT_EQUAL(out[0].type, INCIDENT_REPEATED_DENIALS);
	CU_ASSERT_EQUAL(out[0].first_seq, 1);
	CU_ASSERT_EQUAL(out[0].last_seq, 5);
	CU_ASSERT_EQUAL(out[0].count, 5);
	CU_ASSERT_STRING_EQUAL(out[0].cause, STICK);
	incidents_free(incidents);

	/* The same five over a second longer are none. */
	incidents = incidents_new();
	for (uint64_t i = 1; i <= 5; i++)
		CU_ASSERT_EQUAL(add(incidents, "denied", "not-registered", STICK, i,
				    i < 5 ? i * 150 : 751), 0);
	incidents_free(incidents);
}

static void ten_refusals_of_any_devices_in_ten_minutes(void)
{
	struct incidents *incidents = incidents_new();
	char fingerprint[64];

	for (uint64_t i = 1; i <= 10; i++) {
		snprintf(fingerprint, sizeof(fingerprint), "blake2b:%032u", (unsigned int)i);
		CU_ASSERT_EQUAL(add(incidents, "denied", "not-registered", fingerprint, i, i * 60),
				i == 10);
	}
	CU_ASSERT_STRING_EQUAL(out[0].cause, "");
	CU_ASSERT_EQUAL(out[0].first_seq, 1);
	CU_ASSERT_EQUAL(out[0].count, 10);
	incidents_free(incidents);
}

static void what_the_terminal_asks_again_by_itself_is_no_refusal(void)
{
	struct incidents *incidents = incidents_new();

	for (uint64_t i = 1; i <= 40; i++)
		CU_ASSERT_EQUAL(add(incidents, "denied", i % 2 ? "no-medium" : "hardware-locked", STICK, i, i), 0);
	incidents_free(incidents);
}

static void loading_a_driver_for_what_is_held_is_no_attempt_of_anybody(void)
{
	static const struct {
		const char *attempt, *program;
		size_t n;
	} rows[] = {
		{ "bind", "(udev-worker)", 0 }, { "bind", "modprobe", 0 },	{ "bind", "sh", 1 },
		{ "bind", "modprobe2", 1 },	{ "unload", "modprobe", 1 },	{ "authorize", "(udev-worker)", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct incidents *incidents = incidents_new();
		struct incident_fact fact = fact_of("refused", "", "", 1, 1);

		fact.attempt = rows[i].attempt;
		fact.program = rows[i].program;
		EXPECT(incidents_add(incidents, &fact, out) == rows[i].n, rows[i].program);
		incidents_free(incidents);
	}
}

static void one_cause_is_one_incident_for_an_hour(void)
{
	struct incidents *incidents = incidents_new();

	CU_ASSERT_EQUAL(add(incidents, "tampering", "", STICK, 10, 1000), 1);
	for (uint64_t i = 1; i <= 20; i++)
		CU_ASSERT_EQUAL(add(incidents, "tampering", "", STICK, 10 + i, 1000 + i), 0);
	/* Another device is another cause. */
	CU_ASSERT_EQUAL(add(incidents, "tampering", "", "blake2b:ff", 31, 1030), 1);
	/* The hour is over: the first is told of again with its count, and a new one begins. */
	CU_ASSERT_EQUAL_FATAL(add(incidents, "tampering", "", STICK, 40, 1000 + 3600), 2);
	CU_ASSERT_TRUE(out[0].again);
	CU_ASSERT_EQUAL(out[0].number_seq, 10);
	CU_ASSERT_EQUAL(out[0].count, 21);
	CU_ASSERT_EQUAL(out[0].last_seq, 30);
	CU_ASSERT_FALSE(out[1].again);
	CU_ASSERT_EQUAL(out[1].number_seq, 40);
	CU_ASSERT_EQUAL(out[1].count, 1);
	/* Nothing followed on these two, so there is nothing to add. */
	CU_ASSERT_FALSE(incidents_finish(incidents, out));
	incidents_free(incidents);
}

static void what_was_counted_is_told_at_the_end(void)
{
	struct incidents *incidents = incidents_new();

	add(incidents, "tampering", "", STICK, 10, 1000);
	add(incidents, "tampering", "", STICK, 11, 1001);
	add(incidents, "log-damaged", "", "", 12, 1002);
	add(incidents, "log-damaged", "", "", 13, 1003);
	CU_ASSERT_TRUE(incidents_finish(incidents, out));
	CU_ASSERT_EQUAL(out[0].number_seq, 10);
	CU_ASSERT_TRUE(incidents_finish(incidents, out));
	CU_ASSERT_EQUAL(out[0].number_seq, 12);
	CU_ASSERT_EQUAL(out[0].count, 2);
	CU_ASSERT_FALSE(incidents_finish(incidents, out));
	incidents_free(incidents);
}

static void a_clock_that_goes_back_three_times_a_day(void)
{
	struct incidents *incidents = incidents_new();

	CU_ASSERT_EQUAL(add(incidents, "clock-reversed", "", "", 1, 0), 0);
	CU_ASSERT_EQUAL(add(incidents, "clock-reversed", "", "", 2, 80000), 0);
	CU_ASSERT_EQUAL(add(incidents, "clock-reversed", "", "", 3, 90000), 0);
	CU_ASSERT_EQUAL(add(incidents, "clock-reversed", "", "", 4, 91000), 1);
	CU_ASSERT_EQUAL(out[0].type, INCIDENT_CLOCK_REVERSED);
	CU_ASSERT_EQUAL(out[0].first_seq, 2);
	incidents_free(incidents);
}

/* No number of causes is too many: memory is fixed, and no call hands out more than there is room for. */
static void a_flood_of_causes_loses_no_count(void)
{
	struct incidents *incidents = incidents_new();
	uint64_t begun = 0, added = 0, told = 0;
	char fingerprint[64];
	size_t n;

	for (uint64_t i = 0; i < 20000; i++) {
		snprintf(fingerprint, sizeof(fingerprint), "blake2b:%u", (unsigned int)(i / 2));
		n = add(incidents, "tampering", "", fingerprint, i + 1, 1000 + i / 100);
		EXPECT(n <= INCIDENT_OUT_MAX, "room");
		for (size_t k = 0; k < n; k++) {
			begun += !out[k].again;
			told += out[k].again ? out[k].count : 0;
		}
		added++;
	}
	while (incidents_finish(incidents, out))
		told += out[0].count;
	CU_ASSERT_EQUAL(begun, 10000);
	CU_ASSERT_EQUAL(told, added);
	incidents_free(incidents);
}

static void the_number_names_terminal_day_and_record(void)
{
	struct incident incident = { .date = 20260401, .number_seq = 4711 };
	char number[INCIDENT_NUMBER_MAX];

	incident_number(number, "counter-3", &incident);
	CU_ASSERT_STRING_EQUAL(number, "counter-3-20260401-4711");
}

int main(void)
{
	static const struct test tests[] = {
		TEST(one_record_is_enough_for_these),
		TEST(five_refusals_of_one_device_in_ten_minutes),
		TEST(ten_refusals_of_any_devices_in_ten_minutes),
		TEST(what_the_terminal_asks_again_by_itself_is_no_refusal),
		TEST(loading_a_driver_for_what_is_held_is_no_attempt_of_anybody),
		TEST(one_cause_is_one_incident_for_an_hour),
		TEST(what_was_counted_is_told_at_the_end),
		TEST(a_clock_that_goes_back_three_times_a_day),
		TEST(a_flood_of_causes_loses_no_count),
		TEST(the_number_names_terminal_day_and_record),
	};

	return testing_run("incident", tests, ARRAY_SIZE(tests));
}
