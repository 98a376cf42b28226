/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures in the format of minisign(1), so that whoever doubts this program can verify the same
 * files with that one. Nothing here touches a file: keys, signature texts and messages are bytes in
 * memory, and all of them may be hostile.
 *
 *   public key   base64 of "Ed", 8 bytes of key id, 32 bytes of Ed25519 key
 *   .minisig     untrusted comment: TEXT
 *                base64 of ALGORITHM, 8 bytes of key id, 64 bytes of signature
 *                trusted comment: TEXT
 *                base64 of a signature over the 64 bytes and TEXT
 *
 * ALGORITHM is "Ed" for a signature over the file, "ED" for one over its BLAKE2b-512. Lines end
 * with LF or CR LF. The untrusted comment is protected by nothing and is dropped. Where minisign
 * reads no further than the fourth line, a text that goes on is refused here: it looks like two
 * signatures.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/macro.h"

#define MINISIGN_ID_SIZE 8
#define MINISIGN_KEY_SIZE 32
#define MINISIGN_SIGNATURE_SIZE 64
#define MINISIGN_HASH_SIZE 64

/* 16 hexadecimal digits and a NUL: the id as minisign prints it, most significant byte first. */
#define MINISIGN_ID_TEXT_MAX 17
/* The longest trusted comment that minisign itself reads (8191 bytes less prefix and LF), and a
 * NUL. */
#define MINISIGN_COMMENT_MAX 8174
/* No .minisig is longer: four lines at minisign's own limits. */
#define MINISIGN_FILE_MAX 10240

enum {
	MINISIGN_E_KEY = 1,       /* not a public key */
	MINISIGN_E_FORM = 2,      /* not the four lines of a signature file */
	MINISIGN_E_BASE64 = 3,    /* a signature line is not base64 of the right length */
	MINISIGN_E_ALGORITHM = 4, /* signed by a method other than "Ed" and "ED" */
	MINISIGN_E_COMMENT = 5,   /* trusted comment too long, not UTF-8, or with controls */
	MINISIGN_E_OTHER_KEY = 6, /* made by a key with another id */
	MINISIGN_E_SIGNATURE = 7, /* the signature is not one of this message */
	MINISIGN_E_COMMENT_SIGNATURE = 8, /* the trusted comment is not the one that was signed */
};

struct minisign_key {
	uint8_t id[MINISIGN_ID_SIZE];
	uint8_t key[MINISIGN_KEY_SIZE];
};

struct minisign_signature {
	bool prehashed; /* "ED" */
	uint8_t id[MINISIGN_ID_SIZE];
	uint8_t signature[MINISIGN_SIGNATURE_SIZE];
	uint8_t comment_signature[MINISIGN_SIGNATURE_SIZE];
	size_t comment_len;
	char comment[MINISIGN_COMMENT_MAX]; /* trusted once verified; UTF-8, NUL-terminated */
};

/* The bytes that were signed, hashed once for any number of signatures. */
struct minisign_message {
	const void *data; /* not owned */
	size_t len;
	uint8_t hash[MINISIGN_HASH_SIZE];
};

/* Reads "RW…". 0 or MINISIGN_E_KEY, also for 32 bytes that are no point of the curve. */
int minisign_key_parse(const char *text, size_t len, struct minisign_key *key);

/* Reads a signature file. 0 or MINISIGN_E_FORM, _BASE64, _ALGORITHM, _COMMENT; *signature is then
 * undefined. */
int minisign_signature_parse(const char *text, size_t len, struct minisign_signature *signature);

void minisign_message_init(struct minisign_message *message, const void *data, size_t len);

/* 0 if key made this signature over the message; MINISIGN_E_OTHER_KEY, _SIGNATURE,
 * _COMMENT_SIGNATURE. */
int minisign_verify(const struct minisign_key *key, const struct minisign_signature *signature,
		    const struct minisign_message *message);

void minisign_id_format(const uint8_t id[static MINISIGN_ID_SIZE],
			char out[static MINISIGN_ID_TEXT_MAX]);

/* What a positive code means: one line without a full stop. */
const char *minisign_error(int code);
