/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who calls, as exceptions see it: the person who logged in (audit's login uid, so that sudo and su make nobody another), and what he may
 * do there. Two answers are needed: polkit's to the method's action, which has been asked for before, and the policy's lists (may-ask,
 * may-approve, may-declare-emergency). Root has every role, but stays the person who logged in: nobody approves his own by sudo.
 *
 * Who cannot be told is nobody: name "", uid UINT32_MAX, and core/exception.c refuses him.
 */
#pragma once

#include "bus/caller.h"
#include "core/exception.h"

/* What a method lends its caller. */
struct exception_right {
	unsigned int roles; /* EXCEPTION_ROLE_…: to everybody whom polkit lets through and no list leaves out; emergencies by name only */
	unsigned int named; /* … besides, to whom the policy's list names */
};

/* rules: NULL if no policy is in force. Asks the databases of users and groups, the latter only where a list is to be searched. */
void exception_actor_read(struct exception_actor *actor, const struct bus_caller *caller,
			  const struct exception_right *right, const struct exception_rules *rules);

/* Who it is, without roles. actor->session is the caller's. */
void exception_actor_identify(struct exception_actor *actor, const struct bus_caller *caller);

/* A user of this terminal by name. False: there is none, or his name is too long. */
bool exception_person_find(struct exception_person *person, const char *name);
