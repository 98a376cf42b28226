/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the session, shared by session.c (its life), session-inspect.c and session-rejudge.c. */
#pragma once

#include "daemon/session.h"
#include "daemon/verdict.h"

/* The interface of this cookie, or NULL. */
struct device_interface *session_interface(struct session *session, uint64_t cookie);

/* Is some interface in this state? */
bool session_any(const struct session *session, enum device_interface_state state);

/* All interfaces are known: says what is there, and judges it from the start. */
void session_begin(struct session *session);

/* Judges, with what an inspection found (NULL before one), and acts on it. */
void session_judge(struct session *session, const struct report *report);

/* Has the gate open the interface that needs a proof. */
void session_prove(struct session *session, const struct verdict *verdict);

/* The gate has opened it: starts the inspection. */
void session_inspect(struct session *session);

/* Sends what verdict_write() has put into the device: records, then releases, and shuts the rest. */
void session_allow(struct session *session);

/* The same where the device as a whole is blocked; harmless interfaces of it are let in. */
void session_block(struct session *session, const struct verdict *verdict);

/* Settles on a no for all of it. The reason must not be the device's own field. `detail` may be NULL. */
void session_deny(struct session *session, const char *reason, const char *detail);

/* Puts back whatever was opened for inspection and is not allowed. */
void session_shut(struct session *session);

/* What the device has proved so far, NULL if nothing; may be put together in *memory. */
const struct report *session_proof(const struct session *session, struct report *memory);
