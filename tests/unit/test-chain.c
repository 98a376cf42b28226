// SPDX-License-Identifier: GPL-2.0-or-later
/* core/chain: the seal of a record, against values that another implementation of BLAKE2 gave. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/chain.h"
#include "core/macro.h"
#include "testing.h"

/* Key 00 01 … 1f; Python's hashlib after docs/evidence.md. */
static const char *const bodies[] = {
	"{\"seq\":1,\"kind\":\"log-begun\"",
	"{\"seq\":2,\"kind\":\"denied\",\"product\":\"鍵 \\\"x\\\"\"",
};
static const char *const seals[] = {
	",\"mac\":\"e06334ba467edcd9627f96dfc20f1fff\","
	"\"hash\":\"aa2fbcfe61a5c92c4cd60501f5f72c0b0ab64acd309d0b426faacf0b4004099c\"}",
	",\"mac\":\"033d278ef7c2adc15b7e28e9424f46e4\","
	"\"hash\":\"239ce5bcaff90e6a4352dbc907143aa289e335c75037d9a94e1bcca7e8118e76\"}",
};
static const char third_key[] = "611283165a9e29cb1eae48761148957f05267db4455a4287d52f11a458a26019";
static const char key_1000[] = "5e048f0ae94194ae65b7941bcd597392080ce176aada7392604adcbf1b109dd8";

static struct chain chain_begin(void)
{
	struct chain chain = {0};

	for (size_t i = 0; i < CHAIN_KEY_LEN; i++)
		chain.key[i] = (uint8_t)i;
	return chain;
}

static bool key_is(const uint8_t *key, const char *hex)
{
	char text[2 * CHAIN_KEY_LEN + 1];

	sodium_bin2hex(text, sizeof(text), key, CHAIN_KEY_LEN);
	return !strcmp(text, hex);
}

static void records_are_sealed_as_specified(void)
{
	struct chain chain = chain_begin();

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		char line[512], expected[512];
		size_t len = (size_t)snprintf(line, sizeof(line), "%s}", bodies[i]);

		snprintf(expected, sizeof(expected), "%s%s", bodies[i], seals[i]);
		len = chain_seal(&chain, line, len, sizeof(line));
		CU_ASSERT_EQUAL(len, strlen(expected));
		CU_ASSERT_STRING_EQUAL(line, expected);
		CU_ASSERT_EQUAL(chain.seq, i + 1);
	}
	CU_ASSERT(key_is(chain.key, third_key));
}

static void keys_run_forward(void)
{
	struct chain chain = chain_begin();

	for (int i = 0; i < 1000; i++)
		chain_next_key(chain.key);
	CU_ASSERT(key_is(chain.key, key_1000));
}

static void what_cannot_be_sealed_changes_nothing(void)
{
	static const char *const lines[] = {
		"",
		"{",
		"{}",
		"{\"seq\":1",
		"{\"seq\":2}",
		"{\"seq\":01}",
		"{\"seq\":-1}",
		"{\"seq\":\"1\"}",
		"{ \"seq\":1}",
		"{\"seq\":18446744073709551617}",
		"[\"seq\":1}",
	};
	struct chain chain = chain_begin(), before = chain;
	char line[512];
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		strcpy(line, lines[i]);
		EXPECT(!chain_seal(&chain, line, strlen(line), sizeof(line)), lines[i]);
		EXPECT(!strcmp(line, lines[i]), lines[i]);
		EXPECT(!memcmp(&chain, &before, sizeof(chain)), lines[i]);
	}
	/* The seal takes the place of the brace; one byte too few is refused. */
	strcpy(line, "{\"seq\":1}");
	len = strlen(line);
	CU_ASSERT_EQUAL(chain_seal(&chain, line, len, len + CHAIN_SEAL_LEN - 1), 0);
	CU_ASSERT_STRING_EQUAL(line, "{\"seq\":1}");
	CU_ASSERT_EQUAL(chain_seal(&chain, line, len, len + CHAIN_SEAL_LEN),
			len - 1 + CHAIN_SEAL_LEN);
}

