// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logreader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#define BLOCK (256 * 1024)

/* RFC 8878, 3.1.1 */
static const unsigned char zstd_magic[] = {0x28, 0xb5, 0x2f, 0xfd};

/* What `zstd -19` writes still fits; the standard's ceiling of 128 MiB is for nobody's log. */
#define WINDOW_LOG_MAX 23

struct logreader {
	int fd;
	uint64_t bytes;
	uint64_t number;
	bool started;	 /* the file's first bytes have been looked at */
	bool compressed;
	bool end;	 /* of the file, for now */
	bool skipping;	 /* the rest of a line that was too long */

	ZSTD_DStream *zstd;
	char *packed;	 /* BLOCK */
	ZSTD_inBuffer in;
	bool in_frame;	 /* the frame is not complete */

	/* Text that no line has been made of yet: at[0..len) in buffer[LOGSET_LINE_MAX + BLOCK] */
	char *buffer;
	size_t at, len;
	size_t searched; /* of it, without a newline */
};

struct logreader *logreader_new(void)
{
	struct logreader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->fd = -1;
	reader->buffer = malloc(LOGSET_LINE_MAX + BLOCK);
	return reader->buffer ? reader : logreader_free(reader);
}

struct logreader *logreader_free(struct logreader *reader)
{
	if (reader) {
		ZSTD_freeDStream(reader->zstd);
		free(reader->packed);
		free(reader->buffer);
		free(reader);
	}
	return NULL;
}

uint64_t logreader_bytes(const struct logreader *reader)
{
	return reader->bytes;
}

void logreader_begin(struct logreader *reader, int fd)
{
	reader->fd = fd;
	reader->number = 0;
	reader->started = reader->compressed = reader->end = reader->skipping = reader->in_frame = false;
	reader->in = (ZSTD_inBuffer){0};
	reader->at = reader->len = reader->searched = 0;
}

static ssize_t read_block(struct logreader *reader, void *out, size_t size)
{
	ssize_t n;

	do
		n = read(reader->fd, out, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	reader->bytes += (uint64_t)n;
	return n;
}

/* Moves what the buffer holds to where unpacking wants it, and prepares for that. */
static int begin_zstd(struct logreader *reader)
{
	if (!reader->zstd)
		reader->zstd = ZSTD_createDStream();
	if (!reader->packed)
		reader->packed = malloc(BLOCK);
	if (!reader->zstd || !reader->packed)
		return -ENOMEM;
	ZSTD_DCtx_reset(reader->zstd, ZSTD_reset_session_only);
	ZSTD_DCtx_setParameter(reader->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	memcpy(reader->packed, reader->buffer, reader->len);
	reader->in = (ZSTD_inBuffer){reader->packed, reader->len, 0};
	reader->len = 0;
	reader->compressed = true;
	return 0;
}

/* Enough of the file's beginning to tell what it is. */
static int begin_file(struct logreader *reader)
{
	while (reader->len < sizeof(zstd_magic) &&
	       !memcmp(reader->buffer, zstd_magic, reader->len)) {
		ssize_t n = read_block(reader, reader->buffer + reader->len, BLOCK - reader->len);

		if (n < 0)
			return (int)n;
		if (!n)
			break;
		reader->len += (size_t)n;
	}
	if (!reader->len)
		return 0;
	reader->started = true;
	if (reader->len >= sizeof(zstd_magic) && !memcmp(reader->buffer, zstd_magic, sizeof(zstd_magic)))
		return begin_zstd(reader);
	return 0;
}

static int fill_unpacked(struct logreader *reader, char *out, size_t size)
{
	ZSTD_outBuffer text = {out, size, 0};

	for (;;) {
		size_t taken = reader->in.pos, left;
		ssize_t n;

		/* Also without input: zstd may still hold text for which there was no room. */
		left = ZSTD_decompressStream(reader->zstd, &text, &reader->in);
		if (ZSTD_isError(left))
			return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
		if (text.pos || reader->in.pos > taken)
			reader->in_frame = left != 0;
		if (text.pos)
			break;
		if (reader->in.pos < reader->in.size)
			continue;
		n = read_block(reader, reader->packed, BLOCK);
		if (n < 0)
			return (int)n;
		if (!n)
			return reader->in_frame ? -EBADMSG : 0;
		reader->in = (ZSTD_inBuffer){reader->packed, (size_t)n, 0};
	}
	reader->len += text.pos;
	return 0;
}

/* More text behind what there is; sets `end` when there is none. */
static int fill(struct logreader *reader)
{
	size_t before;
	int r;

	if (reader->at) {
		memmove(reader->buffer, reader->buffer + reader->at, reader->len);
		reader->at = 0;
	}
	before = reader->len;
	if (!reader->started) {
		r = begin_file(reader);
		if (r || reader->len)
			return r;
		if (!reader->compressed) {
			reader->end = true;
			return 0;
		}
	}
	if (reader->compressed) {
		r = fill_unpacked(reader, reader->buffer + before, LOGSET_LINE_MAX + BLOCK - before);
		if (r)
			return r;
	} else {
		ssize_t n = read_block(reader, reader->buffer + before, BLOCK);

		if (n < 0)
			return (int)n;
		reader->len += (size_t)n;
	}
	reader->end = reader->len == before;
	return 0;
}

static void take(struct logreader *reader, size_t n)
{
	reader->at += n;
	reader->len -= n;
	reader->searched = 0;
}

static int give(struct logreader *reader, struct logset_line *line, size_t len, bool too_long, bool cut)
{
	reader->number++;
	line->number = reader->number;
	line->first = reader->number == 1;
	line->text = reader->buffer + reader->at;
	line->len = len;
	line->too_long = too_long;
	line->cut = cut;
	return 1;
}

int logreader_next(struct logreader *reader, struct logset_line *line, bool hold)
{
	reader->end = false;
	for (;;) {
		const char *text = reader->buffer + reader->at;
		const char *newline = memchr(text + reader->searched, '\n', reader->len - reader->searched);
		size_t len = newline ? (size_t)(newline - text) : reader->len;
		int r;

		if (reader->skipping && (newline || reader->len)) {
			reader->skipping = !newline;
			take(reader, len + (newline ? 1 : 0));
			continue;
		}
		if (len > LOGSET_LINE_MAX) {
			r = give(reader, line, LOGSET_LINE_MAX, true, false);
			reader->skipping = true;
			take(reader, LOGSET_LINE_MAX);
			return r;
		}
		if (newline) {
			r = give(reader, line, len, false, false);
			take(reader, len + 1);
			return r;
		}
		reader->searched = reader->len;
		if (reader->end) {
			if (!reader->len || hold)
				return 0;
			r = give(reader, line, len, false, true);
			take(reader, len);
			return r;
		}
		r = fill(reader);
		if (r)
			return r;
	}
}
