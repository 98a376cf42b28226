// SPDX-License-Identifier: GPL-2.0-or-later
/* core/phonecode, core/terminalkey: one answer opens one request on one terminal, once, within its hour. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/phonecode.h"
#include "testing.h"

#define FINGERPRINT "blake2b:a51c3e0f9b7d24680123456789abcdef"
#define ASKED 1000000

static void secret_of_vectors(uint8_t secret[static TERMINALKEY_SECRET_SIZE])
{
	for (size_t i = 0; i < TERMINALKEY_SECRET_SIZE; i++)
		secret[i] = (uint8_t)i;
}

static void key_of(const char *terminal, uint32_t generation, struct terminalkey *key)
{
	uint8_t secret[TERMINALKEY_SECRET_SIZE];

	secret_of_vectors(secret);
	terminalkey_derive(secret, terminal, generation, key);
}

/* A request on ZEI-014 and the desk's answer to it: read-only, two hours, one use. */
struct call {
	struct terminalkey key;
	struct phonecode_pending pending;
	struct phonecode_terms terms;
	char code[PHONECODE_ANSWER_MAX];
};

static void call_make(struct call *call, uint32_t nonce)
{
	*call = (struct call){.pending.asked = ASKED, .terms = {.seconds = 7200, .uses = 1}};
	key_of("ZEI-014", 1, &call->key);
	CU_ASSERT_EQUAL_FATAL(phonecode_challenge(&call->pending.challenge, DEVICE_CLASS_STORAGE_PLAIN, GRANT_READ_WRITE,
						  7200, FINGERPRINT, "ZEI-014", nonce),
			      0);
	CU_ASSERT_EQUAL_FATAL(phonecode_answer(call->key.key, &call->pending.challenge, &call->terms, call->code), 0);
}

static int take(struct call *call, const char *code, int64_t now)
{
	struct phonecode_terms terms;

	return phonecode_accept(call->key.key, &call->pending, code, now, &terms);
}

/* docs/telephone-code.md, computed there by another program. */
static void the_test_vectors_of_the_specification_hold(void)
{
	static const struct {
		enum device_class class;
		enum grant_access asked;
		uint32_t asked_seconds;
		const char *terminal;
		uint32_t nonce, generation;
		struct phonecode_terms terms;
		const char *challenge, *code, *id;
	} rows[] = {
		{DEVICE_CLASS_STORAGE_PLAIN, GRANT_READ_WRITE, 7200, "ZEI-014", 0x2345678, 1,
		 {.access = GRANT_READ_ONLY, .seconds = 7200, .uses = 1}, "46PJ-HRD0-2738-NKRT",
		 "5FTR-29QG-401Y-TR05-M5S5", "968ff06a22c4de2ce64a77b8603c71d1"},
		{DEVICE_CLASS_STORAGE_ENCRYPTED, GRANT_READ_ONLY, 0, "税務課-3", 0, 1,
		 {.access = GRANT_READ_WRITE, .seconds = 432000, .uses = 0}, "482J-HRFD-MA00-0007",
		 "Z1Y8-9RGY-Y3DN-J6XN-FG4X", "467e8dd736ff869357bd4c2bae7f3509"},
		{DEVICE_CLASS_OTHER, GRANT_READ_WRITE, 432000, "ZEI-014", 0x3ffffff, 2,
		 {.access = GRANT_READ_WRITE, .seconds = 900, .uses = 3}, "57YJ-HRD0-27ZZ-ZZZ*",
		 "HY9J-J04N-GQJ2-A17P-36QW", "dc1ef811dd4933ee1e2404bde82e6b88"},
	};
	static const struct {
		const char *terminal;
		uint32_t generation;
		const char *hex;
	} keys[] = {
		{"ZEI-014", 1, "7b9426fbb885b152080c869f2e8b4a28f9571506e1fb16ea6b4206aca17fa65f"},
		{"ZEI-014", 2, "84d65510eb5827f27969d344c8da693e5a7d94677a09c2475f69bc0d2123c992"},
		{"税務課-3", 1, "357700ed5dc1c029f423131c2d6658ca64e720f011f891ed00ce1f1e8a9efdfc"},
	};
	struct terminalkey key;
	char hex[2 * TERMINALKEY_SIZE + 1];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		key_of(keys[i].terminal, keys[i].generation, &key);
		EXPECT(!strcmp(sodium_bin2hex(hex, sizeof(hex), key.key, sizeof(key.key)), keys[i].hex), keys[i].terminal);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct phonecode_terms terms = rows[i].terms, taken;
		struct phonecode_pending pending = {.asked = ASKED};
		struct phonecode_challenge heard;
		char code[PHONECODE_ANSWER_MAX];

		key_of(rows[i].terminal, rows[i].generation, &key);
		EXPECT(!phonecode_challenge(&pending.challenge, rows[i].class, rows[i].asked, rows[i].asked_seconds,
					    FINGERPRINT, rows[i].terminal, rows[i].nonce) &&
			       !strcmp(pending.challenge.text, rows[i].challenge),
		       rows[i].challenge);
		EXPECT(!phonecode_challenge_parse(rows[i].challenge, &heard) && heard.class == rows[i].class &&
			       heard.access == rows[i].asked && heard.seconds == rows[i].asked_seconds &&
			       heard.terminal == phonecode_terminal(rows[i].terminal) && heard.fingerprint == 0xa51c3 &&
			       heard.nonce == rows[i].nonce,
		       rows[i].challenge);
		EXPECT(!phonecode_answer(key.key, &heard, &terms, code) && !strcmp(code, rows[i].code), rows[i].code);
		EXPECT(!phonecode_accept(key.key, &pending, code, ASKED, &taken) && taken.access == terms.access &&
			       taken.seconds == terms.seconds && taken.uses == terms.uses &&
			       taken.class == rows[i].class &&
			       taken.encrypted_only == (rows[i].class == DEVICE_CLASS_STORAGE_ENCRYPTED),
		       rows[i].code);
		EXPECT(!strcmp(sodium_bin2hex(hex, sizeof(hex), taken.id, sizeof(taken.id)), rows[i].id), rows[i].code);
		EXPECT(!memcmp(taken.id, terms.id, sizeof(terms.id)), rows[i].code);
	}
}

