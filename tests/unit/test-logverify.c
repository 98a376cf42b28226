// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/logverify: each fault of a log is found, named, and found once. All bytes and all records
 * are tried with SEKIMORI_FULL=1 (`make test`), every so many without.
 */
#include <stdlib.h>

#include "log-verify.h"

/* After so many lines a single fault is settled. */
#define WINDOW 4

static bool full(void)
{
	return getenv("SEKIMORI_FULL") != NULL;
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
		TEST(two_faults_are_two_findings_in_order),
		TEST(any_bytes_are_survived),
	};

	return verify_testing_run("logverify", tests, ARRAY_SIZE(tests));
}
