// SPDX-License-Identifier: GPL-2.0-or-later
/* report/exception-sheet: the printed application and its outcome, whatever the daemon or a stranger has put into it. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "report/report.h"
#include "testing.h"

#define STEPS                                                                                                           \
	"[{\"step\":1,\"event\":\"request\",\"from\":\"draft\",\"to\":\"requested\",\"time\":1791190000,\"who\":\"tanaka\",\"note\":\"\"}," \
	"{\"step\":2,\"event\":\"approve\",\"time\":1791190600,\"who\":\"sato\",\"note\":\"ok\"},"                       \
	"{\"step\":3,\"event\":\"confirm-erased\",\"time\":1791200000,\"who\":\"\",\"note\":\"\"}]"
#define EXCEPTION                                                                                                       \
	"{\"number\":12,\"state\":\"erase-confirmed\",\"emergency\":false,\"person\":\"tanaka\",\"requester\":\"suzuki\","  \
	"\"terminal\":\"ZEI-014\",\"fingerprint\":\"blake2b:a51c\",\"class\":\"storage-plain\",\"access\":\"rw\","        \
	"\"encrypted-only\":true,\"end\":1791197800,\"purpose\":\"申告書の受渡し\",\"data-class\":\"II\",\"form\":\"8\","   \
	"\"requested\":1791190000,\"approved\":1791190600,\"begun\":1791190600,\"ended\":1791197800,\"used\":2,"          \
	"\"written\":1048576,\"approvers\":[\"sato\"]}"

static struct document *sheet(const char *exception, const char *steps)
{
	_cleanup_(json_objectp) struct json_object *x = json_tokener_parse(exception);
	_cleanup_(json_objectp) struct json_object *s = json_tokener_parse(steps);

	return report_exception(x, s);
}

/* The cell beside the field of this id; NULL: there is none. */
static const struct document_cell *field(const struct document *d, const char *id)
{
	for (size_t i = 0; i < d->n_sections; i++) {
		const struct document_section *section = &d->sections[i];

		for (size_t row = 0; section->n_columns == 2 && row < document_rows(section); row++)
			if (!strcmp(document_raw(document_cell(section, row, 0)), id))
				return document_cell(section, row, 1);
	}
	return NULL;
}

static bool says(const struct document *d, const char *id, const char *raw)
{
	const struct document_cell *cell = field(d, id);

	return cell && !strcmp(document_raw(cell), raw);
}

static bool is_blank(const struct document *d, const char *id)
{
	const struct document_cell *cell = field(d, id);

	return cell && cell->tone == TONE_BLANK;
}

static const struct document_section *section(const struct document *d, const char *id)
{
	for (size_t i = 0; i < d->n_sections; i++)
		if (!strcmp(d->sections[i].id, id))
			return &d->sections[i];
	return NULL;
}

static char *html(const struct document *d)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	document_write_html(d, out);
	fclose(out);
	return text;
}

static void what_is_known_is_filled_in_and_the_rest_left_blank(void)
{
	struct document *d = sheet(EXCEPTION, STEPS);

	EXPECT(says(d, "number", "12"), "number");
	EXPECT(says(d, "requester", "suzuki") && says(d, "person", "tanaka"), "people");
	EXPECT(says(d, "purpose", "申告書の受渡し"), "purpose");
	EXPECT(says(d, "class", "storage-plain") && says(d, "fingerprint", "blake2b:a51c"), "device");
	EXPECT(says(d, "access", "rw") && says(d, "encrypted-only", "true"), "access");
	EXPECT(says(d, "approver-1", "sato") && !field(d, "approver-2"), "approver");
	EXPECT(says(d, "state", "erase-confirmed") && says(d, "used", "2"), "outcome");
	EXPECT(strstr(field(d, "erased-by")->shown, "terminal"), "the terminal saw it empty");
	EXPECT(is_blank(d, "return-by") && is_blank(d, "returned") && is_blank(d, "post"), "blanks");
	EXPECT(is_blank(d, "owner") && is_blank(d, "why-not-issued"), "fields of form 8");
	EXPECT(!field(d, "report"), "no report of what was no emergency");
	CU_ASSERT_EQUAL(document_rows(section(d, "steps")), 3);
	document_free(d);
}

