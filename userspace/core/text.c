// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/macro.h"
#include "core/text.h"
#include "core/utf8.h"

struct range {
	uint32_t first;
	uint32_t last;
};

static const struct range unsafe[] = {
	{0x0000, 0x001f},   /* C0 */
	{0x007f, 0x009f},   /* DEL, C1 */
	{0x00ad, 0x00ad},   /* soft hyphen */
	{0x034f, 0x034f},   /* combining grapheme joiner */
	{0x061c, 0x061c},   /* Arabic letter mark */
	{0x115f, 0x1160},   /* Hangul fillers */
	{0x17b4, 0x17b5},   /* Khmer inherent vowels */
	{0x180b, 0x180f},   /* Mongolian selectors and separator */
	{0x200b, 0x200f},   /* zero width, direction marks */
	{0x2028, 0x202e},   /* line and paragraph separators, embeddings, overrides */
	{0x2060, 0x206f},   /* invisible operators, isolates */
	{0x3164, 0x3164},   /* Hangul filler */
	{0xfdd0, 0xfdef},   /* noncharacters */
	{0xfeff, 0xfeff},   /* byte order mark */
	{0xffa0, 0xffa0},   /* half-width Hangul filler */
	{0xfff9, 0xfffb},   /* interlinear annotation */
	{0x1bca0, 0x1bca3}, /* shorthand format controls */
	{0x1d173, 0x1d17a}, /* musical format controls */
	{0xe0000, 0xe0fff}, /* tags, supplementary selectors */
};

/* Kanji variants (IVS, in the last range above) are used in Japanese names. */
static const struct range ideographic_selectors = {0xe0100, 0xe01ef};

static const struct range wide[] = {
	{0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
	{0x23f0, 0x23f0},   {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},
	{0x2648, 0x2653},   {0x267f, 0x267f},   {0x2693, 0x2693},   {0x26a1, 0x26a1},
	{0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26ce, 0x26ce},
	{0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
	{0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},
	{0x2728, 0x2728},   {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},
	{0x2757, 0x2757},   {0x2795, 0x2797},   {0x27b0, 0x27b0},   {0x27bf, 0x27bf},
	{0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},   {0x2e80, 0x303e},
	{0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0xa4c6},   {0xa960, 0xa97c},
	{0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6b},
	{0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1aff0, 0x1b2fb},
	{0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a},
	{0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393},
	{0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4},
	{0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d},
	{0x1f54b, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4},
	{0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d7},
	{0x1f6dc, 0x1f6df}, {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7f0},
	{0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff},
	{0x20000, 0x2fffd}, {0x30000, 0x3fffd},
};

/* Combining marks that Japanese and European text is likely to hold. */
static const struct range zero[] = {
	{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a},
	{0x064b, 0x065f}, {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e},
	{0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20f0}, {0x302a, 0x302d},
	{0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};

static bool range_has(const struct range *ranges, size_t n, uint32_t cp)
{
	for (size_t i = 0; i < n; i++)
		if (cp >= ranges[i].first && cp <= ranges[i].last)
			return true;
	return false;
}

bool text_is_unsafe(uint32_t cp)
{
	if (range_has(&ideographic_selectors, 1, cp))
		return false;
	return (cp & 0xfffe) == 0xfffe || range_has(unsafe, ARRAY_SIZE(unsafe), cp);
}

bool text_is_safe(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		uint32_t cp;
		size_t n = utf8_decode(text + i, len - i, &cp);

		if (!n || text_is_unsafe(cp))
			return false;
		i += n;
	}
	return true;
}

char *text_escape_terminal(char *out, size_t size, const char *text)
{
	size_t len = strlen(text), used = 0;

	while (len) {
		char piece[sizeof("\\u{10FFFF}")];
		uint32_t cp = 0;
		size_t n = utf8_decode(text, len, &cp);
		size_t take;

		if (!n) {
			snprintf(piece, sizeof(piece), "\\x%02X", (unsigned int)(uint8_t)*text);
			n = 1;
		} else if (cp == '\\') {
			strcpy(piece, "\\\\");
		} else if (!text_is_unsafe(cp)) {
			memcpy(piece, text, n);
			piece[n] = '\0';
		} else if (cp < 0x80) {
			snprintf(piece, sizeof(piece), "\\x%02X", (unsigned int)cp);
		} else {
			snprintf(piece, sizeof(piece), "\\u{%X}", (unsigned int)(cp & 0x1fffff));
		}
		take = strlen(piece);
		if (used + take + 1 > size)
			break;
		memcpy(out + used, piece, take);
		used += take;
		text += n;
		len -= n;
	}
	if (size)
		out[used] = '\0';
	return out;
}

size_t text_width(const char *text)
{
	size_t len = strlen(text), width = 0;

	while (len) {
		uint32_t cp = 0;
		size_t n = utf8_decode(text, len, &cp);

		if (!range_has(zero, ARRAY_SIZE(zero), cp))
			width += range_has(wide, ARRAY_SIZE(wide), cp) ? 2 : 1;
		n = n ? n : 1;
		text += n;
		len -= n;
	}
	return width;
}

char *text_escape_json(const char *json, size_t len)
{
	/* The worst: one byte that is no UTF-8 becomes six. */
	char *out = malloc(len * 6 + 1), *p = out;

	for (size_t i = 0; out && i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(json + i, len - i, &cp);

		if (n && (cp == '\n' || !text_is_unsafe(cp))) {
			memcpy(p, json + i, n);
			p += n;
		} else {
			cp = n ? cp : 0xfffd;
			p += cp < 0x10000 ?
				     sprintf(p, "\\u%04x", cp) :
				     sprintf(p, "\\u%04x\\u%04x", 0xd7c0 + (cp >> 10),
					     0xdc00 + (cp & 0x3ff));
		}
		i += n ? n : 1;
	}
	if (out)
		*p = '\0';
	return out;
}
