// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "agent/barrier.h"
#include "bus/names.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "ctl/client.h"

struct barrier {
	struct bus_connection *bus;
	const struct barrier_ops *ops;
	void *userdata;
	char *owner;		     /* unique name of the daemon; NULL: it is not there */
	struct json_object *objects; /* path → interface → properties */
	bool here;
};

/* A question on its way. */
struct asked {
	barrier_answer_fn fn;
	void *userdata;
};

/* --- objects -------------------------------------------------------------------------------- */

struct json_object *barrier_object(struct barrier *b, const char *path, const char *interface)
{
	return json_object_object_get(json_object_object_get(b->objects, path), interface);
}

const char *barrier_word(struct barrier *b, const char *interface, const char *property)
{
	return output_raw(barrier_object(b, BUS_ROOT_PATH, interface), property);
}

void barrier_each(struct barrier *b, const char *interface,
		  void (*fn)(void *userdata, const char *path, struct json_object *properties), void *userdata)
{
	json_object_object_foreach(b->objects, path, interfaces)
	{
		struct json_object *properties = json_object_object_get(interfaces, interface);

		if (properties)
			fn(userdata, path, properties);
	}
}

static struct json_object *member_object(struct json_object *parent, const char *key)
{
	struct json_object *object = json_object_object_get(parent, key);

	if (json_object_is_type(object, json_type_object))
		return object;
	object = json_object_new_object();
	if (!object || json_object_object_add(parent, key, object))
		output_no_memory();
	return object;
}

static void properties_merge(struct barrier *b, const char *path, const char *interface, struct json_object *changed)
{
	struct json_object *properties = member_object(member_object(b->objects, path), interface);

	json_object_object_foreach(changed, key, value)
		json_object_object_add(properties, key, json_object_get(value));
	if (b->here)
		b->ops->object(b->userdata, path, interface);
}

static void objects_forget(struct barrier *b)
{
	json_object_put(b->objects);
	b->objects = json_object_new_object();
	if (!b->objects)
		output_no_memory();
}

/* --- asking --------------------------------------------------------------------------------- */

DBusMessage *barrier_call(const char *path, const char *interface, const char *method, bool interactive)
{
	DBusMessage *call = dbus_message_new_method_call(BUS_NAME, path, interface, method);

	if (!call)
		return NULL;
	/* Who only looks must not start the daemon behind the administrator's back. */
	dbus_message_set_auto_start(call, FALSE);
	dbus_message_set_allow_interactive_authorization(call, interactive);
	return call;
}

struct json_object *barrier_argument(const struct barrier_answer *answer, size_t n)
{
	return answer->arguments ? json_object_array_get_idx(answer->arguments, n) : NULL;
}

static struct json_object *arguments_decode(DBusMessage *message)
{
	struct json_object *arguments = json_object_new_array();
	DBusMessageIter iter;

	if (!arguments)
		output_no_memory();
	if (dbus_message_iter_init(message, &iter))
		do
			json_object_array_add(arguments, client_decode(&iter));
		while (dbus_message_iter_next(&iter));
	return arguments;
}

static void answer_error(const struct asked *asked, DBusMessage *reply)
{
	DBusError error = DBUS_ERROR_INIT;
	struct barrier_answer answer = { .error = _("The barrier of this terminal does not answer. Tell the help desk.") };

	if (reply && dbus_set_error_from_message(&error, reply)) {
		answer.refused = dbus_error_has_name(&error, DBUS_ERROR_ACCESS_DENIED) ||
				 dbus_error_has_name(&error, DBUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) ||
				 dbus_error_has_name(&error, DBUS_ERROR_UNKNOWN_METHOD);
		/* polkit may be there the next time. */
		if (!strncmp(error.message, "no-polkit", strlen("no-polkit")))
			answer.refused = false;
		/* The bus itself speaks of rules and connections, which helps nobody who reads it. */
		answer.error = answer.refused && !client_reason(error.message) ? "not-authorised" : error.message;
		if (dbus_error_has_name(&error, DBUS_ERROR_NO_REPLY) ||
		    dbus_error_has_name(&error, DBUS_ERROR_NAME_HAS_NO_OWNER) ||
		    dbus_error_has_name(&error, DBUS_ERROR_SERVICE_UNKNOWN))
			answer.error = _("The barrier of this terminal does not answer. Tell the help desk.");
	}
	asked->fn(asked->userdata, &answer);
	dbus_error_free(&error);
}

static void on_answer(void *userdata, DBusMessage *reply)
{
	struct asked *asked = userdata;

	if (reply && dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_METHOD_RETURN) {
		_cleanup_(json_objectp) struct json_object *arguments = arguments_decode(reply);
		struct barrier_answer answer = { .arguments = arguments };

		asked->fn(asked->userdata, &answer);
	} else {
		answer_error(asked, reply);
	}
	free(asked);
}

