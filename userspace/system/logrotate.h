/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of rotated files of the event log (logfiles.h): a child of low priority compresses them one after the other while the
 * daemon goes on; those whose time is over can be found and removed.
 *
 * NAME.jsonl becomes NAME.jsonl.zst (zstd with its checksum): written as NAME.jsonl.zst.new, synced, renamed; only then
 * NAME.jsonl goes. What a kill leaves behind is done again.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "core/chain.h"
#include "core/macro.h"

struct logrotate;

int logrotate_new(struct logrotate **rotatep, sd_event *event);
/* A child that is at work is ended; the next run does it again. */
struct logrotate *logrotate_free(struct logrotate *rotate);

/*
 * Sees to it that the rotated files of `stem` get compressed, and removes what a child that was killed has left. `dir` is duplicated. Needs SIGCHLD blocked, as sd_event_add_child()
 * does. Negative errno if a child cannot be started: try again later.
 */
int logrotate_compress(struct logrotate *rotate, int dir, const char *stem);

struct logrotate_expired {
	char *name;
	uint64_t first_seq, last_seq;
	char last_hash[2 * CHAIN_HASH_LEN + 1]; /* "": the next file does not say */
	int64_t newest_us; /* none of its records is younger: time of the record behind its last, the next file's first */
};

/*
 * The oldest rotated file. The next file's first record tells how old it is; the current file's has time
 * `current_us` and number `current_seq`. 1 and *out (name to be freed), 0 if there is none, negative errno.
 */
int logrotate_find_oldest(int dir, const char *stem, const char *current, int64_t current_us,
			  uint64_t current_seq, struct logrotate_expired *out);

/*
 * Removes the file `name` of `dir` durably, and the other form of it that a child has made or is at work on: that child is ended, since what
 * it finishes would come back. Call logrotate_compress() for the files it leaves undone.
 */
int logrotate_remove(struct logrotate *rotate, int dir, const char *name);
