// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a method call to its answer. The order of the checks: size, object, interface, member, argument
 * types, authority; only then a handler runs. What needs an authority is request.c's to answer.
 *
 * The interfaces of org.freedesktop are tables like ours; their handlers are given the bus_object.
 */
#include <string.h>

#include "bus/names.h"
#include "bus/registry.h"
#include "bus/request.h"
#include "bus/weight.h"

static const char no_interface[] = "This object has no such interface";

static const struct bus_interface *object_interface(const struct bus_object *object,
						    const char *name)
{
	for (const struct bus_interface *const *i = object->interfaces; *i; i++)
		if (!strcmp((*i)->name, name))
			return *i;
	return NULL;
}

static bool interface_is_standard(const struct bus_object *object, const char *name)
{
	for (const struct bus_interface *const *i = bus_standard_interfaces(object); *i; i++)
		if (!strcmp((*i)->name, name))
			return true;
	return false;
}

/* --- org.freedesktop.DBus.Properties ------------------------------------------------------- */

/*
 * The property named by the first two arguments; an empty interface means any (the specification
 * allows that). NULL with the error set.
 */
static const struct bus_property *property_find(const struct bus_object *object, DBusMessage *call,
						DBusError *error)
{
	const char *interface, *name;
	const struct bus_property *p = NULL;
	DBusMessageIter in;
	bool known = false;

	/* Not dbus_message_get_args(): Set has a variant behind the two. The types are checked. */
	dbus_message_iter_init(call, &in);
	dbus_message_iter_get_basic(&in, &interface);
	dbus_message_iter_next(&in);
	dbus_message_iter_get_basic(&in, &name);

	for (const struct bus_interface *const *i = object->interfaces; *i && !p; i++) {
		if (*interface && strcmp((*i)->name, interface))
			continue;
		known = true;
		p = bus_interface_property(*i, name);
	}
	if (!known && interface_is_standard(object, interface))
		known = true;
	/* What the caller wrote is not repeated: it may be megabytes. */
	if (!known)
		dbus_set_error_const(error, DBUS_ERROR_UNKNOWN_INTERFACE, no_interface);
	else if (!p)
		dbus_set_error_const(error, DBUS_ERROR_UNKNOWN_PROPERTY,
				     "There is no such property in that interface");
	return p;
}

static dbus_bool_t properties_get(void *userdata, DBusMessage *call, DBusMessageIter *out,
				  DBusError *error)
{
	struct bus_object *object = userdata;
	const struct bus_property *p = property_find(object, call, error);

	return p && bus_property_append(p, object->userdata, out);
}

static dbus_bool_t properties_set(void *userdata, DBusMessage *call, DBusMessageIter *out,
				  DBusError *error)
{
	const struct bus_property *p = property_find(userdata, call, error);

	if (p)
		dbus_set_error(error, DBUS_ERROR_PROPERTY_READ_ONLY,
			       "Property '%s' can only be read", p->name);
	return FALSE;
}

static dbus_bool_t properties_get_all(void *userdata, DBusMessage *call, DBusMessageIter *out,
				      DBusError *error)
{
	static const struct bus_interface empty = {.name = ""};
	struct bus_object *object = userdata;
	const struct bus_interface *interface;
	const char *name;

	if (!dbus_message_get_args(call, error, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID))
		return FALSE;
	interface = object_interface(object, name);
	if (!interface && !*name)
		interface = object->interfaces[0];
	if (!interface && interface_is_standard(object, name))
		interface = &empty;
	if (!interface) {
		dbus_set_error_const(error, DBUS_ERROR_UNKNOWN_INTERFACE, no_interface);
		return FALSE;
	}
	return bus_properties_append(interface, object->userdata, NULL, out);
}

/* --- org.freedesktop.DBus.ObjectManager ---------------------------------------------------- */

static dbus_bool_t get_managed_objects(void *userdata, DBusMessage *call, DBusMessageIter *out,
				       DBusError *error)
{
	struct bus_object *root = userdata;
	DBusMessageIter dict, entry;

	if (!dbus_message_iter_open_container(out, DBUS_TYPE_ARRAY, "{oa{sa{sv}}}", &dict))
		return FALSE;
	for (struct bus_object *o = root->registry->objects; o; o = o->next) {
		if (o == root)
			continue;
		if (!dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) ||
		    !dbus_message_iter_append_basic(&entry, DBUS_TYPE_OBJECT_PATH, &o->path) ||
		    !bus_object_append_interfaces(o, &entry) ||
		    !dbus_message_iter_close_container(&dict, &entry))
			return FALSE;
	}
	return dbus_message_iter_close_container(out, &dict);
}

/* --- org.freedesktop.DBus.Introspectable --------------------------------------------------- */

/* The part of path that follows parent and a slash, or NULL if it is not below. */
static const char *path_below(const char *path, const char *parent)
{
	size_t len = strcmp(parent, "/") ? strlen(parent) : 0;

	if (strncmp(path, parent, len) || path[len] != '/' || !path[len + 1])
		return NULL;
	return path + len + 1;
}

