// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/hex.h"
#include "core/lex.h"
#include "core/mark-text.h"
#include "core/utf8.h"

int lex_init(struct lex *lex, const char *file, const char *text, size_t len, lex_error_fn error,
	     void *userdata)
{
	*lex = (struct lex){ .file = file, .text = text, .len = len, .error = error,
			     .userdata = userdata };
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		lex->pos = 3;
	lex->buffer = malloc(LEX_LINE_MAX + 1);
	return lex->buffer ? 0 : -ENOMEM;
}

void lex_deinit(struct lex *lex)
{
	free(lex->buffer);
	lex->buffer = NULL;
}

static void lex_report(struct lex *lex, size_t column, const char *message)
{
	lex->errors++;
	if (lex->error)
		lex->error(lex->userdata, lex->file, lex->line, (unsigned int)column, message);
}

void lex_fail(struct lex *lex, const struct lex_token *at, const char *format, ...)
{
	const struct lex_token *last = lex->n_tokens ? &lex->tokens[lex->n_tokens - 1] : NULL;
	char message[LEX_MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), _(format), args);
	utf8_trim(message);
	va_end(args);
	if (at)
		lex_report(lex, at->column, message);
	else
		lex_report(lex, last ? last->end : 1, message);
}

void lex_fail_at(struct lex *lex, unsigned int column, const char *message)
{
	lex_report(lex, column, *message ? _(message) : message);
}

/* Reads a string that starts at line[i] (the opening quote). Returns the index after it, 0 on error. */
static size_t lex_string(struct lex *lex, const char *line, size_t len, size_t i, char **out)
{
	size_t start = i++;
	char *p = *out;

	while (i < len && line[i] != '"') {
		if (line[i] != '\\') {
			*p++ = line[i++];
			continue;
		}
		switch (i + 1 < len ? line[i + 1] : '\0') {
		case '"':
		case '\\':
			*p++ = line[i + 1];
			i += 2;
			break;
		case 'n':
			*p++ = '\n';
			i += 2;
			break;
		case 't':
			*p++ = '\t';
			i += 2;
			break;
		case 'x': {
			int hi = i + 2 < len ? hex_digit(line[i + 2]) : -1;
			int lo = i + 3 < len ? hex_digit(line[i + 3]) : -1;

			if (hi < 0 || lo < 0 || !(hi | lo)) {
				lex_report(lex, i + 1, _("\\x needs two hexadecimal digits, not 00"));
				return 0;
			}
			*p++ = (char)(hi << 4 | lo);
			i += 4;
			break;
		}
		default:
			lex_report(lex, i + 1, _("unknown escape; expected \\\" \\\\ \\n \\t or \\xHH"));
			return 0;
		}
	}
	if (i >= len) {
		lex_report(lex, start + 1, _("string does not end on its line; expected \""));
		return 0;
	}
	if (!utf8_valid(*out, (size_t)(p - *out))) {
		lex_report(lex, start + 1, _("string is not valid UTF-8"));
		return 0;
	}
	*out = p;
	return i + 1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Is it a line worth reading? Reports what is wrong with its bytes. */
static bool lex_check(struct lex *lex)
{
	const char *line = lex->raw;
	size_t len = lex->raw_len;
	bool empty = true;

	if (len > LEX_LINE_MAX) {
		lex_report(lex, LEX_LINE_MAX, _("line is longer than 64 KiB"));
		return false;
	}
	for (size_t k = 0; k < len;) {
		size_t n;

		/* Most of any file. */
		if (line[k] > ' ' && line[k] < 0x7f) {
			empty = false;
			k++;
			continue;
		}
		n = (unsigned char)line[k] < 0x80 ? 1 : utf8_decode(line + k, len - k, NULL);

		if (!n || !line[k]) {
			lex_report(lex, k + 1, n ? _("NUL byte") : _("not valid UTF-8"));
			return false;
		}
		empty &= is_blank(line[k]);
		k += n;
	}
	return !empty;
}

bool lex_cut(struct lex *lex)
{
	const char *line = lex->raw;
	size_t len = lex->raw_len;
	char *out = lex->buffer;
	size_t i = 0;

	while (i < len) {
		struct lex_token *token = &lex->tokens[lex->n_tokens];

		if (is_blank(line[i])) {
			i++;
			continue;
		}
		if (line[i] == '#')
			break;
		if (lex->n_tokens == LEX_TOKENS_MAX) {
			lex_report(lex, i + 1, _("too many words in one statement"));
			return false;
		}
		*token = (struct lex_token){ .text = out,
					     .column = (unsigned int)i + 1,
					     .quoted = line[i] == '"' };
		if (token->quoted) {
			i = lex_string(lex, line, len, i, &out);
			if (!i)
				return false;
			if (i < len && !is_blank(line[i]) && line[i] != '#') {
				lex_report(lex, i + 1, _("expected a blank after the string"));
				return false;
			}
		} else {
			while (i < len && !is_blank(line[i]) && line[i] != '"' && line[i] != '#')
				*out++ = line[i++];
			if (i < len && line[i] == '"') {
				lex_report(lex, i + 1, _("expected a blank before the string"));
				return false;
			}
		}
		token->len = (size_t)(out - token->text);
		token->end = (unsigned int)i + 1;
		*out++ = '\0';
		lex->n_tokens++;
	}
	return lex->n_tokens > 0;
}

bool lex_next(struct lex *lex)
{
	while (lex->pos < lex->len) {
		const char *line = lex->text + lex->pos;
		const char *end = memchr(line, '\n', lex->len - lex->pos);

		lex->raw = line;
		lex->raw_len = end ? (size_t)(end - line) : lex->len - lex->pos;
		lex->line++;
		lex->pos += lex->raw_len + (end ? 1 : 0);
		lex->n_tokens = lex->next = 0;
		if (lex_check(lex))
			return true;
	}
	return false;
}

bool lex_statement(struct lex *lex)
{
	while (lex_next(lex))
		if (lex_cut(lex))
			return true;
	return false;
}

const struct lex_token *lex_take(struct lex *lex)
{
	return lex->next < lex->n_tokens ? &lex->tokens[lex->next++] : NULL;
}

const struct lex_token *lex_expect(struct lex *lex, const char *what)
{
	const struct lex_token *token = lex_take(lex);

	if (!token)
		lex_expected(lex, NULL, what);
	return token;
}

void lex_expected(struct lex *lex, const struct lex_token *at, const char *what)
{
	lex_fail(lex, at, N_("expected %s"), _(what));
}
