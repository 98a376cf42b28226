// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>

#include "core/phonenonce.h"

#define HALF_BITS (PHONECODE_NONCE_BITS / 2)
#define HALF_MASK ((UINT32_C(1) << HALF_BITS) - 1)
#define ROUNDS 10

_Static_assert(PHONECODE_NONCE_BITS % 2 == 0 && HALF_BITS <= 16, "halves");
_Static_assert(PHONENONCE_KEY_SIZE >= crypto_generichash_KEYBYTES_MIN && PHONENONCE_KEY_SIZE <= crypto_generichash_KEYBYTES_MAX,
	       "key");

static const char nonce_domain[] = "sekimori telephone nonce 1";

static uint32_t round_value(const uint8_t key[static PHONENONCE_KEY_SIZE], unsigned int round, uint32_t right)
{
	const uint8_t input[] = { (uint8_t)round, (uint8_t)(right >> 8), (uint8_t)right };
	uint8_t digest[crypto_generichash_BYTES_MIN];
	crypto_generichash_state state;

	crypto_generichash_init(&state, key, PHONENONCE_KEY_SIZE, sizeof(digest));
	crypto_generichash_update(&state, (const uint8_t *)nonce_domain, sizeof(nonce_domain) - 1);
	crypto_generichash_update(&state, input, sizeof(input));
	crypto_generichash_final(&state, digest, sizeof(digest));
	return ((uint32_t)digest[0] << 8 | digest[1]) & HALF_MASK;
}

uint32_t phonenonce(const uint8_t key[static PHONENONCE_KEY_SIZE], uint32_t number)
{
	uint32_t left = number >> HALF_BITS & HALF_MASK, right = number & HALF_MASK;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint32_t mixed = left ^ round_value(key, round, right);

		left = right;
		right = mixed;
	}
	return left << HALF_BITS | right;
}
