/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the session, shared by session.c (its life) and session-rejudge.c (judging again). */
#pragma once

#include "daemon/session.h"

/* All interfaces are known: says what is there, and judges it from the start. */
void session_begin(struct session *session);

/* Sends what verdict_write() has put into the device: records, then releases, and shuts the rest. */
void session_allow(struct session *session);

/* Settles on a no. The reason must not be the device's own field. `detail` may be NULL. */
void session_deny(struct session *session, const char *reason, const char *detail);

/* What the device has proved so far, NULL if nothing; may be put together in *memory. */
const struct report *session_proof(const struct session *session, struct report *memory);
