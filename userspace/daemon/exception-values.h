/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions and their steps as the dictionaries of docs/dbus.md. All return FALSE only when there is no memory. */
#pragma once

#include <dbus/dbus.h>

#include "core/exception.h"

/* What an exception does not know of itself. */
struct exception_moment {
	int64_t now;	       /* by the grant clock */
	uint32_t seconds_left; /* exceptions_seconds_left() */
	unsigned int approvers; /* that the policy asks for */
	const bool *may_approve; /* may who asks approve it, or its extension, now? NULL: that is not told */
};

/* a{sv} */
dbus_bool_t exception_values_append(DBusMessageIter *iter, const struct exception *exception,
				    const struct exception_moment *moment);
dbus_bool_t exception_values_append_step(DBusMessageIter *iter, const struct exception_deed *deed);

/* as: "report", "overdue", …; bits EXCEPTION_DUE_… */
dbus_bool_t exception_values_append_due(DBusMessageIter *iter, unsigned int due);

const char *exception_access_name(enum grant_access access); /* "ro" or "rw" */
