/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sekimorid tells on the system bus (docs/dbus.md), for a client that never waits: its objects as they are now, its
 * signals, and questions to it. Everything comes as JSON, as ctl/client.h decodes it.
 *
 * On the system bus anybody may send a signal straight to a listener: one is believed only if its sender owns the daemon's
 * name. The daemon may come and go; its objects are read anew each time.
 */
#pragma once

#include <json-c/json.h>
#include <systemd/sd-event.h>

#include "bus/connection.h"

/* How long an answer may take: longer than polkit has for asking a person. */
#define BARRIER_TIMEOUT_MS 150000

struct barrier;

struct barrier_ops {
	/* A signal of the Manager that has an object and a record; both borrowed. */
	void (*device)(void *userdata, const char *signal, const char *path, struct json_object *record);
	/* An exception ends in so many seconds. */
	void (*warned)(void *userdata, uint32_t number, uint32_t seconds);
	/* An exception has taken a step. Comes for every step: put the looking off. */
	void (*stepped)(void *userdata, uint32_t number);
	/* The object is there, or has other properties. interface: which of its interfaces. */
	void (*object)(void *userdata, const char *path, const char *interface);
	void (*gone)(void *userdata, const char *path);
	/* The daemon is there and its objects are known, or it has gone. */
	void (*here)(void *userdata, bool here);
};

/* address: of the system bus; NULL: the usual one. ops must outlive it. */
int barrier_new(struct barrier **ret, sd_event *event, const char *address, const struct barrier_ops *ops, void *userdata);
struct barrier *barrier_free(struct barrier *barrier);
DEFINE_CLEANUP(struct barrier *, barrier_free);

/* Properties of an object, borrowed until the next message; NULL: there is none, or none with that interface. */
struct json_object *barrier_object(struct barrier *barrier, const char *path, const char *interface);

/* A property of the root object's that is a string; "" if it is not known. */
const char *barrier_word(struct barrier *barrier, const char *interface, const char *property);

/* Calls fn for every object with the interface. */
void barrier_each(struct barrier *barrier, const char *interface,
		  void (*fn)(void *userdata, const char *path, struct json_object *properties), void *userdata);

/*
 * The answer to a question: its arguments as an array, borrowed, or NULL and what was said instead. `refused`: the
 * caller may not ask this, and need not ask again.
 */
struct barrier_answer {
	struct json_object *arguments;
	const char *error;
	bool refused;
};

/* One of the arguments, borrowed; NULL: there is none. */
struct json_object *barrier_argument(const struct barrier_answer *answer, size_t n);

typedef void (*barrier_answer_fn)(void *userdata, const struct barrier_answer *answer);

/* A call to a method of the daemon's, without arguments yet; NULL: no memory. interactive: polkit may ask for a password. */
DBusMessage *barrier_call(const char *path, const char *interface, const char *method, bool interactive);

/* Asks; fn is called once, later. Takes the call; NULL or without a bus it is answered at once with an error. */
void barrier_ask(struct barrier *barrier, DBusMessage *call, barrier_answer_fn fn, void *userdata);

/* … what takes as long as it takes, as opening a volume does; the daemon bounds that. */
void barrier_ask_patiently(struct barrier *barrier, DBusMessage *call, barrier_answer_fn fn, void *userdata);
