// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>
#include <string.h>

#include "core/hex.h"
#include "core/macro.h"
#include "core/mark-text.h"
#include "core/phonecode.h"

/* The fields, docs/telephone-code.md. */
enum {
	VERSION_BITS = 3,
	CLASS_BITS = 5,
	ACCESS_BITS = 1,
	PERIOD_BITS = 4,
	FINGERPRINT_BITS = 20,
	TERMINAL_BITS = 16,
	USES_BITS = 2,
	MAC_SIZE = 11,
};

#define SYMBOL_BITS 5

_Static_assert(VERSION_BITS + CLASS_BITS + ACCESS_BITS + PERIOD_BITS + FINGERPRINT_BITS + TERMINAL_BITS +
			       PHONECODE_NONCE_BITS ==
		       SYMBOL_BITS * PHONECODE_CHALLENGE_SYMBOLS,
	       "challenge");
_Static_assert(ACCESS_BITS + PERIOD_BITS + USES_BITS + 8 * MAC_SIZE == SYMBOL_BITS * PHONECODE_ANSWER_SYMBOLS, "answer");
_Static_assert(TERMINALKEY_SIZE == crypto_auth_hmacsha256_KEYBYTES, "key");
_Static_assert(N_DEVICE_CLASSES <= 1 << CLASS_BITS, "classes");

static const char fingerprint_prefix[] = "blake2b:";
static const char terminal_domain[] = "sekimori terminal 1";
static const char answer_domain[] = "sekimori telephone answer 1";
static const char grant_domain[] = "sekimori telephone grant 1";

#define MINUTE 60
#define HOUR 3600
#define DAY 86400

const uint32_t phonecode_periods[PHONECODE_PERIODS] = {
	0,	  15 * MINUTE, 30 * MINUTE, HOUR,     90 * MINUTE, 2 * HOUR, 3 * HOUR, 4 * HOUR,
	6 * HOUR, 8 * HOUR,    12 * HOUR,   DAY,      2 * DAY,	   3 * DAY,  4 * DAY,  5 * DAY,
};

static const char *const errors[] = {
	[PHONECODE_E_SYMBOL] = N_("it holds a character that no code has: read it out once more"),
	[PHONECODE_E_LENGTH] = N_("it is too short or too long: read it out once more"),
	[PHONECODE_E_CHECK] = N_("it was mistyped or misheard: read it out once more, group by group"),
	[PHONECODE_E_VERSION] = N_("it was made by a later version of Sekimori: update this one"),
	[PHONECODE_E_VALUE] = N_("it holds a value that this version of Sekimori does not know: update this one"),
	[PHONECODE_E_WRONG] = N_("it is not the help desk's answer to this request on this terminal"),
	[PHONECODE_E_WAIT] = N_("it comes too soon after a wrong one: wait and type it again"),
	[PHONECODE_E_EXPIRED] = N_("its hour is over: make a new request"),
	[PHONECODE_E_USED] = N_("the request was answered already"),
	[PHONECODE_E_ATTEMPTS] = N_("too many wrong codes: make a new request"),
};

const char *phonecode_error(int code)
{
	return code > 0 && (size_t)code < ARRAY_SIZE(errors) ? errors[code] : "";
}

unsigned int phonecode_period(uint32_t seconds)
{
	for (unsigned int i = 1; i < PHONECODE_PERIODS; i++)
		if (phonecode_periods[i] == seconds)
			return i;
	return 0;
}

/* --- challenges ------------------------------------------------------------------------------ */

int phonecode_fingerprint(const char *fingerprint, uint32_t *out)
{
	size_t prefix = sizeof(fingerprint_prefix) - 1;
	uint32_t value = 0;

	if (strncmp(fingerprint, fingerprint_prefix, prefix) || strlen(fingerprint + prefix) != 32)
		return -EINVAL;
	for (size_t i = 0; i < 32; i++) {
		int digit = hex_digit(fingerprint[prefix + i]);

		if (digit < 0)
			return -EINVAL;
		if (i < FINGERPRINT_BITS / 4)
			value = value << 4 | (uint32_t)digit;
	}
	*out = value;
	return 0;
}

uint16_t phonecode_terminal(const char *name)
{
	uint8_t digest[crypto_generichash_BYTES];
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof(digest));
	crypto_generichash_update(&state, (const uint8_t *)terminal_domain, sizeof(terminal_domain) - 1);
	crypto_generichash_update(&state, (const uint8_t *)name, strlen(name));
	crypto_generichash_final(&state, digest, sizeof(digest));
	return (uint16_t)(digest[0] << 8 | digest[1]);
}

