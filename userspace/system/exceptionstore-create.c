// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A new store: made under another name and given its own when it is whole and on the disk, so that a daemon which is killed meanwhile
 * leaves none, and never half of one that would count as damaged.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "system/exceptionstore-inside.h"

#define UNFINISHED ".new"

/* What SQLite keeps beside a database (sqlite.org, "Temporary Files Used By SQLite"). */
static const char *const beside[] = { "-wal", "-journal", "-shm" };

struct making {
	const char *path, *name;
	char *directory, *unfinished;
	int dir;
};

static void making_deinit(struct making *making)
{
	closep(&making->dir);
	free(making->directory);
	free(making->unfinished);
}

/* One at a time: whoever comes second must not take the first one's unfinished file for a dead one's. */
static int making_init(struct making *making, const char *path)
{
	const char *slash = strrchr(path, '/');

	*making = (struct making){ .path = path, .name = slash ? slash + 1 : path, .dir = -1 };
	making->directory = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!making->directory || asprintf(&making->unfinished, "%s" UNFINISHED, path) < 0) {
		making->unfinished = NULL;
		return -ENOMEM;
	}
	making->dir = open(making->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (making->dir < 0)
		return -errno;
	if (flock(making->dir, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? EXCEPTIONSTORE_E_BUSY : -errno;
	return 0;
}

static int remove_file(const char *path, const char *suffix)
{
	_cleanup_(freep) char *name = NULL;

	if (asprintf(&name, "%s%s", path, suffix) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	return unlink(name) < 0 && errno != ENOENT ? -errno : 0;
}

/* A log without its database would be played into the next one of that name. */
static int remove_beside(const char *path)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(beside); i++)
		r = remove_file(path, beside[i]);
	return r;
}

static int remove_unfinished(const struct making *making)
{
	int r = remove_file(making->unfinished, "");

	return r ? r : remove_beside(making->unfinished);
}

/* SQLite's locks go when any descriptor of the file is closed (fcntl(2)): none is open while a connection is, here and below. */
static int make_file(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : 0;
}

static int sync_file(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* All of it in the one file, for that is all that gets the name. */
static int fill(const char *path)
{
	_cleanup_(exceptionstore_closep) struct exceptionstore *store = NULL;
	int64_t busy = 1;
	int r = exceptionstore_connect(path, &store);

	if (!r)
		r = exceptionstore_run(store, "BEGIN IMMEDIATE");
	if (!r)
		r = exceptionstore_make_schema(store);
	if (!r)
		r = exceptionstore_run(store, "COMMIT");
	if (!r)
		r = exceptionstore_number(store, "PRAGMA wal_checkpoint(TRUNCATE)", &busy);
	return !r && busy ? EXCEPTIONSTORE_E_BUSY : r;
}

static int give_name(const struct making *making)
{
	struct stat st;
	int r = fstatat(making->dir, making->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : -EEXIST;

	/* Of a store that was moved away; one that is there keeps its log. */
	if (r == -ENOENT)
		r = remove_beside(making->path);
	if (!r && renameat2(AT_FDCWD, making->unfinished, making->dir, making->name, RENAME_NOREPLACE) < 0)
		r = -errno;
	if (!r && fsync(making->dir) < 0)
		r = -errno;
	return r;
}

static int make(const struct making *making)
{
	int r = remove_unfinished(making);

	if (!r)
		r = make_file(making->unfinished);
	if (!r)
		r = fill(making->unfinished);
	if (!r)
		r = sync_file(making->unfinished);
	if (!r)
		r = give_name(making);
	if (r)
		remove_unfinished(making);
	return r;
}

int exceptionstore_create(const char *path, struct exceptionstore **storep)
{
	_cleanup_(making_deinit) struct making making = { .dir = -1 };
	int r = making_init(&making, path);

	if (!r)
		r = make(&making);
	return r ? r : exceptionstore_connect(path, storep);
}
