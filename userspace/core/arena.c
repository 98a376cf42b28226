// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdalign.h>

#include "core/arena.h"

/* The first chunk is small, since most policies are; later ones double up to this. */
#define CHUNK_MIN 4096u
#define CHUNK_MAX (1u << 20)

struct chunk {
	struct chunk *next;
	size_t size;
	size_t used;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct chunk *chunks; /* the newest first */
	size_t size;
	/* Open addressing; a power of two. */
	const struct text **table;
	size_t table_size;
	size_t n_texts;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

struct arena *arena_free(struct arena *arena)
{
	if (!arena)
		return NULL;
	while (arena->chunks) {
		struct chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
	free(arena->table);
	free(arena);
	return NULL;
}

static struct chunk *arena_grow(struct arena *arena, size_t need)
{
	size_t size = arena->chunks ? arena->chunks->size * 2 : CHUNK_MIN;
	struct chunk *chunk;

	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	if (size < need)
		size = need;
	chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->size += sizeof(*chunk) + size;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct chunk *chunk = arena->chunks;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + alignof(void *) - 1) & ~(alignof(void *) - 1);
	if (!chunk || chunk->size - chunk->used < size) {
		chunk = arena_grow(arena, size);
		if (!chunk)
			return NULL;
	}
	p = chunk->bytes + chunk->used;
	chunk->used += size;
	return p;
}

/* FNV-1a; the table is rebuilt with more room as it fills, so a clash costs time, not sense. */
static size_t hash_bytes(const char *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	return (size_t)(hash ^ hash >> 32);
}

static const struct text **table_slot(const struct text **table, size_t size, const char *bytes,
				      size_t len)
{
	size_t i = hash_bytes(bytes, len) & (size - 1);

	while (table[i] && (table[i]->len != len || memcmp(table[i]->bytes, bytes, len)))
		i = (i + 1) & (size - 1);
	return &table[i];
}

static int table_grow(struct arena *arena)
{
	size_t size = arena->table_size ? arena->table_size * 2 : 64;
	const struct text **table = calloc(size, sizeof(const struct text *));

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < arena->table_size; i++) {
		const struct text *text = arena->table[i];

		if (text)
			*table_slot(table, size, text->bytes, text->len) = text;
	}
	free(arena->table);
	arena->table = table;
	arena->table_size = size;
	return 0;
}

const struct text *arena_text(struct arena *arena, const char *bytes, size_t len)
{
	const struct text **slot;
	struct text *text;

	if (len >= UINT32_MAX)
		return NULL;
	if (arena->n_texts * 4 >= arena->table_size * 3 && table_grow(arena))
		return NULL;
	slot = table_slot(arena->table, arena->table_size, bytes, len);
	if (*slot)
		return *slot;
	text = arena_alloc(arena, sizeof(*text) + len + 1);
	if (!text)
		return NULL;
	text->len = (uint32_t)len;
	memcpy(text->bytes, bytes, len);
	*slot = text;
	arena->n_texts++;
	return text;
}

void arena_seal(struct arena *arena)
{
	free(arena->table);
	arena->table = NULL;
	arena->table_size = arena->n_texts = 0;
}

size_t arena_size(const struct arena *arena)
{
	return arena->size + arena->table_size * sizeof(*arena->table);
}
