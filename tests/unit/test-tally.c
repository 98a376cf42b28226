// SPDX-License-Identifier: GPL-2.0-or-later
/* report/: members found without a parser, months on the wall clock, counters that strangers cannot blow up, the tally. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/civil.h"
#include "core/macro.h"
#include "report/tally.h"
#include "testing.h"

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

/* --- members --- */

static const char *const lines[] = {
	"{\"seq\":17,\"time\":\"2026-10-01T00:00:00.000000Z\",\"kind\":\"denied\",\"terminal\":\"t\",\"product\":\"a \\\"b\\\" \\\\ \\u202e\\n\","
	"\"verdicts\":[{\"reason\":\"inner\",\"x\":\"]}\"},{\"y\":[1,2,{}]}],\"reason\":\"outer\",\"signed\":true,\"size\":18446744073709551615}",
	"{ \"kind\" : \"held\" , \"product\":\"\\ud83d\\ude00\\u00e9\\/\\t\", \"serial\":\"\\ud83d\\u0041\", \"medium\":null, \"count\":-3 }",
	"{\"kind\":\"first\",\"reason\":\"x\",\"kind\":\"second\"}",
	"{\"product\":\"日本製メモリ\",\"user\":\"\",\"detail\":\"}{][,:\"}",
	"{}",
};

static const struct {
	enum field field;
	const char *name;
} compared[] = {
	{ FIELD_KIND, "kind" },	    { FIELD_PRODUCT, "product" }, { FIELD_SERIAL, "serial" },
	{ FIELD_REASON, "reason" }, { FIELD_USER, "user" },	  { FIELD_DETAIL, "detail" },
	{ FIELD_TERMINAL, "terminal" },
};

static struct json_object *parse_strictly(const char *line, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, line, (int)len);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != len || !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

/* Whatever json-c takes for an object we take too, with the same strings in it. */
static bool agrees(const char *line, size_t len)
{
	struct json_object *object = parse_strictly(line, len), *value;
	char text[FIELD_STRING_MAX];
	struct fields fields;
	bool parsed = fields_parse(&fields, line, len), same = parsed || !object;

	for (size_t i = 0; object && i < ARRAY_SIZE(compared); i++) {
		const char *expected = "";

		if (json_object_object_get_ex(object, compared[i].name, &value) &&
		    json_object_is_type(value, json_type_string)) {
			expected = json_object_get_string(value);
			if (strlen(expected) != (size_t)json_object_get_string_len(value))
				continue;
		}
		same &= !strcmp(fields_string(&fields, compared[i].field, text), expected);
	}
	json_object_put(object);
	return same;
}

static void members_are_those_a_json_reader_finds(void)
{
	struct fields fields;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		EXPECT(agrees(lines[i], strlen(lines[i])), lines[i]);
	CU_ASSERT_TRUE_FATAL(fields_parse(&fields, lines[0], strlen(lines[0])));
	CU_ASSERT_EQUAL(fields_number(&fields, FIELD_SEQ), 17);
	CU_ASSERT_EQUAL(fields_number(&fields, FIELD_SIZE), UINT64_MAX);
	CU_ASSERT_TRUE(fields_true(&fields, FIELD_SIGNED));
	CU_ASSERT_TRUE(fields_is(&fields, FIELD_REASON, "outer"));
	CU_ASSERT_FALSE(fields_has(&fields, FIELD_MEDIUM));
	CU_ASSERT_TRUE_FATAL(fields_parse(&fields, lines[1], strlen(lines[1])));
	CU_ASSERT_EQUAL(fields_number(&fields, FIELD_COUNT), 0);
	CU_ASSERT_TRUE_FATAL(fields_parse(&fields, lines[2], strlen(lines[2])));
	CU_ASSERT_TRUE(fields_is(&fields, FIELD_KIND, "second"));
}

/* Each byte changed into those that mean something to JSON, in memory of exactly that size. */
static void no_damaged_line_is_read_otherwise_than_by_a_json_reader(void)
{
	static const char bytes[] = "\"\\{}[],:u0 \xff";

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		size_t len = strlen(lines[i]);

		for (size_t at = 0; at < len; at++) {
			for (size_t b = 0; b < sizeof(bytes); b++) {
				char *copy = strndup(lines[i], len), *exact = malloc(len);

				copy[at] = bytes[b];
				memcpy(exact, copy, len);
				EXPECT(agrees(exact, len), copy);
				free(exact);
				free(copy);
			}
		}
	}
}

