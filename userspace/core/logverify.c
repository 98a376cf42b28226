// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How faults are told apart. In an untouched stretch each record hangs on the one before it ("links"). A fault breaks that,
 * and what follows tells which fault it was, so that a record that does not link is held beside the chain ("side")
 * until the next one has come:
 *
 *	main ── side    the next links to side: it took its place (altered), or records before it are missing (removed)
 *	     ╲          the next links to main: side does not belong here (duplicated, reordered, foreign)
 *	      next      the next links to neither: its own fault, or nothing can be proved about it
 *
 * Missing records are remembered as gaps and records that came too early as `early`: when one turns up where the other
 * is missed, both are one fault, reordered.
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/logverify-inside.h"

#define ANCHORS_MAX 100000
#define GAPS_MAX 16
#define EARLY_MAX 16
/* Running a key forward takes a fraction of a microsecond; a number beyond this (a minute) is not believed. */
#define KEY_STEPS_MAX (UINT64_C(1) << 28)
#define NAME_SEQ_LEN 12

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

	bool begun; /* a record was taken */
	uint64_t seq; /* of main: the newest record that hangs on the chain; 0: none */
	uint8_t hash[CHAIN_HASH_LEN];
	char time[RECORD_TIME_LEN]; /* of main; empty: unknown */
	bool clock;		    /* main told of the clock */
	uint64_t clock_finding;	    /* main is earlier than its predecessor; the next may explain it */

	struct {
		bool held;
		bool foreign;	/* another terminal's or log's */
		bool unproved;	/* it is here because its predecessor is not known */
		bool first;	/* it has what a file's first record has */
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

	uint64_t rewritten; /* the finding that records are in whose chain is whole, but which are not the terminal's */
	uint64_t broken;    /* the newest finding of a record that did not link, and the number behind it */
	uint64_t broken_seq;

	struct gap gaps[GAPS_MAX];
	struct early early[EARLY_MAX];
	size_t n_gaps, n_early;

	bool log_known; /* the header of the log that we are in has been read */
	uint8_t id[CHAIN_ID_LEN];
	uint8_t public_key[LOGVERIFY_PUBLIC_LEN];
	bool has_key;
	bool mac_wrong; /* of the newest record that has a key */
	uint64_t key_seq; /* whose key this is */
	uint8_t key[CHAIN_KEY_LEN];
};

const char *logverify_kind_name(enum logverify_kind kind)
{
	static const char *const names[N_LOGVERIFY_KINDS] = {
		[LOGVERIFY_ALTERED] = "altered",
		[LOGVERIFY_REMOVED] = "removed",
		[LOGVERIFY_REORDERED] = "reordered",
		[LOGVERIFY_DUPLICATED] = "duplicated",
		[LOGVERIFY_TRUNCATED] = "truncated",
		[LOGVERIFY_FOREIGN] = "foreign",
		[LOGVERIFY_CLOCK_REVERSED] = "clock-reversed",
		[LOGVERIFY_FORGED] = "forged",
		[LOGVERIFY_BAD_SIGNATURE] = "bad-signature",
		[LOGVERIFY_ANCHOR] = "anchor",
		[LOGVERIFY_BEGUN_ANEW] = "begun-anew",
		[LOGVERIFY_NOT_A_RECORD] = "not-a-record",
	};

	return kind < N_LOGVERIFY_KINDS ? names[kind] : "unknown";
}

/* --- making one ------------------------------------------------------------------------------------ */

struct logverify *logverify_new(const struct logverify_options *options)
{
	struct logverify *verify = calloc(1, sizeof(*verify));

	if (!verify)
		return NULL;
	verify->anchors = calloc(1, sizeof(*verify->anchors));
	if (!verify->anchors) {
		free(verify);
		return NULL;
	}
	verify->anchors->users = 1;
	verify->options = *options;
	verify->findings.tell = options->finding;
	verify->findings.userdata = options->userdata;
	verify->findings.next = verify->findings.oldest = 1;
	return verify;
}

struct logverify *logverify_free(struct logverify *verify)
{
	if (!verify)
		return NULL;
	findings_free(&verify->findings);
	if (!--verify->anchors->users) {
		free(verify->anchors->list);
		free(verify->anchors);
	}
	sodium_memzero(verify->key, sizeof(verify->key));
	free(verify);
	return NULL;
}

struct logverify *logverify_copy(const struct logverify *verify)
{
	struct logverify *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *verify;
	copy->anchors->users++;
	return findings_copy(&copy->findings, &verify->findings) ? copy : logverify_free(copy);
}

int logverify_add_anchor(struct logverify *verify, uint64_t seq, const uint8_t hash[static CHAIN_HASH_LEN])
{
	struct anchors *anchors = verify->anchors;

	if (anchors->n == ANCHORS_MAX)
		return -E2BIG;
	if (anchors->n == anchors->size) {
		size_t size = anchors->size ? 2 * anchors->size : 64;
		struct anchor *list = reallocarray(anchors->list, size, sizeof(*list));

		if (!list)
			return -ENOMEM;
		anchors->list = list;
		anchors->size = size;
	}
	anchors->list[anchors->n].seq = seq;
	memcpy(anchors->list[anchors->n++].hash, hash, CHAIN_HASH_LEN);
	anchors->sorted = false;
	return 0;
}

