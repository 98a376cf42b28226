// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <string.h>

#include "agent/waiting.h"
#include "agent/words.h"

struct entry {
	uint32_t number;
	int64_t extension;
	enum { UNKNOWN, ASKED, FAILED, KNOWN } state;
	bool stepped; /* while it was being asked about: the answer is old */
	bool seen;
	struct json_object *exception; /* as it waits for this user; NULL: it does not, as far as is known */
	enum { UNTOLD, TOLD_ALONE, TOLD_AMONG } told;
};

struct waiting {
	const struct waiting_ops *ops;
	void *userdata;
	struct entry *entries; /* in the order of their numbers */
	size_t n, room;
	unsigned int many; /* that the notice of many says */
};

static struct entry *entry_find(struct waiting *w, uint32_t number)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->entries[i].number == number)
			return &w->entries[i];
	return NULL;
}

static struct entry *entry_add(struct waiting *w, uint32_t number)
{
	size_t i = w->n;

	if (w->n == w->room) {
		w->room = w->room ? 2 * w->room : 16;
		w->entries = reallocarray(w->entries, w->room, sizeof(*w->entries));
		if (!w->entries)
			output_no_memory();
	}
	while (i && w->entries[i - 1].number > number)
		i--;
	memmove(&w->entries[i + 1], &w->entries[i], (w->n - i) * sizeof(*w->entries));
	w->n++;
	w->entries[i] = (struct entry){ .number = number };
	return &w->entries[i];
}

/* It is not for this user, or no more: what stands on the screen of it alone goes. */
static void entry_take_back(struct waiting *w, struct entry *entry)
{
	_cleanup_(freep) char *key = notice_waiting_key(entry->number);

	if (entry->told == TOLD_ALONE)
		w->ops->close(w->userdata, key);
	entry->told = UNTOLD;
	json_object_put(entry->exception);
	entry->exception = NULL;
}

static void entry_stir(struct entry *entry)
{
	if (entry->state == ASKED)
		entry->stepped = true;
	else
		entry->state = UNKNOWN;
}

/* --- what there is -------------------------------------------------------------------------- */

void waiting_look(struct waiting *w)
{
	for (size_t i = 0; i < w->n; i++) {
		w->entries[i].seen = false;
		if (w->entries[i].state == FAILED)
			w->entries[i].state = UNKNOWN;
	}
}

void waiting_see(struct waiting *w, uint32_t number, int64_t extension)
{
	struct entry *entry = entry_find(w, number);

	if (!entry)
		entry = entry_add(w, number);
	/* Another end is another question. */
	if (entry->extension != extension) {
		entry->extension = extension;
		entry_take_back(w, entry);
		entry_stir(entry);
	}
	entry->seen = true;
}

void waiting_seen(struct waiting *w)
{
	size_t left = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (w->entries[i].seen)
			w->entries[left++] = w->entries[i];
		else
			entry_take_back(w, &w->entries[i]);
	}
	w->n = left;
}

void waiting_stir(struct waiting *w, uint32_t number)
{
	for (size_t i = 0; i < w->n; i++)
		if (!number || w->entries[i].number == number)
			entry_stir(&w->entries[i]);
}

/* --- asking --------------------------------------------------------------------------------- */

uint32_t waiting_next(struct waiting *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->entries[i].state == UNKNOWN) {
			w->entries[i].state = ASKED;
			return w->entries[i].number;
		}
	return 0;
}

/* NULL: nobody waits for the answer any more. */
static struct entry *entry_answered(struct waiting *w, uint32_t number)
{
	struct entry *entry = entry_find(w, number);

	return entry && entry->state == ASKED ? entry : NULL;
}

void waiting_answer(struct waiting *w, uint32_t number, struct json_object *exception)
{
	struct entry *entry = entry_answered(w, number);

	if (!entry)
		return;
	entry->state = entry->stepped ? UNKNOWN : KNOWN;
	entry->stepped = false;
	if (!json_object_get_boolean(json_object_object_get(exception, "may-approve"))) {
		entry_take_back(w, entry);
		return;
	}
	json_object_put(entry->exception);
	entry->exception = json_object_get(exception);
}

void waiting_fail(struct waiting *w, uint32_t number)
{
	struct entry *entry = entry_answered(w, number);

	if (!entry)
		return;
	entry->state = FAILED;
	entry->stepped = false;
}

void waiting_forget(struct waiting *w)
{
	for (size_t i = 0; i < w->n; i++) {
		entry_take_back(w, &w->entries[i]);
		w->entries[i].state = KNOWN;
		w->entries[i].stepped = false;
	}
	w->ops->close(w->userdata, NOTICE_MANY_WAITING_KEY);
}

/* --- telling -------------------------------------------------------------------------------- */

static void many_tell(struct waiting *w, unsigned int count)
{
	w->many = count;
	w->ops->show(w->userdata, notice_many_waiting(count));
}

/* From one way of telling to the other: those that were told as many, once there are few. */
static void alone_tell(struct waiting *w, bool many_too, int64_t now)
{
	for (size_t i = 0; i < w->n; i++) {
		struct entry *entry = &w->entries[i];

		if (!entry->exception || (entry->told != UNTOLD && !(many_too && entry->told == TOLD_AMONG)))
			continue;
		entry->told = TOLD_ALONE;
		w->ops->show(w->userdata, notice_waiting(entry->exception, now));
	}
}

void waiting_tell(struct waiting *w, int64_t now)
{
	unsigned int mine = 0, news = 0;
	bool shown;

	for (size_t i = 0; i < w->n; i++) {
		if (w->entries[i].state == UNKNOWN || w->entries[i].state == ASKED)
			return;
		mine += w->entries[i].exception != NULL;
		news += w->entries[i].exception && w->entries[i].told == UNTOLD;
	}
	if (news > WAITING_TOLD_MAX) {
		for (size_t i = 0; i < w->n; i++)
			if (w->entries[i].exception && w->entries[i].told == UNTOLD)
				w->entries[i].told = TOLD_AMONG;
		many_tell(w, mine);
		return;
	}
	/* What was closed by hand does not come again. */
	shown = w->ops->shown(w->userdata, NOTICE_MANY_WAITING_KEY);
	if (shown && mine <= WAITING_TOLD_MAX)
		w->ops->close(w->userdata, NOTICE_MANY_WAITING_KEY);
	else if (shown && mine != w->many)
		many_tell(w, mine);
	alone_tell(w, shown && mine <= WAITING_TOLD_MAX, now);
}

/* --- the beginning and the end -------------------------------------------------------------- */

struct waiting *waiting_new(const struct waiting_ops *ops, void *userdata)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (w) {
		w->ops = ops;
		w->userdata = userdata;
	}
	return w;
}

struct waiting *waiting_free(struct waiting *w)
{
	if (!w)
		return NULL;
	for (size_t i = 0; i < w->n; i++)
		json_object_put(w->entries[i].exception);
	free(w->entries);
	free(w);
	return NULL;
}