static void a_cut_line_has_no_members(void)
{
	struct fields fields;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		for (size_t len = 0; len < strlen(lines[i]); len++) {
			char *exact = malloc(len ? len : 1);

			memcpy(exact, lines[i], len);
			EXPECT(!fields_parse(&fields, exact, len) && !fields_has(&fields, FIELD_KIND), lines[i]);
			free(exact);
		}
	}
}

static void a_long_string_is_cut_before_a_character(void)
{
	char line[4096] = "{\"product\":\"", text[FIELD_STRING_MAX];
	struct fields fields;

	for (int i = 0; i < 400; i++)
		strcat(line, "日");
	strcat(line, "\"}");
	CU_ASSERT_TRUE_FATAL(fields_parse(&fields, line, strlen(line)));
	fields_string(&fields, FIELD_PRODUCT, text);
	CU_ASSERT_EQUAL(strlen(text), (FIELD_STRING_MAX - 1) / 3 * 3);
}

/* --- months --- */

static void a_month_is_that_of_the_wall_clock(void)
{
	const struct period_hour *hour;
	struct period period;
	int64_t us;

	set_zone("JST-9");
	CU_ASSERT_TRUE_FATAL(period_set_month(&period, "2026-02"));
	CU_ASSERT_EQUAL(period.n_days, 28);
	CU_ASSERT_EQUAL(period.n_hours, 28 * 24);
	CU_ASSERT_TRUE(civil_parse_moment("2026-01-31T15:00:00.000000Z", 27, &us));
	CU_ASSERT_EQUAL(period.since_us, us);
	CU_ASSERT_TRUE(civil_parse_moment("2026-02-10T23:59:59.999999Z", 27, &us));
	hour = period_find(&period, us);
	CU_ASSERT_EQUAL(hour->day, 10);
	CU_ASSERT_EQUAL(hour->hour, 8);

	/* A night with an hour twice. */
	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	CU_ASSERT_TRUE_FATAL(period_set_month(&period, "2026-10"));
	CU_ASSERT_EQUAL(period.n_hours, 31 * 24 + 1);
	CU_ASSERT_TRUE(civil_parse_moment("2026-10-25T00:30:00.000000Z", 27, &us));
	CU_ASSERT_EQUAL(period_find(&period, us)->hour, 2);
	CU_ASSERT_TRUE(civil_parse_moment("2026-10-25T01:30:00.000000Z", 27, &us));
	CU_ASSERT_EQUAL(period_find(&period, us)->hour, 2);
	CU_ASSERT_TRUE(civil_parse_moment("2026-10-31T22:59:59.000000Z", 27, &us));
	CU_ASSERT_EQUAL(period_find(&period, us)->day, 30);
	set_zone("JST-9");
}

static void what_is_no_month_or_time_is_refused(void)
{
	static const char *const months[] = { "", "2026", "2026-00", "2026-13", "26-01", "2026-1", "2026-01-01",
					      "1969-12", "2026/01", "２０２６-01" };
	static const char *const times[] = { "", "2026-10-01T00:00:00Z", "2026-13-01T00:00:00.000000Z", "2026-02-30T00:00:00.000000Z",
					     "2026-10-01 00:00:00.000000Z", "2026-10-01T24:00:00.000000Z",
					     "2026-10-01T00:00:00.00000xZ" };
	struct period period;
	int64_t us;

	for (size_t i = 0; i < ARRAY_SIZE(months); i++)
		EXPECT(!period_set_month(&period, months[i]), months[i]);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		EXPECT(!civil_parse_moment(times[i], strlen(times[i]), &us), times[i]);
}

/* --- counters --- */

static void names_beyond_the_limit_are_counted_together(void)
{
	struct counts *counts = counts_new();
	const struct count *const *sorted;
	char name[32];

	for (unsigned int i = 0; i < COUNTS_MAX + 1000; i++) {
		snprintf(name, sizeof(name), "name %u", i);
		counts_at(counts, name, "", "", i)->values[0]++;
	}
	counts_at(counts, "name 7", "", "", 9)->values[0] += 5;
	CU_ASSERT_EQUAL(counts_n(counts), COUNTS_MAX);
	CU_ASSERT_EQUAL(counts_others(counts)->values[0], 1000);
	sorted = counts_sorted(counts, 0);
	CU_ASSERT_STRING_EQUAL(sorted[0]->parts[0], "name 7");
	CU_ASSERT_EQUAL(sorted[0]->values[0], 6);
	CU_ASSERT_STRING_EQUAL(sorted[1]->parts[0], "name 0");
	counts_free(counts);
}

