// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/surface.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "core/macro.h"

/* "ro", "8", "III", but not "FILE", "N" or "YYYY-MM". */
static bool is_word(const char *part, size_t len)
{
	bool lower = false;

	if (strspn(part, "I") >= len)
		return len > 0;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)part[i]) && part[i] != '-')
			return false;
		lower |= islower((unsigned char)part[i]) || isdigit((unsigned char)part[i]);
	}
	return lower;
}

static bool is_part(const char *part, size_t len, const char *word)
{
	return strlen(word) == len && !strncmp(part, word, len);
}

void surface_placeholder_kind(const char *placeholder, char kind[static SURFACE_KIND_MAX])
{
	size_t at = 0, start = strspn(placeholder, "[");
	bool file = false, dir = false;

	kind[0] = '\0';
	for (const char *part = placeholder + start; *part; part += *part == '|') {
		size_t len = strcspn(part, "|"), bare = strcspn(part, "|]");

		/* "FILE|DIR…" ends in more than its last part. */
		if (bare > strlen("…") && bare == strlen(part) && !strcmp(part + bare - strlen("…"), "…"))
			bare -= strlen("…");
		file |= is_part(part, bare, "FILE") || is_part(part, bare, "PATH");
		dir |= is_part(part, bare, "DIR");
		if (is_word(part, bare) && at + bare + sizeof("words ") < SURFACE_KIND_MAX)
			at += (size_t)snprintf(kind + at, SURFACE_KIND_MAX - at, "%s %.*s", at ? "" : "words", (int)bare, part);
		part += len;
	}
	if (!at && (file || dir))
		snprintf(kind, SURFACE_KIND_MAX, "%s", file ? "file" : "dir");
}

static const char *value_kind(const struct surface *surface, const char *command, const char *option)
{
	for (size_t i = 0; i < surface->n_values; i++) {
		const struct surface_value *value = &surface->values[i];

		if ((!value->command || !strcmp(value->command, command)) &&
		    (option ? value->option && !strcmp(value->option, option) : !value->option))
			return value->kind;
	}
	return NULL;
}

void surface_kind(const struct surface *surface, size_t command, size_t option, char kind[static SURFACE_KIND_MAX])
{
	struct surface_command row = surface->command(command);
	struct surface_option taken = { .name = NULL };
	const char *said, *placeholder = row.usage;

	if (option < surface->n_options) {
		taken = surface->option(option);
		placeholder = taken.argument ? taken.argument : "";
	}
	said = *placeholder ? value_kind(surface, row.name, taken.name) : "";
	if (said)
		snprintf(kind, SURFACE_KIND_MAX, "%s", said);
	else
		surface_placeholder_kind(placeholder, kind);
}

static size_t count_takers(const struct surface *surface, size_t option)
{
	size_t n = 0;

	for (size_t i = 0; i < surface->n_commands; i++)
		n += surface->takes(i, option);
	return n;
}

bool surface_is_common(const struct surface *surface, size_t option)
{
	size_t n = count_takers(surface, option);

	return !n || n == surface->n_commands;
}

/* --- manual pages ---------------------------------------------------------------------------- */

/* Text that Markdown would take for more than text. */
static void print_plain(const char *text)
{
	for (; *text; text++) {
		if (strchr("*_[]<>`\\", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void print_text(const char *text)
{
	fputs("\n:   ", stdout);
	print_plain(i18n(text));
}

void surface_print_commands(const struct surface *surface)
{
	for (size_t i = 0; i < surface->n_commands; i++) {
		struct surface_command command = surface->command(i);

		printf("`%s`", command.name);
		if (*command.usage) {
			fputs(" *", stdout);
			print_plain(command.usage);
			putchar('*');
		}
		print_text(command.text);
		fputs("\n\n", stdout);
	}
}

/* The commands that take it, or the few that do not. */
static void print_takers(const struct surface *surface, size_t option)
{
	bool most = count_takers(surface, option) * 2 > surface->n_commands;
	const char *before = most ? _("all but ") : "";

	fputs(" (", stdout);
	for (size_t i = 0; i < surface->n_commands; i++)
		if (surface->takes(i, option) != most) {
			printf("%s`%s`", before, surface->command(i).name);
			before = ", ";
		}
	putchar(')');
}

void surface_print_options(const struct surface *surface)
{
	for (size_t i = 0; i < surface->n_options; i++) {
		struct surface_option option = surface->option(i);

		printf("`--%s%s`", option.name, option.argument ? "=" : "");
		if (option.argument) {
			putchar('*');
			print_plain(option.argument);
			putchar('*');
		}
		print_text(option.text);
		if (!surface_is_common(surface, i))
			print_takers(surface, i);
		fputs("\n\n", stdout);
	}
}
