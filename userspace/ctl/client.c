// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "bus/names.h"
#include "cli/i18n.h"
#include "ctl/client.h"
#include "ctl/output.h"

/* What the daemon sends is three deep; whoever owns the name must not blow our stack. */
#define DECODE_DEPTH_MAX 16

/* Longer than any code of core/reason.c. */
#define REASON_CODE_MAX 64

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

const struct reason *client_reason(const char *why)
{
	char code[REASON_CODE_MAX];
	size_t len = strcspn(why, ":");

	if (len >= sizeof(code))
		return NULL;
	memcpy(code, why, len);
	code[len] = '\0';
	return reason_find(code);
}

struct json_object *client_decode(DBusMessageIter *iter)
{
	return decode(iter, DECODE_DEPTH_MAX);
}

/*
 * A refusal of the daemon's begins with a code that has a sentence (core/reason.h); one of the bus itself speaks of
 * rules and connections, which helps nobody who reads it.
 */
static const char *refusal_text(const DBusError *error)
{
	if ((dbus_error_has_name(error, DBUS_ERROR_ACCESS_DENIED) ||
	     dbus_error_has_name(error, DBUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED)) &&
	    !client_reason(error->message))
		return "not-authorised";
	return error->message;
}

static void error_take(DBusError *error, char **why)
{
	*why = dbus_error_is_set(error) ? strdup(refusal_text(error)) : NULL;
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
	const char *path; /* NULL: the root object */
	const char *interface;
	const char *method;
	const char *argument;  /* a string, or NULL: none */
	const char *signature; /* of the answer */
	int timeout_ms;
	bool changes; /* something: the person in front may be asked for a password */
};

/* The answer to a method, if it has the form that was expected. */
static DBusMessage *method_send(DBusConnection *dbus, const struct client_method *method, DBusError *error)
{
	DBusMessage *message = dbus_message_new_method_call(
		BUS_NAME, method->path ? method->path : BUS_ROOT_PATH, method->interface, method->method);
	DBusMessage *reply = NULL;
	DBusMessageIter args;

	if (!message)
		return NULL;
	/* A client that only looks must not start the daemon behind the administrator's back. */
	dbus_message_set_auto_start(message, FALSE);
	dbus_message_set_allow_interactive_authorization(message, method->changes);
	dbus_message_iter_init_append(message, &args);
	if (!method->append || method->append(&args, method->userdata))
		reply = dbus_connection_send_with_reply_and_block(dbus, message, method->timeout_ms, error);
	dbus_message_unref(message);
	if (reply && !dbus_message_has_signature(reply, method->signature)) {
		dbus_message_unref(reply);
		reply = NULL;
		dbus_set_error_const(error, DBUS_ERROR_INVALID_SIGNATURE,
				     _("the answer has another form than expected"));
	}
	return reply;
}

struct json_object *client_method_call(DBusConnection *dbus, const struct client_method *method, char **why,
				       char **error)
{
	DBusError failure = DBUS_ERROR_INIT;
	DBusMessage *reply = method_send(dbus, method, &failure);
	struct json_object *answer = NULL;
	DBusMessageIter values;

	if (error)
		*error = dbus_error_is_set(&failure) ? strdup(failure.name) : NULL;
	if (!reply) {
		error_take(&failure, why);
		return NULL;
	}
	*why = NULL;
	dbus_message_iter_init(reply, &values);
	answer = decode_list(&values, DECODE_DEPTH_MAX);
	dbus_message_unref(reply);
	return answer;
}

static bool append_string(DBusMessageIter *args, const void *userdata)
{
	const char *text = userdata;

	return dbus_message_iter_append_basic(args, DBUS_TYPE_STRING, &text);
}

/* Calls a method. The first value of the answer as JSON. */
static struct json_object *client_call(DBusConnection *dbus, const struct call *call, char **why)
{
	const struct client_method method = {
		.path = call->path,
		.interface = call->interface,
		.method = call->method,
		.append = call->argument ? append_string : NULL,
		.userdata = call->argument,
		.signature = call->signature,
		.timeout_ms = call->timeout_ms,
		.changes = call->changes,
	};
	struct json_object *values = client_method_call(dbus, &method, why, NULL);
	struct json_object *first = values ? json_object_get(json_object_array_get_idx(values, 0)) : NULL;

