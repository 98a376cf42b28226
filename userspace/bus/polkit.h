/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking polkit whether a caller may do something: CheckAuthorization of org.freedesktop.PolicyKit1.Authority
 * (polkit(8)), without waiting. The subject is the caller's connection, so that polkit finds its process, user and
 * session by itself. The bus sees to it that only polkit answers.
 */
#pragma once

#include <dbus/dbus.h>
#include <stdbool.h>

#include "bus/connection.h"

enum polkit_verdict {
	POLKIT_YES,
	POLKIT_NO,
	POLKIT_CHALLENGE, /* somebody would have to authenticate, but nobody may be asked, or can be */
	POLKIT_SILENT,	  /* there is no answer: no polkit, no bus, too late, or one that makes no sense */
};

struct polkit_question;

typedef void (*polkit_fn)(void *userdata, enum polkit_verdict verdict);

/*
 * sender: unique name of the caller. interactive: the caller's user may be asked for a password. timeout_ms: then
 * the verdict is POLKIT_SILENT, and what polkit shows is taken off the screen. `fn` is called once, from the loop, unless the
 * question is dropped before. 0, -ENOTCONN, -ENOMEM.
 */
int polkit_ask(struct polkit_question **questionp, struct bus_connection *connection,
	       const char *sender, const char *action, bool interactive, int timeout_ms,
	       polkit_fn fn, void *userdata);

/* Nobody wants to know any more: takes the dialogue off the screen. Not after `fn` was called. */
void polkit_drop(struct polkit_question *question);
