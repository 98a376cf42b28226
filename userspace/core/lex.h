/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lexical layer under every text file of ours: UTF-8, one statement a line, words and strings
 * separated by blanks, comments from # to the end of the line. A byte order mark at the start is skipped.
 *
 *   word    characters other than blank, double quote and #
 *   string  "…" with \" \\ \n \t \xHH; must end on its line
 *
 * Problems are reported with file, line and column (both from 1; columns count bytes) to the caller's
 * function, and reading goes on with the next line, so that all of them are seen at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/macro.h"

/* A line longer than this is an error: no statement needs it, and it bounds every later step. */
#define LEX_LINE_MAX 65536
/* Words and strings of one statement. */
#define LEX_TOKENS_MAX 256

struct lex_token {
	const char *text; /* NUL-terminated, valid UTF-8; owned by the lexer until the next line */
	size_t len;
	unsigned int column;
	unsigned int end; /* column behind it */
	bool quoted;
};

/* Bytes of a message, NUL included. */
#define LEX_MESSAGE_MAX 512

/* Where and what; `message` says what was expected, in the language of the process (core/mark-text.h). */
typedef void (*lex_error_fn)(void *userdata, const char *file, unsigned int line,
			     unsigned int column, const char *message);

struct lex {
	const char *file; /* for messages */
	const char *text;
	size_t len;
	size_t pos;
	unsigned int line;   /* of the current statement */
	const char *raw;     /* its text, without line feed */
	size_t raw_len;
	unsigned int errors; /* so far */
	lex_error_fn error;
	void *userdata;
	struct lex_token tokens[LEX_TOKENS_MAX];
	size_t n_tokens;
	size_t next; /* token that lex_take() gives next */
	char *buffer; /* of LEX_LINE_MAX + 1 bytes */
};

/* `file` and `text` stay the caller's and must live as long as the lexer. 0 or -ENOMEM. */
int lex_init(struct lex *lex, const char *file, const char *text, size_t len, lex_error_fn error,
	     void *userdata);
void lex_deinit(struct lex *lex);

/* Goes to the next line that holds a statement and is lexically right; false at the end. */
bool lex_statement(struct lex *lex);

/*
 * The same in two steps, for texts whose lines are not all of this form: to the next line that holds anything
 * and is valid UTF-8 without NUL (it is in lex->raw), and then into words. lex_cut() is false after an
 * error and for a mere comment.
 */
bool lex_next(struct lex *lex);
bool lex_cut(struct lex *lex);

/*
 * Messages, and what is expected, are English texts marked with N_(): they are translated here.
 *
 * Reports at a column of the current line, from 1.
 */
void lex_fail_at(struct lex *lex, unsigned int column, const char *message);

/* The next token of the statement, or NULL at its end. */
const struct lex_token *lex_take(struct lex *lex);

/* The same, but reports "expected WHAT" at the place if there is none. */
const struct lex_token *lex_expect(struct lex *lex, const char *what);

/* "expected WHAT" at a token or, with NULL, at the end of the statement. */
void lex_expected(struct lex *lex, const struct lex_token *at, const char *what);

/* Reports at a token (NULL: the end of the statement). */
void lex_fail(struct lex *lex, const struct lex_token *at, const char *format, ...) _printf_(3, 4);
