/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection of a program that never waits, the daemon or the agent, to a bus: libdbus on an sd-event loop.
 *
 * Nothing here blocks: connecting, Hello and RequestName run through the loop. The bus may be
 * missing at the start and may go away at any time; the barrier does not depend on it. The
 * connection is tried again after 1 s, 2 s, 4 s … 60 s. While connected and idle no timer runs.
 *
 * All event sources have BUS_EVENT_PRIORITY, which is later than normal: a flood of calls waits
 * behind the gate's events.
 */
#pragma once

#include <dbus/dbus.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "core/macro.h"

#define BUS_EVENT_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

/*
 * Bytes that may wait for a bus which does not read. What is sent beyond is dropped and counted, so
 * that neither the bus nor a client behind it can make the daemon grow. One message may exceed it.
 */
#define BUS_OUTGOING_MAX (1024 * 1024)

/*
 * Bytes and descriptors of received messages that may be alive at one time; libdbus reads no further before some are
 * freed. Above what all calls that wait (bus/request.h) hold together, so that they cannot keep out the answers that
 * they wait for.
 */
#define BUS_INCOMING_MAX (4 * 1024 * 1024)
#define BUS_INCOMING_FDS_MAX 256

struct bus_connection;

/* Called for every method call that libdbus does not answer itself; must send the reply. */
typedef void (*bus_call_handler)(void *userdata, DBusMessage *call);

/*
 * Starts connecting. address: of the bus; NULL takes DBUS_SYSTEM_BUS_ADDRESS, or else the usual
 * socket. name: well-known name to own; it is not queued for, a taken name is tried again like a
 * missing bus. NULL: none, as for clients. The event loop must outlive the connection.
 */
int bus_connection_new(struct bus_connection **ret, sd_event *event, const char *address,
		       const char *name, bus_call_handler handler, void *userdata);

/* Sends what is queued as far as the bus takes it without waiting, then disconnects. */
struct bus_connection *bus_connection_free(struct bus_connection *c);
DEFINE_CLEANUP(struct bus_connection *, bus_connection_free);

/* True while the name is owned; without one, while there is a bus. */
bool bus_connection_ready(const struct bus_connection *c);

/*
 * Queues a message; the caller keeps its reference. -ENOTCONN while there is no bus, -ENOBUFS when
 * too much is waiting already, -ENOMEM. None of these needs an answer: who follows the signals sees
 * the daemon's name go and come, and reads anew.
 */
int bus_connection_send(struct bus_connection *c, DBusMessage *message);

/*
 * Asks the bus itself, or who owns a name on it. `answer` is called once: with what it says, or with NULL when the
 * connection is lost first. The answer is of whom was asked, which the bus sees to; it may be an error message. 0,
 * -ENOTCONN, -ENOMEM.
 */
typedef void (*bus_answer_fn)(void *userdata, DBusMessage *reply);
int bus_connection_ask(struct bus_connection *c, DBusMessage *question, bus_answer_fn answer,
		       void *userdata);

/* … with a time limit of its own; then the answer is an error NoReply. */
int bus_connection_ask_within(struct bus_connection *c, DBusMessage *question, int timeout_ms,
			      bus_answer_fn answer, void *userdata);

/*
 * Hears signals from now on. rule: a match rule, static, which the bus is told at every connection to it; NULL: none, for
 * who tells the bus by bus_connection_match(). `fn` is called
 * with NULL when that is done: what was told before, nobody heard. Then it gets every signal that arrives, also those
 * of other rules, and those that somebody has sent to us alone, which no rule keeps away: it must look for itself, and
 * take a signal for no more than an occasion to ask. There is no end to it but the connection's.
 */
typedef void (*bus_signal_fn)(void *userdata, DBusMessage *signal);
int bus_connection_follow(struct bus_connection *c, const char *rule, bus_signal_fn fn,
			  void *userdata);

/*
 * Has the bus send us what a match rule says, or no longer, for followers to hear. Only of this connection: after a loss
 * the bus has forgotten it. A rule must be removed as often as it was added.
 */
void bus_connection_match(struct bus_connection *c, const char *rule, bool wanted);

/* Another number for every connection to a bus that was made. */
uint64_t bus_connection_generation(const struct bus_connection *c);

/* Messages dropped because too much was waiting. */
uint64_t bus_connection_dropped(const struct bus_connection *c);
