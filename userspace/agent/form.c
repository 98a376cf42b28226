// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "agent/child.h"
#include "agent/form.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "core/text.h"
#include "core/utf8.h"

/* ASCII's own: nobody types it. */
#define SEPARATOR '\x1f'

/* Columns of a line; zenity's forms do not fold. */
#define FOLD 64

/* Columns of what is kept, in a label. */
#define KEPT_COLUMNS 24

/* Pixels of a window that holds one line, which is as wide as it: a sentence can be read while it is typed. */
#define WIDTH 640

/* program, kind, five of the window, two of each field, and the end */
#define ARGUMENTS_MAX (8 + 2 * FORM_FIELDS_MAX + 1)

struct form_window {
	struct child *child;
	size_t n_fields;
	form_fn fn;
	void *userdata;
	char answer[FORM_ANSWER_MAX];
};

/* --- to zenity ------------------------------------------------------------------------------ */

/* Breaks lines that are too long, at any character: Japanese has no blanks. */
static char *text_fold(const char *text)
{
	char *folded = NULL, character[5];
	size_t size = 0, width = 0, left = strlen(text);
	FILE *out = open_memstream(&folded, &size);

	if (!out)
		output_no_memory();
	while (left) {
		size_t len = utf8_decode(text, left, NULL), columns;

		len = len ? len : 1;
		memcpy(character, text, len);
		character[len] = '\0';
		columns = text_width(character);
		if (*text != '\n' && width + columns > FOLD) {
			fputc('\n', out);
			width = 0;
		}
		width = *text == '\n' ? 0 : width + columns;
		fwrite(text, 1, len, out);
		text += len;
		left -= len;
	}
	if (fclose(out))
		output_no_memory();
	return folded;
}

/*
 * What zenity shows as this text: forms take Pango markup, the dialog of one line takes an underscore for a mnemonic, both
 * take C escapes (g_strcompress(), GLib).
 */
static char *text_for_zenity(const char *text, bool line)
{
	_cleanup_(freep) char *folded = text_fold(text);
	_cleanup_(freep) char *markup = NULL;
	char *escaped = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&markup, &size);

	if (!out)
		output_no_memory();
	if (line)
		fputs(folded, out);
	else
		output_markup(out, folded);
	if (fclose(out))
		output_no_memory();
	out = open_memstream(&escaped, &size);
	if (!out)
		output_no_memory();
	for (const char *c = markup; *c; c++) {
		if (*c == '\\' || (line && *c == '_'))
			fputc(*c, out);
		fputc(*c, out);
	}
	if (fclose(out))
		output_no_memory();
	return escaped;
}

static char *choices_join(const struct form_field *field)
{
	char *joined = output_format("%s", field->choices[0]);

	for (size_t i = 1; i < FORM_CHOICES_MAX && field->choices[i]; i++) {
		char *longer = output_format("%s|%s", joined, field->choices[i]);

		free(joined);
		joined = longer;
	}
	return joined;
}

static char *label_text(const struct form_field *field)
{
	_cleanup_(freep) char *kept = output_escape(field->kept ? field->kept : "");

	if (field->choices[0])
		return output_format(_("%s (if not chosen: %s)"), field->label, *kept ? kept : field->choices[0]);
	if (!*kept)
		return output_format("%s", field->label);
	output_cut(kept, KEPT_COLUMNS);
	return output_format(_("%s (if empty: %s)"), field->label, kept);
}

/* One line: zenity's dialog for that has room for the text above it. */
static size_t line_arguments(char **arguments, const struct form *form)
{
	size_t n = 0;

	arguments[n++] = output_format("--entry");
	arguments[n++] = output_format("--width=%d", WIDTH);
	if (form->fields[0].kept)
		arguments[n++] = output_format("--entry-text=%s", form->fields[0].kept);
	return n;
}

static size_t fields_arguments(char **arguments, const struct form *form)
{
	size_t n = 0;

	arguments[n++] = output_format("--forms");
	arguments[n++] = output_format("--separator=%c", SEPARATOR);
	for (size_t i = 0; i < form->n_fields; i++) {
		const struct form_field *field = &form->fields[i];
		_cleanup_(freep) char *label = label_text(field);

		if (!field->choices[0]) {
			arguments[n++] = output_format("--add-entry=%s", label);
			continue;
		}
		_cleanup_(freep) char *choices = choices_join(field);

		arguments[n++] = output_format("--add-combo=%s", label);
		arguments[n++] = output_format("--combo-values=%s", choices);
	}
	return n;
}

