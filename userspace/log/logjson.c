// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logjson.h"

#include <string.h>

#include "core/macro.h"
#include "log/logrecord.h"

/* Each takes what begins at p and returns where it ends, or NULL: it is not that. */

static const char *take_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

static const char *take_hex(const char *p, const char *end)
{
	if (end - p < 4)
		return NULL;
	for (const char *stop = p + 4; p < stop; p++)
		if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f') || (*p >= 'A' && *p <= 'F')))
			return NULL;
	return p;
}

static const char *take_string(const char *p, const char *end)
{
	if (p == end || *p++ != '"')
		return NULL;
	while (p < end && *p != '"') {
		if (*p++ != '\\')
			continue;
		if (p == end || !*p || !strchr("\"\\/bfnrtu", *p))
			return NULL;
		p = *p == 'u' ? take_hex(p + 1, end) : p + 1;
		if (!p)
			return NULL;
	}
	return p < end ? p + 1 : NULL;
}

static const char *take_digits(const char *p, const char *end)
{
	const char *begin = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p > begin ? p : NULL;
}

static const char *take_number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	p = p < end && *p == '0' ? p + 1 : take_digits(p, end);
	if (p && p < end && *p == '.')
		p = take_digits(p + 1, end);
	if (p && p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p = take_digits(p < end && (*p == '+' || *p == '-') ? p + 1 : p, end);
	}
	return p;
}

static const char *take_word(const char *p, const char *end)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if ((size_t)(end - p) >= strlen(words[i]) && !memcmp(p, words[i], strlen(words[i])))
			return p + strlen(words[i]);
	return NULL;
}

static const char *take_value(const char *p, const char *end, unsigned int depth);

static const char *take_key(const char *p, const char *end)
{
	p = take_string(p, end);
	p = p ? take_blanks(p, end) : NULL;
	return p && p < end && *p == ':' ? take_blanks(p + 1, end) : NULL;
}

/* An object or an array. */
static const char *take_all(const char *p, const char *end, unsigned int depth)
{
	bool object = *p == '{';
	char close = object ? '}' : ']';

	if (depth == LOGRECORD_DEPTH)
		return NULL;
	p = take_blanks(p + 1, end);
	if (p < end && *p == close)
		return p + 1;
	for (;;) {
		p = object ? take_key(p, end) : p;
		p = p ? take_value(p, end, depth + 1) : NULL;
		p = p ? take_blanks(p, end) : NULL;
		if (!p || p == end)
			return NULL;
		if (*p == close)
			return p + 1;
		if (*p != ',')
			return NULL;
		p = take_blanks(p + 1, end);
	}
}

static const char *take_value(const char *p, const char *end, unsigned int depth)
{
	if (p == end)
		return NULL;
	switch (*p) {
	case '{':
	case '[':
		return take_all(p, end, depth);
	case '"':
		return take_string(p, end);
	case 't':
	case 'f':
	case 'n':
		return take_word(p, end);
	default:
		return take_number(p, end);
	}
}

bool logjson_is_object(const char *text, size_t len)
{
	return len && *text == '{' && take_all(text, text + len, 0) == text + len;
}
