/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody meant who mistyped a command or an option. */
#pragma once

#include "cli/surface.h"

/*
 * The command whose name is nearest to what was typed (one word or two), counted in letters added, left out, changed or exchanged
 * with the next: at most a third of its own. NULL: none is near.
 */
const char *nearest_command(const struct surface *surface, const char *typed);

/* The same for an option, without its dashes and its value: "--formt=csv" is near "format". */
const char *nearest_option(const struct surface *surface, const char *typed);

/* On standard error: "did you mean …?", or nothing if `name` is NULL. dashes: "--" or "". */
void nearest_say(const char *dashes, const char *name);
