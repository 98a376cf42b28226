/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is given out piece by piece and freed all at once: for objects built whole and never
 * changed, such as a policy. Texts put into it are shared: the same bytes are kept once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/macro.h"

/* A text with its length: what a rule or a medium holds may contain NUL bytes. */
struct text {
	uint32_t len;
	char bytes[]; /* and a NUL after them */
};

struct arena;

struct arena *arena_new(void); /* NULL without memory */
struct arena *arena_free(struct arena *arena);
DEFINE_CLEANUP(struct arena *, arena_free)

/* `size` bytes of zeros, aligned for pointers and 64-bit numbers; NULL without memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* The shared text of these bytes; NULL without memory. Texts above 4 GiB are refused as if so. */
const struct text *arena_text(struct arena *arena, const char *bytes, size_t len);

/* The table that finds shared texts is needed only while building. */
void arena_seal(struct arena *arena);

/* Bytes taken from the heap. */
size_t arena_size(const struct arena *arena);

static inline _unused_ int text_is(const struct text *text, const char *other)
{
	return text->len == strlen(other) && !memcmp(text->bytes, other, text->len);
}
