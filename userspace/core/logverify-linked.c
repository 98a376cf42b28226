// SPDX-License-Identifier: GPL-2.0-or-later
/* What a record that hangs on the chain is checked for: key, signature, anchor, time. */
#include <sodium.h>
#include <string.h>

#include "core/clockwatch.h"
#include "core/logverify-inside.h"

/* Running a key forward takes a fraction of a microsecond; a number beyond this (a minute) is not
 * believed. */
#define KEY_STEPS_MAX (UINT64_C(1) << 28)

bool record_links(const struct record *record, const uint8_t previous[static CHAIN_HASH_LEN])
{
	return chain_line_check(&record->line, previous, NULL, NULL) == CHAIN_LINK_OK;
}

bool record_is_header(const struct record *record)
{
	return record->kind == RECORD_BEGUN || record->kind == RECORD_CONTINUED;
}

/* The key of this record; NULL if it is not known. */
const uint8_t *linked_key(struct logverify *verify, uint64_t seq)
{
	if (!verify->has_key || seq < verify->key_seq || seq - verify->key_seq > KEY_STEPS_MAX)
		return NULL;
	for (; verify->key_seq < seq; verify->key_seq++)
		chain_next_key(verify->key);
	return verify->key;
}

/* The chain is whole, but something shows that the terminal did not write this. */
static void rewrite_found(struct logverify *verify, enum logverify_kind kind, uint64_t seq,
			  const char *detail)
{
	if (verify->rewritten) {
		verify_extend(verify, verify->rewritten, seq);
	} else if (kind == LOGVERIFY_FORGED && verify->broken_seq == seq && seq > 1) {
		/* It hangs on a record that did not: they came here together, from another log. */
		verify->rewritten = verify->broken;
		verify_change_kind(verify, verify->broken, LOGVERIFY_FOREIGN,
				   N_("records of another log"));
		verify_extend(verify, verify->broken, seq);
	} else {
		verify->rewritten = verify_add(verify, kind, seq, seq, detail);
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
				      N_("it was seen elsewhere with another hash"));
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
		verify->has_key =
			options->unseal(options->userdata, &statement->header, verify->key);
	} else if (options->first_key &&
		   (options->id ? !memcmp(options->id, verify->id, CHAIN_ID_LEN)
				: !known && !verify->log_known)) {
		memcpy(verify->key, options->first_key, CHAIN_KEY_LEN);
		verify->has_key = true;
	}
	verify->key_seq = statement->header.first_seq;
}

/* Root can seal a key of his own together with the right id, but not the same bytes. */
static bool is_expected(const struct logverify *verify, const struct logverify_header *header)
{
	const struct logverify_options *options = &verify->options;

	return options->id && !memcmp(options->id, header->id, CHAIN_ID_LEN) &&
	       (!options->sealed ||
		(options->sealed_len == header->sealed_len &&
		 !memcmp(options->sealed, header->sealed, header->sealed_len)));
}

/* Does the record directly before say that exactly this log, with exactly this key, follows? */
static bool is_handed_over(const struct logverify *verify, const struct statement *statement,
			   const uint8_t previous[static CHAIN_HASH_LEN])
{
	const struct logverify_header *header = &statement->header;
	uint8_t hash[CHAIN_HASH_LEN];

	crypto_generichash(hash, sizeof(hash), header->sealed, header->sealed_len, NULL, 0);
	return statement->new_desk && verify->handover.held &&
	       !memcmp(verify->handover.hash, previous, CHAIN_HASH_LEN) &&
	       !memcmp(verify->handover.id, header->id, CHAIN_ID_LEN) &&
	       !memcmp(verify->handover.sealed_hash, hash, sizeof(hash));
}

/*
 * The log that is expected of this terminal is reached: its first record, whose key nobody else has,
 * hangs on all that is before it, so that what could not be proved there was the terminal's.
 */
