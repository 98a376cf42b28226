// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "bus/names.h"
#include "ctl/client.h"
#include "ctl/output.h"

/* What the daemon sends is three deep; whoever owns the name must not blow our stack. */
#define DECODE_DEPTH_MAX 16

static struct json_object *decode(DBusMessageIter *iter, unsigned int depth);

static struct json_object *decode_dict(DBusMessageIter *array, unsigned int depth)
{
	struct json_object *object = json_object_new_object();
	DBusMessageIter entry;

	for (; object && dbus_message_iter_get_arg_type(array) == DBUS_TYPE_DICT_ENTRY;
	     dbus_message_iter_next(array)) {
		const char *key;
		struct json_object *value;

		dbus_message_iter_recurse(array, &entry);
		if (dbus_message_iter_get_arg_type(&entry) != DBUS_TYPE_STRING &&
		    dbus_message_iter_get_arg_type(&entry) != DBUS_TYPE_OBJECT_PATH)
			continue;
		dbus_message_iter_get_basic(&entry, &key);
		dbus_message_iter_next(&entry);
		value = decode(&entry, depth);
		json_object_object_add(object, key, value);
	}
	return object;
}

static struct json_object *decode_list(DBusMessageIter *items, unsigned int depth)
{
	struct json_object *array = json_object_new_array();

	for (; array && dbus_message_iter_get_arg_type(items) != DBUS_TYPE_INVALID;
	     dbus_message_iter_next(items))
		json_object_array_add(array, decode(items, depth));
	return array;
}

static struct json_object *decode(DBusMessageIter *iter, unsigned int depth)
{
	int type = dbus_message_iter_get_arg_type(iter);
	DBusBasicValue value;
	DBusMessageIter inner;

	if (!depth)
		return NULL;
	if (dbus_type_is_basic(type))
		dbus_message_iter_get_basic(iter, &value);
	else
		dbus_message_iter_recurse(iter, &inner);
	switch (type) {
	case DBUS_TYPE_STRING:
	case DBUS_TYPE_OBJECT_PATH:
	case DBUS_TYPE_SIGNATURE:
		return json_object_new_string(value.str);
	case DBUS_TYPE_BOOLEAN:
		return json_object_new_boolean((int)value.bool_val);
	case DBUS_TYPE_BYTE:
		return json_object_new_int(value.byt);
	case DBUS_TYPE_INT16:
		return json_object_new_int(value.i16);
	case DBUS_TYPE_UINT16:
		return json_object_new_int(value.u16);
	case DBUS_TYPE_INT32:
		return json_object_new_int(value.i32);
	case DBUS_TYPE_UINT32:
		return json_object_new_int64(value.u32);
	case DBUS_TYPE_INT64:
		return json_object_new_int64(value.i64);
	case DBUS_TYPE_UINT64:
		return json_object_new_uint64(value.u64);
	case DBUS_TYPE_DOUBLE:
		return json_object_new_double(value.dbl);
	case DBUS_TYPE_VARIANT:
		return decode(&inner, depth - 1);
	case DBUS_TYPE_STRUCT:
		return decode_list(&inner, depth - 1);
	case DBUS_TYPE_ARRAY:
		if (dbus_message_iter_get_element_type(iter) == DBUS_TYPE_DICT_ENTRY)
			return decode_dict(&inner, depth - 1);
		return decode_list(&inner, depth - 1);
	default:
		return NULL;
	}
}

struct json_object *client_decode(DBusMessageIter *iter)
{
	return decode(iter, DECODE_DEPTH_MAX);
}

static void error_take(DBusError *error, char **why)
{
	*why = dbus_error_is_set(error) ? strdup(error->message) : NULL;
	dbus_error_free(error);
}

DBusConnection *client_connect(char **why)
{
	DBusError error = DBUS_ERROR_INIT;
	DBusConnection *dbus = dbus_bus_get_private(DBUS_BUS_SYSTEM, &error);

	if (dbus)
		dbus_connection_set_exit_on_disconnect(dbus, FALSE);
	else
		error_take(&error, why);
	return dbus;
}

