/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions on the terminal whose answer is a line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "desk/command.h"

#define ASK_MAX 256 /* bytes with NUL */

/* Is there anybody to ask? */
bool ask_can(void);

/*
 * Asks on standard error, reads from standard input, without blanks around; an empty answer is `otherwise`, if not NULL.
 * False at the end of input, or where there is nobody to ask: then it has said to give --OPTION.
 */
bool ask_line(const struct context *context, const char *question, const char *otherwise, const char *option,
	      char out[static ASK_MAX]);
