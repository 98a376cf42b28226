/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chain of the event log (docs/evidence.md, which specifies it for other programs).
 *
 * A record is one line: a JSON object whose first member is "seq" and whose last two are the seal:
 *
 *   {"seq":17,"time":…,"kind":…, … ,"mac":"32 hex digits","hash":"64 hex digits"}
 *   '------------ body ------------'
 *   '------------------- hashed ------------------'
 *
 *   digest(n) = BLAKE2b-256( hash(n-1) || body(n) )        body: the bytes before ,"mac":
 *   mac(n)    = BLAKE2b-128( digest(n) ) keyed with key(n)
 *   hash(n)   = BLAKE2b-256( hash(n-1) || hashed(n) )      hashed: the bytes before ,"hash":
 *   key(n+1)  = BLAKE2b-256( "sekimori-log-key-1" ) keyed with key(n)
 *
 * So the hash covers every byte, the MAC too: who has no key still finds each change of a single
 * record. The key of a record is gone once the record is written: who takes the terminal over later
 * can forge no earlier one. key(first) is random; sealed to the desk's public key it stands in the
 * first record of every file, so that the desk, and nobody else, can check the MACs. Everybody can
 * check the hashes and the signed checkpoints.
 *
 * Pure: no I/O, no clock. Needs sodium_init().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAIN_HASH_LEN 32
#define CHAIN_KEY_LEN 32
#define CHAIN_MAC_LEN 16
#define CHAIN_ID_LEN 16

/* ,"mac":"…" and ,"hash":"…"} */
#define CHAIN_MAC_MEMBER_LEN (8 + 2 * CHAIN_MAC_LEN + 1)
#define CHAIN_HASH_MEMBER_LEN (9 + 2 * CHAIN_HASH_LEN + 2)
#define CHAIN_SEAL_LEN (CHAIN_MAC_MEMBER_LEN + CHAIN_HASH_MEMBER_LEN)

struct chain {
	uint64_t seq;                 /* of the newest record; 0: none yet */
	uint8_t hash[CHAIN_HASH_LEN]; /* of that record; zeros before the first */
	uint8_t key[CHAIN_KEY_LEN];   /* of the next record: a secret */
};

/*
 * Seals the record in `line`, a JSON object of `len` bytes with its closing brace, in place, and
 * goes on to the next key. The record's "seq" must be chain->seq + 1. `size` of the buffer must
 * leave room for the seal. Returns the new length (no newline is added); 0 if there is no room or
 * the line does not begin with that seq: nothing is changed.
 */
size_t chain_seal(struct chain *chain, char *line, size_t len, size_t size);

/* One key further; the old one is wiped. */
void chain_next_key(uint8_t key[static CHAIN_KEY_LEN]);

/* A line taken apart. `body` points into it. */
struct chain_line {
	uint64_t seq;
	const char *body; /* the whole line's beginning */
	size_t body_len;  /* up to ,"mac": */
	uint8_t hash[CHAIN_HASH_LEN];
	uint8_t mac[CHAIN_MAC_LEN];
};

/*
 * Takes a line (without newline) apart: strictly the form above, no leading zero in seq, lower-case
 * hex. Looks at nothing between. False: it has not the form of a record.
 */
bool chain_line_parse(struct chain_line *out, const char *line, size_t len);

/* How a record hangs on the one before it. */
enum chain_link {
	CHAIN_LINK_OK,     /* the hash is right, and the MAC if a key was given */
	CHAIN_LINK_HASH,   /* these are not the bytes that were sealed after that record */
	CHAIN_LINK_FORGED, /* the hash is right, the MAC is not of this key */
};

/*
 * Checks a line against the hash of the record before it, and with `key` (of this record; NULL:
 * nobody has it) its MAC. computed, if not NULL: the hash that the line should state.
 */
enum chain_link chain_line_check(const struct chain_line *line,
				 const uint8_t previous[static CHAIN_HASH_LEN], const uint8_t *key,
				 uint8_t *computed);

/*
 * Takes the next record of a log whose newest state is `chain`: its line must be seq + 1 and sealed
 * with chain's key. Then chain goes on behind it. For the daemon, whose kept state may be older
 * than the log after a crash.
 */
bool chain_follow(struct chain *chain, const char *line, size_t len);

/*
 * What a checkpoint's signature is over: "sekimori-log-checkpoint-1" and a NUL, the log's id, the
 * sequence number of the record before it (u64, little-endian), that record's hash.
 */
#define CHAIN_CHECKPOINT_LEN (26 + CHAIN_ID_LEN + 8 + CHAIN_HASH_LEN)
void chain_checkpoint_message(uint8_t out[static CHAIN_CHECKPOINT_LEN],
			      const uint8_t id[static CHAIN_ID_LEN], uint64_t seq,
			      const uint8_t hash[static CHAIN_HASH_LEN]);
