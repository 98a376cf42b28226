/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A method call that is answered later: because it takes long, or because it matters who calls, which only
 * the bus can tell and is asked without waiting. A method that has `start` instead of `call` in its
 * table gets one of these, and answers it exactly once, at once or at any time, with one of the two
 * functions at the end, which free it.
 *
 * The object may be removed meanwhile. If the bus goes away the answer is dropped: the caller's name is
 * another's on the next bus.
 */
#pragma once

#include <dbus/dbus.h>
#include <sys/types.h>

#include "bus/object.h"

/* Calls that wait for an answer at one time; what is beyond gets LimitsExceeded. */
#define BUS_REQUESTS_MAX 64

struct bus_request;

DBusMessage *bus_request_call(const struct bus_request *request);

/* The user who calls, as the bus authenticated it. */
uid_t bus_request_caller(const struct bus_request *request);

/* Appends the out arguments of the table by `append` (NULL: there are none). */
void bus_request_answer(struct bus_request *request, bus_append_fn append, void *userdata);

/* message: UTF-8. */
void bus_request_fail(struct bus_request *request, const char *name, const char *message);
