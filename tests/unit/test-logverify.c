// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/logverify: each fault of a log is found, named, and found once. All bytes and all records
 * are tried with SEKIMORI_FULL=1
 * (`make test`), every so many without.
 */
#include <stdlib.h>

#include "core/macro.h"
#include "log-text.h"

#define RECORDS 1000
/* After so many lines a single fault is settled. */
#define WINDOW 4

static struct log_text log_of_ours;
static const struct log_text *const ours = &log_of_ours;
static struct found found;

static bool full(void)
{
	return getenv("SEKIMORI_FULL") != NULL;
}

static struct logverify *verifier_of(uint64_t expected, bool keys, bool whole)
{
	static struct logverify_options options;
	struct logverify *verify;

	options = (struct logverify_options){
		.public_key = keys ? ours->public_key : NULL,
		.first_key = keys ? ours->first_key : NULL,
		.id = keys ? ours->id : NULL,
		.expected_seq = expected,
		.whole = whole,
		.finding = found_take,
		.userdata = &found,
	};
	verify = logverify_new(&options);
	CU_ASSERT_PTR_NOT_NULL_FATAL(verify);
	found.n = 0;
	return verify;
}

static struct logverify *verifier(uint64_t expected, bool keys)
{
	return verifier_of(expected, keys, false);
}

static void feed(struct logverify *verify, size_t number, const char *line)
{
	logverify_line(verify, "events.jsonl", number, line, strlen(line), false);
}

/* Lines of a file, the last perhaps without its newline. */
static void feed_text(struct logverify *verify, const char *text, size_t len)
{
	for (const char *end = text + len; text < end;) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)((newline ? newline : end) - text);

		logverify_line(verify, "events.jsonl", 1, text, line, !newline);
		text += line + 1;
	}
}

static void finish(struct logverify *verify)
{
	logverify_end(verify);
	logverify_free(verify);
}

static bool found_is(enum logverify_kind kind, uint64_t from, uint64_t to)
{
	return found.n == 1 && found.list[0].kind == kind && found.list[0].from == from &&
	       found.list[0].to == to;
}

static void show(const char *what, size_t a, size_t b)
{
	printf("\n%s %zu %zu: %zu findings", what, a, b, found.n);
	for (size_t i = 0; i < found.n && i < 4; i++)
		printf("; %s %" PRIu64 "..%" PRIu64 " %s", logverify_kind_name(found.list[i].kind),
		       found.list[i].from, found.list[i].to, i ? "" : found.detail);
	printf("\n");
}

/* One finding of this kind and range, or the case is shown and fails. */
#define EXPECT_FOUND(kind, from, to, what, a, b)                                                   \
	do {                                                                                       \
		bool as_expected = found_is(kind, from, to);                                       \
		if (!as_expected)                                                                  \
			show(what, a, b);                                                          \
		EXPECT(as_expected, what);                                                         \
	} while (0)

/* Runs over the log with the lines in another order; order[i] is an index into ours->lines. */
static void run_order(const size_t *order, size_t n, bool keys)
{
	struct logverify *verify = verifier(RECORDS, keys);

	for (size_t i = 0; i < n; i++)
		feed(verify, i + 1, ours->lines[order[i]]);
	finish(verify);
}

/* --- what is right -------------------------------------------------------------------------- */

static void a_whole_log_has_no_finding(void)
{
	struct logverify *verify = verifier(RECORDS, true);
	const struct logverify_result *result = logverify_result(verify);

	for (size_t i = 0; i < ours->n; i++)
		feed(verify, i + 1, ours->lines[i]);
	logverify_end(verify);
	CU_ASSERT_EQUAL(found.n, 0);
	CU_ASSERT_EQUAL(result->findings, 0);
	CU_ASSERT_EQUAL(result->records, RECORDS);
	CU_ASSERT_EQUAL(result->first_seq, 1);
	CU_ASSERT_EQUAL(result->last_seq, RECORDS);
	CU_ASSERT_EQUAL(result->macs, RECORDS);
	CU_ASSERT_EQUAL(result->checkpoints, 10);
	CU_ASSERT_EQUAL(result->after_checkpoint, 0);
	CU_ASSERT(!memcmp(result->last_hash, ours->chain.hash, CHAIN_HASH_LEN));
	CU_ASSERT_STRING_EQUAL(result->terminal, "terminal-1");
	logverify_free(verify);
}

/* One file alone: its first record says what came before, and its keys are run forward. */
static void a_later_file_can_be_checked_alone(void)
{
	struct logverify *verify = verifier(RECORDS, true);
	const struct logverify_result *result = logverify_result(verify);

	for (size_t i = RECORDS / 2; i < ours->n; i++)
		feed(verify, i, ours->lines[i]);
	logverify_end(verify);
	CU_ASSERT_EQUAL(found.n, 0);
	CU_ASSERT_EQUAL(result->first_seq, RECORDS / 2 + 1);
	CU_ASSERT_EQUAL(result->macs, RECORDS / 2);
	logverify_free(verify);
}

/* --- every byte, every record --------------------------------------------------------------- */

/*
 * The byte at `at` of the lines from `first` on (joined by newlines) is changed by `pattern`;
 * `clean` is the verifier before the first of them.
 */
