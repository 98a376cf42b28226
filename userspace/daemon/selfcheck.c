// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/macro.h"
#include "daemon/json.h"
#include "daemon/selfcheck.h"

static const char *const results[] = {"ok", "unknown", "warn", "fail"};
static const char *const count_names[] = {"ok", "warn", "fail"};

static bool result_known(const char *result)
{
	for (size_t i = 0; i < ARRAY_SIZE(results); i++)
		if (!strcmp(results[i], result))
			return true;
	return false;
}

static bool id_good(const char *id)
{
	size_t len = strlen(id);

	return len && len <= SELFCHECK_ID_MAX &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static const char *take_string(DBusMessageIter *iter)
{
	const char *text = "";

	dbus_message_iter_get_basic(iter, &text);
	dbus_message_iter_next(iter);
	return text;
}

/* How many items have that result. */
struct found {
	dbus_uint32_t unknown, warn, fail;
};

/* One (sss). NULL, or what is wrong. */
static const char *take_item(DBusMessageIter *array, struct json_object *list, struct found *found)
{
	const char *id, *result, *detail;
	struct json_object *item;
	DBusMessageIter fields;

	dbus_message_iter_recurse(array, &fields);
	id = take_string(&fields);
	result = take_string(&fields);
	detail = take_string(&fields);
	if (!id_good(id))
		return "the id of an item is not of the form a-b-c";
	if (!result_known(result))
		return "an item's result is none of ok, unknown, warn, fail";
	if (strlen(detail) > SELFCHECK_DETAIL_MAX)
		return "an item's detail is too long";
	found->unknown += !strcmp(result, "unknown");
	found->warn += !strcmp(result, "warn");
	found->fail += !strcmp(result, "fail");
	item = json_object_new_object();
	if (!item)
		return "";
	json_add_string(item, "id", id);
	json_add_string(item, "result", result);
	json_add_string(item, "detail", detail);
	json_object_array_add(list, item);
	return NULL;
}

static const char *take_items(DBusMessageIter *args, struct json_object *list,
			      const dbus_uint32_t *counts, struct found *found)
{
	const char *why = NULL;
	DBusMessageIter array;

	dbus_message_iter_recurse(args, &array);
	while (!why && dbus_message_iter_get_arg_type(&array) != DBUS_TYPE_INVALID) {
		if (json_object_array_length(list) == SELFCHECK_ITEMS_MAX)
			return "there are too many items";
		why = take_item(&array, list, found);
		dbus_message_iter_next(&array);
	}
	if (!why && (found->warn != counts[1] || found->fail != counts[2]))
		why = "the numbers are not those of the items";
	return why;
}

static const char *take_result(const char *result, const dbus_uint32_t *counts)
{
	if (!result_known(result))
		return "the result is none of ok, unknown, warn, fail";
	for (size_t i = 0; i < ARRAY_SIZE(count_names); i++)
		if (counts[i] > SELFCHECK_COUNT_MAX)
			return "a number is too large";
	if (!strcmp(result, "fail") != (counts[2] > 0))
		return "the result contradicts the numbers";
	return NULL;
}

struct json_object *selfcheck_parse(DBusMessage *call, const char **why)
{
	struct json_object *members = json_object_new_object(), *list = json_object_new_array();
	dbus_uint32_t counts[ARRAY_SIZE(count_names)] = {0};
	struct found found = {.unknown = 0};
	const char *result;
	DBusMessageIter args;
	size_t len;

	*why = "";
	if (!members || !list)
		goto err_put;
	dbus_message_iter_init(call, &args);
	result = take_string(&args);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		dbus_message_iter_get_basic(&args, &counts[i]);
		dbus_message_iter_next(&args);
	}
	*why = take_result(result, counts);
	if (!*why)
		*why = take_items(&args, list, counts, &found);
	if (*why)
		goto err_put;
	json_add_string(members, "result", result);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		json_add_number(members, count_names[i], counts[i]);
	json_add_number(members, "unknown", found.unknown);
	json_object_object_add(members, "items", list);
	list = NULL;
	if (!json_object_to_json_string_length(members, JSON_C_TO_STRING_PLAIN, &len))
		goto err_put;
	if (len <= SELFCHECK_JSON_MAX)
		return members;
	*why = "the items are too long";

err_put:
	json_object_put(list);
	json_object_put(members);
	return NULL;
}

void selfcheck_remember(struct selfcheck *last, struct json_object *members, int64_t now)
{
	struct json_object *result;
	time_t seconds = (time_t)now;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(last->time, sizeof(last->time), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (json_object_object_get_ex(members, "result", &result))
		snprintf(last->result, sizeof(last->result), "%s", json_object_get_string(result));
}
