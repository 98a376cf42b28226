/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sekimorictl prints, beside what all tools do (cli/output.h). */
#pragma once

#include "cli/output.h"
#include "ctl/command.h"
#include "ctl/label.h"

/*
 * Policy text made safe and still policy text: unsafe characters as the \xHH of the rule language,
 * everything else, a backslash too, as it is. So it can be written out, read back, and written the
 * same again.
 */
void output_policy_text(FILE *out, const char *text, size_t len);

/* A state or event word in its colour, padded to width columns. */
void output_word(const struct context *context, const char *name, size_t width);

/* Width in columns of that word. */
size_t output_word_width(const struct context *context, const char *name);
