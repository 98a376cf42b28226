// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "core/device-class-name.h"
#include "core/grantfile.h"
#include "core/grantset.h"
#include "core/purse.h"
#include "core/text.h"
#include "daemon/json.h"
#include "daemon/phone.h"
#include "daemon/phonekey.h"
#include "daemon/phonepending.h"

#define SECOND_US 1000000ull

_Static_assert(PHONE_TODAY_TERMINAL <= PHONEPENDING_TODAY_MAX, "each of them is remembered");

static const struct purse_size requests_size = { .coins = PHONE_REQUESTS_BURST, .refill_us = PHONE_REQUESTS_EVERY_S * SECOND_US };
/* Refusals that do not count against a challenge can come without end: not each is a record of its own. */
static const struct purse_size refusals_size = { .coins = 10, .refill_us = 30 * SECOND_US };

struct phone {
	char *pending_file, *key_file, *terminal;
	int (*record)(void *userdata, const char *kind, struct json_object *extra);
	void *userdata;
	struct exceptions *exceptions;
	struct phonepending pending; /* as it is in the file */
	struct purse requests, refusals;
	unsigned int untold; /* refusals since the last record of one */
};

/* --- codes ----------------------------------------------------------------------------------- */

static const char *const codes[] = {
	[PHONE_E_NO_KEY - PHONE_E_NO_KEY] = "phone-no-key",
	[PHONE_E_KEY_UNSAFE - PHONE_E_NO_KEY] = "phone-key-unsafe",
	[PHONE_E_KEY_DAMAGED - PHONE_E_NO_KEY] = "phone-key-damaged",
	[PHONE_E_KEY_OTHER - PHONE_E_NO_KEY] = "phone-key-other-terminal",
	[PHONE_E_STORE - PHONE_E_NO_KEY] = "exception-store",
	[PHONE_E_NO_DEVICE - PHONE_E_NO_KEY] = "phone-no-device",
	[PHONE_E_PERIOD - PHONE_E_NO_KEY] = "phone-period",
	[PHONE_E_MANY - PHONE_E_NO_KEY] = "phone-many",
	[PHONE_E_NONE - PHONE_E_NO_KEY] = "phone-none",
	[PHONE_E_PERSON - PHONE_E_NO_KEY] = "phone-other-person",
	[PHONE_E_MISHEARD - PHONE_E_NO_KEY] = "phone-misheard",
	[PHONE_E_WRONG - PHONE_E_NO_KEY] = "phone-wrong",
	[PHONE_E_WAIT - PHONE_E_NO_KEY] = "phone-wait",
	[PHONE_E_EXPIRED - PHONE_E_NO_KEY] = "phone-expired",
	[PHONE_E_USED - PHONE_E_NO_KEY] = "phone-used",
	[PHONE_E_ATTEMPTS - PHONE_E_NO_KEY] = "phone-attempts",
	[PHONE_E_VERSION - PHONE_E_NO_KEY] = "phone-version",
	[PHONE_E_MANY_TODAY - PHONE_E_NO_KEY] = "phone-many-today",
	[PHONE_E_KEY_UNOPENED - PHONE_E_NO_KEY] = "phone-key-unopened",
};

const char *phone_error(int r, const char **detail)
{
	if (r < PHONE_E_NO_KEY || (size_t)(r - PHONE_E_NO_KEY) >= ARRAY_SIZE(codes))
		return exceptions_error(r, detail);
	*detail = "";
	return codes[r - PHONE_E_NO_KEY];
}

