// SPDX-License-Identifier: GPL-2.0-or-later
/* How a log is begun: the first one, one whose keys are lost, and one for another desk. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "system/logend.h"
#include "system/logfiles.h"
#include "system/logstore-inside.h"
#include "system/safedir.h"

/* Lines from before there was a seal: kept, under a name that no reader of sealed logs takes. */
static int set_aside_unsealed(struct logstore *store)
{
	_cleanup_(freep) char *name = NULL;
	char tail[LOGFILES_TAIL_MAX];

	logfiles_tail(tail, store->first_us, 0);
	if (asprintf(&name, "unsealed-%s%s", store->stem, tail) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	return renameat2(store->dir, store->name, store->dir, name, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

/* --- without keys --- */

/* The newest record that can be read in these bytes of a file's end, whatever it is worth. */
static bool point_from_end(struct logpoint *point, const char *text, size_t len)
{
	struct chain_line parsed;

	/* The last lines may be cut; before them stands a whole one. */
	while (len) {
		const char *newline = memrchr(text, '\n', len), *line = newline ? newline + 1 : text;
		size_t n = (size_t)(text + len - line);

		if (chain_line_parse(&parsed, line, n)) {
			point->chain.seq = parsed.seq;
			memcpy(point->chain.hash, parsed.hash, CHAIN_HASH_LEN);
			point->newest_us = logfiles_record_time(line, n);
			if (point->newest_us < 0)
				point->newest_us = 0;
			return true;
		}
		len = newline ? (size_t)(newline - text) : 0;
	}
	return false;
}

static int point_from_file(struct logstore *store, const char *name, bool packed, bool *foundp)
{
	_cleanup_(freep) char *text = malloc(LOGEND_MAX);
	size_t len = 0;
	int r = text ? logend_read(store->dir, name, packed, text, &len) : -ENOMEM;

	*foundp = !r && point_from_end(store->live, text, len);
	return r;
}

/* The newest record of the current file, or else of the newest rotated one that has any. */
static int point_from_files(struct logstore *store, char **names, size_t n, bool current, bool *currentp, bool *foundp)
{
	int r = current ? point_from_file(store, store->name, false, currentp) : 0;

	*foundp = *currentp;
	for (size_t i = n; i-- && !r && !*foundp;) {
		struct logfiles_name parsed = { .seq = 0 };

		logfiles_parse(&parsed, store->stem, names[i]);
		r = point_from_file(store, names[i], parsed.packed, foundp);
	}
	return r;
}

static int begin_without_keys(struct logstore *store, bool had_keys)
{
	bool sealed = false, found = false;
	char **names = NULL;
	uint64_t seq = 0;
	size_t n = 0;
	int r;

	memset(store->live, 0, sizeof(*store->live));
	r = logstore_open_file(store, 0);
	if (r && r != -ENOENT)
		return r;
	r = logfiles_list(store->dir, store->stem, &names, &n);
	if (r)
		return r;
	r = point_from_files(store, names, n, store->fd >= 0 && store->size, &sealed, &found);
	safedir_free_names(names, n);
	if (!r && store->fd >= 0 && store->size)
		r = logstore_read_first(store, &seq);
	if (r)
		return r;
	store->trouble = store->keys;
	r = logstate_begin(store->state, store->has_desk ? store->desk_public : NULL,
			   had_keys || sealed || n ? LOGSTATE_KEYS_LOST : LOGSTATE_FIRST, store->live);
	store->trouble = store->path;
	if (r)
		return r;
	/* From here on it is as after a power cut at this moment: the look goes on with the new keys. */
	*store->durable = *store->live;
	if (store->fd >= 0 && store->size && !sealed && !seq)
		r = set_aside_unsealed(store);
	return r;
}

int logstore_load_keys(struct logstore *store)
{
	_cleanup_(logstate_freep) struct logstate *state = NULL;
	int r;

	store->trouble = store->keys;
	r = logstate_open(&state, store->keys, store->live);
	if (r < 0)
		return r;
	store->trouble = store->path;
	store->state = TAKE_PTR(state);
	if (!r) {
		*store->durable = *store->live;
		return 0;
	}
	r = begin_without_keys(store, r == LOGSTATE_E_LOST);
	if (r)
		store->state = logstate_free(store->state);
	return r;
}

/* --- another desk --- */

/*
 * The desk has another key now: what follows is for it. The old log says so first, with its own key, which is gone
 * afterwards: so nobody can begin another log in its name later. Not while there is something to tell of the old file.
 */
int logstore_follow_desk(struct logstore *store)
{
	char hex[2 * LOGSTORE_DESK_KEY_LEN + 1];
	int r;

	if (!store->has_desk || store->due)
		return 0;
	sodium_bin2hex(hex, sizeof(hex), store->desk_public, sizeof(store->desk_public));
	if (!strcmp(hex, logstate_sealed_to(store->state)))
		return 0;
	r = logstate_prepare(store->state, store->desk_public, LOGSTATE_DESK_CHANGED);
	store->handing = !r;
	store->due |= r ? 0 : DUE_HANDOVER;
	return r;
}

int logstore_hand_over(struct logstore *store)
{
	int r = logstore_commit(store);

	if (r)
		return r;
	if (store->live->chain.seq != store->handed_seq) {
		store->due |= DUE_HANDOVER;
		return 0;
	}
	store->trouble = store->keys;
	r = logstate_begin_prepared(store->state, store->live);
	if (r) {
		store->unsettled = true;
		return r;
	}
	store->trouble = store->path;
	*store->durable = *store->live;
	store->handing = store->unsaved = false;
	r = logstore_set_aside(store, NULL);
	return r ? r : logstore_create(store);
}

/* A log could not be begun: the one that is there stands in the keys' directory again before it goes on. */
int logstore_settle(struct logstore *store)
{
	int r;

	if (store->state)
		logstate_drop_prepared(store->state);
	store->handing = false;
	if (!store->unsettled)
		return 0;
	store->trouble = store->keys;
	r = logstate_save(store->state, store->durable);
	if (!r) {
		store->trouble = store->path;
		store->unsettled = store->unsaved = false;
	}
	return r;
}
