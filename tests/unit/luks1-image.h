/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The beginning of a LUKS1 volume for tests: the header as cryptsetup 2.6 writes it for a 512-bit
 * key (the numbers are those of a real one), with one key slot in use.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#define LUKS1_IMAGE_LEN 4096
#define LUKS1_IMAGE_MEDIUM ((uint64_t)32 << 20)
#define LUKS1_IMAGE_UUID "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d11"

static inline void luks1_put(uint8_t *p, uint32_t value)
{
	for (int i = 4; i-- > 0; value >>= 8)
		p[i] = (uint8_t)value;
}

static inline void luks1_image_make(uint8_t image[static LUKS1_IMAGE_LEN])
{
	memset(image, 0, LUKS1_IMAGE_LEN);
	memcpy(image, "LUKS\xba\xbe\0\1", 8);
	strcpy((char *)image + 8, "aes");
	strcpy((char *)image + 40, "xts-plain64");
	strcpy((char *)image + 72, "sha256");
	luks1_put(image + 104, 4096); /* payload, in sectors */
	luks1_put(image + 108, 64);
	memset(image + 112, 0x33, 20); /* digest */
	memset(image + 132, 0x44, 32); /* its salt */
	luks1_put(image + 164, 1000);
	strcpy((char *)image + 168, LUKS1_IMAGE_UUID);
	for (uint32_t i = 0; i < 8; i++) {
		uint8_t *slot = image + 208 + 48 * i;

		luks1_put(slot, i ? 0xdead : 0xac71f3);
		luks1_put(slot + 40, 8 + 504 * i);
		luks1_put(slot + 44, 4000);
	}
	luks1_put(image + 208 + 4, 1000);
	memset(image + 208 + 8, 0x55, 32);
}
