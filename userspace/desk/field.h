/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the register knows of a medium: a table of fields in field.c. Every value is a text in one
 * form; "" means that there is none. CSV columns, JSON members, table titles and checks come from
 * the table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/macro.h"

enum field {
	/* The medium's identity: set once, when it is entered. */
	FIELD_NUMBER,      /* as on its sticker */
	FIELD_PRODUCT,     /* model */
	FIELD_ID,          /* "1234:abcd", lower case: USB vendor and product */
	FIELD_SERIAL,      /* USB serial number; "" is a value: some devices have none */
	FIELD_FINGERPRINT, /* "blake2b:…" */
	/* What its events set; each replaces what was before. */
	FIELD_STATUS,     /* transition.h's words; set by the register alone */
	FIELD_CLASS,      /* "I", "II", "III" */
	FIELD_CONTENT,    /* what is kept on it */
	FIELD_ACCESS,     /* "ro", "rw" */
	FIELD_ENCRYPTION, /* "luks2", …: core/encryption.h */
	FIELD_LUKS_UUID,  /* lower case */
	FIELD_HOLDER,     /* who has it: a person, for people */
	FIELD_USERS, /* logins and @groups that terminals let use it, with commas between; "" all */
	FIELD_PLACE, /* where it is kept or used */
	FIELD_TERMINALS, /* names or PREFIX*, with commas between; "" all */
	FIELD_ISSUED,    /* YYYY-MM-DD, these four */
	FIELD_FROM,      /* its term */
	FIELD_UNTIL,
	FIELD_DUE, /* when a loan ends */
	FIELD_NOTE,
	FIELD_MARK, /* the mark as it was written to the medium: JSON, core/mark.h */
	FIELD_COUNT,
};

#define FIELD_IS_IDENTITY(field) ((field) <= FIELD_FINGERPRINT)

struct field_row {
	const char *name; /* in CSV, JSON and the database */
	const char *text;
	size_t max;    /* bytes */
	bool required; /* in a medium that is entered */
	/* NULL, or what was expected. Called for values that are not empty and are safe text. */
	const char *(*check)(const char *value);
};

extern const struct field_row field_rows[FIELD_COUNT];

/* FIELD_COUNT if there is no such name. */
enum field field_find(const char *name);

/* NULL if the value may be kept, or what was expected: the end of "expected …", not translated yet. */
const char *field_check(enum field field, const char *value);

/* One value for each field, NULL where nothing is said. Zero it to start. */
struct record {
	char *values[FIELD_COUNT];
};

void record_deinit(struct record *record);

/* Copies; NULL takes the value away. Exits without memory, as all of the tool. */
void record_set(struct record *record, enum field field, const char *value);

/* "" where nothing is said. */
const char *record_get(const struct record *record, enum field field);

/* Lays what `sets` says over `record`. */
void record_apply(struct record *record, const struct record *sets);
