/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A code as it is read out on the telephone: large, and group by group with a word for each letter. */
#pragma once

#include <stdio.h>

#include "desk/command.h"

/* `code` is a text of core/crockford.h. */
void spoken_print(const struct context *context, FILE *out, const char *code);
