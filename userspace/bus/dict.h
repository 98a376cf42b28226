/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a dictionary (a{sv}) that a stranger wrote. A table says which members there are; each stands at most once. What is not
 * in the table, has another type, is too long or cannot be shown is refused by name, so that nothing is ever taken for less than
 * was meant.
 */
#pragma once

#include <dbus/dbus.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is wrong: English, with the member's name. */
#define BUS_DICT_WHY_MAX 192

/* The last second of the year 9999: nothing later can be written as a date. */
#define BUS_TIME_MAX INT64_C(253402300799)

struct bus_member {
	const char *name; /* NULL ends the table, of at most 64 */
	const char *signature;
	/* Takes a value of that signature into what lies at `field` and takes `size` bytes; or says what is wrong, static. */
	const char *(*take)(void *field, size_t size, DBusMessageIter *value);
	size_t offset, size;
};

#define BUS_MEMBER(name, signature, take, type, field)                                             \
	{                                                                                          \
		name, signature, take, offsetof(type, field), sizeof(((type *)0)->field)           \
	}

/* dict: stands on an a{sv}. False: *why; what was read before it is in `into` all the same. */
bool bus_dict_read(DBusMessageIter *dict, const struct bus_member *members, void *into,
		   char why[static BUS_DICT_WHY_MAX]);

/* For tables: char[] (one line, nothing invisible, not empty), bool, uint32_t, uint64_t, int64_t of seconds since the epoch. */
const char *bus_take_text(void *field, size_t size, DBusMessageIter *value);
const char *bus_take_bool(void *field, size_t size, DBusMessageIter *value);
const char *bus_take_u32(void *field, size_t size, DBusMessageIter *value);
const char *bus_take_u64(void *field, size_t size, DBusMessageIter *value);
const char *bus_take_time(void *field, size_t size, DBusMessageIter *value);
