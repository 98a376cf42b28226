// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/counts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/macro.h"

#define BUCKETS 1024u

struct counts {
	struct count *buckets[BUCKETS];
	size_t n;
	struct count *others;
	const struct count **sorted;
};

struct counts *counts_new(void)
{
	return calloc(1, sizeof(struct counts));
}

static void count_free(struct count *count)
{
	for (size_t i = 0; count && i < COUNT_LABELS; i++)
		free(count->labels[i]);
	free(count);
}

struct counts *counts_free(struct counts *counts)
{
	if (!counts)
		return NULL;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (counts->buckets[i]) {
			struct count *count = counts->buckets[i];

			counts->buckets[i] = count->next;
			count_free(count);
		}
	}
	count_free(counts->others);
	free(counts->sorted);
	free(counts);
	return NULL;
}

static uint32_t hash_part(uint32_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u; /* FNV-1a */
	return (hash ^ 0xff) * 16777619u;
}

static struct count *count_new(const char *const parts[COUNT_PARTS], int64_t us)
{
	size_t size = 0;
	struct count *count;
	char *at;

	for (size_t i = 0; i < COUNT_PARTS; i++)
		size += strlen(parts[i]) + 1;
	count = calloc(1, sizeof(*count) + size);
	if (!count)
		return NULL;
	at = count->text;
	for (size_t i = 0; i < COUNT_PARTS; i++) {
		count->parts[i] = at;
		at = stpcpy(at, parts[i]) + 1;
	}
	count->first_us = us;
	return count;
}

static bool count_is(const struct count *count, const char *const parts[COUNT_PARTS])
{
	for (size_t i = 0; i < COUNT_PARTS; i++)
		if (strcmp(count->parts[i], parts[i]))
			return false;
	return true;
}

struct count *counts_at(struct counts *counts, const char *a, const char *b, const char *c, int64_t us)
{
	const char *const parts[COUNT_PARTS] = { a, b, c }, *const none[COUNT_PARTS] = { "", "", "" };
	uint32_t hash = hash_part(hash_part(hash_part(2166136261u, a), b), c);
	struct count **bucket = &counts->buckets[hash % BUCKETS], *count = *bucket;

	while (count && !count_is(count, parts))
		count = count->next;
	if (!count && counts->n == COUNTS_MAX) {
		if (!counts->others)
			counts->others = count_new(none, us);
		count = counts->others;
	} else if (!count) {
		count = count_new(parts, us);
		if (count) {
			count->next = *bucket;
			*bucket = count;
			counts->n++;
		}
	}
	if (count)
		count->last_us = us;
	return count;
}

void count_label(struct count *count, size_t label, const char *text)
{
	char *copy;

	if (count->labels[label] && !strcmp(count->labels[label], text))
		return;
	copy = strdup(text);
	if (copy) {
		free(count->labels[label]);
		count->labels[label] = copy;
	}
}

size_t counts_n(const struct counts *counts)
{
	return counts->n;
}

const struct count *counts_others(const struct counts *counts)
{
	return counts->others;
}

static int compare(const void *pa, const void *pb, void *value)
{
	const struct count *a = *(const struct count *const *)pa, *b = *(const struct count *const *)pb;
	size_t v = *(const size_t *)value;

	if (a->values[v] != b->values[v])
		return a->values[v] < b->values[v] ? 1 : -1;
	for (size_t i = 0; i < COUNT_PARTS; i++) {
		int order = strcmp(a->parts[i], b->parts[i]);

		if (order)
			return order;
	}
	return 0;
}

const struct count *const *counts_sorted(struct counts *counts, size_t value)
{
	size_t n = 0;

	free(counts->sorted);
	counts->sorted = counts->n ? calloc(counts->n, sizeof(*counts->sorted)) : NULL;
	if (!counts->sorted)
		return NULL;
	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct count *count = counts->buckets[i]; count; count = count->next)
			counts->sorted[n++] = count;
	qsort_r(counts->sorted, n, sizeof(*counts->sorted), compare, &value);
	return counts->sorted;
}
