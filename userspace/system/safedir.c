// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mark-text.h"
#include "system/safedir.h"
#include "system/textfile.h"

static void stream_close(DIR *stream)
{
	if (stream)
		closedir(stream);
}
DEFINE_CLEANUP(DIR *, stream_close)

static int safedir_judge(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) || (st.st_uid && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)))
		return SAFEDIR_E_UNSAFE;
	return 0;
}

int safedir_open(const char *path, int *fdp)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT    ? SAFEDIR_E_ABSENT
		       : errno == ENOTDIR ? SAFEDIR_E_UNSAFE
					  : -errno;
	r = safedir_judge(fd);
	if (!r)
		*fdp = TAKE_FD(fd);
	return r;
}

int safedir_sync(int dir)
{
	return fsync(dir) < 0 ? -errno : 0;
}

/* One step down from `parent`; makes it if it is not there. */
static int safedir_step(int parent, const char *name, int *fdp)
{
	_cleanup_(closep) int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool missing = fd < 0 && errno == ENOENT;

	if (missing) {
		if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
			return -errno;
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return errno == ENOTDIR ? SAFEDIR_E_UNSAFE : -errno;
	if (missing && (fchmod(fd, 0755) < 0 || fsync(fd) < 0 || fsync(parent) < 0))
		return -errno;
	*fdp = TAKE_FD(fd);
	return 0;
}

int safedir_make(const char *path, int *fdp)
{
	_cleanup_(freep) char *copy = strdup(path);
	_cleanup_(closep) int fd =
		open(path[0] == '/' ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *rest = NULL;
	int r;

	if (!copy)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	for (char *name = strtok_r(copy, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
		int next = -1;

		r = safedir_step(fd, name, &next);
		if (r)
			return r;
		close(fd);
		fd = next;
	}
	r = safedir_judge(fd);
	if (!r)
		*fdp = TAKE_FD(fd);
	return r;
}

/* --- listing ------------------------------------------------------------------------------------
 */

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool name_matches(const char *name, const char *prefix, const char *suffix)
{
	size_t len = strlen(name), head = strlen(prefix), tail = strlen(suffix);

	return len >= head + tail && !strncmp(name, prefix, head) &&
	       !strcmp(name + len - tail, suffix);
}

void safedir_free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static int names_read(DIR *stream, const char *prefix, const char *suffix, size_t max, char **names,
		      size_t *n)
{
	for (;;) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(stream);
		if (!entry)
			return -errno;
		if (!name_matches(entry->d_name, prefix, suffix))
			continue;
		if (*n == max)
			return SAFEDIR_E_MANY;
		names[*n] = strdup(entry->d_name);
		if (!names[*n])
			return -ENOMEM;
		++*n;
	}
}

int safedir_list(int dir, const char *prefix, const char *suffix, size_t max, char ***namesp,
		 size_t *np)
{
	_cleanup_(closep) int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(stream_closep) DIR *stream = NULL;
	char **names;
	size_t n = 0;
	int r;

	if (fd < 0)
		return -errno;
	stream = fdopendir(fd);
	if (!stream)
		return -errno;
	fd = -1; /* the stream's now */
	names = calloc(max, sizeof(*names));
	if (!names)
		return -ENOMEM;
	r = names_read(stream, prefix, suffix, max, names, &n);
	if (r) {
		safedir_free_names(names, n);
		return r;
	}
	qsort(names, n, sizeof(*names), name_compare);
	*namesp = names;
	*np = n;
	return 0;
}

/* --- writing ------------------------------------------------------------------------------------
 */

int safedir_write(int dir, const char *name, mode_t mode, const struct safedir_part *parts,
		  size_t n)
{
	_cleanup_(closep) int fd = -1;
	_cleanup_(freep) char *temporary = NULL;
	int r;

	if (asprintf(&temporary, "%s.new", name) < 0)
		return -ENOMEM;
	/* One left by a kill may be of any mode; a fresh one is not. */
	if (unlinkat(dir, temporary, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < n; i++) {
		r = textfile_write(fd, parts[i].data, parts[i].len);
		if (r)
			goto err_unlink;
	}
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0 || renameat(dir, temporary, dir, name) < 0) {
		r = -errno;
		goto err_unlink;
	}
	return 0;

err_unlink:
	unlinkat(dir, temporary, 0);
	return r;
}

const char *safedir_error(int code)
{
	switch (code) {
	case SAFEDIR_E_ABSENT:
		return N_("does not exist");
	case SAFEDIR_E_UNSAFE:
		return N_(
			"must be a directory that belongs to root and that nobody else may write");
	case SAFEDIR_E_MANY:
		return N_("holds too many files");
	}
	return N_("cannot be read");
}