/* "ab"+"c" is another name than "a"+"bc". */
static void parts_of_a_name_do_not_run_together(void)
{
	struct counts *counts = counts_new();

	counts_at(counts, "ab", "c", "", 0)->values[0]++;
	counts_at(counts, "a", "bc", "", 0)->values[0]++;
	CU_ASSERT_EQUAL(counts_n(counts), 2);
	counts_free(counts);
}

/* --- the tally --- */

static uint64_t next_seq;

static void add(struct tally *tally, const char *time, const char *kind, const char *members)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "{\"seq\":%" PRIu64 ",\"time\":\"2026-%s.000000Z\",\"kind\":\"%s\"%s}",
			 ++next_seq, time, kind, members);

	CU_ASSERT_EQUAL(tally_add(tally, line, (size_t)n), 0);
}

static struct tally *october(struct period *period)
{
	set_zone("UTC0");
	next_seq = 0;
	if (!period_set_month(period, "2026-10"))
		abort();
	return tally_new(period);
}

static void the_months_borders_are_exact(void)
{
	struct period period;
	struct tally *tally = october(&period);

	add(tally, "09-30T23:59:59", "denied", ",\"reason\":\"a\"");
	add(tally, "10-01T00:00:00", "denied", ",\"reason\":\"b\"");
	add(tally, "10-31T23:59:59", "denied", ",\"reason\":\"c\"");
	add(tally, "11-01T00:00:00", "denied", ",\"reason\":\"d\"");
	CU_ASSERT_EQUAL(tally->denied, 2);
	CU_ASSERT_EQUAL(tally->days[0].denied, 1);
	CU_ASSERT_EQUAL(tally->days[30].denied, 1);
	CU_ASSERT_EQUAL(tally->hours_denied[23], 1);
	CU_ASSERT_EQUAL(tally->first_seq, 2);
	CU_ASSERT_EQUAL(tally->final_seq, 3);
	tally_free(tally);
}

static void missing_numbers_are_told(void)
{
	struct period period;
	struct tally *tally = october(&period);

	add(tally, "10-01T00:00:00", "held", "");
	next_seq += 3;
	add(tally, "10-02T00:00:00", "held", "");
	CU_ASSERT_EQUAL_FATAL(tally->seq_gaps.n, 1);
	CU_ASSERT_EQUAL(tally->seq_gaps.entries[0].numbers[0], 2);
	CU_ASSERT_EQUAL(tally->seq_gaps.entries[0].numbers[1], 4);
	tally_free(tally);
}

static void a_gap_counts_only_inside_the_month_and_while_the_terminal_ran(void)
{
	struct period period;
	struct tally *tally = october(&period);

	/* Off from 22:00 to 02:00, then ran two hours without the keeper. */
	add(tally, "09-30T22:00:00", "stopped", "");
	add(tally, "10-01T04:00:00", "started", ",\"boot_us\":7200000000");
	CU_ASSERT_EQUAL(tally->gap_us, INT64_C(4) * 3600 * 1000000);
	CU_ASSERT_EQUAL(tally->gap_on_us, INT64_C(2) * 3600 * 1000000);
	CU_ASSERT_EQUAL_FATAL(tally->time_gaps.n, 1);
	CU_ASSERT_EQUAL(tally->time_gaps.entries[0].numbers[2], 0);
	/* Killed, and back ten minutes later on the same boot. */
	add(tally, "10-01T05:00:00", "held", "");
	add(tally, "10-01T05:10:00", "started", ",\"boot_us\":11400000000");
	CU_ASSERT_EQUAL_FATAL(tally->time_gaps.n, 2);
	CU_ASSERT_EQUAL(tally->time_gaps.entries[1].numbers[2], 1);
	CU_ASSERT_EQUAL(tally->time_gaps.entries[1].numbers[1], UINT64_C(600000000));
	/* Switched off in the evening, on in the morning: ordinary. */
	add(tally, "10-01T18:00:00", "stopped", "");
	add(tally, "10-02T08:00:00", "started", ",\"boot_us\":15000000");
	CU_ASSERT_EQUAL(tally->time_gaps.n, 2);
	CU_ASSERT_EQUAL(tally->ordinary_gaps, 1);
	tally_free(tally);
}

