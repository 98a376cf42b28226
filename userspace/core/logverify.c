// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/logverify-inside.h"

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
		[LOGVERIFY_MISNAMED] = "misnamed",
		[LOGVERIFY_NO_HEADER] = "no-header",
	};

	return kind < N_LOGVERIFY_KINDS ? names[kind] : "unknown";
}

/* --- making one ----------------------------------------------------------------------------- */

/* libsodium's hash state wants more alignment than malloc() gives. */
static struct logverify *verify_alloc(void)
{
	return aligned_alloc(_Alignof(struct logverify), sizeof(struct logverify));
}

struct logverify *logverify_new(const struct logverify_options *options)
{
	struct logverify *verify = verify_alloc();

	if (!verify)
		return NULL;
	memset(verify, 0, sizeof(*verify));
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
	struct logverify *copy = verify_alloc();

	if (!copy)
		return NULL;
	*copy = *verify;
	copy->anchors->users++;
	return findings_copy(&copy->findings, &verify->findings) ? copy : logverify_free(copy);
}

/* --- lines ---------------------------------------------------------------------------------- */

static void take_torn(struct logverify *verify, const char *text, size_t len, bool cut)
{
	if (!verify->torn.lines++) {
		crypto_generichash_init(&verify->torn.hash, NULL, 0, CHAIN_HASH_LEN);
		verify->torn.bytes = 0;
		verify->torn.finding = verify_add(verify, LOGVERIFY_NOT_A_RECORD, verify->seq + 1,
						  verify->seq + 1, N_("a line that is no record"));
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
		    statement.torn_bytes == verify->torn.bytes &&
		    !memcmp(hash, statement.torn_hash, sizeof(hash)))
			findings_take_back(&verify->findings, id);
	} else if (!verify->side.held && seq > expected && !verify->torn.cut &&
		   (seq - expected <= verify->torn.lines ||
		    (!verify->begun && !record_is_header(record)))) {
		/* They were records, and this one hangs on what they were. */
		if (!verify->begun && seq - expected > verify->torn.lines)
			expected = seq - 1;
		verify_change(verify, id, LOGVERIFY_ALTERED, expected, seq - 1,
			      N_("its line has no longer the form of a record"));
		verify_go_on(verify, seq - 1, computed);
		side_hold(verify, record, computed, id, true);
		verify->begun = true;
	}
}

void logverify_line(struct logverify *verify, const char *file, uint64_t number, const char *text,
		    size_t len, bool cut)
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
	if (next && !record_is_header(&record))
		key = linked_key(verify, record.line.seq);
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
			displaced_drop_side(verify, &record);
		if (verify->n_early)
			displaced_check_early(verify, &record);
		if (key)
			linked_take_mac(verify, record.line.seq, link);
		if (record_is_header(&record))
			linked_take(verify, &record, verify->hash, true);
		else
			linked_take_checked(verify, &record, verify->hash, true);
	} else {
		displaced_take(verify, &record, computed);
	}
	verify->torn.lines = 0;
	if (cut)
		verify_add(verify, LOGVERIFY_TRUNCATED, record.line.seq, record.line.seq,
			   N_("its line has no end"));
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
			verify_extend(verify, verify->side.finding, last);
	}
	for (size_t i = 0; i < verify->n_early; i++)
		if (verify->early[i].seq == last + 1) {
			verify_change_kind(verify, verify->early[i].finding, LOGVERIFY_REORDERED,
					   N_("it stands before its place"));
			last++;
			break;
		}
	if (verify->torn.lines && (verify->torn.cut || expected > last + 1)) {
		verify_change(verify, verify->torn.finding, LOGVERIFY_TRUNCATED, last + 1,
			      expected > last + 1 ? expected : last + 1,
			      N_("the log ends within a line"));
	} else if (verify->torn.lines && expected == last + 1) {
		verify_change(verify, verify->torn.finding, LOGVERIFY_ALTERED, expected, expected,
			      N_("its line has no longer the form of a record"));
	} else if (expected > last) {
		verify_add(verify, LOGVERIFY_TRUNCATED, last + 1, expected,
			   verify->options.expected_seq < expected
				   ? N_("a later record was seen elsewhere")
				   : N_("the terminal has written more records than this"));
	}
	if (verify->options.whole && verify->begun && verify->result.first_seq > 1 &&
	    verify->result.first_seq - 1 > verify->result.expired_seq)
		verify_add(verify, LOGVERIFY_REMOVED, verify->result.expired_seq + 1,
			   verify->result.first_seq - 1,
			   N_("older files are missing, and no record says that they expired"));
	findings_tell(&verify->findings);
	verify->result.last_seq = last;
	verify->result.findings = verify->findings.told;
	memcpy(verify->result.last_hash, verify->hash, CHAIN_HASH_LEN);
}

const struct logverify_result *logverify_result(const struct logverify *verify)
{
	return &verify->result;
}
