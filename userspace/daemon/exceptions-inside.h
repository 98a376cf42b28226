/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the engine share.
 *
 *   exceptions.c         steps, looking, devices          exceptions-time.c     the clock, timers, what time itself does
 *   exceptions-open.c    the store: open, fail, try again exceptions-record.c   records of steps, and what else is told
 *   exceptions-memory.c  open ones, grants in force       exceptions-refused.c  records of refusals, limited by person
 */
#pragma once

#include "core/purse.h"
#include "daemon/exceptions.h"

#define EXCEPTIONS_STATE_MAX 512
/*
 * Records that are no steps and that the log did not take: kept to be told later. The few there are fit in. Refusals, of which anybody can
 * cause any number, are none of them: they wait in the summary of their person.
 */
#define EXCEPTIONS_PENDING_MAX 64
/* A store that cannot be used, and records that cannot be written, are tried again. */
#define EXCEPTIONS_RETRY_MS 60000
/* What is no hurry is done so many at a time: lapses of a thousand requests do not keep a device waiting, nor do late records. */
#define EXCEPTIONS_AT_ONCE 16
#define EXCEPTIONS_TELL_AT_ONCE 256
/* What owes nothing any more is closed by the daemon after this; nobody is woken for it. */
#define EXCEPTIONS_CLOSE_S 86400

enum {
	EXCEPTIONS_WARNED_FIRST = 1 << 0,
	EXCEPTIONS_WARNED_LAST = 1 << 1,
};

/* An exception whose life is not over. */
struct exceptions_entry {
	struct exception x;	     /* first: exceptions->open points here */
	unsigned int warned;	     /* bits, of this end: */
	int64_t warned_end;
	struct exceptions_entry *next; /* of those that go with the next turn */
};

/* Bytes that were written while the store could not be: they count as soon as it can. */
struct exceptions_owed {
	uint32_t number;
	uint64_t bytes;
};

struct exceptions_pending {
	const char *kind;
	struct json_object *extra;
};

struct exceptions {
	struct exceptions_setup setup; /* its path is ours */
	const struct exceptions_ops *ops;
	void *userdata;

	struct exceptionstore *store; /* NULL: it cannot be used */
	int why;		      /* … because of this: EXCEPTIONSTORE_E_… or -errno */
	char state[EXCEPTIONS_STATE_MAX];
	bool new_state;		      /* to be told with the next turn */

	struct grantclock clock;
	uint8_t boot_id[GRANTCLOCK_BOOT_SIZE];
	bool behind; /* the wall clock is, and that is recorded */
	int64_t watch_until; /* exceptions_watch_clock() */

	/* In the order of their numbers; each is the first member of its entry. */
	struct exception **open;
	size_t n_open, size_open;
	struct exceptions_entry *gone;

	/* Rebuilt at the beginning of a turn, when nobody holds the one before. */
	struct grantset *grants;
	struct grantset_entry *in_force; /* what it was built from */
	size_t n_in_force;

	bool begun;    /* by exceptions_begin(); before it time does nothing, and nothing is told */
	bool starting; /* the turn after that has not come: only `record` and `rules` are called */
	bool in_due;   /* steps that are due are being taken */
	bool more_due; /* … and not all were */
	bool untold;   /* there are steps in the store whose record is not in the log */
	bool more_untold; /* … which the log would take, but they were too many at once */
	struct exceptions_pending pending[EXCEPTIONS_PENDING_MAX];
	size_t n_pending;

	struct exceptions_owed *owed;
	size_t n_owed;

	sd_event_source *turn;	/* once, at the next turn: what has changed is told */
	sd_event_source *timer; /* the next moment at which time does something */
	sd_event_source *mark;	/* while the clock is lived by */
	sd_event_source *rest;	/* what is no hurry */
	sd_event_source *retry;

	struct purses purses; /* of refusals */
	struct json_object *refused[PURSES_MAX + 1];
	bool refused_waits; /* for a log that takes a summary */
	sd_event_source *summary;
};

/* --- exceptions.c --- */

