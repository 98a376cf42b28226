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
 * PropertyReadOnly, InvalidArgs (wrong argument types), AccessDenied and
 * InteractiveAuthorizationRequired (not authorised), LimitsExceeded (too large, too many at once), NoMemory,
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
 * Bytes that the arguments of one call may take; what is beyond gets LimitsExceeded. The longest that anybody has a
 * reason to send is a self-check's result.
 */
#define BUS_CALL_MAX (32 * 1024)

struct bus_caller;

enum bus_outcome {
	BUS_DONE,
	BUS_REFUSED, /* he may not */
	BUS_FAILED,  /* he may, but it could not be done */
};

/* What became of a call to a method that has an action. Valid during the witness' call. */
struct bus_deed {
	const char *path; /* of the object */
	const char *interface;
	const char *method;
	const char *action;
	const struct bus_caller *caller; /* uid -1: the bus did not tell who it is */
	enum bus_outcome outcome;
	const char *error; /* D-Bus name; NULL: none */
	const char *message;
};
typedef void (*bus_witness_fn)(void *userdata, const struct bus_deed *deed);

/*
 * address, name: as for bus_connection_new(). root: path of the object that has ObjectManager; it
 * must be added like the others. Call this, add the first objects, then run the loop: nothing is
 * answered before.
 */
int bus_registry_new(struct bus_registry **ret, sd_event *event, const char *address,
		     const char *name, const char *root);
struct bus_registry *bus_registry_free(struct bus_registry *r); /* frees the objects too */
DEFINE_CLEANUP(struct bus_registry *, bus_registry_free);

/* Is told of every deed, before its answer is sent. Not of calls that are no deed: unknown, malformed, too many. */
void bus_registry_set_witness(struct bus_registry *r, bus_witness_fn witness, void *userdata);

/*
 * How long polkit may take. Without interaction it answers in milliseconds, unless it has to be started; with it a person
 * types a password.
 */
struct bus_patience {
	int polkit_ms;
	int interactive_ms;
};
#define BUS_PATIENCE_DEFAULT ((struct bus_patience){ .polkit_ms = 30000, .interactive_ms = 120000 })
void bus_registry_set_patience(struct bus_registry *r, const struct bus_patience *patience);

struct bus_connection *bus_registry_connection(struct bus_registry *r);

/*
 * Adds an object and announces it (InterfacesAdded). interfaces: static, NULL-terminated. userdata:
 * given to getters and handlers, must live until the object is removed. -EEXIST, -EINVAL (bad
 * path), -ENOMEM.
 */
int bus_object_add(struct bus_registry *r, const char *path,
		   const struct bus_interface *const *interfaces, void *userdata);

struct bus_object *bus_object_find(struct bus_registry *r, const char *path);

/* The userdata of the object at a path, if this interface is one of its own; NULL otherwise. */
void *bus_object_target(struct bus_registry *r, const char *path,
			const struct bus_interface *interface);

/* Announces the removal (InterfacesRemoved) and frees it. NULL is fine. */
void bus_object_remove(struct bus_object *object);

/* PropertiesChanged with the present values of the named properties, NULL-terminated. */
void bus_object_changed(struct bus_object *object, const struct bus_interface *interface,
			const char *const *names);

/* … of every one that is announced (BUS_EMITS_TRUE). */
void bus_object_all_changed(struct bus_object *object, const struct bus_interface *interface);

/*
 * Emits a signal of the interface's table. `append` must append what the table says. -EINVAL if
 * there is no such signal or the arguments are others; else as bus_connection_send().
 */
int bus_object_emit(struct bus_object *object, const struct bus_interface *interface,
		    const char *signal, bus_append_fn append, void *userdata);
