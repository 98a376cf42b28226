// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/csv.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/macro.h"
#include "core/mark-text.h"
#include "core/utf8.h"

/* Does a spreadsheet take text that begins so for a formula? */
static bool begins_formula(const char *text)
{
	static const char *const beginnings[] = {"=",  "+",  "-",  "@",  "\t",
						 "\r", "＝", "＋", "－", "＠"};

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (!strncmp(text, beginnings[i], strlen(beginnings[i])))
			return true;
	return false;
}

/* --- writing --- */

size_t csv_cell(const char *text, char *out)
{
	/* A blank at either end is lost by some readers. */
	size_t len = strlen(text), at = 0;
	bool quoted =
		text[strcspn(text, ",\"\r\n")] || (len && (text[0] == ' ' || text[len - 1] == ' '));

	if (quoted)
		out[at++] = '"';
	if (begins_formula(text) || text[0] == '\'')
		out[at++] = '\'';
	for (; *text; text++) {
		if (*text == '"')
			out[at++] = '"';
		out[at++] = *text;
	}
	if (quoted)
		out[at++] = '"';
	out[at] = '\0';
	return at;
}

/* --- reading --- */

int csv_init(struct csv *csv, char *text, size_t len)
{
	size_t at = 0;

	*csv = (struct csv){.text = text, .len = len, .line = 1, .next_line = 1};
	while (at < len) {
		uint32_t cp;
		size_t n = utf8_decode(text + at, len - at, &cp);

		if (!n || !cp)
			return CSV_E_BYTES;
		csv->line += cp == '\n';
		at += n;
	}
	csv->line = 1;
	if (len >= strlen(CSV_BOM) && !memcmp(text, CSV_BOM, strlen(CSV_BOM)))
		csv->pos = strlen(CSV_BOM);
	return 0;
}

static char *unguard(char *cell)
{
	return cell[0] == '\'' && (cell[1] == '\'' || begins_formula(cell + 1)) ? cell + 1 : cell;
}

/*
 * Takes the cell at csv->pos and what ends it: ',', '\n', or 0 at the end of the text. CR before LF
 * belongs to the end. Unquoted text shrinks to its place, so it never overtakes what is still to be
 * read.
 */
static int take_cell(struct csv *csv, char **cell, char *end)
{
	char *text = csv->text;
	size_t from = csv->pos, to = from, at = from;
	bool quoted = text[at] == '"';

	at += quoted;
	for (; at < csv->len; at++) {
		if (text[at] == '\n')
			csv->next_line++;
		if (quoted && text[at] == '"') {
			if (text[at + 1] != '"')
				break;
			at++;
		} else if (!quoted && (text[at] == ',' || text[at] == '\n' || text[at] == '"')) {
			break;
		}
		text[to++] = text[at];
	}
	if (quoted) {
		if (at == csv->len)
			return CSV_E_QUOTE;
		at++;
		if (text[at] == '\r' && text[at + 1] == '\n')
			at++;
		csv->next_line += text[at] == '\n';
	} else if (to > from && text[to - 1] == '\r' && text[at] != ',') {
		to--;
	}
	if (text[at] != ',' && text[at] != '\n' && at != csv->len)
		return CSV_E_QUOTE;
	*end = text[at];
	csv->pos = at + (at < csv->len);
	text[to] = '\0';
	*cell = unguard(text + from);
	return 0;
}

int csv_next(struct csv *csv, char **cells, size_t max, size_t *n)
{
	char end = ',';

	for (*n = 0; csv->pos < csv->len || (*n && end == ',');) {
		char *cell;
		int r;

		if (!*n)
			csv->line = csv->next_line;
		r = take_cell(csv, &cell, &end);
		if (r)
			return r;
		/* An empty line. */
		if (!*n && end != ',' && !*cell)
			continue;
		if (*n == max)
			return CSV_E_CELLS;
		cells[(*n)++] = cell;
		if (end != ',')
			break;
	}
	return *n ? 0 : CSV_E_END;
}

const char *csv_error(int code)
{
	switch (code) {
	case CSV_E_QUOTE:
		return N_("a double quote that is not closed, or stands inside a cell; expected CSV "
		       "as "
		       "in RFC 4180");
	case CSV_E_CELLS:
		return N_("more cells than the first line has titles");
	case CSV_E_BYTES:
		return N_("not UTF-8; save it as \"CSV UTF-8\"");
	}
	return N_("no more rows");
}