static bool path_is_ancestor(const struct bus_registry *r, const char *path)
{
	for (const struct bus_object *o = r->objects; o; o = o->next)
		if (path_below(o->path, path))
			return true;
	return false;
}

static void children_free(char ***children)
{
	for (char **c = *children; c && *c; c++)
		free(*c);
	free(*children);
}

/* Names of the nodes directly below a path. */
static char **children_list(const struct bus_registry *r, const char *path)
{
	size_t n = 0, most = 1;
	bool nested = false; /* is one of them named by what is below it? */
	char **children;

	for (const struct bus_object *o = r->objects; o; o = o->next)
		most++;
	children = calloc(most, sizeof(*children));
	if (!children)
		return NULL;
	for (const struct bus_object *o = r->objects; o; o = o->next) {
		const char *rest = path_below(o->path, path);
		size_t len = rest ? strcspn(rest, "/") : 0;
		bool known = !rest;

		/* Thousands of leaves side by side are not held against each other: paths are unique. */
		nested |= rest && rest[len];
		for (size_t i = 0; i < n && nested && !known; i++)
			known = strlen(children[i]) == len && !strncmp(children[i], rest, len);
		if (known)
			continue;
		children[n] = strndup(rest, len);
		if (!children[n]) {
			children_free(&children);
			return NULL;
		}
		n++;
	}
	return children;
}

/* object may be NULL: a path between the objects. */
static dbus_bool_t introspect(const struct bus_registry *r, const char *path,
			      const struct bus_object *object, DBusMessageIter *out)
{
	const struct bus_interface *const *lists[] = {NULL, NULL, NULL};
	_cleanup_(children_free) char **children = children_list(r, path);
	_cleanup_(freep) char *xml = NULL;

	if (!children)
		return FALSE;
	if (object) {
		lists[0] = bus_standard_interfaces(object);
		lists[1] = object->interfaces;
	}
	xml = bus_introspect(lists, (const char *const *)children);
	return xml && dbus_message_iter_append_basic(out, DBUS_TYPE_STRING, &xml);
}

static dbus_bool_t introspectable_introspect(void *userdata, DBusMessage *call,
					     DBusMessageIter *out, DBusError *error)
{
	const struct bus_object *object = userdata;

	return introspect(object->registry, object->path, object, out);
}

/* --- the tables ---------------------------------------------------------------------------- */

static const struct bus_interface properties = {
	.name = DBUS_INTERFACE_PROPERTIES,
	.methods =
		(const struct bus_method[]){
			{.name = "Get",
			 .in = {{"s", "interface_name"}, {"s", "property_name"}},
			 .out = {{"v", "value"}},
			 .call = properties_get},
			{.name = "Set",
			 .in = {{"s", "interface_name"}, {"s", "property_name"}, {"v", "value"}},
			 .call = properties_set},
			{.name = "GetAll",
			 .in = {{"s", "interface_name"}},
			 .out = {{"a{sv}", "properties"}},
			 .call = properties_get_all},
			{.name = NULL}},
	.signals = (const struct bus_signal[]){{"PropertiesChanged",
						{{"s", "interface_name"},
						 {"a{sv}", "changed_properties"},
						 {"as", "invalidated_properties"}}},
					       {.name = NULL}},
};

static const struct bus_interface introspectable = {
	.name = DBUS_INTERFACE_INTROSPECTABLE,
	.methods = (const struct bus_method[]){{.name = "Introspect",
						.out = {{"s", "xml_data"}},
						.call = introspectable_introspect},
					       {.name = NULL}},
};

static const struct bus_interface peer = {
	.name = DBUS_INTERFACE_PEER,
	.methods = (const struct bus_method[]){{.name = "Ping"},
					       {.name = "GetMachineId",
						.out = {{"s", "machine_uuid"}}},
					       {.name = NULL}},
};

static const struct bus_interface object_manager = {
	.name = BUS_INTERFACE_OBJECT_MANAGER,
	.methods = (const struct bus_method[]){{.name = "GetManagedObjects",
						.out = {{"a{oa{sa{sv}}}", "objects"}},
						.call = get_managed_objects},
					       {.name = NULL}},
	.signals =
		(const struct bus_signal[]){
			{"InterfacesAdded", {{"o", "object"}, {"a{sa{sv}}", "interfaces"}}},
			{"InterfacesRemoved", {{"o", "object"}, {"as", "interfaces"}}},
			{.name = NULL}},
};

const struct bus_interface *const *bus_standard_interfaces(const struct bus_object *object)
{
	static const struct bus_interface *const of_root[] = {&properties, &introspectable, &peer,
							      &object_manager, NULL};
	static const struct bus_interface *const of_others[] = {&properties, &introspectable, &peer,
								NULL};

	return strcmp(object->path, object->registry->root) ? of_others : of_root;
}

/* --- one call ------------------------------------------------------------------------------ */

struct found {
	const struct bus_interface *interface;
	const struct bus_method *method;
	void *target; /* what its handler is given */
};

