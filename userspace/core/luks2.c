// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/luks2.h"

#include <sodium.h>
#include <string.h>

#include "core/bytes.h"
#include "core/luks2-metadata.h"

/* Offsets and lengths in the binary header: specification, section 2.1, figure 2. */
#define OFF_VERSION 6
#define OFF_HDR_SIZE 8
#define OFF_SEQID 16
#define OFF_LABEL 24
#define OFF_CSUM_ALG 72
#define OFF_SALT 104
#define OFF_UUID 168
#define OFF_SUBSYSTEM 208
#define OFF_HDR_OFFSET 256
#define OFF_PADDING 264
#define OFF_CSUM 448
#define CSUM_LEN 64
#define CSUM_ALG_LEN 32
#define UUID_LEN 36
#define MAGIC_LEN 6
#define VERSION_2 2

static const uint8_t magics[2][MAGIC_LEN] = {
	{'L', 'U', 'K', 'S', 0xba, 0xbe},
	{'S', 'K', 'U', 'L', 0xba, 0xbe},
};

int luks2_header_size(const uint8_t first[static LUKS2_BINARY_LEN], size_t *size,
		      char detail[static VOLUME_DETAIL_MAX])
{
	struct bytes b = {.data = first, .len = LUKS2_BINARY_LEN};
	uint16_t version = bytes_u16_be(&b, OFF_VERSION);
	uint64_t hdr_size = bytes_u64_be(&b, OFF_HDR_SIZE);

	if (memcmp(first, magics[0], MAGIC_LEN) != 0)
		return volume_refuse(detail, VOLUME_E_NONE, "no LUKS magic");
	if (version != VERSION_2)
		return volume_refuse(detail, VOLUME_E_VERSION, "LUKS version %u", version);
	/* Specification, table 1: powers of two only. */
	if (hdr_size < LUKS2_SIZE_MIN || hdr_size > LUKS2_SIZE_MAX || (hdr_size & (hdr_size - 1)))
		return volume_refuse(detail, VOLUME_E_HEADER, "header size %llu is none of LUKS2's",
				     (unsigned long long)hdr_size);
	*size = (size_t)hdr_size;
	return 0;
}

/* The field as a string; false if it does not end inside the field, or hides something behind. */
static bool field_copy(const uint8_t *field, size_t size, char *out)
{
	size_t len = strnlen((const char *)field, size);

	if (len == size || !bytes_zero(field + len, size - len))
		return false;
	memcpy(out, field, size);
	return true;
}

bool luks2_uuid_ok(const char *uuid)
{
	if (strlen(uuid) != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? uuid[i] != '-' : !strchr("0123456789abcdef", uuid[i]))
			return false;
	}
	return true;
}

/* SHA-256 over the copy with the checksum field zeroed: specification, section 2.1. */
static bool checksum_ok(const uint8_t *area, size_t len)
{
	static const uint8_t zero[CSUM_LEN];
	uint8_t sum[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, area, OFF_CSUM);
	crypto_hash_sha256_update(&state, zero, CSUM_LEN);
	crypto_hash_sha256_update(&state, area + OFF_CSUM + CSUM_LEN, len - OFF_CSUM - CSUM_LEN);
	crypto_hash_sha256_final(&state, sum);
	return memcmp(sum, area + OFF_CSUM, sizeof(sum)) == 0;
}

