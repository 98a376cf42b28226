/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tools print: every string that is not theirs goes out escaped. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/macro.h"

static inline void json_objectp(struct json_object **object)
{
	json_object_put(*object);
}

/* Says so and ends the program with status 1. */
_Noreturn void output_no_memory(void);

/* A string made safe for a terminal; malloc'd, never NULL (exits without memory). */
char *output_escape(const char *text);

/* A text of ours, malloc'd, never NULL. */
char *output_format(const char *format, ...) _printf_(1, 2);

/* The text as the policy language holds it, in double quotes; malloc'd, never NULL. */
char *output_quote(const char *text);

/* A string member made safe, malloc'd; "" if it is absent or no string. */
char *output_member(struct json_object *object, const char *key);

/* The string member as it is, "" if absent: for comparing, not for showing. */
const char *output_raw(struct json_object *object, const char *key);

/*
 * JSON and a line feed, flushed. Characters that a terminal must not see are written as \uXXXX, so
 * a program reads the same string back.
 */
void output_json(struct json_object *object, int flags);

/* Right after something was printed: did that fail? For ending early. */
bool output_failed(void);

/* Standard output, now. False: it did not arrive, as output_finish() will say. */
bool output_flush(void);

/*
 * Did all that was printed arrive? At the end of main(): says it if not ("PROGRAM: cannot write: …"), and is false then.
 */
bool output_finish(const char *program);

/* Cuts escaped text in place to at most `width` columns; the last one then is a tilde. */
void output_cut(char *text, size_t width);

/* Spaces until text has taken `width` columns. */
void output_pad(const char *text, size_t width);

/* The text and blanks until column `width`, at least two; text that leaves no room for them has a line of its own. */
void output_column(const char *text, size_t width);

/*
 * What is wrong with the option at which getopt_long() returned `c`, '?' or ':' (the option string begins with a
 * colon, so that it says nothing itself). malloc'd, safe for a terminal.
 */
char *output_bad_option(int c, char *const *argv);

/* May standard output be coloured? It is a terminal, and NO_COLOR is unset or empty (https://no-color.org). */
bool output_may_colour(void);

/* Text as it stands in HTML and SVG, between tags and in quoted attributes. */
void output_markup(FILE *out, const char *text);