static void a_device_held_again_after_sleep_was_not_plugged_in(void)
{
	struct period period;
	struct tally *tally = october(&period);

	add(tally, "10-01T08:00:00", "held", "");
	add(tally, "10-01T09:00:00", "held", ",\"reason\":\"sleep\"");
	add(tally, "10-01T09:30:00", "passed", "");
	CU_ASSERT_EQUAL(tally->attaches, 2);
	tally_free(tally);
}

static void an_incident_told_of_again_is_the_same_one(void)
{
	struct period period;
	struct tally *tally = october(&period);

	add(tally, "10-01T08:00:00", "incident", ",\"number\":\"t-1\",\"type\":\"tampering\",\"medium\":\"M\",\"count\":1");
	add(tally, "10-01T09:00:00", "incident", ",\"number\":\"t-1\",\"type\":\"tampering\",\"count\":9,\"again\":true");
	CU_ASSERT_EQUAL(tally->incidents.total, 1);
	CU_ASSERT_EQUAL(tally->incidents.entries[0].numbers[0], 9);
	CU_ASSERT_STRING_EQUAL(tally->incidents.entries[0].texts[2], "M");
	tally_free(tally);
}

/* Its first record belongs to the month before: there it counts, with the figures that came later. */
static void an_incident_over_the_months_border_counts_once(void)
{
	static const char again[] = ",\"number\":\"t-1\",\"type\":\"tampering\",\"count\":9,\"again\":true";
	struct period period;
	struct tally *tally = october(&period);

	add(tally, "09-30T23:30:00", "incident", ",\"number\":\"t-1\",\"type\":\"tampering\",\"count\":1");
	add(tally, "10-01T00:31:00", "incident", again);
	CU_ASSERT_EQUAL(tally->incidents.total, 0);
	CU_ASSERT_EQUAL(tally->days[0].incidents, 0);
	tally_free(tally);

	tally = october(&period);
	add(tally, "10-31T23:30:00", "incident", ",\"number\":\"t-1\",\"type\":\"tampering\",\"count\":1");
	add(tally, "11-01T00:31:00", "incident", again);
	CU_ASSERT_EQUAL(tally->incidents.total, 1);
	CU_ASSERT_EQUAL(tally->days[30].incidents, 1);
	CU_ASSERT_EQUAL(tally->incidents.entries[0].numbers[0], 9);
	tally_free(tally);
}

static void incidents_beyond_the_list_count_once(void)
{
	struct period period;
	struct tally *tally = october(&period);
	char members[64];

	for (int again = 0; again < 2; again++) {
		for (int i = 0; i < TALLY_LIST_MAX + 50; i++) {
			snprintf(members, sizeof(members), ",\"number\":\"t-%d\"%s", i, again ? ",\"again\":true" : "");
			add(tally, "10-01T08:00:00", "incident", members);
		}
	}
	CU_ASSERT_EQUAL(tally->incidents.total, TALLY_LIST_MAX + 50);
	CU_ASSERT_EQUAL(tally->days[0].incidents, TALLY_LIST_MAX + 50);
	tally_free(tally);
}

static void a_self_check_that_could_not_look_did_not_fail(void)
{
	struct period period;
	struct tally *tally = october(&period);

	add(tally, "10-01T08:00:00", "self-check", ",\"result\":\"unknown\",\"ok\":40,\"warn\":0,\"fail\":0,\"unknown\":3");
	add(tally, "10-02T08:00:00", "self-check", ",\"result\":\"something else\",\"ok\":0,\"warn\":0,\"fail\":0");
	CU_ASSERT_EQUAL(tally->checks[CHECK_UNKNOWN], 1);
	CU_ASSERT_EQUAL(tally->days[0].checks[CHECK_UNKNOWN], 1);
	CU_ASSERT_EQUAL(tally->checks[CHECK_FAIL], 1);
	CU_ASSERT_EQUAL(tally->check_found[CHECK_UNKNOWN], 0);
	tally_free(tally);

	tally = october(&period);
	add(tally, "10-01T08:00:00", "self-check", ",\"result\":\"unknown\",\"ok\":40,\"warn\":0,\"fail\":0,\"unknown\":3");
	CU_ASSERT_EQUAL(tally->check_found[CHECK_UNKNOWN], 3);
	tally_free(tally);
}

