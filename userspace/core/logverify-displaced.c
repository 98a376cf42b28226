// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How faults are told apart. In an untouched stretch each record hangs on the one before it: it "links".
 * A fault breaks that, and what follows tells which fault it was. So a record that does not link is held
 * beside the chain ("side") until the next one has come:
 *
 *	main ─── side   the next links to side: it stands for what it replaced (altered), or records before
 *	    \           it are missing (removed)
 *	     next       the next links to main: side does not belong here (duplicated, reordered, foreign)
 *	                the next links to neither: its own fault, or nothing can be proved about it
 *
 * Missing records are remembered as gaps and records that came too early as `early`: when one turns up
 * where the other is missed, both are one fault, reordered.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/logverify-inside.h"

#define NAME_SEQ_LEN 12

/* --- what is missed, and what came too early ------------------------------------------------ */

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
		memmove(verify->early, verify->early + 1,
			--verify->n_early * sizeof(*verify->early));
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

/* --- records that do not link --------------------------------------------------------------- */

/* Of another terminal, or of another log? Only asked of a record that does not link. */
static bool is_foreign(struct logverify *verify, struct record *record)
{
	struct statement statement;
	char terminal[LOGVERIFY_TERMINAL_MAX];

	if (!verify->log_known)
		return false;
	if (record_is_header(record) || record->kind == RECORD_CHECKPOINT)
		return record_read(record, &statement) &&
		       memcmp(statement.header.id, verify->id, CHAIN_ID_LEN);
	record_find_terminal(record);
	if (!record->terminal || record->terminal_len >= sizeof(terminal))
		return false;
	memcpy(terminal, record->terminal, record->terminal_len);
	terminal[record->terminal_len] = '\0';
	return strcmp(terminal, verify->result.terminal) != 0;
}

/* Without the newline between them two records are one line, and the second one's seal stands at
 * its end. */
static uint64_t last_seq_within(const struct record *record)
{
	static const char begin[] = "{\"seq\":";
	const char *end = record->line.body + record->len, *second;
	struct chain_line line;

	second = memmem(record->line.body + 1, record->len - 1, begin, sizeof(begin) - 1);
	return second && chain_line_parse(&line, second, (size_t)(end - second)) &&
			       line.seq > record->line.seq
		       ? line.seq
		       : record->line.seq;
}

