/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An append-only file of lines that are on the disk when the call returns. The file is re-opened when
 * it has been moved away or an earlier write failed, so that a log recovers by itself once there is room.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/macro.h"

/* The longest line that is written or looked for at the end of an old file, with its newline. */
#define LOGFILE_LINE_MAX 16384

struct logfile;

/* Takes a copy of the path; opens nothing yet. 0 or -ENOMEM. */
int logfile_new(struct logfile **logp, const char *path);
struct logfile *logfile_free(struct logfile *log);

/*
 * Appends `line` (without newline) and a newline in one write, and waits until it is durable
 * (fdatasync). Negative errno: the line may be missing or cut; nothing may be let through on it.
 * A file that is not a regular one of root's, or that others may write, is -EPERM.
 */
int logfile_append(struct logfile *log, const char *line, size_t len);

/*
 * The last whole line of the file, malloc'ed without newline, or NULL in *linep if there is none.
 * A cut line at the end (power failure) is left in place and closed with a newline by the next append.
 */
int logfile_last(struct logfile *log, char **linep);