static int anchor_compare(const void *a, const void *b)
{
	const struct anchor *left = a, *right = b;

	return (left->seq > right->seq) - (left->seq < right->seq);
}

static void anchors_sort(struct anchors *anchors)
{
	if (!anchors->sorted && anchors->n)
		qsort(anchors->list, anchors->n, sizeof(*anchors->list), anchor_compare);
	anchors->sorted = true;
}

/* The first of those with this number or a greater one. */
static size_t anchors_find(const struct anchors *anchors, uint64_t seq)
{
	size_t low = 0, high = anchors->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (anchors->list[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* --- findings ---------------------------------------------------------------------------------------- */

static uint64_t add(struct logverify *verify, enum logverify_kind kind, uint64_t from, uint64_t to, const char *detail)
{
	return findings_add(&verify->findings, kind, verify->file, verify->line, from, to, detail);
}

static void change(struct logverify *verify, uint64_t id, enum logverify_kind kind, uint64_t from, uint64_t to,
		   const char *detail)
{
	struct finding_slot *slot = findings_get(&verify->findings, id);

	if (!slot)
		return;
	slot->kind = kind;
	slot->from = from;
	slot->to = to;
	slot->detail = detail;
}

static void extend(struct logverify *verify, uint64_t id, uint64_t to)
{
	struct finding_slot *slot = findings_get(&verify->findings, id);

	if (slot && slot->to < to)
		slot->to = to;
}

static void change_kind(struct logverify *verify, uint64_t id, enum logverify_kind kind, const char *detail)
{
	struct finding_slot *slot = findings_get(&verify->findings, id);

	if (slot) {
		slot->kind = kind;
		slot->detail = detail;
	}
}

static void remember_gap(struct logverify *verify, uint64_t from, uint64_t to, uint64_t finding)
{
	struct gap *gap;

	if (verify->n_gaps == GAPS_MAX)
		memmove(verify->gaps, verify->gaps + 1, --verify->n_gaps * sizeof(*verify->gaps));
	gap = &verify->gaps[verify->n_gaps++];
	*gap = (struct gap){.from = from, .to = to, .finding = finding};
	memcpy(gap->before, verify->hash, CHAIN_HASH_LEN);
}

static void remember_early(struct logverify *verify)
{
	struct early *early;

	if (verify->n_early == EARLY_MAX)
		memmove(verify->early, verify->early + 1, --verify->n_early * sizeof(*verify->early));
	early = &verify->early[verify->n_early++];
	*early = (struct early){.seq = verify->side.seq, .finding = verify->side.finding};
	memcpy(early->hash, verify->side.stated, CHAIN_HASH_LEN);
}

static void forget_early(struct logverify *verify, size_t i)
{
	verify->early[i] = verify->early[--verify->n_early];
}

/* The finding of the gap in which this number is missed; 0: in none. */
static uint64_t gap_finding(const struct logverify *verify, uint64_t seq)
{
	for (size_t i = 0; i < verify->n_gaps; i++)
		if (seq >= verify->gaps[i].from && seq <= verify->gaps[i].to)
			return verify->gaps[i].finding;
	return 0;
}

/* --- a record that hangs on the chain ------------------------------------------------------------------ */

static bool links(const struct record *record, const uint8_t previous[static CHAIN_HASH_LEN])
{
	return chain_line_check(&record->line, previous, NULL, NULL) == CHAIN_LINK_OK;
}

static bool is_header(const struct record *record)
{
	return record->kind == RECORD_BEGUN || record->kind == RECORD_CONTINUED;
}

/* The key of this record; NULL if it is not known. */
static const uint8_t *key_of(struct logverify *verify, uint64_t seq)
{
	if (!verify->has_key || seq < verify->key_seq || seq - verify->key_seq > KEY_STEPS_MAX)
		return NULL;
	for (; verify->key_seq < seq; verify->key_seq++)
		chain_next_key(verify->key);
	return verify->key;
}

/* The chain is whole, but something shows that the terminal did not write this. */
static void rewrite_found(struct logverify *verify, enum logverify_kind kind, uint64_t seq, const char *detail)
{
	if (verify->rewritten) {
		extend(verify, verify->rewritten, seq);
	} else if (kind == LOGVERIFY_FORGED && verify->broken_seq == seq && seq > 1) {
		/* It hangs on a record that did not: they came here together, from another log. */
		verify->rewritten = verify->broken;
		change_kind(verify, verify->broken, LOGVERIFY_FOREIGN, "records of another log");
		extend(verify, verify->broken, seq);
	} else {
		verify->rewritten = add(verify, kind, seq, seq, detail);
	}
}

/* Something shows that the terminal did write this; but a MAC weighs more. */
static void vouched_for(struct logverify *verify)
{
	if (!verify->mac_wrong)
		verify->rewritten = 0;
}

static void check_anchor(struct logverify *verify, const struct record *record)
{
	const struct anchors *anchors = verify->anchors;
	size_t i = anchors_find(anchors, record->line.seq);

	for (; i < anchors->n && anchors->list[i].seq == record->line.seq; i++) {
		if (!memcmp(anchors->list[i].hash, record->line.hash, CHAIN_HASH_LEN)) {
			vouched_for(verify);
		} else {
			rewrite_found(verify, LOGVERIFY_ANCHOR, record->line.seq,
				      "it was seen elsewhere with another hash");
			return;
		}
	}
}

static void take_key(struct logverify *verify, const struct statement *statement)
{
	const struct logverify_options *options = &verify->options;
	bool known = verify->has_key;

	sodium_memzero(verify->key, sizeof(verify->key));
	verify->has_key = verify->mac_wrong = false;
	if (options->unseal) {
		verify->has_key = options->unseal(options->userdata, &statement->header, verify->key);
	} else if (options->first_key && (options->id ? !memcmp(options->id, verify->id, CHAIN_ID_LEN)
						      : !known && !verify->log_known)) {
		memcpy(verify->key, options->first_key, CHAIN_KEY_LEN);
		verify->has_key = true;
	}
	verify->key_seq = statement->header.first_seq;
}

/*
 * A log with another id goes on here. That is in order only if the terminal says that it got another desk's key, and the desk,
 * if it is asked, has that key.
 */
static void take_new_log(struct logverify *verify, const struct record *record, const struct statement *statement,
			 bool same_terminal)
{
	uint64_t seq = record->line.seq;

	if (!statement->new_desk || !same_terminal)
		add(verify, LOGVERIFY_BEGUN_ANEW, seq, seq, "a new log with new keys goes on here");
	else if (verify->options.unseal && !verify->has_key)
		add(verify, LOGVERIFY_BEGUN_ANEW, seq, seq, "from here on the key is sealed to another desk");
}

/* The first record of a file, which hangs on the chain. behind: after other records. */
static void take_header(struct logverify *verify, const struct record *record, const struct statement *statement,
			bool behind)
{
	const struct logverify_header *header = &statement->header;
	bool first = !verify->log_known, same = !first && !memcmp(header->id, verify->id, CHAIN_ID_LEN);
	bool same_terminal = !first && !memcmp(header->public_key, verify->public_key, LOGVERIFY_PUBLIC_LEN);

	if (same && !same_terminal)
		rewrite_found(verify, LOGVERIFY_FOREIGN, record->line.seq, "it states another key of the terminal");
	if (same)
		return;
	memcpy(verify->id, header->id, CHAIN_ID_LEN);
	memcpy(verify->public_key, header->public_key, LOGVERIFY_PUBLIC_LEN);
	take_key(verify, statement);
	if (record->kind == RECORD_BEGUN && behind)
		take_new_log(verify, record, statement, same_terminal);
	else if (!first)
		rewrite_found(verify, LOGVERIFY_FOREIGN, record->line.seq, "it is of another log");
	if (first && verify->options.public_key &&
	    memcmp(header->public_key, verify->options.public_key, LOGVERIFY_PUBLIC_LEN))
		rewrite_found(verify, LOGVERIFY_FOREIGN, record->line.seq,
			      "the log is signed with another key than the given one");
	verify->log_known = true;
	memcpy(verify->result.terminal, statement->terminal, sizeof(verify->result.terminal));
}

/* Its predecessor is main. */
static void check_checkpoint(struct logverify *verify, const struct record *record,
			     const struct statement *statement, const uint8_t previous[static CHAIN_HASH_LEN])
{
	const uint8_t *public = verify->options.public_key ? verify->options.public_key : verify->public_key;
	uint8_t message[CHAIN_CHECKPOINT_LEN];

	if (!verify->log_known && !verify->options.public_key)
		return;
	chain_checkpoint_message(message, statement->header.id, statement->at, statement->head);
	if (verify->log_known && memcmp(statement->header.id, verify->id, CHAIN_ID_LEN)) {
		rewrite_found(verify, LOGVERIFY_FOREIGN, record->line.seq, "a checkpoint of another log");
	} else if (statement->at + 1 != record->line.seq || memcmp(statement->head, previous, CHAIN_HASH_LEN)) {
		rewrite_found(verify, LOGVERIFY_BAD_SIGNATURE, record->line.seq,
			      "the checkpoint was made for other records than those before it");
	} else if (crypto_sign_verify_detached(statement->signature, message, sizeof(message), public)) {
		rewrite_found(verify, LOGVERIFY_BAD_SIGNATURE, record->line.seq,
			      "the checkpoint was not signed with the terminal's key");
	} else {
		vouched_for(verify);
		verify->result.checkpoints++;
		verify->result.after_checkpoint = 0;
	}
}

static void check_time(struct logverify *verify, const struct record *record, bool next)
{
	bool clock = record->kind == RECORD_CLOCK;

	if (verify->clock_finding && clock && next)
		findings_take_back(&verify->findings, verify->clock_finding);
	verify->clock_finding = 0;
	if (next && record->time && *verify->time && !clock && !verify->clock &&
	    memcmp(record->time, verify->time, RECORD_TIME_LEN) < 0)
		verify->clock_finding = add(verify, LOGVERIFY_CLOCK_REVERSED, record->line.seq, record->line.seq,
					    "earlier than the record before it");
	if (record->time)
		memcpy(verify->time, record->time, RECORD_TIME_LEN);
	else
		*verify->time = '\0';
	verify->clock = clock;
}

static void take_special(struct logverify *verify, const struct record *record,
			 const uint8_t previous[static CHAIN_HASH_LEN])
{
	struct statement statement;

	if (!record_read(record, &statement)) {
		rewrite_found(verify, LOGVERIFY_ALTERED, record->line.seq,
			      "a record of the log's own lacks what it must state");
		return;
	}
	if (record->kind == RECORD_CHECKPOINT)
		check_checkpoint(verify, record, &statement, previous);
	else if (is_header(record))
		take_header(verify, record, &statement, verify->begun);
	else if (record->kind == RECORD_RECOVERED && statement.torn_bytes && !verify->torn.lines)
		add(verify, LOGVERIFY_NOT_A_RECORD, record->line.seq, record->line.seq,
		    "the cut line that this record tells of is not before it");
	else if (record->kind == RECORD_EXPIRED && statement.last_seq > verify->result.expired_seq)
		verify->result.expired_seq = statement.last_seq;
}

/* The record has a key, and its MAC is right or not. */
static void take_mac(struct logverify *verify, uint64_t seq, enum chain_link link)
{
	verify->mac_wrong = link == CHAIN_LINK_FORGED;
	if (verify->mac_wrong) {
		rewrite_found(verify, LOGVERIFY_FORGED, seq, "it was not sealed with this record's key");
	} else {
		verify->result.macs++;
		verify->rewritten = 0;
	}
}

/* The record links to `previous`, and its MAC was looked at (take_mac()), if it has a key. next: nothing lies between. */
static void take_checked(struct logverify *verify, const struct record *record,
			 const uint8_t previous[static CHAIN_HASH_LEN], bool next)
{
	uint64_t seq = record->line.seq;

	check_time(verify, record, next);
	verify->result.after_checkpoint++;
	if (record->kind != RECORD_PLAIN && !is_header(record))
		take_special(verify, record, previous);
	if (verify->anchors->n)
		check_anchor(verify, record);
	verify->seq = seq;
	memcpy(verify->hash, record->line.hash, CHAIN_HASH_LEN);
	verify->begun = true;
}

/* The record links to `previous`; its MAC was not looked at. */
static void take_linked(struct logverify *verify, const struct record *record,
			const uint8_t previous[static CHAIN_HASH_LEN], bool next)
{
	const uint8_t *key;

	/* A header brings the key with which it is itself sealed. */
	if (is_header(record))
		take_special(verify, record, previous);
	key = key_of(verify, record->line.seq);
	if (key)
		take_mac(verify, record->line.seq, chain_line_check(&record->line, previous, key, NULL));
	take_checked(verify, record, previous, next);
}

/* --- a record that does not ------------------------------------------------------------------------------ */

/* Of another terminal, or of another log? Only asked of a record that does not link. */
static bool is_foreign(struct logverify *verify, struct record *record)
{
	struct statement statement;
	char terminal[LOGVERIFY_TERMINAL_MAX];

	if (!verify->log_known)
		return false;
	if (is_header(record) || record->kind == RECORD_CHECKPOINT)
		return record_read(record, &statement) &&
		       memcmp(statement.header.id, verify->id, CHAIN_ID_LEN);
	record_find_terminal(record);
	if (!record->terminal || record->terminal_len >= sizeof(terminal))
		return false;
	memcpy(terminal, record->terminal, record->terminal_len);
	terminal[record->terminal_len] = '\0';
	return strcmp(terminal, verify->result.terminal) != 0;
}

/* Without the newline between them two records are one line, and the second one's seal stands at its end. */
static uint64_t last_seq_within(const struct record *record)
{
	static const char begin[] = "{\"seq\":";
	const char *end = record->line.body + record->len, *second;
	struct chain_line line;

	second = memmem(record->line.body + 1, record->len - 1, begin, sizeof(begin) - 1);
	return second && chain_line_parse(&line, second, (size_t)(end - second)) && line.seq > record->line.seq
		       ? line.seq
		       : record->line.seq;
}

static void hold_side(struct logverify *verify, struct record *record,
		      const uint8_t computed[static CHAIN_HASH_LEN], uint64_t finding, bool unproved)
{
	const struct chain_line *line = &record->line;

	verify->side.held = true;
	verify->side.foreign = is_foreign(verify, record);
	verify->side.unproved = unproved;
	verify->side.first = memmem(line->body, line->body_len, "\"log_first\":", 12) ||
			     memmem(line->body, line->body_len, "\"previous\":\"", 12);
	verify->side.seq = line->seq;
	verify->side.reaches = last_seq_within(record);
	memcpy(verify->side.stated, line->hash, CHAIN_HASH_LEN);
	memcpy(verify->side.computed, computed, CHAIN_HASH_LEN);
	verify->side.finding = finding;
}

/* Main goes on to a record that cannot be proved, so that the one after it is expected next. */
static void go_on_to(struct logverify *verify, uint64_t seq, const uint8_t hash[static CHAIN_HASH_LEN])
{
	verify->seq = seq;
	memcpy(verify->hash, hash, CHAIN_HASH_LEN);
	*verify->time = '\0';
	verify->clock_finding = 0;
}

/* The record links to main, and so side stands between two that belong together. */
static void drop_side(struct logverify *verify, const struct record *next)
{
	uint64_t seq = verify->side.seq;

	verify->side.held = false;
	if (verify->side.foreign) {
		change_kind(verify, verify->side.finding, LOGVERIFY_FOREIGN, "a record of another log stands here");
	} else if (seq == next->line.seq) {
		bool same = !memcmp(verify->side.stated, next->line.hash, CHAIN_HASH_LEN);

		change_kind(verify, verify->side.finding, same ? LOGVERIFY_DUPLICATED : LOGVERIFY_FOREIGN,
			    same ? "an altered copy stands before it" : "a record that is not of this log stands here");
	} else if (seq > next->line.seq) {
		change(verify, verify->side.finding, LOGVERIFY_REORDERED, seq, seq, "it stands before its place");
		remember_early(verify);
	}
}

/* The number that was early has come to its place: what stood there was a copy. */
static void check_early(struct logverify *verify, const struct record *record)
{
	for (size_t i = 0; i < verify->n_early; i++) {
		struct early *early = &verify->early[i];

		if (early->seq != record->line.seq)
			continue;
		change_kind(verify, early->finding,
			    memcmp(early->hash, record->line.hash, CHAIN_HASH_LEN) ? LOGVERIFY_FOREIGN
										   : LOGVERIFY_DUPLICATED,
			    "it stands before its place, and there too");
		forget_early(verify, i);
		return;
	}
}

/* Is it the first that is missed somewhere? */
static bool fill_gap(struct logverify *verify, const struct record *record)
{
	for (size_t i = 0; i < verify->n_gaps; i++) {
		struct gap *gap = &verify->gaps[i];

		if (record->line.seq != gap->from || !links(record, gap->before))
			continue;
		change_kind(verify, gap->finding, LOGVERIFY_REORDERED, "it stands behind its place");
		memcpy(gap->before, record->line.hash, CHAIN_HASH_LEN);
		if (record->kind == RECORD_BEGUN && !verify->log_known) {
			struct statement statement;

			if (record_read(record, &statement))
				take_header(verify, record, &statement, false);
		}
		if (gap->from++ == gap->to)
			*gap = verify->gaps[--verify->n_gaps];
		return true;
	}
	return false;
}

/* The next link of a record that stood too early? */
static bool follow_early(struct logverify *verify, const struct record *record)
{
	bool beside = verify->side.held && verify->side.seq == verify->seq + 1;
	uint64_t wanted = verify->seq + 1 + beside;

	for (size_t i = 0; i < verify->n_early; i++) {
		struct early early = verify->early[i];

		if (early.seq != wanted || early.seq + 1 != record->line.seq || !links(record, early.hash))
			continue;
		change_kind(verify, early.finding, LOGVERIFY_REORDERED, "it stands before its place");
		forget_early(verify, i);
		verify->side.held = false;
		take_linked(verify, record, early.hash, false);
		return true;
	}
	return false;
}

/* Only its number was altered? Then it links once it has the right one. */
static bool was_renumbered(const struct logverify *verify, const struct record *record, uint64_t seq)
{
	char front[32];
	size_t digits = strlen("{\"seq\":"), len = (size_t)snprintf(front, sizeof(front), "{\"seq\":%llu", (unsigned long long)seq);
	crypto_generichash_state state;
	uint8_t hash[CHAIN_HASH_LEN];
	const uint8_t *body = (const uint8_t *)record->line.body;

	while (digits < record->line.body_len && body[digits] >= '0' && body[digits] <= '9')
		digits++;
	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	crypto_generichash_update(&state, verify->hash, CHAIN_HASH_LEN);
	crypto_generichash_update(&state, (const uint8_t *)front, len);
	crypto_generichash_update(&state, body + digits, record->line.body_len + CHAIN_MAC_MEMBER_LEN - digits);
	crypto_generichash_final(&state, hash, sizeof(hash));
	return !memcmp(hash, record->line.hash, sizeof(hash));
}

/* The number of the first record of the file that we are in, if its name tells; else 1. */
static uint64_t first_of_name(const struct logverify *verify)
{
	const char *end = verify->file ? strstr(verify->file, ".jsonl") : NULL;
	uint64_t seq = 0;

	if (!end || end - verify->file <= NAME_SEQ_LEN || end[-NAME_SEQ_LEN - 1] != '-')
		return 1;
	for (const char *p = end - NAME_SEQ_LEN; p < end; p++) {
		if (*p < '0' || *p > '9')
			return 1;
		seq = 10 * seq + (uint64_t)(*p - '0');
	}
	return seq ? seq : 1;
}

/*
 * Records that state themselves what comes before them: the first of a file, and log-damaged. True if that settles where it
 * belongs.
 */
static bool take_self_proved(struct logverify *verify, const struct record *record)
{
	uint64_t seq = record->line.seq, expected = verify->seq + 1, finding;
	struct statement statement;
	const char *detail;
	bool early = verify->side.held && verify->side.seq > seq;

	if ((!is_header(record) && record->kind != RECORD_DAMAGED) ||
	    !record_read(record, &statement) || !links(record, statement.previous))
		return false;
	if (!verify->begun && !verify->side.held && !verify->torn.lines) {
		/* The log begins with this file; its header may say that the one before was lost. */
		if (statement.missing)
			add(verify, LOGVERIFY_REMOVED, statement.header.first_seq, seq - 1,
			    "the terminal says that its log file was gone when it wrote this record");
		take_linked(verify, record, statement.previous, false);
		return true;
	}
	if (verify->side.held && !early && (links(record, verify->side.stated) || links(record, verify->side.computed)))
		return false;
	if (record->kind == RECORD_BEGUN && seq == 1) {
		/* Another log from its first record stands behind ours: take_header() says so. */
		if (!verify->log_known || !memcmp(statement.header.id, verify->id, CHAIN_ID_LEN))
			return false;
	} else if (record->kind != RECORD_DAMAGED && verify->log_known &&
		   memcmp(statement.header.id, verify->id, CHAIN_ID_LEN)) {
		return false;
	} else if (record->kind == RECORD_DAMAGED && seq < expected) {
		add(verify, LOGVERIFY_FORGED, seq, verify->seq, "the terminal says that it did not write these records");
	} else if (seq < expected) {
		return false;
	} else {
		/* Beside the chain stands one more record, or several, which have their finding. */
		if (verify->side.held && verify->side.seq >= expected && verify->side.seq < seq)
			expected = verify->side.seq + 1;
		if (verify->torn.lines && verify->torn.cut) {
			change(verify, verify->torn.finding, LOGVERIFY_TRUNCATED, expected, seq > expected ? seq - 1 : expected,
			       "the file ends within a line");
		} else if (seq > expected) {
			if (record->kind == RECORD_DAMAGED)
				detail = "the terminal says that they were gone when it wrote this record";
			else if (statement.missing)
				detail = "the terminal says that its log file was gone when it wrote this record";
			else
				detail = "the file begins later than the one before it ends";
			finding = early ? verify->side.finding : add(verify, LOGVERIFY_REMOVED, 0, 0, "");
			change(verify, finding, LOGVERIFY_REMOVED, expected, seq - 1, detail);
			if (early)
				remember_early(verify);
			remember_gap(verify, expected, seq - 1, finding);
		} else if (!verify->side.held && !verify->torn.lines) {
			add(verify, LOGVERIFY_ALTERED, verify->seq, verify->seq,
			    "the terminal's next record was sealed after another one");
		}
	}
	verify->side.held = false;
	verify->torn.lines = 0;
	take_linked(verify, record, statement.previous, false);
	return true;
}

/* The record links to side: what is side? */
static void settle_side(struct logverify *verify, struct record *record, const uint8_t previous[static CHAIN_HASH_LEN])
{
	uint64_t expected = verify->seq + 1, was = record->line.seq - 1, id = verify->side.finding;

	if (verify->side.foreign && is_foreign(verify, record)) {
		change_kind(verify, id, LOGVERIFY_FOREIGN, "records of another log stand here");
		extend(verify, id, record->line.seq);
		hold_side(verify, record, record->line.hash, id, false);
		return;
	}
	if (was < expected && verify->begun) {
		/* A stretch that was there already; or one that is missed, and stands elsewhere. */
		extend(verify, id, record->line.seq);
		hold_side(verify, record, record->line.hash, id, false);
		return;
	}
	if (verify->side.unproved || (verify->rewritten && id == verify->rewritten)) {
		/* The finding is of what was before it. */
	} else if (was == expected || (!verify->begun && verify->side.first)) {
		change(verify, id, LOGVERIFY_ALTERED, verify->side.seq < was ? verify->side.seq : was, was, "its bytes are not those that were sealed");
	} else if (verify->side.seq == was) {
		change(verify, id, LOGVERIFY_REMOVED, expected, was - 1, verify->begun ? "" : "the log does not begin with a file's first record");
		remember_gap(verify, expected, was - 1, id);
	} else {
		change(verify, id, LOGVERIFY_ALTERED, expected, was, "its bytes are not those that were sealed");
	}
	verify->side.held = false;
	verify->broken = id;
	verify->broken_seq = record->line.seq;
	take_linked(verify, record, previous, false);
}

static void take_displaced(struct logverify *verify, struct record *record,
			   const uint8_t computed[static CHAIN_HASH_LEN]);

/* The record links neither to main nor to side. */
static void take_unlinked(struct logverify *verify, struct record *record,
			  const uint8_t computed[static CHAIN_HASH_LEN])
{
	uint64_t seq = record->line.seq, expected = verify->seq + 1, side = verify->side.seq, id = verify->side.finding;

	if (verify->side.foreign && !is_foreign(verify, record) && seq > expected) {
		/* Ours again, behind those that replaced some of ours. */
		change_kind(verify, id, LOGVERIFY_FOREIGN, "records of another log stand here");
		extend(verify, id, seq - 1);
		go_on_to(verify, seq - 1, verify->side.stated);
		hold_side(verify, record, computed, id, true);
	} else if (side == expected && seq == side + 1) {
		if (verify->side.unproved)
			extend(verify, id, side);
		go_on_to(verify, side, verify->side.stated);
		hold_side(verify, record, computed, id, true);
	} else if (side != expected && seq > expected && (seq < side || seq == expected + 1)) {
		/* What stands in the missing record's place may be one that is missed elsewhere. */
		change(verify, id, seq == expected + 1 ? LOGVERIFY_ALTERED : LOGVERIFY_REMOVED, expected, seq - 1,
		       "another record stands in its place");
		if (side > seq)
			remember_early(verify);
		remember_gap(verify, expected, seq - 1, id);
		go_on_to(verify, seq - 1, verify->side.stated);
		hold_side(verify, record, computed, id, true);
	} else {
		verify->side.held = false;
		if (side == expected)
			go_on_to(verify, side, verify->side.stated);
		take_displaced(verify, record, computed);
	}
}

static void take_displaced(struct logverify *verify, struct record *record,
			   const uint8_t computed[static CHAIN_HASH_LEN])
{
	uint64_t seq = record->line.seq, expected = verify->seq + 1;
	enum logverify_kind kind = LOGVERIFY_ALTERED;
	uint64_t from = seq, to = seq, id;
	const char *detail = "its bytes are not those that were sealed";

	if (fill_gap(verify, record) || follow_early(verify, record) || take_self_proved(verify, record))
		return;
	if (verify->side.held) {
		uint8_t hash[CHAIN_HASH_LEN];

		memcpy(hash, verify->side.stated, sizeof(hash));
		if (!links(record, hash)) {
			memcpy(hash, verify->side.computed, sizeof(hash));
			if (!links(record, hash)) {
				take_unlinked(verify, record, computed);
				return;
			}
		}
		settle_side(verify, record, hash);
		return;
	}
	if (seq != expected && was_renumbered(verify, record, expected)) {
		id = add(verify, LOGVERIFY_ALTERED, expected, expected, "its number was altered");
		check_time(verify, record, false);
		go_on_to(verify, expected, record->line.hash);
		verify->begun = true;
		return;
	}
	if (seq < expected) {
		uint64_t missed = gap_finding(verify, seq);

		if (missed) {
			change_kind(verify, missed, LOGVERIFY_REORDERED, "it stands behind its place");
			hold_side(verify, record, computed, missed, false);
			return;
		}
		kind = LOGVERIFY_DUPLICATED;
		detail = "its number was there already";
		if (seq == verify->seq && !memcmp(record->line.hash, verify->hash, CHAIN_HASH_LEN)) {
			add(verify, kind, seq, seq, detail);
			return;
		}
	} else if (seq > expected) {
		kind = LOGVERIFY_REMOVED;
		from = verify->begun ? expected : first_of_name(verify);
		if (from > seq - 1)
			from = seq - 1;
		to = seq - 1;
		detail = verify->begun ? "" : "the log does not begin with a file's first record";
		if (!verify->begun && from > 1)
			go_on_to(verify, from - 1, verify->hash);
	}
	id = verify->rewritten ? verify->rewritten : add(verify, kind, from, to, detail);
	hold_side(verify, record, computed, id, false);
}

/* --- lines ------------------------------------------------------------------------------------------------ */

static void take_torn(struct logverify *verify, const char *text, size_t len, bool cut)
{
	if (!verify->torn.lines++) {
		crypto_generichash_init(&verify->torn.hash, NULL, 0, CHAIN_HASH_LEN);
		verify->torn.bytes = 0;
		verify->torn.finding = add(verify, LOGVERIFY_NOT_A_RECORD, verify->seq + 1, verify->seq + 1,
					   "a line that is no record");
	} else {
		crypto_generichash_update(&verify->torn.hash, (const uint8_t *)"\n", 1);
		verify->torn.bytes++;
	}
	crypto_generichash_update(&verify->torn.hash, (const uint8_t *)text, len);
	verify->torn.bytes += len;
	verify->torn.cut = cut;
}

/* What the lines that are no records were, now that a record follows; it links to main, or not. */
static void settle_torn(struct logverify *verify, struct record *record, bool linked,
			const uint8_t computed[static CHAIN_HASH_LEN])
{
	uint64_t seq = record->line.seq, expected = verify->seq + 1, id = verify->torn.finding;
	uint8_t hash[CHAIN_HASH_LEN];
	struct statement statement;

	if (linked) {
		crypto_generichash_final(&verify->torn.hash, hash, sizeof(hash));
		if (record->kind == RECORD_RECOVERED && record_read(record, &statement) &&
		    statement.torn_bytes == verify->torn.bytes && !memcmp(hash, statement.torn_hash, sizeof(hash)))
			findings_take_back(&verify->findings, id);
	} else if (!verify->side.held && seq > expected && seq - expected <= verify->torn.lines && !verify->torn.cut) {
		/* They were records, and this one hangs on what they were. */
		change(verify, id, LOGVERIFY_ALTERED, expected, seq - 1, "its line has no longer the form of a record");
		go_on_to(verify, seq - 1, computed);
		hold_side(verify, record, computed, id, true);
		verify->begun = true;
	}
}

void logverify_line(struct logverify *verify, const char *file, uint64_t number, const char *text, size_t len,
		    bool cut)
{
	struct record record;
	uint8_t computed[CHAIN_HASH_LEN];
	const uint8_t *key = NULL;
	enum chain_link link;
	bool linked, next;

	anchors_sort(verify->anchors);
	verify->file = file;
	verify->line = number;
	if (!chain_line_parse(&record.line, text, len)) {
		take_torn(verify, text, len, cut);
		return;
	}
	record_look(&record, text, len);
	verify->result.records++;
	if (!verify->result.first_seq)
		verify->result.first_seq = record.line.seq;
	next = record.line.seq == verify->seq + 1;
	if (next && !is_header(&record))
		key = key_of(verify, record.line.seq);
	link = chain_line_check(&record.line, verify->hash, key, computed);
	linked = next && link != CHAIN_LINK_HASH;
	if (verify->torn.lines) {
		bool held = verify->side.held;

		settle_torn(verify, &record, linked, computed);
		if (!linked && !held && verify->side.held) {
			verify->torn.lines = 0;
			return;
		}
	}
	if (linked) {
		if (verify->side.held)
			drop_side(verify, &record);
		if (verify->n_early)
			check_early(verify, &record);
		if (key)
			take_mac(verify, record.line.seq, link);
		if (is_header(&record))
			take_linked(verify, &record, verify->hash, true);
		else
			take_checked(verify, &record, verify->hash, true);
	} else {
		take_displaced(verify, &record, computed);
	}
	verify->torn.lines = 0;
	if (cut)
		add(verify, LOGVERIFY_TRUNCATED, record.line.seq, record.line.seq, "its line has no end");
}

void logverify_end(struct logverify *verify)
{
	const struct anchors *anchors = verify->anchors;
	uint64_t last = verify->seq, expected = verify->options.expected_seq;

	anchors_sort(verify->anchors);
	if (anchors->n && anchors->list[anchors->n - 1].seq > expected)
		expected = anchors->list[anchors->n - 1].seq;
	if (verify->side.held && verify->side.reaches > last) {
		last = verify->side.reaches;
		if (last > verify->side.seq)
			extend(verify, verify->side.finding, last);
	}
	for (size_t i = 0; i < verify->n_early; i++)
		if (verify->early[i].seq == last + 1) {
			change_kind(verify, verify->early[i].finding, LOGVERIFY_REORDERED, "it stands before its place");
			last++;
			break;
		}
	if (verify->torn.lines && (verify->torn.cut || expected > last + 1)) {
		change(verify, verify->torn.finding, LOGVERIFY_TRUNCATED, last + 1, expected > last + 1 ? expected : last + 1,
		       "the log ends within a line");
	} else if (verify->torn.lines && expected == last + 1) {
		change(verify, verify->torn.finding, LOGVERIFY_ALTERED, expected, expected,
		       "its line has no longer the form of a record");
	} else if (expected > last) {
		add(verify, LOGVERIFY_TRUNCATED, last + 1, expected,
		    verify->options.expected_seq < expected ? "a later record was seen elsewhere"
							    : "the terminal has written more records than this");
	}
	if (verify->options.whole && verify->begun && verify->result.first_seq > 1 &&
	    verify->result.first_seq - 1 > verify->result.expired_seq)
		add(verify, LOGVERIFY_REMOVED, verify->result.expired_seq + 1, verify->result.first_seq - 1,
		    "older files are missing, and no record says that they expired");
	findings_tell(&verify->findings);
	verify->result.last_seq = last;
	verify->result.findings = verify->findings.told;
	memcpy(verify->result.last_hash, verify->hash, CHAIN_HASH_LEN);
}

const struct logverify_result *logverify_result(const struct logverify *verify)
{
	return &verify->result;
}