/*
 * Looks for the method in one list of interfaces; interface may be NULL (any), as D-Bus allows.
 * *known is set when the interface exists.
 */
static bool method_find(struct found *found, const struct bus_interface *const *list,
			const char *interface, const char *member, bool *known)
{
	for (; *list; list++) {
		const struct bus_method *m;

		if (interface && strcmp((*list)->name, interface))
			continue;
		*known = true;
		m = bus_interface_method(*list, member);
		if (m && (m->call || m->start)) {
			found->interface = *list;
			found->method = m;
			return true;
		}
	}
	return false;
}

static bool arguments_agree(const struct bus_method *m, DBusMessage *call, DBusError *error)
{
	char signature[BUS_SIGNATURE_MAX];

	bus_args_signature(m->in, signature);
	if (!dbus_message_has_signature(call, signature)) {
		dbus_set_error(error, DBUS_ERROR_INVALID_ARGS,
			       "Method '%s' takes arguments '%s', not '%s'", m->name, signature,
			       dbus_message_get_signature(call));
		return false;
	}
	/* They would be ours for as long as the call waits. */
	if (dbus_message_contains_unix_fds(call) && !strchr(signature, DBUS_TYPE_UNIX_FD)) {
		dbus_set_error(error, DBUS_ERROR_INVALID_ARGS,
			       "Method '%s' takes no file descriptors", m->name);
		return false;
	}
	return true;
}

/* The method that a call means, and what it is called on; false with the error set. */
static bool call_find(struct found *found, struct bus_registry *r, DBusMessage *call,
		      DBusError *error)
{
	const char *path = dbus_message_get_path(call);
	const char *interface = dbus_message_get_interface(call);
	const char *member = dbus_message_get_member(call);
	struct bus_object *object = bus_object_find(r, path);
	bool known = false;

	if (!object) {
		dbus_set_error_const(error, DBUS_ERROR_UNKNOWN_OBJECT, "There is no such object");
		return false;
	}
	found->target = object->userdata;
	if (!method_find(found, object->interfaces, interface, member, &known)) {
		found->target = object;
		if (!method_find(found, bus_standard_interfaces(object), interface, member, &known)) {
			if (!known)
				dbus_set_error_const(error, DBUS_ERROR_UNKNOWN_INTERFACE, no_interface);
			else
				dbus_set_error(error, DBUS_ERROR_UNKNOWN_METHOD,
					       "There is no method '%s'%s%s", member,
					       interface ? " in " : "", interface ? interface : "");
			return false;
		}
	}
	return arguments_agree(found->method, call, error);
}

/*
 * Appends the answer to out, or sets error, or returns FALSE alone: no memory. *later: the answer comes by a
 * request.
 */
static dbus_bool_t call_answer(struct bus_registry *r, DBusMessage *call, DBusMessageIter *out,
			       DBusError *error, bool *later)
{
	const char *path = dbus_message_get_path(call);
	struct found found;
	int begun;

	if (!bus_message_fits(call, BUS_CALL_MAX)) {
		dbus_set_error(error, DBUS_ERROR_LIMITS_EXCEEDED,
			       "The arguments of a call may take %d bytes", BUS_CALL_MAX);
		return FALSE;
	}
	if (!bus_object_find(r, path) && path_is_ancestor(r, path) &&
	    dbus_message_has_signature(call, "") &&
	    dbus_message_is_method_call(call, DBUS_INTERFACE_INTROSPECTABLE, "Introspect"))
		return introspect(r, path, NULL, out);
	if (!call_find(&found, r, call, error))
		return FALSE;
	if (!found.method->start && !found.method->action)
		return found.method->call(found.target, call, out, error);
	begun = bus_request_begin(r, call, found.interface, found.method);
	if (begun == -EUSERS)
		dbus_set_error_const(error, DBUS_ERROR_LIMITS_EXCEEDED, BUS_TOO_MANY);
	*later = !begun;
	return *later;
}

void *bus_dispatch_target(struct bus_registry *r, DBusMessage *call,
			  const struct bus_method *method)
{
	DBusError error = DBUS_ERROR_INIT;
	struct found found;
	bool same = call_find(&found, r, call, &error) && found.method == method;

	dbus_error_free(&error);
	return same ? found.target : NULL;
}

void bus_dispatch(void *userdata, DBusMessage *call)
{
	struct bus_registry *r = userdata;
	DBusError error = DBUS_ERROR_INIT;
	DBusMessage *reply = dbus_message_new_method_return(call);
	DBusMessageIter out;
	bool later = false;

	if (!reply)
		return;
	dbus_message_iter_init_append(reply, &out);
	if (!call_answer(r, call, &out, &error, &later)) {
		dbus_message_unref(reply);
		if (!dbus_error_is_set(&error))
			dbus_set_error_const(&error, DBUS_ERROR_NO_MEMORY, "No memory");
		reply = dbus_message_new_error(call, error.name, error.message);
		dbus_error_free(&error);
	}
	if (reply && !later && !dbus_message_get_no_reply(call))
		bus_connection_send(r->connection, reply);
	if (reply)
		dbus_message_unref(reply);
}
