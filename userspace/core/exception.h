/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of an exception, from a person's wish to use a device to the proof that nothing of it is left. A pure state
 * machine: who asks, what time it is and what the policy says come in as arguments, and exception_step() is the only
 * function that changes a state. Plain data; nothing in it is owned.
 *
 *	draft --request--> requested --approve--> approved --begin--> live
 *	  |                    |                      |                 |
 *	  +--import---------------------> approved    |                 +--use-up--> used-up --+
 *	  +--emergency------------------> live        +-----expire------+--expire--> expired --+
 *	                       |                      +-----revoke------+--revoke--> revoked --+
 *	                       |                      |                 |                      |
 *	                       +--deny---> denied     |                 +--return--> returned -+
 *	                       +--lapse--> lapsed     |                                        |
 *	                       +-------withdraw-------+--> closed                              |
 *	                                                     ^                                 |
 *	                                                     +--close-- erase-confirmed <--confirm-erased
 *
 * Events that stay where they are: approve (the first of two; of an extension while live), deny (of an extension), extend,
 * use, written, report. A used-up, expired or revoked exception may also be returned, and all four may be closed at once if nothing is
 * owed. denied, lapsed and closed are final.
 * Every row of the table, with who may do it, stands in docs/exceptions.md.
 *
 * - Nobody approves what he asked for or what is for him, and two approvers are two people: two that share neither user id nor
 *   name. The caller gives the *login's* user id and name (audit's loginuid, where it is set), so that sudo makes nobody another.
 * - What happens first counts: the store (system/exceptionstore.h) lets one step in after the other, and the later one meets
 *   the state that the earlier one left, which is what the refusal then names.
 * - What a request does not state is the least: zero is read-only, and no extension comes without approvals.
 * - Times are seconds since the epoch, UTC, by core/grantclock.h: never the bare wall clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/exception-rules.h"
#include "core/grant.h"

/* The numbers stand in the store: they never change. */
enum exception_state {
	EXCEPTION_DRAFT = 0,
	EXCEPTION_REQUESTED = 1,
	EXCEPTION_APPROVED = 2, /* but its begin has not come */
	EXCEPTION_DENIED = 3,
	EXCEPTION_LAPSED = 4, /* nobody answered in time */
	EXCEPTION_LIVE = 5,
	EXCEPTION_USED_UP = 6,
	EXCEPTION_EXPIRED = 7,
	EXCEPTION_REVOKED = 8,
	EXCEPTION_RETURNED = 9,
	EXCEPTION_ERASE_CONFIRMED = 10,
	EXCEPTION_CLOSED = 11,
	N_EXCEPTION_STATES,
};

enum exception_event_kind {
	EXCEPTION_REQUEST = 0,
	EXCEPTION_EMERGENCY = 1,
	EXCEPTION_IMPORT = 2, /* a grant file or a telephone code that has been verified */
	EXCEPTION_WITHDRAW = 3,
	EXCEPTION_APPROVE = 4,
	EXCEPTION_DENY = 5,
	EXCEPTION_LAPSE = 6,
	EXCEPTION_BEGIN = 7,
	EXCEPTION_USE = 8,     /* the device is let in once more */
	EXCEPTION_WRITTEN = 9, /* bytes that have been written to it: told when a volume is closed, not for each write */
	EXCEPTION_USE_UP = 10, /* and the device has gone since its last use */
	EXCEPTION_EXPIRE = 11,
	EXCEPTION_REVOKE = 12,
	EXCEPTION_EXTEND = 13, /* asks for a later end; the approvals follow */
	EXCEPTION_RETURN = 14,
	EXCEPTION_CONFIRM_ERASED = 15, /* seen again and found empty, or confirmed by somebody else */
	EXCEPTION_REPORT = 16,	       /* of an emergency, filed afterwards */
	EXCEPTION_CLOSE = 17,
	N_EXCEPTION_EVENTS,
};

/* What an actor may do; bits. By polkit and the policy's lists: the caller has asked both. */
enum {
	EXCEPTION_ROLE_ASK = 1 << 0,
	EXCEPTION_ROLE_APPROVE = 1 << 1,
	EXCEPTION_ROLE_EMERGENCY = 1 << 2,
	EXCEPTION_ROLE_DESK = 1 << 3,
	EXCEPTION_ROLE_SYSTEM = 1 << 4, /* the daemon itself: time, devices, verified signatures */
	/* In the table only, never given by a caller: whoever asked for it, or whom it is for. */
	EXCEPTION_ROLE_OWN = 1 << 5,
};

