/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * org.sekimori.Sekimori1.Volume (docs/dbus.md) as a table over `struct volume_life`. Who may call is asked of
 * the volume (volume_may()), since it depends on who sits at the terminal; polkit may still refuse him.
 */
#pragma once

#include "bus/interface.h"

extern const struct bus_interface volume_bus_interface;