static void expected_log_reached(struct logverify *verify)
{
	findings_take_back(&verify->findings, verify->id_finding);
	verify->id_finding = 0;
	while (verify->n_unproved)
		findings_take_back(&verify->findings, verify->unproved[--verify->n_unproved]);
}

/*
 * A log with another id goes on here. Root can write such a record too, with keys of his own sealed to
 * the desk's public key. So it is in order only if the old log handed over to it, with a key
 * that nobody has any more; and the desk, if it is asked, must have the new one.
 */
static void take_new_log(struct logverify *verify, const struct record *record,
			 const struct statement *statement,
			 const uint8_t previous[static CHAIN_HASH_LEN], bool same_terminal)
{
	uint64_t seq = record->line.seq, id;

	if (!same_terminal || !is_handed_over(verify, statement, previous) ||
	    (!verify->handover.proved && !verify->handover.keyless)) {
		verify_add(verify, LOGVERIFY_BEGUN_ANEW, seq, seq,
			   N_("a new log with new keys goes on here"));
		/* That says it all: what is before is not the expected one. */
		if (is_expected(verify, &statement->header))
			findings_take_back(&verify->findings, verify->id_finding);
		return;
	}
	if (is_expected(verify, &statement->header)) {
		expected_log_reached(verify);
	} else if (!verify->handover.proved) {
		id = verify_add(verify, LOGVERIFY_BEGUN_ANEW, seq, seq,
				N_("a new log for another desk's key goes on here; that the terminal "
				   "itself began it cannot be proved, because the key of the log before "
				   "it is not known here"));
		if (verify->n_unproved < UNPROVED_MAX)
			verify->unproved[verify->n_unproved++] = id;
	}
	if (verify->options.unseal && !verify->has_key)
		verify_add(verify, LOGVERIFY_BEGUN_ANEW, seq, seq,
			   N_("from here on the key is sealed to another desk"));
}

/* The first record of a file, which hangs on the chain. behind: after other records. */
void linked_take_header(struct logverify *verify, const struct record *record,
			const struct statement *statement,
			const uint8_t previous[static CHAIN_HASH_LEN], bool behind)
{
	const struct logverify_header *header = &statement->header;
	bool first = !verify->log_known,
	     same = !first && !memcmp(header->id, verify->id, CHAIN_ID_LEN);
	bool same_terminal =
		!first && !memcmp(header->public_key, verify->public_key, LOGVERIFY_PUBLIC_LEN);

	if (same && !same_terminal)
		rewrite_found(verify, LOGVERIFY_FOREIGN, record->line.seq,
			      N_("it states another key of the terminal"));
	if (same)
		return;
	memcpy(verify->id, header->id, CHAIN_ID_LEN);
	memcpy(verify->public_key, header->public_key, LOGVERIFY_PUBLIC_LEN);
	take_key(verify, statement);
	if (record->kind == RECORD_BEGUN && behind)
		take_new_log(verify, record, statement, previous, same_terminal);
	else if (!first)
		rewrite_found(verify, LOGVERIFY_FOREIGN, record->line.seq,
			      N_("it is of another log"));
	if (first && verify->options.public_key &&
	    memcmp(header->public_key, verify->options.public_key, LOGVERIFY_PUBLIC_LEN))
		rewrite_found(verify, LOGVERIFY_FOREIGN, record->line.seq,
			      N_("the log is signed with another key than the given one"));
	else if (first && verify->options.id && !is_expected(verify, header))
		verify->id_finding =
			verify_add(verify, LOGVERIFY_FOREIGN, record->line.seq, record->line.seq,
				   N_("it is not the log that is expected of this terminal"));
	verify->log_known = true;
	memcpy(verify->result.id, header->id, CHAIN_ID_LEN);
	memcpy(verify->result.terminal, statement->terminal, sizeof(verify->result.terminal));
}

