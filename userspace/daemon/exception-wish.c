// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "daemon/exception-wish.h"

/* --- wishes -------------------------------------------------------------------------------- */

static const char *take_path(void *field, size_t size, DBusMessageIter *value)
{
	const char *path;

	dbus_message_iter_get_basic(value, &path);
	if (strlen(path) >= size)
		return "is no device that is plugged in";
	strcpy(field, path);
	return NULL;
}

static const char *take_access(void *field, size_t size, DBusMessageIter *value)
{
	enum grant_access *access = field;
	const char *word;

	dbus_message_iter_get_basic(value, &word);
	if (!strcmp(word, "ro"))
		*access = GRANT_READ_ONLY;
	else if (!strcmp(word, "rw"))
		*access = GRANT_READ_WRITE;
	else
		return "is 'ro' or 'rw'";
	return NULL;
}

#define WISH(name, signature, take, field) BUS_MEMBER(name, signature, take, struct exception_wish, field)

/* The rows of docs/dbus.md. */
static const struct bus_member wish_members[] = {
	WISH("device", "o", take_path, device),
	WISH("medium", "s", bus_take_text, grant.medium),
	WISH("access", "s", take_access, grant.access),
	WISH("encrypted-only", "b", bus_take_bool, grant.encrypted_only),
	WISH("seconds", "u", bus_take_u32, seconds),
	WISH("until", "x", bus_take_time, grant.not_after),
	WISH("begin", "x", bus_take_time, grant.not_before),
	WISH("uses", "u", bus_take_u32, grant.uses),
	WISH("write-quota", "t", bus_take_u64, grant.write_quota),
	WISH("purpose", "s", bus_take_text, grant.purpose),
	WISH("data-class", "s", bus_take_text, grant.data_class),
	WISH("form", "s", bus_take_text, grant.form),
	WISH("return-by", "x", bus_take_time, grant.return_by),
	WISH("person", "s", bus_take_text, grant.person),
	{ .name = NULL },
};

bool exception_wish_read(struct exception_wish *wish, DBusMessageIter *dict,
			 char why[static BUS_DICT_WHY_MAX])
{
	*wish = (struct exception_wish){ .grant = { .uid = UINT32_MAX } };
	if (!bus_dict_read(dict, wish_members, wish, why))
		return false;
	if (wish->device[0] && wish->grant.medium[0]) {
		snprintf(why, BUS_DICT_WHY_MAX, "'device' and 'medium' exclude each other");
		return false;
	}
	if (wish->seconds && wish->grant.not_after) {
		snprintf(why, BUS_DICT_WHY_MAX, "'seconds' and 'until' exclude each other");
		return false;
	}
	return true;
}

/* --- filters ------------------------------------------------------------------------------- */

static const char *take_states(void *field, size_t size, DBusMessageIter *value)
{
	unsigned int *states = field;
	DBusMessageIter words;

	for (dbus_message_iter_recurse(value, &words);
	     dbus_message_iter_get_arg_type(&words) == DBUS_TYPE_STRING;
	     dbus_message_iter_next(&words)) {
		const char *word;
		unsigned int state;

		dbus_message_iter_get_basic(&words, &word);
		state = exception_state_find(word);
		if (state >= N_EXCEPTION_STATES)
			return "has a word that is no state";
		*states |= 1u << state;
	}
	return NULL;
}

#define FILTER(name, signature, take, field)                                                       \
	BUS_MEMBER(name, signature, take, struct exception_filter, field)

static const struct bus_member filter_members[] = {
	FILTER("states", "as", take_states, states),
	FILTER("due", "b", bus_take_bool, due),
	FILTER("person", "s", bus_take_text, person),
	FILTER("from", "x", bus_take_time, from),
	FILTER("until", "x", bus_take_time, until),
	FILTER("after", "u", bus_take_u32, after),
	FILTER("limit", "u", bus_take_u32, limit),
	{ .name = NULL },
};

bool exception_filter_read(struct exception_filter *filter, DBusMessageIter *dict,
			   char why[static BUS_DICT_WHY_MAX])
{
	*filter = (struct exception_filter){ .limit = 0 };
	if (!bus_dict_read(dict, filter_members, filter, why))
		return false;
	if (!filter->limit || filter->limit > EXCEPTION_LIST_MAX)
		filter->limit = EXCEPTION_LIST_MAX;
	return true;
}

struct exceptionstore_filter exception_filter_for_store(const struct exception_filter *filter,
							int64_t now)
{
	return (struct exceptionstore_filter){
		.states = filter->states,
		.due = filter->due ? EXCEPTION_DUE_REPORT | EXCEPTION_DUE_ERASURE | EXCEPTION_DUE_RETURN |
					     EXCEPTION_DUE_OVERDUE :
				     0,
		.now = now,
		.person = filter->person[0] ? filter->person : NULL,
		.from = filter->from,
		.until = filter->until,
		.after = filter->after,
		.limit = filter->limit,
	};
}
