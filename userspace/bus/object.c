// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "bus/names.h"
#include "bus/registry.h"

static void message_unref(DBusMessage **message)
{
	if (*message)
		dbus_message_unref(*message);
}

int bus_registry_new(struct bus_registry **ret, sd_event *event, const char *address,
		     const char *name, const char *root)
{
	_cleanup_(bus_registry_freep) struct bus_registry *r = calloc(1, sizeof(*r));
	int ret_code;

	if (!r)
		return -ENOMEM;
	r->patience = BUS_PATIENCE_DEFAULT;
	r->root = strdup(root);
	if (!r->root)
		return -ENOMEM;
	ret_code = bus_connection_new(&r->connection, event, address, name, bus_dispatch, r);
	if (ret_code == 0)
		ret_code = bus_connection_follow(r->connection, NULL, bus_requests_heard, r);
	if (ret_code < 0)
		return ret_code;
	*ret = TAKE_PTR(r);
	return 0;
}

static void object_free(struct bus_object *object)
{
	free(object->path);
	free(object);
}

struct bus_registry *bus_registry_free(struct bus_registry *r)
{
	if (!r)
		return NULL;
	r->witness = NULL;
	bus_connection_free(r->connection);
	bus_requests_leave(r);
	while (r->objects) {
		struct bus_object *object = r->objects;

		r->objects = object->next;
		object_free(object);
	}
	free(r->root);
	free(r);
	return NULL;
}

void bus_registry_set_witness(struct bus_registry *r, bus_witness_fn witness, void *userdata)
{
	r->witness = witness;
	r->witness_userdata = userdata;
}

void bus_registry_set_patience(struct bus_registry *r, const struct bus_patience *patience)
{
	r->patience = *patience;
}

struct bus_connection *bus_registry_connection(struct bus_registry *r)
{
	return r->connection;
}

/* FNV-1a. Paths are ours but for a number at the end, so nobody can choose them to collide. */
static struct bus_object **bucket_of(struct bus_registry *r, const char *path)
{
	uint32_t hash = 2166136261u;

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 16777619u;
	return &r->buckets[hash % BUS_OBJECT_BUCKETS];
}

struct bus_object *bus_object_find(struct bus_registry *r, const char *path)
{
	struct bus_object *object = *bucket_of(r, path);

	while (object && strcmp(object->path, path))
		object = object->next_in_bucket;
	return object;
}

void *bus_object_target(struct bus_registry *r, const char *path,
			const struct bus_interface *interface)
{
	const struct bus_object *object = bus_object_find(r, path);

	for (size_t i = 0; object && object->interfaces[i]; i++)
		if (object->interfaces[i] == interface)
			return object->userdata;
	return NULL;
}

static void object_link(struct bus_object *object)
{
	struct bus_registry *r = object->registry;
	struct bus_object **bucket = bucket_of(r, object->path);

	object->next_in_bucket = *bucket;
	*bucket = object;
	object->prev = r->last_object;
	*(object->prev ? &object->prev->next : &r->objects) = object;
	r->last_object = object;
}

static void object_unlink(struct bus_object *object)
{
	struct bus_registry *r = object->registry;
	struct bus_object **at = bucket_of(r, object->path);

	while (*at != object)
		at = &(*at)->next_in_bucket;
	*at = object->next_in_bucket;
	*(object->prev ? &object->prev->next : &r->objects) = object->next;
	*(object->next ? &object->next->prev : &r->last_object) = object->prev;
}

dbus_bool_t bus_object_append_interfaces(struct bus_object *object, DBusMessageIter *iter)
{
	DBusMessageIter dict, entry;

	if (!dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, "{sa{sv}}", &dict))
		return FALSE;
	for (const struct bus_interface *const *i = object->interfaces; *i; i++)
		if (!dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) ||
		    !dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &(*i)->name) ||
		    !bus_properties_append(*i, object->userdata, NULL, &entry) ||
		    !dbus_message_iter_close_container(&dict, &entry))
			return FALSE;
	return dbus_message_iter_close_container(iter, &dict);
}

static dbus_bool_t append_interface_names(struct bus_object *object, DBusMessageIter *iter)
{
	DBusMessageIter array;

	if (!dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, "s", &array))
		return FALSE;
	for (const struct bus_interface *const *i = object->interfaces; *i; i++)
		if (!dbus_message_iter_append_basic(&array, DBUS_TYPE_STRING, &(*i)->name))
			return FALSE;
	return dbus_message_iter_close_container(iter, &array);
}