/* Its predecessor is main. */
static void check_checkpoint(struct logverify *verify, const struct record *record,
			     const struct statement *statement,
			     const uint8_t previous[static CHAIN_HASH_LEN])
{
	const uint8_t *public =
		verify->options.public_key ? verify->options.public_key : verify->public_key;
	uint8_t message[CHAIN_CHECKPOINT_LEN];

	if (!verify->log_known && !verify->options.public_key)
		return;
	chain_checkpoint_message(message, statement->header.id, statement->at, statement->head);
	if (verify->log_known && memcmp(statement->header.id, verify->id, CHAIN_ID_LEN)) {
		rewrite_found(verify, LOGVERIFY_FOREIGN, record->line.seq,
			      N_("a checkpoint of another log"));
	} else if (statement->at + 1 != record->line.seq ||
		   memcmp(statement->head, previous, CHAIN_HASH_LEN)) {
		rewrite_found(verify, LOGVERIFY_BAD_SIGNATURE, record->line.seq,
			      N_("the checkpoint was made for other records than those before it"));
	} else if (crypto_sign_verify_detached(statement->signature, message, sizeof(message),
					       public)) {
		rewrite_found(verify, LOGVERIFY_BAD_SIGNATURE, record->line.seq,
			      N_("the checkpoint was not signed with the terminal's key"));
	} else {
		vouched_for(verify);
		verify->result.checkpoints++;
		verify->result.after_checkpoint = 0;
	}
}

void linked_take_time(struct logverify *verify, const struct record *record, bool next)
{
	bool clock = record->kind == RECORD_CLOCK;

	if (verify->clock_finding && clock && next)
		findings_take_back(&verify->findings, verify->clock_finding);
	verify->clock_finding = 0;
	if (next && record->time && *verify->time && !clock && !verify->clock &&
	    memcmp(record->time, verify->time, RECORD_TIME_LEN) < 0)
		verify->clock_finding =
			verify_add(verify, LOGVERIFY_CLOCK_REVERSED, record->line.seq,
				   record->line.seq, N_("earlier than the record before it"));
	if (record->time)
		memcpy(verify->time, record->time, RECORD_TIME_LEN);
	else
		*verify->time = '\0';
	verify->clock = clock;
}

static void take_handover(struct logverify *verify, const struct record *record,
			  const struct statement *statement)
{
	verify->handover.held = true;
	verify->handover.proved = verify->mac_right;
	verify->handover.keyless = !verify->has_key;
	memcpy(verify->handover.hash, record->line.hash, CHAIN_HASH_LEN);
	memcpy(verify->handover.id, statement->header.id, CHAIN_ID_LEN);
	memcpy(verify->handover.sealed_hash, statement->sealed_hash, CHAIN_HASH_LEN);
}

/* More than a log will ever span: no sum overflows. */
#define SPAN_MAX (INT64_C(1) << 40)
#define DAY_S 86400
/* Times are told in whole seconds. */
#define ROUNDED_S 2

static void take_clock(struct logverify *verify, const struct record *record, const struct statement *statement)
{
	int64_t now = record_time(record), back = statement->earlier - now;

	if (!now)
		return;
	if (statement->earlier && back > 0) {
		verify->ahead = back < verify->ahead ? verify->ahead - back : 0;
		if (verify->leap > now)
			verify->leap = now;
	}
	if (statement->ahead) {
		verify->leap = now;
		if (statement->ahead < SPAN_MAX && verify->ahead < SPAN_MAX)
			verify->ahead += (int64_t)statement->ahead;
	}
}

