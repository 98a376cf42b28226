// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "desk/desktree.h"
#include "desk/message.h"

static int fail(const struct context *context, const char *path)
{
	return message_fail(context, "%s: %s", path, i18n_error(errno));
}

static bool is_taken(const char *path)
{
	DIR *stream = opendir(path);
	const struct dirent *entry;
	unsigned int n = 0;

	if (!stream)
		return errno != ENOENT;
	while ((entry = readdir(stream)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(stream);
	return n;
}

static int make_directory(const struct context *context, int dir, const char *name, int *fdp)
{
	if (mkdirat(dir, name, 0700) < 0)
		return fail(context, name);
	*fdp = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fdp < 0 ? fail(context, name) : 0;
}

int desktree_start(const struct context *context, struct desktree *tree)
{
	_cleanup_(closep) int trust = -1;
	char *end;

	*tree = (struct desktree){
		.path = output_format("%s", context->directory), .dir = -1, .keys = -1};
	/* "desk/" and "desk" are the same place, but not with ".XXXXXX" behind. */
	end = tree->path + strlen(tree->path);
	while (end > tree->path + 1 && end[-1] == '/')
		*--end = '\0';
	if (is_taken(tree->path))
		return message_fail(
			context,
			_("%s is there already and is never overwritten: choose another "
			  "place with --desk"),
			tree->path);
	tree->temporary = output_format("%s.XXXXXX", tree->path);
	if (!mkdtemp(tree->temporary)) {
		int r = fail(context, tree->path);

		free(tree->temporary);
		tree->temporary = NULL;
		return r;
	}
	tree->dir = open(tree->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->dir < 0)
		return fail(context, tree->temporary);
	return make_directory(context, tree->dir, "keys", &tree->keys) ||
			       make_directory(context, tree->dir, "trust", &trust)
		       ? COMMAND_FAILED
		       : 0;
}

int desktree_place(const struct context *context, struct desktree *tree)
{
	_cleanup_(freep) char *parent = output_format("%s", tree->path);
	_cleanup_(closep) int fd = -1;
	char *slash = strrchr(parent, '/');

	if (slash)
		slash[slash == parent] = '\0';
	fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* rename(2) takes the place of an empty directory, and of no other. */
	if (fd < 0 || fsync(tree->keys) < 0 || fsync(tree->dir) < 0 ||
	    rename(tree->temporary, tree->path) < 0)
		return fail(context, tree->path);
	free(tree->temporary);
	tree->temporary = NULL;
	return fsync(fd) < 0 ? fail(context, tree->path) : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void desktree_close(struct desktree *tree)
{
	if (tree->dir >= 0)
		close(tree->dir);
	if (tree->keys >= 0)
		close(tree->keys);
	if (tree->temporary)
		nftw(tree->temporary, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(tree->temporary);
	free(tree->path);
	*tree = (struct desktree){.dir = -1, .keys = -1};
}
