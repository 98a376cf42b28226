// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/grantset.h"

struct grantset {
	size_t n_prints; /* the first ones; the others go by the medium's number */
	size_t n;
	struct grantset_entry entries[]; /* each part by its key, then the latest first */
};

static bool by_print(const struct grant *grant)
{
	return *grant->fingerprint;
}

static const char *key(const struct grant *grant)
{
	return by_print(grant) ? grant->fingerprint : grant->medium;
}

static int compare(const void *pa, const void *pb)
{
	const struct grantset_entry *a = pa, *b = pb;
	int c = by_print(b->grant) - by_print(a->grant);

	if (!c)
		c = strcmp(key(a->grant), key(b->grant));
	return c ? c : (b->order > a->order) - (b->order < a->order);
}

int grantset_new(const struct grantset_entry *entries, size_t n, struct grantset **setp)
{
	struct grantset *set = calloc(1, sizeof(*set) + n * sizeof(set->entries[0]));

	if (!set)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		set->n_prints += by_print(entries[i].grant);
	set->n = n;
	if (n) {
		memcpy(set->entries, entries, n * sizeof(entries[0]));
		qsort(set->entries, n, sizeof(entries[0]), compare);
	}
	*setp = set;
	return 0;
}

struct grantset *grantset_free(struct grantset *set)
{
	free(set);
	return NULL;
}

/* The first of the range whose key is not before `wanted` (or, with `behind`, is behind it). */
static size_t bound(const struct grantset *set, size_t low, size_t high, const char *wanted, bool behind)
{
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = strcmp(key(set->entries[middle].grant), wanted);

		if (c < 0 || (behind && !c))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct grantset_entry *find(const struct grantset *set, size_t low, size_t high,
					 const char *wanted, size_t *n)
{
	size_t first = *wanted ? bound(set, low, high, wanted, false) : high;
	size_t end = *wanted ? bound(set, first, high, wanted, true) : high;

	*n = end - first;
	return *n ? &set->entries[first] : NULL;
}

const struct grantset_entry *grantset_by_fingerprint(const struct grantset *set, const char *fingerprint,
						     size_t *n)
{
	return find(set, 0, set->n_prints, fingerprint, n);
}

const struct grantset_entry *grantset_by_medium(const struct grantset *set, const char *medium, size_t *n)
{
	return find(set, set->n_prints, set->n, medium, n);
}

bool grantset_asks_for_media(const struct grantset *set)
{
	return set->n > set->n_prints;
}

void grantset_id_format(const uint8_t id[static 16], char out[static GRANTSET_ID_TEXT_MAX])
{
	for (size_t i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", id[i]);
}
