// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/exception-wish, bus/dict: dictionaries of strangers become plain data, or are refused by name. */
#include <dbus/dbus.h>
#include <stdio.h>
#include <string.h>

#include "core/macro.h"
#include "daemon/exception-values.h"
#include "daemon/exception-wish.h"
#include "testing.h"

/* A call whose only argument is an a{sv} that is being written. */
struct dict {
	DBusMessage *message;
	DBusMessageIter args, dict;
};

static void dict_begin(struct dict *d)
{
	d->message = dbus_message_new_method_call("org.example", "/", "org.example", "Request");
	dbus_message_iter_init_append(d->message, &d->args);
	dbus_message_iter_open_container(&d->args, DBUS_TYPE_ARRAY, "{sv}", &d->dict);
}

static void dict_add(struct dict *d, const char *name, int type, const void *value)
{
	const char signature[] = { (char)type, '\0' };
	DBusMessageIter entry, variant;

	dbus_message_iter_open_container(&d->dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &name);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, signature, &variant);
	dbus_message_iter_append_basic(&variant, type, value);
	dbus_message_iter_close_container(&entry, &variant);
	dbus_message_iter_close_container(&d->dict, &entry);
}

static void dict_add_text(struct dict *d, const char *name, const char *text)
{
	dict_add(d, name, DBUS_TYPE_STRING, &text);
}

static void dict_add_words(struct dict *d, const char *name, const char *const *words)
{
	DBusMessageIter entry, variant, array;

	dbus_message_iter_open_container(&d->dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &name);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "as", &variant);
	dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, "s", &array);
	for (; *words; words++)
		dbus_message_iter_append_basic(&array, DBUS_TYPE_STRING, words);
	dbus_message_iter_close_container(&variant, &array);
	dbus_message_iter_close_container(&entry, &variant);
	dbus_message_iter_close_container(&d->dict, &entry);
}

static void dict_end(struct dict *d)
{
	dbus_message_iter_close_container(&d->args, &d->dict);
	dbus_message_iter_init(d->message, &d->args);
}

/* "" if it was taken. */
static const char *wish_said(struct dict *d, struct exception_wish *wish)
{
	static char why[BUS_DICT_WHY_MAX];

	why[0] = '\0';
	dict_end(d);
	CU_ASSERT_EQUAL(exception_wish_read(wish, &d->args, why), !why[0]);
	dbus_message_unref(d->message);
	return why;
}

static void every_member_lands_in_its_field(void)
{
	dbus_uint32_t seconds = 7200, uses = 3;
	dbus_uint64_t quota = UINT64_C(5000000000);
	dbus_int64_t begin = 1800000000, back = 1800700000;
	dbus_bool_t yes = TRUE;
	const char *path = "/org/sekimori/Sekimori1/devices/7";
	struct exception_wish wish;
	struct dict d;

	dict_begin(&d);
	dict_add(&d, "device", DBUS_TYPE_OBJECT_PATH, &path);
	dict_add_text(&d, "access", "rw");
	dict_add(&d, "encrypted-only", DBUS_TYPE_BOOLEAN, &yes);
	dict_add(&d, "seconds", DBUS_TYPE_UINT32, &seconds);
	dict_add(&d, "begin", DBUS_TYPE_INT64, &begin);
	dict_add(&d, "uses", DBUS_TYPE_UINT32, &uses);
	dict_add(&d, "write-quota", DBUS_TYPE_UINT64, &quota);
	dict_add_text(&d, "purpose", "統計の提出");
	dict_add_text(&d, "data-class", "II");
	dict_add_text(&d, "form", "13-1");
	dict_add(&d, "return-by", DBUS_TYPE_INT64, &back);
	dict_add_text(&d, "person", "tanaka");
	CU_ASSERT_STRING_EQUAL(wish_said(&d, &wish), "");
	CU_ASSERT_STRING_EQUAL(wish.device, path);
	CU_ASSERT_STRING_EQUAL(wish.grant.medium, "");
	CU_ASSERT_EQUAL(wish.grant.access, GRANT_READ_WRITE);
	CU_ASSERT_TRUE(wish.grant.encrypted_only);
	CU_ASSERT_EQUAL(wish.seconds, 7200);
	CU_ASSERT_EQUAL(wish.grant.not_before, begin);
	CU_ASSERT_EQUAL(wish.grant.not_after, 0);
	CU_ASSERT_EQUAL(wish.grant.uses, 3);
	CU_ASSERT_EQUAL(wish.grant.write_quota, quota);
	CU_ASSERT_STRING_EQUAL(wish.grant.purpose, "統計の提出");
	CU_ASSERT_STRING_EQUAL(wish.grant.data_class, "II");
	CU_ASSERT_STRING_EQUAL(wish.grant.form, "13-1");
	CU_ASSERT_EQUAL(wish.grant.return_by, back);
	CU_ASSERT_STRING_EQUAL(wish.grant.person, "tanaka");
	CU_ASSERT_EQUAL(wish.grant.uid, UINT32_MAX);
}

