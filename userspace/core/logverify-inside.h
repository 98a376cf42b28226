/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the verifier's files: what a record says of itself, and the findings that may still
 * change. */
#pragma once

#include <sodium.h>

#include "core/logverify.h"
#include "core/mark-text.h"

/* --- records -------------------------------------------------------------------------------- */

/* The kinds that the verifier has to understand. */
enum record_kind {
	RECORD_PLAIN,
	RECORD_BEGUN,      /* log-begun */
	RECORD_CONTINUED,  /* log-continued */
	RECORD_CHECKPOINT, /* checkpoint */
	RECORD_RECOVERED,  /* log-recovered */
	RECORD_DAMAGED,    /* log-damaged */
	RECORD_EXPIRED,    /* log-expired */
	RECORD_HANDOVER,   /* log-handover */
	RECORD_CLOCK,      /* clock-set, clock-reversed: time may go back here */
};

/* "2026-11-21T08:30:00.000000Z" */
#define RECORD_TIME_LEN 27

struct record {
	struct chain_line line;
	size_t len; /* of the whole line */
	enum record_kind kind;
	const char *time;     /* RECORD_TIME_LEN bytes, or NULL */
	const char *terminal; /* the JSON string without its quotes, or NULL */
	size_t terminal_len;
};

/* Looks at the front of a line, by position: members stand in one order. */
void record_look(struct record *record, const char *text, size_t len);

/* Seconds since the epoch; 0: it has no time. */
int64_t record_time(const struct record *record);

/* Its terminal, looked for only when needed. */
void record_find_terminal(struct record *record);

/* What a special record states; members that its kind does not have are zero. */
struct statement {
	/* log-begun, log-continued; of a checkpoint the id, of log-handover the next log's */
	struct logverify_header header;
	uint8_t previous[CHAIN_HASH_LEN]; /* log-begun, log-continued; log-damaged: expected_hash */
	bool missing;                     /* why: file-missing */
	bool new_desk; /* why: desk-key: the log was begun because another desk's key is there */
	uint64_t at;   /* checkpoint */
	uint8_t head[CHAIN_HASH_LEN];
	uint8_t signature[64];
	uint64_t torn_bytes; /* log-recovered */
	uint8_t torn_hash[CHAIN_HASH_LEN];
	uint64_t expected_seq; /* log-damaged */
	uint8_t sealed_hash[CHAIN_HASH_LEN]; /* log-handover: of the next log's `sealed` */
	uint64_t first_seq, last_seq; /* log-expired */
	int64_t newest;		      /* log-expired: seconds since the epoch; 0: it does not say */
	uint64_t retention_days;      /* log-expired */
	uint64_t ahead;	 /* clock-set: seconds that the clock has leapt ahead */
	int64_t earlier; /* clock-reversed: than this, seconds since the epoch */
	char terminal[LOGVERIFY_TERMINAL_MAX];
};

/* False: it lacks a member that it must have, or one has not its form. */
bool record_read(const struct record *record, struct statement *out);

/* --- findings ------------------------------------------------------------------------------- */

/* So many are kept back, because what follows may tell better what happened. The oldest leaves
 * first. */
#define FINDINGS_KEPT 48

struct finding_slot {
	uint64_t id; /* from 1; 0: free, or taken back */
	enum logverify_kind kind;
	char *file;
	uint64_t line, from, to;
	const char *detail; /* a constant */
};

struct findings {
	struct finding_slot slots[FINDINGS_KEPT]; /* a ring by id */
	uint64_t next;                            /* id of the next, from 1 */
	uint64_t oldest;                          /* that is still kept */
	uint64_t told;
	logverify_fn tell;
	void *userdata;
};

/* A new one; its id. */
uint64_t findings_add(struct findings *findings, enum logverify_kind kind, const char *file,
		      uint64_t line, uint64_t from, uint64_t to, const char *detail);
/* To change it; NULL if it has left, or the id is 0. */
struct finding_slot *findings_get(struct findings *findings, uint64_t id);
void findings_take_back(struct findings *findings, uint64_t id);
/* All leave, in the order in which they were added. */
void findings_tell(struct findings *findings);
void findings_free(struct findings *findings);
/* Own copies of the names. False without memory: the copy is then empty. */
bool findings_copy(struct findings *to, const struct findings *from);

/* --- the verifier --------------------------------------------------------------------------- */

#define GAPS_MAX 16
#define EARLY_MAX 16
/* Of hand-overs that nothing proves; a desk's key does not change often. */
#define UNPROVED_MAX 8

struct anchor {
	uint64_t seq;
	uint8_t hash[CHAIN_HASH_LEN];
};

/* Shared by copies: it does not change once lines are taken. */
struct anchors {
	unsigned int users;
	size_t n, size;
	bool sorted;
	struct anchor *list;
};

struct gap {
	uint64_t from, to;
	uint8_t before[CHAIN_HASH_LEN]; /* what the first missing record links to */
	uint64_t finding;
};

struct early {
	uint64_t seq;
	uint8_t hash[CHAIN_HASH_LEN];
	uint64_t finding;
};

struct logverify {
	struct logverify_options options;
	struct logverify_result result;
	struct findings findings;
	struct anchors *anchors;

	const char *file; /* where we are */
	uint64_t line;

