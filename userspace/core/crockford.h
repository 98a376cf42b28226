/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers that people read to one another: Crockford's base 32 (https://www.crockford.com/base32.html) with his check
 * symbol, in groups of four with dashes, "7KQM-3F02-0C9*". A text has n data symbols of 5 bits, the most significant
 * one first, and one check symbol: the number modulo 37, of which 32 to 36 are written * ~ $ = U.
 *
 * Since 37 is prime and 32 a primitive root of it, the check symbol finds every single wrong symbol and every exchange
 * of two data symbols that are less than 36 places apart; of other mistakes it lets one in 37 pass.
 *
 * Reading forgives what ears, hands and Japanese keyboards do: small letters, O for 0, I and L for 1, blanks and dashes
 * anywhere, and all of these full-width.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CROCKFORD_GROUP 4
/* Data symbols of one text: what the callers need, and less than 36. */
#define CROCKFORD_SYMBOLS_MAX 31
/* Bytes of the text of n data symbols with its NUL. */
#define CROCKFORD_TEXT_MAX(n) ((n) + 1 + (n) / CROCKFORD_GROUP + 1)

enum {
	CROCKFORD_E_SYMBOL = 1, /* a character that is none of the symbols, or a check symbol inside */
	CROCKFORD_E_LENGTH = 2, /* too few symbols or too many */
	CROCKFORD_E_CHECK = 3,	/* mistyped or misheard */
};

/* `values` are 0 to 31. */
void crockford_format(const uint8_t *values, size_t n, char *out);

/* Reads exactly n data symbols and the check symbol. 0 or CROCKFORD_E_…; *values is then undefined. */
int crockford_parse(const char *text, uint8_t *values, size_t n);

/*
 * Fields of bits in the values, one behind the other: *bit is where the next one begins, and moves on. At most 32 bits;
 * `values` is zeroed before the first put.
 */
void crockford_put(uint8_t *values, size_t *bit, size_t width, uint32_t field);
uint32_t crockford_get(const uint8_t *values, size_t *bit, size_t width);
