// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/fields.h"

#include <string.h>

#include "core/utf8.h"

static const char *const names[N_FIELDS] = {
	[FIELD_SEQ] = "seq", [FIELD_TIME] = "time", [FIELD_BOOT_US] = "boot_us",
	[FIELD_KIND] = "kind", [FIELD_TERMINAL] = "terminal", [FIELD_DEVICE] = "device",
	[FIELD_ID] = "id", [FIELD_SERIAL] = "serial", [FIELD_MANUFACTURER] = "manufacturer",
	[FIELD_PRODUCT] = "product", [FIELD_FINGERPRINT] = "fingerprint",
	[FIELD_REASON] = "reason", [FIELD_MEDIUM] = "medium", [FIELD_ACCESS] = "access",
	[FIELD_USER] = "user", [FIELD_UID] = "uid", [FIELD_WHY] = "why",
	[FIELD_DETAIL] = "detail", [FIELD_ATTEMPT] = "attempt", [FIELD_PROGRAM] = "program",
	[FIELD_OP] = "op", [FIELD_PATH] = "path", [FIELD_SIZE] = "size", [FIELD_COUNT] = "count",
	[FIELD_POLICY] = "policy", [FIELD_POLICY_VERSION] = "policy_version",
	[FIELD_SIGNED] = "signed", [FIELD_STATE] = "state", [FIELD_VERSION] = "version",
	[FIELD_BACKEND] = "backend", [FIELD_RESULT] = "result", [FIELD_OK] = "ok",
	[FIELD_WARN] = "warn", [FIELD_FAIL] = "fail", [FIELD_ITEMS] = "items",
	[FIELD_METHOD] = "method", [FIELD_NUMBER] = "number", [FIELD_TYPE] = "type",
	[FIELD_FIRST_SEQ] = "first_seq", [FIELD_LAST_SEQ] = "last_seq", [FIELD_ERROR] = "error",
	[FIELD_VERDICT_US] = "verdict_us", [FIELD_CREATE] = "create",
	[FIELD_WRITE] = "write", [FIELD_RENAME] = "rename", [FIELD_DELETE] = "delete",
	[FIELD_READ] = "read", [FIELD_BYTES_WRITTEN] = "bytes_written",
	[FIELD_BYTES_READ] = "bytes_read", [FIELD_LIMITED] = "limited", [FIELD_FILE] = "file", [FIELD_MEDIA] = "media",
	[FIELD_CAUSE] = "cause",
	[FIELD_SIGNERS] = "signers", [FIELD_AGAIN] = "again", [FIELD_UNKNOWN] = "unknown",
	[FIELD_RETENTION_DAYS] = "retention_days", [FIELD_EXCEPTION] = "exception",
	[FIELD_FROM] = "from", [FIELD_TO] = "to", [FIELD_PERSON] = "person",
	[FIELD_REQUESTER] = "requester", [FIELD_BY] = "by", [FIELD_EMERGENCY] = "emergency",
	[FIELD_PURPOSE] = "purpose", [FIELD_DATA_CLASS] = "data_class", [FIELD_FORM] = "form",
	[FIELD_CLASS] = "class", [FIELD_BEGIN] = "begin", [FIELD_END] = "end",
	[FIELD_RETURN_BY] = "return_by", [FIELD_BYTES] = "bytes",
	[FIELD_AT] = "at", [FIELD_UNTIL] = "until", [FIELD_UNTOLD] = "untold",
	[FIELD_DRILL] = "drill", [FIELD_ROAD] = "road",
};

struct cursor {
	const char *at, *end;
};

static void skip_blanks(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
}

static bool take(struct cursor *c, char wanted)
{
	skip_blanks(c);
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static bool take_string(struct cursor *c, struct field_span *span)
{
	if (!take(c, '"'))
		return false;
	span->text = c->at;
	span->is_string = true;
	while (c->at < c->end && *c->at != '"')
		c->at += *c->at == '\\' && c->end - c->at > 1 ? 2 : 1;
	if (c->at >= c->end)
		return false;
	span->len = (size_t)(c->at - span->text);
	c->at++;
	return true;
}

/* An array or object, as a whole: only where it ends matters. */
static bool take_nested(struct cursor *c, struct field_span *span)
{
	struct field_span string;
	size_t depth = 0;

	span->text = c->at;
	do {
		char byte = *c->at;

		if (byte == '"') {
			if (!take_string(c, &string))
				return false;
			continue;
		}
		depth += byte == '[' || byte == '{';
		depth -= byte == ']' || byte == '}';
		c->at++;
	} while (depth && c->at < c->end);
	span->len = (size_t)(c->at - span->text);
	return !depth;
}

static bool take_value(struct cursor *c, struct field_span *span)
{
	*span = (struct field_span){ .text = NULL };
	skip_blanks(c);
	if (c->at == c->end)
		return false;
	if (*c->at == '"')
		return take_string(c, span);
	if (*c->at == '[' || *c->at == '{')
		return take_nested(c, span);
	span->text = c->at;
	while (c->at < c->end && !strchr(",} \t\"[{:", *c->at))
		c->at++;
	span->len = (size_t)(c->at - span->text);
	return span->len;
}

static void keep(struct fields *fields, const struct field_span *name, const struct field_span *value)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		if (names[i][0] == name->text[0] && strlen(names[i]) == name->len &&
		    !memcmp(names[i], name->text, name->len)) {
			fields->spans[i] = *value;
			return;
		}
	}
}

