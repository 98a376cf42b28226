/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds-checked reading of untrusted bytes. A reader that would leave the buffer returns 0 and
 * sets the view's `bad` flag, which stays set: parse first, ask bytes_ok() once at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *data; /* not owned */
	size_t len;	     /* bytes */
	bool bad;	     /* a read went past the end */
};

static inline bool bytes_has(struct bytes *b, size_t off, size_t n)
{
	if (off > b->len || n > b->len - off) {
		b->bad = true;
		return false;
	}
	return true;
}

static inline bool bytes_ok(const struct bytes *b)
{
	return !b->bad;
}

static inline uint8_t bytes_u8(struct bytes *b, size_t off)
{
	return bytes_has(b, off, 1) ? b->data[off] : 0;
}

static inline uint64_t bytes_be(struct bytes *b, size_t off, size_t n)
{
	uint64_t v = 0;

	if (!bytes_has(b, off, n))
		return 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | b->data[off + i];
	return v;
}

static inline uint64_t bytes_le(struct bytes *b, size_t off, size_t n)
{
	uint64_t v = 0;

	if (!bytes_has(b, off, n))
		return 0;
	for (size_t i = n; i-- > 0;)
		v = v << 8 | b->data[off + i];
	return v;
}

static inline uint16_t bytes_u16_be(struct bytes *b, size_t off)
{
	return (uint16_t)bytes_be(b, off, 2);
}

static inline uint32_t bytes_u32_be(struct bytes *b, size_t off)
{
	return (uint32_t)bytes_be(b, off, 4);
}

static inline uint64_t bytes_u64_be(struct bytes *b, size_t off)
{
	return bytes_be(b, off, 8);
}

static inline uint32_t bytes_u32_le(struct bytes *b, size_t off)
{
	return (uint32_t)bytes_le(b, off, 4);
}

static inline uint16_t bytes_u16_le(struct bytes *b, size_t off)
{
	return (uint16_t)bytes_le(b, off, 2);
}

static inline uint64_t bytes_u64_le(struct bytes *b, size_t off)
{
	return bytes_le(b, off, 8);
}

/* Not a reader: whether nothing but zeroes lies in memory that is there. */
static inline bool bytes_zero(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i])
			return false;
	return true;
}
