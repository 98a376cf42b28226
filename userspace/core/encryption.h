/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Methods of encryption that policies, rules, reports and the register speak of. Adding one is adding
 * a bit here and a row in encryption.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mark-text.h"

enum encryption {
	ENCRYPTION_LUKS2 = 1 << 0,
	ENCRYPTION_LUKS1 = 1 << 1,
	ENCRYPTION_BITLOCKER = 1 << 2,
	ENCRYPTION_HARDWARE = 1 << 3, /* the device itself: rests on descriptors, not on data seen */
	ENCRYPTION_OPTIONAL = 1 << 7, /* in a rule only: no proof is asked for */
};

/* Those that are proved by reading a header. */
#define ENCRYPTION_PROVABLE (ENCRYPTION_LUKS2 | ENCRYPTION_LUKS1 | ENCRYPTION_BITLOCKER)

/* For messages of parsers. */
#define ENCRYPTION_WORDS N_("luks2, luks1, bitlocker or hardware")
#define ENCRYPTION_EXPECTED N_("an encryption method: luks2, luks1, bitlocker or hardware")

/* The bit of a word ("luks2", …, not "optional"), 0 for any other. */
unsigned int encryption_find(const char *text, size_t len);

/* The word of one bit; "" for anything else. */
const char *encryption_name(unsigned int method);