	bool begun;   /* a record was taken */
	uint64_t seq; /* of main: the newest record that hangs on the chain; 0: none */
	uint8_t hash[CHAIN_HASH_LEN];
	char time[RECORD_TIME_LEN]; /* of main; empty: unknown */
	bool clock;                 /* main told of the clock */
	int64_t leap;  /* when the clock last leapt ahead, seconds since the epoch; 0: it has not */
	int64_t ahead; /* and how far all leaps together, less what was taken back */
	uint64_t clock_finding; /* main is earlier than its predecessor; the next may explain it */

	struct {
		bool held;
		bool foreign;  /* another terminal's or log's */
		bool unproved; /* it is here because its predecessor is not known */
		bool first;    /* it has what a file's first record has */
		uint64_t seq;
		uint64_t reaches; /* beyond seq: it has run into the record behind it */
		uint8_t stated[CHAIN_HASH_LEN], computed[CHAIN_HASH_LEN];
		uint64_t finding;
	} side;

	/* Lines that are no records, since the last record. */
	struct {
		uint64_t lines, bytes, finding;
		bool cut;
		crypto_generichash_state hash;
	} torn;

	uint64_t rewritten; /* the finding that records are in whose chain is whole, but which are
			       not the terminal's */
	uint64_t broken; /* the newest finding of a record that did not link, and the number behind
			    it */
	uint64_t broken_seq;

	struct gap gaps[GAPS_MAX];
	struct early early[EARLY_MAX];
	size_t n_gaps, n_early;

	/* The newest log-handover: what a log with another id must be, directly behind it. */
	struct {
		bool held, proved, keyless;
		uint8_t hash[CHAIN_HASH_LEN]; /* of the record itself */
		uint8_t id[CHAIN_ID_LEN], sealed_hash[CHAIN_HASH_LEN];
	} handover;
	uint64_t unproved[UNPROVED_MAX]; /* findings */
	size_t n_unproved;
	uint64_t id_finding; /* the first log is not the expected one; a later may be */

	bool log_known; /* the header of the log that we are in has been read */
	uint8_t id[CHAIN_ID_LEN];
	uint8_t public_key[LOGVERIFY_PUBLIC_LEN];
	bool has_key;
	bool mac_wrong;   /* of the newest record that has a key */
	bool mac_right;   /* of the record that is being taken */
	uint64_t key_seq; /* whose key this is */
	uint8_t key[CHAIN_KEY_LEN];
};

/* The first anchor with this number or a greater one; they must be sorted. */
size_t anchors_find(const struct anchors *anchors, uint64_t seq);
void anchors_sort(struct anchors *anchors);

/* A finding at the line where we are; its id. */
uint64_t verify_add(struct logverify *verify, enum logverify_kind kind, uint64_t from, uint64_t to,
		    const char *detail);
/* What follows tells better: nothing happens if the finding has left. */
void verify_change(struct logverify *verify, uint64_t id, enum logverify_kind kind, uint64_t from,
		   uint64_t to, const char *detail);
void verify_change_kind(struct logverify *verify, uint64_t id, enum logverify_kind kind,
			const char *detail);
/* It reaches to this record. */
void verify_extend(struct logverify *verify, uint64_t id, uint64_t to);
/* Main goes on to a record that cannot be proved, so that the one after it is expected next. */
void verify_go_on(struct logverify *verify, uint64_t seq,
		  const uint8_t hash[static CHAIN_HASH_LEN]);

/* --- a record that hangs on the chain (logverify-linked.c) ---------------------------------- */

bool record_links(const struct record *record, const uint8_t previous[static CHAIN_HASH_LEN]);
/* The first of a file. */
bool record_is_header(const struct record *record);

/* The record links to `previous`; its MAC was not looked at. next: `previous` is main's, nothing
 * lies between. */
void linked_take(struct logverify *verify, const struct record *record,
		 const uint8_t previous[static CHAIN_HASH_LEN], bool next);
/* The same for one that is no header and whose MAC was looked at, if it has a key:
 * linked_take_mac(). */
void linked_take_checked(struct logverify *verify, const struct record *record,
			 const uint8_t previous[static CHAIN_HASH_LEN], bool next);
void linked_take_mac(struct logverify *verify, uint64_t seq, enum chain_link link);
void linked_take_header(struct logverify *verify, const struct record *record,
			const struct statement *statement,
			const uint8_t previous[static CHAIN_HASH_LEN], bool behind);
void linked_take_time(struct logverify *verify, const struct record *record, bool next);
/* The key of this record; NULL if it is not known. */
const uint8_t *linked_key(struct logverify *verify, uint64_t seq);

/* --- one that does not (logverify-displaced.c) ---------------------------------------------- */

/* computed: the hash that it should have, did it follow main. */
void displaced_take(struct logverify *verify, struct record *record,
		    const uint8_t computed[static CHAIN_HASH_LEN]);
/* Side is held, and a record links to main. */
void displaced_drop_side(struct logverify *verify, const struct record *next);
/* A record links to main: was its number early somewhere? */
void displaced_check_early(struct logverify *verify, const struct record *record);
/* unproved: it is held only because its predecessor is not known. */
void side_hold(struct logverify *verify, struct record *record,
	       const uint8_t computed[static CHAIN_HASH_LEN], uint64_t finding, bool unproved);
