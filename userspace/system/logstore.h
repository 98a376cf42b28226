/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of the event log as the daemon writes them (docs/evidence.md): sealed lines, appended, durable when
 * logstore_commit() has returned, with the keys that follow them (logstate.h).
 *
 *   r = logstore_ready(store, &kind, &members)   opens what has to be opened, and looks at what stands there
 *       LOGSTORE_E_DUE                           the log itself has something to say first: write a record of this kind with
 *                                                these members, commit, and ask again
 *       0                                        write yours
 *   logstore_append(store, …)                    in the file, but perhaps not on the disk
 *   logstore_commit(store)                       on the disk, with all that was appended before
 *   logstore_save(store)                         and the old keys are gone
 *
 * Whatever fails: the file is cut back to what was durable, the chain goes back to there, the number of what was lost is kept for
 * a `log-recovered` record, and the next logstore_ready() looks at the file again. Nobody else may write the
 * file: a size or an inode that is not ours is looked into before the next line, and named.
 *
 * Memory does not grow with the log. No clock. Not for two writers.
 */
#pragma once

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/chain.h"
#include "core/macro.h"

/* The longest line, with its seal and its newline. */
#define LOGSTORE_LINE_MAX 16384

#define LOGSTORE_DESK_KEY_LEN 32

enum { LOGSTORE_E_DUE = 1 };

struct logstore;

/*
 * Copies its arguments and opens nothing yet. `path`: absolute, of the current file; rotated ones lie beside it. `keys`: see
 * logstate.h. desk_public (X25519): whom the first key is sealed to; NULL: nobody. 0 or -ENOMEM, -EINVAL.
 */
int logstore_new(struct logstore **storep, const char *path, const char *keys,
		 const uint8_t *desk_public);
/* Does not commit. */
struct logstore *logstore_free(struct logstore *store);
DEFINE_CLEANUP(struct logstore *, logstore_free)

/* *kindp is static, *membersp the caller's. Negative errno: nothing can be written now; logstore_trouble() names the path. */
int logstore_ready(struct logstore *store, const char **kindp, struct json_object **membersp);

/* The number that the next record must have, and the time of the newest one (microseconds since the epoch; 0: none). */
uint64_t logstore_next_seq(const struct logstore *store);
int64_t logstore_newest_us(const struct logstore *store);

/*
 * Seals the JSON object of `len` bytes in `line` and appends it. The buffer must have LOGSTORE_LINE_MAX bytes. `hash`
 * gets the record's hash. -EMSGSIZE: too long, nothing has happened. Other negative errno: it is not in the log, nor
 * is anything else since the last commit. Only after logstore_ready() has returned.
 */
int logstore_append(struct logstore *store, int64_t time_us, char *line, size_t len,
		    uint8_t hash[static CHAIN_HASH_LEN]);

/* Waits until all of it is on the disk. Negative errno: what came since the last commit is not in the log. */
int logstore_commit(struct logstore *store);
/* Records appended and not committed. */
unsigned int logstore_pending(const struct logstore *store);

/* Stores the keys that follow what is durable; true in logstore_unsaved() until then. */
int logstore_save(struct logstore *store);
bool logstore_unsaved(const struct logstore *store);

/* Somebody had a record to write and could not. */
void logstore_count_lost(struct logstore *store, int error);

/* For a checkpoint: signs the newest record; "log", "at", "head", "signature". False before the first record. */
bool logstore_add_checkpoint(const struct logstore *store, struct json_object *members);

/* Newest record that is on the disk. */
const struct chain *logstore_durable(const struct logstore *store);

/* Bytes of the current file, and number and time of its first record. */
uint64_t logstore_size(const struct logstore *store);
uint64_t logstore_first_seq(const struct logstore *store);
int64_t logstore_first_us(const struct logstore *store);

/*
 * Commits, saves, gives the current file its name for ever, and begins another: its first record is due then. *namep
 * (may be NULL): the name, to be freed.
 */
int logstore_rotate(struct logstore *store, char **namep);

/* The directory, while the log is open, else -1; the name of the current file without ".jsonl". */
int logstore_directory(const struct logstore *store);
const char *logstore_stem(const struct logstore *store);

/* Hex digits of the desk's key that can open the first key; "": nobody can. */
const char *logstore_sealed_to(const struct logstore *store);

/* The path that made trouble last. */
const char *logstore_trouble(const struct logstore *store);
