/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What waits for approvers, as one of them is told of it: requests, and extensions of exceptions, until somebody decides.
 * Which of them wait for this user only the daemon knows (`may-approve` of Exceptions.Get, docs/dbus.md), so that each is
 * asked about once, and again when it has taken a step:
 *
 *	           waiting_next()          waiting_answer()
 *	UNKNOWN ───────────────▶ ASKED ───────────────────▶ KNOWN: for this user, or not
 *	   ▲                       │ waiting_fail()            │
 *	   └──── waiting_look() ───┴──── waiting_stir() ───────┘
 *
 * No more than WAITING_TOLD_MAX that are news at one time are told one by one; more are one notice, which says how many
 * there are as long as it is on the screen. What does not wait for this user any more goes from the screen. Pure: what is
 * to be shown and closed goes out by waiting_ops.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/notices.h"

#define WAITING_TOLD_MAX 3

struct waiting;

struct waiting_ops {
	/* Takes the notice. */
	void (*show)(void *userdata, struct notice *notice);
	void (*close)(void *userdata, const char *key);
	/* Is that one on the screen, or on its way there? */
	bool (*shown)(void *userdata, const char *key);
};

/* ops must outlive it. NULL: no memory. */
struct waiting *waiting_new(const struct waiting_ops *ops, void *userdata);
struct waiting *waiting_free(struct waiting *waiting);
DEFINE_CLEANUP(struct waiting *, waiting_free)

/*
 * All that waits on this terminal, anew: waiting_look(), then waiting_see() of each (extension: the end that is asked for; 0: it is a
 * request), then waiting_seen(). What was not seen is decided. What could not be asked about is asked about again.
 */
void waiting_look(struct waiting *waiting);
void waiting_see(struct waiting *waiting, uint32_t number, int64_t extension);
void waiting_seen(struct waiting *waiting);

/* It has taken a step: somebody's approval, perhaps this user's own. 0: all have to be asked about anew. */
void waiting_stir(struct waiting *waiting, uint32_t number);

/* The next one to be asked about, in the order of their numbers; 0: there is none. */
uint32_t waiting_next(struct waiting *waiting);

/* What Exceptions.Get said; copied. Of what is not waited for any more it is nothing. */
void waiting_answer(struct waiting *waiting, uint32_t number, struct json_object *exception);
/* It said nothing: asked about with the next look. */
void waiting_fail(struct waiting *waiting, uint32_t number);

/* Nothing waits for this user: he may not even see them. */
void waiting_forget(struct waiting *waiting);

/* Tells what is news, once nothing is being asked. `now` in seconds since the epoch. */
void waiting_tell(struct waiting *waiting, int64_t now);
