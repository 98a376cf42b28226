// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/ident.h"
#include "core/utf8.h"

void ident_set_string(char field[static IDENT_STRING_MAX], const char *text)
{
	utf8_copy(field, IDENT_STRING_MAX, text, strlen(text));
}

static void hash_field(crypto_generichash_state *state, const void *data, size_t len)
{
	uint8_t prefix[4] = { (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16),
			      (uint8_t)(len >> 24) };

	crypto_generichash_update(state, prefix, sizeof(prefix));
	crypto_generichash_update(state, data, len);
}

static void hash_u16(crypto_generichash_state *state, uint16_t value)
{
	uint8_t le[2] = { (uint8_t)value, (uint8_t)(value >> 8) };

	hash_field(state, le, sizeof(le));
}

static void hash_string(crypto_generichash_state *state, const char *text)
{
	hash_field(state, text, strlen(text));
}

void ident_fingerprint(const struct ident *ident, char out[static IDENT_FINGERPRINT_MAX])
{
	static const uint8_t version = 1;
	crypto_generichash_state state;
	uint8_t digest[16];

	crypto_generichash_init(&state, NULL, 0, sizeof(digest));
	crypto_generichash_update(&state, &version, 1);
	hash_u16(&state, ident->id_vendor);
	hash_u16(&state, ident->id_product);
	hash_u16(&state, ident->bcd_device);
	hash_string(&state, ident->manufacturer);
	hash_string(&state, ident->product);
	hash_string(&state, ident->serial);
	for (unsigned int i = 0; i < ident->n_interfaces; i++) {
		const struct ident_interface *intf = &ident->interfaces[i];
		uint8_t triple[3] = { intf->class, intf->subclass, intf->protocol };

		hash_field(&state, triple, sizeof(triple));
	}
	crypto_generichash_final(&state, digest, sizeof(digest));

	strcpy(out, "blake2b:");
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 8 + 2 * i, 3, "%02x", digest[i]);
}
