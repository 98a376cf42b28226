// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "agent/form.h"
#include "agent/notices.h"
#include "agent/pinentry.h"
#include "agent/wish.h"
#include "agent/words.h"
#include "cli/i18n.h"
#include "core/reason.h"
#include "testing.h"

#define PATH "/org/sekimori/Sekimori1/devices/4"

/* A day in local time, so that the texts do not depend on the zone. */
#define NOW INT64_C(1795240800)

static struct json_object *json(const char *text)
{
	struct json_object *object = json_tokener_parse(text);

	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	return object;
}

static bool says(const struct notice *notice, const char *text)
{
	return notice && (strstr(notice->title, text) || (notice->body && strstr(notice->body, text)));
}

static struct notice *blocked(const char *reason)
{
	_cleanup_(json_objectp) struct json_object *record = json(
		"{\"device\":\"1-2\",\"id\":\"46f4:0001\",\"product\":\"Stick\",\"manufacturer\":\"Maker\"}");

	json_object_object_add(record, "reason", json_object_new_string(reason));
	return notice_blocked(PATH, record, "情報政策課 内線1234");
}

static void apply_is_offered_only_where_an_exception_helps(void)
{
	static const struct {
		const char *reason;
		bool helps;
	} rows[] = {
		{ "not-registered", true },    { "class-not-allowed", true }, { "not-encrypted", true },
		{ "granted-used-up", true },   { "medium-lost", false },	   { "medium-revoked", false },
		{ "medium-disposed", false },  { "bad-descriptors", false },  { "two-faces", false },
		{ "policy-expired", false },   { "mark-forged", false },	   { "inspector-failed", false },
		{ "log-unwritable", false },   { "mark-other-device", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(notice_freep) struct notice *notice = blocked(rows[i].reason);

		EXPECT(notice && (notice->actions[0] == NOTICE_APPLY) == rows[i].helps, rows[i].reason);
		EXPECT(says(notice, reason_text(rows[i].reason)), rows[i].reason);
		EXPECT(says(notice, "内線1234") && says(notice, "Stick (Maker)"), rows[i].reason);
	}
}

static void a_drill_says_that_it_would_be_blocked_and_offers_the_application(void)
{
	_cleanup_(json_objectp) struct json_object *record = json(
		"{\"device\":\"1-2\",\"id\":\"46f4:0001\",\"product\":\"Stick\",\"reason\":\"not-registered\"}");
	_cleanup_(json_objectp) struct json_object *empty = json("{\"device\":\"1-2\",\"reason\":\"no-medium\"}");
	_cleanup_(notice_freep) struct notice *notice = notice_would_block(PATH, record, "内線1234");

	CU_ASSERT_TRUE(says(notice, "would be blocked"));
	CU_ASSERT_TRUE(says(notice, "drill mode"));
	CU_ASSERT_TRUE(says(notice, reason_text("not-registered")));
	CU_ASSERT_TRUE(says(notice, "内線1234"));
	CU_ASSERT_TRUE(notice && notice->actions[0] == NOTICE_APPLY);
	CU_ASSERT_PTR_NULL(notice_would_block(PATH, empty, ""));
}

static void what_nobody_has_to_know_is_not_said(void)
{
	static const char *const silent[] = { "no-medium", "gone", "harmless", "kept-present" };
	_cleanup_(json_objectp) struct json_object *proved = json("{\"device\":\"1-2\",\"reason\":\"proved\"}");

	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		EXPECT(!blocked(silent[i]), silent[i]);
	CU_ASSERT_PTR_NULL(notice_released(proved, NULL, NOW));
}

static void a_lost_medium_is_urgent(void)
{
	_cleanup_(notice_freep) struct notice *lost = blocked("medium-lost"), *other = blocked("not-registered");

	CU_ASSERT_EQUAL(lost->urgency, NOTICE_CRITICAL);
	CU_ASSERT_EQUAL(other->urgency, NOTICE_NORMAL);
}

/* One notice per port: a device that changes its name with every plugging has one, too. */
static void one_port_has_one_notice(void)
{
	_cleanup_(json_objectp) struct json_object *a = json("{\"device\":\"1-2\",\"product\":\"A\",\"reason\":\"x\"}");
	_cleanup_(json_objectp) struct json_object *b = json("{\"device\":\"1-2\",\"product\":\"B\",\"reason\":\"y\"}");
	_cleanup_(notice_freep) struct notice *first = notice_blocked(PATH, a, "");
	_cleanup_(notice_freep) struct notice *second = notice_blocked(PATH "0", b, "");

	CU_ASSERT_STRING_EQUAL(first->key, second->key);
}

static void a_hostile_name_neither_moves_the_cursor_nor_fills_the_screen(void)
{
	_cleanup_(json_objectp) struct json_object *record =
		json("{\"device\":\"1-2\",\"reason\":\"not-registered\",\"product\":\"x\\u202e\\u001b[2J\\nAsk: nobody\"}");
	char name[4097];
	_cleanup_(notice_freep) struct notice *notice = notice_blocked(PATH, record, "");
	_cleanup_(notice_freep) struct notice *longer = NULL;

	CU_ASSERT(says(notice, "\\u{202E}\\x1B[2J\\x0AAsk: nobody"));
	CU_ASSERT_PTR_NULL(strpbrk(notice->body, "\x1b\t\r"));
	memset(name, 'A', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	json_object_object_add(record, "product", json_object_new_string(name));
	longer = notice_blocked(PATH, record, "");
	CU_ASSERT(strlen(longer->body) < 400);
}

static void a_release_says_how_and_how_long(void)
{
	_cleanup_(json_objectp) struct json_object *record =
		json("{\"device\":\"1-2\",\"reason\":\"granted\",\"access\":\"ro\",\"product\":\"Stick\"}");
	_cleanup_(json_objectp) struct json_object *grant = json_object_new_object();
	_cleanup_(notice_freep) struct notice *notice = NULL;

	json_object_object_add(grant, "End", json_object_new_int64(NOW + 2 * 3600));
	notice = notice_released(record, grant, NOW);
	CU_ASSERT(says(notice, "read-only") && says(notice, "2 h left"));
	CU_ASSERT_EQUAL(notice->actions[0], NOTICE_NOTHING);
}

/* Of several for the same medium, somebody else's among them. */
static void a_release_is_told_of_the_grant_that_decided(void)
{
	_cleanup_(json_objectp) struct json_object *record =
		json("{\"reason\":\"granted\",\"medium\":\"ZEI-001\",\"decided_by\":\"grant 0a0b\"}");
	_cleanup_(json_objectp) struct json_object *by_policy = json("{\"medium\":\"ZEI-001\",\"decided_by\":\"default\"}");
	_cleanup_(json_objectp) struct json_object *his =
		json("{\"Id\":\"0a0b\",\"Medium\":\"ZEI-001\",\"Live\":true}");
	_cleanup_(json_objectp) struct json_object *hers =
		json("{\"Id\":\"0a0b0c\",\"Medium\":\"ZEI-001\",\"Live\":true}");
	_cleanup_(json_objectp) struct json_object *unnamed = json("{\"Medium\":\"ZEI-001\",\"Live\":true}");

	CU_ASSERT(notice_is_by(record, his));
	CU_ASSERT(!notice_is_by(record, hers) && !notice_is_by(by_policy, his) && !notice_is_by(record, unnamed));
}

static struct notice *step(const char *before, unsigned int approvals, const char *state, const char *more)
{
	_cleanup_(freep) char *text = output_format("{\"number\":12,\"state\":\"%s\",\"class\":\"storage-plain\","
						    "\"access\":\"ro\",\"end\":%lld%s}",
						    state, (long long)NOW + 3600, more);
	_cleanup_(json_objectp) struct json_object *exception = json(text);

	return notice_step(before, approvals, exception, "今日は認められません", NOW);
}

static void each_step_of_ones_own_request_is_told_once(void)
{
	static const struct {
		const char *before, *state, *more, *says;
	} rows[] = {
		{ NULL, "requested", ",\"approvers\":[],\"approvals-needed\":2", "0 of 2" },
		{ "requested", "requested", ",\"approvers\":[\"sato\"],\"approvals-needed\":2", "1 of 2" },
		{ "requested", "requested", ",\"approvers\":[]", NULL },
		{ "requested", "approved", "", "was approved" },
		{ "requested", "live", "", "was approved" },
		{ "approved", "live", "", "is in force" },
		{ "live", "live", "", NULL },
		{ "requested", "denied", "", "今日は認められません" },
		{ "requested", "lapsed", "", "lapsed" },
		{ "requested", "closed", "", NULL },
		{ "live", "expired", ",\"due\":[\"erasure\"]", "erased" },
		{ "live", "used-up", "", "No use of it is left" },
		{ "live", "revoked", "", "今日は認められません" },
		{ "expired", "returned", "", NULL },
		{ "expired", "erase-confirmed", "", NULL },
		{ NULL, "live", ",\"emergency\":true,\"due\":[\"report\"]", "was approved" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(notice_freep) struct notice *notice = step(rows[i].before, 0, rows[i].state, rows[i].more);

		EXPECT(!rows[i].says == !notice, rows[i].state);
		EXPECT(!rows[i].says || says(notice, rows[i].says), rows[i].state);
		EXPECT(!notice || !strcmp(notice->key, "exception:12"), rows[i].state);
	}
}

static void the_last_warning_is_urgent_and_offers_more_time(void)
{
	_cleanup_(json_objectp) struct json_object *emergency = json("{\"emergency\":true,\"class\":\"printer\"}");
	_cleanup_(notice_freep) struct notice *first = notice_ending(3, 900, NULL), *last = notice_ending(3, 300, NULL),
					       *short_one = notice_ending(3, 300, emergency);

	CU_ASSERT(says(first, "15 min") && first->urgency == NOTICE_NORMAL);
	CU_ASSERT(says(last, "5 min") && last->urgency == NOTICE_CRITICAL);
	CU_ASSERT_EQUAL(last->actions[0], NOTICE_EXTEND);
	CU_ASSERT_EQUAL(short_one->actions[0], NOTICE_NOTHING);
}

static void only_what_is_overdue_is_reminded_of(void)
{
	_cleanup_(json_objectp) struct json_object *due = json("{\"number\":5,\"due\":[\"return\"]}");
	_cleanup_(json_objectp) struct json_object *late = json("{\"number\":5,\"due\":[\"return\",\"overdue\"]}");
	_cleanup_(notice_freep) struct notice *notice = notice_overdue(late);

	CU_ASSERT_PTR_NULL(notice_overdue(due));
	CU_ASSERT(says(notice, "returned"));
}

#define WAITING \
	"{\"number\":7,\"person\":\"tanaka\",\"requester\":\"suzuki\",\"terminal\":\"ZEI-014\",\"class\":\"storage-plain\"," \
	"\"access\":\"rw\",\"period\":7200,\"purpose\":\"写真の受け渡し\",\"fingerprint\":\"blake2b:00\",\"extend-until\":0}"

static void an_approver_sees_all_of_it_before_he_decides(void)
{
	static const char *const all[] = { "tanaka", "suzuki", "ZEI-014", "not encrypted", "read and write", "2 h",
					   "写真の受け渡し", "blake2b:00", "any number", "any amount" };
	_cleanup_(json_objectp) struct json_object *waiting = json(WAITING);
	_cleanup_(notice_freep) struct notice *notice = notice_waiting(waiting, NOW);
	_cleanup_(freep) char *text = words_request(waiting, NOW);

	CU_ASSERT(says(notice, "tanaka") && says(notice, "写真の受け渡し"));
	CU_ASSERT_EQUAL(notice->actions[0], NOTICE_APPROVE);
	CU_ASSERT_EQUAL(notice->actions[1], NOTICE_DENY);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		EXPECT(strstr(text, all[i]), all[i]);
}

static void where_there_are_no_buttons_a_command_says_what_to_do(void)
{
	_cleanup_(json_objectp) struct json_object *volume =
		json("{\"State\":\"locked\",\"Node\":\"/dev/sdb1\",\"Method\":\"luks2\",\"Access\":\"rw\"}");
	_cleanup_(notice_freep) struct notice *device = blocked("not-registered"), *warned = notice_ending(3, 300, NULL);
	_cleanup_(notice_freep) struct notice *locked = notice_locked("/volumes/0", volume, "ZEI-001");
	_cleanup_(freep) char *request = notice_command(device, NOTICE_APPLY);
	_cleanup_(freep) char *extend = notice_command(warned, NOTICE_EXTEND);
	_cleanup_(freep) char *open_it = notice_command(locked, NOTICE_OPEN);

	CU_ASSERT_STRING_EQUAL(request, "sekimorictl request 1-2");
	CU_ASSERT_STRING_EQUAL(extend, "sekimorictl extend 3");
	CU_ASSERT_STRING_EQUAL(open_it, "sekimorictl open /dev/sdb1");
	CU_ASSERT(says(locked, "ZEI-001"));
}

static void a_refusal_says_why_and_lets_try_again(void)
{
	_cleanup_(notice_freep) struct notice *of = blocked("not-registered");
	_cleanup_(notice_freep) struct notice *notice =
		notice_refused(NOTICE_APPLY, of, "exception-many-waiting: 5");

	CU_ASSERT(says(notice, reason_text("exception-many-waiting")) && says(notice, "5"));
	CU_ASSERT_EQUAL(notice->actions[0], NOTICE_APPLY);
	CU_ASSERT_STRING_EQUAL(notice->object, PATH);
}

/* --- forms ---------------------------------------------------------------------------------- */

/* The last of zenity's arguments; malloc'd. */
static char *form_text(const char *text, size_t n_fields)
{
	struct form form = { .title = "t", .text = text, .ok = "ok", .n_fields = n_fields };
	char **arguments, *last;
	size_t n = 0;

	for (size_t i = 0; i < n_fields; i++)
		form.fields[i].label = "l";
	arguments = form_arguments(&form);
	while (arguments[n + 1])
		n++;
	last = output_format("%s", arguments[n]);
	form_arguments_free(arguments);
	return last;
}

static void what_a_form_shows_is_neither_markup_nor_mnemonic_nor_escape(void)
{
	_cleanup_(freep) char *fields = form_text("<b>&\\n_", 2), *line = form_text("<b>&\\n_", 1);

	CU_ASSERT_STRING_EQUAL(fields, "--text=&lt;b&gt;&amp;\\\\n_");
	CU_ASSERT_STRING_EQUAL(line, "--text=<b>&\\\\n__\nl");
}

static void an_answer_that_is_not_exactly_the_fields_is_none(void)
{
	static const struct {
		const char *answer;
		bool ok;
	} rows[] = {
		{ "a\x1f" "b\n", true },  { "\x1f\n", true },	  { "a\n", false },
		{ "a\x1f" "b\x1f" "c\n", false }, { "a\nb\x1f" "c\n", false }, { "", false },
		{ "a\x1f\xff\n", false }, { "a\x1b[0m\x1f" "b\n", false },
	};
	char buffer[64], *values[2];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		strcpy(buffer, rows[i].answer);
		EXPECT(form_parse(2, buffer, strlen(buffer), values) == rows[i].ok, rows[i].answer);
	}
	strcpy(buffer, "目的\x1f" "b\n");
	CU_ASSERT(form_parse(2, buffer, strlen(buffer), values));
	CU_ASSERT_STRING_EQUAL(values[0], "目的");
	CU_ASSERT_STRING_EQUAL(values[1], "b");
}

static const char *wish(char *const *values, struct wish *wish)
{
	static char purpose[1024];
	struct wish_form form;
	const char *why;

	wish_form_init(&form, 4 * 3600);
	wish_form_take(&form, values);
	why = wish_read(&form, NOW, wish);
	snprintf(purpose, sizeof(purpose), "%s", why ? "" : wish->purpose);
	wish->purpose = purpose;
	wish_form_deinit(&form);
	return why;
}

static void a_wish_is_the_least_that_was_not_chosen(void)
{
	char *least[] = { " 　窓口の写真　 ", " ", " ", "", " ", "" };
	char *most[] = { "p", "read and write", "4 h", "II", "13-1", "2027-03-31" };
	struct wish it = { 0 };

	CU_ASSERT_PTR_NULL(wish(least, &it));
	CU_ASSERT_STRING_EQUAL(it.purpose, "窓口の写真");
	CU_ASSERT_STRING_EQUAL(it.access, "ro");
	CU_ASSERT_EQUAL(it.seconds, 7200);
	CU_ASSERT_STRING_EQUAL(it.data_class, "");
	CU_ASSERT_EQUAL(it.return_by, 0);
	CU_ASSERT_PTR_NULL(wish(most, &it));
	CU_ASSERT_STRING_EQUAL(it.access, "rw");
	CU_ASSERT_EQUAL(it.seconds, 4 * 3600);
	CU_ASSERT_STRING_EQUAL(it.form, "13-1");
	CU_ASSERT(it.return_by > 1800000000);
}

static void a_wish_without_purpose_or_beyond_the_policy_is_none(void)
{
	char long_purpose[600], *rows[][6] = {
		{ "", " ", " ", " ", " ", "" },		{ " 　 ", " ", " ", " ", " ", "" },
		{ "p", " ", "8 h", " ", " ", "" },	{ "p", "write", " ", " ", " ", "" },
		{ "p", " ", " ", "IV", " ", "" },	{ "p", " ", " ", " ", " ", "2027-02-30" },
		{ long_purpose, " ", " ", " ", " ", "" },
	};
	struct wish it = { 0 };

	memset(long_purpose, 'a', sizeof(long_purpose) - 1);
	long_purpose[sizeof(long_purpose) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CU_ASSERT_PTR_NOT_NULL(wish(rows[i], &it));
}

static void a_day_of_return_is_read_as_japanese_keyboards_write_it(void)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{ "２０２７－０３－３１", true }, { " 2027-03-31　", true }, { "　", true },
		{ "明日", true },		    { "tomorrow", true },	{ "2026-11-20", false },
		{ "来週", false },
	};
	struct wish it = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char day[64], *values[] = { "p", " ", " ", " ", " ", day };

		strcpy(day, rows[i].text);
		EXPECT(!wish(values, &it) == rows[i].ok, rows[i].text);
	}
}