int phonecode_challenge(struct phonecode_challenge *challenge, enum device_class class, enum grant_access access,
			uint32_t seconds, const char *fingerprint, const char *terminal, uint32_t nonce)
{
	uint8_t values[PHONECODE_CHALLENGE_SYMBOLS] = { 0 };
	unsigned int period = phonecode_period(seconds);
	size_t bit = 0;

	*challenge = (struct phonecode_challenge){ .class = class,
						   .access = access,
						   .seconds = seconds,
						   .terminal = phonecode_terminal(terminal),
						   .nonce = nonce & ((UINT32_C(1) << PHONECODE_NONCE_BITS) - 1) };
	if ((unsigned int)class >= N_DEVICE_CLASSES || (unsigned int)access > GRANT_READ_WRITE || (seconds && !period) ||
	    phonecode_fingerprint(fingerprint, &challenge->fingerprint))
		return -EINVAL;
	crockford_put(values, &bit, VERSION_BITS, PHONECODE_VERSION);
	crockford_put(values, &bit, CLASS_BITS, class);
	crockford_put(values, &bit, ACCESS_BITS, access);
	crockford_put(values, &bit, PERIOD_BITS, period);
	crockford_put(values, &bit, FINGERPRINT_BITS, challenge->fingerprint);
	crockford_put(values, &bit, TERMINAL_BITS, challenge->terminal);
	crockford_put(values, &bit, PHONECODE_NONCE_BITS, challenge->nonce);
	crockford_format(values, PHONECODE_CHALLENGE_SYMBOLS, challenge->text);
	return 0;
}

int phonecode_challenge_parse(const char *text, struct phonecode_challenge *challenge)
{
	uint8_t values[PHONECODE_CHALLENGE_SYMBOLS];
	size_t bit = 0;
	int r = crockford_parse(text, values, PHONECODE_CHALLENGE_SYMBOLS);

	if (r)
		return r;
	*challenge = (struct phonecode_challenge){ .text = "" };
	if (crockford_get(values, &bit, VERSION_BITS) != PHONECODE_VERSION)
		return PHONECODE_E_VERSION;
	challenge->class = (enum device_class)crockford_get(values, &bit, CLASS_BITS);
	if ((unsigned int)challenge->class >= N_DEVICE_CLASSES)
		return PHONECODE_E_VALUE;
	challenge->access = (enum grant_access)crockford_get(values, &bit, ACCESS_BITS);
	challenge->seconds = phonecode_periods[crockford_get(values, &bit, PERIOD_BITS)];
	challenge->fingerprint = crockford_get(values, &bit, FINGERPRINT_BITS);
	challenge->terminal = (uint16_t)crockford_get(values, &bit, TERMINAL_BITS);
	challenge->nonce = crockford_get(values, &bit, PHONECODE_NONCE_BITS);
	crockford_format(values, PHONECODE_CHALLENGE_SYMBOLS, challenge->text);
	return 0;
}

/* --- answers --------------------------------------------------------------------------------- */

/* The values behind a challenge's text, which this module wrote. */
static void challenge_values(const struct phonecode_challenge *challenge,
			     uint8_t values[static PHONECODE_CHALLENGE_SYMBOLS])
{
	if (crockford_parse(challenge->text, values, PHONECODE_CHALLENGE_SYMBOLS))
		memset(values, 0, PHONECODE_CHALLENGE_SYMBOLS);
}

static void answer_mac(const uint8_t key[static TERMINALKEY_SIZE], const struct phonecode_challenge *challenge,
		       unsigned int access, unsigned int period, unsigned int uses, uint8_t mac[static MAC_SIZE])
{
	const uint8_t parameters[] = { (uint8_t)access, (uint8_t)period, (uint8_t)uses };
	uint8_t values[PHONECODE_CHALLENGE_SYMBOLS], whole[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;

	challenge_values(challenge, values);
	crypto_auth_hmacsha256_init(&state, key, TERMINALKEY_SIZE);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)answer_domain, sizeof(answer_domain) - 1);
	crypto_auth_hmacsha256_update(&state, values, sizeof(values));
	crypto_auth_hmacsha256_update(&state, parameters, sizeof(parameters));
	crypto_auth_hmacsha256_final(&state, whole);
	sodium_memzero(&state, sizeof(state));
	memcpy(mac, whole, MAC_SIZE);
	sodium_memzero(whole, sizeof(whole));
}

