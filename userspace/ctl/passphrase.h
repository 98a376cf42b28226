/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A passphrase asked for at the terminal or read from a file, and put into a pipe to be handed over. */
#pragma once

#include "core/macro.h"

#define PASSPHRASE_MAX 512

enum {
	PASSPHRASE_E_NO_TTY = 1,
	PASSPHRASE_E_LENGTH = 2, /* empty, or longer than PASSPHRASE_MAX */
};

/*
 * Asks without echo; the line feed at the end is not part of it. *fd: the reading end of a pipe that holds it. Wiped
 * everywhere else. An interrupt restores the terminal and ends the program.
 */
int passphrase_ask(const char *prompt, int *fd);

/* The whole file but for one line feed at its end; "-" is standard input. */
int passphrase_read(const char *path, int *fd);

/* A pipe that is at its end at once, for a volume without a passphrase. */
int passphrase_none(int *fd);
