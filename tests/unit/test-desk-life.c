// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * desk/transition, desk/term, desk/field: what may happen to a medium, until when, and in which
 * values.
 */
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "core/civil.h"
#include "core/macro.h"
#include "desk/field.h"
#include "desk/term.h"
#include "desk/transition.h"
#include "testing.h"

/*
 * What becomes of a medium of each status, written as the drawing has it: '.' refused, '?' only
 * with a reason.
 */
enum {
	N_STATUSES = MEDIUM_DISPOSED + 1,
};

static const struct {
	enum event_kind kind;
	const char *
		becomes; /* of active, lent, lost, revoked, disposed; by first letters, D for disposed */
} drawing[] = {
	{EVENT_ISSUED, "a..a."},   {EVENT_ENROLLED, "a..a."}, {EVENT_IMPORTED, "....."},
	{EVENT_LENT, "l...."},     {EVENT_RETURNED, ".a.r."}, {EVENT_LOST, "LL.L."},
	{EVENT_FOUND, "..a.."},    {EVENT_REVOKED, "rr..."},  {EVENT_WIPED, "a..r."},
	{EVENT_DISPOSED, "?.??."}, {EVENT_CHANGED, "alLr."},
};

static char letter(enum medium_status status)
{
	return "alLrD"[status];
}

static void every_step_is_as_drawn(void)
{
	CU_ASSERT_EQUAL(ARRAY_SIZE(drawing), EVENT_COUNT);
	for (size_t i = 0; i < ARRAY_SIZE(drawing); i++)
		for (unsigned int status = 0; status < N_STATUSES; status++) {
			struct transition_state state = {.exists = true, .status = status};
			char expected = drawing[i].becomes[status];
			int r = transition_make(&state, drawing[i].kind, false, MEDIUM_ACTIVE);
			const char *name = event_kind_name(drawing[i].kind);

			EXPECT(r == (expected == '.'   ? TRANSITION_E_STATUS
				     : expected == '?' ? TRANSITION_E_WHY
						       : 0),
			       name);
			if (r)
				EXPECT(state.status == status, name);
			else
				EXPECT(letter(state.status) == expected, name);
			if (expected == '?') {
				EXPECT(!transition_make(&state, drawing[i].kind, true,
							MEDIUM_ACTIVE) &&
					       state.status == MEDIUM_DISPOSED,
				       name);
			}
		}
}

static void what_does_not_exist_can_only_be_entered(void)
{
	for (unsigned int kind = 0; kind < EVENT_COUNT; kind++) {
		struct transition_state state = {0};
		bool enters =
			kind == EVENT_ISSUED || kind == EVENT_ENROLLED || kind == EVENT_IMPORTED;
		int r = transition_make(&state, kind, true, MEDIUM_LOST);

		EXPECT(r == (enters ? 0 : TRANSITION_E_STATUS), event_kind_name(kind));
		EXPECT(state.exists == enters, event_kind_name(kind));
		if (enters)
			EXPECT(state.status ==
				       (kind == EVENT_IMPORTED ? MEDIUM_LOST : MEDIUM_ACTIVE),
			       event_kind_name(kind));
	}
}

static void the_wiped_need_no_reason_and_cannot_be_lent(void)
{
	struct transition_state state = {0}, copy;

	transition_make(&state, EVENT_ISSUED, false, MEDIUM_ACTIVE);
	CU_ASSERT_EQUAL(transition_make(&state, EVENT_WIPED, false, MEDIUM_ACTIVE), 0);
	CU_ASSERT_EQUAL(transition_make(&state, EVENT_LENT, true, MEDIUM_ACTIVE),
			TRANSITION_E_WIPED);
	copy = state;
	CU_ASSERT_EQUAL(transition_make(&copy, EVENT_DISPOSED, false, MEDIUM_ACTIVE), 0);
	CU_ASSERT_EQUAL(copy.status, MEDIUM_DISPOSED);
	/* Lost after all: nobody can say any more what is on it. */
	copy = state;
	transition_make(&copy, EVENT_LOST, false, MEDIUM_ACTIVE);
	CU_ASSERT_EQUAL(transition_make(&copy, EVENT_DISPOSED, false, MEDIUM_ACTIVE),
			TRANSITION_E_WHY);
	CU_ASSERT_EQUAL(transition_make(&state, EVENT_ISSUED, false, MEDIUM_ACTIVE), 0);
	CU_ASSERT_EQUAL(transition_make(&state, EVENT_LENT, false, MEDIUM_ACTIVE), 0);
}

static void being_revoked_outlives_being_lost(void)
{
	struct transition_state state = {.exists = true, .status = MEDIUM_REVOKED};

	for (unsigned int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(transition_make(&state, EVENT_LOST, false, MEDIUM_ACTIVE), 0);
		CU_ASSERT_EQUAL(transition_make(&state, EVENT_CHANGED, false, MEDIUM_ACTIVE), 0);
		CU_ASSERT_EQUAL(transition_make(&state, EVENT_FOUND, false, MEDIUM_ACTIVE), 0);
		CU_ASSERT_EQUAL(state.status, MEDIUM_REVOKED);
	}
	transition_make(&state, EVENT_ISSUED, false, MEDIUM_ACTIVE);
	transition_make(&state, EVENT_LOST, false, MEDIUM_ACTIVE);
	transition_make(&state, EVENT_FOUND, false, MEDIUM_ACTIVE);
	CU_ASSERT_EQUAL(state.status, MEDIUM_ACTIVE);
}