bool fields_parse(struct fields *fields, const char *line, size_t len)
{
	struct cursor c = { .at = line, .end = line + len };
	struct field_span name, value;

	*fields = (struct fields){ .spans[0].text = NULL };
	if (!take(&c, '{'))
		return false;
	if (take(&c, '}'))
		goto end;
	do {
		if (!take_string(&c, &name) || !take(&c, ':') || !take_value(&c, &value))
			goto broken;
		if (name.len)
			keep(fields, &name, &value);
	} while (take(&c, ','));
	if (!take(&c, '}'))
		goto broken;
end:
	skip_blanks(&c);
	if (c.at == c.end)
		return true;
broken:
	*fields = (struct fields){ .spans[0].text = NULL };
	return false;
}

/* --- values --- */

static bool take_hex4(const char *text, const char *end, uint32_t *value)
{
	if (end - text < 4)
		return false;
	*value = 0;
	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef";
		const char *digit = strchr(digits, text[i] | 0x20);

		if (!text[i] || !digit)
			return false;
		*value = *value << 4 | (uint32_t)(digit - digits);
	}
	return true;
}

/* The character behind \u, surrogates put together (RFC 8259, 7); *at behind it. */
static uint32_t take_escaped(const char **at, const char *end)
{
	uint32_t first, second;

	if (!take_hex4(*at, end, &first))
		return 0xfffd;
	*at += 4;
	if (first >= 0xd800 && first < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' &&
	    (*at)[1] == 'u' && take_hex4(*at + 2, end, &second) && second >= 0xdc00 &&
	    second < 0xe000) {
		*at += 6;
		return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
	}
	return !first || (first >= 0xd800 && first < 0xe000) ? 0xfffd : first;
}

static size_t encode(uint32_t cp, char out[static 4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

static uint32_t simple_escape(char letter)
{
	switch (letter) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	}
	return (unsigned char)letter;
}

/* The next character of a JSON string as bytes; what is not UTF-8 stays as the byte it is. */
static size_t next_piece(const char **at, const char *end, char piece[static 4])
{
	const char *from = *at;
	size_t n;

	if (*from == '\\' && end - from > 1) {
		*at = from + 2;
		return encode(from[1] == 'u' ? take_escaped(at, end) : simple_escape(from[1]), piece);
	}
	if (!*from) {
		*at = from + 1;
		return encode(0xfffd, piece);
	}
	n = utf8_decode(from, (size_t)(end - from), NULL);
	n = n ? n : 1;
	memcpy(piece, from, n);
	*at = from + n;
	return n;
}

char *fields_string(const struct fields *fields, enum field field, char out[static FIELD_STRING_MAX])
{
	const struct field_span *span = &fields->spans[field];
	const char *at = span->text, *end;
	size_t n = 0;

	out[0] = '\0';
	if (!at || !span->is_string)
		return out;
	for (end = at + span->len; at < end;) {
		char piece[4];
		size_t len = next_piece(&at, end, piece);

		if (n + len >= FIELD_STRING_MAX)
			break;
		memcpy(out + n, piece, len);
		n += len;
	}
	out[n] = '\0';
	return out;
}

uint64_t fields_number(const struct fields *fields, enum field field)
{
	const struct field_span *span = &fields->spans[field];
	uint64_t value = 0;

	if (!span->text || span->is_string)
		return 0;
	for (size_t i = 0; i < span->len; i++) {
		char digit = span->text[i];

		if (digit < '0' || digit > '9' ||
		    __builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(digit - '0'), &value))
			return 0;
	}
	return value;
}

bool fields_is(const struct fields *fields, enum field field, const char *word)
{
	const struct field_span *span = &fields->spans[field];

	return span->text && span->is_string && strlen(word) == span->len &&
	       !memcmp(span->text, word, span->len);
}

bool fields_has(const struct fields *fields, enum field field)
{
	return fields->spans[field].text;
}

bool fields_true(const struct fields *fields, enum field field)
{
	const struct field_span *span = &fields->spans[field];

	return span->text && !span->is_string && span->len == 4 && !memcmp(span->text, "true", 4);
}
