// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/rule.h"
#include "core/text.h"
#include "core/utf8.h"
#include "ctl/output.h"

#define COLOUR_OFF "\x1b[0m"

static _Noreturn void no_memory(void)
{
	fputs("sekimorictl: no memory\n", stderr);
	exit(COMMAND_FAILED);
}

char *output_escape(const char *text)
{
	size_t size = TEXT_ESCAPED_MAX(strlen(text));
	char *out = malloc(size);

	if (!out)
		no_memory();
	return text_escape_terminal(out, size, text);
}

char *output_format(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		no_memory();
	return text;
}

char *output_quote(const char *text)
{
	size_t size = rule_format_string(text, strlen(text), NULL, 0) + 1;
	char *out = malloc(size);

	if (!out)
		no_memory();
	rule_format_string(text, strlen(text), out, size);
	return out;
}

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

const char *output_raw(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

char *output_member(struct json_object *object, const char *key)
{
	return output_escape(output_raw(object, key));
}

void output_json(struct json_object *object, int flags)
{
	const char *text =
		json_object_to_json_string_ext(object, flags | JSON_C_TO_STRING_NOSLASHESCAPE);
	_cleanup_(freep) char *safe = text ? text_escape_json(text, strlen(text)) : NULL;

	if (!safe) {
		fputs("sekimorictl: no memory\n", stderr);
		exit(COMMAND_FAILED);
	}
	puts(safe);
	fflush(stdout);
}

void output_cut(char *text, size_t width)
{
	size_t len = strlen(text);

	if (text_width(text) <= width)
		return;
	while (len && text_width(text) + 1 > width) {
		/* Back over the whole last character. */
		do
			len--;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80);
		text[len] = '\0';
	}
	strcpy(text + len, "~");
}

void output_pad(const char *text, size_t width)
{
	for (size_t n = text_width(text); n < width; n++)
		putchar(' ');
}

static const char *word_text(const struct context *context, const struct label_word *word,
			     const char *name)
{
	return word ? label_text(word->label, context->japanese) : name;
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
