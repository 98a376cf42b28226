/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who calls, as exceptions see it: a person and the user as whom he acts, and what he may do there. By the user of the bus, and audit's
 * login uid, which is no proof alone (bus/caller.h):
 *
 *	user	  login		 who it is			what core/exception.h lets him do
 *	anybody	  the same	 the user			all that his roles allow
 *	root	  somebody	 who logged in, acting as root	the same: nobody approves his own by sudo
 *	anybody	  none		 the user			ask, and what is his own
 *	not root  another	 the user			nothing (EXCEPTION_LOGIN_OTHER)
 *	anybody	  unreadable	 the user			nothing (EXCEPTION_LOGIN_UNKNOWN)
 *
 * So nothing is gained by writing a login: of another it is refused, and one's own one is already. What it does not keep out: whoever
 * runs programs as somebody else (by his password, as his service), and root, who may run programs as anybody. logind's session is not
 * asked for: the programs of a desktop run in the user's own service manager, which is in none.
 *
 * Two answers are needed for a role: polkit's to the method's action, which has been asked for before, and the policy's lists (may-ask,
 * may-approve, may-declare-emergency). Root has every role.
 *
 * Who has no name here is nobody: name "", uid UINT32_MAX, and core/exception.c refuses him.
 */
#pragma once

#include "bus/caller.h"
#include "core/exception.h"

/* What a method lends its caller. */
struct exception_right {
	unsigned int roles; /* EXCEPTION_ROLE_…: to everybody whom polkit lets through and no list leaves out; emergencies by name only */
	unsigned int named; /* … besides, to whom the policy's list names */
};

/*
 * rules: NULL if no policy is in force. The database of users is asked for whom /etc/passwd does not know, that of groups only where a
 * list names a group, and not him. actor->session is the caller's.
 */
void exception_actor_read(struct exception_actor *actor, const struct bus_caller *caller,
			  const struct exception_right *right, const struct exception_rules *rules);

/* The user whom the bus authenticated, whatever he has logged in as: whose exceptions he is shown as his own. False: he has no name. */
bool exception_person_of(struct exception_person *person, const struct bus_caller *caller);

/*
 * A user of this terminal by name, from /etc/passwd. False: it does not know him, or his name is too long; then he may stand in a
 * directory that the terminal asks.
 */
bool exception_person_find(struct exception_person *person, const char *name);

/* The same from all that nsswitch.conf(5) names. A directory may let the daemon wait: to be counted. */
bool exception_person_find_far(struct exception_person *person, const char *name);
