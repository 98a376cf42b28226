// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *            open_private            Hello answered         RequestName: owner
 *   OFFLINE ────────────▶ GREETING ─────────────────▶ NAMING ─────────────────▶ READY
 *      ▲ ▲ (timer 1 s…60 s)   │                          │                        │
 *      │ └── cannot connect   │ refused, no answer       │ refused, taken         │ bus gone
 *      └──────────────────────┴──────────────────────────┴────────────────────────┘
 *
 * Who wants no name is READY when Hello is answered.
 *
 * libdbus must not be torn down under its own feet: whoever notices the end only sets `lost`, and
 * the dispatcher, which is outside of libdbus then, takes the connection down.
 */
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "bus/connection.h"
#include "bus/glue.h"
#include "bus/names.h"

#define RETRY_FIRST_US (1 * 1000000ULL)
#define RETRY_LAST_US (60 * 1000000ULL)
#define RETRY_ACCURACY_US (500 * 1000ULL)

/* A bus that does not greet back within this time is as good as missing. */
#define GREETING_TIMEOUT_MS 10000

/*
 * Calls wait while this much of our answers has not been taken: who asks faster than the bus reads is served slower,
 * and nobody's answer is dropped for it. libdbus does not tell when there is room again.
 */
#define ANSWERS_MAX (BUS_OUTGOING_MAX / 2)
#define BREATH_US 5000

enum state {
	OFFLINE,
	GREETING,
	NAMING,
	READY,
};

/* A question to the bus that waits for its answer. */
struct question {
	struct question *next;
	struct bus_connection *connection;
	DBusPendingCall *pending;
	bus_answer_fn answer;
	void *userdata;
};

/* Somebody who hears signals. */
struct follower {
	struct follower *next;
	const char *rule;
	bus_signal_fn fn;
	void *userdata;
};

struct bus_connection {
	sd_event *event;
	char *address;
	char *name;
	bus_call_handler handler;
	void *userdata;

	enum state state;
	DBusConnection *dbus; /* NULL when OFFLINE */
	DBusPendingCall *pending;
	sd_event_source *dispatch; /* defer source, on while messages wait to be handled */
	sd_event_source *breath;   /* timer: on instead while they wait for our answers to go out */
	sd_event_source *retry;
	uint64_t retry_us;
	bool lost;
	bool said_lost; /* one line in the journal per loss, not one per try */
	uint64_t dropped;
	uint64_t generation;
	struct question *questions;
	struct follower *followers;
};

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata);

static void retry_schedule(struct bus_connection *c, const char *why)
{
	if (!c->said_lost)
		fprintf(stderr, SD_WARNING "bus: %s; going on without, trying again\n", why);
	c->said_lost = true;

	if (sd_event_source_set_time_relative(c->retry, c->retry_us) < 0 ||
	    sd_event_source_set_enabled(c->retry, SD_EVENT_ONESHOT) < 0)
		fprintf(stderr, SD_ERR "bus: no timer, staying off the bus\n");
	c->retry_us = c->retry_us * 2 > RETRY_LAST_US ? RETRY_LAST_US : c->retry_us * 2;
}

static void dispatch_enable(struct bus_connection *c, bool on)
{
	if (c->dispatch)
		sd_event_source_set_enabled(c->dispatch, on ? SD_EVENT_ON : SD_EVENT_OFF);
}

static void connection_lose(struct bus_connection *c)
{
	c->lost = true;
	dispatch_enable(c, true);
}

static void pending_clear(struct bus_connection *c)
{
	if (!c->pending)
		return;
	dbus_pending_call_cancel(c->pending);
	dbus_pending_call_unref(c->pending);
	c->pending = NULL;
}

static void question_end(struct question *question, DBusMessage *reply)
{
	struct question **at = &question->connection->questions;

	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
	dbus_pending_call_unref(question->pending);
	question->answer(question->userdata, reply);
	free(question);
}

