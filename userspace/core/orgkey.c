// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/orgkey.h"

#include <sodium.h>
#include <string.h>

#define BLOCK crypto_auth_hmacsha256_BYTES

static void hmac(const uint8_t *key, size_t key_len, const uint8_t *const parts[],
		 const size_t lens[], size_t n, uint8_t out[static BLOCK])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key, key_len);
	for (size_t i = 0; i < n; i++)
		crypto_auth_hmacsha256_update(&state, parts[i], lens[i]);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}

void orgkey_hkdf(const uint8_t *secret, size_t secret_len, const uint8_t *salt, size_t salt_len,
		 const uint8_t *info, size_t info_len, uint8_t *out, size_t out_len)
{
	uint8_t prk[BLOCK], block[BLOCK];
	size_t done = 0, block_len = 0;

	/* RFC 5869, 2.2 */
	hmac(salt, salt_len, &secret, &secret_len, 1, prk);
	/* … 2.3 */
	for (uint8_t count = 1; done < out_len; count++) {
		size_t n = out_len - done < BLOCK ? out_len - done : BLOCK;

		hmac(prk, sizeof(prk), (const uint8_t *const[]){ block, info, &count },
		     (const size_t[]){ block_len, info_len, 1 }, 3, block);
		block_len = BLOCK;
		memcpy(out + done, block, n);
		done += n;
	}
	sodium_memzero(prk, sizeof(prk));
	sodium_memzero(block, sizeof(block));
}

void orgkey_passphrase(const uint8_t secret[static ORGKEY_SECRET_SIZE], const char *uuid,
		       char out[static ORGKEY_PASSPHRASE_MAX])
{
	static const char info[] = "sekimori medium key 1";
	uint8_t key[(ORGKEY_PASSPHRASE_MAX - 1) / 2];

	orgkey_hkdf(secret, ORGKEY_SECRET_SIZE, (const uint8_t *)uuid, strlen(uuid),
		    (const uint8_t *)info, sizeof(info) - 1, key, sizeof(key));
	sodium_bin2hex(out, ORGKEY_PASSPHRASE_MAX, key, sizeof(key));
	sodium_memzero(key, sizeof(key));
}