/* Is that among zenity's arguments? */
static bool form_says(const struct form *form, const char *argument)
{
	char **arguments = form_arguments(form);
	bool found = false;

	for (size_t i = 0; arguments[i]; i++)
		found |= strstr(arguments[i], argument) != NULL;
	form_arguments_free(arguments);
	return found;
}

static void one_wrong_field_costs_that_field_alone(void)
{
	char *first[] = { "窓口の写真", "read and write", "4 h", "II", "8", "2027-02-30" };
	char *then[] = { "", " ", " ", "I", " ", "2027-02-28" };
	struct wish_form form;
	struct wish it = { 0 };
	const char *why;

	wish_form_init(&form, 4 * 3600);
	form.form.title = form.form.text = form.form.ok = "x";
	CU_ASSERT(form_says(&form.form, "(if not chosen: read-only)"));
	wish_form_take(&form, first);
	why = wish_read(&form, NOW, &it);
	CU_ASSERT(why && strstr(why, "day of return"));
	/* What is kept is said where zenity cannot show it in its place. */
	CU_ASSERT(form_says(&form.form, "(if empty: 窓口の写真)") && form_says(&form.form, "(if not chosen: 4 h)"));
	CU_ASSERT(form_says(&form.form, "(if not chosen: read and write)") && !form_says(&form.form, "02-30"));
	wish_form_take(&form, then);
	CU_ASSERT_PTR_NULL(wish_read(&form, NOW, &it));
	CU_ASSERT_STRING_EQUAL(it.purpose, "窓口の写真");
	CU_ASSERT_STRING_EQUAL(it.access, "rw");
	CU_ASSERT_STRING_EQUAL(it.data_class, "I");
	CU_ASSERT_STRING_EQUAL(it.form, "8");
	CU_ASSERT(it.seconds == 4 * 3600 && it.return_by > NOW);
	wish_form_deinit(&form);
}