static void codes_are_no_longer_than_can_be_read_out(void)
{
	CU_ASSERT_EQUAL(PHONECODE_CHALLENGE_MAX - 1, 16 + 3);
	CU_ASSERT_EQUAL(PHONECODE_ANSWER_MAX - 1, 20 + 4);
}

static void an_answer_is_taken_once(void)
{
	struct call call;

	call_make(&call, 1);
	CU_ASSERT_EQUAL(take(&call, call.code, ASKED + 60), 0);
	CU_ASSERT_EQUAL(take(&call, call.code, ASKED + 61), PHONECODE_E_USED);
	CU_ASSERT_EQUAL(take(&call, "nonsense", ASKED + 61), PHONECODE_E_USED);
}

static void an_answer_is_taken_within_its_hour(void)
{
	struct call call;

	call_make(&call, 2);
	CU_ASSERT_EQUAL(take(&call, call.code, ASKED - 1), PHONECODE_E_EXPIRED);
	CU_ASSERT_EQUAL(take(&call, call.code, ASKED + PHONECODE_VALID_S), PHONECODE_E_EXPIRED);
	CU_ASSERT_EQUAL(take(&call, call.code, INT64_MAX), PHONECODE_E_EXPIRED);
	CU_ASSERT_EQUAL(take(&call, call.code, ASKED + PHONECODE_VALID_S - 1), 0);
}

