// SPDX-License-Identifier: GPL-2.0-or-later
#include "bus/record.h"
#include "core/grantset.h"
#include "daemon/exception-values.h"
#include "daemon/exceptions-bus-inside.h"
#include "daemon/grant-bus.h"

#define GRANT_GETTER(name, append, expression)                                                     \
	static dbus_bool_t grant_get_##name(void *object, DBusMessageIter *value)                  \
	{                                                                                          \
		const struct exception *e = exceptions_bus_exception(object);                      \
                                                                                                   \
		return append(value, expression);                                                  \
	}

GRANT_GETTER(access, bus_append_string, exception_access_name(e->grant.access))
GRANT_GETTER(encrypted_only, bus_append_bool, e->grant.encrypted_only)
GRANT_GETTER(begin, bus_append_i64, e->grant.not_before)
GRANT_GETTER(end, bus_append_i64, exception_end(e))
GRANT_GETTER(emergency, bus_append_bool, e->emergency)
GRANT_GETTER(live, bus_append_bool, e->state == EXCEPTION_LIVE)

static dbus_bool_t grant_get_request(void *object, DBusMessageIter *value)
{
	const struct exceptions_bus_entry *entry = object;
	char buffer[REQUEST_PATH_MAX];
	const char *path = buffer;

	exceptions_bus_request_path(buffer, entry->number);
	return dbus_message_iter_append_basic(value, DBUS_TYPE_OBJECT_PATH, &path);
}

static dbus_bool_t grant_get_id(void *object, DBusMessageIter *value)
{
	char id[GRANTSET_ID_TEXT_MAX];

	grantset_id_format(exceptions_bus_exception(object)->grant.id, id);
	return bus_append_string(value, id);
}

static dbus_bool_t grant_get_seconds_left(void *object, DBusMessageIter *value)
{
	const struct exceptions_bus_entry *entry = object;
	struct exceptions *exceptions = entry->bus->setup.exceptions;

	return bus_append_u32(value, exceptions ? exceptions_seconds_left(exceptions,
								      exceptions_bus_exception(entry)) :
					      0);
}

static const struct bus_property grant_properties[] = {
	{ "Request", "o", grant_get_request, BUS_EMITS_CONST },
	{ "Id", "s", grant_get_id, BUS_EMITS_CONST },
	{ "Access", "s", grant_get_access, BUS_EMITS_CONST },
	{ "EncryptedOnly", "b", grant_get_encrypted_only, BUS_EMITS_CONST },
	{ "Begin", "x", grant_get_begin, BUS_EMITS_CONST },
	{ "End", "x", grant_get_end, BUS_EMITS_TRUE },
	{ "SecondsLeft", "u", grant_get_seconds_left, BUS_EMITS_FALSE },
	{ "Emergency", "b", grant_get_emergency, BUS_EMITS_CONST },
	{ "Live", "b", grant_get_live, BUS_EMITS_TRUE },
	{ .name = NULL },
};

const struct bus_interface grant_bus_interface = {
	.name = BUS_INTERFACE_GRANT,
	.properties = grant_properties,
};
