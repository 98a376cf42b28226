/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom this terminal believes: public keys with roles, and how many of them must have signed. The
 * statements come from the files of /etc/sekimori/trust.d (docs/signing.md), in core/lex.h's form:
 *
 *   key ROLE "RW…" [name "who"]      a minisign public key; once, with one role
 *   require N of ROLE…               N different keys of these roles; a role stands in one at most
 *
 * Without any `require`, one signature of any key is enough. Roles are words [a-z][a-z0-9-]*, at
 * most 32 bytes. Keys whose role stands in no `require` are known but do not count.
 *
 * Several texts make one set: trust_add() for each, then trust_finish(), which judges them
 * together. A set with any error, or one that is not finished, verifies nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lex.h"
#include "core/minisign.h"

#define TRUST_ROLE_MAX 33  /* with NUL */
#define TRUST_NAME_MAX 128 /* bytes with NUL: a line of status output */
#define TRUST_COMMENT_MAX 256
#define TRUST_KEYS_MAX 64
#define TRUST_REQUIREMENTS_MAX 16
/* Signatures of one message. Each costs two verifications. */
#define TRUST_SIGNATURES_MAX 16

enum {
	TRUST_E_LACKING = 1, /* too few signatures */
};

/* Why a signature does not count, beside MINISIGN_E_…; numbers follow on those. */
enum {
	TRUST_E_UNKNOWN_KEY = 64, /* its key is not in the set */
	TRUST_E_TWICE = 65,       /* valid, but its key has signed already */
};

struct trust;

/* 0 or -ENOMEM. */
int trust_new(struct trust **trustp);
struct trust *trust_free(struct trust *trust);
DEFINE_CLEANUP(struct trust *, trust_free)

/*
 * Adds one text. 0, -EINVAL after its errors were reported, -ENOMEM. After -EINVAL the next texts
 * can still be added, so that all errors are seen. `file` and `text` are copied where needed.
 */
int trust_add(struct trust *trust, const char *file, const char *text, size_t len,
	      lex_error_fn error, void *userdata);

/*
 * Judges all texts together: -EINVAL if this or an earlier step reported an error; also when texts
 * were added but none has a key. A set without texts is complete, and empty.
 */
int trust_finish(struct trust *trust, lex_error_fn error, void *userdata);

size_t trust_n_keys(const struct trust *trust);

/* Is it one of the set's? */
bool trust_has_key(const struct trust *trust, const struct minisign_key *key);

/* A signature file as it was read. */
struct trust_signature {
	const char *text; /* not owned */
	size_t len;
};

/* What became of one signature. Key fields are set once the file could be read. */
struct trust_verdict {
	int code; /* 0 valid; MINISIGN_E_… or TRUST_E_… */
	char key_id[MINISIGN_ID_TEXT_MAX];
	char role[TRUST_ROLE_MAX];       /* "" for an unknown key */
	char name[TRUST_NAME_MAX];       /* the key's id if it has no name; "" for an unknown key */
	char comment[TRUST_COMMENT_MAX]; /* trusted comment, cut to fit; only with code 0 */
};

/* A requirement that is not met. */
struct trust_lack {
	char roles[256]; /* separated by blanks, cut to fit; "" means any role */
	unsigned int needed;
	unsigned int valid;
};

struct trust_result {
	bool is_satisfied;
	size_t n_verdicts; /* as many as signatures were given, in their order */
	struct trust_verdict verdicts[TRUST_SIGNATURES_MAX];
	size_t n_lacks;
	struct trust_lack lacks[TRUST_REQUIREMENTS_MAX];
};

/*
 * Verifies n signatures of a message. 0 if every requirement is met by different keys, else
 * TRUST_E_LACKING; *result says which and why. -EINVAL for a set that is unfinished or empty, or
 * more than TRUST_SIGNATURES_MAX signatures.
 */
int trust_check(const struct trust *trust, const void *data, size_t len,
		const struct trust_signature *signatures, size_t n, struct trust_result *result);

/* What a verdict's code means: one line without a full stop. */
const char *trust_error(int code);
