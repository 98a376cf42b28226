/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A passphrase from the person in front, by the program `pinentry` (GnuPG's; the Assuan protocol, libassuan manual,
 * "Client requests" and "Server responses"). The secret is only ever in memory that is never swapped, here and in the pipe
 * through which it is handed on: the pages of a pipe are the kernel's.
 */
#pragma once

#include <stddef.h>
#include <systemd/sd-event.h>

#include "core/macro.h"

/* What a volume takes (docs/dbus.md). */
#define PINENTRY_SECRET_MAX 512

enum {
	PINENTRY_E_CANCELLED = 1,
	PINENTRY_E_LENGTH = 2, /* empty, or longer than PINENTRY_SECRET_MAX */
	PINENTRY_E_FAILED = 3, /* it cannot ask here, or does not speak the protocol */
};

struct pinentry;

/* result: 0 and the reading end of a pipe that holds the secret, the callee's; or PINENTRY_E_…, a negative errno. */
typedef void (*pinentry_fn)(void *userdata, int result, int fd);

/* -ENOENT: there is no pinentry. The texts are needed only until it returns. */
int pinentry_open(struct pinentry **ret, sd_event *event, const char *title, const char *description,
		  const char *prompt, pinentry_fn fn, void *userdata);
struct pinentry *pinentry_free(struct pinentry *pinentry);
DEFINE_CLEANUP(struct pinentry *, pinentry_free);

/* Turns %XX back, in place. The new length; -1: an escape is cut off or none. */
long pinentry_decode(char *text, size_t len);

/* A text as an argument of a command: one line, malloc'd. */
char *pinentry_encode(const char *text);