/*
 * Takes a step in the store, the memory and the log. number 0: x is a draft. *x is then as it is after it. A positive code has
 * not been recorded as a refusal; an error of the store has closed it.
 */
int exceptions_take(struct exceptions *e, uint32_t number, const struct exception_event *event,
		    const struct exception_actor *actor, struct exception *x);

/* The same by the daemon itself, recorded if it is refused. */
int exceptions_take_system(struct exceptions *e, uint32_t number, enum exception_event_kind kind,
			   uint64_t bytes, const char *note);

/* utc_offset: of now. Steps are taken with that of the begin (exceptions_take()). */
struct exception_world exceptions_world(struct exceptions *e);

/* Counts what was written while the store could not be. */
void exceptions_count_owed(struct exceptions *e);

/* --- exceptions-open.c --- */

/* Opens the store and catches up; whether it worked is the state. */
void exceptions_try(struct exceptions *e);
/* Closes the store for this reason; nothing is in force until it can be opened again. */
void exceptions_give_up(struct exceptions *e, int r);
/* Was that the store's fault? Then it is closed, and nothing is in force. Returns r. */
int exceptions_failed(struct exceptions *e, int r);
/* Sets or stops the timer of what is tried again. */
void exceptions_plan_retry(struct exceptions *e);

/* --- exceptions-memory.c --- */

/* Keeps the exception as it is now, or lets it go if its life is over. -ENOMEM. */
int exceptions_keep(struct exceptions *e, const struct exception *x);
void exceptions_forget(struct exceptions *e);
struct exceptions_entry *exceptions_entry(const struct exceptions *e, uint32_t number);
/* Makes the set of grants in force anew. True: it is another. */
bool exceptions_build_grants(struct exceptions *e);
/* Frees what nobody holds any more. */
void exceptions_sweep(struct exceptions *e);
/* exceptions_build_grants(), then ops.state and ops.changed, with the next turn. */
void exceptions_next_turn(struct exceptions *e);

/* --- exceptions-time.c --- */

int exceptions_start_timers(struct exceptions *e);
void exceptions_stop_timers(struct exceptions *e);
void exceptions_read(struct exceptions *e, struct grantclock_reading *reading);
/* Looks at the clocks. */
void exceptions_tick(struct exceptions *e);
/* What grantclock_start() or _read() told of this reading. */
void exceptions_note_clock(struct exceptions *e, const struct grantclock_reading *reading, unsigned int bits);
/* Takes the steps that time has made due, and warns; then sets the timers. */
void exceptions_take_due(struct exceptions *e);
/* From when on the length of a grant counts: for its warnings. */
int64_t exceptions_begin_of(const struct exception *x);
/* Which warnings are behind at `now`: bits. */
unsigned int exceptions_warnings(const struct exception *x, int64_t now);

/* --- exceptions-record.c --- */

/* Records a step that is in the store. */
void exceptions_tell(struct exceptions *e, const struct exception *x,
		     const struct exception_deed *deed);
/* Records what could not be recorded before. False: the log does not take it. */
bool exceptions_tell_rest(struct exceptions *e);
/* A record that is no step. `extra` is taken over; NULL (no memory) is ok. `kind` must stay. */
void exceptions_say(struct exceptions *e, const char *kind, struct json_object *extra);
/* The same if it is taken now, after what has been waiting; `extra` stays the caller's. */
bool exceptions_say_now(struct exceptions *e, const char *kind, struct json_object *extra);
/* "exception", "grant", "person" of one. */
void exceptions_describe(struct json_object *record, const struct exception *x);

/* --- exceptions-refused.c --- */

/* number 0 and wish NULL: not known. */
void exceptions_refused(struct exceptions *e, int code, uint32_t number, const struct grant *wish,
			enum exception_event_kind kind, const struct exception_actor *actor);
/* The log takes records again: summaries that have been waiting. */
void exceptions_tell_refused(struct exceptions *e);
int exceptions_start_refused(struct exceptions *e);
void exceptions_stop_refused(struct exceptions *e);
