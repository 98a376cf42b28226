// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/wipe-pattern.h"

#include <sodium.h>
#include <string.h>

void wipe_pattern(const uint8_t key[static WIPE_PATTERN_KEY_SIZE], uint64_t offset, uint8_t *out,
		  size_t len)
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

	memset(out, 0, len);
	crypto_stream_chacha20_xor_ic(out, out, len, nonce, offset / WIPE_PATTERN_ALIGN, key);
}