/* The terminal says by what clock it has removed a file: was it one to go by? (core/clockwatch.h) */
static void take_expired(struct logverify *verify, const struct record *record, const struct statement *statement)
{
	int64_t now = record_time(record), age = now - statement->newest + ROUNDED_S;

	if (statement->last_seq > verify->result.expired_seq)
		verify->result.expired_seq = statement->last_seq;
	if (!now || !statement->newest || !statement->retention_days || statement->retention_days > SPAN_MAX / DAY_S)
		return;
	if (verify->leap && statement->newest < verify->leap)
		age -= verify->ahead;
	if (age < (int64_t)statement->retention_days * DAY_S ||
	    (verify->leap && now - verify->leap + ROUNDED_S < CLOCKWATCH_HOLD / 1000000))
		verify_add(verify, LOGVERIFY_REMOVED, statement->first_seq ? statement->first_seq : statement->last_seq,
			   statement->last_seq,
			   N_("a file was removed before its time, or by a clock that had been set ahead"));
}

static void take_special(struct logverify *verify, const struct record *record,
			 const uint8_t previous[static CHAIN_HASH_LEN])
{
	struct statement statement;

	if (!record_read(record, &statement)) {
		rewrite_found(verify, LOGVERIFY_ALTERED, record->line.seq,
			      N_("a record of the log's own lacks what it must state"));
		return;
	}
	if (record->kind == RECORD_CHECKPOINT)
		check_checkpoint(verify, record, &statement, previous);
	else if (record_is_header(record))
		linked_take_header(verify, record, &statement, previous, verify->begun);
	else if (record->kind == RECORD_HANDOVER)
		take_handover(verify, record, &statement);
	else if (record->kind == RECORD_RECOVERED && statement.torn_bytes && !verify->torn.lines)
		verify_add(verify, LOGVERIFY_NOT_A_RECORD, record->line.seq, record->line.seq,
			   N_("the cut line that this record tells of is not before it"));
	else if (record->kind == RECORD_EXPIRED)
		take_expired(verify, record, &statement);
	else if (record->kind == RECORD_CLOCK)
		take_clock(verify, record, &statement);
}

/* The record has a key, and its MAC is right or not. */
void linked_take_mac(struct logverify *verify, uint64_t seq, enum chain_link link)
{
	verify->mac_wrong = link == CHAIN_LINK_FORGED;
	verify->mac_right = !verify->mac_wrong;
	if (verify->mac_wrong) {
		rewrite_found(verify, LOGVERIFY_FORGED, seq,
			      N_("it was not sealed with this record's key"));
	} else {
		verify->result.macs++;
		verify->rewritten = 0;
	}
}

/* The record links to `previous`, and its MAC was looked at (linked_take_mac()), if it has a key.
 * next: nothing lies between. */
void linked_take_checked(struct logverify *verify, const struct record *record,
			 const uint8_t previous[static CHAIN_HASH_LEN], bool next)
{
	uint64_t seq = record->line.seq;

	linked_take_time(verify, record, next);
	verify->result.after_checkpoint++;
	if (!verify->has_key) {
		if (!verify->result.keyless++)
			verify->result.keyless_from = seq;
		verify->result.keyless_to = seq;
	}
	if (record->kind != RECORD_PLAIN && !record_is_header(record))
		take_special(verify, record, previous);
	if (verify->anchors->n)
		check_anchor(verify, record);
	verify->seq = seq;
	memcpy(verify->hash, record->line.hash, CHAIN_HASH_LEN);
	verify->begun = true;
	verify->mac_right = false;
}

/* The record links to `previous`; its MAC was not looked at. */
void linked_take(struct logverify *verify, const struct record *record,
		 const uint8_t previous[static CHAIN_HASH_LEN], bool next)
{
	const uint8_t *key;

	/* A header brings the key with which it is itself sealed. */
	if (record_is_header(record))
		take_special(verify, record, previous);
	key = linked_key(verify, record->line.seq);
	if (key)
		linked_take_mac(verify, record->line.seq,
				chain_line_check(&record->line, previous, key, NULL));
	else if (verify->has_key && record->line.seq > verify->key_seq)
		rewrite_found(verify, LOGVERIFY_FORGED, record->line.seq,
			      N_("its number is too far from the record whose key is sealed"));
	linked_take_checked(verify, record, previous, next);
}
