/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `PROGRAM completion …`, which no help mentions: what shells and manual pages are made of.
 *
 *	bash, zsh          a completion script, to be installed
 *	commands, options  the tables, in Markdown
 *	values WHAT        what may stand for a value at this moment, a line each: the value, perhaps a tab and words about it
 *
 * Commands, options and fixed words stand in the scripts; what changes is asked for by `values`, which asks nobody for leave and
 * has a second: what does not answer by then has no values.
 */
#pragma once

#include "cli/surface.h"

/* Prints the values of one of the tool's "ask WHAT". False: there is no such thing. */
typedef bool (*completion_values_fn)(void *userdata, const char *what);

/* Runs `completion` with its arguments. An exit status: 0, or 2 after saying what is wrong. */
int completion_run(const struct surface *surface, int argc, char *const *argv, completion_values_fn values, void *userdata);

/*
 * One value, with words about it or NULL; both may be a stranger's. A value that a shell would not take as one plain word is left
 * out.
 */
void completion_print_value(const char *value, const char *about);