static void try_flip(const struct logverify *clean, size_t first, const char *text, size_t len,
		     size_t at, uint8_t pattern)
{
	static char changed[(WINDOW + 2) * 4096];
	struct logverify *verify = logverify_copy(clean);
	bool newline = text[at] == '\n', last = first + 1 == ours->n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(verify);
	found.n = 0;
	memcpy(changed, text, len);
	changed[at] = (char)(changed[at] ^ pattern);
	feed_text(verify, changed, len);
	finish(verify);
	if (newline && last)
		EXPECT_FOUND(LOGVERIFY_TRUNCATED, first + 1, first + 1, "flip of the last newline",
			     first + 1, at);
	else
		EXPECT_FOUND(LOGVERIFY_ALTERED, first + 1, first + 1 + newline, "flip", first + 1,
			     at);
}

/* A log whose older files expired begins at a later number. */
static void every_changed_byte_of_a_later_first_record_is_found(void)
{
	struct logverify *clean = verifier(0, true);
	static char text[(WINDOW + 2) * 4096];
	size_t first = RECORDS / 2, len = 0;

	for (size_t j = first; j < first + WINDOW; j++)
		len += (size_t)sprintf(text + len, "%s\n", ours->lines[j]);
	for (size_t at = 0; at <= strlen(ours->lines[first]); at++)
		try_flip(clean, first, text, len, at, 0x04);
	logverify_free(clean);
}

static void flip_all(bool keys, const uint8_t *patterns, size_t n_patterns, size_t step)
{
	struct logverify *clean = verifier(0, keys), *end = verifier(RECORDS, keys);
	static char text[(WINDOW + 2) * 4096];
	size_t turn = 0;

	for (size_t i = 0; i < ours->n; i++) {
		bool near_end = i + WINDOW >= ours->n;
		size_t len = 0, line = strlen(ours->lines[i]) + 1;

		for (size_t j = i; j < ours->n && j < i + WINDOW; j++)
			len += (size_t)sprintf(text + len, "%s\n", ours->lines[j]);
		for (size_t at = 0; at < line; at++)
			for (size_t p = 0; p < n_patterns; p++)
				if (turn++ % step == 0 || (near_end && full()))
					try_flip(near_end ? end : clean, i, text, len, at,
						 patterns[p]);
		feed(clean, i + 1, ours->lines[i]);
		feed(end, i + 1, ours->lines[i]);
	}
	logverify_free(clean);
	logverify_free(end);
}

static void every_changed_byte_is_found_without_a_key(void)
{
	flip_all(false, (const uint8_t[]){0x01, 0x20}, 2, full() ? 1 : 97);
}

static void every_changed_byte_is_found_with_the_key(void)
{
	flip_all(true, (const uint8_t[]){0x02, 0x80}, 2, full() ? 5 : 197);
}

static void every_missing_record_is_found(void)
{
	size_t order[RECORDS];

	for (size_t gone = 0; gone < ours->n; gone += full() ? 1 : 37) {
		for (size_t i = 0; i < ours->n; i++)
			order[i] = i;
		memmove(order + gone, order + gone + 1, (ours->n - gone - 1) * sizeof(*order));
		run_order(order, ours->n - 1, gone % 2);
		if (gone + 1 == ours->n)
			EXPECT_FOUND(LOGVERIFY_TRUNCATED, gone + 1, gone + 1, "removed", gone + 1,
				     0);
		else
			EXPECT_FOUND(LOGVERIFY_REMOVED, gone + 1, gone + 1, "removed", gone + 1, 0);
	}
	/* Several at once. */
	for (size_t i = 0; i < 400; i++)
		order[i] = i;
	for (size_t i = 400; i < RECORDS - 100; i++)
		order[i] = i + 100;
	run_order(order, RECORDS - 100, true);
	EXPECT_FOUND(LOGVERIFY_REMOVED, 401, 500, "removed", 401, 500);
}

static void every_duplicated_record_is_found(void)
{
	static const size_t distances[] = {0, 1, 2, 50, 333};
	size_t order[RECORDS + 1];

	for (size_t d = 0; d < ARRAY_SIZE(distances); d++) {
		for (size_t twice = 0; twice + distances[d] < ours->n;
		     twice += full() && d < 3 ? 1 : 61) {
			size_t at = twice + distances[d] + 1;

			for (size_t i = 0; i <= ours->n; i++)
				order[i] = i < at ? i : i - 1;
			order[at] = twice;
			run_order(order, ours->n + 1, twice % 2);
			EXPECT_FOUND(LOGVERIFY_DUPLICATED, twice + 1, twice + 1, "duplicated",
				     twice + 1, distances[d]);
		}
	}
	/* A later record's copy stands before. */
	for (size_t i = 0; i <= ours->n; i++)
		order[i] = i < 200 ? i : i - 1;
	order[200] = 700;
	run_order(order, ours->n + 1, true);
	EXPECT_FOUND(LOGVERIFY_DUPLICATED, 701, 701, "copied forward", 701, 200);
}

