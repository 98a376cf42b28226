/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/luks2 over an image that a test has made or damaged (luks2-image.h): what comes out. */
#pragma once

#include "core/luks2.h"
#include "luks2-image.h"
#include "volume-damage.h"

static uint8_t area[2 * IMAGE_HEADER];
static _unused_ char json[IMAGE_HEADER];
static struct luks2 luks;

static int parse(uint64_t size)
{
	memset(&volume, 0, sizeof(volume));
	memset(&luks, 0, sizeof(luks));
	return luks2_parse(area, area + IMAGE_HEADER, IMAGE_HEADER, size, &volume, &luks, detail);
}

/* Of a keyslot, and of a digest. */
#define KDF                                                                                        \
	"\"kdf\":{\"type\":\"argon2id\",\"time\":4,\"memory\":65536,\"cpus\":2,\"salt\":\"AAAA\"}" \
	","
#define DIGEST "\"type\":\"pbkdf2\",\"salt\":\"" IMAGE_SALT "\",\"digest\":\"" IMAGE_DIGEST "\","