/* What follows from the challenge alone. */
static void terms_complete(struct phonecode_terms *terms, const struct phonecode_challenge *challenge)
{
	uint8_t values[PHONECODE_CHALLENGE_SYMBOLS];
	crypto_generichash_state state;

	challenge_values(challenge, values);
	crypto_generichash_init(&state, NULL, 0, sizeof(terms->id));
	crypto_generichash_update(&state, (const uint8_t *)grant_domain, sizeof(grant_domain) - 1);
	crypto_generichash_update(&state, values, sizeof(values));
	crypto_generichash_final(&state, terms->id, sizeof(terms->id));
	terms->class = challenge->class;
	terms->encrypted_only = challenge->class == DEVICE_CLASS_STORAGE_ENCRYPTED;
}

int phonecode_answer(const uint8_t key[static TERMINALKEY_SIZE], const struct phonecode_challenge *challenge,
		     struct phonecode_terms *terms, char out[static PHONECODE_ANSWER_MAX])
{
	uint8_t values[PHONECODE_ANSWER_SYMBOLS] = { 0 }, mac[MAC_SIZE];
	unsigned int period = phonecode_period(terms->seconds);
	size_t bit = 0;

	if (!period || (unsigned int)terms->access > GRANT_READ_WRITE || terms->uses > PHONECODE_USES_MAX)
		return -EINVAL;
	terms_complete(terms, challenge);
	answer_mac(key, challenge, terms->access, period, terms->uses, mac);
	crockford_put(values, &bit, ACCESS_BITS, terms->access);
	crockford_put(values, &bit, PERIOD_BITS, period);
	crockford_put(values, &bit, USES_BITS, terms->uses);
	for (size_t i = 0; i < MAC_SIZE; i++)
		crockford_put(values, &bit, 8, mac[i]);
	crockford_format(values, PHONECODE_ANSWER_SYMBOLS, out);
	sodium_memzero(values, sizeof(values));
	sodium_memzero(mac, sizeof(mac));
	return 0;
}

unsigned int phonecode_wait(const struct phonecode_pending *pending, int64_t now)
{
	unsigned int seconds = 1;

	if (!pending->wrong)
		return 0;
	for (unsigned int i = 1; i < pending->wrong && i < PHONECODE_WRONG_MAX; i++)
		seconds *= 2;
	/* A clock that an administrator has set back does not end the wait; the challenge's own time ends it then. */
	if (now < pending->last)
		return seconds;
	return now - pending->last >= seconds ? 0 : seconds - (unsigned int)(now - pending->last);
}

int phonecode_accept(const uint8_t key[static TERMINALKEY_SIZE], struct phonecode_pending *pending, const char *code,
		     int64_t now, struct phonecode_terms *terms)
{
	uint8_t values[PHONECODE_ANSWER_SYMBOLS], given[MAC_SIZE], mac[MAC_SIZE];
	unsigned int access, period, uses;
	size_t bit = 0;
	int r;

	if (pending->used)
		return PHONECODE_E_USED;
	if (now < pending->asked || now - pending->asked >= PHONECODE_VALID_S)
		return PHONECODE_E_EXPIRED;
	if (pending->wrong >= PHONECODE_WRONG_MAX)
		return PHONECODE_E_ATTEMPTS;
	if (phonecode_wait(pending, now))
		return PHONECODE_E_WAIT;
	r = crockford_parse(code, values, PHONECODE_ANSWER_SYMBOLS);
	if (r)
		return r;
	access = crockford_get(values, &bit, ACCESS_BITS);
	period = crockford_get(values, &bit, PERIOD_BITS);
	uses = crockford_get(values, &bit, USES_BITS);
	for (size_t i = 0; i < MAC_SIZE; i++)
		given[i] = (uint8_t)crockford_get(values, &bit, 8);
	answer_mac(key, &pending->challenge, access, period, uses, mac);
	r = sodium_memcmp(given, mac, MAC_SIZE);
	sodium_memzero(mac, sizeof(mac));
	if (r) {
		pending->wrong++;
		pending->last = now;
		return PHONECODE_E_WRONG;
	}
	if (!period)
		return PHONECODE_E_VALUE;
	pending->used = true;
	*terms = (struct phonecode_terms){ .access = (enum grant_access)access,
					   .seconds = phonecode_periods[period],
					   .uses = uses };
	terms_complete(terms, &pending->challenge);
	return 0;
}

void phonecode_terms_grant(const struct phonecode_terms *terms, int64_t now, struct grant *grant)
{
	memcpy(grant->id, terms->id, sizeof(grant->id));
	grant->class = terms->class;
	grant->access = terms->access;
	grant->encrypted_only = terms->encrypted_only;
	grant->not_before = now;
	grant->not_after = now + terms->seconds;
	grant->seconds = 0;
	grant->uses = terms->uses;
}
