// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/text.h"
#include "core/utf8.h"
#include "ctl/output.h"

#define COLOUR_OFF "\x1b[0m"

void output_policy_text(FILE *out, const char *text, size_t len)
{
	while (len) {
		uint32_t cp = 0;
		size_t n = utf8_decode(text, len, &cp);
		bool safe = n && (cp == '\t' || !text_is_unsafe(cp));

		n = n ? n : 1;
		for (size_t i = 0; i < n && !safe; i++)
			fprintf(out, "\\x%02x", (unsigned char)text[i]);
		if (safe)
			fwrite(text, 1, n, out);
		text += n;
		len -= n;
	}
}

static const char *word_text(const struct context *context, const struct label_word *word,
			     const char *name)
{
	return word ? label_text(word->label) : name;
}

size_t output_word_width(const struct context *context, const char *name)
{
	return text_width(word_text(context, label_word_find(name), name));
}

void output_word(const struct context *context, const char *name, size_t width)
{
	const struct label_word *word = label_word_find(name);
	const char *text = word_text(context, word, name);
	bool colour = context->colour && word && word->colour[0];

	printf("%s%s%s", colour ? word->colour : "", text, colour ? COLOUR_OFF : "");
	output_pad(text, width);
}