static bool is_translated(const char *english)
{
	return strcmp(i18n(english), i18n_in(true, english));
}

static void every_word_has_both_languages_and_is_found_again(void)
{
	for (unsigned int kind = 0; kind < EVENT_COUNT; kind++) {
		enum event_kind found;

		EXPECT(event_kind_find(event_kind_name(kind), &found) && found == kind,
		       event_kind_name(kind));
		EXPECT(*event_kind_text(kind) && is_translated(event_kind_text(kind)),
		       event_kind_name(kind));
		for (unsigned int status = 0; status < N_STATUSES; status++) {
			struct transition_state state = {.exists = true, .status = status};

			const char *advice = transition_advice(&state, kind);

			EXPECT(!*advice || is_translated(advice), event_kind_name(kind));
		}
	}
}

static void terms_end_on_the_31st_of_march(void)
{
	static const struct {
		const char *day;
		const char *end;
	} rows[] = {
		{"2026-11-21", "2027-03-31"}, {"2027-01-01", "2027-03-31"},
		{"2027-03-31", "2027-03-31"}, {"2027-04-01", "2028-03-31"},
		{"2028-02-29", "2028-03-31"}, {"1999-12-31", "2000-03-31"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char end[TERM_DATE_MAX], day[TERM_DATE_MAX];
		int64_t civil = 0;

		EXPECT(civil_parse(rows[i].day, 10, true, &civil), rows[i].day);
		term_fiscal_end(civil, end);
		term_date(civil, day);
		EXPECT(!strcmp(end, rows[i].end) && !strcmp(day, rows[i].day), rows[i].day);
	}
}

static void fields_take_one_form_of_each_value(void)
{
	static const struct {
		enum field field;
		const char *value;
		bool ok;
	} rows[] = {
		{FIELD_NUMBER, "ZEI-0001", true},
		{FIELD_NUMBER, "税-1", true},
		{FIELD_NUMBER, " x", false},
		{FIELD_NUMBER, "a\nb", false},
		{FIELD_ID, "46f4:0001", true},
		{FIELD_ID, "46F4:0001", false},
		{FIELD_ID, "46f4:1", false},
		{FIELD_SERIAL, "", true},
		{FIELD_SERIAL,
		 "\xe2\x80\xae"
		 "1",
		 false},
		{FIELD_CLASS, "II", true},
		{FIELD_CLASS, "2", false},
		{FIELD_ACCESS, "ro", true},
		{FIELD_ACCESS, "wo", false},
		{FIELD_ENCRYPTION, "luks2", true},
		{FIELD_ENCRYPTION, "optional", false},
		{FIELD_USERS, "tanaka,@zeimu", true},
		{FIELD_USERS, "tanaka, suzuki", false},
		{FIELD_USERS, ",", false},
		{FIELD_UNTIL, "2027-03-31", true},
		{FIELD_UNTIL, "2027-3-31", false},
		{FIELD_UNTIL, "2027-02-29", false},
		{FIELD_UNTIL, "2027-03-31T10:00", false},
		{FIELD_STATUS, "lent", true},
		{FIELD_STATUS, "LENT", false},
		{FIELD_MARK, "{}", false},
		{FIELD_HOLDER, "\xff", false},
	};
	char number[MEDIUM_NUMBER_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(!field_check(rows[i].field, rows[i].value) == rows[i].ok, rows[i].value);
	memset(number, 'x', MEDIUM_NUMBER_MAX);
	number[MEDIUM_NUMBER_MAX] = '\0';
	CU_ASSERT_PTR_NOT_NULL(field_check(FIELD_NUMBER, number));
	CU_ASSERT_PTR_NULL(field_check(FIELD_NUMBER, number + 1));
	for (enum field i = 0; i < FIELD_COUNT; i++)
		EXPECT(field_find(field_rows[i].name) == i && is_translated(field_rows[i].text),
		       field_rows[i].name);
}

static void a_record_lays_over_another(void)
{
	struct record record = {0}, sets = {0};

	record_set(&record, FIELD_HOLDER, "a");
	record_set(&record, FIELD_PLACE, "b");
	record_set(&sets, FIELD_HOLDER, "");
	record_apply(&record, &sets);
	CU_ASSERT_STRING_EQUAL(record_get(&record, FIELD_HOLDER), "");
	CU_ASSERT_STRING_EQUAL(record_get(&record, FIELD_PLACE), "b");
	CU_ASSERT_STRING_EQUAL(record_get(&record, FIELD_NOTE), "");
	record_deinit(&record);
	record_deinit(&sets);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(every_step_is_as_drawn),
		TEST(what_does_not_exist_can_only_be_entered),
		TEST(the_wiped_need_no_reason_and_cannot_be_lent),
		TEST(being_revoked_outlives_being_lost),
		TEST(every_word_has_both_languages_and_is_found_again),
		TEST(terms_end_on_the_31st_of_march),
		TEST(fields_take_one_form_of_each_value),
		TEST(a_record_lays_over_another),
	};

	i18n_init();
	i18n_speak(false);
	return testing_run("desk-life", tests, ARRAY_SIZE(tests));
}
