/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal's exceptions at work: the store (system/exceptionstore.h), the clock they live by (core/grantclock.h), the set of
 * grants in force (core/grantset.h), and what time itself does to them.
 *
 *	D-Bus call ──► exceptions_submit(), _step() ──► store (one transaction) ──► record ──► ops.stepped: objects, signals
 *	time, boot, clock set ──► begin, expire, lapse ─────┘                          └──► ops.changed: devices are judged again
 *	device let in, gone, written to, found empty ──► use, use-up, written, confirm-erased
 *
 * Knows neither gate nor bus: those are the caller's, by ops. Whatever is wrong with the store (damaged, disk full, held by another
 * process), no grant is in force, nothing can be asked for, exceptions_state() says why, and it is tried again every minute. A step
 * that is in the store but whose record is not in the log (a crash between the two) is recorded at the next start, `late` true.
 *
 * What has ended and owes nothing any more is closed by the daemon a day later, with whatever it does next.
 *
 * The grants in force end with whatever ends first: their end by the grant clock, their uses, their quota, a step. ops.changed is called
 * from the loop once for all of what happened at one moment, and after the steps are durable.
 */
#pragma once

#include <json-c/json_object.h>
#include <systemd/sd-event.h>

#include "core/exception.h"
#include "core/grantset.h"
#include "core/macro.h"
#include "system/exceptionstore.h"

struct exceptions;

struct exceptions_ops {
	/* A record for the log; `extra` is taken over. Negative: it could not be written; it is tried again, `late`. */
	int (*record)(void *userdata, const char *kind, struct json_object *extra);
	/* Rules of the policy in force, good until the loop's next turn. NULL: no policy is in force; then nothing is granted. */
	const struct exception_rules *(*rules)(void *userdata);
	/* exceptions_grants() is another: devices are to be judged again. */
	void (*changed)(void *userdata);
	/* An exception has taken a step, also one that ends its life. Valid during the call. */
	void (*stepped)(void *userdata, const struct exception *after,
			const struct exception_deed *deed);
	/* A grant ends in so many seconds: once at 15 minutes, once at 5. */
	void (*warned)(void *userdata, const struct exception *exception, uint32_t seconds);
	/* exceptions_state() is another. */
	void (*state)(void *userdata);
};

struct exceptions_setup {
	sd_event *event;
	const char *path;     /* of the store; made if it is not there, its directory too (0700) */
	const char *terminal; /* name of this terminal; must stay */
	/* What the clocks show. NULL: the real ones; for tests. */
	void (*read_clocks)(void *userdata, struct grantclock_reading *reading);
	/* Until a store that cannot be used, and records that could not be written, are tried again. 0: a minute; less for a test. */
	unsigned int retry_ms;
};

/* Reads and writes nothing yet: until exceptions_begin() no grant is in force, and every step is refused. 0 or a negative errno. */
int exceptions_new(struct exceptions **exceptionsp, const struct exceptions_setup *setup,
		   const struct exceptions_ops *ops, void *userdata);

/*
 * Once, and before anything is judged: opens the store and catches up with what happened while nobody looked. A store that cannot be
 * used is no failure, see above; -ENOMEM and the like are. No op is called before the loop's next turn, but `record` and `rules`.
 */
int exceptions_begin(struct exceptions *exceptions);
struct exceptions *exceptions_free(struct exceptions *exceptions);
DEFINE_CLEANUP(struct exceptions *, exceptions_free)

/* "ok", or a sentence that says what is wrong and what to do (English msgid, followed by ": DETAIL" where there is one). */
const char *exceptions_state(const struct exceptions *exceptions);

/* Seconds since the epoch, UTC, by the grant clock. */
int64_t exceptions_now(struct exceptions *exceptions);

/*
 * How far that clock is ahead of the wall clock, seconds; 0: it is not. A minute or two after reboots is usual. What is far ahead for long
 * is a wall clock that was once wrong (core/grantclock.h).
 */
int64_t exceptions_clock_ahead(struct exceptions *exceptions);

/*
 * Follows the wall clock back, and records who did it; *ahead: by how much (0: there was nothing to do, and nothing was done). Refused, with
 * EXCEPTIONSTORE_E_LIVE, while anything lives by it: requests that wait, what is approved or live, a code by telephone that is awaited.
 * EXCEPTION_E_UNKNOWN, _LOGIN: by core/exception.h, of who cannot be told.
 */
int exceptions_reset_clock(struct exceptions *exceptions, const struct exception_actor *actor, int64_t *ahead);

/* The wall clock was set, or the system has woken: steps that are due are taken at once. */
void exceptions_clock_set(struct exceptions *exceptions);

/*
 * Something beside the exceptions lives by this clock until then: the mark is kept now, and as often as while a grant runs, so that
 * neither a power failure nor a dead real-time clock gives it more time. One moment at a time; 0: nothing does. 0,
 * EXCEPTIONSTORE_E_…, -errno: the mark could not be kept now.
 */
int exceptions_watch_clock(struct exceptions *exceptions, int64_t until);

/* What began before this moment is over, since nobody knows for how long the terminal was off (core/grantclock.h). 0: nothing is. */
int64_t exceptions_void_before(const struct exceptions *exceptions);

/* Another policy is in force. Running grants keep what they were granted; a policy that is out of its time blocks by decide(). */
void exceptions_policy_changed(struct exceptions *exceptions);

/* --- steps ------------------------------------------------------------------------------------- */

