// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/descriptors.h"

/* USB 2.0, table 9-5; lengths: tables 9-8 and 9-12. */
#define TYPE_DEVICE 1
#define TYPE_INTERFACE 4
#define DEVICE_LENGTH 18
#define DEVICE_BCD_DEVICE 12
#define INTERFACE_LENGTH 9

/* Calls back for each descriptor; a negative errno of the callback ends it. */
static int descriptors_walk(const uint8_t *bytes, size_t len,
			    int (*each)(void *userdata, const uint8_t *descriptor, size_t n),
			    void *userdata)
{
	for (size_t at = 0; at < len;) {
		size_t n = bytes[at];
		int r;

		if (n < 2 || n > len - at)
			return -EBADMSG;
		r = each(userdata, bytes + at, n);
		if (r < 0)
			return r;
		at += n;
	}
	return 0;
}

static int add_type(void *userdata, const uint8_t *descriptor, size_t n)
{
	struct ident *ident = userdata;

	if (descriptor[1] != TYPE_INTERFACE)
		return 0;
	if (n < INTERFACE_LENGTH)
		return -EBADMSG;
	if (ident->n_types == IDENT_TYPES_MAX)
		return -E2BIG;
	ident->types[ident->n_types++] = (struct ident_type){ .number = descriptor[2],
							      .class = descriptor[5],
							      .subclass = descriptor[6],
							      .protocol = descriptor[7] };
	return 0;
}

int descriptors_types(const uint8_t *bytes, size_t len, struct ident *ident)
{
	int r;

	ident->n_types = 0;
	r = descriptors_walk(bytes, len, add_type, ident);
	if (r)
		ident->n_types = 0;
	return r;
}

static int hash_descriptor(void *userdata, const uint8_t *descriptor, size_t n)
{
	uint8_t copy[256];

	memcpy(copy, descriptor, n);
	/* 1d6b:0001 to 0003 are Linux's root hubs; their bcdDevice is the kernel's version. */
	if (copy[1] == TYPE_DEVICE && n >= DEVICE_LENGTH && copy[8] == 0x6b && copy[9] == 0x1d &&
	    copy[10] >= 1 && copy[10] <= 3 && !copy[11])
		copy[DEVICE_BCD_DEVICE] = copy[DEVICE_BCD_DEVICE + 1] = 0;
	crypto_hash_sha256_update(userdata, copy, n);
	return 0;
}

void descriptors_usbguard_hash(const char *product, uint16_t id_vendor, uint16_t id_product,
			       const char *serial, const uint8_t *bytes, size_t len,
			       char out[static IDENT_HASH_MAX])
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	char ids[16];

	_Static_assert(sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES,
						 sodium_base64_VARIANT_ORIGINAL) <= IDENT_HASH_MAX,
		       "room for the hash");
	snprintf(ids, sizeof(ids), "%04x%04x", id_vendor, id_product);
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const unsigned char *)product, strlen(product));
	crypto_hash_sha256_update(&state, (const unsigned char *)ids, strlen(ids));
	crypto_hash_sha256_update(&state, (const unsigned char *)serial, strlen(serial));
	out[0] = '\0';
	if (len < DEVICE_LENGTH || descriptors_walk(bytes, len, hash_descriptor, &state))
		return;
	crypto_hash_sha256_final(&state, digest);
	sodium_bin2base64(out, IDENT_HASH_MAX, digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL);
}
