/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CSV as RFC 4180 has it (comma, double quotes, CR LF), in UTF-8; as spreadsheets read and write
 * it. A byte order mark in front is what tells them that it is UTF-8.
 *
 * A spreadsheet takes a cell that begins with = + - @ (or their full-width forms), a tabulator or a
 * carriage return for a formula. Such a cell is written with an apostrophe in front, and so is one
 * that begins with an apostrophe; reading takes one apostrophe away where such a character follows.
 * So what was written is read back as it was.
 *
 * Pure: no files. What is read may be anything.
 */
#pragma once

#include <stddef.h>

#define CSV_BOM "\xef\xbb\xbf"
#define CSV_END "\r\n"

enum {
	CSV_E_END = 1, /* no more rows */
	CSV_E_QUOTE =
		2, /* a quote that is not closed, or text behind a closing one, or one inside */
	CSV_E_CELLS = 3, /* more cells than asked for */
	CSV_E_BYTES = 4, /* not UTF-8, or NUL */
};

/* Characters that a cell of `len` bytes takes at most, without comma. */
#define CSV_CELL_MAX(len) (2 * (len) + 3)

/*
 * Writes one cell, guarded and quoted where needed, and a NUL; returns its length. `out` has room
 * for CSV_CELL_MAX + 1.
 */
size_t csv_cell(const char *text, char *out);

/* Reads in place: rows are cut out of `text`, which has a NUL at text[len]. */
struct csv {
	char *text;
	size_t len;
	size_t pos;
	size_t line; /* from 1, on which the row that was read last begins */
	size_t next_line;
};

/* Skips a byte order mark. 0 or CSV_E_BYTES (csv->line then is where). */
int csv_init(struct csv *csv, char *text, size_t len);

/*
 * The next row that is not empty, as *n texts in cells[]. 0 or CSV_E_END, _QUOTE, _CELLS; then
 * reading is over.
 */
int csv_next(struct csv *csv, char **cells, size_t max, size_t *n);

/* What a code means, in English: the end of "FILE:LINE: …". */
const char *csv_error(int code);
