/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the verifier's files: what a record says of itself, and the findings that may still change. */
#pragma once

#include "core/logverify.h"

/* --- records ------------------------------------------------------------------------------------- */

/* The kinds that the verifier has to understand. */
enum record_kind {
	RECORD_PLAIN,
	RECORD_BEGUN,	   /* log-begun */
	RECORD_CONTINUED,  /* log-continued */
	RECORD_CHECKPOINT, /* checkpoint */
	RECORD_RECOVERED,  /* log-recovered */
	RECORD_DAMAGED,	   /* log-damaged */
	RECORD_EXPIRED,	   /* log-expired */
	RECORD_CLOCK,	   /* clock-set, clock-reversed: time may go back here */
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

/* Its terminal, looked for only when needed. */
void record_find_terminal(struct record *record);

/* What a special record states; members that its kind does not have are zero. */
struct statement {
	struct logverify_header header;	  /* log-begun, log-continued; of a checkpoint the id */
	uint8_t previous[CHAIN_HASH_LEN]; /* log-begun, log-continued; log-damaged: expected_hash */
	bool missing;			  /* why: file-missing */
	bool new_desk;			  /* why: desk-key: the log was begun because another desk's key is there */
	uint64_t at;			  /* checkpoint */
	uint8_t head[CHAIN_HASH_LEN];
	uint8_t signature[64];
	uint64_t torn_bytes; /* log-recovered */
	uint8_t torn_hash[CHAIN_HASH_LEN];
	uint64_t expected_seq; /* log-damaged */
	uint64_t last_seq;     /* log-expired */
	char terminal[LOGVERIFY_TERMINAL_MAX];
};

/* False: it lacks a member that it must have, or one has not its form. */
bool record_read(const struct record *record, struct statement *out);

/* --- findings ------------------------------------------------------------------------------------ */

/* So many are kept back, because what follows may tell better what happened. The oldest leaves first. */
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
	uint64_t next;				  /* id of the next, from 1 */
	uint64_t oldest;			  /* that is still kept */
	uint64_t told;
	logverify_fn tell;
	void *userdata;
};

/* A new one; its id. */
uint64_t findings_add(struct findings *findings, enum logverify_kind kind, const char *file, uint64_t line,
		      uint64_t from, uint64_t to, const char *detail);
/* To change it; NULL if it has left, or the id is 0. */
struct finding_slot *findings_get(struct findings *findings, uint64_t id);
void findings_take_back(struct findings *findings, uint64_t id);
/* All leave, in the order in which they were added. */
void findings_tell(struct findings *findings);
void findings_free(struct findings *findings);
/* Own copies of the names. False without memory: the copy is then empty. */
bool findings_copy(struct findings *to, const struct findings *from);
