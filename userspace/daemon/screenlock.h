/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is the screen of the person who sits at the terminal locked? logind tells that on D-Bus only: the property LockedHint
 * of org.freedesktop.login1.Session (org.freedesktop.login1(5)), which the desktop sets when its lock screen comes up.
 *
 * A signal, from whomever it seems to come, is only the occasion to ask logind itself, so that nobody else on the bus
 * can lock or unlock anything. It is also asked when the session in front becomes another one and when a bus was found
 * again. Without logind or a bus nothing is known, and nothing happens.
 */
#pragma once

#include "bus/connection.h"

struct screenlock;

/*
 * `locked` is called from the loop when the screen of the session has been found locked and was not before. The
 * connection must be freed first: it may still have a question under way. 0 or -ENOMEM.
 */
int screenlock_new(struct screenlock **lockp, struct bus_connection *connection,
		   void (*locked)(void *userdata), void *userdata);
struct screenlock *screenlock_free(struct screenlock *lock); /* NULL is fine; returns NULL */

/* logind's id of the session in front; "" nobody's. */
void screenlock_set_session(struct screenlock *lock, const char *session);
