// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdbool.h>
#include <string.h>

#include "core/crockford.h"
#include "core/utf8.h"

#define BITS 5
#define MODULUS 37

static const char symbols[MODULUS + 1] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

static unsigned int checksum(const uint8_t *values, size_t n)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (sum * 32 + values[i]) % MODULUS;
	return sum;
}

void crockford_format(const uint8_t *values, size_t n, char *out)
{
	for (size_t i = 0; i <= n; i++) {
		if (i && i % CROCKFORD_GROUP == 0)
			*out++ = '-';
		*out++ = symbols[i < n ? values[i] & 31 : checksum(values, n)];
	}
	*out = '\0';
}

/* What stands between symbols: a blank, or one of the many dashes that keyboards and word processors make. */
static bool is_between(uint32_t cp)
{
	switch (cp) {
	case ' ':
	case '\t':
	case '\r':
	case '\n':
	case '-':
	case 0x00a0: /* no-break space */
	case 0x2212: /* minus */
	case 0x3000: /* ideographic space */
	case 0x30fc: /* prolonged sound mark: what the key beside 0 gives while Japanese is typed */
	case 0xff70: /* … half-width */
		return true;
	}
	return cp >= 0x2010 && cp <= 0x2015;
}

/* 0 to 36, or -1. */
static int symbol_value(uint32_t cp)
{
	const char *at;

	/* Full-width forms of ASCII stand in its order. */
	if (cp >= 0xff01 && cp <= 0xff5e)
		cp -= 0xff01 - '!';
	else if (cp == 0x301c) /* wave dash: some fonts' and keyboards' tilde */
		cp = '~';
	if (cp >= 'a' && cp <= 'z')
		cp -= 'a' - 'A';
	if (cp == 'O')
		return 0;
	if (cp == 'I' || cp == 'L')
		return 1;
	at = cp && cp < 0x80 ? strchr(symbols, (int)cp) : NULL;
	return at ? (int)(at - symbols) : -1;
}

int crockford_parse(const char *text, uint8_t *values, size_t n)
{
	size_t left = strlen(text), at = 0;
	unsigned int check = 0;

	while (left) {
		uint32_t cp;
		size_t len = utf8_decode(text, left, &cp);
		int value;

		if (!len)
			return CROCKFORD_E_SYMBOL;
		text += len;
		left -= len;
		/* The minus of the full-width forms too. */
		if (is_between(cp) || cp == 0xff0d)
			continue;
		value = symbol_value(cp);
		if (value < 0)
			return CROCKFORD_E_SYMBOL;
		if (at > n)
			return CROCKFORD_E_LENGTH;
		if (at == n)
			check = (unsigned int)value;
		else if (value >= 32)
			return CROCKFORD_E_SYMBOL;
		else
			values[at] = (uint8_t)value;
		at++;
	}
	if (at != n + 1)
		return CROCKFORD_E_LENGTH;
	return checksum(values, n) == check ? 0 : CROCKFORD_E_CHECK;
}

void crockford_put(uint8_t *values, size_t *bit, size_t width, uint32_t field)
{
	for (size_t i = width; i--; ++*bit)
		if (field >> i & 1)
			values[*bit / BITS] |= (uint8_t)(1u << (BITS - 1 - *bit % BITS));
}

uint32_t crockford_get(const uint8_t *values, size_t *bit, size_t width)
{
	uint32_t field = 0;

	for (size_t i = 0; i < width; i++, ++*bit)
		field = field << 1 | (values[*bit / BITS] >> (BITS - 1 - *bit % BITS) & 1);
	return field;
}
