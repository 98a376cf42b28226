// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/luks1.h"

#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "core/luks2.h"

/* Offsets and lengths: specification, figure 2 (header) and figure 3 (key slot). */
#define OFF_VERSION 6
#define OFF_CIPHER 8
#define OFF_MODE 40
#define OFF_HASH 72
#define OFF_PAYLOAD 104
#define OFF_KEY_BYTES 108
#define OFF_DIGEST 112
#define OFF_SALT 132
#define OFF_ITERATIONS 164
#define OFF_UUID 168
#define OFF_SLOTS 208
#define HEADER_LEN 592
#define NAME_LEN 32
#define DIGEST_LEN 20
#define SALT_LEN 32
#define SLOTS 8
#define SLOT_LEN 48
#define SLOT_SALT 8
#define SLOT_OFFSET 40
#define SLOT_STRIPES 44
#define SLOT_ACTIVE 0x00ac71f3
#define SLOT_DISABLED 0x0000dead

#define SECTOR 512u
#define STRIPES 4000 /* the only number that any implementation writes */
#define ITERATIONS_MIN                                                                             \
	1000 /* specification, section 3: what the reference implementation demands */
#define KEY_MIN 16
#define KEY_MAX 128
/* Between key material and data lies alignment only; more would be room for a plain file system. */
#define GAP_MAX ((uint64_t)16 << 20)

struct area {
	uint64_t begin, end; /* bytes */
};

/* A name of dm-crypt's alphabet in a field of 32 bytes, with nothing hidden behind its end. */
static bool name_copy(const uint8_t *field, char out[static NAME_LEN])
{
	size_t len = strnlen((const char *)field, NAME_LEN);

	if (len == NAME_LEN || !len || !bytes_zero(field + len, NAME_LEN - len))
		return false;
	memcpy(out, field, NAME_LEN);
	return true;
}

static int names_parse(const uint8_t *first, struct volume *out, char *detail)
{
	char cipher[NAME_LEN], mode[NAME_LEN], hash[NAME_LEN];

	if (!name_copy(first + OFF_CIPHER, cipher) || !name_copy(first + OFF_MODE, mode) ||
	    !name_copy(first + OFF_HASH, hash))
		return volume_refuse(detail, VOLUME_E_HEADER,
				     "the name of cipher, mode or hash cannot be right");
	snprintf(out->cipher, sizeof(out->cipher), "%s-%s", cipher, mode);
	if (!volume_cipher_encrypts(out->cipher))
		return volume_refuse(detail, VOLUME_E_CLEAR, "encryption \"%s\"", out->cipher);
	return 0;
}

static int uuid_parse(const uint8_t *first, struct volume *out, char *detail)
{
	size_t len = strnlen((const char *)first + OFF_UUID, VOLUME_UUID_MAX);

	if (len < VOLUME_UUID_MAX && bytes_zero(first + OFF_UUID + len, VOLUME_UUID_MAX - len)) {
		memcpy(out->uuid, first + OFF_UUID, sizeof(out->uuid));
		if (luks2_uuid_ok(out->uuid))
			return 0;
	}
	return volume_refuse(detail, VOLUME_E_HEADER, "the UUID is not in canonical form");
}

static bool areas_apart(const struct area *areas, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (areas[i].begin < areas[k].end && areas[k].begin < areas[i].end)
				return false;
	return true;
}

/* The eight key slots; a disabled one has its place as well. */
static int slots_parse(const uint8_t *first, uint32_t key_bytes, struct volume *out,
		       struct luks1 *more, char *detail)
{
	struct bytes b = {.data = first, .len = LUKS1_READ_LEN};
	struct area areas[SLOTS];

