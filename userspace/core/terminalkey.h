/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A terminal's key, with which it knows the help desk's answers by telephone (core/phonecode.h). The desk derives it from
 * one secret of its own, which no terminal has, and from the terminal's name: HKDF-SHA-256 (RFC 5869), salt is the name,
 * info is "sekimori terminal key 1" and the key's generation as 4 octets, big-endian. Who takes a key out of one terminal
 * can answer that terminal alone, and no more than that once the desk has given it the next generation.
 *
 * The terminal gets it as a text file (core/lex.h):
 *
 *	sekimori-terminal-key 1
 *	terminal "ZEI-014"
 *	generation 1
 *	key "64 hexadecimal digits"
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/grant.h"
#include "core/lex.h"

#define TERMINALKEY_SECRET_SIZE 32
#define TERMINALKEY_SIZE 32
#define TERMINALKEY_GENERATION_MAX 1000000
#define TERMINALKEY_TEXT_MAX 1024 /* with NUL */

struct terminalkey {
	char terminal[GRANT_NAME_MAX];
	uint32_t generation; /* from 1 */
	uint8_t key[TERMINALKEY_SIZE];
};

/* Is it a name that a terminal may have here: safe text (core/text.h) of 1 to GRANT_NAME_MAX - 1 bytes? */
bool terminalkey_name_ok(const char *name);

/* Fills all of *key; the caller wipes it. The name is terminalkey_name_ok(), the generation 1 to _GENERATION_MAX. */
void terminalkey_derive(const uint8_t secret[static TERMINALKEY_SECRET_SIZE], const char *name, uint32_t generation,
			struct terminalkey *key);

/* The file's text; returns its length. The caller wipes it. */
size_t terminalkey_format(const struct terminalkey *key, char out[static TERMINALKEY_TEXT_MAX]);

/*
 * Reads such a file. 0, -EINVAL after its errors were reported, -ENOMEM. Whether the key is this terminal's, by its name, is
 * for the caller to say.
 */
int terminalkey_parse(const char *file, const char *text, size_t len, lex_error_fn error, void *userdata,
		      struct terminalkey *key);