/* InterfacesAdded or InterfacesRemoved, from the root. What is lost is read again by listeners. */
static void object_announce(struct bus_object *object, bool added)
{
	struct bus_registry *r = object->registry;
	_cleanup_(message_unref) DBusMessage *message = NULL;
	DBusMessageIter args;

	if (!bus_connection_ready(r->connection))
		return;
	message = dbus_message_new_signal(r->root, BUS_INTERFACE_OBJECT_MANAGER,
					  added ? "InterfacesAdded" : "InterfacesRemoved");
	if (!message)
		return;
	dbus_message_iter_init_append(message, &args);
	if (!dbus_message_iter_append_basic(&args, DBUS_TYPE_OBJECT_PATH, &object->path) ||
	    !(added ? bus_object_append_interfaces(object, &args)
		    : append_interface_names(object, &args)))
		return;
	bus_connection_send(r->connection, message);
}

int bus_object_add(struct bus_registry *r, const char *path,
		   const struct bus_interface *const *interfaces, void *userdata)
{
	struct bus_object *object;

	if (!dbus_validate_path(path, NULL))
		return -EINVAL;
	if (bus_object_find(r, path))
		return -EEXIST;
	object = calloc(1, sizeof(*object));
	if (!object)
		return -ENOMEM;
	object->path = strdup(path);
	if (!object->path) {
		free(object);
		return -ENOMEM;
	}
	object->registry = r;
	object->interfaces = interfaces;
	object->userdata = userdata;
	object_link(object);
	object_announce(object, true);
	return 0;
}

void bus_object_remove(struct bus_object *object)
{
	if (!object)
		return;
	object_unlink(object);
	object_announce(object, false);
	object_free(object);
}

void bus_object_changed(struct bus_object *object, const struct bus_interface *interface,
			const char *const *names)
{
	struct bus_registry *r = object->registry;
	_cleanup_(message_unref) DBusMessage *message = NULL;
	DBusMessageIter args, invalidated;

	if (!bus_connection_ready(r->connection))
		return;
	message = dbus_message_new_signal(object->path, DBUS_INTERFACE_PROPERTIES,
					  "PropertiesChanged");
	if (!message)
		return;
	dbus_message_iter_init_append(message, &args);
	if (!dbus_message_iter_append_basic(&args, DBUS_TYPE_STRING, &interface->name) ||
	    !bus_properties_append(interface, object->userdata, names, &args) ||
	    !dbus_message_iter_open_container(&args, DBUS_TYPE_ARRAY, "s", &invalidated) ||
	    !dbus_message_iter_close_container(&args, &invalidated))
		return;
	bus_connection_send(r->connection, message);
}

/* More than any table has. */
#define PROPERTIES_MAX 64

void bus_object_all_changed(struct bus_object *object, const struct bus_interface *interface)
{
	const char *names[PROPERTIES_MAX + 1];
	size_t n = 0;

	for (const struct bus_property *p = interface->properties; p->name && n < PROPERTIES_MAX; p++)
		if (p->emits == BUS_EMITS_TRUE)
			names[n++] = p->name;
	names[n] = NULL;
	bus_object_changed(object, interface, names);
}

int bus_object_emit(struct bus_object *object, const struct bus_interface *interface,
		    const char *signal, bus_append_fn append, void *userdata)
{
	const struct bus_signal *row = bus_interface_signal(interface, signal);
	struct bus_registry *r = object->registry;
	_cleanup_(message_unref) DBusMessage *message = NULL;
	char signature[BUS_SIGNATURE_MAX];
	DBusMessageIter args;

	if (!row)
		return -EINVAL;
	if (!bus_connection_ready(r->connection))
		return -ENOTCONN;
	message = dbus_message_new_signal(object->path, interface->name, signal);
	if (!message)
		return -ENOMEM;
	dbus_message_iter_init_append(message, &args);
	if (append && !append(userdata, &args))
		return -ENOMEM;
	bus_args_signature(row->args, signature);
	if (!dbus_message_has_signature(message, signature))
		return -EINVAL;
	return bus_connection_send(r->connection, message);
}