static void a_line_has_one_form(void)
{
	char line[512], changed[512];
	struct chain_line parsed;
	size_t len;

	snprintf(line, sizeof(line), "%s%s", bodies[1], seals[1]);
	len = strlen(line);
	CU_ASSERT(chain_line_parse(&parsed, line, len));
	CU_ASSERT_EQUAL(parsed.seq, 2);
	CU_ASSERT_EQUAL(parsed.body_len, strlen(bodies[1]));
	for (size_t cut = 0; cut < len; cut++)
		CU_ASSERT(!chain_line_parse(&parsed, line, cut));
	/* Every byte of the seal, and the front, is fixed. */
	for (size_t i = 0; i < len; i++) {
		if (i > 8 && i < strlen(bodies[1]))
			continue;
		memcpy(changed, line, len + 1);
		changed[i] = changed[i] == 'F' ? 'G' : 'F';
		CU_ASSERT(!chain_line_parse(&parsed, changed, len));
	}
}

static void a_chain_follows_only_its_own_next_record(void)
{
	struct chain chain = chain_begin(), other;
	char line[512];

	snprintf(line, sizeof(line), "%s%s", bodies[1], seals[1]);
	CU_ASSERT(!chain_follow(&chain, line, strlen(line)));
	snprintf(line, sizeof(line), "%s%s", bodies[0], seals[0]);
	other = chain;
	other.key[31] ^= 1;
	CU_ASSERT(!chain_follow(&other, line, strlen(line)));
	other = chain;
	other.hash[0] ^= 1;
	CU_ASSERT(!chain_follow(&other, line, strlen(line)));
	CU_ASSERT(chain_follow(&chain, line, strlen(line)));
	snprintf(line, sizeof(line), "%s%s", bodies[1], seals[1]);
	CU_ASSERT(chain_follow(&chain, line, strlen(line)));
	CU_ASSERT(chain.seq == 2 && key_is(chain.key, third_key));
}

static void a_check_tells_an_altered_record_from_a_forged_one(void)
{
	struct chain chain = chain_begin();
	uint8_t zeros[CHAIN_HASH_LEN] = {0}, wrong[CHAIN_KEY_LEN] = {1}, computed[CHAIN_HASH_LEN];
	struct chain_line parsed;
	char line[512];

	snprintf(line, sizeof(line), "%s%s", bodies[0], seals[0]);
	CU_ASSERT_FATAL(chain_line_parse(&parsed, line, strlen(line)));
	CU_ASSERT_EQUAL(chain_line_check(&parsed, zeros, chain.key, computed), CHAIN_LINK_OK);
	CU_ASSERT(!memcmp(computed, parsed.hash, sizeof(computed)));
	CU_ASSERT_EQUAL(chain_line_check(&parsed, zeros, NULL, NULL), CHAIN_LINK_OK);
	CU_ASSERT_EQUAL(chain_line_check(&parsed, zeros, wrong, NULL), CHAIN_LINK_FORGED);
	CU_ASSERT_EQUAL(chain_line_check(&parsed, wrong, chain.key, NULL), CHAIN_LINK_HASH);
	line[10] ^= 1;
	CU_ASSERT_EQUAL(chain_line_check(&parsed, zeros, chain.key, NULL), CHAIN_LINK_HASH);
}

static void a_checkpoint_is_signed_over_these_bytes(void)
{
	uint8_t message[CHAIN_CHECKPOINT_LEN], id[CHAIN_ID_LEN], hash[CHAIN_HASH_LEN];

	memset(id, 0xaa, sizeof(id));
	memset(hash, 0xbb, sizeof(hash));
	chain_checkpoint_message(message, id, UINT64_C(0x0102030405060708), hash);
	CU_ASSERT(!memcmp(message, "sekimori-log-checkpoint-1", 26));
	CU_ASSERT(!memcmp(message + 26, id, sizeof(id)));
	CU_ASSERT(!memcmp(message + 42, "\x08\x07\x06\x05\x04\x03\x02\x01", 8));
	CU_ASSERT(!memcmp(message + 50, hash, sizeof(hash)));
	CU_ASSERT_EQUAL(sizeof(message), 82);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(records_are_sealed_as_specified),
		TEST(keys_run_forward),
		TEST(what_cannot_be_sealed_changes_nothing),
		TEST(a_line_has_one_form),
		TEST(a_chain_follows_only_its_own_next_record),
		TEST(a_check_tells_an_altered_record_from_a_forged_one),
		TEST(a_checkpoint_is_signed_over_these_bytes),
	};

	if (sodium_init() < 0)
		return 1;
	return testing_run("chain", tests, ARRAY_SIZE(tests));
}
