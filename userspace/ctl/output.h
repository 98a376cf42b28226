/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tool prints: every string that is not ours goes out escaped. */
#pragma once

#include <json-c/json.h>
#include <stdio.h>

#include "core/macro.h"
#include "ctl/command.h"
#include "ctl/label.h"

static inline void json_objectp(struct json_object **object)
{
	json_object_put(*object);
}

/* A string made safe for a terminal; malloc'd, never NULL (exits without memory). */
char *output_escape(const char *text);

/* A text of ours, malloc'd, never NULL. */
char *output_format(const char *format, ...) _printf_(1, 2);

/* The text as the policy language holds it, in double quotes; malloc'd, never NULL. */
char *output_quote(const char *text);

/*
 * Policy text made safe and still policy text: unsafe characters as the \xHH of the rule language,
 * everything else, a backslash too, as it is. So it can be written out, read back, and written the
 * same again.
 */
void output_policy_text(FILE *out, const char *text, size_t len);

/* A string member made safe, malloc'd; "" if it is absent or no string. */
char *output_member(struct json_object *object, const char *key);

/* The string member as it is, "" if absent: for comparing, not for showing. */
const char *output_raw(struct json_object *object, const char *key);

/*
 * JSON and a line feed, flushed. Characters that a terminal must not see are written as \uXXXX, so
 * a program reads the same string back.
 */
void output_json(struct json_object *object, int flags);

/* Cuts escaped text in place to at most `width` columns; the last one then is a tilde. */
void output_cut(char *text, size_t width);

/* Spaces until text has taken `width` columns. */
void output_pad(const char *text, size_t width);

/* A state or event word in its colour, padded to width columns. */
void output_word(const struct context *context, const char *name, size_t width);

/* Width in columns of that word. */
size_t output_word_width(const struct context *context, const char *name);
