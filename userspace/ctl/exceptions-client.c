// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/exceptions-client.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bus/names.h"
#include "cli/output.h"
#include "core/macro.h"
#include "ctl/client.h"

/* At most so many come at once (docs/dbus.md). */
#define PAGE 200

static struct json_object *ask(DBusConnection *dbus, const struct client_method *method, struct refusal *refusal)
{
	refusal_deinit(refusal);
	return client_method_call(dbus, method, &refusal->why, &refusal->error);
}

/* One of the values of an answer, without the others. */
static struct json_object *value_take(struct json_object *values, size_t i)
{
	struct json_object *value = values ? json_object_get(json_object_array_get_idx(values, i)) : NULL;

	json_object_put(values);
	return value;
}

DBusConnection *exceptions_connect(struct refusal *refusal)
{
	refusal_deinit(refusal);
	return client_connect(&refusal->why);
}

static bool append_interface(DBusMessageIter *args, const void *userdata)
{
	const char *name = BUS_INTERFACE_EXCEPTIONS;

	return dbus_message_iter_append_basic(args, DBUS_TYPE_STRING, &name);
}

struct json_object *exceptions_properties(DBusConnection *dbus, struct refusal *refusal)
{
	static const struct client_method method = {
		.interface = DBUS_INTERFACE_PROPERTIES,
		.method = "GetAll",
		.append = append_interface,
		.signature = "a{sv}",
		.timeout_ms = CLIENT_TIMEOUT_MS,
	};

	return value_take(ask(dbus, &method, refusal), 0);
}

/* --- one --------------------------------------------------------------------------------------- */

static bool append_number(DBusMessageIter *args, const void *userdata)
{
	dbus_uint32_t number = *(const uint32_t *)userdata;

	return dbus_message_iter_append_basic(args, DBUS_TYPE_UINT32, &number);
}

static struct json_object *get(DBusConnection *dbus, uint32_t number, bool own, struct refusal *refusal)
{
	const struct client_method method = {
		.interface = BUS_INTERFACE_EXCEPTIONS,
		.method = own ? "GetOwn" : "Get",
		.append = append_number,
		.userdata = &number,
		.signature = "a{sv}aa{sv}",
		.timeout_ms = own ? CLIENT_TIMEOUT_MS : CLIENT_RELOAD_TIMEOUT_MS,
		.changes = !own,
	};
	_cleanup_(json_objectp) struct json_object *values = ask(dbus, &method, refusal);
	struct json_object *both;

	if (!values)
		return NULL;
	both = json_object_new_object();
	json_object_object_add(both, "exception", json_object_get(json_object_array_get_idx(values, 0)));
	json_object_object_add(both, "steps", json_object_get(json_object_array_get_idx(values, 1)));
	return both;
}

struct json_object *exceptions_get(DBusConnection *dbus, uint32_t number, bool own, struct refusal *refusal)
{
	struct json_object *both = get(dbus, number, own, refusal);

	/* Only what was refused for whose it is may go the other way; a store that is broken is so both ways. */
	if (!both && (refusal_is_denial(refusal) || refusal_is_absence(refusal)))
		both = get(dbus, number, !own, refusal);
	return both;
}

/* --- all --------------------------------------------------------------------------------------- */

struct page {
	const struct exceptions_filter *filter;
	uint32_t after;
};

static bool append_states(DBusMessageIter *variant, const char *const *states)
{
	DBusMessageIter words;
	bool good = dbus_message_iter_open_container(variant, DBUS_TYPE_ARRAY, "s", &words);

	for (; good && *states; states++)
		good = dbus_message_iter_append_basic(&words, DBUS_TYPE_STRING, states);
	return good && dbus_message_iter_close_container(variant, &words);
}

/* `states` for type "as", otherwise the basic value. */
static bool append_member(DBusMessageIter *dict, const char *key, const char *type, const void *value,
			  const char *const *states)
{
	DBusMessageIter entry, variant;

	return dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) &&
	       dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key) &&
	       dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, type, &variant) &&
	       (states ? append_states(&variant, states) :
			 dbus_message_iter_append_basic(&variant, *type, value)) &&
	       dbus_message_iter_close_container(&entry, &variant) &&
	       dbus_message_iter_close_container(dict, &entry);
}

