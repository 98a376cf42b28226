/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A medium of the register, as one `medium` line of a policy tells of it. Its attributes are rows of the
 * table in medium.c. All strings live in the policy's arena.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/lex.h"
#include "core/mark-text.h"
#include "core/rule.h"

/* The longest number of a medium in bytes, with its NUL: it is printed on a sticker. */
#define MEDIUM_NUMBER_MAX 64

enum medium_status {
	MEDIUM_ACTIVE,
	MEDIUM_LENT,
	MEDIUM_LOST,
	MEDIUM_REVOKED,
	MEDIUM_DISPOSED,
};

struct medium {
	const char *number; /* as on its sticker */
	const char *serial;
	const char *luks_uuid;	 /* of the volume (also BitLocker's); lower case, 8-4-4-4-12; NULL: hardware */
	const char *fingerprint; /* or NULL */
	const struct text *const *holders;   /* users, or groups with @ in front; n_holders, 0: anybody */
	const struct text *const *terminals; /* patterns; n_terminals, 0: every one */
	int64_t from;  /* its term, civil seconds, both inclusive; 0: no limit */
	int64_t until;
	uint16_t id_vendor;
	uint16_t id_product;
	uint16_t n_holders;
	uint16_t n_terminals;
	uint8_t encryption; /* ENCRYPTION_… */
	uint8_t status;	    /* enum medium_status */
	uint8_t access;	    /* enum access */
	uint8_t class;	    /* of its data: 1 to 3; 0 if not said */
	uint32_t line;	    /* of its statement */
};

/* VVVV:PPPP, hexadecimal digits; false for anything else. MEDIUM_ID_WORDS is for messages. */
#define MEDIUM_ID_WORDS N_("vendor and product id like 1234:abcd")
bool medium_id_parse(const char *text, size_t len, uint16_t *id_vendor, uint16_t *id_product);

/*
 * Parses the rest of a `medium` statement. 0 (also after errors were reported: see lex->errors) or
 * -ENOMEM.
 */
int medium_parse(struct arena *arena, struct lex *lex, struct medium *medium);

/* Do the terms of two lines have a moment in common? */
bool medium_terms_overlap(const struct medium *a, const struct medium *b);

/* "active", … */
const char *medium_status_name(enum medium_status status);
