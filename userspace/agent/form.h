/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A form in a window of its own, by zenity. What it shows is markup, mnemonics and C escapes to zenity, so everything is
 * written so that it is shown as it is; what it answers is taken only if it is exactly as many values as there are fields, in UTF-8, without control
 * characters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "core/macro.h"

#define FORM_FIELDS_MAX 8
#define FORM_CHOICES_MAX 12

/* Everything that is typed into one form, in bytes. */
#define FORM_ANSWER_MAX 8192

struct form_field {
	const char *label;
	/* What can be chosen, translated and without '|'; none: a line to be typed. */
	const char *choices[FORM_CHOICES_MAX + 1];
	/*
	 * What it was before, for a form that is shown again; NULL: nothing. zenity fills in no more than a line that stands alone: of the
	 * others the label says what is kept if nothing is typed or chosen. Without it, the first choice.
	 */
	const char *kept;
};

/* All texts are the caller's and needed only until form_open() returns, but for choices and what is kept. */
struct form {
	const char *title;
	const char *text; /* above the fields; lines are folded. With several fields one line looks best */
	const char *ok;	  /* on the button */
	struct form_field fields[FORM_FIELDS_MAX];
	size_t n_fields;
};

enum {
	FORM_E_CANCELLED = 1,
	FORM_E_ANSWER = 2, /* it ended otherwise, or its answer is none */
};

struct form_window;

/* result: 0 and a value for each field, FORM_E_…, or a negative errno. The window may be freed in there. */
typedef void (*form_fn)(void *userdata, int result, char *const *values);

/* -ENOENT: there is no zenity. */
int form_open(struct form_window **ret, sd_event *event, const struct form *form, form_fn fn, void *userdata);

/* Closes it. */
struct form_window *form_free(struct form_window *window);
DEFINE_CLEANUP(struct form_window *, form_free);

/* The number of a choice; the first for "", -1 if there is no such choice. */
int form_choice(const struct form_field *field, const char *value);

/* What was typed or chosen, without the blanks around it, those of Japanese width too; malloc'd. */
char *form_value(const char *value);

/* zenity's arguments, NULL at the end; each malloc'd, and the array. */
char **form_arguments(const struct form *form);
void form_arguments_free(char **arguments);

/* Takes zenity's answer apart, in place. values: n_fields of them. False: it is not as it has to be. */
bool form_parse(size_t n_fields, char *answer, size_t len, char **values);