char **form_arguments(const struct form *form)
{
	bool line = form->n_fields == 1 && !form->fields[0].choices[0];
	_cleanup_(freep) char *whole =
		line ? output_format("%s\n%s", form->text, form->fields[0].label) : output_format("%s", form->text);
	_cleanup_(freep) char *text = text_for_zenity(whole, line);
	char **arguments = calloc(ARGUMENTS_MAX, sizeof(*arguments));
	size_t n = 0;

	if (!arguments)
		output_no_memory();
	arguments[n++] = output_format("zenity");
	arguments[n++] = output_format("--title=%s", form->title);
	arguments[n++] = output_format("--ok-label=%s", form->ok);
	arguments[n++] = output_format("--cancel-label=%s", _("Cancel"));
	n += line ? line_arguments(arguments + n, form) : fields_arguments(arguments + n, form);
	arguments[n++] = output_format("--text=%s", text);
	return arguments;
}

void form_arguments_free(char **arguments)
{
	for (size_t i = 0; arguments && arguments[i]; i++)
		free(arguments[i]);
	free(arguments);
}

/* --- from zenity ---------------------------------------------------------------------------- */

bool form_parse(size_t n_fields, char *answer, size_t len, char **values)
{
	size_t n = 1;

	if (len && answer[len - 1] == '\n')
		len--;
	if (!n_fields || memchr(answer, '\0', len))
		return false;
	answer[len] = '\0';
	values[0] = answer;
	for (char *c = answer; *c; c++) {
		if (*c != SEPARATOR)
			continue;
		if (n == n_fields)
			return false;
		*c = '\0';
		values[n++] = c + 1;
	}
	if (n != n_fields)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!text_is_safe(values[i]))
			return false;
	return true;
}

int form_choice(const struct form_field *field, const char *value)
{
	if (!*value)
		return 0;
	for (int i = 0; i < FORM_CHOICES_MAX && field->choices[i]; i++)
		if (!strcmp(field->choices[i], value))
			return i;
	return -1;
}

char *form_value(const char *value)
{
	static const char wide[] = "\u3000";
	const size_t width = strlen(wide);
	size_t len;

	/* zenity says a blank for a choice that was not made. */
	while (*value == ' ' || !strncmp(value, wide, width))
		value += *value == ' ' ? 1 : width;
	for (len = strlen(value); len; len -= value[len - 1] == ' ' ? 1 : width)
		if (value[len - 1] != ' ' && (len < width || memcmp(value + len - width, wide, width)))
			break;
	return output_format("%.*s", (int)len, value);
}

static void on_end(void *userdata, int status, size_t len)
{
	struct form_window *window = userdata;
	char *values[FORM_FIELDS_MAX];
	int result = status;

	if (status == 1)
		result = FORM_E_CANCELLED;
	else if (status > 0)
		result = FORM_E_ANSWER;
	else if (!status && !form_parse(window->n_fields, window->answer, len, values))
		result = FORM_E_ANSWER;
	window->fn(window->userdata, result, values);
}

int form_open(struct form_window **ret, sd_event *event, const struct form *form, form_fn fn, void *userdata)
{
	_cleanup_(form_freep) struct form_window *window = calloc(1, sizeof(*window));
	struct child_setup setup = { .size = FORM_ANSWER_MAX - 1, .end = on_end };
	char **arguments;
	int r;

	if (!window)
		return -ENOMEM;
	window->n_fields = form->n_fields;
	window->fn = fn;
	window->userdata = userdata;
	arguments = form_arguments(form);
	setup.argv = arguments;
	setup.buffer = window->answer;
	setup.userdata = window;
	r = child_new(&window->child, event, &setup);
	form_arguments_free(arguments);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(window);
	return 0;
}

struct form_window *form_free(struct form_window *window)
{
	if (!window)
		return NULL;
	child_free(window->child);
	free(window);
	return NULL;
}
