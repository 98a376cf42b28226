// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/floor.h"

#define DIGEST_SIZE 32
#define TEXT_FORMAT                                                                                \
	"sekimori-floor 1\nentry %" PRIu64 "\nversion %" PRIu64 "\nsigned %s\ndigest %s\n"         \
	"seal %s\nsignatures %u\n"

void floor_digest(const void *data, size_t len, char out[static FLOOR_DIGEST_MAX])
{
	uint8_t hash[DIGEST_SIZE];

	crypto_generichash(hash, sizeof(hash), data, len, NULL, 0);
	sodium_bin2hex(out, FLOOR_DIGEST_MAX, hash, sizeof(hash));
}

void floor_init(struct floor *floor)
{
	*floor = (struct floor){0};
	memset(floor->digest, '0', FLOOR_DIGEST_MAX - 1);
	memset(floor->seal, '0', FLOOR_DIGEST_MAX - 1);
}

size_t floor_format(const struct floor *floor, char out[static FLOOR_TEXT_MAX])
{
	char sum[FLOOR_DIGEST_MAX];
	size_t n;

	n = (size_t)snprintf(out, FLOOR_TEXT_MAX, TEXT_FORMAT, floor->entry, floor->version,
			     floor->is_signed ? "yes" : "no", floor->digest, floor->seal,
			     floor->n_signatures);
	floor_digest(out, n, sum);
	return n + (size_t)snprintf(out + n, FLOOR_TEXT_MAX - n, "sum %s\n", sum);
}

bool floor_parse(struct floor *floor, const char *text, size_t len)
{
	char again[FLOOR_TEXT_MAX], copy[FLOOR_TEXT_MAX], is_signed[4];

	*floor = (struct floor){0};
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (sscanf(copy,
		   "sekimori-floor 1\nentry %" SCNu64 "\nversion %" SCNu64
		   "\nsigned %3s\ndigest %64s\nseal %64s\nsignatures %u\n",
		   &floor->entry, &floor->version, is_signed, floor->digest, floor->seal,
		   &floor->n_signatures) != 6)
		return false;
	floor->is_signed = !strcmp(is_signed, "yes");
	return floor_format(floor, again) == len && !memcmp(again, text, len);
}

int floor_judge(const struct floor *floor, uint64_t version, const char *digest, bool is_signed)
{
	if (floor->is_signed && !is_signed)
		return FLOOR_E_UNSIGNED;
	if (!floor->entry)
		return 0;
	if (version < floor->version)
		return FLOOR_E_LOWER;
	if (is_signed && version == floor->version && strcmp(digest, floor->digest) != 0)
		return FLOOR_E_SAME;
	return 0;
}