static int code_error(int r)
{
	static const int errors[] = {
		[PHONECODE_E_SYMBOL] = PHONE_E_MISHEARD,    [PHONECODE_E_LENGTH] = PHONE_E_MISHEARD,
		[PHONECODE_E_CHECK] = PHONE_E_MISHEARD,	    [PHONECODE_E_VERSION] = PHONE_E_VERSION,
		[PHONECODE_E_VALUE] = PHONE_E_VERSION,	    [PHONECODE_E_WRONG] = PHONE_E_WRONG,
		[PHONECODE_E_WAIT] = PHONE_E_WAIT,	    [PHONECODE_E_EXPIRED] = PHONE_E_EXPIRED,
		[PHONECODE_E_USED] = PHONE_E_USED,	    [PHONECODE_E_ATTEMPTS] = PHONE_E_ATTEMPTS,
	};

	return r > 0 && (size_t)r < ARRAY_SIZE(errors) ? errors[r] : r;
}

static int load_key(const struct phone *phone, struct terminalkey **keyp)
{
	static const int errors[] = {
		[PHONEKEY_E_ABSENT] = PHONE_E_NO_KEY,
		[PHONEKEY_E_UNSAFE] = PHONE_E_KEY_UNSAFE,
		[PHONEKEY_E_DAMAGED] = PHONE_E_KEY_DAMAGED,
		[PHONEKEY_E_OTHER] = PHONE_E_KEY_OTHER,
		[PHONEKEY_E_UNOPENED] = PHONE_E_KEY_UNOPENED,
	};
	int r = phonekey_load(phone->key_file, phone->terminal, keyp);

	return r > 0 ? errors[r] : r;
}

/* --- life ------------------------------------------------------------------------------------ */

/* While a request waits, its hour runs by a clock whose mark is on the disk. */
static int watch_clock(const struct phone *phone)
{
	bool waits = (phone->pending.stage == PHONEPENDING_WAITING || phone->pending.stage == PHONEPENDING_ACCEPTED) &&
		     phone->pending.code.asked <= exceptions_now(phone->exceptions);

	return exceptions_watch_clock(phone->exceptions, waits ? phone->pending.code.asked + PHONECODE_VALID_S : 0);
}

int phone_new(struct phone **phonep, const struct phone_setup *setup)
{
	struct phone *phone = calloc(1, sizeof(*phone));

	if (!phone)
		return -ENOMEM;
	phone->pending_file = strdup(setup->pending_file);
	phone->key_file = strdup(setup->key_file ? setup->key_file : "");
	phone->terminal = strdup(setup->terminal);
	phone->exceptions = setup->exceptions;
	phone->record = setup->record;
	phone->userdata = setup->userdata;
	if (!phone->pending_file || !phone->key_file || !phone->terminal) {
		phone_free(phone);
		return -ENOMEM;
	}
	if (phonepending_read(phone->pending_file, &phone->pending))
		fprintf(stderr, SD_WARNING "%s: no request by telephone waits; the next one makes the file anew\n",
			phone->pending_file);
	/* A store that cannot be used lets no code in; the mark is kept as soon as it can be. */
	watch_clock(phone);
	*phonep = phone;
	return 0;
}

struct phone *phone_free(struct phone *phone)
{
	if (phone) {
		free(phone->pending_file);
		free(phone->key_file);
		free(phone->terminal);
		free(phone);
	}
	return NULL;
}

bool phone_ready(const struct phone *phone)
{
	_cleanup_(phonekey_freep) struct terminalkey *key = NULL;

	return !load_key(phone, &key);
}

/* --- records --------------------------------------------------------------------------------- */

static void add_actor(struct json_object *extra, const struct exception_actor *actor)
{
	json_add_string(extra, "by", actor->who.name);
	if (actor->who.uid != UINT32_MAX)
		json_add_number(extra, "by_uid", actor->who.uid);
	if (*actor->user.name)
		json_add_number(extra, "user_uid", actor->user.uid);
	if (actor->login == EXCEPTION_LOGIN_OWN || actor->login == EXCEPTION_LOGIN_OTHER)
		json_add_number(extra, "login_uid", actor->login_uid);
	if (actor->session && *actor->session)
		json_add_string(extra, "session", actor->session);
}

static void add_text(struct json_object *extra, const char *key, const char *text)
{
	if (*text)
		json_add_string(extra, key, text);
}

