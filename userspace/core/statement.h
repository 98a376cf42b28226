/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small text files of one thing: a first line `KIND 1`, then statements `NAME VALUE`, each at most once, in any order, in
 * core/lex.h's form. A file is a table of statements; strict: what the table does not name, what stands twice, what is
 * missing, and words behind a value are errors, reported at their place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lex.h"

#define STATEMENTS_MAX 32
/* Bytes of a quoted text of `max` bytes with its NUL: every character could need a backslash. */
#define STATEMENT_STRING_MAX(max) (2 * (max) + 2)

struct statement {
	const char *name;
	/* Takes the value into the caller's `data`, or reports what is wrong with it. */
	void (*parse)(struct lex *lex, const struct lex_token *value, void *data);
	bool required;
};

/* Reads all of it. 0, or -EINVAL after errors were reported. At most STATEMENTS_MAX rows. */
int statement_read(struct lex *lex, const char *kind, const struct statement *statements, size_t n, void *data);

/* --- values: each reports by itself, and then returns false ------------------------------------ */

/* Safe text (core/text.h) of 1 to size - 1 bytes. */
bool statement_text(struct lex *lex, const struct lex_token *token, char *out, size_t size);

/* Decimal digits without leading zeros. */
bool statement_number(struct lex *lex, const struct lex_token *token, uint64_t min, uint64_t max, uint64_t *out);

/* Exactly 2 * size lower-case hexadecimal digits. */
bool statement_hex(struct lex *lex, const struct lex_token *token, uint8_t *out, size_t size);

/* One of the words; *out is its index. `expected` says which there are. */
bool statement_word(struct lex *lex, const struct lex_token *token, const char *const *words, size_t n,
		    const char *expected, size_t *out);

/* YYYY-MM-DDTHH:MM:SSZ: seconds since the epoch, UTC. */
#define STATEMENT_TIME_MAX 21
bool statement_time(struct lex *lex, const struct lex_token *token, int64_t *out);
void statement_time_format(int64_t utc, char out[static STATEMENT_TIME_MAX]);

/* Writes a safe text in double quotes; it always ends with NUL. */
void statement_quote(char *out, size_t size, const char *text);

/* --- writing -------------------------------------------------------------------------------------- */

/* A buffer of `size` bytes, `len` of which are written, with a NUL behind; what does not fit is cut. */
struct statement_writer {
	char *text;
	size_t size, len;
};

void statement_put(struct statement_writer *out, const char *format, ...) _printf_(2, 3);

/* One statement each. Empty texts and words, and the number 0, are left out. */
void statement_put_text(struct statement_writer *out, const char *name, const char *text);
void statement_put_word(struct statement_writer *out, const char *name, const char *word);
void statement_put_number(struct statement_writer *out, const char *name, uint64_t number);
void statement_put_time(struct statement_writer *out, const char *name, int64_t utc);
