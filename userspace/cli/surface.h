/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tool's commands and options as completion, manual pages and suggestions see them, whatever the tool's own tables look like. A
 * tool describes itself with one constant `struct surface`; nothing here is to be freed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct surface_command {
	const char *name;  /* one word, or two with a blank between them */
	const char *usage; /* its arguments, "" for none: "[DEVICE]" */
	const char *text;  /* English msgid */
};

struct surface_option {
	const char *name;     /* without dashes */
	const char *argument; /* or NULL: "ro|rw" */
	const char *text;     /* English msgid */
};

/* What a value is, where its placeholder does not say it: a kind as below. */
struct surface_value {
	const char *command; /* NULL: any */
	const char *option;  /* NULL: the command's arguments */
	const char *kind;
};

struct surface {
	const char *program;
	size_t n_commands;
	size_t n_options;
	struct surface_command (*command)(size_t i);
	struct surface_option (*option)(size_t i);
	/* Does this command take this option? */
	bool (*takes)(size_t command, size_t option);
	const struct surface_value *values; /* the first row that fits counts; none: the placeholder says it */
	size_t n_values;
	const char *forward; /* an option that questions for values are asked with, or NULL: "desk" */
};

/*
 * What may stand for a value, as shell completion takes it:
 *
 *	""             anything
 *	"file", "dir"  a path
 *	"user", "group"
 *	"words A B"    one of these
 *	"ask WHAT"     a line of what `PROGRAM completion values WHAT` prints
 */
#define SURFACE_KIND_MAX 256

/* Its kind by its placeholder: FILE and DIR are paths, "ro|rw" are words. Other capitals say nothing. */
void surface_placeholder_kind(const char *placeholder, char kind[static SURFACE_KIND_MAX]);

/* The kind of the value of an option, or of the arguments (option == n_options) of a command. */
void surface_kind(const struct surface *surface, size_t command, size_t option, char kind[static SURFACE_KIND_MAX]);

/* Is this option taken by every command, or by none, as --help? */
bool surface_is_common(const struct surface *surface, size_t option);

/* `PROGRAM completion commands` and `options`: the tables as lists of definitions, in Markdown, for manual pages. */
void surface_print_commands(const struct surface *surface);
void surface_print_options(const struct surface *surface);
