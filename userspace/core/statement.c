// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/civil.h"
#include "core/hex.h"
#include "core/mark-text.h"
#include "core/statement.h"
#include "core/text.h"

static void check_end(struct lex *lex)
{
	const struct lex_token *more = lex_take(lex);

	if (more)
		lex_fail(lex, more, N_("expected the end of the line"));
}

static bool read_kind(struct lex *lex, const char *kind)
{
	const struct lex_token *name, *version;

	if (!lex_statement(lex)) {
		/* An empty text has no line to speak of. */
		if (!lex->line)
			lex->line = 1;
		if (!lex->errors)
			lex_fail(lex, NULL, N_("expected '%s 1' as the first line"), kind);
		return false;
	}
	name = lex_take(lex);
	version = lex_take(lex);
	if (!name || name->quoted || strcmp(name->text, kind)) {
		lex_fail(lex, name, N_("expected '%s 1' as the first line"), kind);
		return false;
	}
	if (!version || version->quoted || strcmp(version->text, "1")) {
		lex_fail(lex, version, N_("expected 1: this version of Sekimori reads no other form of the file"));
		return false;
	}
	check_end(lex);
	return true;
}

static void read_statement(struct lex *lex, const struct statement *statements, size_t n, unsigned int *lines, void *data)
{
	const struct lex_token *name = lex_take(lex), *value;
	size_t i = 0;

	while (i < n && (name->quoted || strcmp(statements[i].name, name->text)))
		i++;
	if (i == n) {
		lex_fail(lex, name, N_("unknown statement"));
		return;
	}
	if (lines[i]) {
		lex_fail(lex, name, N_("%s stands already in line %u"), statements[i].name, lines[i]);
		return;
	}
	lines[i] = lex->line;
	value = lex_expect(lex, N_("a value"));
	if (!value)
		return;
	statements[i].parse(lex, value, data);
	check_end(lex);
}

int statement_read(struct lex *lex, const char *kind, const struct statement *statements, size_t n, void *data)
{
	unsigned int lines[STATEMENTS_MAX] = { 0 };

	if (!read_kind(lex, kind))
		return -EINVAL;
	while (lex_statement(lex))
		read_statement(lex, statements, n, lines, data);
	for (size_t i = 0; i < n && !lex->errors; i++)
		if (statements[i].required && !lines[i])
			lex_fail(lex, NULL, N_("the statement %s is missing"), statements[i].name);
	return lex->errors ? -EINVAL : 0;
}

bool statement_text(struct lex *lex, const struct lex_token *token, char *out, size_t size)
{
	if (!token->len || token->len >= size || !text_is_safe(token->text)) {
		lex_fail(lex, token, N_("expected a text of 1 to %zu bytes without control or invisible characters"),
			 size - 1);
		return false;
	}
	memcpy(out, token->text, token->len + 1);
	return true;
}

bool statement_number(struct lex *lex, const struct lex_token *token, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;
	bool ok = !token->quoted && token->len && (token->text[0] != '0' || token->len == 1);

	for (size_t i = 0; ok && i < token->len; i++) {
		unsigned int digit = (unsigned char)token->text[i] - (unsigned int)'0';

		ok = digit <= 9 && !__builtin_mul_overflow(number, 10, &number) &&
		     !__builtin_add_overflow(number, digit, &number);
	}
	if (!ok || number < min || number > max) {
		lex_fail(lex, token, N_("expected a number from %llu to %llu"), (unsigned long long)min,
			 (unsigned long long)max);
		return false;
	}
	*out = number;
	return true;
}

bool statement_hex(struct lex *lex, const struct lex_token *token, uint8_t *out, size_t size)
{
	bool ok = token->len == 2 * size;

	for (size_t i = 0; ok && i < size; i++) {
		int high = hex_digit(token->text[2 * i]), low = hex_digit(token->text[2 * i + 1]);

		ok = high >= 0 && low >= 0 && !(token->text[2 * i] >= 'A' && token->text[2 * i] <= 'F') &&
		     !(token->text[2 * i + 1] >= 'A' && token->text[2 * i + 1] <= 'F');
		if (ok)
			out[i] = (uint8_t)(high << 4 | low);
	}
	if (!ok)
		lex_fail(lex, token, N_("expected %zu hexadecimal digits in small letters"), 2 * size);
	return ok;
}

bool statement_word(struct lex *lex, const struct lex_token *token, const char *const *words, size_t n,
		    const char *expected, size_t *out)
{
	for (size_t i = 0; i < n && !token->quoted; i++)
		if (!strcmp(words[i], token->text)) {
			*out = i;
			return true;
		}
	lex_fail(lex, token, N_("expected one of: %s"), expected);
	return false;
}

bool statement_time(struct lex *lex, const struct lex_token *token, int64_t *out)
{
	/* Civil seconds are those of UTC where the Z says so. */
	if (!token->quoted && token->len == STATEMENT_TIME_MAX - 1 && token->text[token->len - 1] == 'Z' &&
	    civil_parse(token->text, token->len - 1, false, out))
		return true;
	lex_fail(lex, token, N_("expected a moment in UTC, like 2026-11-21T08:30:00Z"));
	return false;
}

void statement_time_format(int64_t utc, char out[static STATEMENT_TIME_MAX])
{
	char text[CIVIL_TEXT_MAX];

	civil_format(utc, text);
	memcpy(out, text, CIVIL_TEXT_MAX - 1);
	memcpy(out + CIVIL_TEXT_MAX - 1, "Z", 2);
}

void statement_quote(char *out, size_t size, const char *text)
{
	size_t at = 0;

	out[at++] = '"';
	for (; *text && at + 3 < size; text++) {
		if (*text == '"' || *text == '\\')
			out[at++] = '\\';
		out[at++] = *text;
	}
	out[at++] = '"';
	out[at] = '\0';
}

/* --- writing -------------------------------------------------------------------------------------- */

static void writer_advance(struct statement_writer *out, size_t n)
{
	size_t room = out->size - out->len - 1;

	out->len += n < room ? n : room;
}

void statement_put(struct statement_writer *out, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(out->text + out->len, out->size - out->len, format, args);
	va_end(args);
	writer_advance(out, n > 0 ? (size_t)n : 0);
}

void statement_put_text(struct statement_writer *out, const char *name, const char *text)
{
	if (!*text)
		return;
	statement_put(out, "%s ", name);
	/* Two quotes and the NUL. */
	if (out->size - out->len > 2)
		statement_quote(out->text + out->len, out->size - out->len, text);
	writer_advance(out, strlen(out->text + out->len));
	statement_put(out, "\n");
}

void statement_put_word(struct statement_writer *out, const char *name, const char *word)
{
	if (*word)
		statement_put(out, "%s %s\n", name, word);
}

void statement_put_number(struct statement_writer *out, const char *name, uint64_t number)
{
	if (number)
		statement_put(out, "%s %llu\n", name, (unsigned long long)number);
}

void statement_put_time(struct statement_writer *out, const char *name, int64_t utc)
{
	char time[STATEMENT_TIME_MAX];

	statement_time_format(utc, time);
	statement_put_word(out, name, time);
}
