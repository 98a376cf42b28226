// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/hex.h"
#include "doctor/cpio.h"

/* Fields of eight hexadecimal digits after the magic of six. */
#define FIELD_SIZE 6
#define FIELD_NAME_SIZE 11

void cpio_init(struct cpio *cpio, cpio_name_fn found, cpio_data_fn contents, void *userdata)
{
	memset(cpio, 0, sizeof(*cpio));
	cpio->found = found;
	cpio->contents = contents;
	cpio->userdata = userdata;
}

static bool field_read(const char *header, size_t field, uint32_t *value)
{
	const char *digits = header + 6 + 8 * field;

	*value = 0;
	for (size_t i = 0; i < 8; i++) {
		int digit = hex_digit(digits[i]);

		if (digit < 0)
			return false;
		*value = *value << 4 | (uint32_t)digit;
	}
	return true;
}

static void header_done(struct cpio *cpio)
{
	uint32_t size, name_size;

	cpio->used = 0;
	cpio->state = CPIO_BAD;
	if ((memcmp(cpio->buffer, "070701", 6) && memcmp(cpio->buffer, "070702", 6)) ||
	    !field_read(cpio->buffer, FIELD_SIZE, &size) ||
	    !field_read(cpio->buffer, FIELD_NAME_SIZE, &name_size) || !name_size ||
	    name_size > CPIO_NAME_MAX)
		return;
	cpio->name_size = name_size;
	/* Name and data each end on a multiple of four from the header's beginning. */
	cpio->pad = -(CPIO_HEADER_LEN + (size_t)name_size) & 3;
	cpio->left = size;
	cpio->data_pad = -(size_t)size & 3;
	cpio->state = CPIO_NAME;
}

static void name_done(struct cpio *cpio)
{
	cpio->used = 0;
	if (cpio->buffer[cpio->name_size - 1]) {
		cpio->state = CPIO_BAD;
	} else if (!strcmp(cpio->buffer, "TRAILER!!!")) {
		cpio->state = CPIO_END;
	} else {
		cpio->wanted = cpio->found(cpio->userdata, cpio->buffer) && cpio->contents;
		cpio->state = CPIO_PAD;
	}
}

/* What is not gathered in the buffer: padding, and contents. Returns how many bytes it took. */
static size_t pass(struct cpio *cpio, const char *bytes, size_t len)
{
	size_t n;

	if (cpio->state == CPIO_DATA) {
		n = cpio->left < len ? cpio->left : len;
		if (cpio->wanted && n)
			cpio->contents(cpio->userdata, bytes, n);
		cpio->left -= (uint32_t)n;
		if (!cpio->left) {
			cpio->pad = cpio->data_pad;
			cpio->state = CPIO_PAD;
		}
		return n;
	}
	n = cpio->pad < len ? cpio->pad : len;
	cpio->pad -= n;
	if (!cpio->pad)
		cpio->state = cpio->left ? CPIO_DATA : CPIO_HEADER;
	return n;
}

size_t cpio_feed(struct cpio *cpio, const void *data, size_t len)
{
	const char *bytes = data;
	size_t taken = 0;

	while (taken < len && cpio->state != CPIO_END && cpio->state != CPIO_BAD) {
		size_t left = len - taken, want, n;

		if (cpio->state == CPIO_PAD || cpio->state == CPIO_DATA) {
			taken += pass(cpio, bytes + taken, left);
			continue;
		}
		want = (cpio->state == CPIO_HEADER ? CPIO_HEADER_LEN : cpio->name_size) -
		       cpio->used;
		n = want < left ? want : left;
		memcpy(cpio->buffer + cpio->used, bytes + taken, n);
		cpio->used += n;
		taken += n;
		if (n < want)
			break;
		if (cpio->state == CPIO_HEADER)
			header_done(cpio);
		else
			name_done(cpio);
	}
	return taken;
}
