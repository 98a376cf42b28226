/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions by telephone, the terminal's side (docs/telephone-code.md; core/phonecode.h is the codes themselves): the one request that
 * waits for the help desk's code, and taking that code in.
 *
 *	phone_request()  wish ──► challenge ──► pending file (durable) ──► record ──► shown
 *	phone_answer()   code ──► right? ──► pending file: accepted ──► exceptions_submit(IMPORT) ──► pending file: done
 *	                           └─ wrong: counted in the pending file, then recorded, then told
 *
 * The pending file (daemon/phonepending.h) has mode 0600 and is put in place whole and synced. Whatever kills the
 * daemon, the count of wrong codes stands, and a code is taken once:
 *
 *	killed before "accepted"     nothing happened; the code can be typed in again
 *	between it and the store     the code can be typed in again within its hour, and is taken then; so it is too when the store
 *	                             could not be written, or no policy was in force
 *	after the store              the store has the grant's id, which follows from the challenge: EXCEPTIONSTORE_E_USED for ever
 *	after "done"                 PHONE_E_USED
 *
 * A new request takes the place of the one before. The file has the key and the count that nonces come from (core/phonenonce.h), so that none
 * is made again, and who has asked in the last 24 hours. A pending file that is damaged counts as none; the journal says so, and the next request replaces it.
 *
 * The terminal's key is read for each request and each answer, into memory that is not swapped or dumped (sodium_malloc), and wiped: a key
 * that was renewed counts at once. Its file must be root's (or the caller's own user's), and closed to everybody else.
 *
 * The time is exceptions_now(), and its mark is kept while a request waits (exceptions_watch_clock()): neither a power failure nor a clock
 * put back gives a code more than its hour, and after a restart with a clock that is behind it has none. Nothing here knows the bus. Needs sodium_init().
 */
#pragma once

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/macro.h"
#include "core/phonecode.h"
#include "daemon/exceptions.h"

/*
 * Challenges: so many at once, then one a minute; and so many in any 24 hours, by one person and by all. What docs/telephone-code.md says
 * of guessing, and of answers that are asked for beforehand, is reckoned with that.
 */
#define PHONE_REQUESTS_BURST 5
#define PHONE_REQUESTS_EVERY_S 60
#define PHONE_TODAY_PERSON 10
#define PHONE_TODAY_TERMINAL 30

/*
 * Beside EXCEPTION_E_… and EXCEPTIONSTORE_E_… of the import and of what is missing in a wish. Each is a row of core/reason.c by
 * phone_error().
 */
enum {
	PHONE_E_NO_KEY = 200,	   /* this terminal has no telephone key */
	PHONE_E_KEY_UNSAFE = 201,  /* its file is not root's alone */
	PHONE_E_KEY_DAMAGED = 202, /* it is no such file */
	PHONE_E_KEY_OTHER = 203,   /* it is another terminal's */
	PHONE_E_STORE = 204,	   /* no exception can be kept now: exceptions_state() says why */
	PHONE_E_NO_DEVICE = 205,   /* the wish names no device: a challenge carries a fingerprint */
	PHONE_E_PERIOD = 206,	   /* no period that codes carry, or a begin or end of its own */
	PHONE_E_MANY = 207,	   /* too many challenges in a short time */
	PHONE_E_NONE = 208,	   /* no request waits for a code */
	PHONE_E_PERSON = 209,	   /* somebody else has asked */
	/* By core/phonecode.h. */
	PHONE_E_MISHEARD = 210, /* no code: does not count */
	PHONE_E_WRONG = 211,	/* counts */
	PHONE_E_WAIT = 212,	/* too soon after a wrong one: seconds, at most 8 */
	PHONE_E_EXPIRED = 213,
	PHONE_E_USED = 214,
	PHONE_E_ATTEMPTS = 215,
	PHONE_E_VERSION = 216, /* the desk's, but of a later version */
	PHONE_E_MANY_TODAY = 217, /* PHONE_TODAY_PERSON or _TERMINAL */
	PHONE_E_KEY_UNOPENED = 218, /* it is there, and this machine could not open it */
};

struct phone;

struct phone_setup {
	struct exceptions *exceptions; /* must outlive it */
	const char *pending_file; /* its directory is made if it is not there */
	const char *key_file;	  /* NULL or "": the service's credential sekimori.telephone, if it has one */
	const char *terminal;	  /* name of this terminal */
	/*
	 * A record for the log; `extra` is taken over. Kinds: "phone-challenge", "phone-refused". Negative: it could not be written; then
	 * no challenge is shown.
	 */
	int (*record)(void *userdata, const char *kind, struct json_object *extra);
	void *userdata;
};

/* Copies the strings and reads the pending file. 0 or -ENOMEM. */
int phone_new(struct phone **phonep, const struct phone_setup *setup);
struct phone *phone_free(struct phone *phone);
DEFINE_CLEANUP(struct phone *, phone_free)

/* Has this terminal a usable key now? Reads the file. */
bool phone_ready(const struct phone *phone);

/*
 * Makes the challenge that is to be read to the help desk. `wish` names device (by fingerprint), class, terminal, person, access and
 * purpose; what it limits further (uses, quota, only encrypted) is kept and limits what the desk grants. `seconds`: 0 or one of
 * phonecode_periods. The actor needs EXCEPTION_ROLE_ASK.
 *
 * 0; PHONE_E_NO_KEY to _MANY; _MANY_TODAY; EXCEPTION_E_ROLE, _UNKNOWN, _LOGIN, and what the import of the shortest period would be refused for now
 * (_INCOMPLETE, _TERMINAL, _MARCH, _NO_POLICY); -errno (the request before may be void then).
 */
int phone_request(struct phone *phone, const struct grant *wish, uint32_t seconds,
		  const struct exception_actor *actor, char challenge[static PHONECODE_CHALLENGE_MAX]);

/*
 * Takes a code as somebody typed it. 0, and *after is the exception, imported and by that approved: requested by whoever asked, and the
 * step taken by whoever typed; PHONE_E_…; EXCEPTION_E_… if the
 * policy forbids what the desk granted (the code is spent then); EXCEPTIONSTORE_E_…; -errno. By whoever asked, or root.
 */
int phone_answer(struct phone *phone, const char *code, const struct exception_actor *actor, struct exception *after);

/*
 * The clock of exceptions was set back (exceptions_reset_clock(), which refuses while a code is awaited): the last request's hour must
 * not come a second time.
 */
void phone_clock_reset(struct phone *phone);

/* A code of core/reason.h; *detail: a sentence, or "". Also for what exceptions_error() knows. */
const char *phone_error(int r, const char **detail);
