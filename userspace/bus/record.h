/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Appending values, also such as others wrote. libdbus treats a string that is not UTF-8 as a bug of its
 * caller and may abort; here such bytes become U+FFFD. All return FALSE only when there is no
 * memory.
 */
#pragma once

#include <dbus/dbus.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* Appends a string, whatever it holds. NULL is the empty string. */
dbus_bool_t bus_append_string(DBusMessageIter *iter, const char *text);

/* One value of type `b`, `u`, `t`, `x`: for getters of bus/interface.h's tables. */
dbus_bool_t bus_append_bool(DBusMessageIter *iter, bool truth);
dbus_bool_t bus_append_u32(DBusMessageIter *iter, uint32_t n);
dbus_bool_t bus_append_u64(DBusMessageIter *iter, uint64_t n);
dbus_bool_t bus_append_i64(DBusMessageIter *iter, int64_t n);

/*
 * Appends a flat JSON object as a{sv}: strings as `s`, numbers as `t` (negative ones as `x`,
 * fractions as `d`), truth values as `b`. null members are left out; an array or object inside is
 * given as `s`, its JSON text. NULL gives an empty dictionary. A string ends at an embedded NUL.
 */
dbus_bool_t bus_append_record(DBusMessageIter *iter, struct json_object *record);