static bool append_page(DBusMessageIter *args, const void *userdata)
{
	const struct page *page = userdata;
	const struct exceptions_filter *filter = page->filter;
	dbus_uint32_t after = page->after, limit = PAGE;
	dbus_bool_t due = TRUE;
	DBusMessageIter dict;

	return dbus_message_iter_open_container(args, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
	       append_member(&dict, "after", "u", &after, NULL) && append_member(&dict, "limit", "u", &limit, NULL) &&
	       (!filter->due || append_member(&dict, "due", "b", &due, NULL)) &&
	       (!filter->person || append_member(&dict, "person", "s", &filter->person, NULL)) &&
	       (!filter->states || append_member(&dict, "states", "as", NULL, filter->states)) &&
	       dbus_message_iter_close_container(args, &dict);
}

/* Takes the page's exceptions over; the highest number in *after. False: there is nothing new in it. */
static bool page_take(struct json_object *all, struct json_object *page, uint32_t *after)
{
	size_t n = json_object_array_length(page);
	uint32_t before = *after;

	for (size_t i = 0; i < n; i++) {
		struct json_object *exception = json_object_array_get_idx(page, i);
		int64_t number = json_object_get_int64(json_object_object_get(exception, "number"));

		json_object_array_add(all, json_object_get(exception));
		if (number > *after && number <= UINT32_MAX)
			*after = (uint32_t)number;
	}
	return *after > before;
}

struct json_object *exceptions_list(DBusConnection *dbus, const struct exceptions_filter *filter, bool own,
				    struct refusal *refusal)
{
	struct page page = { .filter = filter };
	const struct client_method method = {
		.interface = BUS_INTERFACE_EXCEPTIONS,
		.method = own ? "ListOwn" : "List",
		.append = append_page,
		.userdata = &page,
		.signature = "aa{sv}",
		.timeout_ms = CLIENT_TIMEOUT_MS,
	};
	struct json_object *all = json_object_new_array();
	bool more = true;

	while (more) {
		struct json_object *list = value_take(ask(dbus, &method, refusal), 0);

		if (!list) {
			json_object_put(all);
			return NULL;
		}
		more = page_take(all, list, &page.after);
		json_object_put(list);
	}
	return all;
}

/* --- changing ---------------------------------------------------------------------------------- */

bool exceptions_submit(DBusConnection *dbus, const char *name, const struct wish *wish, uint32_t *number,
		       struct refusal *refusal)
{
	const struct client_method method = {
		.interface = BUS_INTERFACE_EXCEPTIONS,
		.method = name,
		.append = wish_append,
		.userdata = wish,
		.signature = "uo",
		.timeout_ms = CLIENT_RELOAD_TIMEOUT_MS,
		.changes = true,
	};
	struct json_object *first = value_take(ask(dbus, &method, refusal), 0);

	*number = (uint32_t)json_object_get_int64(first);
	json_object_put(first);
	return *number;
}

bool exceptions_reset_clock(DBusConnection *dbus, int64_t *ahead, struct refusal *refusal)
{
	static const struct client_method method = {
		.interface = BUS_INTERFACE_EXCEPTIONS,
		.method = "ResetClock",
		.signature = "x",
		.timeout_ms = CLIENT_RELOAD_TIMEOUT_MS,
		.changes = true,
	};
	struct json_object *first = value_take(ask(dbus, &method, refusal), 0);

	*ahead = json_object_get_int64(first);
	json_object_put(first);
	return first;
}

static bool append_step(DBusMessageIter *args, const void *userdata)
{
	const struct exceptions_step *step = userdata;
	dbus_int64_t until = step->until;

	return (!step->has_until || dbus_message_iter_append_basic(args, DBUS_TYPE_INT64, &until)) &&
	       dbus_message_iter_append_basic(args, DBUS_TYPE_STRING, &step->note);
}

bool exceptions_step(DBusConnection *dbus, const struct exceptions_step *step, struct refusal *refusal)
{
	_cleanup_(freep) char *path = output_format(BUS_REQUEST_PATH_PREFIX "%" PRIu32, step->number);
	const struct client_method method = {
		.path = path,
		.interface = BUS_INTERFACE_REQUEST,
		.method = step->method,
		.append = append_step,
		.userdata = step,
		.signature = "",
		.timeout_ms = CLIENT_RELOAD_TIMEOUT_MS,
		.changes = true,
	};
	struct json_object *done = ask(dbus, &method, refusal);

	json_object_put(done);
	return done;
}
