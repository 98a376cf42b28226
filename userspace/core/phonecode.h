/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An exception by telephone: a terminal without a network shows a challenge, the person reads it to the help desk, the desk
 * answers with a code that only it and this terminal can compute. docs/telephone-code.md is the specification, with the
 * security argument and test vectors.
 *
 *	challenge  15 symbols and a check symbol (core/crockford.h), 75 bits, most significant first:
 *	           version 3, device class 5, access asked for 1, period asked for 4, fingerprint 20, terminal 16,
 *	           nonce 26
 *	answer     19 symbols and a check symbol, 95 bits: access 1, period 4, uses 2, MAC 88
 *
 * The MAC is HMAC-SHA-256 with the terminal's key (core/terminalkey.h) over "sekimori telephone answer 1", the 15 values
 * of the challenge, and one octet each for access, period and uses; its first 11 octets.
 *
 * Pure: randomness and time come as arguments. Time is seconds of a clock that does not go back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crockford.h"
#include "core/grant.h"
#include "core/terminalkey.h"

#define PHONECODE_VERSION 1
#define PHONECODE_CHALLENGE_SYMBOLS 15
#define PHONECODE_ANSWER_SYMBOLS 19
#define PHONECODE_CHALLENGE_MAX CROCKFORD_TEXT_MAX(PHONECODE_CHALLENGE_SYMBOLS)
#define PHONECODE_ANSWER_MAX CROCKFORD_TEXT_MAX(PHONECODE_ANSWER_SYMBOLS)

#define PHONECODE_NONCE_BITS 26
#define PHONECODE_USES_MAX 3
/* How long an answer is taken after its challenge was made. */
#define PHONECODE_VALID_S 3600
/* Wrong answers to one challenge: after the last one it is dead. */
#define PHONECODE_WRONG_MAX 5

enum {
	PHONECODE_E_SYMBOL = CROCKFORD_E_SYMBOL,
	PHONECODE_E_LENGTH = CROCKFORD_E_LENGTH,
	PHONECODE_E_CHECK = CROCKFORD_E_CHECK,
	PHONECODE_E_VERSION = 4,  /* a challenge of a later version of this program */
	PHONECODE_E_VALUE = 5,	  /* a class or a period that none has */
	PHONECODE_E_WRONG = 6,	  /* not the desk's answer to this challenge by this terminal; it counts */
	PHONECODE_E_WAIT = 7,	  /* too soon after a wrong one */
	PHONECODE_E_EXPIRED = 8,  /* its hour is over */
	PHONECODE_E_USED = 9,	  /* it was answered already */
	PHONECODE_E_ATTEMPTS = 10, /* too many wrong ones: make another challenge */
};

/* What a positive code means, marked for translation: one line, with what to do. */
const char *phonecode_error(int code);

/*
 * The periods that can be granted, in seconds, in ascending order; their numbers in codes count from 1 and never
 * change. [0] is 0.
 */
#define PHONECODE_PERIODS 16
extern const uint32_t phonecode_periods[PHONECODE_PERIODS];

/* The number of a period; 0 if there is none of that length. */
unsigned int phonecode_period(uint32_t seconds);

/* --- challenges ------------------------------------------------------------------------------ */

struct phonecode_challenge {
	enum device_class class;
	enum grant_access access; /* asked for */
	uint32_t seconds;	  /* asked for; 0: not said */
	uint32_t fingerprint;	  /* phonecode_fingerprint() */
	uint16_t terminal;	  /* phonecode_terminal() */
	uint32_t nonce;
	char text[PHONECODE_CHALLENGE_MAX]; /* as it is shown */
};

/* The first 20 bits of a device's fingerprint, as its first five digits show them; -EINVAL if it is no fingerprint. */
int phonecode_fingerprint(const char *fingerprint, uint32_t *out);

/* The first 16 bits of BLAKE2b-256 over "sekimori terminal 1" and the name. */
uint16_t phonecode_terminal(const char *name);

/*
 * For the terminal. `seconds` is 0 or one of the periods. `nonce`: one that nobody can foretell, and none of an earlier
 * request (core/phonenonce.h); its low PHONECODE_NONCE_BITS count. 0, or -EINVAL for values that no challenge holds.
 */
int phonecode_challenge(struct phonecode_challenge *challenge, enum device_class class, enum grant_access access,
			uint32_t seconds, const char *fingerprint, const char *terminal, uint32_t nonce);

/* For the desk. 0, PHONECODE_E_SYMBOL, _LENGTH, _CHECK, _VERSION, _VALUE. */
int phonecode_challenge_parse(const char *text, struct phonecode_challenge *challenge);

/* --- answers --------------------------------------------------------------------------------- */

/* What the desk grants. */
struct phonecode_terms {
	enum grant_access access;
	uint32_t seconds;    /* from when the terminal takes the code; one of the periods */
	unsigned int uses;   /* attaches, 1 to PHONECODE_USES_MAX; 0: any number */
	enum device_class class; /* the challenge's */
	bool encrypted_only; /* it was asked for an encrypted medium: the grant does not outlive the encryption */
	uint8_t id[16];	     /* of the grant, from the challenge: the same at the desk and on the terminal */
};

/*
 * For the desk: `terms` with access, seconds and uses filled; the rest is filled in. 0 or -EINVAL for values that no
 * answer holds.
 */
int phonecode_answer(const uint8_t key[static TERMINALKEY_SIZE], const struct phonecode_challenge *challenge,
		     struct phonecode_terms *terms, char out[static PHONECODE_ANSWER_MAX]);

/*
 * What the terminal keeps with the one request that waits for a code; to be stored whenever it has changed, and before
 * what was accepted is acted upon.
 */
struct phonecode_pending {
	struct phonecode_challenge challenge;
	int64_t asked; /* when the challenge was made */
	int64_t last;  /* when a wrong code came last */
	unsigned int wrong;
	bool used;
};

/* Seconds until a code is looked at again: 1, 2, 4, 8 after wrong ones (the fifth ends the challenge); 0: now. */
unsigned int phonecode_wait(const struct phonecode_pending *pending, int64_t now);

/*
 * For the terminal. 0 and *terms, once; or PHONECODE_E_SYMBOL, _LENGTH, _CHECK (misheard: does not count), _WRONG
 * (counts), _VALUE (the desk's, but of a later version), _WAIT, _EXPIRED (also when `now` lies before the challenge),
 * _USED, _ATTEMPTS.
 */
int phonecode_accept(const uint8_t key[static TERMINALKEY_SIZE], struct phonecode_pending *pending, const char *code,
		     int64_t now, struct phonecode_terms *terms);

/* Writes the terms into a grant that begins at `now` (UTC); who, where, for what, and the device are the caller's. */
void phonecode_terms_grant(const struct phonecode_terms *terms, int64_t now, struct grant *grant);
