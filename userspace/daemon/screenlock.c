// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *   signal, another session, a bus ──► asked ──Get──► answer: locked and was not ──► locked()
 *                                       ▲  │
 *                                       └──┘ something came meanwhile: once more
 *
 * One question at a time, however many signals come.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/screenlock.h"
#include "system/seat.h"

#define LOGIND "org.freedesktop.login1"
#define SESSION_INTERFACE LOGIND ".Session"
#define SESSION_PATH "/org/freedesktop/login1/session"
#define PROPERTY "LockedHint"

/* Each byte of the session's id becomes three at most. */
#define PATH_MAX_LEN (sizeof(SESSION_PATH "/") + 3 * SEAT_NAME_MAX)

struct screenlock {
	struct bus_connection *connection;
	void (*fn)(void *userdata);
	void *userdata;
	char path[PATH_MAX_LEN]; /* of the session in front; "" nobody's */
	bool locked;
	bool asking;
	bool again; /* what is being asked may be old */
};

static const char rule[] = "type='signal',sender='" LOGIND "',interface='" DBUS_INTERFACE_PROPERTIES
			   "',member='PropertiesChanged',path_namespace='" SESSION_PATH
			   "',arg0='" SESSION_INTERFACE "'";

static void screenlock_ask(struct screenlock *lock);

/* True with `locked` set if it is the answer to our question. */
static bool read_answer(DBusMessage *reply, bool *locked)
{
	DBusMessageIter iter, value;
	dbus_bool_t set;

	if (!reply || dbus_message_get_type(reply) != DBUS_MESSAGE_TYPE_METHOD_RETURN ||
	    !dbus_message_has_signature(reply, "v"))
		return false;
	dbus_message_iter_init(reply, &iter);
	dbus_message_iter_recurse(&iter, &value);
	if (dbus_message_iter_get_arg_type(&value) != DBUS_TYPE_BOOLEAN)
		return false;
	dbus_message_iter_get_basic(&value, &set);
	*locked = set;
	return true;
}

static void screenlock_answered(void *userdata, DBusMessage *reply)
{
	struct screenlock *lock = userdata;
	bool was = lock->locked, now;

	lock->asking = false;
	if (lock->again) {
		screenlock_ask(lock);
		return;
	}
	if (!read_answer(reply, &now))
		return;
	lock->locked = now;
	if (now && !was)
		lock->fn(lock->userdata);
}

static int screenlock_send(struct screenlock *lock)
{
	const char *interface = SESSION_INTERFACE, *property = PROPERTY;
	DBusMessage *call = dbus_message_new_method_call(LOGIND, lock->path,
							 DBUS_INTERFACE_PROPERTIES, "Get");
	int r = -ENOMEM;

	if (!call)
		return r;
	/* A logind that does not run has locked nothing. */
	dbus_message_set_auto_start(call, FALSE);
	if (dbus_message_append_args(call, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING,
				     &property, DBUS_TYPE_INVALID))
		r = bus_connection_ask(lock->connection, call, screenlock_answered, lock);
	dbus_message_unref(call);
	return r;
}

static void screenlock_ask(struct screenlock *lock)
{
	lock->again = lock->asking;
	if (lock->asking || !lock->path[0])
		return;
	/* Not connected: asked when it is. */
	lock->asking = screenlock_send(lock) == 0;
}

static void screenlock_heard(void *userdata, DBusMessage *signal)
{
	struct screenlock *lock = userdata;

	if (signal && (!dbus_message_is_signal(signal, DBUS_INTERFACE_PROPERTIES, "PropertiesChanged") ||
		       !dbus_message_has_path(signal, lock->path)))
		return;
	screenlock_ask(lock);
}

/* As sd_bus_path_encode(3) does it: letters stay, digits that are not the first too, the rest is _XX. */
static void session_path(const char *session, char path[static PATH_MAX_LEN])
{
	int at = snprintf(path, PATH_MAX_LEN, SESSION_PATH "/");

	for (const char *s = session; *s && (size_t)at + 4 <= PATH_MAX_LEN; s++) {
		bool digit = *s >= '0' && *s <= '9';
		bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');

		at += snprintf(path + at, PATH_MAX_LEN - (size_t)at,
			       letter || (digit && s > session) ? "%c" : "_%02x", (unsigned char)*s);
	}
}

void screenlock_set_session(struct screenlock *lock, const char *session)
{
	char path[PATH_MAX_LEN] = "";

	if (session[0])
		session_path(session, path);
	if (!strcmp(path, lock->path))
		return;
	strcpy(lock->path, path);
	lock->locked = false;
	screenlock_ask(lock);
}

int screenlock_new(struct screenlock **lockp, struct bus_connection *connection,
		   void (*locked)(void *userdata), void *userdata)
{
	struct screenlock *lock = calloc(1, sizeof(*lock));

	if (!lock)
		return -ENOMEM;
	*lock = (struct screenlock){ .connection = connection, .fn = locked, .userdata = userdata };
	if (bus_connection_follow(connection, rule, screenlock_heard, lock) < 0) {
		free(lock);
		return -ENOMEM;
	}
	*lockp = lock;
	return 0;
}

struct screenlock *screenlock_free(struct screenlock *lock)
{
	free(lock);
	return NULL;
}
