// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "system/logfile.h"

struct logfile {
	char *path;
	int fd;	   /* -1 while closed */
	bool torn; /* the file does not end with a newline */
};

int logfile_new(struct logfile **logp, const char *path)
{
	struct logfile *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	log->fd = -1;
	log->path = strdup(path);
	if (!log->path) {
		free(log);
		return -ENOMEM;
	}
	*logp = log;
	return 0;
}

struct logfile *logfile_free(struct logfile *log)
{
	if (log) {
		closep(&log->fd);
		free(log->path);
		free(log);
	}
	return NULL;
}

static void logfile_close(struct logfile *log)
{
	closep(&log->fd);
	log->fd = -1;
}

/* A new file's name must be durable as well as its content. */
static int sync_parent(const char *path)
{
	_cleanup_(freep) char *dir = strdup(path);
	_cleanup_(closep) int fd = -1;
	char *slash;

	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	if (!slash)
		return -EINVAL;
	*(slash == dir ? slash + 1 : slash) = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

static int logfile_open(struct logfile *log)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;
	char last;
	int r;

	fd = open(log->path,
		  O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
		  0640);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	if (!st.st_size) {
		r = sync_parent(log->path);
		if (r)
			return r;
	} else if (pread(fd, &last, 1, st.st_size - 1) != 1) {
		return -EIO;
	}
	log->torn = st.st_size && last != '\n';
	log->fd = TAKE_FD(fd);
	return 0;
}

/* Has the file been moved or removed under us? */
static bool logfile_stale(const struct logfile *log)
{
	struct stat by_fd, by_path;

	return fstat(log->fd, &by_fd) < 0 || stat(log->path, &by_path) < 0 ||
	       by_fd.st_ino != by_path.st_ino || by_fd.st_dev != by_path.st_dev;
}

int logfile_append(struct logfile *log, const char *line, size_t len)
{
	struct iovec parts[] = {
		{ "\n", 1 },
		{ (void *)line, len },
		{ "\n", 1 },
	};
	ssize_t n, expected;
	int first, r;

	if (log->fd >= 0 && logfile_stale(log))
		logfile_close(log);
	if (log->fd < 0) {
		r = logfile_open(log);
		if (r)
			return r;
	}
	first = log->torn ? 0 : 1;
	expected = (ssize_t)len + 2 - first;
	n = writev(log->fd, parts + first, 3 - first);
	if (n != expected || fdatasync(log->fd) < 0) {
		r = n < 0 ? -errno : n != expected ? -ENOSPC : -errno;
		/* What stands there now is unknown: look again before the next line. */
		logfile_close(log);
		return r;
	}
	log->torn = false;
	return 0;
}

int logfile_last(struct logfile *log, char **linep)
{
	_cleanup_(freep) char *buffer = malloc(2 * LOGFILE_LINE_MAX + 1);
	char *end, *start;
	struct stat st;
	off_t from;
	ssize_t n;
	int r;

	*linep = NULL;
	if (!buffer)
		return -ENOMEM;
	if (log->fd < 0) {
		r = logfile_open(log);
		if (r)
			return r;
	}
	if (fstat(log->fd, &st) < 0)
		return -errno;
	from = st.st_size > 2 * LOGFILE_LINE_MAX ? st.st_size - 2 * LOGFILE_LINE_MAX : 0;
	n = pread(log->fd, buffer, 2 * LOGFILE_LINE_MAX, from);
	if (n < 0)
		return -errno;

	end = memrchr(buffer, '\n', (size_t)n);
	if (!end)
		return 0;
	*end = '\0';
	start = memrchr(buffer, '\n', (size_t)(end - buffer));
	*linep = strdup(start ? start + 1 : buffer);
	return *linep ? 0 : -ENOMEM;
}
