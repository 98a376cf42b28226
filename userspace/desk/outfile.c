// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "system/safedir.h"

int outfile_write_at(const struct context *context, int dir, const char *name, mode_t mode,
		     const void *data, size_t len)
{
	const struct safedir_part part = {.data = data, .len = len};
	int r = safedir_write(dir, name, mode, &part, 1);

	if (!r)
		r = safedir_sync(dir);
	return r ? message_fail(context, _("%s cannot be written: %s"), name, i18n_error(-r)) : 0;
}

int outfile_write(const struct context *context, const char *path, mode_t mode, const void *data,
		  size_t len)
{
	_cleanup_(freep) char *parent = output_format("%s", path);
	_cleanup_(closep) int dir = -1;
	char *slash = strrchr(parent, '/');
	const char *name = slash ? path + (slash - parent) + 1 : path;
	struct stat st;

	if (slash)
		slash[slash == parent] = '\0';
	dir = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return message_fail(context, "%s: %s", slash ? parent : ".", i18n_error(errno));
	/* Renaming over a device or a pipe would take its place. */
	if (!*name || (!fstatat(dir, name, &st, 0) && !S_ISREG(st.st_mode)))
		return message_fail(context, _("%s is not an ordinary file"), path);
	return outfile_write_at(context, dir, name, mode, data, len);
}

static int read_all(int fd, size_t max, char **datap, size_t *len)
{
	size_t size = 65536;
	char *data = malloc(size + 1);

	*len = 0;
	for (;;) {
		ssize_t n;

		if (!data)
			return -ENOMEM;
		n = read(fd, data + *len, size - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			free(data);
			return (int)n;
		}
		if (!n)
			break;
		*len += (size_t)n;
		if (*len > max) {
			free(data);
			return -EFBIG;
		}
		if (*len == size) {
			char *more = realloc(data, 2 * size + 1);

			if (!more)
				free(data);
			data = more;
			size *= 2;
		}
	}
	data[*len] = '\0';
	*datap = data;
	return 0;
}

int outfile_read(const struct context *context, const char *path, size_t max, char **datap,
		 size_t *len)
{
	_cleanup_(closep) int fd = !strcmp(path, "-") ? dup(STDIN_FILENO)
						      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : read_all(fd, max, datap, len);

	return r ? message_fail(context, _("%s cannot be read: %s"), path, i18n_error(-r)) : 0;
}
