// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/bitlocker.h"

#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/fsmagic.h"

/* The boot sector. */
#define BOOT_NAME 3
#define BOOT_SECTOR_SIZE 11
#define BOOT_GUID 160
#define BOOT_OFFSETS 176
#define BOOT_SIGNATURE 510
#define SECTOR 512

/* The metadata: a header of 64 bytes, … */
#define OFF_SIZE 8 /* in units of 16 bytes */
#define OFF_VERSION 10
#define OFF_STATE 12
#define OFF_NEXT_STATE 14
#define OFF_ENCRYPTED 16 /* bytes of the volume that are encrypted */
#define OFF_OFFSETS 32
#define OFF_BACKUP 56 /* where the volume's first sectors are */
/* … a second one of 48 bytes, … */
#define OFF_SET 64
#define OFF_SET_SIZE (OFF_SET + 0)
#define OFF_SET_VERSION (OFF_SET + 4)
#define OFF_SET_HEADER (OFF_SET + 8)
#define OFF_SET_COPY (OFF_SET + 12)
#define OFF_GUID (OFF_SET + 16)
#define OFF_CIPHER (OFF_SET + 36)
#define SET_HEADER_LEN 48
/* … and entries: size, type, type of the value, version. */
#define OFF_ENTRIES (OFF_SET + SET_HEADER_LEN)
#define ENTRY_LEN 8
#define ENTRY_VMK 2
#define ENTRY_FVEK 3
#define ENTRY_HEADER_BLOCK 15
#define VALUE_KEY 1
#define VALUE_ENCRYPTED_KEY 5
#define VALUE_VMK 8
#define VALUE_HEADER_BLOCK 15
#define VMK_PROTECTION 26 /* in the value */
#define VMK_LEN 28
#define PROTECTION_CLEAR 0
/* Behind all that: size, version, CRC-32. */
#define VALIDATION_CRC 4
#define VALIDATION_LEN 8

/* Behind every place where file systems are looked for; Windows puts it megabytes further. */
#define METADATA_MIN ((uint64_t)128 << 10)
#define STATE_DECRYPTED 1
#define STATE_ENCRYPTED 4

/* NTFS keeps its last sector to itself; what is less than this cannot hold a file system. */
#define TAIL_MAX FSMAGIC_SPACE_MIN
/* Of the volume's beginning, which lies elsewhere encrypted, this much may remain in the clear. */
#define HEADER_BLOCK_MAX FSMAGIC_SPACE_MIN

static const char *const boot_name = "-FVE-FS-";
static const uint8_t guid_bitlocker[16] = {0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a,
					   0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01};

struct metadata {
	struct bytes b;
	uint64_t size; /* of the volume */
	struct volume *out;
	char *detail;
	bool has_fvek;
	bool has_header_block;
};

/* --- boot sector ------------------------------------------------------------------------------ */

static bool areas_ok(const uint64_t *offsets, uint64_t size)
{
	for (size_t i = 0; i < BITLOCKER_COPIES; i++) {
		if (offsets[i] < METADATA_MIN || offsets[i] % SECTOR)
			return false;
		if (size < BITLOCKER_METADATA_LEN || offsets[i] > size - BITLOCKER_METADATA_LEN)
			return false;
		if (i && offsets[i] < offsets[i - 1] + BITLOCKER_METADATA_LEN)
			return false;
	}
	return true;
}

int bitlocker_boot_parse(const uint8_t first[static BITLOCKER_BOOT_LEN], uint64_t size,
			 struct bitlocker_boot *boot, char detail[static VOLUME_DETAIL_MAX])
{
	static const uint8_t jump_vista[] = {0xeb, 0x52, 0x90}, jump[] = {0xeb, 0x58, 0x90};
	struct bytes b = {.data = first, .len = BITLOCKER_BOOT_LEN};
	struct bitlocker_boot found;
	const char *name = fsmagic_find(first, BITLOCKER_BOOT_LEN);