static void connection_drop(struct bus_connection *c)
{
	pending_clear(c);
	c->generation++;
	/* Whoever is answered now asks no more. */
	c->lost = true;
	while (c->questions) {
		dbus_pending_call_cancel(c->questions->pending);
		question_end(c->questions, NULL);
	}
	c->state = OFFLINE;
	c->lost = false;
	dispatch_enable(c, false);
	if (!c->dbus)
		return;
	dbus_connection_set_dispatch_status_function(c->dbus, NULL, NULL, NULL);
	dbus_connection_close(c->dbus);
	bus_glue_detach(c->dbus);
	dbus_connection_unref(c->dbus);
	c->dbus = NULL;
}

static int on_dispatch(sd_event_source *source, void *userdata)
{
	struct bus_connection *c = userdata;

	if (!c->lost && dbus_connection_get_outgoing_size(c->dbus) > ANSWERS_MAX &&
	    sd_event_source_set_time_relative(c->breath, BREATH_US) >= 0 &&
	    sd_event_source_set_enabled(c->breath, SD_EVENT_ONESHOT) >= 0) {
		dispatch_enable(c, false);
		return 0;
	}
	/* One message a turn, so that sources of higher priority come in between. */
	if (!c->lost && dbus_connection_dispatch(c->dbus) != DBUS_DISPATCH_DATA_REMAINS)
		dispatch_enable(c, c->lost);
	if (c->lost) {
		connection_drop(c);
		retry_schedule(c, "the bus is gone");
	}
	return 0;
}

static int on_breath(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct bus_connection *c = userdata;

	dispatch_enable(c, c->dbus != NULL);
	return 0;
}

static void on_dispatch_status(DBusConnection *dbus, DBusDispatchStatus status, void *userdata)
{
	struct bus_connection *c = userdata;

	if (status != DBUS_DISPATCH_COMPLETE)
		dispatch_enable(c, true);
}

static DBusHandlerResult on_message(DBusConnection *dbus, DBusMessage *message, void *userdata)
{
	struct bus_connection *c = userdata;

	if (dbus_message_is_signal(message, DBUS_INTERFACE_LOCAL, "Disconnected")) {
		connection_lose(c);
		return DBUS_HANDLER_RESULT_HANDLED;
	}
	if (dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_SIGNAL && bus_connection_ready(c))
		for (struct follower *f = c->followers; f; f = f->next)
			f->fn(f->userdata, message);
	if (dbus_message_get_type(message) != DBUS_MESSAGE_TYPE_METHOD_CALL)
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	c->handler(c->userdata, message);
	return DBUS_HANDLER_RESULT_HANDLED;
}

/* Asks the bus itself; the answer comes to `done`. */
static int bus_ask(struct bus_connection *c, DBusMessage *call, DBusPendingCallNotifyFunction done)
{
	DBusPendingCall *pending = NULL;

	if (!dbus_connection_send_with_reply(c->dbus, call, &pending, GREETING_TIMEOUT_MS))
		return -ENOMEM;
	if (!pending)
		return -ENOTCONN;
	c->pending = pending;
	if (!dbus_pending_call_set_notify(pending, done, c, NULL))
		return -ENOMEM;
	return 0;
}

static DBusMessage *pending_take_reply(struct bus_connection *c)
{
	DBusMessage *reply = dbus_pending_call_steal_reply(c->pending);

	dbus_pending_call_unref(c->pending);
	c->pending = NULL;
	return reply;
}

/* Without an answer: what the bus refuses, it refuses again. */
static int match_send(struct bus_connection *c, const char *rule, bool wanted)
{
	DBusMessage *call =
		dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS,
					     wanted ? "AddMatch" : "RemoveMatch");
	int r = -ENOMEM;

	if (!call)
		return r;
	if (dbus_message_append_args(call, DBUS_TYPE_STRING, &rule, DBUS_TYPE_INVALID)) {
		dbus_message_set_no_reply(call, TRUE);
		r = bus_connection_send(c, call);
	}
	dbus_message_unref(call);
	return r;
}

static void follower_begin(struct bus_connection *c, struct follower *follower)
{
	if (!follower->rule || match_send(c, follower->rule, true) == 0)
		follower->fn(follower->userdata, NULL);
}

void bus_connection_match(struct bus_connection *c, const char *rule, bool wanted)
{
	if (bus_connection_ready(c))
		match_send(c, rule, wanted);
}

