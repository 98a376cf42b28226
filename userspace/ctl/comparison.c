// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/comparison.h"
#include "ctl/values.h"

struct comparing {
	const struct policy *policies[2]; /* before, after */
	comparison_fn tell;
	void *userdata;
};

static void tell(const struct comparing *comparing, const struct comparison *difference)
{
	comparing->tell(comparing->userdata, difference);
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* --- header -------------------------------------------------------------------------------- */

static int compare_headers(const struct comparing *comparing)
{
	for (size_t i = 0; i < values_n_fields(); i++) {
		_cleanup_(freep) char *before = NULL, *after = NULL;
		int r = values_of_header(policy_header(comparing->policies[0]), i, &before);

		if (!r)
			r = values_of_header(policy_header(comparing->policies[1]), i, &after);
		if (r)
			return r;
		if (!same(before, after))
			tell(comparing, &(struct comparison){.kind = COMPARISON_HEADER,
							     .what = values_field(i),
							     .before = before,
							     .after = after});
	}
	return 0;
}

/* --- media --------------------------------------------------------------------------------- */

/* Several lines may have one number, but never at the same time: their beginnings differ. */
static int medium_compare(const void *a, const void *b)
{
	const struct medium *const *x = a, *const *y = b;
	int r = strcmp((*x)->number, (*y)->number);

	if (r)
		return r;
	return ((*x)->from > (*y)->from) - ((*x)->from < (*y)->from);
}

static int media_sorted(const struct policy *policy, const struct medium ***sortedp)
{
	size_t n = policy_n_media(policy);
	const struct medium **sorted = reallocarray(NULL, n + 1, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = policy_medium(policy, i);
	qsort(sorted, n, sizeof(*sorted), medium_compare);
	*sortedp = sorted;
	return 0;
}

/* Added or removed: one of the two is NULL. */
static int tell_medium(const struct comparing *comparing, const struct medium *before,
		       const struct medium *after)
{
	_cleanup_(freep) char *text = NULL;
	const struct medium *medium = before ? before : after;
	int r = values_of_medium_whole(medium, &text);

	if (!r)
		tell(comparing, &(struct comparison){.kind = COMPARISON_MEDIUM,
						     .what = medium->number,
						     .before = before ? text : NULL,
						     .after = after ? text : NULL,
						     .line_before = before ? before->line : 0,
						     .line_after = after ? after->line : 0});
	return r;
}

static bool same_texts(const struct text *const *a, const struct text *const *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(a[i]->bytes, b[i]->bytes))
			return false;
	return true;
}

/* Written the same; a quick look that spares most media the slow one. */
static bool same_medium(const struct medium *a, const struct medium *b)
{
	return a->id_vendor == b->id_vendor && a->id_product == b->id_product &&
	       a->encryption == b->encryption && a->status == b->status && a->access == b->access &&
	       a->class == b->class && a->from == b->from && a->until == b->until &&
	       a->n_holders == b->n_holders && a->n_terminals == b->n_terminals &&
	       same(a->serial, b->serial) && same(a->luks_uuid, b->luks_uuid) &&
	       same(a->fingerprint, b->fingerprint) &&
	       same_texts(a->holders, b->holders, a->n_holders) &&
	       same_texts(a->terminals, b->terminals, a->n_terminals);
}

static int compare_medium(const struct comparing *comparing, const struct medium *before,
			  const struct medium *after)
{
	if (same_medium(before, after))
		return 0;
	for (size_t i = 0; i < values_n_attributes(); i++) {
		_cleanup_(freep) char *x = NULL, *y = NULL;
		int r = values_of_medium(before, i, &x);

		if (!r)
			r = values_of_medium(after, i, &y);
		if (r)
			return r;
		if (!same(x, y))
			tell(comparing, &(struct comparison){.kind = COMPARISON_CHANGED,
							     .what = before->number,
							     .attribute = values_attribute(i),
							     .before = x,
							     .after = y,
							     .line_before = before->line,
							     .line_after = after->line});
	}
	return 0;
}

/* How many of the sorted media share the first one's number. */
static size_t group_length(const struct medium *const *media, size_t n)
{
	size_t i = 1;

	while (i < n && !strcmp(media[0]->number, media[i]->number))
		i++;
	return n ? i : 0;
}

/*
 * Lines of one number: those that begin at the same time are the same one, and the others, in their
 * order, too: a term may have been moved. What is left over came or went.
 */
static int compare_group(const struct comparing *comparing, const struct medium **before, size_t n,
			 const struct medium **after, size_t m)
{
	size_t i = 0, k = 0, left[2] = {0, 0};
	int r = 0;

	while (!r && i < n && k < m) {
		if (before[i]->from == after[k]->from)
			r = compare_medium(comparing, before[i++], after[k++]);
		else if (before[i]->from < after[k]->from)
			before[left[0]++] = before[i++];
		else
			after[left[1]++] = after[k++];
	}
	while (i < n)
		before[left[0]++] = before[i++];
	while (k < m)
		after[left[1]++] = after[k++];
	for (i = 0; !r && (i < left[0] || i < left[1]); i++) {
		if (i < left[0] && i < left[1])
			r = compare_medium(comparing, before[i], after[i]);
		else if (i < left[0])
			r = tell_medium(comparing, before[i], NULL);
		else
			r = tell_medium(comparing, NULL, after[i]);
	}
	return r;
}

static int compare_media(const struct comparing *comparing)
{
	_cleanup_(freep) const struct medium **before = NULL, **after = NULL;
	size_t n = policy_n_media(comparing->policies[0]);
	size_t m = policy_n_media(comparing->policies[1]);
	size_t i = 0, k = 0;
	int r = media_sorted(comparing->policies[0], &before);

	if (!r)
		r = media_sorted(comparing->policies[1], &after);
	while (!r && (i < n || k < m)) {
		size_t in_before = group_length(before + i, n - i);
		size_t in_after = group_length(after + k, m - k);
		int order = !in_before  ? 1
			    : !in_after ? -1
					: strcmp(before[i]->number, after[k]->number);

		if (order > 0)
			in_before = 0;
		else if (order < 0)
			in_after = 0;
		r = compare_group(comparing, before + i, in_before, after + k, in_after);
		i += in_before;
		k += in_after;
	}
	return r;
}

/* --- rules --------------------------------------------------------------------------------- */

#define NONE SIZE_MAX

struct line {
	char *text; /* canonical */
	size_t at;  /* place in its policy */
	unsigned int number;
	size_t partner; /* place of the same rule in the other policy */
	bool stays;     /* in order among those that stay */
};

static struct line *lines_free(struct line *lines, size_t n)
{
	for (size_t i = 0; lines && i < n; i++)
		free(lines[i].text);
	free(lines);
	return NULL;
}

static struct line *lines_new(const struct policy *policy)
{
	size_t n = policy_n_rules(policy);
	struct line *lines = calloc(n + 1, sizeof(*lines));

	for (size_t i = 0; lines && i < n; i++) {
		const struct rule *rule = policy_rule(policy, i);
		size_t len = rule_format(rule, NULL, 0);

		lines[i] = (struct line){
			.text = malloc(len + 1), .at = i, .number = rule->line, .partner = NONE};
		if (!lines[i].text)
			return lines_free(lines, n);
		rule_format(rule, lines[i].text, len + 1);
	}
	return lines;
}

static int line_compare(const void *a, const void *b)
{
	const struct line *const *x = a, *const *y = b;
	int r = strcmp((*x)->text, (*y)->text);

	return r ? r : ((*x)->at > (*y)->at) - ((*x)->at < (*y)->at);
}

static struct line **lines_sorted(struct line *lines, size_t n)
{
	struct line **sorted = reallocarray(NULL, n + 1, sizeof(*sorted));

	for (size_t i = 0; sorted && i < n; i++)
		sorted[i] = &lines[i];
	if (sorted)
		qsort(sorted, n, sizeof(*sorted), line_compare);
	return sorted;
}

/* The first of several equal rules goes with the first, and so on. */
static int find_partners(struct line *before, size_t n, struct line *after, size_t m)
{
	_cleanup_(freep) struct line **a = lines_sorted(before, n);
	_cleanup_(freep) struct line **b = lines_sorted(after, m);
	size_t i = 0, k = 0;

	if (!a || !b)
		return -ENOMEM;
	while (i < n && k < m) {
		int order = strcmp(a[i]->text, b[k]->text);

		if (!order) {
			a[i]->partner = b[k]->at;
			b[k]->partner = a[i]->at;
		}
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

/*
 * Of the rules that both have, the longest sequence in the same order stays; the rest was moved.
 * With partners fixed this is a longest increasing subsequence (patience sorting), O(n log n).
 */
static int find_staying(struct line *before, size_t n, struct line *after)
{
	_cleanup_(freep) size_t *tops = reallocarray(NULL, n + 1, sizeof(*tops));
	_cleanup_(freep) size_t *below = reallocarray(NULL, n + 1, sizeof(*below));
	size_t piles = 0, at = NONE;

	if (!tops || !below)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t low = 0, high = piles;

		if (before[i].partner == NONE)
			continue;
		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (before[tops[middle]].partner < before[i].partner)
				low = middle + 1;
			else
				high = middle;
		}
		below[i] = low ? tops[low - 1] : NONE;
		tops[low] = i;
		piles += low == piles;
	}
	if (piles)
		at = tops[piles - 1];
	for (; at != NONE; at = below[at]) {
		before[at].stays = true;
		after[before[at].partner].stays = true;
	}
	return 0;
}

static void tell_rule(const struct comparing *comparing, const struct line *before,
		      const struct line *after)
{
	tell(comparing, &(struct comparison){.kind = COMPARISON_RULE,
					     .before = before ? before->text : NULL,
					     .after = after ? after->text : NULL,
					     .line_before = before ? before->number : 0,
					     .line_after = after ? after->number : 0});
}

static int compare_rules(const struct comparing *comparing)
{
	size_t n = policy_n_rules(comparing->policies[0]);
	size_t m = policy_n_rules(comparing->policies[1]);
	struct line *before = lines_new(comparing->policies[0]);
	struct line *after = lines_new(comparing->policies[1]);
	int r = before && after ? find_partners(before, n, after, m) : -ENOMEM;

	if (!r)
		r = find_staying(before, n, after);
	for (size_t i = 0; !r && i < n; i++)
		if (before[i].partner == NONE)
			tell_rule(comparing, &before[i], NULL);
	for (size_t i = 0; !r && i < m; i++) {
		if (after[i].partner == NONE)
			tell_rule(comparing, NULL, &after[i]);
		else if (!after[i].stays)
			tell_rule(comparing, &before[after[i].partner], &after[i]);
	}
	lines_free(before, n);
	lines_free(after, m);
	return r;
}

int comparison_make(const struct policy *before, const struct policy *after, comparison_fn tell_fn,
		    void *userdata)
{
	struct comparing comparing = {{before, after}, tell_fn, userdata};
	int r = compare_headers(&comparing);

	if (!r)
		r = compare_media(&comparing);
	if (!r)
		r = compare_rules(&comparing);
	return r;
}
