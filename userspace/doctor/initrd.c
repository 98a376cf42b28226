// SPDX-License-Identifier: GPL-2.0-or-later
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "core/macro.h"
#include "doctor/initrd.h"

#define PIECE_SIZE (128 * 1024)
/* xz as mkinitramfs calls it needs 8 MiB to unpack; more is a trap. */
#define XZ_MEMORY_MAX (UINT64_C(128) << 20)
/* 128 MiB, as ZSTD_WINDOWLOG_LIMIT_DEFAULT; the kernel takes no more either. */
#define ZSTD_WINDOW_LOG_MAX 27

struct reader {
	const uint8_t *data;
	size_t len;
	size_t pos;
	uint64_t unpacked;
	cpio_name_fn found;
	cpio_data_fn contents;
	void *userdata;
};

/* A packed part holds whole archives, one after the other. 0 or INITRD_E_…. */
static int feed(struct reader *reader, struct cpio *cpio, const uint8_t *piece, size_t len)
{
	reader->unpacked += len;
	if (reader->unpacked > INITRD_UNPACKED_MAX)
		return INITRD_E_LARGE;
	while (len) {
		size_t n = cpio_feed(cpio, piece, len);

		if (cpio->state == CPIO_BAD)
			return INITRD_E_DAMAGED;
		piece += n;
		len -= n;
		if (cpio->state != CPIO_END)
			continue;
		while (len && !*piece) {
			piece++;
			len--;
		}
		if (len)
			cpio_init(cpio, reader->found, reader->contents, reader->userdata);
	}
	return 0;
}

static int ended(const struct cpio *cpio)
{
	return cpio->state == CPIO_END ? 0 : INITRD_E_DAMAGED;
}

static int read_plain(struct reader *reader, struct cpio *cpio, uint8_t *piece)
{
	reader->pos += cpio_feed(cpio, reader->data + reader->pos, reader->len - reader->pos);
	return ended(cpio);
}

static int read_gzip(struct reader *reader, struct cpio *cpio, uint8_t *piece)
{
	z_stream z = {.next_in = (Bytef *)reader->data + reader->pos,
		      .avail_in = (uInt)(reader->len - reader->pos)};
	int r = 0, step = Z_OK;

	/* 15 bits of window, +16: gzip only. */
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return -ENOMEM;
	while (!r && step == Z_OK) {
		z.next_out = piece;
		z.avail_out = PIECE_SIZE;
		step = inflate(&z, Z_NO_FLUSH);
		if (step == Z_OK || step == Z_STREAM_END)
			r = feed(reader, cpio, piece, PIECE_SIZE - z.avail_out);
		else
			r = step == Z_MEM_ERROR ? -ENOMEM : INITRD_E_DAMAGED;
	}
	reader->pos = reader->len - z.avail_in;
	inflateEnd(&z);
	return r ? r : ended(cpio);
}

static int read_xz(struct reader *reader, struct cpio *cpio, uint8_t *piece)
{
	lzma_stream xz = LZMA_STREAM_INIT;
	lzma_ret step = lzma_stream_decoder(&xz, XZ_MEMORY_MAX, 0);
	int r = 0;

	xz.next_in = reader->data + reader->pos;
	xz.avail_in = reader->len - reader->pos;
	while (!r && step == LZMA_OK) {
		xz.next_out = piece;
		xz.avail_out = PIECE_SIZE;
		step = lzma_code(&xz, LZMA_FINISH);
		if (step == LZMA_OK || step == LZMA_STREAM_END)
			r = feed(reader, cpio, piece, PIECE_SIZE - xz.avail_out);
		else
			r = step == LZMA_MEM_ERROR ? -ENOMEM : INITRD_E_DAMAGED;
	}
	reader->pos = reader->len - xz.avail_in;
	lzma_end(&xz);
	return r ? r : ended(cpio);
}

static int read_zstd(struct reader *reader, struct cpio *cpio, uint8_t *piece)
{
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	ZSTD_inBuffer in = {.src = reader->data, .size = reader->len, .pos = reader->pos};
	size_t step = 1;
	int r = 0;

	if (!zstd)
		return -ENOMEM;
	ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	while (!r && step) {
		ZSTD_outBuffer out = {.dst = piece, .size = PIECE_SIZE};
		size_t before = in.pos;

		step = ZSTD_decompressStream(zstd, &out, &in);
		/* No way on, neither in nor out: it ends within a frame. */
		if (ZSTD_isError(step) || (step && in.pos == before && !out.pos))
			r = INITRD_E_DAMAGED;
		else
			r = feed(reader, cpio, piece, out.pos);
	}
	reader->pos = in.pos;
	ZSTD_freeDCtx(zstd);
	return r ? r : ended(cpio);
}

static const struct {
	const char *magic;
	size_t len;
	int (*read)(struct reader *reader, struct cpio *cpio,
		    uint8_t *piece); /* NULL: not read here */
} forms[] = {
	{"07070", 5, read_plain},
	{"\x1f\x8b", 2, read_gzip},
	{"\xfd"
	 "7zXZ\0",
	 6, read_xz},
	{"\x28\xb5\x2f\xfd", 4, read_zstd},
	{"BZh", 3, NULL},
	{"\x02\x21\x4c\x18", 4, NULL}, /* lz4, legacy frame */
	{"\x5d\x00\x00", 3, NULL},     /* lzma alone */
	{"\x89LZO\0\r\n\x1a\n", 9, NULL},
};

int initrd_read(const uint8_t *data, size_t len, cpio_name_fn found, cpio_data_fn contents,
		void *userdata)
{
	struct reader reader = {.data = data,
				.len = len,
				.found = found,
				.contents = contents,
				.userdata = userdata};
	_cleanup_(freep) uint8_t *piece = malloc(PIECE_SIZE);
	_cleanup_(freep) struct cpio *cpio = malloc(sizeof(*cpio));
	bool any = false;

	if (!piece || !cpio)
		return -ENOMEM;
	for (;;) {
		size_t form = 0;
		int r;

		while (reader.pos < len && !data[reader.pos])
			reader.pos++;
		if (reader.pos == len)
			return any ? 0 : INITRD_E_DAMAGED;
		while (form < ARRAY_SIZE(forms) &&
		       (len - reader.pos < forms[form].len ||
			memcmp(data + reader.pos, forms[form].magic, forms[form].len)))
			form++;
		if (form == ARRAY_SIZE(forms))
			return INITRD_E_DAMAGED;
		if (!forms[form].read)
			return INITRD_E_COMPRESSION;
		cpio_init(cpio, found, contents, userdata);
		r = forms[form].read(&reader, cpio, piece);
		if (r)
			return r;
		any = true;
	}
}
