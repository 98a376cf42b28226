/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects on the bus, and the calls to them.
 *
 * The registry is kept whether there is a bus or not; changes made while there is none are simply
 * found by who reads afterwards. Every object also has Properties, Introspectable and Peer; the
 * root object has ObjectManager. Ancestors of an object can be introspected, so that tools can walk
 * down.
 *
 * Errors that a caller can get: UnknownObject, UnknownInterface, UnknownMethod, UnknownProperty,
 * PropertyReadOnly, InvalidArgs (wrong argument types), AccessDenied (not authorised), NoMemory,
 * and what a method's handler sets.
 */
#pragma once

#include <dbus/dbus.h>
#include <systemd/sd-event.h>

#include "bus/connection.h"
#include "bus/interface.h"

struct bus_registry;
struct bus_object;

/* Appends the arguments of a signal. FALSE only when there is no memory. */
typedef dbus_bool_t (*bus_append_fn)(void *userdata, DBusMessageIter *args);

/*
 * May the caller of `call` do `action`? Without such a function every method that has an action is
 * refused.
 */
typedef bool (*bus_authorize_fn)(void *userdata, DBusMessage *call, const char *action);

/*
 * address, name: as for bus_connection_new(). root: path of the object that has ObjectManager; it
 * must be added like the others. Call this, add the first objects, then run the loop: nothing is
 * answered before.
 */
int bus_registry_new(struct bus_registry **ret, sd_event *event, const char *address,
		     const char *name, const char *root);
struct bus_registry *bus_registry_free(struct bus_registry *r); /* frees the objects too */
DEFINE_CLEANUP(struct bus_registry *, bus_registry_free);

void bus_registry_set_authority(struct bus_registry *r, bus_authorize_fn authorize, void *userdata);
struct bus_connection *bus_registry_connection(struct bus_registry *r);

/*
 * Adds an object and announces it (InterfacesAdded). interfaces: static, NULL-terminated. userdata:
 * given to getters and handlers, must live until the object is removed. -EEXIST, -EINVAL (bad
 * path), -ENOMEM.
 */
int bus_object_add(struct bus_registry *r, const char *path,
		   const struct bus_interface *const *interfaces, void *userdata);

struct bus_object *bus_object_find(struct bus_registry *r, const char *path);

/* Announces the removal (InterfacesRemoved) and frees it. NULL is fine. */
void bus_object_remove(struct bus_object *object);

/* PropertiesChanged with the present values of the named properties, NULL-terminated. */
void bus_object_changed(struct bus_object *object, const struct bus_interface *interface,
			const char *const *names);

/*
 * Emits a signal of the interface's table. `append` must append what the table says. -EINVAL if
 * there is no such signal or the arguments are others; else as bus_connection_send().
 */
int bus_object_emit(struct bus_object *object, const struct bus_interface *interface,
		    const char *signal, bus_append_fn append, void *userdata);
