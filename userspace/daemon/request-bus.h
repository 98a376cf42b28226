/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * org.sekimori.Sekimori1.Request (docs/dbus.md) as a table over one exception whose life is not over: its public properties, and the
 * steps that people take.
 */
#pragma once

#include "bus/interface.h"

extern const struct bus_interface request_bus_interface;