static void add_wish(struct json_object *extra, const struct grant *wish)
{
	json_add_string(extra, "person", wish->person);
	if (wish->uid != UINT32_MAX)
		json_add_number(extra, "person_uid", wish->uid);
	json_add_string(extra, "fingerprint", wish->fingerprint);
	add_text(extra, "medium", wish->medium);
	json_add_string(extra, "class", device_class_name(wish->class));
	json_add_string(extra, "access", wish->access == GRANT_READ_WRITE ? "rw" : "ro");
	json_object_object_add(extra, "encrypted_only", json_object_new_boolean(wish->encrypted_only));
	json_add_string(extra, "purpose", wish->purpose);
	add_text(extra, "data_class", wish->data_class);
	add_text(extra, "form", wish->form);
}

static int record_challenge(struct phone *phone, const struct phonepending *pending,
			    const struct exception_actor *actor)
{
	struct json_object *extra = json_object_new_object();

	if (!extra)
		return -ENOMEM;
	json_add_string(extra, "challenge", pending->code.challenge.text);
	json_add_string(extra, "terminal", phone->terminal);
	add_wish(extra, &pending->wish);
	if (pending->code.challenge.seconds)
		json_add_number(extra, "period", pending->code.challenge.seconds);
	add_actor(extra, actor);
	return phone->record(phone->userdata, "phone-challenge", extra);
}

/* Never what was typed in: it may be the right code of another request. Returns `refusal`, or -errno. */
static int record_refusal(struct phone *phone, int refusal, int64_t now, const struct exception_actor *actor)
{
	const struct phonecode_pending *code = &phone->pending.code;
	struct json_object *extra;
	const char *detail;
	int r;

	if (refusal != PHONE_E_WRONG && !purse_pay(&phone->refusals, &refusals_size, (uint64_t)now * SECOND_US)) {
		phone->untold++;
		return refusal;
	}
	extra = json_object_new_object();
	if (!extra)
		return -ENOMEM;
	json_add_string(extra, "reason", phone_error(refusal, &detail));
	add_text(extra, "challenge", code->challenge.text);
	json_add_number(extra, "attempts", code->wrong);
	if (phone->untold)
		json_add_number(extra, "untold", phone->untold);
	add_actor(extra, actor);
	r = phone->record(phone->userdata, "phone-refused", extra);
	if (r < 0)
		return r;
	phone->untold = 0;
	return refusal;
}

/* --- asking ---------------------------------------------------------------------------------- */

static int check_actor(const struct exception_actor *actor)
{
	int r = exception_check_login(actor);

	if (r)
		return r;
	return actor->roles & EXCEPTION_ROLE_ASK ? 0 : EXCEPTION_E_ROLE;
}

/* Would the shortest period that the desk can grant be taken? */
static int check_import(const struct phone *phone, const struct grant *wish, const struct exception_actor *actor)
{
	struct exception_actor verified = *actor;

	verified.roles |= EXCEPTION_ROLE_SYSTEM;
	return exceptions_would(phone->exceptions, EXCEPTION_IMPORT, wish, phonecode_periods[1], &verified);
}

/* A code that could not be acted upon would be a telephone call for nothing: all that can be wrong is asked now. */
static int check_wish(const struct phone *phone, const struct grant *wish, uint32_t seconds, int64_t now,
		      const struct exception_actor *actor)
{
	struct grant grant = *wish;

	if (!*wish->fingerprint)
		return PHONE_E_NO_DEVICE;
	if (strcmp(wish->terminal, phone->terminal))
		return EXCEPTION_E_TERMINAL;
	if (wish->not_before > now || wish->not_after || wish->seconds || (seconds && !phonecode_period(seconds)))
		return PHONE_E_PERIOD;
	grant.medium[0] = '\0';
	grant.not_before = now;
	grant.not_after = now + (seconds ? seconds : 1);
	if (!grantfile_ok(&grant) || !text_is_safe(wish->medium))
		return EXCEPTION_E_INCOMPLETE;
	return check_import(phone, wish, actor);
}

