/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory that only root may change: listing it by the names' beginning and end, and writing
 * files into it that are wholly there or not at all, also after a power failure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/macro.h"

enum {
	SAFEDIR_E_ABSENT = 1, /* there is no such directory */
	SAFEDIR_E_UNSAFE = 2, /* not a directory, not root's, or writable by others */
	SAFEDIR_E_MANY = 3,   /* more matching names than asked for */
};

struct safedir_part {
	const void *data;
	size_t len;
};

/* Opens and judges by the descriptor. Its owner must be root or the caller's own user. */
int safedir_open(const char *path, int *fdp);

/* The same, and makes what is missing of the path, mode 0755 whatever the umask, durably. */
int safedir_make(const char *path, int *fdp);

/*
 * Sorted names of the entries that begin with `prefix` and end with `suffix` (the two do not
 * overlap). At most `max`, else SAFEDIR_E_MANY. *names is malloc'ed, each name too:
 * safedir_free_names().
 */
int safedir_list(int dir, const char *prefix, const char *suffix, size_t max, char ***names,
		 size_t *n);
void safedir_free_names(char **names, size_t n);

/*
 * Writes NAME.new, waits until it is on the disk, and renames it to NAME. The rename itself is
 * durable after safedir_sync(). The mode does not depend on the umask.
 */
int safedir_write(int dir, const char *name, mode_t mode, const struct safedir_part *parts,
		  size_t n);
int safedir_sync(int dir);

/* What a positive code means, as the end of a sentence that begins with the path. */
const char *safedir_error(int code);