static void ask_within(struct barrier *b, DBusMessage *call, int timeout_ms, barrier_answer_fn fn, void *userdata)
{
	struct asked *asked = malloc(sizeof(*asked));

	if (!asked)
		output_no_memory();
	*asked = (struct asked){ fn, userdata };
	if (!call || bus_connection_ask_within(b->bus, call, timeout_ms, on_answer, asked) < 0) {
		answer_error(asked, NULL);
		free(asked);
	}
	if (call)
		dbus_message_unref(call);
}

void barrier_ask(struct barrier *b, DBusMessage *call, barrier_answer_fn fn, void *userdata)
{
	ask_within(b, call, BARRIER_TIMEOUT_MS, fn, userdata);
}

void barrier_ask_patiently(struct barrier *b, DBusMessage *call, barrier_answer_fn fn, void *userdata)
{
	ask_within(b, call, DBUS_TIMEOUT_INFINITE, fn, userdata);
}

/* --- reading anew --------------------------------------------------------------------------- */

static void on_objects(void *userdata, const struct barrier_answer *answer)
{
	struct barrier *b = userdata;
	struct json_object *objects = barrier_argument(answer, 0);

	if (!b->owner || !json_object_is_type(objects, json_type_object))
		return;
	json_object_object_foreach(objects, path, interfaces)
		json_object_object_add(b->objects, path, json_object_get(interfaces));
	b->here = true;
	b->ops->here(b->userdata, true);
}

static void properties_take(struct barrier *b, const char *interface, const struct barrier_answer *answer)
{
	struct json_object *properties = barrier_argument(answer, 0);

	if (b->owner && json_object_is_type(properties, json_type_object))
		properties_merge(b, BUS_ROOT_PATH, interface, properties);
}

static void on_manager(void *userdata, const struct barrier_answer *answer)
{
	properties_take(userdata, BUS_INTERFACE_MANAGER, answer);
}

static void on_exceptions(void *userdata, const struct barrier_answer *answer)
{
	properties_take(userdata, BUS_INTERFACE_EXCEPTIONS, answer);
}

static void properties_ask(struct barrier *b, const char *interface, barrier_answer_fn fn)
{
	DBusMessage *call = barrier_call(BUS_ROOT_PATH, DBUS_INTERFACE_PROPERTIES, "GetAll", false);

	if (call)
		dbus_message_append_args(call, DBUS_TYPE_STRING, &interface, DBUS_TYPE_INVALID);
	barrier_ask(b, call, fn, b);
}

static void daemon_lost(struct barrier *b)
{
	bool was = b->here;

	free(b->owner);
	b->owner = NULL;
	b->here = false;
	objects_forget(b);
	if (was)
		b->ops->here(b->userdata, false);
}

/* The root object first: who listens wants to know who sits here when the devices come. */
static void daemon_found(struct barrier *b, const char *owner)
{
	daemon_lost(b);
	b->owner = strdup(owner);
	if (!b->owner)
		output_no_memory();
	properties_ask(b, BUS_INTERFACE_MANAGER, on_manager);
	properties_ask(b, BUS_INTERFACE_EXCEPTIONS, on_exceptions);
	barrier_ask(b, barrier_call(BUS_ROOT_PATH, BUS_INTERFACE_OBJECT_MANAGER, "GetManagedObjects", false), on_objects,
		    b);
}

static void on_owner_told(void *userdata, DBusMessage *reply)
{
	const char *owner;

	if (reply && dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &owner, DBUS_TYPE_INVALID))
		daemon_found(userdata, owner);
}

static void owner_ask(struct barrier *b)
{
	static const char *const name = BUS_NAME;
	DBusMessage *call =
		dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "GetNameOwner");

	if (call && dbus_message_append_args(call, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID))
		bus_connection_ask(b->bus, call, on_owner_told, b);
	if (call)
		dbus_message_unref(call);
}

static void on_owner(void *userdata, DBusMessage *signal)
{
	struct barrier *b = userdata;
	const char *name, *old, *new;

	if (!signal) {
		daemon_lost(b);
		owner_ask(b);
		return;
	}
	if (!dbus_message_is_signal(signal, DBUS_INTERFACE_DBUS, "NameOwnerChanged") ||
	    !dbus_message_has_sender(signal, DBUS_SERVICE_DBUS) ||
	    !dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &old, DBUS_TYPE_STRING, &new,
				   DBUS_TYPE_INVALID) ||
	    strcmp(name, BUS_NAME))
		return;
	if (*new)
		daemon_found(b, new);
	else
		daemon_lost(b);
}

/* --- signals -------------------------------------------------------------------------------- */

static struct json_object *argument(struct json_object *arguments, size_t n)
{
	return json_object_array_get_idx(arguments, n);
}

static const char *argument_string(struct json_object *arguments, size_t n)
{
	return json_object_get_string(argument(arguments, n));
}