	json_object_put(values);
	return first;
}

struct json_object *client_manager(DBusConnection *dbus, char **why)
{
	static const struct call call = {NULL,    DBUS_INTERFACE_PROPERTIES,
					 "GetAll", BUS_INTERFACE_MANAGER,
					 "a{sv}", CLIENT_TIMEOUT_MS, false};

	return client_call(dbus, &call, why);
}

/* An entry of GetManagedObjects with its path, or NULL if it does not have the interface. */
static struct json_object *entry_new(const char *path, struct json_object *interfaces,
				     const char *interface, const char *prefix)
{
	struct json_object *properties, *device;

	if (!json_object_object_get_ex(interfaces, interface, &properties) ||
	    strncmp(path, prefix, strlen(prefix)))
		return NULL;
	device = json_object_new_object();
	if (!device)
		return NULL;
	json_object_object_add(device, "Path", json_object_new_string(path));
	json_object_object_foreach(properties, key, value)
		json_object_object_add(device, key, json_object_get(value));
	return device;
}

static int entry_compare(const void *a, const void *b)
{
	struct json_object *const *x = a, *const *y = b;

	return strverscmp(json_object_get_string(json_object_object_get(*x, "Path")),
			  json_object_get_string(json_object_object_get(*y, "Path")));
}

static struct json_object *managed_objects(DBusConnection *dbus, char **why)
{
	static const struct call call = {NULL,
					 BUS_INTERFACE_OBJECT_MANAGER,
					 "GetManagedObjects",
					 NULL,
					 "a{oa{sa{sv}}}",
					 CLIENT_TIMEOUT_MS, false};

	return client_call(dbus, &call, why);
}

static struct json_object *entries_of(struct json_object *objects, const char *interface,
				      const char *prefix)
{
	struct json_object *entries = json_object_new_array();

	json_object_object_foreach(objects, path, interfaces)
	{
		struct json_object *entry = entry_new(path, interfaces, interface, prefix);

		if (entry)
			json_object_array_add(entries, entry);
	}
	json_object_array_sort(entries, entry_compare);
	return entries;
}

struct json_object *client_devices(DBusConnection *dbus, char **why)
{
	_cleanup_(json_objectp) struct json_object *objects = managed_objects(dbus, why);

	return objects ? entries_of(objects, BUS_INTERFACE_DEVICE, BUS_DEVICE_PATH_PREFIX) : NULL;
}

struct json_object *client_grants(DBusConnection *dbus, char **why)
{
	_cleanup_(json_objectp) struct json_object *objects = managed_objects(dbus, why);

	return objects ? entries_of(objects, BUS_INTERFACE_GRANT, BUS_GRANT_PATH_PREFIX) : NULL;
}

struct json_object *client_requests(DBusConnection *dbus, char **why)
{
	_cleanup_(json_objectp) struct json_object *objects = managed_objects(dbus, why);

	return objects ? entries_of(objects, BUS_INTERFACE_REQUEST, BUS_REQUEST_PATH_PREFIX) : NULL;
}

static void add_member(struct json_object *volume, const char *key, struct json_object *device,
		       const char *member)
{
	json_object_object_add(volume, key, json_object_new_string(output_raw(device, member)));
}

struct json_object *client_volumes(DBusConnection *dbus, char **why)
{
	_cleanup_(json_objectp) struct json_object *objects = managed_objects(dbus, why);
	struct json_object *volumes;

	if (!objects)
		return NULL;
	volumes = entries_of(objects, BUS_INTERFACE_VOLUME, BUS_VOLUME_PATH_PREFIX);
	for (size_t i = 0; i < json_object_array_length(volumes); i++) {
		struct json_object *volume = json_object_array_get_idx(volumes, i);
		struct json_object *device = json_object_object_get(
			json_object_object_get(objects, output_raw(volume, "Device")),
			BUS_INTERFACE_DEVICE);

		add_member(volume, "DeviceName", device, "Name");
		add_member(volume, "Medium", device, "Medium");
	}
	return volumes;
}