static void an_answer_opens_no_other_request(void)
{
	struct call call, other;
	struct phonecode_challenge *challenge = &other.pending.challenge;
	static const struct {
		const char *what;
		enum device_class class;
		enum grant_access access;
		uint32_t seconds;
		const char *fingerprint, *terminal;
		uint32_t nonce;
	} rows[] = {
		{"nonce", DEVICE_CLASS_STORAGE_PLAIN, GRANT_READ_WRITE, 7200, FINGERPRINT, "ZEI-014", 4},
		{"device", DEVICE_CLASS_STORAGE_PLAIN, GRANT_READ_WRITE, 7200,
		 "blake2b:b51c3e0f9b7d24680123456789abcdef", "ZEI-014", 3},
		{"class", DEVICE_CLASS_STORAGE_ENCRYPTED, GRANT_READ_WRITE, 7200, FINGERPRINT, "ZEI-014", 3},
		{"access asked for", DEVICE_CLASS_STORAGE_PLAIN, GRANT_READ_ONLY, 7200, FINGERPRINT, "ZEI-014", 3},
		{"period asked for", DEVICE_CLASS_STORAGE_PLAIN, GRANT_READ_WRITE, 3600, FINGERPRINT, "ZEI-014", 3},
		{"terminal", DEVICE_CLASS_STORAGE_PLAIN, GRANT_READ_WRITE, 7200, FINGERPRINT, "ZEI-015", 3},
	};

	call_make(&call, 3);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		call_make(&other, 3);
		CU_ASSERT_EQUAL(phonecode_challenge(challenge, rows[i].class, rows[i].access, rows[i].seconds,
						    rows[i].fingerprint, rows[i].terminal, rows[i].nonce),
				0);
		EXPECT(take(&other, call.code, ASKED) == PHONECODE_E_WRONG, rows[i].what);
	}
	/* Terminals whose names share a digest: the same challenge, other keys. */
	CU_ASSERT_EQUAL_FATAL(phonecode_terminal("T-524"), phonecode_terminal("T-600"));
	call_make(&other, 3);
	phonecode_challenge(challenge, DEVICE_CLASS_STORAGE_PLAIN, GRANT_READ_ONLY, 0, FINGERPRINT, "T-524", 3);
	key_of("T-600", 1, &other.key);
	CU_ASSERT_EQUAL(phonecode_answer(other.key.key, challenge, &other.terms, other.code), 0);
	key_of("T-524", 1, &other.key);
	CU_ASSERT_EQUAL(take(&other, other.code, ASKED), PHONECODE_E_WRONG);
	/* After the key was renewed. */
	call_make(&other, 3);
	key_of("ZEI-014", 2, &other.key);
	CU_ASSERT_EQUAL(take(&other, call.code, ASKED), PHONECODE_E_WRONG);
}

/* Every bit that is changed makes it wrong, and a person at the terminal cannot make more of what was granted. */
static void no_other_code_is_taken(void)
{
	struct call call;
	uint8_t values[PHONECODE_ANSWER_SYMBOLS];

	call_make(&call, 5);
	CU_ASSERT_EQUAL_FATAL(crockford_parse(call.code, values, PHONECODE_ANSWER_SYMBOLS), 0);
	for (size_t bit = 0; bit < 5 * PHONECODE_ANSWER_SYMBOLS; bit++) {
		struct phonecode_pending fresh = call.pending;
		struct phonecode_terms terms;
		char text[PHONECODE_ANSWER_MAX];

		values[bit / 5] ^= (uint8_t)(1u << bit % 5);
		crockford_format(values, PHONECODE_ANSWER_SYMBOLS, text);
		values[bit / 5] ^= (uint8_t)(1u << bit % 5);
		CU_ASSERT_EQUAL(phonecode_accept(call.key.key, &fresh, text, ASKED, &terms), PHONECODE_E_WRONG);
		CU_ASSERT_EQUAL(fresh.wrong, 1);
	}
	CU_ASSERT_EQUAL(take(&call, call.code, ASKED), 0);
}

static void wrong_codes_wait_longer_each_time_and_then_end_it(void)
{
	static const unsigned int waits[PHONECODE_WRONG_MAX] = {1, 2, 4, 8, 16};
	struct call call, other;
	int64_t now = ASKED;

	call_make(&call, 6);
	call_make(&other, 7);
	for (size_t i = 0; i < PHONECODE_WRONG_MAX; i++) {
		CU_ASSERT_EQUAL(phonecode_wait(&call.pending, now), 0);
		CU_ASSERT_EQUAL(take(&call, other.code, now), PHONECODE_E_WRONG);
		CU_ASSERT_EQUAL(phonecode_wait(&call.pending, now), waits[i]);
		/* The right one has to wait too, and waiting ends with the clock that goes on alone. */
		if (i + 1 < PHONECODE_WRONG_MAX) {
			CU_ASSERT_EQUAL(take(&call, call.code, now + waits[i] - 1), PHONECODE_E_WAIT);
			CU_ASSERT_EQUAL(phonecode_wait(&call.pending, now - 1), waits[i]);
		}
		now += waits[i];
	}
	CU_ASSERT_EQUAL(take(&call, call.code, now), PHONECODE_E_ATTEMPTS);
	CU_ASSERT_EQUAL(take(&call, call.code, now + 600), PHONECODE_E_ATTEMPTS);
}