static void a_word_that_is_needed_is_not_blanks(void)
{
	char long_note[3000], *blanks[] = { " 　 " }, *word[] = { "　別の媒体で " }, *too_long[] = { long_note };
	const char *note;
	struct wish_form form;

	memset(long_note, 'a', sizeof(long_note) - 1);
	long_note[sizeof(long_note) - 1] = '\0';
	wish_form_init_note(&form, true);
	form.form.title = form.form.text = form.form.ok = "x";
	wish_form_take(&form, blanks);
	CU_ASSERT_PTR_NOT_NULL(wish_read_note(&form, true, &note));
	CU_ASSERT_PTR_NULL(wish_read_note(&form, false, &note));
	wish_form_take(&form, too_long);
	CU_ASSERT_PTR_NOT_NULL(wish_read_note(&form, true, &note));
	wish_form_take(&form, word);
	CU_ASSERT_PTR_NULL(wish_read_note(&form, true, &note));
	CU_ASSERT_STRING_EQUAL(note, "別の媒体で");
	CU_ASSERT(form_says(&form.form, "--entry-text=別の媒体で"));
	/* It was filled in, and is empty: so it is wanted. */
	wish_form_take(&form, (char *[]){ "" });
	CU_ASSERT_PTR_NOT_NULL(wish_read_note(&form, true, &note));
	wish_form_deinit(&form);
}