static void swapped_records_are_one_fault(void)
{
	static const size_t distances[] = {1, 2, 3, 40, 333, 998, 999};
	size_t order[RECORDS];

	for (size_t d = 0; d < ARRAY_SIZE(distances); d++) {
		for (size_t a = 0; a + distances[d] < ours->n; a += full() && d < 2 ? 1 : 43) {
			size_t b = a + distances[d];

			for (size_t i = 0; i < ours->n; i++)
				order[i] = i == a ? b : i == b ? a : i;
			run_order(order, ours->n, a % 2);
			if (found.n != 1 || found.list[0].kind != LOGVERIFY_REORDERED)
				show("swapped", a + 1, b + 1);
			EXPECT(found.n == 1 && found.list[0].kind == LOGVERIFY_REORDERED,
			       "swapped");
			EXPECT(found.list[0].line == a + 1, "the first of them is named");
		}
	}
}

static void a_moved_record_is_one_fault(void)
{
	static const size_t places[][2] = {{10, 20},   {20, 10},   {1, 900}, {900, 1},
					   {498, 503}, {503, 498}, {99, 400}};
	size_t order[RECORDS];

	for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
		size_t from = places[p][0], to = places[p][1];

		for (size_t i = 0; i < ours->n; i++)
			order[i] = i;
		memmove(order + from, order + from + 1, (ours->n - from - 1) * sizeof(*order));
		memmove(order + to + 1, order + to, (ours->n - to - 1) * sizeof(*order));
		order[to] = from;
		run_order(order, ours->n, p % 2);
		if (found.n != 1 || found.list[0].kind != LOGVERIFY_REORDERED)
			show("moved", from + 1, to + 1);
		EXPECT(found.n == 1 && found.list[0].kind == LOGVERIFY_REORDERED, "moved");
	}
}

static void a_truncated_log_is_found_at_every_record_and_byte(void)
{
	struct logverify *clean = verifier(RECORDS, true);

	for (size_t i = 0; i < ours->n; i++) {
		size_t len = strlen(ours->lines[i]), step = i == 777 || i + 1 == ours->n ? 1
							    : full()                     ? 53
											 : 211;

		for (size_t keep = 0; keep <= len; keep += step) {
			struct logverify *verify = logverify_copy(clean);

			found.n = 0;
			feed_text(verify, ours->lines[i], keep);
			finish(verify);
			/* A line that lacks only its newline is there, but its end is not. */
			if (keep < len) {
				EXPECT_FOUND(LOGVERIFY_TRUNCATED, i + 1, RECORDS, "truncated",
					     i + 1, keep);
			} else {
				EXPECT(found.n >= 1 && found.list[0].kind == LOGVERIFY_TRUNCATED &&
					       found.list[0].from == i + 1,
				       "truncated before the newline");
			}
		}
		feed(clean, i + 1, ours->lines[i]);
	}
	logverify_free(clean);
}

/* --- other faults --------------------------------------------------------------------------- */

static void run_lines(const char *const *lines, size_t n, uint64_t expected, bool keys)
{
	struct logverify *verify = verifier(expected, keys);

	for (size_t i = 0; i < n; i++)
		feed(verify, i + 1, lines[i]);
	finish(verify);
}

static void records_of_another_terminal_are_foreign(void)
{
	static const size_t lengths[] = {1, 2, 30};
	struct log_text other;
	const char *lines[RECORDS + 30];

	log_make(&other, "terminal-2", 7, RECORDS);
	for (size_t l = 0; l < ARRAY_SIZE(lengths); l++) {
		size_t n = lengths[l];

		/* In the place of ours, and between ours. */
		for (size_t i = 0; i < ours->n; i++)
			lines[i] = i >= 310 && i < 310 + n ? other.lines[i] : ours->lines[i];
		run_lines(lines, RECORDS, RECORDS, l % 2);
		EXPECT_FOUND(LOGVERIFY_FOREIGN, 311, 310 + n, "replaced by another's", 311, n);

		for (size_t i = 0; i < RECORDS + n; i++)
			lines[i] = i < 310       ? ours->lines[i]
				   : i < 310 + n ? other.lines[i]
						 : ours->lines[i - n];
		run_lines(lines, RECORDS + n, RECORDS, l % 2);
		EXPECT_FOUND(LOGVERIFY_FOREIGN, 311, 310 + n, "another's between ours", 311, n);
	}
	/* The whole log is another's. */
	for (size_t i = 0; i < RECORDS; i++)
		lines[i] = other.lines[i];
	run_lines(lines, RECORDS, RECORDS, true);
	CU_ASSERT(found.n == 1 && found.list[0].kind == LOGVERIFY_FOREIGN &&
		  found.list[0].from == 1);
	log_free(&other);
}

/* Somebody writes the records from n on anew, and everything hangs together but what he has no key
 * for. */
static struct log_text *forge(size_t n, bool sign)
{
	static struct log_text forged;
	struct chain_line line;

	forged = *ours;
	forged.n = 0;
	if (!sign)
		forged.secret_key[3] ^= 1;
	for (size_t i = 0; i < n; i++)
		forged.lines[forged.n++] = strdup(ours->lines[i]);
	CU_ASSERT_FATAL(chain_line_parse(&line, ours->lines[n - 1], strlen(ours->lines[n - 1])));
	forged.chain.seq = n;
	memcpy(forged.chain.hash, line.hash, CHAIN_HASH_LEN);
	forged.seconds = (int)n;
	while (forged.n < RECORDS) {
		if (forged.n % 100 == 99)
			log_checkpoint(&forged);
		else
			log_seal(&forged, "allowed", ",\"device\":\"1-2\"");
	}
	return &forged;
}

