/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine's files as the self-check reads them: all paths are absolute and lie below one
 * directory, "/" normally. Symbolic links are followed inside of it (openat2(2), RESOLVE_IN_ROOT),
 * so that a tree of another machine, or one made for a test, never shows files of this one. Nothing
 * here writes, and nothing waits: only regular files are read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/macro.h"

/* sysfs attributes and the like: one short line. */
#define TREE_LINE_MAX 256

struct tree {
	int fd;           /* of the root directory */
	const char *root; /* "" for the machine itself */
	uid_t owner;      /* whose the system's files must be: root, or who owns the tree */
};

/* `root` stays the caller's. 0 or negative errno. */
int tree_open(struct tree *tree, const char *root);
void tree_close(struct tree *tree);

/* A descriptor (O_CLOEXEC, O_NONBLOCK), or negative errno. */
int tree_fd(const struct tree *tree, const char *path, int flags);

/* Of what the path leads to; with `link` of the link itself. 0 or negative errno. */
int tree_stat(const struct tree *tree, const char *path, bool link, struct stat *st);
bool tree_exists(const struct tree *tree, const char *path);

/*
 * A regular file of at most `max` bytes as a malloc'ed, NUL-terminated buffer. 0; -EFBIG beyond
 * max; -EINVAL for what is no regular file; other negative errno. len may be NULL.
 */
int tree_read(const struct tree *tree, const char *path, size_t max, char **textp, size_t *len);

/* The file's first line, cut to what fits. 0 or negative errno; *line is "" then. */
int tree_line(const struct tree *tree, const char *path, char line[static TREE_LINE_MAX]);

/* The same of the file `name` in the directory `dir`. */
int tree_attr(const struct tree *tree, const char *dir, const char *name,
	      char line[static TREE_LINE_MAX]);

/* Names in a directory, sorted, without those that begin with a dot. No directory: none. */
struct tree_names {
	char **names;
	size_t n;
};
/* 0, or negative errno for a directory that is there and cannot be read. */
int tree_list(const struct tree *tree, const char *path, struct tree_names *names);
void tree_names_free(struct tree_names *names);
