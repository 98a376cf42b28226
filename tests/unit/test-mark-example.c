// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/mark makes and reads the example of docs/mark.md (tests/integration/test_desk_mark.py holds
 * the two together).
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/macro.h"
#include "core/mark.h"
#include "testing.h"

#define BINDING "5c492ddc950a71ca4d05ec43d0393d082bafc3c1efcaa6440d89c7cf3be800b1"
#define SIGNATURE                                                                                  \
	"9e6b52a51bb0b5fab0524053fe64bb22a08fe7e63b8cf1becef25b31867e7f3af0025e0e8dc7c69ad2d75f7a" \
	"27cebc404445419da0f4b15104f8161f5a6a660f"
#define TOKEN                                                                                      \
	"{\"type\":\"sekimori\",\"keyslots\":[],\"version\":1,\"number\":\"ZEI-0001\",\"class\":"  \
	"2,"                                                                                       \
	"\"uuid\":\"1b4e28ba-2fa1-11d2-883f-0016d3cca427\",\"binding\":\"" BINDING                 \
	"\",\"id_vendor\":\"46f4\",\"id_product\":\"0001\",\"serial\":\"AB \\\"12\\\" 税\","      \
	"\"issued\":\"2026-04-01\",\"until\":\"2027-03-31\",\"signer\":\"0102030405060708\","      \
	"\"signature\":\"" SIGNATURE "\"}"

static struct mark mark;
static uint8_t public_key[32];

static void example(void)
{
	static const uint8_t id[MARK_SIGNER_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8};
	uint8_t seed[32], secret[64], salt[32], digest[32];

	for (uint8_t i = 0; i < 32; i++) {
		seed[i] = i;
		salt[i] = (uint8_t)(0x40 + i);
		digest[i] = (uint8_t)(0x80 + i);
	}
	crypto_sign_seed_keypair(public_key, secret, seed);
	mark = (struct mark){.number = "ZEI-0001",
			     .uuid = "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
			     .serial = "AB \"12\" 税",
			     .issued = "2026-04-01",
			     .until = "2027-03-31",
			     .class = 2,
			     .id_vendor = 0x46f4,
			     .id_product = 1};
	mark_binding(salt, sizeof(salt), digest, sizeof(digest), mark.binding);
	mark_sign(&mark, id, secret);
}

static void the_example_is_made_and_read(void)
{
	char json[MARK_JSON_MAX];
	struct mark again;
	size_t n = mark_format(&mark, json);

	CU_ASSERT_STRING_EQUAL(json, TOKEN);
	CU_ASSERT_EQUAL(n, strlen(TOKEN));
	CU_ASSERT_EQUAL_FATAL(mark_parse(json, n, &again), 0);
	CU_ASSERT_EQUAL(memcmp(&mark, &again, sizeof(mark)), 0);
	CU_ASSERT_EQUAL(mark_verify(&again, public_key), 0);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(the_example_is_made_and_read),
	};

	if (sodium_init() < 0)
		return 1;
	example();
	return testing_run("mark-example", tests, ARRAY_SIZE(tests));
}
