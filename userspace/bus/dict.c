// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "bus/dict.h"
#include "core/macro.h"
#include "core/text.h"

/* Of a name that nobody knows; no member of ours is as long. */
#define SHOWN_MAX 32

#define MEMBERS_MAX 64

static const struct bus_member *member_find(const struct bus_member *members, const char *name)
{
	for (; members->name; members++)
		if (!strcmp(members->name, name))
			return members;
	return NULL;
}

static bool unknown(const char *name, char why[static BUS_DICT_WHY_MAX])
{
	if (strlen(name) <= SHOWN_MAX && text_is_safe(name))
		snprintf(why, BUS_DICT_WHY_MAX, "there is no member '%s'", name);
	else
		snprintf(why, BUS_DICT_WHY_MAX, "there is a member that nobody knows");
	return false;
}

static bool member_take(const struct bus_member *member, DBusMessageIter *value, void *into,
			char why[static BUS_DICT_WHY_MAX])
{
	char *signature = dbus_message_iter_get_signature(value);
	bool agrees = signature && !strcmp(signature, member->signature);
	const char *wrong;

	dbus_free(signature);
	if (!agrees) {
		snprintf(why, BUS_DICT_WHY_MAX, "'%s' is of type '%s'", member->name,
			 member->signature);
		return false;
	}
	wrong = member->take((char *)into + member->offset, member->size, value);
	if (wrong)
		snprintf(why, BUS_DICT_WHY_MAX, "'%s' %s", member->name, wrong);
	return !wrong;
}

bool bus_dict_read(DBusMessageIter *dict, const struct bus_member *members, void *into,
		   char why[static BUS_DICT_WHY_MAX])
{
	DBusMessageIter entries, entry, value;
	uint64_t seen = 0;

	for (dbus_message_iter_recurse(dict, &entries);
	     dbus_message_iter_get_arg_type(&entries) == DBUS_TYPE_DICT_ENTRY;
	     dbus_message_iter_next(&entries)) {
		const struct bus_member *member;
		const char *name;
		uint64_t bit;

		dbus_message_iter_recurse(&entries, &entry);
		dbus_message_iter_get_basic(&entry, &name);
		member = member_find(members, name);
		if (!member)
			return unknown(name, why);
		bit = UINT64_C(1) << (member - members) % MEMBERS_MAX;
		if (seen & bit) {
			snprintf(why, BUS_DICT_WHY_MAX, "'%s' stands there twice", member->name);
			return false;
		}
		seen |= bit;
		dbus_message_iter_next(&entry);
		dbus_message_iter_recurse(&entry, &value);
		if (!member_take(member, &value, into, why))
			return false;
	}
	return true;
}

const char *bus_take_text(void *field, size_t size, DBusMessageIter *value)
{
	const char *text;
	size_t len;

	dbus_message_iter_get_basic(value, &text);
	len = strlen(text);
	if (!len)
		return "is empty";
	if (len >= size)
		return "is too long";
	if (!text_is_safe(text))
		return "holds characters that cannot be shown, or several lines";
	memcpy(field, text, len + 1);
	return NULL;
}

const char *bus_take_bool(void *field, size_t size, DBusMessageIter *value)
{
	dbus_bool_t truth;

	dbus_message_iter_get_basic(value, &truth);
	*(bool *)field = truth;
	return NULL;
}

const char *bus_take_u32(void *field, size_t size, DBusMessageIter *value)
{
	dbus_message_iter_get_basic(value, field);
	return NULL;
}

const char *bus_take_u64(void *field, size_t size, DBusMessageIter *value)
{
	dbus_message_iter_get_basic(value, field);
	return NULL;
}

const char *bus_take_time(void *field, size_t size, DBusMessageIter *value)
{
	dbus_int64_t when;

	dbus_message_iter_get_basic(value, &when);
	if (when < 0 || when > BUS_TIME_MAX)
		return "is no time between 1970 and 9999";
	*(int64_t *)field = when;
	return NULL;
}
