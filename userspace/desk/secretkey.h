/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signing keys in minisign's format (core/minisign.h has the public side). A secret key file is one
 * comment line and the base64 of
 *
 *	"Ed" "Sc" "B2", salt (32), opslimit (u64 LE), memlimit (u64 LE), and 104 bytes: key id (8),
 *	Ed25519 secret key (64), BLAKE2b-256 of "Ed", key id, secret key (32); these XORed with
 *	scryptsalsa208sha256(passphrase, salt, opslimit, memlimit)
 *
 * Pure but for random bytes; takes a second and up to a gigabyte, as minisign does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "desk/keys.h"

#define SECRETKEY_FILE_MAX 1024
#define SECRETKEY_PUBLIC_MAX 64 /* "RW…" and a NUL */
/* Longest trusted comment that is written, with NUL: it is shown in one line of a log. */
#define SECRETKEY_COMMENT_MAX 256

enum {
	SECRETKEY_E_FORM = 1,       /* not such a file */
	SECRETKEY_E_PASSPHRASE = 2, /* wrong passphrase, or damaged */
};

/* A fresh key. */
int secretkey_generate(struct signing_key *key);

/*
 * The file's text. `quick`: the least work that scrypt takes, else as minisign does. Negative
 * errno.
 */
int secretkey_format(const struct signing_key *key, const char *passphrase, bool quick,
		     char out[static SECRETKEY_FILE_MAX]);
int secretkey_parse(const char *text, size_t len, const char *passphrase, struct signing_key *key);

/* "RW…", the second line of a .pub file. */
void secretkey_public(const struct signing_key *key, char out[static SECRETKEY_PUBLIC_MAX]);

/* A signature file over the data, prehashed ("ED"); returns its length. `comment` is safe text. */
size_t secretkey_sign(const struct signing_key *key, const void *data, size_t len,
		      const char *comment, char out[static MINISIGN_FILE_MAX]);
