// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/rule.h"
#include "core/text.h"

/* Columns between what stands in a column and the next one. */
#define COLUMN_GAP 2

/* The first one of standard output: the stream remembers only that there was one. */
static int write_error;

void output_no_memory(void)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, _("no memory"));
	exit(1);
}

char *output_escape(const char *text)
{
	size_t size = TEXT_ESCAPED_MAX(strlen(text));
	char *out = malloc(size);

	if (!out)
		output_no_memory();
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
		output_no_memory();
	return text;
}

char *output_quote(const char *text)
{
	size_t size = rule_format_string(text, strlen(text), NULL, 0) + 1;
	char *out = malloc(size);

	if (!out)
		output_no_memory();
	rule_format_string(text, strlen(text), out, size);
	return out;
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

	if (!safe)
		output_no_memory();
	puts(safe);
	output_flush();
}

bool output_failed(void)
{
	if (ferror(stdout) && !write_error)
		write_error = errno;
	return ferror(stdout);
}

bool output_flush(void)
{
	if (fflush(stdout) && !write_error)
		write_error = errno;
	return !ferror(stdout);
}

bool output_finish(const char *program)
{
	if (output_flush())
		return true;
	fprintf(stderr, _("%s: cannot write: %s\n"), program, i18n_error(write_error ? write_error : EIO));
	return false;
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

void output_column(const char *text, size_t width)
{
	fputs(text, stdout);
	if (text_width(text) + COLUMN_GAP > width)
		printf("\n%*s", (int)width, "");
	else
		output_pad(text, width);
}

char *output_bad_option(int c, char *const *argv)
{
	_cleanup_(freep) char *word = output_escape(argv[optind - 1]);

	if (c == ':')
		return output_format(_("option '%s' needs a value"), word);
	if (optopt && strncmp(word, "--", 2))
		return output_format(_("there is no option '-%c'"),
				     optopt > ' ' && optopt < 0x7f ? optopt : '?');
	if (optopt)
		return output_format(_("option '%s' takes no value"), word);
	return output_format(_("there is no option '%s'"), word);
}

bool output_may_colour(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color);
}

void output_markup(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}
