/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files of root's: configuration and policy are read, what a restart must know is replaced. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "core/macro.h"

enum {
	TEXTFILE_E_ABSENT = 1, /* there is no such file */
	TEXTFILE_E_UNSAFE = 2, /* not a regular file, not root's, or writable by others */
	TEXTFILE_E_LARGE = 3,  /* longer than max bytes */
};

/*
 * Reads at most `max` bytes into a malloc'ed, NUL-terminated buffer. The file is opened first and then
 * judged by its descriptor. Its owner must be root or the caller's own user.
 */
int textfile_read(const char *path, size_t max, char **textp, size_t *len);

/* Writes all of it to an open file, whatever interrupts it. 0 or negative errno. */
int textfile_write(int fd, const void *data, size_t len);

/*
 * Puts a file with these bytes in the place of what is there: whole or not at all. Not synced: for /run, which
 * a power loss empties anyway. 0 or negative errno.
 */
int textfile_replace(const char *path, const void *data, size_t len, mode_t mode);

/* What a positive code means, as the end of a sentence that begins with the path. */
const char *textfile_error(int code);
