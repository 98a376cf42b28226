/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The members of a record that reports look at, found without building an object: a month has a million records. Reads
 * one line of JSON strictly enough to be right about what our daemon writes, and safely whatever it is: a line that
 * is no object has no fields. Of a member that stands there twice the last one counts, as for other readers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field {
	FIELD_SEQ, FIELD_TIME, FIELD_BOOT_US, FIELD_KIND, FIELD_TERMINAL, FIELD_DEVICE, FIELD_ID,
	FIELD_SERIAL, FIELD_MANUFACTURER, FIELD_PRODUCT, FIELD_FINGERPRINT, FIELD_REASON,
	FIELD_MEDIUM, FIELD_ACCESS, FIELD_USER, FIELD_UID, FIELD_WHY, FIELD_DETAIL, FIELD_ATTEMPT,
	FIELD_PROGRAM, FIELD_OP, FIELD_PATH, FIELD_SIZE, FIELD_COUNT, FIELD_POLICY,
	FIELD_POLICY_VERSION, FIELD_SIGNED, FIELD_STATE, FIELD_VERSION, FIELD_BACKEND, FIELD_RESULT,
	FIELD_OK, FIELD_WARN, FIELD_FAIL, FIELD_ITEMS, FIELD_METHOD, FIELD_NUMBER, FIELD_TYPE,
	FIELD_FIRST_SEQ, FIELD_LAST_SEQ, FIELD_ERROR, FIELD_VERDICT_US, FIELD_CREATE,
	FIELD_WRITE, FIELD_RENAME, FIELD_DELETE, FIELD_READ, FIELD_BYTES_WRITTEN,
	FIELD_BYTES_READ, FIELD_LIMITED, FIELD_FILE, FIELD_MEDIA, FIELD_CAUSE, FIELD_SIGNERS,
	FIELD_AGAIN, FIELD_UNKNOWN, FIELD_RETENTION_DAYS, FIELD_EXCEPTION, FIELD_FROM, FIELD_TO,
	FIELD_PERSON, FIELD_REQUESTER, FIELD_BY, FIELD_EMERGENCY, FIELD_PURPOSE, FIELD_DATA_CLASS,
	FIELD_FORM, FIELD_CLASS, FIELD_BEGIN, FIELD_END, FIELD_RETURN_BY, FIELD_BYTES,
	FIELD_AT, FIELD_UNTIL, FIELD_UNTOLD, FIELD_DRILL, FIELD_ROAD,
	N_FIELDS,
};

/* Pointers into the line. */
struct fields {
	struct field_span {
		const char *text; /* NULL: there is no such member */
		size_t len;	  /* strings: what stands between the quotes */
		bool is_string;
	} spans[N_FIELDS];
};

/* False: the line is no JSON object, or is cut. */
bool fields_parse(struct fields *fields, const char *line, size_t len);

/* Longer strings are cut before a character. A NUL, and what is no Unicode character, becomes U+FFFD. */
#define FIELD_STRING_MAX 512

/* The string, decoded; "" if it is absent or no string. Returns out. */
char *fields_string(const struct fields *fields, enum field field, char out[static FIELD_STRING_MAX]);

/* The number, 0 if it is absent or no number from 0 to 2^64-1. */
uint64_t fields_number(const struct fields *fields, enum field field);

/* Is it this word? For words without escapes. */
bool fields_is(const struct fields *fields, enum field field, const char *word);

bool fields_has(const struct fields *fields, enum field field);

/* JSON true. */
bool fields_true(const struct fields *fields, enum field field);