static void connection_begin(struct bus_connection *c)
{
	c->state = READY;
	c->retry_us = RETRY_FIRST_US;
	if (c->said_lost)
		fprintf(stderr, SD_NOTICE "bus: connected\n");
	c->said_lost = false;
	for (struct follower *f = c->followers; f; f = f->next)
		follower_begin(c, f);
}

static void on_named(DBusPendingCall *pending, void *userdata)
{
	struct bus_connection *c = userdata;
	DBusMessage *reply = pending_take_reply(c);
	dbus_uint32_t result = 0;

	dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &result, DBUS_TYPE_INVALID);
	if (result == DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER) {
		connection_begin(c);
	} else {
		if (!c->said_lost)
			fprintf(stderr, SD_WARNING "bus: cannot own the name %s (%s)\n", c->name,
				result == DBUS_REQUEST_NAME_REPLY_EXISTS
					? "somebody else does"
					: "refused; is the D-Bus policy installed?");
		c->said_lost = true;
		connection_lose(c);
	}
	dbus_message_unref(reply);
}

static int name_request(struct bus_connection *c)
{
	dbus_uint32_t flags = DBUS_NAME_FLAG_DO_NOT_QUEUE;
	DBusMessage *call = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
							 DBUS_INTERFACE_DBUS, "RequestName");
	int r = -ENOMEM;

	if (call && dbus_message_append_args(call, DBUS_TYPE_STRING, &c->name, DBUS_TYPE_UINT32,
					     &flags, DBUS_TYPE_INVALID))
		r = bus_ask(c, call, on_named);
	if (call)
		dbus_message_unref(call);
	return r;
}

static void on_greeted(DBusPendingCall *pending, void *userdata)
{
	struct bus_connection *c = userdata;
	DBusMessage *reply = pending_take_reply(c);
	const char *unique = NULL;

	/* Without this libdbus takes us for not registered. */
	if (!dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &unique, DBUS_TYPE_INVALID) ||
	    !dbus_bus_set_unique_name(c->dbus, unique))
		connection_lose(c);
	else if (!c->name)
		connection_begin(c);
	else if (name_request(c) == 0)
		c->state = NAMING;
	else
		connection_lose(c);
	dbus_message_unref(reply);
}

static int connection_open(struct bus_connection *c)
{
	DBusMessage *hello;
	int r;

	c->dbus = dbus_connection_open_private(c->address, NULL);
	if (!c->dbus)
		return -ENOTCONN;
	c->state = GREETING;
	dbus_connection_set_exit_on_disconnect(c->dbus, FALSE);
	dbus_connection_set_max_received_size(c->dbus, BUS_INCOMING_MAX);
	dbus_connection_set_max_received_unix_fds(c->dbus, BUS_INCOMING_FDS_MAX);
	dbus_connection_set_dispatch_status_function(c->dbus, on_dispatch_status, c, NULL);
	if (!dbus_connection_add_filter(c->dbus, on_message, c, NULL))
		return -ENOMEM;
	r = bus_glue_attach(c->dbus, c->event, BUS_EVENT_PRIORITY);
	if (r < 0)
		return r;

	hello = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS,
					     "Hello");
	if (!hello)
		return -ENOMEM;
	r = bus_ask(c, hello, on_greeted);
	dbus_message_unref(hello);
	return r;
}

static void connection_try(struct bus_connection *c)
{
	if (connection_open(c) < 0) {
		connection_drop(c);
		retry_schedule(c, "the bus cannot be reached");
	}
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	connection_try(userdata);
	return 0;
}