/* Why a step is refused. Each is a row of core/reason.c by exception_reason(). */
enum {
	/* Where it stands already: there is no such way from here. */
	EXCEPTION_E_DRAFT = 1,
	EXCEPTION_E_WAITING = 2,
	EXCEPTION_E_APPROVED = 3,
	EXCEPTION_E_DENIED = 4,
	EXCEPTION_E_LAPSED = 5, /* also: approved too late, before anybody recorded the lapse */
	EXCEPTION_E_LIVE = 6,
	EXCEPTION_E_ENDED = 7, /* also: its end has come, before anybody recorded it */
	EXCEPTION_E_CLOSED = 8,
	/* Who asks. */
	EXCEPTION_E_ROLE = 9,	    /* not his to do */
	EXCEPTION_E_UNKNOWN = 10,   /* no user id or no name */
	EXCEPTION_E_OWN = 11,	    /* his own */
	EXCEPTION_E_TWICE = 12,	    /* has approved already */
	EXCEPTION_E_OTHER = 13,	    /* the extension is another one than was approved */
	/* What is asked for. */
	EXCEPTION_E_INCOMPLETE = 14, /* person, device, terminal, purpose or end is missing, or a field is malformed */
	EXCEPTION_E_TERMINAL = 15,   /* for another terminal */
	EXCEPTION_E_PERIOD = 16,     /* ends before it begins, or has ended already */
	EXCEPTION_E_TOO_LONG = 17,   /* longer than the policy allows */
	EXCEPTION_E_MARCH = 18,	     /* beyond the end of the fiscal year */
	EXCEPTION_E_NOTE = 19,	     /* a reason or report is missing, or malformed */
	/* How often. */
	EXCEPTION_E_MANY_WAITING = 20,
	EXCEPTION_E_MANY_TODAY = 21,
	EXCEPTION_E_NO_EMERGENCY = 22,	/* the policy knows none */
	EXCEPTION_E_REPORTS_DUE = 23,	/* report the last ones first */
	EXCEPTION_E_NOT_EMERGENCY = 24, /* has no report, or cannot be extended because it is one */
	EXCEPTION_E_REPORTED = 25,
	/* When. */
	EXCEPTION_E_EARLY = 26,	      /* its time has not come */
	EXCEPTION_E_USED_UP = 27,     /* no use is left */
	EXCEPTION_E_USES_LEFT = 28,
	EXCEPTION_E_NO_EXTENSION = 29, /* none was asked for */
	EXCEPTION_E_REPORT_DUE = 30,   /* cannot be closed before its report */
	EXCEPTION_E_ERASURE_DUE = 31,  /* cannot be closed before its erasure is confirmed */
	EXCEPTION_E_NO_POLICY = 32,    /* what asks the policy is refused while none is in force */
	EXCEPTION_E_MANY_USES = 33,    /* its device comes and goes too often */
	N_EXCEPTION_ERRORS,
};

#define EXCEPTION_SESSION_MAX 64
#define EXCEPTION_NOTE_MAX 2048 /* bytes with NUL: a reason, a report; one line, without control characters */
#define EXCEPTION_APPROVERS_MAX 2
/* Every emergency goes by this form, whatever its wish names, and nothing else does. */
#define EXCEPTION_FORM_EMERGENCY "13-2"
/* A device is let in so often in an hour: each time is a step that is kept for ever, and a machine that reattaches makes any number. */
#define EXCEPTION_USES_HOURLY 60
/* A begin further ahead than this is a slip of the pen. */
#define EXCEPTION_AHEAD_MAX (366 * 86400)

struct exception_person {
	uint32_t uid; /* UINT32_MAX: not known */
	char name[GRANT_NAME_MAX];
};

struct exception_approvals {
	unsigned int n;
	struct exception_person by[EXCEPTION_APPROVERS_MAX];
};

struct exception {
	uint32_t number; /* in the store, from 1; what people call it by */
	/*
	 * What is asked for, and granted. not_before and not_after hold the wish until the last approval, then what was
	 * granted. Everything else never changes, but `seconds`, which an extension takes away, and of an emergency its form, and
	 * its period if it states none.
	 */
	struct grant grant;
	uint32_t period; /* seconds from the approval (or not_before); 0: until not_after */
	struct exception_person requester;

	enum exception_state state;
	bool emergency;
	uint32_t steps;	   /* so many have been taken */
	int64_t changed;   /* the last of them; of all the times 0 is "not yet" */
	int64_t requested;
	int64_t approved;  /* or declared an emergency, or imported */
	int64_t begun;
	int64_t ended;
	int64_t reported;  /* of an emergency */
	int64_t first_used;
	uint32_t used;	   /* times */
	uint64_t written;  /* bytes */
	struct exception_approvals approvals;
	int64_t extend_until; /* an extension that waits for approvals; 0: none does */
	int64_t extend_asked;
	struct exception_approvals extend_approvals;
};

