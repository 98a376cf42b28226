// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/logverify: what the daemon says itself of a cut line, a clock that went back, new keys, a
 * hand-over, files that were gone or expired. It is believed where it hangs together, and no
 * further.
 */
#include "log-verify.h"

static void found_take_all(void *userdata, const struct logverify_finding *finding)
{
	(void)userdata;
	found_take(&found, finding);
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

int main(void)
{
	static const struct test tests[] = {
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
	};

	return verify_testing_run("logverify, told", tests, ARRAY_SIZE(tests));
}
