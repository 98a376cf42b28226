// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hex.h"
#include "core/mark-text.h"
#include "core/rule-parser.h"
#include "core/utf8.h"

bool parser_fail(struct parser *parser, const char *at, const char *format, ...)
{
	va_list args;

	if (!parser->failed) {
		parser->failed = true;
		parser->error->column = (unsigned int)(at - parser->line) + 1;
		va_start(args, format);
		vsnprintf(parser->error->message, sizeof(parser->error->message), _(format), args);
		utf8_trim(parser->error->message);
		va_end(args);
	}
	return false;
}

bool parser_no_memory(struct parser *parser)
{
	parser->failed = true;
	parser->error->message[0] = '\0';
	return false;
}

bool parser_skip_blanks(struct parser *parser)
{
	const char *start = parser->p;

	while (parser->p < parser->end && parser_is_blank(*parser->p))
		parser->p++;
	return parser->p > start;
}

bool parser_at_end(const struct parser *parser)
{
	return parser->p == parser->end;
}

bool parser_take_char(struct parser *parser, char c)
{
	if (parser_at_end(parser) || *parser->p != c)
		return false;
	parser->p++;
	return true;
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* The word at p, of letters, digits and hyphens; its length. */
size_t parser_peek_word(const struct parser *parser)
{
	const char *p = parser->p;

	while (p < parser->end && is_word_char(*p))
		p++;
	return (size_t)(p - parser->p);
}

bool parser_word_is(const char *p, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(p, word, len);
}

/* Exactly n hexadecimal digits. */
static bool take_hex(struct parser *parser, unsigned int n, unsigned int *value)
{
	unsigned int v = 0;

	if ((size_t)(parser->end - parser->p) < n)
		return false;
	for (unsigned int i = 0; i < n; i++) {
		int digit = hex_digit(parser->p[i]);

		if (digit < 0)
			return false;
		v = v << 4 | (unsigned int)digit;
	}
	parser->p += n;
	*value = v;
	return true;
}

/* --- values --- */

bool parser_id(struct parser *parser, union rule_value *value)
{
	static const char expected[] = N_("expected an id like 1234:abcd, 1234:* or *:*");
	const char *start = parser->p;
	struct rule_id *id = &value->id;
	unsigned int v;

	*value = (union rule_value){ .number = 0 };
	if (take_hex(parser, 4, &v)) {
		id->vendor = (uint16_t)v;
		id->parts = 1;
	} else if (!parser_take_char(parser, '*')) {
		return parser_fail(parser, start, expected);
	}
	if (!parser_take_char(parser, ':'))
		return parser_fail(parser, start, expected);
	if (take_hex(parser, 4, &v)) {
		if (!id->parts)
			return parser_fail(parser, start,
				       N_("a product without its vendor says nothing; %s"), _(expected));
		id->product = (uint16_t)v;
		id->parts = 2;
	} else if (!parser_take_char(parser, '*')) {
		return parser_fail(parser, start, expected);
	}
	return true;
}

bool parser_interface(struct parser *parser, union rule_value *value)
{
	static const char expected[] =
		N_("expected an interface like 08:06:50, 08:06:* or 08:*:* (hexadecimal)");
	const char *start = parser->p;
	struct rule_interface *intf = &value->interface;
	uint8_t *fields[] = { &intf->class, &intf->subclass, &intf->protocol };
	unsigned int v;

	*value = (union rule_value){ .number = 0 };
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		if (i && !parser_take_char(parser, ':'))
			return parser_fail(parser, start, expected);
		if (take_hex(parser, 2, &v)) {
			if (intf->parts != i)
				return parser_fail(parser, start, expected);
			*fields[i] = (uint8_t)v;
			intf->parts++;
		} else if (!i || !parser_take_char(parser, '*')) {
			return parser_fail(parser, start, expected);
		}
	}
	return true;
}

/*
 * A string in double quotes with \" \\ and \xHH. What is no UTF-8 after that is replaced as it is in
 * what a device says (ident_set_string), so that a rule made for such a device still matches it.
 */