void side_hold(struct logverify *verify, struct record *record,
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
void verify_go_on(struct logverify *verify, uint64_t seq, const uint8_t hash[static CHAIN_HASH_LEN])
{
	verify->seq = seq;
	memcpy(verify->hash, hash, CHAIN_HASH_LEN);
	*verify->time = '\0';
	verify->clock_finding = 0;
}

/* The record links to main, and so side stands between two that belong together. */
void displaced_drop_side(struct logverify *verify, const struct record *next)
{
	uint64_t seq = verify->side.seq;

	verify->side.held = false;
	if (verify->side.foreign) {
		verify_change_kind(verify, verify->side.finding, LOGVERIFY_FOREIGN,
				   N_("a record of another log stands here"));
	} else if (seq == next->line.seq) {
		bool same = !memcmp(verify->side.stated, next->line.hash, CHAIN_HASH_LEN);

		verify_change_kind(verify, verify->side.finding,
				   same ? LOGVERIFY_DUPLICATED : LOGVERIFY_FOREIGN,
				   same ? N_("an altered copy stands before it")
					: N_("a record that is not of this log stands here"));
	} else if (seq > next->line.seq) {
		verify_change(verify, verify->side.finding, LOGVERIFY_REORDERED, seq, seq,
			      N_("it stands before its place"));
		remember_early(verify);
	}
}

/* The number that was early has come to its place: what stood there was a copy. */
void displaced_check_early(struct logverify *verify, const struct record *record)
{
	for (size_t i = 0; i < verify->n_early; i++) {
		struct early *early = &verify->early[i];

		if (early->seq != record->line.seq)
			continue;
		verify_change_kind(verify, early->finding,
				   memcmp(early->hash, record->line.hash, CHAIN_HASH_LEN)
					   ? LOGVERIFY_FOREIGN
					   : LOGVERIFY_DUPLICATED,
				   N_("it stands before its place, and there too"));
		forget_early(verify, i);
		return;
	}
}

/* Is it the first that is missed somewhere? */
static bool fill_gap(struct logverify *verify, const struct record *record)
{
	for (size_t i = 0; i < verify->n_gaps; i++) {
		struct gap *gap = &verify->gaps[i];

		if (record->line.seq != gap->from || !record_links(record, gap->before))
			continue;
		verify_change_kind(verify, gap->finding, LOGVERIFY_REORDERED,
				   N_("it stands behind its place"));
		memcpy(gap->before, record->line.hash, CHAIN_HASH_LEN);
		if (record->kind == RECORD_BEGUN && !verify->log_known) {
			struct statement statement;

			if (record_read(record, &statement))
				linked_take_header(verify, record, &statement, gap->before,
						   false);
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

		if (early.seq != wanted || early.seq + 1 != record->line.seq ||
		    !record_links(record, early.hash))
			continue;
		verify_change_kind(verify, early.finding, LOGVERIFY_REORDERED,
				   N_("it stands before its place"));
		forget_early(verify, i);
		verify->side.held = false;
		linked_take(verify, record, early.hash, false);
		return true;
	}
	return false;
}

/* Only its number was altered? Then it links once it has the right one. */
static bool was_renumbered(const struct logverify *verify, const struct record *record,
			   uint64_t seq)
{
	char front[32];
	size_t digits = strlen("{\"seq\":"),
	       len = (size_t)snprintf(front, sizeof(front), "{\"seq\":%llu",
				      (unsigned long long)seq);
	crypto_generichash_state state;
	uint8_t hash[CHAIN_HASH_LEN];
	const uint8_t *body = (const uint8_t *)record->line.body;

	while (digits < record->line.body_len && body[digits] >= '0' && body[digits] <= '9')
		digits++;
	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	crypto_generichash_update(&state, verify->hash, CHAIN_HASH_LEN);
	crypto_generichash_update(&state, (const uint8_t *)front, len);
	crypto_generichash_update(&state, body + digits,
				  record->line.body_len + CHAIN_MAC_MEMBER_LEN - digits);
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
 * Records that state themselves what comes before them: the first of a file, and log-damaged. True
 * if that settles where it belongs.
 */
static bool take_self_proved(struct logverify *verify, const struct record *record)
{
	uint64_t seq = record->line.seq, expected = verify->seq + 1, finding;
	struct statement statement;
	const char *detail;
	bool early = verify->side.held && verify->side.seq > seq;

	if ((!record_is_header(record) && record->kind != RECORD_DAMAGED) ||
	    !record_read(record, &statement) || !record_links(record, statement.previous))
		return false;
	if (!verify->begun && !verify->side.held) {
		/* The log begins with this file; its header may say that the one before was lost.
		 */
		if (statement.missing && statement.header.first_seq < seq)
			verify_add(verify, LOGVERIFY_REMOVED, statement.header.first_seq, seq - 1,
				   N_("the terminal says that its log file was gone when it wrote "
				      "this record"));
		linked_take(verify, record, statement.previous, false);
		return true;
	}
	if (verify->side.held && !early &&
	    (record_links(record, verify->side.stated) ||
	     record_links(record, verify->side.computed)))
		return false;
	if (record->kind == RECORD_BEGUN && seq == 1) {
		/* Another log from its first record stands behind ours: linked_take_header() says
		 * so. No hand-over can be before it. */
		if (!verify->log_known || !memcmp(statement.header.id, verify->id, CHAIN_ID_LEN))
			return false;
	} else if (record->kind != RECORD_DAMAGED && verify->log_known &&
		   memcmp(statement.header.id, verify->id, CHAIN_ID_LEN)) {
		return false;
	} else if (record->kind == RECORD_DAMAGED && seq < expected) {
		verify_add(verify, LOGVERIFY_FORGED, seq, verify->seq,
			   N_("the terminal says that it did not write these records"));
	} else if (seq < expected) {
		return false;
	} else {
		/* Beside the chain stands one more record, or several, which have their finding. */
		if (verify->side.held && verify->side.seq >= expected && verify->side.seq < seq)
			expected = verify->side.seq + 1;
		if (verify->torn.lines && verify->torn.cut) {
			verify_change(verify, verify->torn.finding, LOGVERIFY_TRUNCATED, expected,
				      seq > expected ? seq - 1 : expected,
				      N_("the file ends within a line"));
		} else if (seq > expected) {
			if (record->kind == RECORD_DAMAGED)
				detail = N_("the terminal says that they were gone when it wrote "
					    "this record");
			else if (statement.missing)
				detail = N_("the terminal says that its log file was gone when it "
					    "wrote this record");
			else
				detail = N_("the file begins later than the one before it ends");
			finding = early ? verify->side.finding
					: verify_add(verify, LOGVERIFY_REMOVED, 0, 0, "");
			verify_change(verify, finding, LOGVERIFY_REMOVED, expected, seq - 1,
				      detail);
			if (early)
				remember_early(verify);
			remember_gap(verify, expected, seq - 1, finding);
		} else if (!verify->side.held && !verify->torn.lines) {
			verify_add(verify, LOGVERIFY_ALTERED, verify->seq, verify->seq,
				   N_("the terminal's next record was sealed after another one"));
		}
	}
	verify->side.held = false;
	verify->torn.lines = 0;
	linked_take(verify, record, statement.previous, false);
	return true;
}

/* The record links to side: what is side? */
static void settle_side(struct logverify *verify, struct record *record,
			const uint8_t previous[static CHAIN_HASH_LEN])
{
	uint64_t expected = verify->seq + 1, was = record->line.seq - 1, id = verify->side.finding;

	if (verify->side.foreign && is_foreign(verify, record)) {
		verify_change_kind(verify, id, LOGVERIFY_FOREIGN,
				   N_("records of another log stand here"));
		verify_extend(verify, id, record->line.seq);
		side_hold(verify, record, record->line.hash, id, false);
		return;
	}
	if (was < expected && verify->begun) {
		/* A stretch that was there already; or one that is missed, and stands elsewhere. */
		verify_extend(verify, id, record->line.seq);
		side_hold(verify, record, record->line.hash, id, false);
		return;
	}
	if (verify->side.unproved || (verify->rewritten && id == verify->rewritten)) {
		/* The finding is of what was before it. */
	} else if (was == expected || (!verify->begun && verify->side.first)) {
		verify_change(verify, id, LOGVERIFY_ALTERED,
			      verify->side.reaches == was ? verify->side.seq : was, was,
			      N_("its bytes are not those that were sealed"));
	} else if (verify->side.seq == was) {
		verify_change(verify, id, LOGVERIFY_REMOVED, expected, was - 1,
			      verify->begun
				      ? ""
				      : N_("the log does not begin with a file's first record"));
		remember_gap(verify, expected, was - 1, id);
	} else {
		verify_change(verify, id, LOGVERIFY_ALTERED, expected, was,
			      N_("its bytes are not those that were sealed"));
	}
	verify->side.held = false;
	verify->broken = id;
	verify->broken_seq = record->line.seq;
	linked_take(verify, record, previous, false);
}

/* The record links neither to main nor to side. */
static void take_unlinked(struct logverify *verify, struct record *record,
			  const uint8_t computed[static CHAIN_HASH_LEN])
{
	uint64_t seq = record->line.seq, expected = verify->seq + 1, side = verify->side.seq,
		 id = verify->side.finding;

	if (verify->side.foreign && !is_foreign(verify, record) && seq > expected) {
		/* Ours again, behind those that replaced some of ours. */
		verify_change_kind(verify, id, LOGVERIFY_FOREIGN,
				   N_("records of another log stand here"));
		verify_extend(verify, id, seq - 1);
		verify_go_on(verify, seq - 1, verify->side.stated);
		side_hold(verify, record, computed, id, true);
	} else if (side == expected && seq == side + 1) {
		if (verify->side.unproved)
			verify_extend(verify, id, side);
		verify_go_on(verify, side, verify->side.stated);
		side_hold(verify, record, computed, id, true);
	} else if (side != expected && seq > expected && (seq < side || seq == expected + 1)) {
		/* What stands in the missing record's place may be one that is missed elsewhere. */
		verify_change(verify, id,
			      seq == expected + 1 ? LOGVERIFY_ALTERED : LOGVERIFY_REMOVED, expected,
			      seq - 1, N_("another record stands in its place"));
		if (side > seq)
			remember_early(verify);
		remember_gap(verify, expected, seq - 1, id);
		verify_go_on(verify, seq - 1, verify->side.stated);
		side_hold(verify, record, computed, id, true);
	} else {
		verify->side.held = false;
		if (side == expected)
			verify_go_on(verify, side, verify->side.stated);
		displaced_take(verify, record, computed);
	}
}

void displaced_take(struct logverify *verify, struct record *record,
		    const uint8_t computed[static CHAIN_HASH_LEN])
{
	uint64_t seq = record->line.seq, expected = verify->seq + 1;
	struct statement statement;
	enum logverify_kind kind = LOGVERIFY_ALTERED;
	uint64_t from = seq, to = seq, id;
	const char *detail = N_("its bytes are not those that were sealed");

	if (fill_gap(verify, record) || follow_early(verify, record) ||
	    take_self_proved(verify, record))
		return;
	if (verify->side.held) {
		uint8_t hash[CHAIN_HASH_LEN];

		memcpy(hash, verify->side.stated, sizeof(hash));
		if (!record_links(record, hash)) {
			memcpy(hash, verify->side.computed, sizeof(hash));
			if (!record_links(record, hash)) {
				take_unlinked(verify, record, computed);
				return;
			}
		}
		settle_side(verify, record, hash);
		return;
	}
	if (seq != expected && was_renumbered(verify, record, expected)) {
		id = verify_add(verify, LOGVERIFY_ALTERED, expected, expected,
				N_("its number was altered"));
		linked_take_time(verify, record, false);
		verify_go_on(verify, expected, record->line.hash);
		verify->begun = true;
		return;
	}
	if (seq < expected) {
		uint64_t missed = gap_finding(verify, seq);

		if (missed) {
			verify_change_kind(verify, missed, LOGVERIFY_REORDERED,
					   N_("it stands behind its place"));
			side_hold(verify, record, computed, missed, false);
			return;
		}
		kind = LOGVERIFY_DUPLICATED;
		detail = N_("its number was there already");
		if (seq == verify->seq &&
		    !memcmp(record->line.hash, verify->hash, CHAIN_HASH_LEN)) {
			verify_add(verify, kind, seq, seq, detail);
			return;
		}
	} else if (seq > expected) {
		kind = LOGVERIFY_REMOVED;
		from = verify->begun ? expected : first_of_name(verify);
		if (from > seq - 1)
			from = seq - 1;
		to = seq - 1;
		detail = verify->begun ? ""
				       : N_("the log does not begin with a file's first record");
		if (!verify->begun && from > 1)
			verify_go_on(verify, from - 1, verify->hash);
	}
	id = verify->rewritten ? verify->rewritten : verify_add(verify, kind, from, to, detail);
	side_hold(verify, record, computed, id, false);
	/* Nothing is before it but what it states itself. */
	if (!verify->begun && record_is_header(record) && record_read(record, &statement))
		chain_line_check(&record->line, statement.previous, NULL, verify->side.computed);
}
