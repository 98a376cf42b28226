// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "bus/weight.h"

/* What a value costs besides its text: its length, its type, and padding, at most. */
#define VALUE_COST 8

static bool take(size_t *left, size_t n)
{
	if (n > *left)
		return false;
	*left -= n;
	return true;
}

static bool value_fits(DBusMessageIter *value, size_t *left);

static bool values_fit(DBusMessageIter *values, size_t *left)
{
	for (; dbus_message_iter_get_arg_type(values) != DBUS_TYPE_INVALID;
	     dbus_message_iter_next(values))
		if (!value_fits(values, left))
			return false;
	return true;
}

static bool array_fits(DBusMessageIter *array, size_t *left)
{
	int type = dbus_message_iter_get_element_type(array);
	DBusMessageIter items;
	const void *block;
	int n;

	dbus_message_iter_recurse(array, &items);
	if (!dbus_type_is_fixed(type) || type == DBUS_TYPE_UNIX_FD)
		return values_fit(&items, left);
	dbus_message_iter_get_fixed_array(&items, &block, &n);
	return take(left, (size_t)n * (type == DBUS_TYPE_BYTE ? 1 : VALUE_COST));
}

/* libdbus has checked that nothing is nested deeper than 64. */
static bool value_fits(DBusMessageIter *value, size_t *left)
{
	int type = dbus_message_iter_get_arg_type(value);
	DBusMessageIter inner;
	const char *text;

	if (!take(left, VALUE_COST))
		return false;
	switch (type) {
	case DBUS_TYPE_STRING:
	case DBUS_TYPE_OBJECT_PATH:
	case DBUS_TYPE_SIGNATURE:
		dbus_message_iter_get_basic(value, &text);
		return take(left, strlen(text));
	case DBUS_TYPE_ARRAY:
		return array_fits(value, left);
	case DBUS_TYPE_VARIANT:
	case DBUS_TYPE_STRUCT:
	case DBUS_TYPE_DICT_ENTRY:
		dbus_message_iter_recurse(value, &inner);
		return values_fit(&inner, left);
	default:
		return true;
	}
}

bool bus_message_fits(DBusMessage *message, size_t max)
{
	DBusMessageIter args;
	size_t left = max;

	return !dbus_message_iter_init(message, &args) || values_fit(&args, &left);
}