bool parser_string(struct parser *parser, union rule_value *value)
{
	const char *start = parser->p, *q;
	char *raw, *clean;
	size_t n = 0, size;

	if (!parser_take_char(parser, '"'))
		return parser_fail(parser, start, N_("expected a \"string\""));
	/* Mostly there is nothing to undo: then the text is taken as it stands (the line is UTF-8). */
	for (q = parser->p; q < parser->end && *q != '"' && *q != '\\' && *q != '\r'; q++)
		;
	if (q < parser->end && *q == '"') {
		value->text = arena_text(parser->arena, parser->p, (size_t)(q - parser->p));
		parser->p = q + 1;
		return value->text || parser_no_memory(parser);
	}
	size = (size_t)(parser->end - parser->p);
	raw = malloc(size * 4 + 2);
	if (!raw)
		return parser_no_memory(parser);
	clean = raw + size;
	for (q = parser->p; q < parser->end && *q != '"'; q++) {
		int hi, lo;

		if (*q == '\r')
			break;
		if (*q != '\\') {
			raw[n++] = *q;
			continue;
		}
		if (q + 1 < parser->end && (q[1] == '"' || q[1] == '\\')) {
			raw[n++] = *++q;
			continue;
		}
		hi = q + 3 < parser->end && q[1] == 'x' ? hex_digit(q[2]) : -1;
		lo = hi >= 0 ? hex_digit(q[3]) : -1;
		if (lo < 0) {
			free(raw);
			return parser_fail(parser, q, N_("unknown escape; expected \\\" \\\\ or \\xHH"));
		}
		raw[n++] = (char)(hi << 4 | lo);
		q += 3;
	}
	if (q == parser->end || *q != '"') {
		free(raw);
		return parser_fail(parser, start, N_("the string does not end on its line; expected \""));
	}
	parser->p = q + 1;
	/* With a NUL in it no device can say it; kept as it is, it matches none. */
	if (utf8_valid(raw, n) || memchr(raw, '\0', n)) {
		value->text = arena_text(parser->arena, raw, n);
	} else {
		raw[n] = '\0';
		utf8_copy(clean, size * 3 + 2, raw, n);
		value->text = arena_text(parser->arena, clean, strlen(clean));
	}
	free(raw);
	return value->text || parser_no_memory(parser);
}

static bool parse_moment(struct parser *parser, union rule_value *value, bool end)
{
	const char *start = parser->p;

	while (!parser_at_end(parser) && (is_word_char(*parser->p) || *parser->p == ':'))
		parser->p++;
	if (civil_parse(start, (size_t)(parser->p - start), end, &value->civil))
		return true;
	return parser_fail(parser, start, N_("expected a date like 2026-04-01 or 2026-04-01T08:30"));
}

bool parser_from(struct parser *parser, union rule_value *value)
{
	return parse_moment(parser, value, false);
}

bool parser_until(struct parser *parser, union rule_value *value)
{
	return parse_moment(parser, value, true);
}

bool parser_access(struct parser *parser, union rule_value *value)
{
	size_t len = parser_peek_word(parser);

	if (parser_word_is(parser->p, len, "ro"))
		value->number = ACCESS_RO;
	else if (parser_word_is(parser->p, len, "rw"))
		value->number = ACCESS_RW;
	else
		return parser_fail(parser, parser->p, N_("expected ro or rw"));
	parser->p += len;
	return true;
}

bool parser_encrypted(struct parser *parser, union rule_value *value)
{
	size_t len = parser_peek_word(parser);

	value->number = parser_word_is(parser->p, len, "optional") ? ENCRYPTION_OPTIONAL :
							      encryption_find(parser->p, len);
	if (!value->number)
		return parser_fail(parser, parser->p, 
				   N_("expected a method of encryption: luks2, luks1, bitlocker or hardware (or optional)"));
	parser->p += len;
	return true;
}