int bus_connection_new(struct bus_connection **ret, sd_event *event, const char *address,
		       const char *name, bus_call_handler handler, void *userdata)
{
	_cleanup_(bus_connection_freep) struct bus_connection *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	if (!address)
		address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
	c->event = sd_event_ref(event);
	c->address = strdup(address ? address : BUS_SYSTEM_ADDRESS);
	c->name = name ? strdup(name) : NULL;
	c->handler = handler;
	c->userdata = userdata;
	c->retry_us = RETRY_FIRST_US;
	if (!c->address || (name && !c->name))
		return -ENOMEM;

	r = sd_event_add_defer(event, &c->dispatch, on_dispatch, c);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(c->dispatch, SD_EVENT_OFF);
	sd_event_source_set_priority(c->dispatch, BUS_EVENT_PRIORITY);
	/* CLOCK_MONOTONIC: a machine that slept need not hurry to the bus. */
	r = sd_event_add_time(event, &c->retry, CLOCK_MONOTONIC, 0, RETRY_ACCURACY_US, on_retry, c);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(c->retry, SD_EVENT_OFF);
	sd_event_source_set_priority(c->retry, BUS_EVENT_PRIORITY);
	r = sd_event_add_time(event, &c->breath, CLOCK_MONOTONIC, 0, 1, on_breath, c);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(c->breath, SD_EVENT_OFF);
	sd_event_source_set_priority(c->breath, BUS_EVENT_PRIORITY);

	connection_try(c);
	*ret = TAKE_PTR(c);
	return 0;
}

struct bus_connection *bus_connection_free(struct bus_connection *c)
{
	if (!c)
		return NULL;
	if (c->dbus)
		dbus_connection_read_write(c->dbus, 0);
	connection_drop(c);
	sd_event_source_disable_unref(c->dispatch);
	sd_event_source_disable_unref(c->retry);
	sd_event_source_disable_unref(c->breath);
	while (c->followers) {
		struct follower *follower = c->followers;

		c->followers = follower->next;
		free(follower);
	}
	sd_event_unref(c->event);
	free(c->address);
	free(c->name);
	free(c);
	return NULL;
}

bool bus_connection_ready(const struct bus_connection *c)
{
	return c->state == READY && !c->lost;
}

int bus_connection_send(struct bus_connection *c, DBusMessage *message)
{
	if (!c->dbus || c->lost || c->state == GREETING)
		return -ENOTCONN;
	if (dbus_connection_get_outgoing_size(c->dbus) > BUS_OUTGOING_MAX) {
		c->dropped++;
		return -ENOBUFS;
	}
	return dbus_connection_send(c->dbus, message, NULL) ? 0 : -ENOMEM;
}

static void on_answered(DBusPendingCall *pending, void *userdata)
{
	DBusMessage *reply = dbus_pending_call_steal_reply(pending);

	question_end(userdata, reply);
	if (reply)
		dbus_message_unref(reply);
}

int bus_connection_ask_within(struct bus_connection *c, DBusMessage *message, int timeout_ms,
			      bus_answer_fn answer, void *userdata)
{
	struct question *question;

	if (!bus_connection_ready(c))
		return -ENOTCONN;
	question = calloc(1, sizeof(*question));
	if (!question)
		return -ENOMEM;
	*question = (struct question){ c->questions, c, NULL, answer, userdata };
	if (!dbus_connection_send_with_reply(c->dbus, message, &question->pending, timeout_ms) ||
	    !question->pending ||
	    !dbus_pending_call_set_notify(question->pending, on_answered, question, NULL)) {
		if (question->pending) {
			dbus_pending_call_cancel(question->pending);
			dbus_pending_call_unref(question->pending);
		}
		free(question);
		return -ENOMEM;
	}
	c->questions = question;
	return 0;
}

int bus_connection_ask(struct bus_connection *c, DBusMessage *message, bus_answer_fn answer,
		       void *userdata)
{
	return bus_connection_ask_within(c, message, GREETING_TIMEOUT_MS, answer, userdata);
}

int bus_connection_follow(struct bus_connection *c, const char *rule, bus_signal_fn fn,
			  void *userdata)
{
	struct follower *follower = calloc(1, sizeof(*follower));

	if (!follower)
		return -ENOMEM;
	*follower = (struct follower){ c->followers, rule, fn, userdata };
	c->followers = follower;
	if (bus_connection_ready(c))
		follower_begin(c, follower);
	return 0;
}

uint64_t bus_connection_generation(const struct bus_connection *c)
{
	return c->generation;
}

uint64_t bus_connection_dropped(const struct bus_connection *c)
{
	return c->dropped;
}
