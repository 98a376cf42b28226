/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes sealed with a passphrase, for the organisation's secret and for backups:
 *
 *	offset  size
 *	0       8     "SEKISEAL"
 *	8       4     version 1 (u32 LE, as all numbers)
 *	12      20    purpose, zeros behind: what is sealed as one thing is not opened as another
 *	32      8     opslimit of Argon2id
 *	40      8     memlimit of Argon2id, bytes
 *	48      16    salt
 *	64      24    nonce
 *	88      n+16  crypto_secretbox (XSalsa20-Poly1305)
 *
 * The box's key is BLAKE2b-256 over the first 88 bytes, keyed with Argon2id(passphrase, salt): a
 * change of the head is as deadly as one of the box.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEALED_OVERHEAD (88 + 16)
#define SEALED_PURPOSE_MAX 20

enum {
	SEALED_E_FORM = 1,       /* not such bytes, or for another purpose */
	SEALED_E_PASSPHRASE = 2, /* wrong passphrase, or damaged */
};

/*
 * `quick`: the least work that Argon2id takes. `out` holds len + SEALED_OVERHEAD bytes. Negative
 * errno.
 */
int sealed_close(const char *purpose, const char *passphrase, bool quick, const void *data,
		 size_t len, uint8_t *out);

/* `out` holds len - SEALED_OVERHEAD bytes. */
int sealed_open(const char *purpose, const char *passphrase, const uint8_t *data, size_t len,
		uint8_t *out);
