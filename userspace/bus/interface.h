/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A D-Bus interface is a table: properties, methods and signals with their signatures.
 * Introspection, argument checking and GetAll all come from it, so they cannot tell different
 * stories. Adding a member is adding a row (and a row in docs/dbus.md, which a test compares).
 *
 * All tables are static and end with a row whose name is NULL.
 */
#pragma once

#include <dbus/dbus.h>
#include <stdbool.h>

#define BUS_ARGS_MAX 8

/* More than any signature of ours: BUS_ARGS_MAX arguments of a few characters each. */
#define BUS_SIGNATURE_MAX 128

struct bus_caller;
struct bus_request;

struct bus_arg {
	const char *signature; /* one complete type */
	const char *name;
};

/* What a client may assume of a property: org.freedesktop.DBus.Property.EmitsChangedSignal. */
enum bus_emits {
	BUS_EMITS_TRUE,
	BUS_EMITS_CONST,
	BUS_EMITS_FALSE, /* changes too often to be announced: ask, or follow a signal */
};

struct bus_property {
	const char *name;
	const char *signature;
	/* Appends one value of that signature. FALSE only when there is no memory. */
	dbus_bool_t (*get)(void *object, DBusMessageIter *value);
	enum bus_emits emits;
};

struct bus_method {
	const char *name;
	struct bus_arg in[BUS_ARGS_MAX + 1];
	struct bus_arg out[BUS_ARGS_MAX + 1];
	/*
	 * polkit action that the caller must hold: a row of policy/org.sekimori.policy. Every method that changes
	 * something has one, and what becomes of each call to it is told to the registry's witness. NULL: only reads.
	 */
	const char *action;
	/*
	 * May this caller call it at all? Asked before polkit, so that nobody is asked for a password in vain. NULL: yes.
	 * Otherwise a code of core/reason.h, static.
	 */
	const char *(*refuses)(void *object, const struct bus_caller *caller);
	/*
	 * Called after path, interface, member, argument signature and authority were checked.
	 * Reads `call`, appends exactly the out arguments; or sets `error`. FALSE without an error
	 * means no memory. NULL: libdbus answers by itself (Peer).
	 */
	dbus_bool_t (*call)(void *object, DBusMessage *call, DBusMessageIter *out,
			    DBusError *error);
	/*
	 * Instead of `call`, for what depends on who calls or takes long: after the same checks,
	 * answers the request at once or later (bus/request.h).
	 */
	void (*start)(void *object, struct bus_request *request);
};

struct bus_signal {
	const char *name;
	struct bus_arg args[BUS_ARGS_MAX + 1];
};

struct bus_interface {
	const char *name;
	const struct bus_property *properties; /* each may be NULL */
	const struct bus_method *methods;
	const struct bus_signal *signals;
};

const struct bus_property *bus_interface_property(const struct bus_interface *i, const char *name);
const struct bus_method *bus_interface_method(const struct bus_interface *i, const char *name);
const struct bus_signal *bus_interface_signal(const struct bus_interface *i, const char *name);

/* The signatures of a list of arguments, put together. */
void bus_args_signature(const struct bus_arg *args, char out[static BUS_SIGNATURE_MAX]);

/* Appends one property as a variant. */
dbus_bool_t bus_property_append(const struct bus_property *p, void *object, DBusMessageIter *iter);

/*
 * Appends a{sv} of the properties of an interface; names, NULL-terminated, limits it to those
 * (NULL: all).
 */
dbus_bool_t bus_properties_append(const struct bus_interface *i, void *object,
				  const char *const *names, DBusMessageIter *iter);

/*
 * The introspection document of an object: its interfaces (NULL-terminated, may be NULL) and the
 * names of the objects below it. malloc'd; NULL when there is no memory.
 */
char *bus_introspect(const struct bus_interface *const *const lists[], const char *const *children);
