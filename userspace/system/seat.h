/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who sits in front of the terminal: the user of the active session of seat0, as logind writes it
 * below /run/systemd (sd-login(3)). No D-Bus: the daemon starts before it.
 *
 * Only the seat's active session counts, and only if it is of class "user", not closing and not
 * remote. A greeter, a lock screen that is a session of its own, a text console that nobody has
 * logged in to, or no logind at all: nobody. Nobody is also the answer while logind's files cannot
 * be read, so that what is allowed to one user is never allowed to another. (A screen locked inside
 * the user's own session stays the user's: logind tells that on D-Bus only, see daemon/screenlock.h.)
 *
 * Groups are those of the group database when the seat last changed; who is put into a group while
 * sitting there gets it with the next switch or login, much as the kernel has it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "core/macro.h"
#include "system/account.h"

#define SEAT_NAME_MAX ACCOUNT_NAME_MAX

/* The primary group first. */
#define SEAT_GROUPS_MAX ACCOUNT_GROUPS_MAX

struct seat_user {
	const char *name;    /* "" for nobody, and where it cannot be found out */
	uid_t uid;           /* (uid_t)-1 for nobody */
	gid_t gid;           /* primary group; valid if there is a name */
	const char *session; /* logind's id of the session; "" for nobody */
	const char *const *groups;
	size_t n_groups; /* 0 for nobody */
};

struct seat;

/* Called from the event loop when the user, the session or the groups have become others. */
typedef void (*seat_fn)(void *userdata, const struct seat_user *user);

/*
 * Follows the seat from now on. seat_active() answers at once; the first answer is not announced.
 * That logind has not started is not an error: it is noticed when it does. Wakes up only when
 * logind writes, never by the clock. Negative errno: inotify is not to be had (limits, memory).
 */
int seat_new(struct seat **seatp, sd_event *event, seat_fn fn, void *userdata);
struct seat *seat_free(struct seat *seat);
DEFINE_CLEANUP(struct seat *, seat_free)

/* Never NULL; valid until the next call of the function or seat_free(). */
const struct seat_user *seat_active(const struct seat *seat);

/*
 * Called after each notice of logind's, also when the same user still sits there: somebody in the background may have
 * gone. NULL ends it.
 */
void seat_follow_sessions(struct seat *seat, void (*fn)(void *userdata));

/*
 * Has this user a session at the seat that has not ended, in front or not? Asks the sessions' own files: they are what
 * is watched, while the file of the user is written after them.
 */
bool seat_has_sessions(uid_t uid);
