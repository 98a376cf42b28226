/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a caller wishes for, and what he wants to see: the dictionaries `wish` and `filter` of docs/dbus.md, read into plain data. Pure
 * but for libdbus' iterators: who calls, which terminal it is and which device a path means are filled in by daemon/exceptions-bus.c.
 * Everything in it comes from a stranger; core/exception.c judges what it means, and the policy whether he may.
 */
#pragma once

#include <dbus/dbus.h>

#include "bus/dict.h"
#include "core/exception.h"
#include "system/exceptionstore.h"

#define EXCEPTION_WISH_PATH_MAX 128 /* the prefix of a device's path and 20 digits are far shorter */

/* So many come at once. */
#define EXCEPTION_LIST_MAX 200

struct exception_wish {
	struct grant grant; /* id, fingerprint, class and terminal are not here; person "": the caller; uid not known */
	uint32_t seconds;   /* 0: not said */
	char device[EXCEPTION_WISH_PATH_MAX]; /* its object; "": not said */
};

/* dict: stands on the a{sv}. False: *why says what is wrong with which member. */
bool exception_wish_read(struct exception_wish *wish, DBusMessageIter *dict,
			 char why[static BUS_DICT_WHY_MAX]);

struct exception_filter {
	unsigned int states; /* bits 1 << EXCEPTION_LIVE, …; 0: all */
	bool due;	     /* only those that owe something */
	char person[GRANT_NAME_MAX]; /* "": of anybody */
	int64_t from, until;
	uint32_t after;
	uint32_t limit; /* 1 to EXCEPTION_LIST_MAX */
};

bool exception_filter_read(struct exception_filter *filter, DBusMessageIter *dict,
			   char why[static BUS_DICT_WHY_MAX]);

/* For the store; `person` is pointed to. */
struct exceptionstore_filter exception_filter_for_store(const struct exception_filter *filter,
							int64_t now);