static void what_was_misheard_is_not_counted(void)
{
	struct call call;
	char text[PHONECODE_ANSWER_MAX];

	call_make(&call, 8);
	memcpy(text, call.code, sizeof(text));
	text[5] = text[5] == '7' ? '8' : '7';
	for (size_t i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(take(&call, text, ASKED), PHONECODE_E_CHECK);
	CU_ASSERT_EQUAL(take(&call, "", ASKED), PHONECODE_E_LENGTH);
	CU_ASSERT_EQUAL(take(&call, "%%%%", ASKED), PHONECODE_E_SYMBOL);
	CU_ASSERT_EQUAL(call.pending.wrong, 0);
	CU_ASSERT_EQUAL(take(&call, call.code, ASKED), 0);
}

static void values_that_no_code_holds_are_refused(void)
{
	struct phonecode_challenge challenge;
	struct call call;
	uint8_t values[PHONECODE_CHALLENGE_SYMBOLS] = {0};
	char text[PHONECODE_CHALLENGE_MAX];
	size_t bit = 0;

	CU_ASSERT_EQUAL(phonecode_challenge(&challenge, N_DEVICE_CLASSES, 0, 0, FINGERPRINT, "Z", 0), -EINVAL);
	CU_ASSERT_EQUAL(phonecode_challenge(&challenge, 0, 0, 901, FINGERPRINT, "Z", 0), -EINVAL);
	CU_ASSERT_EQUAL(phonecode_challenge(&challenge, 0, 0, 0, "blake2b:a51c3", "Z", 0), -EINVAL);
	CU_ASSERT_EQUAL(phonecode_challenge(&challenge, 0, 0, 0, "sha256:a51c3e0f9b7d24680123456789abcdef", "Z", 0),
			-EINVAL);
	call_make(&call, 9);
	call.terms.seconds = 0;
	CU_ASSERT_EQUAL(phonecode_answer(call.key.key, &call.pending.challenge, &call.terms, call.code), -EINVAL);
	call.terms.seconds = 7200;
	call.terms.uses = PHONECODE_USES_MAX + 1;
	CU_ASSERT_EQUAL(phonecode_answer(call.key.key, &call.pending.challenge, &call.terms, call.code), -EINVAL);

	crockford_put(values, &bit, 3, 2);
	crockford_format(values, PHONECODE_CHALLENGE_SYMBOLS, text);
	CU_ASSERT_EQUAL(phonecode_challenge_parse(text, &challenge), PHONECODE_E_VERSION);
	memset(values, 0, sizeof(values));
	bit = 0;
	crockford_put(values, &bit, 3, PHONECODE_VERSION);
	crockford_put(values, &bit, 5, N_DEVICE_CLASSES);
	crockford_format(values, PHONECODE_CHALLENGE_SYMBOLS, text);
	CU_ASSERT_EQUAL(phonecode_challenge_parse(text, &challenge), PHONECODE_E_VALUE);
	for (int code = PHONECODE_E_SYMBOL; code <= PHONECODE_E_ATTEMPTS; code++)
		CU_ASSERT(*phonecode_error(code));
}

static void a_grant_lasts_from_when_the_code_is_taken(void)
{
	struct call call;
	struct grant grant = {.seconds = 1, .person = "tanaka"};

	call_make(&call, 10);
	phonecode_terms_grant(&call.terms, 1795250783, &grant);
	CU_ASSERT_EQUAL(grant.not_before, 1795250783);
	CU_ASSERT_EQUAL(grant.not_after, 1795250783 + 7200);
	CU_ASSERT_EQUAL(grant.seconds, 0);
	CU_ASSERT_EQUAL(grant.uses, 1);
	CU_ASSERT_EQUAL(grant.access, GRANT_READ_ONLY);
	CU_ASSERT_EQUAL(grant.class, DEVICE_CLASS_STORAGE_PLAIN);
	CU_ASSERT_FALSE(grant.encrypted_only);
	CU_ASSERT_STRING_EQUAL(grant.person, "tanaka");
}

/* --- the key's file -------------------------------------------------------------------------- */

static void count_error(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
	CU_ASSERT(line && column && *message);
	++*(unsigned int *)userdata;
}

static void a_key_file_comes_back_and_a_changed_one_is_refused(void)
{
	static const char *const bad[] = {
		"",
		"terminal \"Z\"\n",
		"sekimori-terminal-key 2\nterminal \"Z\"\ngeneration 1\nkey \"%s\"\n",
		"sekimori-terminal-key 1 1\nterminal \"Z\"\ngeneration 1\nkey \"%s\"\n",
		"sekimori-terminal-key 1\ngeneration 1\nkey \"%s\"\n",
		"sekimori-terminal-key 1\nterminal \"Z\"\nkey \"%s\"\n",
		"sekimori-terminal-key 1\nterminal \"Z\"\ngeneration 1\n",
		"sekimori-terminal-key 1\nterminal \"Z\"\ngeneration 0\nkey \"%s\"\n",
		"sekimori-terminal-key 1\nterminal \"Z\"\ngeneration 01\nkey \"%s\"\n",
		"sekimori-terminal-key 1\nterminal \"Z\"\ngeneration 1\nkey \"%s00\"\n",
		"sekimori-terminal-key 1\nterminal \"Z\"\ngeneration 1\nkey \"%.62s\"\n",
		"sekimori-terminal-key 1\nterminal \"Z\"\nterminal \"Z\"\ngeneration 1\nkey \"%s\"\n",
		"sekimori-terminal-key 1\nterminal \"Z\" more\ngeneration 1\nkey \"%s\"\n",
		"sekimori-terminal-key 1\nterminal \"\"\ngeneration 1\nkey \"%s\"\n",
		"sekimori-terminal-key 1\nterminal \"Z\\x1b\"\ngeneration 1\nkey \"%s\"\n",
		"sekimori-terminal-key 1\nterminal \"Z\"\ngeneration 1\nfly 1\nkey \"%s\"\n",
	};
	static const char hex[] = "7b9426fbb885b152080c869f2e8b4a28f9571506e1fb16ea6b4206aca17fa65f";
	struct terminalkey key, again;
	char text[TERMINALKEY_TEXT_MAX];
	unsigned int n = 0;
	size_t len;

	key_of("税務 \"3\\", 7, &key);
	len = terminalkey_format(&key, text);
	CU_ASSERT_EQUAL_FATAL(terminalkey_parse("k", text, len, count_error, &n, &again), 0);
	CU_ASSERT_STRING_EQUAL(again.terminal, "税務 \"3\\");
	CU_ASSERT_EQUAL(again.generation, 7);
	CU_ASSERT_EQUAL(memcmp(again.key, key.key, sizeof(key.key)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		n = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		len = (size_t)snprintf(text, sizeof(text), bad[i], hex);
#pragma GCC diagnostic pop
		EXPECT(terminalkey_parse("k", text, len, count_error, &n, &again) == -EINVAL && n == 1, bad[i]);
		EXPECT(sodium_is_zero(again.key, sizeof(again.key)), bad[i]);
	}
	CU_ASSERT_FALSE(terminalkey_name_ok(""));
	CU_ASSERT_FALSE(terminalkey_name_ok("a\nb"));
	CU_ASSERT_FALSE(terminalkey_name_ok("a\xe2\x80\xae"));
}

static const struct test tests[] = {
	TEST(the_test_vectors_of_the_specification_hold),
	TEST(codes_are_no_longer_than_can_be_read_out),
	TEST(an_answer_is_taken_once),
	TEST(an_answer_is_taken_within_its_hour),
	TEST(an_answer_opens_no_other_request),
	TEST(no_other_code_is_taken),
	TEST(wrong_codes_wait_longer_each_time_and_then_end_it),
	TEST(what_was_misheard_is_not_counted),
	TEST(values_that_no_code_holds_are_refused),
	TEST(a_grant_lasts_from_when_the_code_is_taken),
	TEST(a_key_file_comes_back_and_a_changed_one_is_refused),
};

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	return testing_run("phonecode", tests, ARRAY_SIZE(tests));
}