struct call {
	const char *interface;
	const char *method;
	const char *argument;  /* a string, or NULL: none */
	const char *signature; /* of the answer */
	int timeout_ms;
};

/* Calls a method of the root object. The first value of the answer as JSON. */
static struct json_object *client_call(DBusConnection *dbus, const struct call *call, char **why)
{
	DBusMessage *message = dbus_message_new_method_call(BUS_NAME, BUS_ROOT_PATH,
							    call->interface, call->method);
	DBusError error = DBUS_ERROR_INIT;
	struct json_object *answer = NULL;
	DBusMessage *reply = NULL;
	DBusMessageIter iter;

	*why = NULL;
	if (!message)
		return NULL;
	/* A client that only looks must not start the daemon behind the administrator's back. */
	dbus_message_set_auto_start(message, FALSE);
	if (!call->argument ||
	    dbus_message_append_args(message, DBUS_TYPE_STRING, &call->argument, DBUS_TYPE_INVALID))
		reply = dbus_connection_send_with_reply_and_block(dbus, message, call->timeout_ms,
								  &error);
	dbus_message_unref(message);
	if (reply && dbus_message_has_signature(reply, call->signature) &&
	    dbus_message_iter_init(reply, &iter))
		answer = client_decode(&iter);
	else if (reply)
		*why = strdup("the answer has another form than expected");
	else
		error_take(&error, why);
	if (reply)
		dbus_message_unref(reply);
	return answer;
}

struct json_object *client_manager(DBusConnection *dbus, char **why)
{
	static const struct call call = {DBUS_INTERFACE_PROPERTIES, "GetAll", BUS_INTERFACE_MANAGER,
					 "a{sv}", CLIENT_TIMEOUT_MS};

	return client_call(dbus, &call, why);
}

/* An entry of GetManagedObjects with its path, or NULL if it is no device. */
static struct json_object *device_new(const char *path, struct json_object *interfaces)
{
	struct json_object *properties, *device;

	if (!json_object_object_get_ex(interfaces, BUS_INTERFACE_DEVICE, &properties) ||
	    strncmp(path, BUS_DEVICE_PATH_PREFIX, strlen(BUS_DEVICE_PATH_PREFIX)))
		return NULL;
	device = json_object_new_object();
	if (!device)
		return NULL;
	json_object_object_add(device, "Path", json_object_new_string(path));
	json_object_object_foreach(properties, key, value)
		json_object_object_add(device, key, json_object_get(value));
	return device;
}

static int device_compare(const void *a, const void *b)
{
	struct json_object *const *x = a, *const *y = b;

	return strverscmp(json_object_get_string(json_object_object_get(*x, "Path")),
			  json_object_get_string(json_object_object_get(*y, "Path")));
}

struct json_object *client_devices(DBusConnection *dbus, char **why)
{
	static const struct call call = {BUS_INTERFACE_OBJECT_MANAGER, "GetManagedObjects", NULL,
					 "a{oa{sa{sv}}}", CLIENT_TIMEOUT_MS};
	_cleanup_(json_objectp) struct json_object *objects = client_call(dbus, &call, why);
	struct json_object *devices;

	if (!objects)
		return NULL;
	devices = json_object_new_array();
	json_object_object_foreach(objects, path, interfaces)
	{
		struct json_object *device = device_new(path, interfaces);

		if (device)
			json_object_array_add(devices, device);
	}
	json_object_array_sort(devices, device_compare);
	return devices;
}

struct json_object *client_reload(DBusConnection *dbus, char **why)
{
	static const struct call call = {BUS_INTERFACE_MANAGER, "ReloadPolicy", NULL, "s",
					 CLIENT_RELOAD_TIMEOUT_MS};

	return client_call(dbus, &call, why);
}
