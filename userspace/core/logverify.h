/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is a log what its terminal wrote? Takes the lines of its files in order and tells of everything that is wrong: one
 * finding for one fault, which names its first bad record. Findings come in the order of the log, late: what follows
 * tells what happened, so that many are told by logverify_end() only.
 * Pure and streaming: memory does not grow with the log. A struct logverify may be copied to go back to a moment.
 *
 * What can be checked depends on what one has: nothing but the files: hashes, numbers, times, and the signatures with the
 * public key that the log itself states; with the terminal's public key from elsewhere (`public_key`): that it is this terminal's;
 * with the log's first key (`first_key`, or unsealed by the desk): that nobody who came later wrote it anew.
 */
#pragma once

#include "core/chain.h"

#define LOGVERIFY_TERMINAL_MAX 256
#define LOGVERIFY_PUBLIC_LEN 32

enum logverify_kind {
	LOGVERIFY_ALTERED,	 /* a record's bytes are not those that were sealed; the one after it may be unprovable */
	LOGVERIFY_REMOVED,	 /* records from..to are missing */
	LOGVERIFY_REORDERED,	 /* a record stands later than its number says */
	LOGVERIFY_DUPLICATED,	 /* a number that was there already, with the same hash */
	LOGVERIFY_TRUNCATED,	 /* the log ends before `expected_seq`, or within a line that no later record explains */
	LOGVERIFY_FOREIGN,	 /* a record of another terminal, or of another log of this one */
	LOGVERIFY_CLOCK_REVERSED, /* earlier than the record before, and no record says that the clock was set */
	LOGVERIFY_FORGED,	 /* the chain is whole but the MAC is not of the key that this record had, or the terminal
				    says (log-damaged) that it did not write it */
	LOGVERIFY_BAD_SIGNATURE, /* a checkpoint's */
	LOGVERIFY_ANCHOR,	 /* a record that was seen elsewhere (journal, D-Bus, last audit) is another one here */
	LOGVERIFY_BEGUN_ANEW,	 /* the keys were lost and made anew, or another desk's was installed and nothing proves
				    it: what is before and after hang together by hash only */
	LOGVERIFY_NOT_A_RECORD,	 /* a line that is no record and that no later record explains */
	/* What no line tells, found by those who open the files (log/logcheck.h, ctl/logproof.h): */
	LOGVERIFY_MISNAMED,	 /* a rotated file's name says another number or time than its first record */
	LOGVERIFY_NO_HEADER,	 /* the terminal's own copy of key and id is gone: nothing tells that this is its log */
	N_LOGVERIFY_KINDS,
};

/* A word for programs: "altered", "removed", … */
const char *logverify_kind_name(enum logverify_kind kind);

struct logverify_finding {
	enum logverify_kind kind;
	const char *file;
	uint64_t line;	   /* from 1, in this file */
	uint64_t from, to; /* sequence numbers */
	const char *detail; /* English, or "" */
};

typedef void (*logverify_fn)(void *userdata, const struct logverify_finding *finding);

struct logverify_result {
	uint64_t records, first_seq, last_seq;
	uint64_t checkpoints;	/* whose signature was right */
	uint64_t macs;		/* checked */
	uint64_t keyless;	/* records of logs whose first key was not there; the first and the last of them: */
	uint64_t keyless_from, keyless_to;
	uint64_t findings;	/* told so far */
	uint64_t after_checkpoint; /* records since the newest checkpoint: vouched for by MAC only */
	uint64_t expired_seq;	 /* the newest record that retention removed, as the log says; 0: none */
	uint8_t last_hash[CHAIN_HASH_LEN];
	char terminal[LOGVERIFY_TERMINAL_MAX];
	uint8_t id[CHAIN_ID_LEN]; /* of the newest log; zeros: no header was there */
};

struct logverify_header;

/*
 * The first key of the log whose header this is, unsealed: called once for each log (a lost key begins a new one). False:
 * it cannot be unsealed; MACs of that log are then not checked.
 */
typedef bool (*logverify_unseal_fn)(void *userdata, const struct logverify_header *header,
				    uint8_t key[static CHAIN_KEY_LEN]);

/* All may be NULL or 0. Pointers must live as long as the verifier. */
struct logverify_options {
	const uint8_t *public_key;   /* LOGVERIFY_PUBLIC_LEN: the terminal's, from elsewhere */
	const uint8_t *first_key;    /* CHAIN_KEY_LEN, of the log `id`, or of the first log */
	const uint8_t *id;	     /* CHAIN_ID_LEN: the log must be this one, or one that it handed over to, or that
					handed over to it; NULL: any */
	const uint8_t *sealed;	     /* the sealed key that this log states: an id alone everybody can copy. NULL: not known */
	size_t sealed_len;
	logverify_unseal_fn unseal;  /* instead of first_key */
	uint64_t expected_seq;	     /* the log must reach at least this record */
	bool whole;		     /* these are all files: older ones may be missing only as log-expired tells */
	logverify_fn finding;
	void *userdata;
};

struct logverify;

/* NULL without memory. */
struct logverify *logverify_new(const struct logverify_options *options);
struct logverify *logverify_free(struct logverify *verify);
/* The same in the same state; NULL without memory. */
struct logverify *logverify_copy(const struct logverify *verify);

/* A record that was seen elsewhere. Before the first line; at most 100,000. -ENOMEM, -E2BIG. */
int logverify_add_anchor(struct logverify *verify, uint64_t seq, const uint8_t hash[static CHAIN_HASH_LEN]);

/*
 * The next line. `file` must live until the next file's first line has been taken. cut: the file ends within this line.
 */
void logverify_line(struct logverify *verify, const char *file, uint64_t number, const char *text, size_t len,
		    bool cut);

/* No more lines. */
void logverify_end(struct logverify *verify);

const struct logverify_result *logverify_result(const struct logverify *verify);

/*
 * The first record of each file states how its log can be checked (members of docs/evidence.md): handed out at the
 * first one, for the desk to unseal the key before it verifies. False: the line is no such record.
 */
#define LOGVERIFY_SEALED_MAX 256
struct logverify_header {
	uint8_t id[CHAIN_ID_LEN];
	uint64_t first_seq;			     /* whose key is sealed */
	uint8_t public_key[LOGVERIFY_PUBLIC_LEN];    /* of the terminal, as the log says */
	uint8_t sealed[LOGVERIFY_SEALED_MAX];	     /* crypto_box_seal( key || id ), libsodium */
	size_t sealed_len;			     /* 0: it was sealed to nobody */
	char sealed_to[32 * 2 + 1];		     /* the desk's public key, hex; "" */
};
bool logverify_header_parse(struct logverify_header *out, const char *line, size_t len);
