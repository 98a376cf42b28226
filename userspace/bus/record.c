// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <string.h>

#include "bus/record.h"
#include "core/macro.h"
#include "core/utf8.h"

/* U+FFFD takes three bytes for one bad byte. */
#define REPLACED_MAX(len) (3 * (len) + 1)

dbus_bool_t bus_append_string(DBusMessageIter *iter, const char *text)
{
	_cleanup_(freep) char *clean = NULL;
	size_t len;

	if (!text)
		text = "";
	if (!dbus_validate_utf8(text, NULL)) {
		len = strlen(text);
		clean = malloc(REPLACED_MAX(len));
		if (!clean)
			return FALSE;
		utf8_copy(clean, REPLACED_MAX(len), text, len);
		text = clean;
	}
	return dbus_message_iter_append_basic(iter, DBUS_TYPE_STRING, &text);
}

dbus_bool_t bus_append_bool(DBusMessageIter *iter, bool truth)
{
	dbus_bool_t value = truth;

	return dbus_message_iter_append_basic(iter, DBUS_TYPE_BOOLEAN, &value);
}

dbus_bool_t bus_append_u32(DBusMessageIter *iter, uint32_t n)
{
	dbus_uint32_t value = n;

	return dbus_message_iter_append_basic(iter, DBUS_TYPE_UINT32, &value);
}

dbus_bool_t bus_append_u64(DBusMessageIter *iter, uint64_t n)
{
	dbus_uint64_t value = n;

	return dbus_message_iter_append_basic(iter, DBUS_TYPE_UINT64, &value);
}

dbus_bool_t bus_append_i64(DBusMessageIter *iter, int64_t n)
{
	dbus_int64_t value = n;

	return dbus_message_iter_append_basic(iter, DBUS_TYPE_INT64, &value);
}

static dbus_bool_t append_value(DBusMessageIter *entry, struct json_object *value)
{
	char signature[2] = {DBUS_TYPE_STRING, '\0'};
	dbus_bool_t truth, ok;
	dbus_uint64_t positive;
	dbus_int64_t negative;
	double fraction;
	DBusMessageIter variant;

	switch (json_object_get_type(value)) {
	case json_type_boolean:
		signature[0] = DBUS_TYPE_BOOLEAN;
		break;
	case json_type_int:
		signature[0] =
			json_object_get_int64(value) < 0 ? DBUS_TYPE_INT64 : DBUS_TYPE_UINT64;
		break;
	case json_type_double:
		signature[0] = DBUS_TYPE_DOUBLE;
		break;
	default:
		break;
	}
	if (!dbus_message_iter_open_container(entry, DBUS_TYPE_VARIANT, signature, &variant))
		return FALSE;
	switch (signature[0]) {
	case DBUS_TYPE_BOOLEAN:
		truth = json_object_get_boolean(value);
		ok = dbus_message_iter_append_basic(&variant, DBUS_TYPE_BOOLEAN, &truth);
		break;
	case DBUS_TYPE_INT64:
		negative = json_object_get_int64(value);
		ok = dbus_message_iter_append_basic(&variant, DBUS_TYPE_INT64, &negative);
		break;
	case DBUS_TYPE_UINT64:
		positive = json_object_get_uint64(value);
		ok = dbus_message_iter_append_basic(&variant, DBUS_TYPE_UINT64, &positive);
		break;
	case DBUS_TYPE_DOUBLE:
		fraction = json_object_get_double(value);
		ok = dbus_message_iter_append_basic(&variant, DBUS_TYPE_DOUBLE, &fraction);
		break;
	default:
		/* Of an array or object json-c gives the JSON text here. */
		ok = bus_append_string(&variant, json_object_get_string(value));
	}
	return ok && dbus_message_iter_close_container(entry, &variant);
}

dbus_bool_t bus_append_record(DBusMessageIter *iter, struct json_object *record)
{
	DBusMessageIter dict, entry;

	if (!dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, "{sv}", &dict))
		return FALSE;
	if (json_object_is_type(record, json_type_object)) {
		json_object_object_foreach(record, key, value)
		{
			if (!value)
				continue;
			if (!dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL,
							      &entry) ||
			    !bus_append_string(&entry, key) || !append_value(&entry, value) ||
			    !dbus_message_iter_close_container(&dict, &entry))
				return FALSE;
		}
	}
	return dbus_message_iter_close_container(iter, &dict);
}