/* Also over restarts of the terminal: whoever hoards answers waits for their nonces (docs/telephone-code.md, Ask beforehand). */
static int check_today(const struct phonepending *pending, const struct exception_person *who, int64_t now)
{
	return phonepending_today(pending, now, UINT32_MAX) >= PHONE_TODAY_TERMINAL ||
			       phonepending_today(pending, now, who->uid) >= PHONE_TODAY_PERSON ?
		       PHONE_E_MANY_TODAY :
		       0;
}

static int make_pending(struct phonepending *next, const struct grant *wish, uint32_t seconds,
			const struct exception_person *requester, int64_t now)
{
	uint32_t nonce = phonepending_make(next, now, requester->uid);

	next->stage = PHONEPENDING_WAITING;
	next->code = (struct phonecode_pending){ .asked = now };
	next->wish = *wish;
	next->requester = *requester;
	return phonecode_challenge(&next->code.challenge, wish->class, wish->access, seconds, wish->fingerprint,
				   wish->terminal, nonce);
}

int phone_request(struct phone *phone, const struct grant *wish, uint32_t seconds,
		  const struct exception_actor *actor, char challenge[static PHONECODE_CHALLENGE_MAX])
{
	_cleanup_(phonekey_freep) struct terminalkey *key = NULL;
	_cleanup_(freep) struct phonepending *next = malloc(sizeof(*next));
	int64_t now = exceptions_now(phone->exceptions);
	int r = next ? check_actor(actor) : -ENOMEM;

	if (!r)
		r = load_key(phone, &key);
	if (!r && strcmp(exceptions_state(phone->exceptions), "ok"))
		r = PHONE_E_STORE;
	if (!r)
		r = check_wish(phone, wish, seconds, now, actor);
	if (!r)
		r = check_today(&phone->pending, &actor->who, now);
	if (!r && !purse_pay(&phone->requests, &requests_size, (uint64_t)now * SECOND_US))
		r = PHONE_E_MANY;
	if (r)
		return r;
	*next = phone->pending;
	r = make_pending(next, wish, seconds, &actor->who, now);
	/* Its moment first: a terminal that loses its power, or its time, in this hour must know that it has begun. */
	if (!r)
		r = exceptions_watch_clock(phone->exceptions, now + PHONECODE_VALID_S);
	if (!r)
		r = phonepending_keep(phone->pending_file, next);
	if (r)
		return r;
	/* From here on the file holds it: what is shown and what is kept must not differ. */
	phone->pending = *next;
	r = record_challenge(phone, next, actor);
	if (!r)
		memcpy(challenge, next->code.challenge.text, PHONECODE_CHALLENGE_MAX);
	return r;
}

/* --- answering ------------------------------------------------------------------------------- */

/* The stage goes on. What cannot be kept is still so in memory. */
static int go_on(struct phone *phone, enum phonepending_stage stage)
{
	phone->pending.stage = stage;
	phone->pending.code.used = stage > PHONEPENDING_WAITING;
	return phonepending_keep(phone->pending_file, &phone->pending);
}

/*
 * Looks at the code: 0 and *terms, or why not. A wrong one counts before anybody learns that it is wrong. A code whose grant did not come
 * to be stored is looked at again.
 */
static int look_at(struct phone *phone, const struct terminalkey *key, const char *typed, int64_t now,
		   struct phonecode_terms *terms)
{
	struct phonecode_pending *code = &phone->pending.code;
	unsigned int wrong = code->wrong;
	int r, kept = 0;

	/* Nobody knows how long the terminal was off since then. */
	if (phone->pending.stage != PHONEPENDING_DONE && code->asked < exceptions_void_before(phone->exceptions))
		return PHONE_E_EXPIRED;
	code->used = phone->pending.stage == PHONEPENDING_DONE;
	r = phonecode_accept(key->key, code, typed, now, terms);
	code->used = phone->pending.stage > PHONEPENDING_WAITING;
	if (code->wrong != wrong)
		kept = phonepending_keep(phone->pending_file, &phone->pending);
	return kept ? kept : code_error(r);
}

