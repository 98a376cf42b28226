/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions on D-Bus, from the tool's side: org.sekimori.Sekimori1.Exceptions and .Request (docs/dbus.md), as JSON with the members
 * that stand there. Calls wait. Where one fails it returns NULL or false, and *refusal says why.
 */
#pragma once

#include <dbus/dbus.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl/refusal.h"
#include "ctl/wish.h"

/* A connection, or NULL. */
DBusConnection *exceptions_connect(struct refusal *refusal);

/* Properties of the Exceptions interface. */
struct json_object *exceptions_properties(DBusConnection *dbus, struct refusal *refusal);

/*
 * {"exception": {…}, "steps": [{…}, …]}. The caller's own without asking anybody's leave, and others' where he may see them; `own`
 * says which is tried first, so that nobody is asked for a password without need.
 */
struct json_object *exceptions_get(DBusConnection *dbus, uint32_t number, bool own, struct refusal *refusal);

struct exceptions_filter {
	const char *const *states; /* words, ended by NULL; NULL: all */
	bool due;
	const char *person; /* or NULL */
};

/* All that match, page by page. */
struct json_object *exceptions_list(DBusConnection *dbus, const struct exceptions_filter *filter, bool own,
				    struct refusal *refusal);

/* Request or DeclareEmergency; the number. */
bool exceptions_submit(DBusConnection *dbus, const char *method, const struct wish *wish, uint32_t *number,
		       struct refusal *refusal);

/* ResetClock; *ahead: by how much it was ahead, seconds, and 0 if nothing had to be done. */
bool exceptions_reset_clock(DBusConnection *dbus, int64_t *ahead, struct refusal *refusal);

/* A method of a Request. */
struct exceptions_step {
	uint32_t number;
	const char *method;
	bool has_until; /* the method takes one */
	int64_t until;
	const char *note; /* "" for none */
};
bool exceptions_step(DBusConnection *dbus, const struct exceptions_step *step, struct refusal *refusal);
