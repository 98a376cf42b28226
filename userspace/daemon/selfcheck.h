/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results of `sekimorictl doctor` for the event log: RecordSelfCheck (docs/dbus.md) brings them,
 * root calls it. The daemon has not seen what they tell of; it keeps who says so apart from its own
 * observations by the kind `self-check`.
 */
#pragma once

#include <dbus/dbus.h>
#include <json-c/json_object.h>
#include <stdint.h>

/* What one call may bring; the doctor has about fifty checks. */
#define SELFCHECK_ITEMS_MAX 64
#define SELFCHECK_ID_MAX 48
#define SELFCHECK_DETAIL_MAX 512 /* bytes */
#define SELFCHECK_COUNT_MAX 1000
/* Of all members as JSON: what is left of a line of the log is for its other members. */
#define SELFCHECK_JSON_MAX 12288

/* YYYY-MM-DDTHH:MM:SSZ and a NUL. */
#define SELFCHECK_TIME_MAX 24

/* The newest result of this run of the daemon, as the Manager's properties show it. */
struct selfcheck {
	char time[SELFCHECK_TIME_MAX]; /* "": none yet */
	char result[8];
};

/*
 * The record's members out of the arguments (result, ok, warn, fail, items: `suuua(sss)`, checked
 * by the interface's table); the items that could not be looked at are counted here. NULL: *why (static) says what is wrong; "" for
 * want of memory.
 */
struct json_object *selfcheck_parse(DBusMessage *call, const char **why);

/* Remembers a result that has been recorded. now: seconds since the epoch. */
void selfcheck_remember(struct selfcheck *last, struct json_object *members, int64_t now);