struct exception_event {
	enum exception_event_kind kind;
	int64_t until;	  /* EXTEND; and of an extension's APPROVE or DENY: the one that was seen */
	uint64_t bytes;	  /* WRITTEN: more than were told before. USE: size of the device's only disk; 0: not known, or several */
	const char *note; /* DENY, REPORT: needed; otherwise may be NULL */
};

struct exception_actor {
	struct exception_person who; /* of the system: uid 0 and "" will do */
	const char *session;	     /* logind's, or "" */
	unsigned int roles;
};

struct exception_world {
	int64_t now;
	int32_t utc_offset; /* seconds that local time is ahead: 32400 in Japan */
	int64_t void_before; /* grants that began earlier are over, see core/grantclock.h; 0: none */
	const char *terminal;
	const struct exception_rules *rules; /* NULL: no policy is in force; then nothing is granted, and nothing lapses */
	/* Counted by the store. */
	unsigned int waiting;	  /* the actor's requests that wait for approval */
	unsigned int daily;	  /* requests, emergencies and extensions that the actor has asked for in the last 24 hours */
	unsigned int reports_due; /* emergencies on this terminal without a report */
	unsigned int uses;	  /* of this exception in the last hour; for USE */
};

/* A step that was taken, for the record. */
struct exception_deed {
	uint32_t number; /* of the step, from 1 */
	enum exception_event_kind kind;
	enum exception_state from, to;
	int64_t when;
	struct exception_person who;
	char session[EXCEPTION_SESSION_MAX];
	char note[EXCEPTION_NOTE_MAX];
	int64_t until;
	uint64_t bytes;
};

/* A draft of what is wished for. The grant's id is the caller's (random, 16 bytes). */
void exception_init(struct exception *exception, const struct grant *wish, uint32_t period,
		    const struct exception_person *requester);

/*
 * Takes a step: 0, and the exception is as it is then, and *deed (may be NULL) says what was done; or EXCEPTION_E_…, and
 * nothing has changed. First the state is asked, then who, then what.
 */
int exception_step(struct exception *exception, const struct exception_event *event,
		   const struct exception_actor *actor, const struct exception_world *world,
		   struct exception_deed *deed);

/* Is there such a row in the table? For whoever reads what was written down. */
bool exception_leads(enum exception_state from, enum exception_event_kind kind,
		     enum exception_state to);

/* The table itself: row i of it, false behind the last. `roles` says who may, any one of them. */
struct exception_way {
	enum exception_state from;
	enum exception_event_kind kind;
	enum exception_state to;
	unsigned int roles;
};
bool exception_way(size_t i, struct exception_way *way);

/* When it ends, or would: the granted end, or earlier by its time from the first use. */
int64_t exception_end(const struct exception *exception);

/* Has its end come, or has the clock made it void? Of approved and live ones. */
bool exception_is_over(const struct exception *exception, const struct exception_world *world);

/* Does it allow its device now, so that decide() is to know of it? */
bool exception_in_force(const struct exception *exception, const struct exception_world *world);

/* Bytes that may still be written to the medium; UINT64_MAX without a quota. */
uint64_t exception_bytes_left(const struct exception *exception);

/* Was it used, and may it hold data, so that it is closed only after its erasure was confirmed? */
bool exception_needs_erasure(const struct exception *exception);

/*
 * May the terminal itself confirm its erasure, because it has seen the device empty? What a device answers can be made up, so of the data
 * that matters most (class I and II), or wherever the policy says so, a person confirms. rules: may be NULL.
 */
bool exception_erasure_by_sight(const struct exception *exception,
				const struct exception_rules *rules);

/* What is still owed, bits. */
enum {
	EXCEPTION_DUE_REPORT = 1 << 0,	/* the report of an emergency */
	EXCEPTION_DUE_ERASURE = 1 << 1, /* the confirmation that data is erased */
	EXCEPTION_DUE_RETURN = 1 << 2,	/* ended, or its day of return has come, and it is not back */
	EXCEPTION_DUE_OVERDUE = 1 << 3, /* … and the day of return, or the end, has passed */
};
unsigned int exception_due(const struct exception *exception, int64_t now);

/* One and the same: equal user ids, or equal names. */
bool exception_same_person(const struct exception_person *a, const struct exception_person *b);

/* Stable words: "used-up", "confirm-erased", "exception-own"; NULL for no such number. */
const char *exception_state_name(unsigned int state);
const char *exception_event_name(unsigned int kind);
const char *exception_reason(int error);
/* The same as people say it, to be translated when shown. */
const char *exception_state_text(unsigned int state);
const char *exception_event_text(unsigned int kind);
/* N_EXCEPTION_STATES, N_EXCEPTION_EVENTS for other words. */
unsigned int exception_state_find(const char *name);
unsigned int exception_event_find(const char *name);
