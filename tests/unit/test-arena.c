// SPDX-License-Identifier: GPL-2.0-or-later
/* core/arena: memory given out piece by piece, and texts that are kept once. */
#include <stdio.h>

#include "core/arena.h"
#include "testing.h"

static void pieces_are_zeroed_aligned_and_apart(void)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	unsigned char *previous = NULL;

	/* Sizes around one chunk and far beyond the largest. */
	for (size_t size = 1; size < (3u << 20); size = size * 3 + 1) {
		unsigned char *p = arena_alloc(arena, size);
		bool zero = true;

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL((uintptr_t)p % sizeof(uint64_t), 0);
		for (size_t i = 0; i < size; i++)
			zero &= !p[i];
		CU_ASSERT_TRUE(zero);
		if (previous)
			CU_ASSERT_EQUAL(*previous, 0xff);
		memset(p, 0xff, size);
		previous = p;
	}
}

static void many_small_pieces_keep_what_is_written(void)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	enum {
		N = 20000
	};
	static uint64_t *pieces[N];
	bool kept = true;

	for (uint64_t i = 0; i < N; i++) {
		pieces[i] = arena_alloc(arena, sizeof(uint64_t) + i % 5);
		*pieces[i] = i;
	}
	for (uint64_t i = 0; i < N; i++)
		kept &= *pieces[i] == i;
	CU_ASSERT_TRUE(kept);
	/* Doubling chunks: no more than three times what was asked for. */
	CU_ASSERT(arena_size(arena) >= N * sizeof(uint64_t));
	CU_ASSERT(arena_size(arena) < 3 * N * 2 * sizeof(uint64_t));
}

static void an_impossible_size_is_refused(void)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	CU_ASSERT_PTR_NULL(arena_alloc(arena, SIZE_MAX));
	CU_ASSERT_PTR_NULL(arena_alloc(arena, SIZE_MAX - 3));
	CU_ASSERT_PTR_NULL(arena_alloc(arena, SIZE_MAX / 2 + 1));
	CU_ASSERT_PTR_NULL(arena_text(arena, "x", (size_t)UINT32_MAX));
	CU_ASSERT_PTR_NOT_NULL(arena_alloc(arena, 0));
	CU_ASSERT_PTR_NOT_NULL(arena_alloc(arena, 8));
}

static void equal_texts_are_kept_once(void)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const struct text *a = arena_text(arena, "sakura", 6), *b;
	char copy[] = "sakura-1";

	b = arena_text(arena, copy, 6);
	CU_ASSERT_PTR_EQUAL(a, b);
	copy[0] = 'x';
	CU_ASSERT_STRING_EQUAL(a->bytes, "sakura");
	CU_ASSERT_PTR_NOT_EQUAL(arena_text(arena, "sakurb", 6), a);
	CU_ASSERT_PTR_NOT_EQUAL(arena_text(arena, "sakura-1", 8), a);
	CU_ASSERT_PTR_NOT_EQUAL(arena_text(arena, "sakur", 5), a);
}

static void texts_may_be_empty_or_hold_nul(void)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const struct text *empty = arena_text(arena, "", 0);
	const struct text *nul = arena_text(arena, "a\0b", 3),
			  *other = arena_text(arena, "a\0c", 3);

	CU_ASSERT_EQUAL(empty->len, 0);
	CU_ASSERT_EQUAL(empty->bytes[0], '\0');
	CU_ASSERT_EQUAL(nul->len, 3);
	CU_ASSERT_EQUAL(memcmp(nul->bytes, "a\0b", 4), 0);
	CU_ASSERT_PTR_NOT_EQUAL(nul, other);
	CU_ASSERT_PTR_NOT_EQUAL(nul, arena_text(arena, "a", 1));
	CU_ASSERT_TRUE(text_is(empty, ""));
	CU_ASSERT_FALSE(text_is(nul, "a"));
	CU_ASSERT_TRUE(text_is(arena_text(arena, "a", 1), "a"));
	CU_ASSERT_FALSE(text_is(arena_text(arena, "a", 1), "ab"));
	CU_ASSERT_FALSE(text_is(arena_text(arena, "ab", 2), "a"));
}

static void texts_are_found_again_among_many(void)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	enum {
		N = 5000
	};
	static const struct text *texts[N];
	bool same = true;
	size_t size;

	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < N; i++) {
			char text[32];
			int len = snprintf(text, sizeof(text), "serial %u", i);
			const struct text *kept = arena_text(arena, text, (size_t)len);

			if (!round)
				texts[i] = kept;
			same &= kept == texts[i] && text_is(kept, text);
		}
		if (!round)
			size = arena_size(arena);
	}
	CU_ASSERT_TRUE(same);
	CU_ASSERT_EQUAL(arena_size(arena), size);
}

static void a_sealed_arena_is_smaller_and_keeps_its_texts(void)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const struct text *before = arena_text(arena, "before", 6), *after;
	size_t size = arena_size(arena);

	arena_seal(arena);
	CU_ASSERT(arena_size(arena) < size);
	CU_ASSERT_STRING_EQUAL(before->bytes, "before");
	/* It may still be used; only sharing begins anew. */
	after = arena_text(arena, "after", 5);
	CU_ASSERT_PTR_EQUAL(after, arena_text(arena, "after", 5));
	CU_ASSERT_TRUE(text_is(arena_text(arena, "before", 6), "before"));
}

static void nothing_is_freed_as_nothing(void)
{
	CU_ASSERT_PTR_NULL(arena_free(NULL));
	CU_ASSERT_PTR_NULL(arena_free(arena_new()));
}

int main(void)
{
	static const struct test tests[] = {
		TEST(pieces_are_zeroed_aligned_and_apart),
		TEST(many_small_pieces_keep_what_is_written),
		TEST(an_impossible_size_is_refused),
		TEST(equal_texts_are_kept_once),
		TEST(texts_may_be_empty_or_hold_nul),
		TEST(texts_are_found_again_among_many),
		TEST(a_sealed_arena_is_smaller_and_keeps_its_texts),
		TEST(nothing_is_freed_as_nothing),
	};

	return testing_run("arena", tests, ARRAY_SIZE(tests));
}
