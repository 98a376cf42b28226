// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "doctor/tree.h"

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int tree_open(struct tree *tree, const char *root)
{
	struct stat st;
	int r;

	tree->root = root;
	tree->owner = 0;
	tree->fd = open(*root ? root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree->fd < 0)
		return -errno;
	if (*root && !fstat(tree->fd, &st))
		tree->owner = st.st_uid;
	/* Without openat2(), as under some sandboxes, everything would seem to be missing. */
	r = tree_stat(tree, "/", false, &st);
	if (r)
		tree_close(tree);
	return r;
}

void tree_close(struct tree *tree)
{
	closep(&tree->fd);
	tree->fd = -1;
}

int tree_fd(const struct tree *tree, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NONBLOCK)),
		.resolve = RESOLVE_IN_ROOT};
	int fd = (int)syscall(SYS_openat2, tree->fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int tree_stat(const struct tree *tree, const char *path, bool link, struct stat *st)
{
	_cleanup_(closep) int fd = tree_fd(tree, path, O_PATH | (link ? O_NOFOLLOW : 0));

	if (fd < 0)
		return fd;
	return fstat(fd, st) ? -errno : 0;
}

bool tree_exists(const struct tree *tree, const char *path)
{
	struct stat st;

	return !tree_stat(tree, path, false, &st);
}

/* sysfs says 4096 of everything and /proc says 0: what there is shows only by reading. */
int tree_read(const struct tree *tree, const char *path, size_t max, char **textp, size_t *len)
{
	_cleanup_(closep) int fd = tree_fd(tree, path, O_RDONLY);
	_cleanup_(freep) char *text = NULL;
	size_t size = 0, used = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	do {
		if (used + 1 >= size) {
			char *larger;

			size = size ? size * 2 : 4096;
			larger = realloc(text, size);
			if (!larger)
				return -ENOMEM;
			text = larger;
		}
		n = read(fd, text + used, size - used - 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			used += (size_t)n;
		if (used > max)
			return -EFBIG;
	} while (n);
	text[used] = '\0';
	if (len)
		*len = used;
	*textp = TAKE_PTR(text);
	return 0;
}

int tree_line(const struct tree *tree, const char *path, char line[static TREE_LINE_MAX])
{
	_cleanup_(closep) int fd = tree_fd(tree, path, O_RDONLY);
	ssize_t n;

	line[0] = '\0';
	if (fd < 0)
		return fd;
	n = read(fd, line, TREE_LINE_MAX - 1);
	if (n < 0)
		return -errno;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

int tree_attr(const struct tree *tree, const char *dir, const char *name,
	      char line[static TREE_LINE_MAX])
{
	char path[PATH_MAX];

	line[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return tree_line(tree, path, line);
}

static int name_compare(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

int tree_list(const struct tree *tree, const char *path, struct tree_names *names)
{
	int fd = tree_fd(tree, path, O_RDONLY | O_DIRECTORY);
	_cleanup_(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	*names = (struct tree_names){0};
	if (!dir)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd < 0 ? fd : -errno;
	while ((entry = readdir(dir))) {
		char **larger;

		if (entry->d_name[0] == '.')
			continue;
		larger = realloc(names->names, (names->n + 1) * sizeof(*larger));
		if (!larger)
			goto err_memory;
		names->names = larger;
		larger[names->n] = strdup(entry->d_name);
		if (!larger[names->n])
			goto err_memory;
		names->n++;
	}
	if (names->n)
		qsort(names->names, names->n, sizeof(*names->names), name_compare);
	return 0;

err_memory:
	tree_names_free(names);
	return -ENOMEM;
}

void tree_names_free(struct tree_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct tree_names){0};
}