	detail[0] = '\0';
	if (memcmp(first + BOOT_NAME, boot_name, 8) != 0)
		return name && strcmp(name, "bitlocker") == 0
			       ? volume_refuse(detail, VOLUME_E_CLEAR,
					       "BitLocker To Go with a plain FAT volume")
			       : volume_refuse(detail, VOLUME_E_NONE, "no BitLocker boot sector");
	if (memcmp(first, jump_vista, sizeof(jump_vista)) == 0)
		return volume_refuse(detail, VOLUME_E_VERSION, "BitLocker of Windows Vista");
	if (memcmp(first, jump, sizeof(jump)) != 0 || bytes_u16_be(&b, BOOT_SIGNATURE) != 0x55aa)
		return volume_refuse(detail, VOLUME_E_HEADER, "the boot sector cannot be right");
	if (memcmp(first + BOOT_GUID, guid_bitlocker, sizeof(guid_bitlocker)) != 0)
		return volume_refuse(detail, VOLUME_E_VERSION,
				     "BitLocker with an unknown identifier");
	/* Only the boot sector is described, and a file system's superblock has room behind it. */
	name = fsmagic_find_beside(first, BITLOCKER_BOOT_LEN, "bitlocker");
	if (name && !fsmagic_is_table(name))
		return volume_refuse(detail, VOLUME_E_HEADER, "BitLocker and \"%s\" in one place",
				     name);
	for (size_t i = 0; i < BITLOCKER_COPIES; i++)
		found.metadata[i] = bytes_u64_le(&b, BOOT_OFFSETS + 8 * i);
	if (!areas_ok(found.metadata, size))
		return volume_refuse(detail, VOLUME_E_CAPACITY,
				     "the metadata overlaps or leaves the volume");
	*boot = found;
	return 0;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* Calls itself no more than once: entries in a volume master key hold no further ones. */
static int entries_check(struct metadata *m, size_t at, size_t end, bool inside);

static int vmk_check(struct metadata *m, size_t at, size_t end)
{
	if (end - at < VMK_LEN)
		return volume_refuse(m->detail, VOLUME_E_METADATA, "a key protector is cut off");
	if (bytes_u16_le(&m->b, at + VMK_PROTECTION) == PROTECTION_CLEAR)
		return volume_refuse(m->detail, VOLUME_E_CLEAR, "protection is suspended");
	m->out->keyslots++;
	return entries_check(m, at + VMK_LEN, end, true);
}

static int header_block_check(struct metadata *m, size_t at, size_t end)
{
	uint64_t offset = bytes_u64_le(&m->b, at), size = bytes_u64_le(&m->b, at + 8);

	if (end - at < 16 || m->has_header_block || offset != bytes_u64_le(&m->b, OFF_BACKUP) ||
	    offset % SECTOR || size % SECTOR || !size)
		return volume_refuse(m->detail, VOLUME_E_METADATA,
				     "the place of the volume's beginning cannot be right");
	if (size >= HEADER_BLOCK_MAX)
		return volume_refuse(m->detail, VOLUME_E_CLEAR, "clear space before the data");
	if (offset < size || offset > m->size || size > m->size - offset)
		return volume_refuse(m->detail, VOLUME_E_CAPACITY,
				     "the volume's beginning reaches beyond its end");
	m->has_header_block = true;
	return 0;
}

/* One entry by what it is; `at` is its value. */
static int entry_check(struct metadata *m, unsigned int type, unsigned int value, size_t at,
		       size_t end, bool inside)
{
	/* A key that nothing encrypts, wherever it is. */
	if (value == VALUE_KEY || (!inside && type == ENTRY_FVEK && value != VALUE_ENCRYPTED_KEY))
		return volume_refuse(m->detail, VOLUME_E_CLEAR, "a key lies in the clear");
	if (inside)
		return type ? volume_refuse(m->detail, VOLUME_E_METADATA,
					    "a key protector has an entry of type %u", type)
			    : 0;
	if ((type == ENTRY_VMK) != (value == VALUE_VMK))
		return volume_refuse(m->detail, VOLUME_E_METADATA, "a key protector is malformed");
	if (type == ENTRY_VMK)
		return vmk_check(m, at, end);
	if (type == ENTRY_HEADER_BLOCK && value == VALUE_HEADER_BLOCK)
		return header_block_check(m, at, end);
	if (type == ENTRY_FVEK)
		m->has_fvek = true;
	return 0;
}

static int entries_check(struct metadata *m, size_t at, size_t end, bool inside)
{
	while (end - at >= ENTRY_LEN) {
		size_t len = bytes_u16_le(&m->b, at);
		int r;

		if (!len)
			break;
		if (len < ENTRY_LEN || len > end - at)
			return volume_refuse(m->detail, VOLUME_E_METADATA,
					     "an entry of the metadata is cut off");
		r = entry_check(m, bytes_u16_le(&m->b, at + 2), bytes_u16_le(&m->b, at + 4),
				at + ENTRY_LEN, at + len, inside);
		if (r)
			return r;
		at += len;
	}
	if (!bytes_zero(m->b.data + at, end - at))
		return volume_refuse(m->detail, VOLUME_E_METADATA,
				     "something is hidden behind the entries");
	return 0;
}

/* --- metadata --------------------------------------------------------------------------------- */

/* The names are dm-crypt's. */
static const char *cipher_name(unsigned int method)
{
	switch (method) {
	case 0x8000: /* AES-128 */
	case 0x8001: /* AES-256, and so on */
		return "aes-cbc-elephant";
	case 0x8002:
	case 0x8003:
		return "aes-cbc-eboiv";
	case 0x8004:
	case 0x8005:
		return "aes-xts-plain64";
	}
	return NULL;
}

/* A GUID has its first three fields in little-endian order. */
static void guid_format(const uint8_t *g, char out[static VOLUME_UUID_MAX])
{
	snprintf(out, VOLUME_UUID_MAX,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[3], g[2],
		 g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14],
		 g[15]);
}

