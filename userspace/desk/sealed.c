// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "core/bytes.h"
#include "desk/sealed.h"

enum {
	AT_VERSION = 8,
	AT_PURPOSE = 12,
	AT_OPSLIMIT = 32,
	AT_MEMLIMIT = 40,
	AT_SALT = 48,
	AT_NONCE = 64,
	HEAD_SIZE = 88,
	VERSION = 1,
};

_Static_assert(AT_NONCE - AT_SALT == crypto_pwhash_argon2id_SALTBYTES, "salt");
_Static_assert(HEAD_SIZE - AT_NONCE == crypto_secretbox_NONCEBYTES, "nonce");
_Static_assert(SEALED_OVERHEAD == HEAD_SIZE + crypto_secretbox_MACBYTES, "overhead");

/* A damaged file shall not ask for all memory or a day of work. */
#define OPSLIMIT_MAX 16
#define MEMLIMIT_MAX (UINT64_C(2) << 30)

static const char magic[] = "SEKISEAL";

static void put_le(uint8_t *out, size_t size, uint64_t value)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

/* The box's key, in sodium_malloc() memory; NULL without memory. */
static uint8_t *key_new(const uint8_t *head, const char *passphrase, uint64_t opslimit,
			uint64_t memlimit)
{
	uint8_t *base = sodium_malloc(crypto_generichash_KEYBYTES);
	uint8_t *key = sodium_malloc(crypto_secretbox_KEYBYTES);

	if (base && key &&
	    !crypto_pwhash_argon2id(base, crypto_generichash_KEYBYTES, passphrase,
				    strlen(passphrase), head + AT_SALT, opslimit, (size_t)memlimit,
				    crypto_pwhash_argon2id_ALG_ARGON2ID13)) {
		crypto_generichash(key, crypto_secretbox_KEYBYTES, head, HEAD_SIZE, base,
				   crypto_generichash_KEYBYTES);
	} else {
		sodium_free(key);
		key = NULL;
	}
	sodium_free(base);
	return key;
}

int sealed_close(const char *purpose, const char *passphrase, bool quick, const void *data,
		 size_t len, uint8_t *out)
{
	uint64_t opslimit = quick ? crypto_pwhash_argon2id_OPSLIMIT_MIN
				  : crypto_pwhash_argon2id_OPSLIMIT_MODERATE;
	uint64_t memlimit = quick ? crypto_pwhash_argon2id_MEMLIMIT_MIN
				  : crypto_pwhash_argon2id_MEMLIMIT_MODERATE;
	uint8_t *key;

	memset(out, 0, HEAD_SIZE);
	memcpy(out, magic, AT_VERSION);
	put_le(out + AT_VERSION, 4, VERSION);
	memcpy(out + AT_PURPOSE, purpose, strnlen(purpose, SEALED_PURPOSE_MAX));
	put_le(out + AT_OPSLIMIT, 8, opslimit);
	put_le(out + AT_MEMLIMIT, 8, memlimit);
	randombytes_buf(out + AT_SALT, HEAD_SIZE - AT_SALT);
	key = key_new(out, passphrase, opslimit, memlimit);
	if (!key)
		return -ENOMEM;
	crypto_secretbox_easy(out + HEAD_SIZE, data, len, out + AT_NONCE, key);
	sodium_free(key);
	return 0;
}

int sealed_open(const char *purpose, const char *passphrase, const uint8_t *data, size_t len,
		uint8_t *out)
{
	struct bytes view = {.data = data, .len = len};
	uint8_t expected[SEALED_PURPOSE_MAX] = {0}, *key;
	uint64_t opslimit, memlimit;
	int r;

	memcpy(expected, purpose, strnlen(purpose, sizeof(expected)));
	if (len < SEALED_OVERHEAD || memcmp(data, magic, AT_VERSION) ||
	    bytes_le(&view, AT_VERSION, 4) != VERSION ||
	    memcmp(data + AT_PURPOSE, expected, sizeof(expected)))
		return SEALED_E_FORM;
	opslimit = bytes_le(&view, AT_OPSLIMIT, 8);
	memlimit = bytes_le(&view, AT_MEMLIMIT, 8);
	if (opslimit < crypto_pwhash_argon2id_OPSLIMIT_MIN || opslimit > OPSLIMIT_MAX ||
	    memlimit < crypto_pwhash_argon2id_MEMLIMIT_MIN || memlimit > MEMLIMIT_MAX)
		return SEALED_E_FORM;
	key = key_new(data, passphrase, opslimit, memlimit);
	if (!key)
		return -ENOMEM;
	r = crypto_secretbox_open_easy(out, data + HEAD_SIZE, len - HEAD_SIZE, data + AT_NONCE,
				       key);
	sodium_free(key);
	return r ? SEALED_E_PASSPHRASE : 0;
}
