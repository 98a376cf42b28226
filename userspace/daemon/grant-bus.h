/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.sekimori.Sekimori1.Grant (docs/dbus.md) as a table over one exception that is approved or in force. It only shows. */
#pragma once

#include "bus/interface.h"

extern const struct bus_interface grant_bus_interface;