/* Nobody plugged anything in for hours, but the keeper signed its log; then it was killed. */
static void a_checkpoint_is_a_sign_of_life(void)
{
	struct period period;
	struct tally *tally = october(&period);

	add(tally, "10-01T08:00:00", "held", "");
	add(tally, "10-01T11:00:00", "checkpoint", "");
	add(tally, "10-01T11:20:00", "started", ",\"boot_us\":20000000000");
	CU_ASSERT_EQUAL(tally->gap_on_us, INT64_C(20) * 60 * 1000000);
	CU_ASSERT_EQUAL_FATAL(tally->time_gaps.n, 1);
	CU_ASSERT_EQUAL(tally->time_gaps.entries[0].numbers[2], 1);
	/* The keeper that comes back may sign before it says that it has started. */
	add(tally, "10-01T12:00:00", "held", "");
	add(tally, "10-01T12:59:58", "log-recovered", "");
	add(tally, "10-01T12:59:59", "checkpoint", "");
	add(tally, "10-01T13:00:00", "started", ",\"boot_us\":30000000000");
	CU_ASSERT_EQUAL_FATAL(tally->time_gaps.n, 2);
	CU_ASSERT_EQUAL(tally->time_gaps.entries[1].numbers[1], UINT64_C(3600000000));
	/* After a proper stop only the checkpoint at the end comes. */
	add(tally, "10-01T14:00:00", "stopped", "");
	add(tally, "10-01T14:00:01", "checkpoint", "");
	add(tally, "10-01T15:00:00", "started", ",\"boot_us\":40000000000");
	CU_ASSERT_EQUAL_FATAL(tally->time_gaps.n, 3);
	CU_ASSERT_EQUAL(tally->time_gaps.entries[2].numbers[2], 0);
	CU_ASSERT_EQUAL(tally->time_gaps.entries[2].numbers[1], UINT64_C(3600000000));
	tally_free(tally);
}

static void lists_are_cut_and_their_totals_are_not(void)
{
	struct period period;
	struct tally *tally = october(&period);

	for (int i = 0; i < 500; i++)
		add(tally, "10-01T08:00:00", "clock-set", "");
	CU_ASSERT_EQUAL(tally->clocks.n, TALLY_LIST_MAX);
	CU_ASSERT_EQUAL(tally->clocks.total, 500);
	tally_free(tally);
}

static void what_is_no_record_is_counted_and_harms_nothing(void)
{
	static const char *const strange[] = { "", "{", "[]", "nothing", "{\"seq\":1}", "{\"time\":\"never\"}", "\xff\xfe" };
	struct period period;
	struct tally *tally = october(&period);

	for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
		CU_ASSERT_EQUAL(tally_add(tally, strange[i], strlen(strange[i])), 0);
	CU_ASSERT_EQUAL(tally->strange, ARRAY_SIZE(strange));
	CU_ASSERT_EQUAL(tally->records, 0);
	tally_free(tally);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(members_are_those_a_json_reader_finds),
		TEST(no_damaged_line_is_read_otherwise_than_by_a_json_reader),
		TEST(a_cut_line_has_no_members),
		TEST(a_long_string_is_cut_before_a_character),
		TEST(a_month_is_that_of_the_wall_clock),
		TEST(what_is_no_month_or_time_is_refused),
		TEST(names_beyond_the_limit_are_counted_together),
		TEST(parts_of_a_name_do_not_run_together),
		TEST(the_months_borders_are_exact),
		TEST(missing_numbers_are_told),
		TEST(a_gap_counts_only_inside_the_month_and_while_the_terminal_ran),
		TEST(a_device_held_again_after_sleep_was_not_plugged_in),
		TEST(an_incident_told_of_again_is_the_same_one),
		TEST(an_incident_over_the_months_border_counts_once),
		TEST(incidents_beyond_the_list_count_once),
		TEST(a_self_check_that_could_not_look_did_not_fail),
		TEST(a_checkpoint_is_a_sign_of_life),
		TEST(lists_are_cut_and_their_totals_are_not),
		TEST(what_is_no_record_is_counted_and_harms_nothing),
	};

	return testing_run("tally", tests, ARRAY_SIZE(tests));
}
