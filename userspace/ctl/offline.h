/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions that the help desk grants from afar: what `request --phone`, `answer` and `grant import` share. */
#pragma once

#include <dbus/dbus.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl/command.h"
#include "ctl/refusal.h"

/* A method of the Exceptions interface whose arguments are strings and whose answer begins with a number. False: refused. */
bool offline_take(DBusConnection *dbus, const char *method, const char *const *strings, size_t n, uint32_t *number,
		  struct refusal *refusal);

/* Tells that an exception was taken in: until when, and what to do now. COMMAND_OK. */
int offline_tell(DBusConnection *dbus, const struct context *context, uint32_t number);

/*
 * Asks for the help desk's code until it is taken or cannot be any more. On a terminal only. COMMAND_OK, or COMMAND_FAILED after saying
 * why.
 */
int offline_ask_code(DBusConnection *dbus, const struct context *context);
