/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters by name, for names that strangers choose: a device may call itself anything, and come back under another
 * name as often as it likes. At most COUNTS_MAX names are kept apart; what comes then is counted under "others".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define COUNTS_MAX 4096
#define COUNT_PARTS 3  /* of a name */
#define COUNT_VALUES 10 /* what is counted is the owner's business */
#define COUNT_LABELS 3 /* texts beside the name, the newest ones */

struct count {
	const char *parts[COUNT_PARTS]; /* never NULL */
	uint64_t values[COUNT_VALUES];
	int64_t first_us, last_us;
	char *labels[COUNT_LABELS]; /* or NULL */
	struct count *next;	    /* of the same hash */
	char text[];
};

struct counts;

struct counts *counts_new(void); /* NULL without memory */
struct counts *counts_free(struct counts *counts);

/* The counter of this name, made if there is none; NULL without memory. Unused parts are "". */
struct count *counts_at(struct counts *counts, const char *a, const char *b, const char *c, int64_t us);

/* Replaces a label; without memory the old one stays. */
void count_label(struct count *count, size_t label, const char *text);

size_t counts_n(const struct counts *counts);

/* The counter of all names that came too late; NULL if there was none. */
const struct count *counts_others(const struct counts *counts);

/*
 * All counters, the largest values[value] first, then by name. The array is the counts' own, counts_n() long, good until
 * the next call; NULL without memory or if there are none.
 */
const struct count *const *counts_sorted(struct counts *counts, size_t value);