	for (unsigned int i = 0; i < SLOTS; i++) {
		size_t at = OFF_SLOTS + (size_t)i * SLOT_LEN;
		uint32_t active = bytes_u32_be(&b, at), iterations = bytes_u32_be(&b, at + 4);

		if (active == SLOT_ACTIVE ? iterations < ITERATIONS_MIN
					  : active != SLOT_DISABLED || iterations ||
						    !bytes_zero(first + at + SLOT_SALT, SALT_LEN))
			return volume_refuse(detail, VOLUME_E_HEADER, "key slot %u cannot be right",
					     i);
		if (bytes_u32_be(&b, at + SLOT_STRIPES) != STRIPES)
			return volume_refuse(detail, VOLUME_E_HEADER,
					     "key slot %u has an odd number of stripes", i);
		areas[i].begin = (uint64_t)bytes_u32_be(&b, at + SLOT_OFFSET) * SECTOR;
		areas[i].end = areas[i].begin + (uint64_t)key_bytes * STRIPES;
		if (areas[i].begin < LUKS1_READ_LEN || areas[i].end > more->data_offset)
			return volume_refuse(detail, VOLUME_E_METADATA,
					     "key slot %u lies outside its area", i);
		if (areas[i].end > more->keyslots_end)
			more->keyslots_end = areas[i].end;
		out->keyslots += active == SLOT_ACTIVE;
	}
	if (!areas_apart(areas, SLOTS))
		return volume_refuse(detail, VOLUME_E_METADATA, "key slots overlap");
	if (!out->keyslots)
		return volume_refuse(detail, VOLUME_E_METADATA, "no key slot is in use");
	if (more->data_offset - more->keyslots_end > GAP_MAX)
		return volume_refuse(detail, VOLUME_E_CLEAR, "clear space before the data");
	return 0;
}

int luks1_parse(const uint8_t first[static LUKS1_READ_LEN], uint64_t size, struct volume *out,
		struct luks1 *more, char detail[static VOLUME_DETAIL_MAX])
{
	static const uint8_t magic[] = {'L', 'U', 'K', 'S', 0xba, 0xbe};
	struct bytes b = {.data = first, .len = LUKS1_READ_LEN};
	uint32_t key_bytes = bytes_u32_be(&b, OFF_KEY_BYTES);
	struct volume volume = {.method = ENCRYPTION_LUKS1, .kdf = "pbkdf2"};
	struct luks1 luks = {.data_offset = (uint64_t)bytes_u32_be(&b, OFF_PAYLOAD) * SECTOR};
	int r;

	detail[0] = '\0';
	if (memcmp(first, magic, sizeof(magic)) != 0)
		return volume_refuse(detail, VOLUME_E_NONE, "no LUKS magic");
	if (bytes_u16_be(&b, OFF_VERSION) != 1)
		return volume_refuse(detail, VOLUME_E_VERSION, "LUKS version %u",
				     bytes_u16_be(&b, OFF_VERSION));
	if ((r = names_parse(first, &volume, detail)) || (r = uuid_parse(first, &volume, detail)))
		return r;
	if (key_bytes < KEY_MIN || key_bytes > KEY_MAX)
		return volume_refuse(detail, VOLUME_E_HEADER, "a key of %u bytes", key_bytes);
	if (bytes_u32_be(&b, OFF_ITERATIONS) < ITERATIONS_MIN)
		return volume_refuse(detail, VOLUME_E_HEADER,
				     "the digest of the volume key cannot be right");
	if (!bytes_zero(first + HEADER_LEN, LUKS1_READ_LEN - HEADER_LEN))
		return volume_refuse(detail, VOLUME_E_HEADER,
				     "something is hidden behind the header");
	if (luks.data_offset >= size)
		return volume_refuse(detail, VOLUME_E_CAPACITY,
				     "the data reaches beyond the end of the medium");
	r = slots_parse(first, key_bytes, &volume, &luks, detail);
	if (r)
		return r;
	mark_binding(first + OFF_SALT, SALT_LEN, first + OFF_DIGEST, DIGEST_LEN, volume.binding);
	*out = volume;
	*more = luks;
	return 0;
}
