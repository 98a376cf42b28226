// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <string.h>

#include "ctl/ruleline.h"

enum piece_kind {
	PIECE_WORD,
	PIECE_STRING,
	PIECE_ARGUMENT, /* (…) of a condition */
	PIECE_BRACE,
	PIECE_COMMENT,
	PIECE_END,
};

struct piece {
	enum piece_kind kind;
	size_t start;
	size_t len;
};

/* After the closing mark, which a backslash takes its meaning from. */
static size_t skip_to(const char *line, size_t len, size_t at, char closing)
{
	for (at++; at < len && line[at] != closing; at++)
		if (line[at] == '\\')
			at++;
	return at < len ? at + 1 : len;
}

static bool ends_word(char c)
{
	return !!strchr(" \t\r\"(){}#", c);
}

static struct piece next_piece(const char *line, size_t len, size_t at)
{
	struct piece piece;

	while (at < len && strchr(" \t\r", line[at]))
		at++;
	piece = (struct piece){.kind = PIECE_WORD, .start = at};
	if (at == len) {
		piece.kind = PIECE_END;
	} else if (line[at] == '"') {
		piece.kind = PIECE_STRING;
		at = skip_to(line, len, at, '"');
	} else if (line[at] == '(') {
		piece.kind = PIECE_ARGUMENT;
		at = skip_to(line, len, at, ')');
	} else if (line[at] == '#') {
		piece.kind = PIECE_COMMENT;
		at = len;
	} else if (ends_word(line[at])) {
		piece.kind = PIECE_BRACE;
		at++;
	} else {
		while (at < len && !ends_word(line[at]))
			at++;
	}
	piece.len = at - piece.start;
	return piece;
}

size_t ruleline_comment(const char *line, size_t len)
{
	struct piece piece = next_piece(line, len, 0);

	while (piece.kind != PIECE_COMMENT && piece.kind != PIECE_END)
		piece = next_piece(line, len, piece.start + piece.len);
	return piece.kind == PIECE_COMMENT ? piece.start : len;
}

unsigned int ruleline_target(const char *line, size_t len)
{
	return (unsigned int)next_piece(line, len, 0).start + 1;
}

unsigned int ruleline_attribute(const char *line, size_t len, const char *name)
{
	struct piece piece = next_piece(line, len, 0);
	bool inside = false;

	for (; piece.kind != PIECE_END; piece = next_piece(line, len, piece.start + piece.len)) {
		if (piece.kind == PIECE_BRACE)
			inside = line[piece.start] == '{';
		if (piece.kind == PIECE_WORD && !inside && piece.len == strlen(name) &&
		    !memcmp(line + piece.start, name, piece.len))
			return (unsigned int)piece.start + 1;
	}
	return ruleline_target(line, len);
}

static bool is_upper_id(const char *word, size_t len)
{
	bool upper = false;

	if (len < 6 || word[4] != ':')
		return false;
	for (size_t i = 0; i < len && word[i] != '*'; i++) {
		if (i != 4 && !isxdigit((unsigned char)word[i]))
			return false;
		upper |= word[i] >= 'A' && word[i] <= 'F';
	}
	return upper;
}

unsigned int ruleline_upper_id(const char *line, size_t len)
{
	size_t at = 0;

	for (;;) {
		struct piece piece = next_piece(line, len, at);

		if (piece.kind == PIECE_END || piece.kind == PIECE_COMMENT)
			return 0;
		if (piece.kind == PIECE_WORD && is_upper_id(line + piece.start, piece.len))
			return (unsigned int)piece.start + 1;
		/* The argument of allowed-matches(…) is itself of such words. */
		at = piece.start + (piece.kind == PIECE_ARGUMENT ? 1 : piece.len);
	}
}