/* Bytes that the checksum covers; 0 if they and the checksum are not there. */
static size_t covered_len(const uint8_t *data, size_t len)
{
	struct bytes b = {.data = data, .len = len};
	size_t size = (size_t)bytes_u16_le(&b, OFF_SIZE) * 16;

	return size >= OFF_ENTRIES && bytes_has(&b, size, VALIDATION_LEN) ? size : 0;
}

static int header_check(struct metadata *m, const struct bitlocker_boot *boot)
{
	struct bytes *b = &m->b;
	size_t covered = covered_len(b->data, b->len);
	unsigned int state;
	uint64_t encrypted;

	if (b->len < OFF_ENTRIES || memcmp(b->data, boot_name, 8) != 0)
		return volume_refuse(m->detail, VOLUME_E_NONE, "no BitLocker metadata");
	if (bytes_u16_le(b, OFF_VERSION) != 2)
		return volume_refuse(m->detail, VOLUME_E_VERSION, "BitLocker metadata version %u",
				     bytes_u16_le(b, OFF_VERSION));
	if (!covered)
		return volume_refuse(m->detail, VOLUME_E_HEADER, "the metadata is cut off");
	if (crc32_sum(b->data, covered) != bytes_u32_le(b, covered + VALIDATION_CRC))
		return volume_refuse(m->detail, VOLUME_E_CHECKSUM,
				     "the metadata does not match its checksum");
	for (size_t i = 0; i < BITLOCKER_COPIES; i++)
		if (bytes_u64_le(b, OFF_OFFSETS + 8 * i) != boot->metadata[i])
			return volume_refuse(m->detail, VOLUME_E_METADATA,
					     "the metadata says that it lies elsewhere");
	state = bytes_u16_le(b, OFF_STATE);
	if (state == STATE_DECRYPTED)
		return volume_refuse(m->detail, VOLUME_E_CLEAR, "the volume is decrypted");
	if (state != STATE_ENCRYPTED || bytes_u16_le(b, OFF_NEXT_STATE) != STATE_ENCRYPTED)
		return volume_refuse(m->detail, VOLUME_E_REQUIREMENT,
				     "the volume is being converted");
	encrypted = bytes_u64_le(b, OFF_ENCRYPTED);
	if (encrypted > m->size)
		return volume_refuse(m->detail, VOLUME_E_CAPACITY,
				     "the data reaches beyond the end of the medium");
	if (m->size - encrypted >= TAIL_MAX)
		return volume_refuse(m->detail, VOLUME_E_CLEAR, "clear space behind the data");
	return 0;
}

/* The second header; *end is where the entries do. */
static int set_check(struct metadata *m, size_t *end)
{
	struct bytes *b = &m->b;
	size_t room = covered_len(b->data, b->len) - OFF_SET;
	uint32_t size = bytes_u32_le(b, OFF_SET_SIZE), copy = bytes_u32_le(b, OFF_SET_COPY);
	const char *cipher = cipher_name(bytes_u16_le(b, OFF_CIPHER));

	if (bytes_u32_le(b, OFF_SET_VERSION) != 1)
		return volume_refuse(m->detail, VOLUME_E_VERSION, "BitLocker entries version %u",
				     bytes_u32_le(b, OFF_SET_VERSION));
	if (bytes_u32_le(b, OFF_SET_HEADER) != SET_HEADER_LEN || size < SET_HEADER_LEN ||
	    size > copy || copy > room)
		return volume_refuse(m->detail, VOLUME_E_METADATA,
				     "the size of the entries cannot be right");
	if (!cipher)
		return volume_refuse(m->detail, VOLUME_E_REQUIREMENT,
				     "encryption method %04x is not known",
				     bytes_u16_le(b, OFF_CIPHER));
	memcpy(m->out->cipher, cipher, strlen(cipher) + 1);
	guid_format(b->data + OFF_GUID, m->out->uuid);
	*end = OFF_SET + size;
	return 0;
}

int bitlocker_metadata_parse(const uint8_t *data, size_t len, uint64_t size,
			     const struct bitlocker_boot *boot, struct volume *out,
			     char detail[static VOLUME_DETAIL_MAX])
{
	struct volume volume = {.method = ENCRYPTION_BITLOCKER};
	struct metadata m = {
		.b = {.data = data, .len = len},
		.size = size,
		.out = &volume,
		.detail = detail,
	};
	size_t end = OFF_ENTRIES;
	int r;

	detail[0] = '\0';
	if ((r = header_check(&m, boot)) || (r = set_check(&m, &end)) ||
	    (r = entries_check(&m, OFF_ENTRIES, end, false)))
		return r;
	if (!volume.keyslots || !m.has_fvek || !m.has_header_block)
		return volume_refuse(detail, VOLUME_E_METADATA,
				     "a key or the place of the volume's beginning is missing");
	*out = volume;
	return 0;
}

bool bitlocker_copies_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t covered = covered_len(a, len);

	return covered && covered == covered_len(b, len) && memcmp(a, b, covered) == 0;
}
