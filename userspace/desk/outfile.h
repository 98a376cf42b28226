/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that the tool writes: wholly there or as before, also after a power failure. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "desk/command.h"

/* Writes PATH by way of PATH.new beside it. 0, or COMMAND_FAILED after saying why. */
int outfile_write(const struct context *context, const char *path, mode_t mode, const void *data,
		  size_t len);

/* The same below a directory. */
int outfile_write_at(const struct context *context, int dir, const char *name, mode_t mode,
		     const void *data, size_t len);

/* Reads a whole file of at most `max` bytes; "-" is standard input. malloc'd, with a NUL behind. */
int outfile_read(const struct context *context, const char *path, size_t max, char **datap,
		 size_t *len);