static void what_is_not_said_is_the_least(void)
{
	struct exception_wish wish;
	struct dict d;

	memset(&wish, 0xff, sizeof(wish));
	dict_begin(&d);
	CU_ASSERT_STRING_EQUAL(wish_said(&d, &wish), "");
	CU_ASSERT_EQUAL(wish.grant.access, GRANT_READ_ONLY);
	CU_ASSERT_EQUAL(wish.seconds, 0);
	CU_ASSERT_EQUAL(wish.grant.not_after, 0);
	CU_ASSERT_EQUAL(wish.grant.uid, UINT32_MAX);
	CU_ASSERT_STRING_EQUAL(wish.grant.purpose, "");
	CU_ASSERT_STRING_EQUAL(wish.device, "");
}

/* A text of so many bytes. */
static const char *said_of_length(const char *name, size_t len)
{
	static char text[GRANT_TEXT_MAX + 2];
	struct exception_wish wish;
	struct dict d;

	memset(text, 'a', len);
	text[len] = '\0';
	dict_begin(&d);
	dict_add_text(&d, name, text);
	return wish_said(&d, &wish);
}

static void texts_end_where_their_fields_do(void)
{
	CU_ASSERT_STRING_EQUAL(said_of_length("purpose", GRANT_TEXT_MAX - 1), "");
	CU_ASSERT_STRING_EQUAL(said_of_length("purpose", GRANT_TEXT_MAX), "'purpose' is too long");
	CU_ASSERT_STRING_EQUAL(said_of_length("medium", GRANT_NAME_MAX - 1), "");
	CU_ASSERT_STRING_EQUAL(said_of_length("medium", GRANT_NAME_MAX), "'medium' is too long");
	CU_ASSERT_STRING_EQUAL(said_of_length("person", GRANT_NAME_MAX), "'person' is too long");
	CU_ASSERT_STRING_EQUAL(said_of_length("form", GRANT_NAME_MAX), "'form' is too long");
}

static void a_path_of_any_length_is_no_overrun(void)
{
	char path[1024] = "/org/sekimori/Sekimori1/devices/";
	const char *at = path;
	struct exception_wish wish;
	struct dict d;

	for (size_t i = strlen(path); i < sizeof(path) - 1; i++)
		path[i] = '1';
	dict_begin(&d);
	dict_add(&d, "device", DBUS_TYPE_OBJECT_PATH, &at);
	CU_ASSERT_STRING_EQUAL(wish_said(&d, &wish), "'device' is no device that is plugged in");
}

static void times_are_dates_that_can_be_written(void)
{
	static const struct {
		dbus_int64_t when;
		bool taken;
	} rows[] = { { 0, true }, { 1, true },	       { BUS_TIME_MAX, true }, { -1, false },
		     { INT64_MIN, false }, { BUS_TIME_MAX + 1, false }, { INT64_MAX, false } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exception_wish wish;
		struct dict d;

		dict_begin(&d);
		dict_add(&d, "until", DBUS_TYPE_INT64, &rows[i].when);
		CU_ASSERT_EQUAL(!*wish_said(&d, &wish), rows[i].taken);
		if (rows[i].taken)
			CU_ASSERT_EQUAL(wish.grant.not_after, rows[i].when);
	}
}

/* A variant in a variant, and so on: the type is another one. */
static void nothing_nested_passes_for_a_text(void)
{
	const char *name = "purpose", *text = "x";
	DBusMessageIter entry, levels[20];
	struct exception_wish wish;
	struct dict d;

	dict_begin(&d);
	dbus_message_iter_open_container(&d.dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &name);
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		dbus_message_iter_open_container(i ? &levels[i - 1] : &entry, DBUS_TYPE_VARIANT,
						 i + 1 < ARRAY_SIZE(levels) ? "v" : "s", &levels[i]);
	dbus_message_iter_append_basic(&levels[ARRAY_SIZE(levels) - 1], DBUS_TYPE_STRING, &text);
	for (size_t i = ARRAY_SIZE(levels); i--;)
		dbus_message_iter_close_container(i ? &levels[i - 1] : &entry, &levels[i]);
	dbus_message_iter_close_container(&d.dict, &entry);
	CU_ASSERT_STRING_EQUAL(wish_said(&d, &wish), "'purpose' is of type 's'");
}

