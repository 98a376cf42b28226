/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register of media: an SQLite database in which nothing is ever overwritten. A medium is a row
 * of `media` that never changes; what happens to it is a row of `events`, numbered from 1 for each
 * medium, which says who, when, why, and what it sets. The present state is what the events leave,
 * laid over one another in their order. Triggers refuse UPDATE and DELETE, also to other programs.
 *
 * Reading sees one moment. Changes stand between register_begin() and register_commit(); of two
 * desks that begin at once one waits (REGISTER_WAIT_MS). What was committed is on the disk.
 *
 * Functions return 0, a positive REGISTER_E_…, or a negative errno (-EIO: SQLite failed);
 * register_say() turns what the last one on this register returned into a message.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/macro.h"
#include "desk/command.h"
#include "desk/field.h"
#include "desk/transition.h"

/* A register of schema 1 is brought to this one when it is opened. */
#define REGISTER_SCHEMA 2
#define REGISTER_WAIT_MS 10000
#define REGISTER_TIME_MAX 21 /* YYYY-MM-DDTHH:MM:SSZ and a NUL */
#define REGISTER_DETAIL_MAX 65536

enum {
	REGISTER_E_ABSENT = 1,     /* no such medium */
	REGISTER_E_EXISTS = 2,     /* the number is taken */
	REGISTER_E_VOLUME = 3,     /* another medium that is in use has this LUKS UUID */
	REGISTER_E_TRANSITION = 4, /* not from its present status: transition.h */
	REGISTER_E_WHY = 5,        /* only with a reason (--why) */
	REGISTER_E_VALUE = 6,      /* a field does not take this value */
	REGISTER_E_BUSY = 7,       /* another desk held it for longer than REGISTER_WAIT_MS */
	REGISTER_E_DAMAGED = 8,    /* the file is damaged, or is no register */
	REGISTER_E_SCHEMA = 9,     /* made by a later version of this program */
	REGISTER_E_WIPED = 10,     /* there is nothing on it to be lent */
};

struct media_register; /* `register` is C's */

/* Creates the file (mode 0600), which must not exist; or opens it and checks it. */
int register_create(const char *path, struct media_register **regp);
int register_open(const char *path, struct media_register **regp);
struct media_register *register_close(struct media_register *reg);
DEFINE_CLEANUP(struct media_register *, register_close)

/*
 * begin takes the one place of a writer. Without commit, close or rollback undoes all since then.
 */
int register_begin(struct media_register *reg);
int register_commit(struct media_register *reg);
void register_rollback(struct media_register *reg);

/* --- what happens to media ------------------------------------------------------------------ */

struct event {
	enum event_kind kind;
	const char *by;
	const char *why;    /* or NULL */
	const char *detail; /* or NULL: a JSON object with whatever should be kept with it */
	struct record sets; /* without identity and status */
};

/*
 * Enters a medium with its first event (issued, enrolled, imported). `identity` gives the identity
 * (number, id and serial at least). For EVENT_IMPORTED sets.values[FIELD_STATUS] may hold the
 * status. Between begin and commit.
 */
int register_add(struct media_register *reg, const struct record *identity,
		 const struct event *event);

/*
 * One more event of a medium: the transition is checked against its state of now. EVENT_WIPED takes
 * luks_uuid and mark away by itself. Between begin and commit.
 */
int register_event(struct media_register *reg, const char *number, const struct event *event);

/* --- reading -------------------------------------------------------------------------------- */

/* A medium as it stands. */
struct medium_state {
	int64_t id;
	unsigned int n_events;
	struct transition_state transition;
	struct record record;            /* all fields */
	char entered[REGISTER_TIME_MAX]; /* UTC, of the first event */
	char changed[REGISTER_TIME_MAX]; /* … of the last */
};

void medium_state_deinit(struct medium_state *state);

/*
 * By its number, or its volume (not disposed ones). Fills *state (zeroed before),
 * REGISTER_E_ABSENT.
 */
int register_find(struct media_register *reg, const char *number, struct medium_state *state);
int register_find_volume(struct media_register *reg, const char *luks_uuid,
			 struct medium_state *state);

/*
 * Each medium in the order of entry. Stops at the first value other than 0 that `each` returns, and
 * returns that.
 */
typedef int (*register_medium_fn)(void *userdata, const struct medium_state *state);
int register_each(struct media_register *reg, register_medium_fn each, void *userdata);

/*
 * Each event of one medium, oldest first. The event's sets.values[FIELD_STATUS] is what it led to.
 */
typedef int (*register_event_fn)(void *userdata, unsigned int sequence, const char *time,
				 const struct event *event);
int register_history(struct media_register *reg, const char *number, register_event_fn each,
		     void *userdata);

/* UTC now. */
void register_time(char out[static REGISTER_TIME_MAX]);

/*
 * Says what `code` means of the last call on this register (NULL: of open or create, `what` the
 * path), `what` being the number that it was about. Returns COMMAND_FAILED.
 */
int register_say(const struct context *context, const struct media_register *reg, int code,
		 const char *what);
