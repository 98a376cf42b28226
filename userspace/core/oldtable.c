// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/oldtable.h"

#include <string.h>

#include "core/bytes.h"
#include "core/macro.h"

#define SECTOR 512 /* the kernel reads these tables in such sectors, whatever the block size */

/* What counts as a letter or digit in the kernel's own character table: Latin-1 letters as well. */
static bool kernel_isalnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

/* Four entries of 12 bytes: flags, three letters, start, size; one plausible entry is enough. */
static bool is_atari(struct bytes *b, uint64_t size, uint32_t block)
{
	uint32_t sectors = (uint32_t)(size / SECTOR);

	if (block != SECTOR)
		return false;
	for (size_t at = 0x1c6; at < 0x1c6 + 4 * 12; at += 12) {
		uint32_t start = bytes_u32_be(b, at + 4), count = bytes_u32_be(b, at + 8);

		/* The sum wraps around, as the kernel's does. */
		if ((bytes_u8(b, at) & 1) && kernel_isalnum(bytes_u8(b, at + 1)) &&
		    kernel_isalnum(bytes_u8(b, at + 2)) && kernel_isalnum(bytes_u8(b, at + 3)) &&
		    start <= sectors && start + count <= sectors)
			return true;
	}
	return false;
}

/* Acorn's ICS: the bytes before the last four add up to those. */
static bool is_ics(struct bytes *b, uint64_t size, uint32_t block)
{
	uint64_t sum = 0x50617274;

	(void)size;
	(void)block;
	for (size_t i = 0; i < 508; i++)
		sum += bytes_u8(b, i);
	return sum == bytes_u32_le(b, 508);
}

static bool is_sun(struct bytes *b, uint64_t size, uint32_t block)
{
	uint16_t sum = 0;

	(void)size;
	(void)block;
	for (size_t i = 0; i < SECTOR; i += 2)
		sum ^= bytes_u16_be(b, i);
	return bytes_u16_be(b, 508) == 0xdabe && sum == 0;
}

static bool is_osf(struct bytes *b, uint64_t size, uint32_t block)
{
	(void)size;
	(void)block;
	return bytes_u32_le(b, 64) == 0x82564557 && bytes_u32_le(b, 64 + 132) == 0x82564557;
}

/* In any of the first 16 sectors. */
static bool is_amiga(struct bytes *b, uint64_t size, uint32_t block)
{
	(void)size;
	(void)block;
	for (size_t at = 0; at < 16 * SECTOR && at + 4 <= b->len; at += SECTOR)
		if (memcmp(b->data + at, "RDSK", 4) == 0)
			return true;
	return false;
}

static bool is_ultrix(struct bytes *b, uint64_t size, uint32_t block)
{
	(void)size;
	(void)block;
	return b->len >= OLDTABLE_LEN && bytes_u32_le(b, 16312) == 0x032957 &&
	       bytes_u32_le(b, 16316) == 1;
}

static bool is_karma(struct bytes *b, uint64_t size, uint32_t block)
{
	(void)size;
	(void)block;
	if (bytes_u16_le(b, 510) != 0xab56)
		return false;
	for (size_t at = 270; at < 270 + 2 * 16; at += 16)
		if (bytes_u8(b, at + 4) == 0x4d && bytes_u32_le(b, at + 12))
			return true;
	return false;
}

static const struct {
	const char *name;
	bool alone; /* only where there is no MBR or GPT */
	bool (*is)(struct bytes *b, uint64_t size, uint32_t block); /* or … */
	const char *magic;
	size_t offset; /* of the magic number */
} tables[] = {
	{"acorn", false, is_ics, NULL, 0},
	{"sgi", false, NULL, "\x0b\xe5\xa9\x41", 0},
	{"aix", false, NULL, "\xc9\xc2\xd4\xc1", 0},
	{"ldm", false, NULL, "PRIVHEAD", 6 * SECTOR},
	{"osf", true, is_osf, NULL, 0},
	{"sun", true, is_sun, NULL, 0},
	{"amiga", true, is_amiga, NULL, 0},
	{"atari", true, is_atari, NULL, 0},
	{"mac", true, NULL, "ER", 0},
	{"ultrix", true, is_ultrix, NULL, 0},
	{"karma", true, is_karma, NULL, 0},
};

static bool has_magic(const uint8_t *data, size_t len, size_t offset, const char *magic)
{
	size_t n = strlen(magic);

	return len >= n && offset <= len - n && memcmp(data + offset, magic, n) == 0;
}

const char *oldtable_find(const uint8_t *data, size_t len, uint64_t size, uint32_t block,
			  bool alone)
{
	struct bytes b = {.data = data, .len = len};

	if (len < SECTOR)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		if (tables[i].alone && !alone)
			continue;
		if (tables[i].is ? tables[i].is(&b, size, block)
				 : has_magic(data, len, tables[i].offset, tables[i].magic))
			return tables[i].name;
	}
	return NULL;
}