static void a_log_written_anew_is_found_by_key_signature_and_anchor(void)
{
	struct log_text *forged = forge(650, true);
	struct logverify *verify;
	struct chain_line line;

	run_lines((const char *const *)forged->lines, RECORDS, RECORDS, true);
	EXPECT_FOUND(LOGVERIFY_FORGED, 651, RECORDS, "forged", 651, RECORDS);

	/* Who has no key but saw a later record elsewhere. */
	verify = verifier(0, false);
	CU_ASSERT_FATAL(chain_line_parse(&line, ours->lines[899], strlen(ours->lines[899])));
	CU_ASSERT_EQUAL(logverify_add_anchor(verify, 900, line.hash), 0);
	CU_ASSERT_FATAL(chain_line_parse(&line, ours->lines[299], strlen(ours->lines[299])));
	CU_ASSERT_EQUAL(logverify_add_anchor(verify, 300, line.hash), 0);
	for (size_t i = 0; i < RECORDS; i++)
		feed(verify, i + 1, forged->lines[i]);
	finish(verify);
	CU_ASSERT(found.n == 1 && found.list[0].kind == LOGVERIFY_ANCHOR &&
		  found.list[0].from == 900);
	log_free(forged);

	/* The forger has no signing key either. */
	forged = forge(650, false);
	run_lines((const char *const *)forged->lines, RECORDS, RECORDS, false);
	CU_ASSERT(found.n == 1 && found.list[0].kind == LOGVERIFY_BAD_SIGNATURE &&
		  found.list[0].from == 700);
	log_free(forged);
}

/* A key that was kept back does not fit another record's place. */
static void a_log_continued_with_another_records_key_is_forged(void)
{
	struct log_text *forged = forge(650, true), again;

	again = *ours;
	again.n = 0;
	log_free(forged);
	memcpy(again.chain.key, ours->first_key, CHAIN_KEY_LEN);
	for (size_t i = 0; i < 700; i++)
		chain_next_key(again.chain.key);
	for (size_t i = 0; i < 650; i++)
		again.lines[again.n++] = strdup(ours->lines[i]);
	struct chain_line line;

	CU_ASSERT_FATAL(chain_line_parse(&line, ours->lines[649], strlen(ours->lines[649])));
	again.chain.seq = 650;
	memcpy(again.chain.hash, line.hash, CHAIN_HASH_LEN);
	again.seconds = 650;
	for (size_t i = 0; i < 20; i++)
		log_deny(&again);
	run_lines((const char *const *)again.lines, again.n, 0, true);
	EXPECT_FOUND(LOGVERIFY_FORGED, 651, 670, "another record's key", 651, 670);
	log_free(&again);
}

static void an_anchor_beyond_the_end_shows_a_truncated_log(void)
{
	struct logverify *verify = verifier(0, false);

	CU_ASSERT_EQUAL(logverify_add_anchor(verify, RECORDS + 5, ours->chain.hash), 0);
	for (size_t i = 0; i < RECORDS; i++)
		feed(verify, i + 1, ours->lines[i]);
	finish(verify);
	EXPECT_FOUND(LOGVERIFY_TRUNCATED, RECORDS + 1, RECORDS + 5, "anchor beyond the end", 0, 0);
}

/* --- what the daemon says itself ------------------------------------------------------------ */

static struct log_text small;

static void found_take_all(void *userdata, const struct logverify_finding *finding)
{
	(void)userdata;
	found_take(&found, finding);
}

static void small_begin(void)
{
	log_free(&small);
	log_init(&small, "terminal-1", 1);
	log_header(&small, "log-begun", "first", 1);
	for (int i = 0; i < 9; i++)
		log_deny(&small);
}

static void small_run(bool keys)
{
	run_lines((const char *const *)small.lines, small.n, small.chain.seq, keys);
}

static void small_insert(size_t at, const char *line)
{
	memmove(small.lines + at + 1, small.lines + at, (small.n - at) * sizeof(*small.lines));
	small.lines[at] = strdup(line);
	small.n++;
}

