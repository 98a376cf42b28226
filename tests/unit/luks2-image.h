/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes LUKS2 headers for tests, right ones and lying ones: both copies with binary header, JSON
 * text and checksum, as cryptsetup 2.6 would write them for a medium of IMAGE_MEDIUM bytes.
 */
#pragma once

#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#define IMAGE_HEADER 16384 /* bytes of one copy */
#define IMAGE_MEDIUM ((uint64_t)64 << 20)
#define IMAGE_UUID "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d11"
/* The bytes 00 to 1f, and 32 times aa, in base64. */
#define IMAGE_SALT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define IMAGE_DIGEST "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo="

static const char image_json[] =
	"{\"keyslots\":{\"0\":{\"type\":\"luks2\",\"key_size\":64,"
	"\"af\":{\"type\":\"luks1\",\"stripes\":4000,\"hash\":\"sha256\"},"
	"\"area\":{\"type\":\"raw\",\"offset\":\"32768\",\"size\":\"258048\","
	"\"encryption\":\"aes-xts-plain64\",\"key_size\":64},"
	"\"kdf\":{\"type\":\"argon2id\",\"time\":4,\"memory\":65536,\"cpus\":2,\"salt\":\"AAAA\"}}}"
	","
	"\"tokens\":{},"
	"\"segments\":{\"0\":{\"type\":\"crypt\",\"offset\":\"16777216\",\"size\":\"dynamic\","
	"\"iv_tweak\":\"0\",\"encryption\":\"aes-xts-plain64\",\"sector_size\":512}},"
	"\"digests\":{\"0\":{\"type\":\"pbkdf2\",\"keyslots\":[\"0\"],\"segments\":[\"0\"],"
	"\"hash\":\"sha256\",\"iterations\":1000,\"salt\":\"" IMAGE_SALT
	"\",\"digest\":\"" IMAGE_DIGEST "\"}},"
	"\"config\":{\"json_size\":\"12288\",\"keyslots_size\":\"16744448\"}}";

static inline void image_put_be(uint8_t *p, uint64_t value, size_t n)
{
	while (n-- > 0) {
		p[n] = (uint8_t)value;
		value >>= 8;
	}
}

/* Makes one copy's checksum right again after it was tampered with. */
static inline void image_seal(uint8_t *area, size_t len)
{
	memset(area + 448, 0, crypto_hash_sha256_BYTES);
	uint8_t tail[32];
	uint8_t sum[crypto_hash_sha256_BYTES];

	/* The rest of the field counts as zero whatever is in it. */
	memcpy(tail, area + 480, sizeof(tail));
	memset(area + 480, 0, sizeof(tail));
	crypto_hash_sha256(sum, area, len);
	memcpy(area + 448, sum, sizeof(sum));
	memcpy(area + 480, tail, sizeof(tail));
}

/* Makes the second copy out of the first, which was tampered with, and both checksums right. */
static inline void image_twin(uint8_t *area, size_t len)
{
	memcpy(area + len, area, len);
	memcpy(area + len, "SKUL", 4);
	memset(area + len + 104, 0xa5, 64);
	image_put_be(area + len + 256, len, 8);
	image_seal(area, len);
	image_seal(area + len, len);
}

/* Both copies, of `len` bytes each. */
static inline void image_make(uint8_t *area, size_t len, const char *json)
{
	assert(strlen(json) < len - 4096);
	memset(area, 0, len);
	memcpy(area, "LUKS\xba\xbe", 6);
	image_put_be(area + 6, 2, 2);
	image_put_be(area + 8, len, 8);
	image_put_be(area + 16, 3, 8);
	strcpy((char *)area + 24, "\xe8\xb2\xb8\xe5\x87\xba\x31"); /* 貸出1 */
	strcpy((char *)area + 72, "sha256");
	memset(area + 104, 0x5a, 64);
	strcpy((char *)area + 168, IMAGE_UUID);
	memcpy(area + 4096, json, strlen(json));
	image_twin(area, len);
}

/* The usual JSON text with one part replaced; `find` must be in it. */
static inline void image_json_with(char *out, size_t size, const char *find, const char *replace)
{
	const char *at = strstr(image_json, find);

	assert(at && strlen(image_json) + strlen(replace) < size);
	memcpy(out, image_json, (size_t)(at - image_json));
	strcpy(out + (at - image_json), replace);
	strcat(out, at + strlen(find));
}
