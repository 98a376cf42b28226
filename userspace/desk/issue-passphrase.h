/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passphrases of media that the desk makes up. Pure: the random bytes come in as an argument.
 *
 * For holders, to be typed on any keyboard and read over the telephone in Japanese or English: four
 * words of three syllables and four digits, "kotume-sarihe-nokawa-mihotu-4827". 44 syllables that
 * no two systems of romanisation write differently: 12 * log2(44) + 4 * log2(10) = 78 bits, behind
 * argon2id.
 *
 * For recovery: 30 characters of Crockford's base 32 (no I, L, O, U) in groups of five, 150 bits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISSUE_HOLDER_WORDS 4
#define ISSUE_HOLDER_SYLLABLES 3
#define ISSUE_HOLDER_DIGITS 4
#define ISSUE_RECOVERY_GROUPS 6
#define ISSUE_RECOVERY_GROUP 5

/* Random bytes that each takes: eight for each choice, so that no choice is measurably more likely.
 */
#define ISSUE_HOLDER_RANDOM                                                                        \
	(8 * (ISSUE_HOLDER_WORDS * ISSUE_HOLDER_SYLLABLES + ISSUE_HOLDER_DIGITS))
#define ISSUE_RECOVERY_RANDOM (8 * ISSUE_RECOVERY_GROUPS * ISSUE_RECOVERY_GROUP)

#define ISSUE_HOLDER_MAX 64 /* with NUL */
#define ISSUE_RECOVERY_MAX 64

void issue_passphrase_holder(const uint8_t random[static ISSUE_HOLDER_RANDOM],
			     char out[static ISSUE_HOLDER_MAX]);
void issue_passphrase_recovery(const uint8_t random[static ISSUE_RECOVERY_RANDOM],
			       char out[static ISSUE_RECOVERY_MAX]);

/*
 * May a person choose this one for a medium? NULL, or what is wrong (English or Japanese): at least
 * 12 characters, only such as every keyboard types the same way (printable ASCII), at least five
 * different ones.
 */
const char *issue_passphrase_check(const char *passphrase);
