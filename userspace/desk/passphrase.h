/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passphrases: from the terminal without echo, or from --passphrase-file, of which each question
 * takes the next line and the last line answers all that follow ("-": standard input). In
 * sodium_malloc() memory.
 */
#pragma once

#include <stdbool.h>

#include "desk/command.h"

#define PASSPHRASE_MAX 1024 /* bytes with NUL */

/*
 * Asks for one ("Passphrase of the media key"). With `twice` it is a new one: asked for again, and
 * a weak one is hinted at. 0 and *passphrasep (sodium_free), or COMMAND_FAILED after saying why.
 */
int passphrase_ask(const struct context *context, const char *of, bool twice,
		   char **passphrasep);

/* How a new passphrase could be better: NULL, or a sentence. */
const char *passphrase_hint(const char *passphrase);
