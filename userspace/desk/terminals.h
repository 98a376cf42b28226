/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminals that may ask for exceptions by telephone, in the register's table `terminals`: events, numbered from 1 for
 * each name, of which the last ones say what holds. A key's generation goes up when it is renewed, and when a terminal
 * that was removed comes back: the key that went with it stays worthless.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/terminalkey.h"
#include "desk/command.h"
#include "desk/desk.h"

enum terminal_event {
	TERMINAL_ADDED,
	TERMINAL_EXPORTED, /* its key was written out */
	TERMINAL_RENEWED,
	TERMINAL_REMOVED,
	TERMINAL_EVENT_COUNT,
};

/* "added", … */
const char *terminal_event_name(enum terminal_event event);

struct terminal_state {
	char name[GRANT_NAME_MAX];
	unsigned int n_events;
	uint32_t generation; /* of its key */
	bool removed;
	char added[REGISTER_TIME_MAX];	  /* last time */
	char exported[REGISTER_TIME_MAX]; /* the key of this generation, last; "": not yet */
};

/* Fills *state (`name` may be its own); REGISTER_E_ABSENT, with the name alone in it, if it was never entered. */
int terminals_find(struct media_register *reg, const char *name, struct terminal_state *state);

/* One more event; *state is as terminals_find() filled it, and is brought up. Between begin and commit. */
int terminals_note(struct media_register *reg, struct terminal_state *state, enum terminal_event event, const char *by,
		   const char *why);

/* Each of them, also removed ones, by name. Stops at the first value other than 0 and returns it. */
typedef int (*terminals_fn)(void *userdata, const struct terminal_state *state);
int terminals_each(struct media_register *reg, terminals_fn each, void *userdata);

/*
 * A terminal's key as its file's text, to be handed out: that it was is in the register before it is out (terminal.c). 0, or
 * COMMAND_FAILED after saying why. The caller wipes it.
 */
int terminal_key_take(const struct context *context, struct desk *desk, const char *name,
		      char text[static TERMINALKEY_TEXT_MAX], size_t *len);
