// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/utf8.h"

size_t utf8_decode(const char *text, size_t len, uint32_t *cp)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *b = (const uint8_t *)text;
	uint32_t value;
	size_t n;

	if (!len)
		return 0;
	if (b[0] < 0x80) {
		n = 1;
		value = b[0];
	} else if ((b[0] & 0xe0) == 0xc0) {
		n = 2;
		value = b[0] & 0x1f;
	} else if ((b[0] & 0xf0) == 0xe0) {
		n = 3;
		value = b[0] & 0x0f;
	} else if ((b[0] & 0xf8) == 0xf0) {
		n = 4;
		value = b[0] & 0x07;
	} else {
		return 0;
	}
	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (b[i] & 0x3f);
	}
	if (value < lowest[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	if (cp)
		*cp = value;
	return n;
}

bool utf8_valid(const char *text, size_t len)
{
	while (len) {
		size_t n = utf8_decode(text, len, NULL);

		if (!n)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

void utf8_copy(char *out, size_t size, const char *text, size_t len)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t used = 0;

	while (len && *text) {
		size_t n = utf8_decode(text, len, NULL);
		const char *from = n ? text : replacement;
		size_t take = n ? n : sizeof(replacement) - 1;

		if (used + take + 1 > size)
			break;
		memcpy(out + used, from, take);
		used += take;
		text += n ? n : 1;
		len -= n ? n : 1;
	}
	out[used] = '\0';
}

void utf8_trim(char *text)
{
	size_t len = strlen(text), start = len;

	while (start && len - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start && (unsigned char)text[start - 1] >= 0xc0 && !utf8_decode(text + start - 1, len - start + 1, NULL))
		text[start - 1] = '\0';
}