/* What must be right in either copy; `which` is 0 or 1. */
static int copy_check(const uint8_t *area, size_t len, size_t which, char *detail)
{
	const size_t sum_end = OFF_CSUM + crypto_hash_sha256_BYTES;
	struct bytes b = {.data = area, .len = len};
	char subsystem[VOLUME_LABEL_MAX], label[VOLUME_LABEL_MAX], algorithm[CSUM_ALG_LEN];
	const char *name = which ? "second" : "first";

	if (bytes_u64_be(&b, OFF_HDR_OFFSET) != which * len)
		return volume_refuse(detail, VOLUME_E_HEADER,
				     "the %s header says it lies elsewhere", name);
	if (!field_copy(area + OFF_CSUM_ALG, sizeof(algorithm), algorithm) ||
	    strcmp(algorithm, "sha256") != 0)
		return volume_refuse(detail, VOLUME_E_HEADER,
				     "%s header: checksum algorithm is not sha256", name);
	if (!field_copy(area + OFF_LABEL, sizeof(label), label) ||
	    !field_copy(area + OFF_SUBSYSTEM, sizeof(subsystem), subsystem))
		return volume_refuse(detail, VOLUME_E_HEADER,
				     "%s header: label or subsystem does not end", name);
	/*
	 * The 55 aa of a partition table and its last entries fit into the padding and behind the
	 * checksum; with zeroes there the kernel finds no partition table of the common kinds.
	 */
	if (!bytes_zero(area + OFF_PADDING, OFF_CSUM - OFF_PADDING) ||
	    !bytes_zero(area + sum_end, LUKS2_BINARY_LEN - sum_end))
		return volume_refuse(detail, VOLUME_E_HEADER,
				     "%s header: something is hidden in the padding", name);
	if (!checksum_ok(area, len))
		return volume_refuse(detail, VOLUME_E_CHECKSUM, "%s header: wrong checksum", name);
	return 0;
}

/* Magic, salt, offset and checksum are each copy's own; all else must be the same in both. */
static bool copies_equal(const uint8_t *first, const uint8_t *second, size_t len)
{
	return memcmp(first + MAGIC_LEN, second + MAGIC_LEN, OFF_SALT - MAGIC_LEN) == 0 &&
	       memcmp(first + OFF_UUID, second + OFF_UUID, OFF_HDR_OFFSET - OFF_UUID) == 0 &&
	       memcmp(first + LUKS2_BINARY_LEN, second + LUKS2_BINARY_LEN,
		      len - LUKS2_BINARY_LEN) == 0;
}

static int binary_parse(const uint8_t *first, const uint8_t *second, size_t len, struct volume *out,
			struct luks2 *more, char *detail)
{
	struct bytes b = {.data = first, .len = len};
	int r;

	r = copy_check(first, len, 0, detail);
	if (r)
		return r;
	if (!field_copy(first + OFF_UUID, sizeof(out->uuid), out->uuid) ||
	    !luks2_uuid_ok(out->uuid))
		return volume_refuse(detail, VOLUME_E_HEADER, "the UUID is not in canonical form");
	if (memcmp(second, magics[1], MAGIC_LEN) != 0)
		return volume_refuse(detail, VOLUME_E_COPIES, "the second header is missing");
	r = copy_check(second, len, 1, detail);
	if (r)
		return r;
	if (!copies_equal(first, second, len))
		return volume_refuse(detail, VOLUME_E_COPIES, "the two headers differ");
	memcpy(out->label, first + OFF_LABEL, sizeof(out->label));
	more->hdr_size = (uint32_t)len;
	more->seqid = bytes_u64_be(&b, OFF_SEQID);
	return 0;
}

int luks2_parse(const uint8_t *first, const uint8_t *second, size_t len, uint64_t size,
		struct volume *out, struct luks2 *more, char detail[static VOLUME_DETAIL_MAX])
{
	struct volume volume = {.method = ENCRYPTION_LUKS2};
	struct luks2 luks = {0};
	size_t said;
	int r;

	detail[0] = '\0';
	if (len < LUKS2_BINARY_LEN)
		return volume_refuse(detail, VOLUME_E_HEADER, "the header is cut off");
	r = luks2_header_size(first, &said, detail);
	if (r)
		return r;
	if (said != len)
		return volume_refuse(detail, VOLUME_E_HEADER, "header size has changed");
	if ((r = binary_parse(first, second, len, &volume, &luks, detail)) ||
	    (r = luks2_metadata_parse(first + LUKS2_BINARY_LEN, len - LUKS2_BINARY_LEN, size,
				      &volume, &luks, detail)))
		return r;
	*out = volume;
	*more = luks;
	return 0;
}
