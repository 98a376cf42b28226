// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bus/names.h"
#include "bus/record.h"
#include "bus/request.h"
#include "daemon/volume-bus.h"
#include "daemon/volume.h"

/* --- properties ---------------------------------------------------------------------------- */

#define VOLUME_GETTER(name, append, expression)                                                    \
	static dbus_bool_t volume_get_##name(void *object, DBusMessageIter *value)                 \
	{                                                                                          \
		const struct volume_view *view = volume_view(object);                              \
                                                                                                   \
		return append(value, expression);                                                  \
	}

VOLUME_GETTER(partition, bus_append_u32, view->partition)
VOLUME_GETTER(node, bus_append_string, view->node)
VOLUME_GETTER(uuid, bus_append_string, view->uuid)
VOLUME_GETTER(label, bus_append_string, view->label)
VOLUME_GETTER(method, bus_append_string, view->method)
VOLUME_GETTER(access, bus_append_string, view->read_only ? "ro" : "rw")
VOLUME_GETTER(state, bus_append_string, volume_state_name(view->state))
VOLUME_GETTER(user, bus_append_string, view->user)
VOLUME_GETTER(error, bus_append_string, view->error)
VOLUME_GETTER(wrong, bus_append_u32, view->wrong)

static dbus_bool_t volume_get_device(void *object, DBusMessageIter *value)
{
	char buffer[sizeof(BUS_DEVICE_PATH_PREFIX) + 20];
	const char *path = buffer;

	snprintf(buffer, sizeof(buffer), BUS_DEVICE_PATH_PREFIX "%" PRIu64,
		 volume_view(object)->device);
	return dbus_message_iter_append_basic(value, DBUS_TYPE_OBJECT_PATH, &path);
}

static dbus_bool_t volume_get_progress(void *object, DBusMessageIter *value)
{
	const struct volume_view *view = volume_view(object);
	dbus_uint64_t done = view->done, total = view->total;
	DBusMessageIter pair;

	return dbus_message_iter_open_container(value, DBUS_TYPE_STRUCT, NULL, &pair) &&
	       dbus_message_iter_append_basic(&pair, DBUS_TYPE_UINT64, &done) &&
	       dbus_message_iter_append_basic(&pair, DBUS_TYPE_UINT64, &total) &&
	       dbus_message_iter_close_container(value, &pair);
}

/* --- what only who may open it is told ------------------------------------------------------ */

static dbus_bool_t append_infected(DBusMessageIter *value, const struct volume_view *view)
{
	DBusMessageIter array, entry;

	if (!dbus_message_iter_open_container(value, DBUS_TYPE_ARRAY, "(ss)", &array))
		return FALSE;
	for (unsigned int i = 0; i < view->n_infected; i++)
		if (!dbus_message_iter_open_container(&array, DBUS_TYPE_STRUCT, NULL, &entry) ||
		    !bus_append_string(&entry, view->infected[i].path) ||
		    !bus_append_string(&entry, view->infected[i].signature) ||
		    !dbus_message_iter_close_container(&array, &entry))
			return FALSE;
	return dbus_message_iter_close_container(value, &array);
}

static dbus_bool_t append_holders(DBusMessageIter *value, const struct volume_view *view)
{
	DBusMessageIter array, entry;

	if (!dbus_message_iter_open_container(value, DBUS_TYPE_ARRAY, "(suu)", &array))
		return FALSE;
	for (unsigned int i = 0; i < view->n_holders; i++)
		if (!dbus_message_iter_open_container(&array, DBUS_TYPE_STRUCT, NULL, &entry) ||
		    !bus_append_string(&entry, view->holders[i].name) ||
		    !bus_append_u32(&entry, (dbus_uint32_t)view->holders[i].pid) ||
		    !bus_append_u32(&entry, view->holders[i].uid) ||
		    !dbus_message_iter_close_container(&array, &entry))
			return FALSE;
	return dbus_message_iter_close_container(value, &array);
}

static dbus_bool_t append_mount_point(DBusMessageIter *value, const struct volume_view *view)
{
	return bus_append_string(value, view->mount);
}

static dbus_bool_t append_detail(DBusMessageIter *value, const struct volume_view *view)
{
	return bus_append_string(value, view->detail);
}

/* The rows of docs/dbus.md. */
static const struct {
	const char *name, *signature;
	dbus_bool_t (*append)(DBusMessageIter *value, const struct volume_view *view);
} details[] = {
	{ "MountPoint", "s", append_mount_point },
	{ "Detail", "s", append_detail },
	{ "Infected", "a(ss)", append_infected },
	{ "Holders", "a(suu)", append_holders },
};

static dbus_bool_t append_details(void *userdata, DBusMessageIter *args)
{
	const struct volume_view *view = volume_view(userdata);
	DBusMessageIter dict, entry, value;

	if (!dbus_message_iter_open_container(args, DBUS_TYPE_ARRAY, "{sv}", &dict))
		return FALSE;
	for (size_t i = 0; i < ARRAY_SIZE(details); i++)
		if (!dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) ||
		    !bus_append_string(&entry, details[i].name) ||
		    !dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, details[i].signature,
						      &value) ||
		    !details[i].append(&value, view) ||
		    !dbus_message_iter_close_container(&entry, &value) ||
		    !dbus_message_iter_close_container(&dict, &entry))
			return FALSE;
	return dbus_message_iter_close_container(args, &dict);
}

/* --- methods ------------------------------------------------------------------------------- */

