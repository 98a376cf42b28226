/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.sekimori.Sekimori1.Device (docs/dbus.md) as a table over `struct device`, the objects' userdata. */
#pragma once

#include "bus/interface.h"

extern const struct bus_interface device_bus_interface;
#define DEVICE_BUS_PROPERTIES 20
