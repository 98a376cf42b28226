/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much a message holds: libdbus takes what the bus lets through, which is 32 MiB. */
#pragma once

#include <dbus/dbus.h>
#include <stdbool.h>
#include <stddef.h>

/* Do the arguments take at most `max` bytes? Looks no further than that. */
bool bus_message_fits(DBusMessage *message, size_t max);