static void on_properties(struct barrier *b, const char *path, struct json_object *arguments)
{
	properties_merge(b, path, argument_string(arguments, 0), argument(arguments, 1));
}

static void on_added(struct barrier *b, const char *path, struct json_object *arguments)
{
	const char *object = argument_string(arguments, 0);

	json_object_object_foreach(argument(arguments, 1), interface, properties)
		properties_merge(b, object, interface, properties);
}

static void on_removed(struct barrier *b, const char *path, struct json_object *arguments)
{
	const char *object = argument_string(arguments, 0);

	if (b->here)
		b->ops->gone(b->userdata, object);
	json_object_object_del(b->objects, object);
}

static void on_device(struct barrier *b, const char *member, struct json_object *arguments)
{
	if (b->here)
		b->ops->device(b->userdata, member, argument_string(arguments, 0), argument(arguments, 1));
}

static void on_warned(struct barrier *b, const char *path, struct json_object *arguments)
{
	b->ops->warned(b->userdata, (uint32_t)json_object_get_int64(argument(arguments, 0)),
		       (uint32_t)json_object_get_int64(argument(arguments, 1)));
}

static void on_stepped(struct barrier *b, const char *path, struct json_object *arguments)
{
	b->ops->stepped(b->userdata, (uint32_t)json_object_get_int64(argument(arguments, 0)));
}

static const struct {
	const char *interface;
	const char *member;
	const char *signature;
	/* `word`: the member's name for devices, the object's path for the others. */
	void (*heard)(struct barrier *b, const char *word, struct json_object *arguments);
} signals[] = {
	{ DBUS_INTERFACE_PROPERTIES, "PropertiesChanged", "sa{sv}as", on_properties },
	{ BUS_INTERFACE_OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", on_added },
	{ BUS_INTERFACE_OBJECT_MANAGER, "InterfacesRemoved", "oas", on_removed },
	{ BUS_INTERFACE_MANAGER, "DeviceDenied", "oa{sv}", on_device },
	{ BUS_INTERFACE_MANAGER, "DeviceAllowed", "oa{sv}", on_device },
	{ BUS_INTERFACE_MANAGER, "DeviceRevoked", "oa{sv}", on_device },
	{ BUS_INTERFACE_MANAGER, "DeviceWouldBeDenied", "oa{sv}", on_device },
	{ BUS_INTERFACE_MANAGER, "DeviceTampered", "oa{sv}", on_device },
	{ BUS_INTERFACE_EXCEPTIONS, "Warned", "uu", on_warned },
	{ BUS_INTERFACE_EXCEPTIONS, "Stepped", "uss", on_stepped },
};

static void on_signal(void *userdata, DBusMessage *message)
{
	struct barrier *b = userdata;

	if (!message || !b->owner || !dbus_message_has_sender(message, b->owner) || !dbus_message_get_path(message))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		_cleanup_(json_objectp) struct json_object *arguments = NULL;

		if (!dbus_message_is_signal(message, signals[i].interface, signals[i].member))
			continue;
		if (!dbus_message_has_signature(message, signals[i].signature))
			return;
		arguments = arguments_decode(message);
		signals[i].heard(b, signals[i].heard == on_device ? signals[i].member : dbus_message_get_path(message),
				 arguments);
		return;
	}
}

/* Nobody is served here. */
static void on_call(void *userdata, DBusMessage *call)
{
	struct barrier *b = userdata;
	DBusMessage *reply = dbus_message_get_no_reply(call) ?
				     NULL :
				     dbus_message_new_error(call, DBUS_ERROR_UNKNOWN_METHOD, "the agent has no methods");

	if (!reply)
		return;
	bus_connection_send(b->bus, reply);
	dbus_message_unref(reply);
}

int barrier_new(struct barrier **ret, sd_event *event, const char *address, const struct barrier_ops *ops, void *userdata)
{
	_cleanup_(barrier_freep) struct barrier *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->ops = ops;
	b->userdata = userdata;
	objects_forget(b);
	r = bus_connection_new(&b->bus, event, address, NULL, on_call, b);
	if (r >= 0)
		r = bus_connection_follow(b->bus,
					  "type='signal',sender='" DBUS_SERVICE_DBUS
					  "',member='NameOwnerChanged',arg0='" BUS_NAME "'",
					  on_owner, b);
	if (r >= 0)
		r = bus_connection_follow(b->bus, "type='signal',sender='" BUS_NAME "',path_namespace='" BUS_ROOT_PATH "'",
					  on_signal, b);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(b);
	return 0;
}

struct barrier *barrier_free(struct barrier *b)
{
	if (!b)
		return NULL;
	/* Open questions are answered now, with nothing. */
	b->bus = b->bus ? bus_connection_free(b->bus) : NULL;
	json_object_put(b->objects);
	free(b->owner);
	free(b);
	return NULL;
}
