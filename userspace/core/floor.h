/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor: what this terminal must not fall below. It remembers the newest policy that was
 * accepted, so that neither an older one nor an unsigned one can take its place. As text, in this
 * order:
 *
 *	sekimori-floor 1
 *	entry 3                number in the history; 0: none was accepted yet
 *	version 5
 *	signed yes|no          yes stays yes
 *	digest HEX             BLAKE2b-256 of the policy
 *	seal HEX               BLAKE2b-256 of the policy with its signatures
 *	signatures 2           files N.k.minisig in the history
 *	sum HEX                BLAKE2b-256 of all lines above
 *
 * A text that differs from this in any byte is damaged: floor_parse() accepts exactly what
 * floor_format() writes. The sum finds accidents; it keeps nobody from writing who may write the
 * file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/macro.h"

/* 64 hexadecimal digits and a NUL. */
#define FLOOR_DIGEST_MAX 65
/* Longer than any text that floor_format() writes, with NUL. */
#define FLOOR_TEXT_MAX 512

struct floor {
	uint64_t entry;
	uint64_t version;
	bool is_signed;
	char digest[FLOOR_DIGEST_MAX];
	char seal[FLOOR_DIGEST_MAX];
	unsigned int n_signatures;
};

/* The floor of a terminal that has accepted nothing. */
void floor_init(struct floor *floor);

/* Returns the length of the text. */
size_t floor_format(const struct floor *floor, char out[static FLOOR_TEXT_MAX]);

/* False if the text is damaged; *floor is then undefined. */
bool floor_parse(struct floor *floor, const char *text, size_t len);

/* BLAKE2b-256 in hexadecimal: the form of every digest of a policy. */
void floor_digest(const void *data, size_t len, char out[static FLOOR_DIGEST_MAX]);

enum {
	FLOOR_E_LOWER = 1,    /* version below the floor */
	FLOOR_E_SAME = 2,     /* version of the floor, other content: only when it must be signed */
	FLOOR_E_UNSIGNED = 3, /* unsigned, after a signed one */
};

/* May this policy follow? 0 or FLOOR_E_…. */
int floor_judge(const struct floor *floor, uint64_t version, const char *digest, bool is_signed);