/* --- pinentry ------------------------------------------------------------------------------- */

static void a_passphrase_comes_back_as_it_was_typed(void)
{
	_cleanup_(freep) char *encoded = pinentry_encode("50%\n<b>関所");
	char escaped[] = "50%25%0a%E9%96%A2";
	long len = pinentry_decode(escaped, strlen(escaped));

	CU_ASSERT_STRING_EQUAL(encoded, "50%25%0A<b>関所");
	CU_ASSERT_EQUAL(len, 7);
	CU_ASSERT(!memcmp(escaped, "50%\n関", 7));
	CU_ASSERT_EQUAL(pinentry_decode((char[]){ "a%2" }, 3), -1);
	CU_ASSERT_EQUAL(pinentry_decode((char[]){ "a%zz" }, 4), -1);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(apply_is_offered_only_where_an_exception_helps),
		TEST(a_drill_says_that_it_would_be_blocked_and_offers_the_application),
	TEST(what_nobody_has_to_know_is_not_said),
		TEST(a_lost_medium_is_urgent),
		TEST(one_port_has_one_notice),
		TEST(a_hostile_name_neither_moves_the_cursor_nor_fills_the_screen),
		TEST(a_release_says_how_and_how_long),
		TEST(a_release_is_told_of_the_grant_that_decided),
		TEST(each_step_of_ones_own_request_is_told_once),
		TEST(the_last_warning_is_urgent_and_offers_more_time),
		TEST(only_what_is_overdue_is_reminded_of),
		TEST(an_approver_sees_all_of_it_before_he_decides),
		TEST(where_there_are_no_buttons_a_command_says_what_to_do),
		TEST(a_refusal_says_why_and_lets_try_again),
		TEST(what_a_form_shows_is_neither_markup_nor_mnemonic_nor_escape),
		TEST(an_answer_that_is_not_exactly_the_fields_is_none),
		TEST(a_wish_is_the_least_that_was_not_chosen),
		TEST(a_wish_without_purpose_or_beyond_the_policy_is_none),
		TEST(a_day_of_return_is_read_as_japanese_keyboards_write_it),
		TEST(one_wrong_field_costs_that_field_alone),
		TEST(a_word_that_is_needed_is_not_blanks),
		TEST(a_passphrase_comes_back_as_it_was_typed),
	};

	i18n_speak(false);
	return testing_run("agent-notices", tests, ARRAY_SIZE(tests));
}
