// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/logverify-inside.h"

#define ANCHORS_MAX 100000

int logverify_add_anchor(struct logverify *verify, uint64_t seq,
			 const uint8_t hash[static CHAIN_HASH_LEN])
{
	struct anchors *anchors = verify->anchors;

	if (anchors->n == ANCHORS_MAX)
		return -E2BIG;
	if (anchors->n == anchors->size) {
		size_t size = anchors->size ? 2 * anchors->size : 64;
		struct anchor *list = reallocarray(anchors->list, size, sizeof(*list));

		if (!list)
			return -ENOMEM;
		anchors->list = list;
		anchors->size = size;
	}
	anchors->list[anchors->n].seq = seq;
	memcpy(anchors->list[anchors->n++].hash, hash, CHAIN_HASH_LEN);
	anchors->sorted = false;
	return 0;
}

static int anchor_compare(const void *a, const void *b)
{
	const struct anchor *left = a, *right = b;

	return (left->seq > right->seq) - (left->seq < right->seq);
}

void anchors_sort(struct anchors *anchors)
{
	if (!anchors->sorted && anchors->n)
		qsort(anchors->list, anchors->n, sizeof(*anchors->list), anchor_compare);
	anchors->sorted = true;
}

size_t anchors_find(const struct anchors *anchors, uint64_t seq)
{
	size_t low = 0, high = anchors->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (anchors->list[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