/*
 * Errors of all of these: 0; EXCEPTION_E_…, EXCEPTIONSTORE_E_… (core/exception.h, system/exceptionstore.h), whose code of core/reason.h
 * or sentence exceptions_error() gives; -errno: nothing has changed. A step that is refused is a record "exception-refused".
 */

/* REQUEST, EMERGENCY or IMPORT of a wish. Its id is random where it is all zeros. *after: as it is then. */
int exceptions_submit(struct exceptions *exceptions, enum exception_event_kind kind,
		      const struct grant *wish, uint32_t period, const char *note,
		      const struct exception_actor *actor, struct exception *after);

/* The same of what somebody else has asked for; the actor is who took the step. */
int exceptions_submit_of(struct exceptions *exceptions, enum exception_event_kind kind, const struct grant *wish,
			 uint32_t period, const char *note, const struct exception_person *requester,
			 const struct exception_actor *actor, struct exception *after);

/* Would it be taken now? Nothing changes, and nothing is recorded. What the store counts (how often somebody asks) is not asked. */
int exceptions_would(struct exceptions *exceptions, enum exception_event_kind kind, const struct grant *wish,
		     uint32_t period, const struct exception_actor *actor);

int exceptions_step(struct exceptions *exceptions, uint32_t number,
		    const struct exception_event *event, const struct exception_actor *actor,
		    struct exception *after);

/* Would this actor's approval of it, or of its extension, be taken now? Nothing is changed or recorded. */
bool exceptions_may_approve(struct exceptions *exceptions, const struct exception *exception,
			    const struct exception_actor *actor);

/*
 * A code of core/reason.h ("exception-own", "exception-absent", "exception-grant-used") or, for what is wrong with the store and -errno,
 * "exception-store"; *detail: what more there is to say of the store, or "".
 */
const char *exceptions_error(int r, const char **detail);

/* The daemon itself. */
extern const struct exception_actor exceptions_system;

/* --- looking ----------------------------------------------------------------------------------- */

int exceptions_get(struct exceptions *exceptions, uint32_t number, struct exception *exception);
int exceptions_list(struct exceptions *exceptions, const struct exceptionstore_filter *filter,
		    int (*each)(void *userdata, const struct exception *exception), void *userdata);
/* most: as exceptionstore_deeds() has it. */
int exceptions_deeds(struct exceptions *exceptions, uint32_t number, uint32_t most,
		     int (*each)(void *userdata, const struct exception_deed *deed), void *userdata);

/* Was a grant with this id taken in before? 0: no; EXCEPTIONSTORE_E_USED; why the store cannot tell. */
int exceptions_has_grant(struct exceptions *exceptions, const uint8_t id[static 16]);

/* Those whose life is not over, from memory, in the order of their numbers: n is set. Good until the next step. */
const struct exception *const *exceptions_open(const struct exceptions *exceptions, size_t *n);
/* One of them, or NULL. */
const struct exception *exceptions_find_open(const struct exceptions *exceptions, uint32_t number);

/* How many wait for approval, are approved or live, are overdue (report, return or erasure), are emergencies without a report. */
struct exceptions_counts {
	unsigned int waiting, live, overdue, unreported;
};
struct exceptions_counts exceptions_counts(struct exceptions *exceptions);

/* The exception's end, its phase and what is left of it, by the grant clock. Seconds 0: over, or not granted. */
uint32_t exceptions_seconds_left(struct exceptions *exceptions, const struct exception *exception);

/* --- devices ----------------------------------------------------------------------------------- */

/* For decide_grants.set. NULL: none. Good until the loop's next turn. */
const struct grantset *exceptions_grants(const struct exceptions *exceptions);

/*
 * Before a device is let in by a grant (judgement.grant): takes USE, once for each attach. 0; otherwise it must not be let in. size: bytes of
 * its disk; 0: not known, or there are several. *number: the exception's.
 */
int exceptions_use(struct exceptions *exceptions, const uint8_t id[static 16], uint64_t size,
		   uint32_t *number);

/*
 * The device that it let in has gone: USE_UP if no use is left; otherwise nothing happens. Also at a start: the daemon may have been killed
 * while the device was in, so call it for every live one that was used and whose device is not there (exceptions_open()). Until then an
 * exception without uses stays live, but lets nothing in but the attach that is known to be its own (decide_grants.current).
 */
void exceptions_unused(struct exceptions *exceptions, uint32_t number);

/*
 * So many bytes were written to it since the last call; also of one that has ended since. Each call is a step and a record. It is used up
 * (USE_UP) when the quota is reached.
 */
void exceptions_written(struct exceptions *exceptions, uint32_t number, uint64_t bytes);

/* Bytes that may still be written; UINT64_MAX without a quota. */
uint64_t exceptions_bytes_left(const struct exceptions *exceptions, uint32_t number);

/*
 * Does anybody wait to hear that a device with this fingerprint is empty, and may the terminal say so (exception_erasure_by_sight())?
 * `but`: number of an exception that is not asked for; 0: none.
 */
bool exceptions_await_empty(struct exceptions *exceptions, const char *fingerprint, uint32_t but);

/*
 * A device was inspected, and nothing but zeros shows on its disk of `size` bytes (`how`: a sentence for the record). Confirms what is
 * awaited for that fingerprint, if every use of the exception that knows a size knows this one. What is bound to a medium's mark is never
 * confirmed so: the mark has gone with the data.
 */
void exceptions_seen_empty(struct exceptions *exceptions, const char *fingerprint, uint64_t size,
			   const char *how);