static void unknown_members_are_named_if_they_can_be_shown(void)
{
	static const char *const rows[][2] = {
		{ "colour", "there is no member 'colour'" },
		{ "Purpose", "there is no member 'Purpose'" },
		{ "", "there is no member ''" },
		{ "\x1b]0;owned\a", "there is a member that nobody knows" },
		{ "a-name-that-is-longer-than-anything-of-ours", "there is a member that nobody knows" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exception_wish wish;
		struct dict d;

		dict_begin(&d);
		dict_add_text(&d, rows[i][0], "x");
		CU_ASSERT_STRING_EQUAL(wish_said(&d, &wish), rows[i][1]);
	}
}

static void a_filter_is_read_and_kept_small(void)
{
	const char *const words[] = { "live", "used-up", NULL }, *const wrong[] = { "live", "alive", NULL };
	char why[BUS_DICT_WHY_MAX] = "";
	dbus_uint32_t many = UINT32_MAX, after = 17;
	struct exceptionstore_filter store;
	struct exception_filter filter;
	dbus_bool_t yes = TRUE;
	struct dict d;

	dict_begin(&d);
	dict_add_words(&d, "states", words);
	dict_add(&d, "due", DBUS_TYPE_BOOLEAN, &yes);
	dict_add(&d, "after", DBUS_TYPE_UINT32, &after);
	dict_add(&d, "limit", DBUS_TYPE_UINT32, &many);
	dict_end(&d);
	CU_ASSERT_TRUE(exception_filter_read(&filter, &d.args, why));
	store = exception_filter_for_store(&filter, 1800000000);
	CU_ASSERT_EQUAL(store.states, 1u << EXCEPTION_LIVE | 1u << EXCEPTION_USED_UP);
	CU_ASSERT_EQUAL(store.limit, EXCEPTION_LIST_MAX);
	CU_ASSERT_EQUAL(store.after, 17);
	CU_ASSERT_TRUE(store.due & EXCEPTION_DUE_ERASURE && store.due & EXCEPTION_DUE_REPORT);
	CU_ASSERT_EQUAL(store.now, 1800000000);
	CU_ASSERT_PTR_NULL(store.person);
	dbus_message_unref(d.message);

	dict_begin(&d);
	dict_add_words(&d, "states", wrong);
	dict_end(&d);
	CU_ASSERT_FALSE(exception_filter_read(&filter, &d.args, why));
	CU_ASSERT_STRING_EQUAL(why, "'states' has a word that is no state");
	dbus_message_unref(d.message);
}

/* How many members an exception has when it is shown. */
static unsigned int count_shown(const struct exception *exception)
{
	const struct exception_moment moment = { .now = 1800000000 };
	DBusMessage *message = dbus_message_new_signal("/", "org.example", "X");
	DBusMessageIter args, entries;
	unsigned int n = 0;

	dbus_message_iter_init_append(message, &args);
	CU_ASSERT_TRUE(exception_values_append(&args, exception, &moment));
	CU_ASSERT_TRUE(dbus_message_has_signature(message, "a{sv}"));
	dbus_message_iter_init(message, &args);
	for (dbus_message_iter_recurse(&args, &entries);
	     dbus_message_iter_get_arg_type(&entries) == DBUS_TYPE_DICT_ENTRY;
	     dbus_message_iter_next(&entries))
		n++;
	dbus_message_unref(message);
	return n;
}

static void a_user_without_a_number_is_shown_without_one(void)
{
	static struct exception known = { .number = 1, .state = EXCEPTION_LIVE, .grant = { .uid = 1001 } };
	struct exception by_name = known;

	by_name.grant.uid = UINT32_MAX;
	CU_ASSERT_EQUAL(count_shown(&known), count_shown(&by_name) + 1);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(every_member_lands_in_its_field),
		TEST(what_is_not_said_is_the_least),
		TEST(texts_end_where_their_fields_do),
		TEST(a_path_of_any_length_is_no_overrun),
		TEST(times_are_dates_that_can_be_written),
		TEST(nothing_nested_passes_for_a_text),
		TEST(unknown_members_are_named_if_they_can_be_shown),
		TEST(a_filter_is_read_and_kept_small),
		TEST(a_user_without_a_number_is_shown_without_one),
	};

	return testing_run("exception-wish", tests, ARRAY_SIZE(tests));
}
