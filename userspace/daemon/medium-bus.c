// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>

#include "bus/names.h"
#include "bus/record.h"
#include "core/civil.h"
#include "core/encryption.h"
#include "daemon/medium-bus.h"

static const struct medium *medium_line(void *object, const struct policy **policy)
{
	const struct medium_bus *medium = object;

	return medium->line ? medium->line(medium->userdata, medium->device, policy) : NULL;
}

#define MEDIUM_GETTER(name, append, expression, otherwise)                                         \
	static dbus_bool_t medium_get_##name(void *object, DBusMessageIter *value)                 \
	{                                                                                          \
		const struct policy *policy;                                                       \
		const struct medium *line = medium_line(object, &policy);                          \
                                                                                                   \
		return append(value, line ? (expression) : (otherwise));                           \
	}

static dbus_bool_t append_civil(DBusMessageIter *value, int64_t civil)
{
	char text[CIVIL_TEXT_MAX] = "";

	if (civil)
		civil_format(civil, text);
	return bus_append_string(value, text);
}

static const char *model_name(const struct policy *policy, const struct medium *line)
{
	const struct model *model = policy_find_model(policy, line->id_vendor, line->id_product);

	return model ? model->name : "";
}

MEDIUM_GETTER(class, bus_append_u32, line->class, 0)
MEDIUM_GETTER(model, bus_append_string, model_name(policy, line), "")
MEDIUM_GETTER(serial, bus_append_string, line->serial, "")
MEDIUM_GETTER(from, append_civil, line->from, 0)
MEDIUM_GETTER(until, append_civil, line->until, 0)
MEDIUM_GETTER(status, bus_append_string, medium_status_name(line->status), "")
MEDIUM_GETTER(method, bus_append_string, encryption_name(line->encryption), "")
MEDIUM_GETTER(access, bus_append_string, device_access_name(line->access), "")

static dbus_bool_t medium_get_number(void *object, DBusMessageIter *value)
{
	const struct medium_bus *medium = object;

	return bus_append_string(value, medium->device->medium);
}

static dbus_bool_t append_path(DBusMessageIter *value, const char *prefix, uint64_t id)
{
	char buffer[sizeof(BUS_VOLUME_PATH_PREFIX BUS_DEVICE_PATH_PREFIX) + 20];
	const char *path = buffer;

	snprintf(buffer, sizeof(buffer), "%s%" PRIu64, prefix, id);
	return dbus_message_iter_append_basic(value, DBUS_TYPE_OBJECT_PATH, &path);
}

static dbus_bool_t medium_get_device(void *object, DBusMessageIter *value)
{
	const struct medium_bus *medium = object;

	return append_path(value, BUS_DEVICE_PATH_PREFIX, medium->device->id);
}

static dbus_bool_t append_texts(DBusMessageIter *value, const struct text *const *texts, size_t n)
{
	DBusMessageIter array;

	if (!dbus_message_iter_open_container(value, DBUS_TYPE_ARRAY, "s", &array))
		return FALSE;
	for (size_t i = 0; i < n; i++)
		if (!bus_append_string(&array, texts[i]->bytes))
			return FALSE;
	return dbus_message_iter_close_container(value, &array);
}

static dbus_bool_t medium_get_holders(void *object, DBusMessageIter *value)
{
	const struct policy *policy;
	const struct medium *line = medium_line(object, &policy);

	return append_texts(value, line ? line->holders : NULL, line ? line->n_holders : 0);
}

static dbus_bool_t medium_get_terminals(void *object, DBusMessageIter *value)
{
	const struct policy *policy;
	const struct medium *line = medium_line(object, &policy);

	return append_texts(value, line ? line->terminals : NULL, line ? line->n_terminals : 0);
}

static dbus_bool_t medium_get_volumes(void *object, DBusMessageIter *value)
{
	const struct medium_bus *medium = object;
	DBusMessageIter array;
	uint64_t id;

	if (!dbus_message_iter_open_container(value, DBUS_TYPE_ARRAY, "o", &array))
		return FALSE;
	for (unsigned int n = 0; medium->volume(medium->userdata, medium->device, n, &id); n++)
		if (!append_path(&array, BUS_VOLUME_PATH_PREFIX, id))
			return FALSE;
	return dbus_message_iter_close_container(value, &array);
}

static const struct bus_property medium_properties[MEDIUM_BUS_PROPERTIES + 1] = {
	{"Number", "s", medium_get_number, BUS_EMITS_CONST},
	{"Device", "o", medium_get_device, BUS_EMITS_CONST},
	{"Serial", "s", medium_get_serial, BUS_EMITS_TRUE},
	{"Model", "s", medium_get_model, BUS_EMITS_TRUE},
	{"Class", "u", medium_get_class, BUS_EMITS_TRUE},
	{"Holders", "as", medium_get_holders, BUS_EMITS_TRUE},
	{"Terminals", "as", medium_get_terminals, BUS_EMITS_TRUE},
	{"From", "s", medium_get_from, BUS_EMITS_TRUE},
	{"Until", "s", medium_get_until, BUS_EMITS_TRUE},
	{"Status", "s", medium_get_status, BUS_EMITS_TRUE},
	{"Method", "s", medium_get_method, BUS_EMITS_TRUE},
	{"Access", "s", medium_get_access, BUS_EMITS_TRUE},
	{"Volumes", "ao", medium_get_volumes, BUS_EMITS_TRUE},
	{.name = NULL},
};

const struct bus_interface medium_bus_interface = {
	.name = BUS_INTERFACE_MEDIUM,
	.properties = medium_properties,
};