static void small_recovered(const char *torn)
{
	char more[256], hex[2 * CHAIN_HASH_LEN + 1];
	uint8_t hash[CHAIN_HASH_LEN];

	crypto_generichash(hash, sizeof(hash), (const uint8_t *)torn, strlen(torn), NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(more, sizeof(more), ",\"torn_bytes\":%zu,\"torn_hash\":\"%s\"", strlen(torn), hex);
	log_seal(&small, "log-recovered", more);
}

static void a_cut_line_is_right_only_before_the_record_that_tells_of_it(void)
{
	static const char torn[] = "{\"seq\":11,\"time\":\"2026-11-2";
	size_t at;

	small_begin();
	at = small.n;
	small_recovered(torn);
	log_deny(&small);
	small_insert(at, torn);
	small_run(true);
	CU_ASSERT_EQUAL(found.n, 0);

	small.lines[at][9] ^= 1;
	small_run(true);
	EXPECT_FOUND(LOGVERIFY_NOT_A_RECORD, 11, 11, "the cut line was altered", 0, 0);
	small.lines[at][9] ^= 1;

	small_insert(4, torn);
	small_run(false);
	EXPECT_FOUND(LOGVERIFY_NOT_A_RECORD, 5, 5, "a cut line elsewhere", 0, 0);

	small_begin();
	small_recovered(torn);
	log_deny(&small);
	small_run(true);
	EXPECT_FOUND(LOGVERIFY_NOT_A_RECORD, 11, 11, "the cut line was taken away", 0, 0);

	small_begin();
	small_insert(3, "");
	small_run(true);
	EXPECT_FOUND(LOGVERIFY_NOT_A_RECORD, 4, 4, "an empty line", 0, 0);
}

static void time_goes_back_only_beside_a_record_that_says_so(void)
{
	small_begin();
	small.seconds = 2;
	log_deny(&small);
	log_deny(&small);
	small_run(true);
	EXPECT_FOUND(LOGVERIFY_CLOCK_REVERSED, 11, 11, "clock", 0, 0);

	for (int where = 0; where < 3; where++) {
		small_begin();
		if (where == 0)
			log_seal(&small, "clock-set", "");
		small.seconds = 2;
		if (where == 1)
			log_seal(&small, "clock-reversed",
				 ",\"earlier_than\":\"2026-11-21T08:00:09.000000Z\"");
		log_deny(&small);
		if (where == 2)
			log_seal(&small, "clock-set", "");
		log_deny(&small);
		small_run(true);
		CU_ASSERT_EQUAL(found.n, 0);
	}
}

static void new_keys_are_a_finding_and_the_old_ones_hold_no_longer(void)
{
	small_begin();
	memset(small.id, 0x77, sizeof(small.id));
	memset(small.chain.key, 0x66, CHAIN_KEY_LEN);
	log_header(&small, "log-begun", "key-state-lost", 11);
	log_checkpoint(&small);
	log_deny(&small);
	small_run(true);
	EXPECT_FOUND(LOGVERIFY_BEGUN_ANEW, 11, 11, "begun anew", 0, 0);
}

/* The terminal was given another desk's key: 11 is the log-handover, 12 the new log. */
enum handing { HANDED_RIGHT, HANDED_NOT, HANDED_EARLIER, HANDED_OTHER_ID, HANDED_OTHER_SEAL, HANDED_FORGED, N_HANDED };

static uint8_t next_id[CHAIN_ID_LEN], small_old_id[CHAIN_ID_LEN];

static void small_hand_over(enum handing how)
{
	uint8_t id[CHAIN_ID_LEN];

	small_begin();
	memcpy(small_old_id, small.id, sizeof(small_old_id));
	memset(next_id, 0x77, sizeof(next_id));
	memset(id, how == HANDED_OTHER_ID ? 0x78 : 0x77, sizeof(id));
	if (how == HANDED_FORGED)
		memset(small.chain.key, 0x55, CHAIN_KEY_LEN);
	if (how == HANDED_OTHER_SEAL)
		log_seal(&small, "log-handover",
			 ",\"next_log\":\"77777777777777777777777777777777\",\"sealed_hash\":"
			 "\"0000000000000000000000000000000000000000000000000000000000000000\"");
	else if (how != HANDED_NOT)
		log_handover(&small, id);
	if (how == HANDED_EARLIER)
		log_deny(&small);
	memcpy(small.id, next_id, sizeof(small.id));
	memset(small.chain.key, 0x66, CHAIN_KEY_LEN);
	log_header(&small, "log-begun", "desk-key", small.chain.seq + 1);
	log_checkpoint(&small);
	log_deny(&small);
}

static bool unseal_by_id(void *userdata, const struct logverify_header *header, uint8_t key[static CHAIN_KEY_LEN])
{
	const char *which = userdata;
	bool next = !memcmp(header->id, next_id, CHAIN_ID_LEN);

	if (!strchr(which, next ? 'n' : 'o'))
		return false;
	if (next)
		memset(key, 0x66, CHAIN_KEY_LEN);
	else
		memcpy(key, small.first_key, CHAIN_KEY_LEN);
	return true;
}

/* keys: of the old log ('o'), of the new one ('n'). */
static struct logverify_result small_verify(const char *keys, const uint8_t *id)
{
	struct logverify_options options = {
		.public_key = small.public_key,
		.unseal = *keys ? unseal_by_id : NULL,
		.id = id,
		.finding = found_take_all,
		.userdata = (void *)keys,
	};
	struct logverify *verify = logverify_new(&options);
	struct logverify_result result;

	CU_ASSERT_PTR_NOT_NULL_FATAL(verify);
	found.n = 0;
	for (size_t i = 0; i < small.n; i++)
		feed(verify, i + 1, small.lines[i]);
	logverify_end(verify);
	result = *logverify_result(verify);
	logverify_free(verify);
	return result;
}

static void another_desks_log_is_right_only_behind_a_proved_hand_over_to_exactly_it(void)
{
	for (enum handing how = 0; how < N_HANDED; how++) {
		uint64_t begun = how == HANDED_NOT ? 11 : how == HANDED_EARLIER ? 13 : 12;

		small_hand_over(how);
		small_verify("on", NULL);
		if (how == HANDED_RIGHT) {
			EXPECT(!found.n, "handed over");
		} else if (how == HANDED_FORGED) {
			EXPECT(found.n == 2 && found.list[0].kind == LOGVERIFY_FORGED && found.list[0].from == 11 &&
				       found.list[1].kind == LOGVERIFY_BEGUN_ANEW && found.list[1].from == 12,
			       "with a wrong key");
		} else {
			EXPECT_FOUND(LOGVERIFY_BEGUN_ANEW, begun, begun, "not handed over", how, 0);
		}
		/* Also for who has the id of the log that is rewritten, and the old log's key only. */
		small_verify("on", small_old_id);
		EXPECT((found.n > 0) == (how != HANDED_RIGHT), "by the old log's id");
	}
}

static void a_hand_over_that_cannot_be_proved_is_said_to_be_so(void)
{
	struct logverify_result result;

	small_hand_over(HANDED_RIGHT);
	for (size_t i = 0; i < 2; i++) {
		const char *keys = i ? "" : "n";

		result = small_verify(keys, NULL);
		EXPECT_FOUND(LOGVERIFY_BEGUN_ANEW, 12, 12, "unproved", i, 0);
		EXPECT(strstr(found.detail, "cannot be proved"), "it says why");
		EXPECT(result.keyless == (i ? 14u : 11u) && result.keyless_from == 1 &&
			       result.keyless_to == (i ? 14u : 11u),
		       "records without a key are counted");
		/* The newest log is known from elsewhere: it hangs on all that is before it. */
		result = small_verify(keys, next_id);
		EXPECT(!found.n && result.keyless, "the newest log's id is given");
		small_hand_over(HANDED_NOT);
		small_verify(keys, next_id);
		EXPECT_FOUND(LOGVERIFY_BEGUN_ANEW, 11, 11, "no hand-over at all", i, 0);
		small_hand_over(HANDED_RIGHT);
	}
	/* The desk has the old key and not the new one. */
	small_verify("o", NULL);
	EXPECT_FOUND(LOGVERIFY_BEGUN_ANEW, 12, 12, "another desk", 0, 0);
}

static void the_expected_id_may_be_of_any_log_that_was_handed_over_to(void)
{
	static const uint8_t strange[CHAIN_ID_LEN] = {1};

	small_hand_over(HANDED_RIGHT);
	small_verify("on", next_id);
	CU_ASSERT_EQUAL(found.n, 0);
	small_verify("on", small_old_id);
	CU_ASSERT_EQUAL(found.n, 0);
	small_verify("on", strange);
	EXPECT_FOUND(LOGVERIFY_FOREIGN, 1, 1, "another log", 0, 0);
}

/* Number 1 behind other records is never in order, whatever it says of itself. */
static void a_log_for_another_desk_does_not_begin_at_one(void)
{
	struct log_text other;

	small_begin();
	log_handover(&small, (const uint8_t *)"0123456789abcdef");
	log_init(&other, "terminal-1", 1);
	memcpy(other.id, "0123456789abcdef", CHAIN_ID_LEN);
	log_header(&other, "log-begun", "desk-key", 1);
	log_deny(&other);
	for (size_t i = 0; i < other.n; i++)
		small_insert(small.n, other.lines[i]);
	for (int keys = 0; keys < 2; keys++) {
		run_lines((const char *const *)small.lines, small.n, 0, keys);
		EXPECT(found.n && found.list[0].kind == LOGVERIFY_BEGUN_ANEW, "from one again");
	}
	log_free(&other);
}

static void a_log_that_begins_again_at_one_is_begun_anew(void)
{
	struct log_text other;

	small_begin();
	log_init(&other, "terminal-1", 9);
	log_header(&other, "log-begun", "first", 1);
	log_deny(&other);
	log_deny(&other);
	for (size_t i = 0; i < other.n; i++)
		small_insert(small.n, other.lines[i]);
	run_lines((const char *const *)small.lines, small.n, 0, false);
	EXPECT_FOUND(LOGVERIFY_BEGUN_ANEW, 1, 1, "from one again", 0, 0);
	log_free(&other);
}

/* The daemon found another end than it had written, and goes on from its own. */
static void what_the_daemon_found_gone_is_removed(void)
{
	char more[256], hash[2 * CHAIN_HASH_LEN + 1];

	small_begin();
	sodium_bin2hex(hash, sizeof(hash), small.chain.hash, CHAIN_HASH_LEN);
	snprintf(more, sizeof(more),
		 ",\"expected_seq\":10,\"expected_hash\":\"%s\",\"found_seq\":7", hash);
	log_seal(&small, "log-damaged", more);
	log_deny(&small);
	for (size_t i = 7; i < 10; i++)
		free(small.lines[i]);
	memmove(small.lines + 7, small.lines + 10, (small.n - 10) * sizeof(*small.lines));
	small.n -= 3;
	small_run(true);
	EXPECT_FOUND(LOGVERIFY_REMOVED, 8, 10, "log-damaged", 0, 0);
}

static void a_later_file_whose_forerunner_was_gone_says_so(void)
{
	small_begin();
	log_header(&small, "log-continued", "file-missing", 1);
	log_deny(&small);
	small_run(true);
	CU_ASSERT_EQUAL(found.n, 0);
	run_lines((const char *const *)small.lines + 10, small.n - 10, 12, true);
	EXPECT_FOUND(LOGVERIFY_REMOVED, 1, 10, "file missing", 0, 0);
}

static void older_files_may_be_missing_only_when_they_expired(void)
{
	struct logverify_options options = {
		.whole = true, .finding = found_take, .userdata = &found};

	for (int expired = 0; expired < 2; expired++) {
		struct logverify *verify = logverify_new(&options);

		small_begin();
		log_header(&small, "log-continued", "rotated", 1);
		if (expired)
			log_seal(&small, "log-expired",
				 ",\"file\":\"x\",\"first_seq\":1,\"last_seq\":10,\"last_hash\":"
				 "\"\"");
		found.n = 0;
		for (size_t i = 10; i < small.n; i++)
			feed(verify, i, small.lines[i]);
		finish(verify);
		if (expired) {
			CU_ASSERT_EQUAL(found.n, 0);
		} else {
			EXPECT_FOUND(LOGVERIFY_REMOVED, 1, 10, "not expired", 0, 0);
		}
	}
}

/* A record of another day than the rest. */
static void small_dated(const char *date, const char *kind, const char *more)
{
	char line[1024];
	int len = snprintf(line, sizeof(line),
			   "{\"seq\":%" PRIu64 ",\"time\":\"%sT08:30:00.000000Z\",\"boot_us\":1,\"kind\":\"%s\","
			   "\"terminal\":\"terminal-1\"%s}",
			   small.chain.seq + 1, date, kind, more);

	CU_ASSERT_FATAL(chain_seal(&small.chain, line, (size_t)len, sizeof(line)) > 0);
	small.lines[small.n++] = strdup(line);
}

static void small_expired(const char *date, const char *newest, unsigned int days)
{
	char more[256];

	snprintf(more, sizeof(more),
		 ",\"file\":\"x\",\"first_seq\":3,\"last_seq\":5,\"last_hash\":\"\",\"newest\":\"%sT08:30:00.000000Z\","
		 "\"retention_days\":%u",
		 newest, days);
	small_dated(date, "log-expired", more);
}

static void a_file_must_have_been_old_enough_by_an_honest_clock(void)
{
	static const char ahead[] = ",\"ahead_s\":157680000"; /* five years */
	static const struct {
		const char *what;
		const char *leap, *back; /* dates of clock-set, clock-reversed, or NULL */
		const char *date, *newest;
		unsigned int days;
		bool early;
	} rows[] = {
		{ "old enough", NULL, NULL, "2026-12-01", "2025-10-01", 400, false },
		{ "to the day", NULL, NULL, "2026-12-01", "2026-11-21", 10, false },
		{ "too young", NULL, NULL, "2026-12-01", "2026-11-22", 10, true },
		{ "younger than now", NULL, NULL, "2026-12-01", "2027-11-22", 10, true },
		{ "within a week of a leap", "2031-12-01", NULL, "2031-12-07", "2020-10-01", 400, true },
		{ "old only by the leap", "2031-12-01", NULL, "2032-01-01", "2026-10-01", 400, true },
		{ "old without the leap", "2031-12-01", NULL, "2032-01-01", "2025-10-01", 400, false },
		{ "written after the leap", "2031-12-01", NULL, "2033-12-01", "2032-01-01", 400, false },
		{ "the leap was taken back", "2031-12-01", "2026-12-02", "2026-12-10", "2025-10-01", 400, false },
		{ "within a week of that", "2031-12-01", "2026-12-02", "2026-12-07", "2025-10-01", 400, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		small_begin();
		if (rows[i].leap)
			small_dated(rows[i].leap, "clock-set", ahead);
		if (rows[i].back)
			small_dated(rows[i].back, "clock-reversed", ",\"earlier_than\":\"2031-12-01T08:30:00.000000Z\"");
		small_expired(rows[i].date, rows[i].newest, rows[i].days);
		small_run(true);
		if (rows[i].early)
			EXPECT_FOUND(LOGVERIFY_REMOVED, 3, 5, rows[i].what, 0, 0);
		else
			EXPECT(!found.n, rows[i].what);
	}
}

static void two_faults_are_two_findings_in_order(void)
{
	struct logverify *verify = verifier(RECORDS, true);

	for (size_t i = 0; i < ours->n; i++) {
		char line[4096];

		if (i == 600)
			continue;
		strcpy(line, ours->lines[i]);
		if (i == 200 || i == 800)
			line[60] ^= 1;
		feed(verify, i + 1, line);
	}
	finish(verify);
	CU_ASSERT_EQUAL(found.n, 3);
	CU_ASSERT(found.list[0].kind == LOGVERIFY_ALTERED && found.list[0].from == 201 &&
		  found.list[0].line == 201);
	CU_ASSERT(found.list[1].kind == LOGVERIFY_REMOVED && found.list[1].from == 601);
	CU_ASSERT(found.list[2].kind == LOGVERIFY_ALTERED && found.list[2].from == 801);
}

/* Several faults at random: what they are may be told in many ways, but never nothing. */
static void no_mixture_of_faults_hides_itself(void)
{
	static char text[64 * 1024], changed[96 * 1024];
	size_t len = 0, rounds = full() ? 20000 : 1000;
	uint64_t state = 88172645463325252u;

#define RANDOM(n) (state ^= state << 13, state ^= state >> 7, state ^= state << 17, (size_t)(state % (n)))
	small_begin();
	log_checkpoint(&small);
	log_header(&small, "log-continued", "rotated", 1);
	while (small.n < 30)
		log_deny(&small);
	for (size_t i = 0; i < small.n; i++)
		len += (size_t)sprintf(text + len, "%s\n", small.lines[i]);
	for (size_t round = 0; round < rounds; round++) {
		/* These are all files, so that the first of them cannot go unseen either. */
		struct logverify *verify = verifier_of(small.chain.seq, round % 2, true);
		size_t n = len;

		memcpy(changed, text, len);
		for (size_t faults = 1 + RANDOM(4); faults; faults--) {
			size_t a = RANDOM(n), b = a + RANDOM(n - a), lines = RANDOM(2);

			/* Whole lines, or any bytes. */
			while (lines && a && changed[a - 1] != '\n')
				a--;
			while (lines && b > a && changed[b - 1] != '\n')
				b--;
			if (!RANDOM(3)) {
				changed[a] = (char)(changed[a] ^ (1 << RANDOM(8)));
			} else if (RANDOM(2)) {
				memmove(changed + a, changed + b, n - b);
				n -= b - a;
			} else if (n + (b - a) <= sizeof(changed)) {
				memmove(changed + b + (b - a), changed + b, n - b);
				memcpy(changed + b, changed + a, b - a);
				n += b - a;
			}
			if (!n)
				break;
		}
		feed_text(verify, changed, n);
		finish(verify);
		EXPECT((found.n > 0) == (n != len || memcmp(changed, text, len) != 0), "changed at random");
	}
#undef RANDOM
}

static void any_bytes_are_survived(void)
{
	static const char *const lines[] = {
		"",
		"{}",
		"\xff\xfe",
		"{\"seq\":",
		"{\"seq\":18446744073709551615",
		"{\"seq\":99999999999999999999999}",
	};
	struct logverify *verify = verifier(3, true);
	char line[2048];
	uint32_t state = 1;

	for (size_t round = 0; round < 3000; round++) {
		size_t len = strlen(ours->lines[round % 40]);

		feed(verify, round, lines[round % ARRAY_SIZE(lines)]);
		memcpy(line, ours->lines[round % 40], len);
		/* A record that is one by form, with any number. */
		for (int i = 0; i < 3; i++) {
			state = state * 1664525 + 1013904223;
			line[7 + (state >> 16) % (len - 7)] = (char)('0' + (state >> 8) % 10);
		}
		logverify_line(verify, "x", round, line, len, !(round % 7));
	}
	finish(verify);
	CU_ASSERT(found.n > 100);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(a_whole_log_has_no_finding),
		TEST(a_later_file_can_be_checked_alone),
		TEST(every_changed_byte_is_found_without_a_key),
		TEST(every_changed_byte_is_found_with_the_key),
		TEST(every_changed_byte_of_a_later_first_record_is_found),
		TEST(every_missing_record_is_found),
		TEST(no_mixture_of_faults_hides_itself),
		TEST(every_duplicated_record_is_found),
		TEST(swapped_records_are_one_fault),
		TEST(a_moved_record_is_one_fault),
		TEST(a_truncated_log_is_found_at_every_record_and_byte),
		TEST(records_of_another_terminal_are_foreign),
		TEST(a_log_written_anew_is_found_by_key_signature_and_anchor),
		TEST(a_log_continued_with_another_records_key_is_forged),
		TEST(an_anchor_beyond_the_end_shows_a_truncated_log),
		TEST(a_cut_line_is_right_only_before_the_record_that_tells_of_it),
		TEST(time_goes_back_only_beside_a_record_that_says_so),
		TEST(new_keys_are_a_finding_and_the_old_ones_hold_no_longer),
		TEST(another_desks_log_is_right_only_behind_a_proved_hand_over_to_exactly_it),
		TEST(a_hand_over_that_cannot_be_proved_is_said_to_be_so),
		TEST(the_expected_id_may_be_of_any_log_that_was_handed_over_to),
		TEST(a_log_for_another_desk_does_not_begin_at_one),
		TEST(a_log_that_begins_again_at_one_is_begun_anew),
		TEST(what_the_daemon_found_gone_is_removed),
		TEST(a_later_file_whose_forerunner_was_gone_says_so),
		TEST(older_files_may_be_missing_only_when_they_expired),
		TEST(a_file_must_have_been_old_enough_by_an_honest_clock),
		TEST(two_faults_are_two_findings_in_order),
		TEST(any_bytes_are_survived),
	};
	int status;

	if (sodium_init() < 0)
		return 1;
	log_make(&log_of_ours, "terminal-1", 1, RECORDS);
	status = testing_run("logverify", tests, ARRAY_SIZE(tests));
	log_free(&log_of_ours);
	log_free(&small);
	return status;
}
