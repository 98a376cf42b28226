// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "core/macro.h"
#include "system/logend.h"

#define CHUNK 65536

DEFINE_CLEANUP(ZSTD_DCtx *, ZSTD_freeDCtx)

static int read_plain(int fd, char *out, size_t *lenp)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	n = pread(fd, out, LOGEND_MAX, st.st_size > LOGEND_MAX ? st.st_size - LOGEND_MAX : 0);
	if (n < 0)
		return -errno;
	*lenp = (size_t)n;
	return 0;
}

/* Keeps the last LOGEND_MAX bytes of what comes. */
static void keep_end(char *out, size_t *lenp, const char *more, size_t len)
{
	size_t over;

	if (len > LOGEND_MAX) {
		more += len - LOGEND_MAX;
		len = LOGEND_MAX;
	}
	over = *lenp + len > LOGEND_MAX ? *lenp + len - LOGEND_MAX : 0;
	memmove(out, out + over, *lenp - over);
	memcpy(out + *lenp - over, more, len);
	*lenp += len - over;
}

static int read_packed(int fd, char *out, size_t *lenp)
{
	_cleanup_(ZSTD_freeDCtxp) ZSTD_DCtx *context = ZSTD_createDCtx();
	_cleanup_(freep) char *packed = malloc(CHUNK), *plain = malloc(CHUNK);
	ZSTD_inBuffer from = { .src = packed };
	ssize_t n;

	*lenp = 0;
	if (!context || !packed || !plain)
		return -ENOMEM;
	while ((n = read(fd, packed, CHUNK)) > 0) {
		bool full = false;

		from.size = (size_t)n;
		from.pos = 0;
		while (from.pos < from.size || full) {
			ZSTD_outBuffer to = { .dst = plain, .size = CHUNK };

			if (ZSTD_isError(ZSTD_decompressStream(context, &to, &from)))
				return 0;
			keep_end(out, lenp, plain, to.pos);
			full = to.pos == to.size;
		}
	}
	return n < 0 ? -errno : 0;
}

int logend_read(int dir, const char *name, bool packed, char *out, size_t *lenp)
{
	_cleanup_(closep) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	*lenp = 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	return packed ? read_packed(fd, out, lenp) : read_plain(fd, out, lenp);
}
