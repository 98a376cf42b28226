/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another program, with our end of its standard input and output on the event loop. It is given its arguments one by one,
 * never through a shell, and none of our descriptors. SIGCHLD must be blocked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "core/macro.h"

struct child;

struct child_setup {
	char *const *argv; /* found in PATH */
	char *buffer;	   /* what it writes; the caller's, so that it can be memory that is never swapped */
	size_t size;	   /* more than fits there is no answer: it is killed, and the status -EMSGSIZE */
	/* Something came: buffer[0..len). Returns how much of its beginning is done with. NULL: all is kept until the end. */
	size_t (*data)(void *userdata, size_t len);
	/* It has ended: its exit status, or a negative errno; buffer[0..len) is left. The child may be freed in there. */
	void (*end)(void *userdata, int status, size_t len);
	void *userdata;
};

/* -ENOENT: there is no such program. */
int child_new(struct child **ret, sd_event *event, const struct child_setup *setup);

/* Kills it if it still runs; `end` is not called any more. */
struct child *child_free(struct child *child);
DEFINE_CLEANUP(struct child *, child_free);

/* Writes a short text to it; what it does not take at once it never gets. False: it does not listen. */
bool child_write(struct child *child, const char *text, size_t len);

/* Starts a program that nobody listens to, as a terminal's window is. -ENOENT as above. */
int child_start(sd_event *event, char *const *argv);
