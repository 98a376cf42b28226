/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `status` says of exceptions: how many wait, are in force or overdue, and each grant with its time left. */
#pragma once

#include <dbus/dbus.h>
#include <json-c/json.h>

/*
 * Properties of the Exceptions interface (docs/dbus.md), and "Grants": those of each Grant with its "Number", and "Person", "Device" and
 * "Medium" of those that the caller may see without being asked for a password. NULL from a daemon that does not tell.
 */
struct json_object *status_exceptions_ask(DBusConnection *dbus);

/* A line for people, "1 waiting, 2 in force"; or what is wrong with the store. malloc'd. */
char *status_exceptions_words(struct json_object *exceptions);

/* One of its grants: "12  ZEI-0001  yamada  read only  1 h 30 min left". malloc'd. */
char *status_exceptions_grant(struct json_object *grant);