struct json_object *client_volume(DBusConnection *dbus, const char *path, char **why)
{
	const struct call call = {path,	  DBUS_INTERFACE_PROPERTIES, "GetAll", BUS_INTERFACE_VOLUME,
				  "a{sv}", CLIENT_TIMEOUT_MS, false};
	const struct call secret = {path, BUS_INTERFACE_VOLUME, "Details", NULL, "a{sv}",
				    CLIENT_TIMEOUT_MS, false};
	struct json_object *volume = client_call(dbus, &call, why);
	_cleanup_(json_objectp) struct json_object *details = NULL;
	_cleanup_(freep) char *ignored = NULL;

	if (!volume)
		return NULL;
	json_object_object_add(volume, "Path", json_object_new_string(path));
	details = client_call(dbus, &secret, &ignored);
	if (details) {
		json_object_object_foreach(details, key, value)
			json_object_object_add(volume, key, json_object_get(value));
	}
	return volume;
}

/* --- changing a volume ---------------------------------------------------------------------- */

/* News of the volume, from whoever has our names: what they say is only shown. */
static DBusHandlerResult on_changed(DBusConnection *dbus, DBusMessage *message, void *userdata)
{
	const struct client_change *change = userdata;
	DBusMessageIter args;

	if (!dbus_message_is_signal(message, DBUS_INTERFACE_PROPERTIES, "PropertiesChanged") ||
	    !dbus_message_has_path(message, change->path) ||
	    !dbus_message_has_signature(message, "sa{sv}as"))
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	dbus_message_iter_init(message, &args);
	dbus_message_iter_next(&args);
	if (change->changed) {
		_cleanup_(json_objectp) struct json_object *properties = client_decode(&args);

		change->changed(change->userdata, properties);
	}
	return DBUS_HANDLER_RESULT_HANDLED;
}

static DBusMessage *change_message(const struct client_change *change)
{
	DBusMessage *message = dbus_message_new_method_call(BUS_NAME, change->path,
							    BUS_INTERFACE_VOLUME, change->method);
	DBusMessageIter args, dict;

	if (!message)
		return NULL;
	dbus_message_set_auto_start(message, FALSE);
	/* polkit may ask the person in front for a password, where the terminal has something to ask with. */
	dbus_message_set_allow_interactive_authorization(message, TRUE);
	dbus_message_iter_init_append(message, &args);
	if (change->secret < 0 ||
	    (dbus_message_iter_append_basic(&args, DBUS_TYPE_UNIX_FD, &change->secret) &&
	     dbus_message_iter_open_container(&args, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
	     dbus_message_iter_close_container(&args, &dict)))
		return message;
	dbus_message_unref(message);
	return NULL;
}

bool client_change(DBusConnection *dbus, const struct client_change *change, char **why)
{
	_cleanup_(freep) char *match = output_format(
		"type='signal',sender='" BUS_NAME "',path='%s',member='PropertiesChanged'",
		change->path);
	DBusMessage *message = change_message(change), *reply;
	DBusError error = DBUS_ERROR_INIT;
	DBusPendingCall *pending = NULL;
	bool done = false;

	*why = NULL;
	dbus_bus_add_match(dbus, match, NULL);
	if (!message || !dbus_connection_add_filter(dbus, on_changed, (void *)change, NULL) ||
	    !dbus_connection_send_with_reply(dbus, message, &pending, DBUS_TIMEOUT_INFINITE) ||
	    !pending) {
		if (message)
			dbus_message_unref(message);
		return false;
	}
	dbus_message_unref(message);
	while (!dbus_pending_call_get_completed(pending) &&
	       dbus_connection_read_write_dispatch(dbus, -1))
		;
	/* Not completed: the bus has gone. */
	reply = dbus_pending_call_get_completed(pending) ? dbus_pending_call_steal_reply(pending) :
							   NULL;
	dbus_pending_call_unref(pending);
	if (reply && !dbus_set_error_from_message(&error, reply))
		done = true;
	else
		error_take(&error, why);
	if (reply)
		dbus_message_unref(reply);
	dbus_connection_remove_filter(dbus, on_changed, (void *)change);
	if (dbus_connection_get_is_connected(dbus))
		dbus_bus_remove_match(dbus, match, NULL);
	return done;
}

struct json_object *client_reload(DBusConnection *dbus, char **why)
{
	static const struct call call = {NULL, BUS_INTERFACE_MANAGER,	 "ReloadPolicy", NULL,
					 "s",  CLIENT_RELOAD_TIMEOUT_MS, true};

	return client_call(dbus, &call, why);
}
