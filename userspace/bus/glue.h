/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches and timeouts of a libdbus connection as sources of an sd-event loop. */
#pragma once

#include <dbus/dbus.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* The caller keeps dispatching by itself (dbus_connection_set_dispatch_status_function). */
int bus_glue_attach(DBusConnection *dbus, sd_event *event, int64_t priority);

/* Removes every source; call it on a closed connection, outside of libdbus. */
void bus_glue_detach(DBusConnection *dbus);
