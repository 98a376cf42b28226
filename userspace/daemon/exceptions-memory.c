// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/exceptions-inside.h"

static bool is_final(enum exception_state state)
{
	return state == EXCEPTION_DENIED || state == EXCEPTION_LAPSED || state == EXCEPTION_CLOSED;
}

/* Where the first number that is not below this one stands. */
static size_t place_of(const struct exceptions *e, uint32_t number)
{
	size_t low = 0, high = e->n_open;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->open[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct exceptions_entry *exceptions_entry(const struct exceptions *e, uint32_t number)
{
	size_t i = place_of(e, number);

	return i < e->n_open && e->open[i]->number == number ? (struct exceptions_entry *)e->open[i] :
							       NULL;
}

static int insert(struct exceptions *e, const struct exception *x)
{
	struct exceptions_entry *entry;
	size_t i = place_of(e, x->number);

	if (e->n_open == e->size_open) {
		size_t size = e->size_open ? 2 * e->size_open : 16;
		struct exception **open = realloc(e->open, size * sizeof(struct exception *));

		if (!open)
			return -ENOMEM;
		e->open = open;
		e->size_open = size;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->x = *x;
	memmove(&e->open[i + 1], &e->open[i], (e->n_open - i) * sizeof(struct exception *));
	e->open[i] = &entry->x;
	e->n_open++;
	return 0;
}

/* Whoever looks at it, or at a grant of the set, may do so until the next turn. */
static void let_go(struct exceptions *e, struct exceptions_entry *entry)
{
	size_t i = place_of(e, entry->x.number);

	e->n_open--;
	memmove(&e->open[i], &e->open[i + 1], (e->n_open - i) * sizeof(struct exception *));
	entry->next = e->gone;
	e->gone = entry;
}

int exceptions_keep(struct exceptions *e, const struct exception *x)
{
	struct exceptions_entry *entry = exceptions_entry(e, x->number);

	exceptions_next_turn(e);
	if (!entry)
		return is_final(x->state) ? 0 : insert(e, x);
	entry->x = *x;
	if (is_final(x->state))
		let_go(e, entry);
	return 0;
}

void exceptions_forget(struct exceptions *e)
{
	while (e->n_open)
		let_go(e, (struct exceptions_entry *)e->open[e->n_open - 1]);
	exceptions_next_turn(e);
}

void exceptions_sweep(struct exceptions *e)
{
	while (e->gone) {
		struct exceptions_entry *entry = e->gone;

		e->gone = entry->next;
		free(entry);
	}
}

/* --- the grants in force ----------------------------------------------------------------------- */

static size_t collect(struct exceptions *e, struct grantset_entry *entries)
{
	struct exception_world world = exceptions_world(e);
	size_t n = 0;

	for (size_t i = 0; i < e->n_open; i++) {
		const struct exception *x = e->open[i];

		if (!exception_in_force(x, &world))
			continue;
		/* Compared byte by byte: no padding may differ. */
		memset(&entries[n], 0, sizeof(entries[n]));
		entries[n].grant = &x->grant;
		entries[n].end = exception_end(x);
		entries[n].order = x->number;
		entries[n++].used_up = x->grant.uses && x->used >= x->grant.uses;
	}
	return n;
}

bool exceptions_build_grants(struct exceptions *e)
{
	struct grantset_entry *entries = NULL;
	struct grantset *set = NULL;
	size_t n = 0;

	if (e->store && e->n_open) {
		entries = calloc(e->n_open, sizeof(*entries));
		n = entries ? collect(e, entries) : 0;
	}
	if (n == e->n_in_force && (!n || !memcmp(entries, e->in_force, n * sizeof(*entries)))) {
		free(entries);
		return false;
	}
	/* Without memory nothing is in force. */
	if (n && grantset_new(entries, n, &set)) {
		fputs(SD_ERR "exceptions: not enough memory, so none is in force\n", stderr);
		n = 0;
	}
	grantset_free(e->grants);
	e->grants = set;
	free(e->in_force);
	e->in_force = entries;
	e->n_in_force = n;
	return true;
}

void exceptions_next_turn(struct exceptions *e)
{
	if (e->turn)
		sd_event_source_set_enabled(e->turn, SD_EVENT_ONESHOT);
}
