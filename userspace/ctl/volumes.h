/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `open` and `eject` share: finding the volumes that are meant, and telling of them. */
#pragma once

#include "ctl/client.h"
#include "ctl/output.h"

/* Waits some seconds for what was plugged in a moment ago. */
void volumes_settle(DBusConnection *dbus);

/*
 * The volumes that an argument names: number in `list`, port, medium's number, UUID, node ("/dev/sdb1") or label;
 * NULL: all. Each as client_volumes() has it. NULL after the reason has been printed.
 */
struct json_object *volumes_find(DBusConnection *dbus, const struct context *context,
				 const char *argument);

/* A name for people: number of the medium, label, or UUID; malloc'd, safe to print. */
char *volumes_name(struct json_object *volume);

/* A line about work that goes on, on a terminal's standard error only; "" clears it. */
void volumes_progress(const struct context *context, const char *text);

/*
 * Tells why the daemon refused: `why` is client_change()'s. Infected files and holders are of `volume`, which has
 * been read anew; may be NULL. In JSON as members of `result`.
 */
void volumes_refused(const struct context *context, const char *what, const char *why,
		     struct json_object *volume, struct json_object *result);
