/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tool's side of the bus: asking the daemon, with answers turned into JSON. Calls here wait. */
#pragma once

#include <dbus/dbus.h>
#include <json-c/json.h>
#include <stdbool.h>

#include "core/macro.h"
#include "core/reason.h"

/* How long an answer may take; the daemon needs milliseconds. */
#define CLIENT_TIMEOUT_MS 3000
/* Reading, verifying and recording a policy of the largest size takes seconds; typing a password for polkit, longer. */
#define CLIENT_RELOAD_TIMEOUT_MS 150000

static inline void dbus_connectionp(DBusConnection **dbus)
{
	if (*dbus) {
		dbus_connection_close(*dbus);
		dbus_connection_unref(*dbus);
	}
}

/*
 * A connection of our own to the system bus. NULL with a reason in *why (static or the bus's, to be
 * freed by the caller, may be NULL).
 */
DBusConnection *client_connect(char **why);

/* A method of the daemon's with any arguments. */
struct client_method {
	const char *path; /* NULL: the root object */
	const char *interface;
	const char *method;
	/* Appends the arguments; false: no memory. NULL: there are none. */
	bool (*append)(DBusMessageIter *args, const void *userdata);
	const void *userdata;
	const char *signature; /* of the answer */
	int timeout_ms;
	bool changes; /* something, or shows what is others': the person in front may be asked for a password */
};

/*
 * The values of its answer, as an array. NULL as above: what the daemon refused begins with a code (client_reason()), what the bus
 * refused is its English; *error (may be NULL) is the name of the D-Bus error, malloc'd, NULL if there is none.
 */
struct json_object *client_method_call(DBusConnection *dbus, const struct client_method *method, char **why,
				       char **error);

/* Properties of the Manager, or NULL as above. */
struct json_object *client_manager(DBusConnection *dbus, char **why);

/*
 * All devices as an array, in the order of their numbers: the Device's properties, with "Path" in
 * front. NULL as above.
 */
struct json_object *client_devices(DBusConnection *dbus, char **why);

/*
 * All volumes as an array, in the order of their numbers: the Volume's properties, with "Path" in front, and
 * "DeviceName" and "Medium" of its device. NULL as above.
 */
struct json_object *client_volumes(DBusConnection *dbus, char **why);

/* The same of what is granted (org.sekimori.Sekimori1.Grant). */
struct json_object *client_grants(DBusConnection *dbus, char **why);

/* The same of exceptions whose life is not over (org.sekimori.Sekimori1.Request): everybody may see these. */
struct json_object *client_requests(DBusConnection *dbus, char **why);

/* The same of one volume, as it is now, and its Details (docs/dbus.md) if they are the caller's to know. NULL as above. */
struct json_object *client_volume(DBusConnection *dbus, const char *path, char **why);

/*
 * Has the daemon put its policy file in force. What it says of its policy then, a JSON string; NULL
 * as above, also if it refused.
 */
struct json_object *client_reload(DBusConnection *dbus, char **why);

/* A method of a volume; the daemon bounds how long it may take. */
struct client_change {
	const char *path;
	const char *method;
	int secret; /* descriptor for Open, borrowed; -1: the method has no arguments */
	/* What PropertiesChanged brings meanwhile. May be NULL. */
	void (*changed)(void *userdata, struct json_object *properties);
	void *userdata;
};

/* True if it was done. Otherwise *why as above, if the daemon refused "REASON" or "REASON: DETAIL". */
bool client_change(DBusConnection *dbus, const struct client_change *change, char **why);

/* The reason of a daemon's "CODE" or "CODE: DETAIL"; NULL: the text begins with no code of core/reason.h. */
const struct reason *client_reason(const char *why);

/* One complete D-Bus value as JSON. NULL for want of memory, or nested too deep. */
struct json_object *client_decode(DBusMessageIter *iter);
