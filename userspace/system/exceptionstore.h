/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where exceptions live: one SQLite file (docs/exceptions.md describes it), the daemon's alone. An exception is a row that never changes;
 * each of its steps is a row that is only ever added, with who took it and what the exception was like after it. The last step is the
 * present. Triggers refuse UPDATE and DELETE, also to other programs. Every row carries a digest over itself and the row before it.
 *
 * - A step is decided and written in one transaction: of two that come at once the second meets what the first one left.
 * - What a function has returned 0 for is on the disk (write-ahead log, synchronous FULL), and outlives kill -9 and power failures. What
 *   it has not is there whole or not at all.
 * - The file is read through when it is opened. If anything in it is not as this program writes it, it is not opened: then no exception
 *   is in force, none can be asked for, and exceptionstore_error() says what to do.
 *
 * Functions return 0, EXCEPTION_E_… of the step (core/exception.h), EXCEPTIONSTORE_E_…, or a negative errno. After -errno nothing has
 * been changed. Drafts are not stored: the form that somebody is filling in is the caller's.
 */
#pragma once

#include "core/exception.h"
#include "core/grantclock.h"
#include "core/macro.h"

#define EXCEPTIONSTORE_SCHEMA 1

/* Above all EXCEPTION_E_…. */
enum {
	EXCEPTIONSTORE_E_ABSENT = 100,	/* there is no such file; no such exception */
	EXCEPTIONSTORE_E_DAMAGED = 101, /* not a store, or not as this program left it */
	EXCEPTIONSTORE_E_SCHEMA = 102,	/* made by a later version */
	EXCEPTIONSTORE_E_BUSY = 103,	/* another process has it open */
	EXCEPTIONSTORE_E_UNSAFE = 104,	/* not a plain file, not ours, or writable by others */
	EXCEPTIONSTORE_E_USED = 105,	/* a grant with this id has been taken in before: they are used once */
	EXCEPTIONSTORE_E_LIVE = 106,	/* the clock is not set back while an exception is approved or live */
	EXCEPTIONSTORE_E_CLOCK = 107,	/* a mark that goes back without a reset */
};

struct exceptionstore;

/* Creates the file (mode 0600), which must not exist (-EEXIST). */
int exceptionstore_create(const char *path, struct exceptionstore **storep);
/* Opens it and checks all of it: some 10 µs a step. */
int exceptionstore_open(const char *path, struct exceptionstore **storep);
struct exceptionstore *exceptionstore_close(struct exceptionstore *store);
DEFINE_CLEANUP(struct exceptionstore *, exceptionstore_close)

struct exceptionstore_act {
	const struct exception_event *event;
	const struct exception_actor *actor;
	const struct exception_world *world; /* its counts are filled in by the store */
	const struct grantclock_mark *mark;  /* kept with the step; NULL: not now */
};

/*
 * Takes a draft (exception_init()) in with its first step: REQUEST, EMERGENCY or IMPORT. It gets its number, and is as it is after the
 * step. A step that is refused leaves nothing behind.
 */
int exceptionstore_submit(struct exceptionstore *store, struct exception *draft,
			  const struct exceptionstore_act *act, struct exception_deed *deed);

/* A later step. *after and *deed may be NULL. */
int exceptionstore_step(struct exceptionstore *store, uint32_t number,
			const struct exceptionstore_act *act, struct exception *after,
			struct exception_deed *deed);

int exceptionstore_get(struct exceptionstore *store, uint32_t number, struct exception *exception);
int exceptionstore_find_grant(struct exceptionstore *store, const uint8_t id[static 16],
			      struct exception *exception);

/* Zeros and NULL ask for nothing. */
struct exceptionstore_filter {
	unsigned int states; /* bits 1 << EXCEPTION_LIVE, …; 0: all */
	unsigned int due;    /* EXCEPTION_DUE_…: any of them, at `now` */
	int64_t now;
	const char *person;  /* whom it is for, or who asked for it */
	int64_t from, until; /* asked for in this time; until is not inside */
	uint32_t after;	     /* numbers above this one */
	uint32_t limit;	     /* at most so many; 0: all */
};

/* In the order of their numbers. `each` returns 0 to go on; anything else ends it and is returned. It must not step. */
int exceptionstore_list(struct exceptionstore *store, const struct exceptionstore_filter *filter,
			int (*each)(void *userdata, const struct exception *exception),
			void *userdata);

/*
 * Steps of one, in their order: the newest `most` of its device (USE, WRITTEN), which may be very many, and the newest `most` of all others.
 * What is left out shows in their numbers. 0: all.
 */
int exceptionstore_deeds(struct exceptionstore *store, uint32_t number, uint32_t most,
			 int (*each)(void *userdata, const struct exception_deed *deed),
			 void *userdata);

/* The size that its uses tell of; EXCEPTIONSTORE_E_ABSENT if none does, or they differ. */
int exceptionstore_size(struct exceptionstore *store, uint32_t number, uint64_t *size);

/*
 * The first step whose record is not known to be in the event log, and the exception as it was after it. EXCEPTIONSTORE_E_ABSENT: all
 * are. exceptionstore_told() when it is; a power failure within seconds may take that back.
 */
int exceptionstore_untold(struct exceptionstore *store, struct exception *exception,
			  struct exception_deed *deed);
int exceptionstore_told(struct exceptionstore *store, uint32_t number, uint32_t step);

/* The clock's mark. EXCEPTIONSTORE_E_ABSENT before the first was kept. */
int exceptionstore_mark(struct exceptionstore *store, struct grantclock_mark *mark);
int exceptionstore_keep_mark(struct exceptionstore *store, const struct grantclock_mark *mark);

/* What an EXCEPTIONSTORE_E_… means and what to do about it: a sentence to be translated when shown. */
const char *exceptionstore_error(int code);
