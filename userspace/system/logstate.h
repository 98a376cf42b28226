/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of the event log, and where the log stands: a directory of root's, mode 0700, with
 *
 *   terminal.key   the terminal's Ed25519 secret, 64 bytes as libsodium has it, 0600
 *   state          two slots of 512 bytes with a checksum each: what log this is, its newest durable record, and the key
 *                  of the next one, 0600
 *   header         what the first record of each file states, JSON, public: id, first record, public key, sealed first key.
 *                  A copy: where it does not agree with the state it is written anew
 *
 * The slots are written over in place, one after the other with a sync between, so that one of them is whole at any
 * moment and neither holds an old key afterwards (as far as the disk writes in place: a flash translation layer
 * may keep copies that only its maker can read). The state may be behind the log: whoever starts verifies the lines that follow
 * with the key that it has, and catches up.
 *
 * Nothing here reads a clock. Needs sodium_init().
 */
#pragma once

#include <json-c/json_object.h>
#include <stdint.h>

#include "core/chain.h"
#include "core/macro.h"

/* Why a log was begun; stands in its first record. */
enum logstate_why {
	LOGSTATE_FIRST,	       /* "first" */
	LOGSTATE_KEYS_LOST,    /* "key-state-lost" */
	LOGSTATE_DESK_CHANGED, /* "desk-key": from now on another desk can check it */
	N_LOGSTATE_WHYS,
};
const char *logstate_why_name(enum logstate_why why);

/* A place in the log, with the key that comes next: a secret, for memory of logstate_points(). */
struct logpoint {
	struct chain chain;
	int64_t newest_us; /* time of the newest record, microseconds since the epoch */
	uint64_t end;	   /* bytes of the current file up to there; 0: the file is still to be begun */
	uint64_t inode;	   /* of that file */
};

struct logstate;

enum {
	LOGSTATE_E_NONE = 1, /* there are no keys yet */
	LOGSTATE_E_LOST = 2, /* there were keys, and they are missing, damaged, or do not belong together */
};

/*
 * Opens the directory, which is made (mode 0700) if it is missing, and reads it. *point is set if 0 is returned. After a
 * positive code logstate_begin() must follow. Negative errno: also -EPERM for files that others than root may read.
 */
int logstate_open(struct logstate **statep, const char *dir, struct logpoint *point);
struct logstate *logstate_free(struct logstate *state);
DEFINE_CLEANUP(struct logstate *, logstate_free)

/*
 * Makes a new id and first key, in memory, and seals that key to the desk's X25519 public key (NULL: to nobody). The log that
 * is there goes on until logstate_begin_prepared().
 */
int logstate_prepare(struct logstate *state, const uint8_t *desk_public, enum logstate_why why);
void logstate_drop_prepared(struct logstate *state);
/* "next_log", "sealed_hash", "sealed_to": what the log that is there says of the one that is prepared. */
void logstate_add_prepared(const struct logstate *state, struct json_object *record);

/*
 * Makes the terminal's key if there is none, and stores all of it durably. point->chain's seq and hash stay: the new log goes
 * on from there. On an error nothing has changed in memory, but the disk may have the new log: logstate_save() must
 * succeed before the old one goes on.
 */
int logstate_begin_prepared(struct logstate *state, struct logpoint *point);
/* Both. */
int logstate_begin(struct logstate *state, const uint8_t *desk_public, enum logstate_why why,
		   struct logpoint *point);

/* Stores the place durably and overwrites the keys before it. */
int logstate_save(struct logstate *state, const struct logpoint *point);

/* "log", "log_first", "public", "sealed", "sealed_to": what the first record of a file states. */
void logstate_add_members(const struct logstate *state, struct json_object *record);

/* The first record of this log is the one after the log's seq was this. */
uint64_t logstate_first(const struct logstate *state);
enum logstate_why logstate_why(const struct logstate *state);
const uint8_t *logstate_id(const struct logstate *state);
/* Hex digits of the desk's key that the first key is sealed to; "". */
const char *logstate_sealed_to(const struct logstate *state);

/* The terminal's signature, 64 bytes. */
void logstate_sign(const struct logstate *state, uint8_t signature[static 64], const uint8_t *message,
		   size_t len);

/* n places in memory that is never swapped, not dumped, and empty in a child; -ENOMEM: NULL. */
struct logpoint *logstate_points(size_t n);
void logstate_free_points(struct logpoint *points);