/* Each form has its own fields and its own people who sign. */
static void forms_differ_by_what_their_clauses_ask(void)
{
	static const struct {
		const char *exception, *field;
		size_t stamps;
	} rows[] = {
		{ "{\"form\":\"8\"}", "owner", 3 },	 { "{\"form\":\"10\"}", "change", 3 },
		{ "{\"form\":\"13-1\"}", "rule", 5 },	 { "{\"form\":\"13-2\"}", "safety", 3 },
		{ "{\"emergency\":true,\"form\":\"13-2\"}", "unavoidable", 5 },
		{ "{\"emergency\":true,\"form\":\"8\"}", "unavoidable", 5 }, { "{\"form\":\"99\"}", "safety", 3 },
		{ "{}", "safety", 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct document *d = sheet(rows[i].exception, "[]");
		const struct document_section *stamps = section(d, "stamps");

		EXPECT(is_blank(d, rows[i].field), rows[i].exception);
		EXPECT(stamps && stamps->n_columns == rows[i].stamps && document_rows(stamps) == 1, rows[i].exception);
		EXPECT(document_cell(stamps, 0, 0)->tone == TONE_BLANK, rows[i].exception);
		document_free(d);
	}
}

static void an_emergency_shows_its_report(void)
{
	struct document *d = sheet("{\"emergency\":true,\"state\":\"expired\",\"reported\":1791200000,\"approved\":1}",
				   "[{\"event\":\"report\",\"note\":\"停電\"}]");

	EXPECT(says(d, "report", "停電") && says(d, "approver-1", "(emergency)"), "report");
	document_free(d);
	d = sheet("{\"emergency\":true,\"state\":\"live\"}", "[]");
	EXPECT(is_blank(d, "report") && is_blank(d, "reported"), "not yet");
	document_free(d);
}

static void only_a_denied_request_shows_why(void)
{
	static const char steps[] = "[{\"event\":\"deny\",\"note\":\"too long\"}]";
	struct document *d = sheet("{\"state\":\"denied\"}", steps);

	EXPECT(says(d, "denied", "too long"), "denied");
	document_free(d);
	d = sheet("{\"state\":\"live\"}", steps);
	EXPECT(!field(d, "denied"), "an extension was denied");
	document_free(d);
}

static void texts_of_strangers_never_become_markup(void)
{
	struct document *d = sheet("{\"purpose\":\"<script>alert(1)</script>\",\"person\":\"\\\"><img src=x>\",\"state\":\"</td>\","
				   "\"class\":\"<b>\",\"terminal\":\"<i>\",\"approvers\":[\"<u>\"],\"form\":\"<s>\",\"medium\":\"\\u202e\\u001b[2J\"}",
				   "[{\"event\":\"<em>\",\"who\":\"<a>\",\"note\":\"</table>\"}]");
	char *page = html(d);

	for (const char *const *bad = (const char *const[]){ "<script>", "<img", "<b>", "<i>", "<u>", "<s>", "<em>", "<a>", "\x1b", "\u202e", NULL };
	     *bad; bad++)
		EXPECT(!strstr(page, *bad), *bad);
	EXPECT(strstr(page, "&lt;script&gt;") && strstr(page, "&lt;/table&gt;"), "shown as they are");
	free(page);
	document_free(d);
}

/* Whoever owns the daemon's name may answer anything. */
static void members_of_other_types_are_blank_and_harm_nothing(void)
{
	static const char *const exceptions[] = {
		"{\"number\":\"x\",\"end\":9223372036854775807,\"begin\":-5,\"approvers\":{},\"period\":99999999999,\"uses\":[],\"written\":-1}",
		"{\"approvers\":[null,7,\"a\",\"b\",\"c\"],\"emergency\":\"yes\",\"purpose\":7,\"requested\":true}",
		"{\"end\":1e300,\"write-quota\":18446744073709551615}",
	};
	static const char *const steps[] = { "[]", "{}", "[null,7,[],{\"time\":\"x\",\"step\":-1}]", "null" };

	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(steps); k++) {
			struct document *d = sheet(exceptions[i], steps[k]);
			char *page = html(d);

			EXPECT(is_blank(d, "purpose") && strstr(page, "</html>"), exceptions[i]);
			free(page);
			document_free(d);
		}
	}
}

static void steps_that_were_left_out_are_spoken_of(void)
{
	static const char gap[] = "[{\"step\":1,\"event\":\"request\"},{\"step\":900,\"event\":\"use\"}]";
	struct document *d = sheet(EXCEPTION, STEPS);
	const struct document_section *last = &d->sections[d->n_sections - 1];

	CU_ASSERT_EQUAL(last->n_notes, 0);
	document_free(d);
	d = sheet(EXCEPTION, gap);
	last = &d->sections[d->n_sections - 1];
	CU_ASSERT_EQUAL_FATAL(last->n_notes, 1);
	EXPECT(!strncmp(last->notes[0], "2 of 900 steps", 14), last->notes[0]);
	document_free(d);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(what_is_known_is_filled_in_and_the_rest_left_blank),
		TEST(forms_differ_by_what_their_clauses_ask),
		TEST(an_emergency_shows_its_report),
		TEST(only_a_denied_request_shows_why),
		TEST(texts_of_strangers_never_become_markup),
		TEST(steps_that_were_left_out_are_spoken_of),
		TEST(members_of_other_types_are_blank_and_harm_nothing),
	};

	return testing_run("exception-sheet", tests, ARRAY_SIZE(tests));
}