/* What the desk grants, within what the wish allows. */
static void fill_grant(const struct phone *phone, const struct phonecode_terms *terms, int64_t now, struct grant *grant)
{
	const struct grant *wish = &phone->pending.wish;

	*grant = *wish;
	phonecode_terms_grant(terms, now, grant);
	/* By its length, so that the end of the fiscal year cuts it, as it does every length (docs/exceptions.md). */
	grant->not_after = 0;
	grant->encrypted_only |= wish->encrypted_only;
	if (wish->uses && (!grant->uses || grant->uses > wish->uses))
		grant->uses = wish->uses;
}

/* Was this the last word? Not where the store could not be written or read, or no policy is in force: then the code is as good as before. */
static bool is_settled(int r)
{
	return !r || r == EXCEPTIONSTORE_E_USED || (r > 0 && r < N_EXCEPTION_ERRORS && r != EXCEPTION_E_NO_POLICY);
}

/* The code is accepted; now the store has it, or refuses it for good, or cannot say yet. */
static int act(struct phone *phone, const struct phonecode_terms *terms, int64_t now,
	       const struct exception_actor *actor, struct exception *after)
{
	struct exception_actor verified = *actor;
	char note[PHONECODE_CHALLENGE_MAX + 4];
	struct grant grant;
	int r;

	r = go_on(phone, PHONEPENDING_ACCEPTED);
	if (r) {
		phone->pending.stage = PHONEPENDING_WAITING;
		phone->pending.code.used = false;
		return r;
	}
	fill_grant(phone, terms, now, &grant);
	snprintf(note, sizeof(note), "TEL %s", phone->pending.code.challenge.text);
	verified.roles |= EXCEPTION_ROLE_SYSTEM;
	r = exceptions_submit_of(phone->exceptions, EXCEPTION_IMPORT, &grant, terms->seconds, note,
				 &phone->pending.requester, &verified, after);
	if (is_settled(r) && go_on(phone, PHONEPENDING_DONE))
		fprintf(stderr, SD_WARNING "%s cannot be written; the code is spent all the same\n", phone->pending_file);
	return r == EXCEPTIONSTORE_E_USED ? PHONE_E_USED : r;
}

void phone_clock_reset(struct phone *phone)
{
	if (phone->pending.stage != PHONEPENDING_NONE && go_on(phone, PHONEPENDING_DONE))
		fprintf(stderr, SD_WARNING "%s cannot be written; its request is void all the same\n", phone->pending_file);
	watch_clock(phone);
}

int phone_answer(struct phone *phone, const char *code, const struct exception_actor *actor, struct exception *after)
{
	_cleanup_(phonekey_freep) struct terminalkey *key = NULL;
	int64_t now = exceptions_now(phone->exceptions);
	struct phonecode_terms terms;
	int r = exception_check_login(actor);

	if (r)
		return r;
	if (phone->pending.stage == PHONEPENDING_NONE)
		r = PHONE_E_NONE;
	else if (strcmp(exceptions_state(phone->exceptions), "ok"))
		r = PHONE_E_STORE;
	else if (actor->who.uid && (actor->who.uid != phone->pending.requester.uid || actor->who.uid == UINT32_MAX))
		r = PHONE_E_PERSON;
	if (!r)
		r = load_key(phone, &key);
	if (!r)
		r = look_at(phone, key, code, now, &terms);
	if (!r)
		r = act(phone, &terms, now, actor, after);
	/* Not for each code: keeping the mark waits for the disk. */
	if (phone->pending.stage == PHONEPENDING_DONE)
		watch_clock(phone);
	/* What the exceptions refuse, they record. */
	return r >= PHONE_E_NO_KEY ? record_refusal(phone, r, now, actor) : r;
}
