/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A method call that is answered later: because it takes long, or because it matters who calls, which only
 * the bus can tell, and whether he may, which only polkit can.
 *
 *   call ──► who calls? ──► object refuses? ──► root, or no action? ──────────► started ──► answered
 *                │ bus            │                     │ no                        ▲
 *                │ does not       │                     ▼            yes            │
 *                │ tell           │                polkit asked ────────────────────┘
 *                ▼                ▼                     │ no, no answer, caller gone
 *             refused          refused                  ▼
 *                                                    refused
 *
 * A method that has `start` instead of `call` in its table gets one of these, and answers it exactly once, at once or
 * at any time, with one of the functions at the end, which free it. Root needs no polkit, as polkit itself has it: so
 * a terminal can be administered while polkit is down, by root alone.
 *
 * The object may be removed meanwhile. If the bus goes away the answer is dropped: the caller's name is
 * another's on the next bus.
 */
#pragma once

#include <dbus/dbus.h>
#include <sys/types.h>

#include "bus/caller.h"
#include "bus/object.h"

/*
 * Calls that wait for an answer at one time: of all clients, of one, and of those that carry descriptors; and for polkit,
 * of one user, so that nobody's password dialogues take all places. What is beyond gets LimitsExceeded. Together with BUS_CALL_MAX (bus/object.h) they stay below BUS_INCOMING_MAX; with the 16
 * descriptors that the system bus lets a message carry, below BUS_INCOMING_FDS_MAX.
 */
#define BUS_REQUESTS_MAX 64
#define BUS_REQUESTS_PER_CLIENT 8
#define BUS_REQUESTS_PER_USER 8
#define BUS_REQUESTS_WITH_FDS 8

struct bus_request;

DBusMessage *bus_request_call(const struct bus_request *request);

/* Who calls. */
const struct bus_caller *bus_request_caller(const struct bus_request *request);

/*
 * Asks polkit, for a method that has been started, whether its caller might do something else, too; nobody is asked for a
 * password. fn goes on with the call, at once or later, and answers it. object: as for `start`, as it is then. may: false
 * also without an answer. Root may.
 */
typedef void (*bus_request_asked_fn)(void *object, struct bus_request *request, bool may);
void bus_request_ask(struct bus_request *request, const char *action, bus_request_asked_fn fn);

/* Appends the out arguments of the table by `append` (NULL: there are none). */
void bus_request_answer(struct bus_request *request, bus_append_fn append, void *userdata);

/* message: UTF-8. AccessDenied and Error.Refused count as refused, all else as failed. */
void bus_request_fail(struct bus_request *request, const char *name, const char *message);

/* AccessDenied with a code of core/reason.h: "CODE: sentence". */
void bus_request_refuse(struct bus_request *request, const char *code);