/* Errors that a program may want to tell apart; any other reason is Error.Failed. */
static const struct {
	const char *reason;
	const char *error;
} errors[] = {
	{ "wrong-passphrase", BUS_NAME ".Error.WrongPassphrase" },
	{ "passphrase-wait", BUS_NAME ".Error.Wait" },
	{ "infected", BUS_NAME ".Error.Infected" },
	{ "busy", BUS_NAME ".Error.Busy" },
	{ "volume-busy", BUS_NAME ".Error.InTransition" },
	{ "open-already", BUS_NAME ".Error.OpenAlready" },
};

/* "REASON", or "REASON: DETAIL". */
static void request_refuse(struct bus_request *request, const struct volume_view *view,
			   const char *reason)
{
	const char *name = BUS_NAME ".Error.Failed";
	char message[VOLUME_REASON_MAX + VOLUME_LIFE_DETAIL_MAX + 2];

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (!strcmp(errors[i].reason, reason))
			name = errors[i].error;
	/* The details of a change that goes on are not this caller's. */
	if (view->detail[0] && strcmp(reason, "volume-busy") && strcmp(reason, "interrupted"))
		snprintf(message, sizeof(message), "%s: %s", reason, view->detail);
	else
		snprintf(message, sizeof(message), "%s", reason);
	bus_request_fail(request, name, message);
}

static dbus_bool_t append_mount(void *userdata, DBusMessageIter *args)
{
	return bus_append_string(args, volume_view(userdata)->mount);
}

static void opened(void *userdata, struct volume_life *volume, const char *reason)
{
	if (reason)
		request_refuse(userdata, volume_view(volume), reason);
	else
		bus_request_answer(userdata, append_mount, volume);
}

static void closed(void *userdata, struct volume_life *volume, const char *reason)
{
	if (reason)
		request_refuse(userdata, volume_view(volume), reason);
	else
		bus_request_answer(userdata, NULL, NULL);
}

static const char *volume_refuses(void *object, const struct bus_caller *caller)
{
	struct volume_user user;

	return volume_may(object, caller->uid, &user) ? NULL : "not-at-seat";
}

/* Also while the volume is being taken away, when nobody may open it. */
static const char *details_refuse(void *object, const struct bus_caller *caller)
{
	return caller->uid ? volume_refuses(object, caller) : NULL;
}

static void volume_start_details(void *object, struct bus_request *request)
{
	bus_request_answer(request, append_details, object);
}

/* True if the call may go on; answers it if not. Who sits there may have changed while polkit was asked. */
static bool request_may(struct bus_request *request, struct volume_life *volume,
			struct volume_user *user)
{
	if (volume_may(volume, bus_request_caller(request)->uid, user))
		return true;
	bus_request_refuse(request, "not-at-seat");
	return false;
}

static void volume_start_open(void *object, struct bus_request *request)
{
	struct volume_user user;
	DBusMessageIter in;
	int secret = -1;

	/* libdbus gives us a duplicate. */
	dbus_message_iter_init(bus_request_call(request), &in);
	dbus_message_iter_get_basic(&in, &secret);
	if (request_may(request, object, &user))
		volume_open(object, &user, secret, opened, request);
	else
		closep(&secret);
}

static void volume_start_open_organisation(void *object, struct bus_request *request)
{
	struct volume_user user;

	if (request_may(request, object, &user))
		volume_open(object, &user, -1, opened, request);
}

static void volume_start_close(void *object, struct bus_request *request)
{
	struct volume_user user;

	if (request_may(request, object, &user))
		volume_close(object, false, closed, request);
}

/* --- the table ----------------------------------------------------------------------------- */

static const struct bus_property volume_properties[] = {
	{"Device", "o", volume_get_device, BUS_EMITS_CONST},
	{"Partition", "u", volume_get_partition, BUS_EMITS_CONST},
	{"Node", "s", volume_get_node, BUS_EMITS_CONST},
	{"Uuid", "s", volume_get_uuid, BUS_EMITS_CONST},
	{"Label", "s", volume_get_label, BUS_EMITS_CONST},
	{"Method", "s", volume_get_method, BUS_EMITS_CONST},
	{"Access", "s", volume_get_access, BUS_EMITS_CONST},
	{"State", "s", volume_get_state, BUS_EMITS_TRUE},
	{"User", "s", volume_get_user, BUS_EMITS_TRUE},
	{"Progress", "(tt)", volume_get_progress, BUS_EMITS_TRUE},
	{"Error", "s", volume_get_error, BUS_EMITS_TRUE},
	{"WrongPassphrases", "u", volume_get_wrong, BUS_EMITS_TRUE},
	{.name = NULL},
};

static const struct bus_method volume_methods[] = {
	{.name = "Details",
	 .out = {{"a{sv}", "details"}},
	 .refuses = details_refuse,
	 .start = volume_start_details},
	{.name = "Open",
	 .in = {{"h", "passphrase"}, {"a{sv}", "options"}},
	 .out = {{"s", "mount_point"}},
	 .action = "org.sekimori.open-volume",
	 .refuses = volume_refuses,
	 .start = volume_start_open},
	{.name = "OpenWithOrganisationKey",
	 .out = {{"s", "mount_point"}},
	 .action = "org.sekimori.open-volume",
	 .refuses = volume_refuses,
	 .start = volume_start_open_organisation},
	{.name = "Close",
	 .action = "org.sekimori.close-volume",
	 .refuses = volume_refuses,
	 .start = volume_start_close},
	{.name = "Eject",
	 .action = "org.sekimori.close-volume",
	 .refuses = volume_refuses,
	 .start = volume_start_close},
	{.name = NULL},
};

const struct bus_interface volume_bus_interface = {
	.name = BUS_INTERFACE_VOLUME,
	.properties = volume_properties,
	.methods = volume_methods,
};
