// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/mark-text.h"
#include "system/textfile.h"

int textfile_read(const char *path, size_t max, char **textp, size_t *len)
{
	_cleanup_(closep) int fd = -1;
	_cleanup_(freep) char *text = NULL;
	struct stat st;
	size_t done = 0, size;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? TEXTFILE_E_ABSENT : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (st.st_uid && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)))
		return TEXTFILE_E_UNSAFE;
	if (st.st_size < 0 || (size_t)st.st_size > max)
		return TEXTFILE_E_LARGE;

	size = (size_t)st.st_size;
	text = malloc(size + 1);
	if (!text)
		return -ENOMEM;
	while (done < size) {
		ssize_t n = read(fd, text + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	text[done] = '\0';
	*len = done;
	*textp = TAKE_PTR(text);
	return 0;
}

int textfile_write(int fd, const void *data, size_t len)
{
	const char *rest = data;

	while (len) {
		ssize_t n = write(fd, rest, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			rest += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int textfile_replace(const char *path, const void *data, size_t len, mode_t mode)
{
	_cleanup_(freep) char *temporary = NULL;
	int fd, r;

	if (asprintf(&temporary, "%s.new", path) < 0)
		return -ENOMEM;
	/* What an earlier run left there may be anything. */
	if (unlink(temporary) < 0 && errno != ENOENT)
		return -errno;
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	r = textfile_write(fd, data, len);
	if (close(fd) < 0 && !r)
		r = -errno;
	if (!r && rename(temporary, path) < 0)
		r = -errno;
	if (r)
		unlink(temporary);
	return r;
}

const char *textfile_error(int code)
{
	switch (code) {
	case TEXTFILE_E_ABSENT:
		return N_("does not exist");
	case TEXTFILE_E_UNSAFE:
		return N_("must be a regular file that belongs to root and that nobody else may "
			  "write");
	case TEXTFILE_E_LARGE:
		return N_("is too large");
	}
	return N_("cannot be read");
}
