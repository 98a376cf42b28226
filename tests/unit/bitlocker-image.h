/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A BitLocker volume's boot sector and metadata for tests, built by the documented layout (see
 * bitlocker.h): three protectors (password, recovery password, start-up key), AES-XTS.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/crc32.h"

#define BITLOCKER_IMAGE_BOOT 4096
#define BITLOCKER_IMAGE_LEN 65536
#define BITLOCKER_IMAGE_SIZE ((uint64_t)256 << 20)
#define BITLOCKER_IMAGE_GUID "33221100-5544-7766-8899-aabbccddeeff"

static const uint64_t bitlocker_image_offsets[3] = {32 << 20, 64 << 20, 96 << 20};
static const uint64_t bitlocker_image_header = (32 << 20) + 65536;

static inline void bitlocker_put(uint8_t *p, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++, value >>= 8)
		p[i] = (uint8_t)value;
}

static inline void bitlocker_image_boot(uint8_t boot[static BITLOCKER_IMAGE_BOOT])
{
	memset(boot, 0, BITLOCKER_IMAGE_BOOT);
	memcpy(boot, "\xeb\x58\x90-FVE-FS-\0\2\x08\0\0\0\0\0\0\0\xf8", 22);
	memcpy(boot + 82, "FAT32   ", 8);
	memcpy(boot + 160, "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01", 16);
	for (size_t i = 0; i < 3; i++)
		bitlocker_put(boot + 176 + 8 * i, bitlocker_image_offsets[i], 8);
	/* Code lies where a partition table has its entries. */
	memset(boot + 400, 0x42, 110);
	boot[510] = 0x55;
	boot[511] = 0xaa;
}

/* Makes the checksum right again after the metadata was tampered with. */
static inline void bitlocker_image_seal(uint8_t *data)
{
	size_t size = (size_t)(data[8] | data[9] << 8) * 16;

	if (size >= 112 && size + 8 <= BITLOCKER_IMAGE_LEN)
		bitlocker_put(data + size + 4, crc32_sum(data, size), 4);
}

/* An entry with `len` bytes of value; returns where the next one goes. */
static inline uint8_t *bitlocker_entry(uint8_t *at, unsigned int type, unsigned int value,
				       const void *bytes, size_t len)
{
	bitlocker_put(at, 8 + len, 2);
	bitlocker_put(at + 2, type, 2);
	bitlocker_put(at + 4, value, 2);
	bitlocker_put(at + 6, 1, 2);
	memcpy(at + 8, bytes, len);
	return at + 8 + len;
}

/* A volume master key under a protector: stretch key and AES-CCM encrypted key inside. */
static inline uint8_t *bitlocker_vmk(uint8_t *at, unsigned int protection)
{
	uint8_t value[200] = {0}, key[72];
	uint8_t *end = value + 28;

	memset(value, 0x66, 16);
	bitlocker_put(value + 26, protection, 2);
	memset(key, 0x5a, sizeof(key));
	end = bitlocker_entry(end, 0, 3, key, 20);
	end = bitlocker_entry(end, 0, 5, key, 72);
	return bitlocker_entry(at, 2, 8, value, (size_t)(end - value));
}

/* Sets the size of the entries up to `end`, that of the whole, and the checksum. */
static inline void bitlocker_image_close(uint8_t *data, const uint8_t *end)
{
	size_t set = (size_t)(end - data) - 64;

	bitlocker_put(data + 64, set, 4);
	bitlocker_put(data + 76, set, 4);
	bitlocker_put(data + 8, (64 + set + 15) / 16, 2);
	bitlocker_image_seal(data);
}

/* The metadata; returns where a further entry would go. */
static inline uint8_t *bitlocker_image_make(uint8_t data[static BITLOCKER_IMAGE_LEN])
{
	uint8_t key[60], block[16], *at = data + 112;

	memset(data, 0, BITLOCKER_IMAGE_LEN);
	memcpy(data, "-FVE-FS-", 8);
	bitlocker_put(data + 10, 2, 2);
	bitlocker_put(data + 12, 4, 2);
	bitlocker_put(data + 14, 4, 2);
	bitlocker_put(data + 16, BITLOCKER_IMAGE_SIZE - 512, 8);
	bitlocker_put(data + 28, 16, 4);
	for (size_t i = 0; i < 3; i++)
		bitlocker_put(data + 32 + 8 * i, bitlocker_image_offsets[i], 8);
	bitlocker_put(data + 56, bitlocker_image_header, 8);
	bitlocker_put(data + 68, 1, 4);
	bitlocker_put(data + 72, 48, 4);
	for (uint8_t i = 0; i < 16; i++)
		data[80 + i] = (uint8_t)(0x11 * i);
	bitlocker_put(data + 100, 0x8004, 2);

	at = bitlocker_entry(at, 7, 2, "P\0C\0\0\0", 6);
	at = bitlocker_vmk(at, 0x2000);
	at = bitlocker_vmk(at, 0x0800);
	at = bitlocker_vmk(at, 0x0200);
	memset(key, 0x77, sizeof(key));
	at = bitlocker_entry(at, 3, 5, key, sizeof(key));
	bitlocker_put(block, bitlocker_image_header, 8);
	bitlocker_put(block + 8, 8192, 8);
	at = bitlocker_entry(at, 15, 15, block, sizeof(block));
	bitlocker_image_close(data, at);
	return at;
}
