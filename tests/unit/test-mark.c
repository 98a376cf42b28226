// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/civil.h"
#include "core/macro.h"
#include "core/mark.h"
#include "testing.h"

#define UUID_A "3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d11"
#define UUID_B "0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e"

static uint8_t public_key[MARK_KEY_SIZE], secret[MARK_SECRET_SIZE];
static const uint8_t signer[MARK_SIGNER_SIZE] = {0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3};

static struct mark sample(void)
{
	struct mark mark = {
		.number = "\xe6\x83\x85-2026-0042", /* 情 */
		.uuid = UUID_A,
		.serial = "AA\\00\"12",
		.issued = "2026-04-01",
		.until = "2027-03-31",
		.class = 2,
		.id_vendor = 0x0951,
		.id_product = 0x16ab,
	};
	uint8_t seed[crypto_sign_SEEDBYTES];

	for (size_t i = 0; i < sizeof(mark.binding); i++)
		mark.binding[i] = (uint8_t)i;
	memset(seed, 7, sizeof(seed));
	crypto_sign_seed_keypair(public_key, secret, seed);
	mark_sign(&mark, signer, secret);
	return mark;
}

static void a_mark_comes_back_as_it_went(void)
{
	struct mark mark = sample(), back;
	char text[MARK_JSON_MAX];
	size_t len = mark_format(&mark, text);

	CU_ASSERT_TRUE(mark_ok(&mark));
	CU_ASSERT_EQUAL(len, strlen(text));
	CU_ASSERT_EQUAL(mark_parse(text, len, &back), 0);
	CU_ASSERT_EQUAL(memcmp(&back, &mark, sizeof(mark)), 0);
	CU_ASSERT_EQUAL(mark_verify(&back, public_key), 0);
}

/* Every text as long as it may be, and every character escaped. */
static void the_longest_mark_fits(void)
{
	struct mark mark = sample(), back;
	char text[MARK_JSON_MAX];

	memset(mark.number, '\\', sizeof(mark.number) - 1);
	memset(mark.serial, '"', sizeof(mark.serial) - 1);
	mark_sign(&mark, signer, secret);
	CU_ASSERT_TRUE(mark_ok(&mark));
	CU_ASSERT_EQUAL(mark_parse(text, mark_format(&mark, text), &back), 0);
	CU_ASSERT_EQUAL(memcmp(&back, &mark, sizeof(mark)), 0);
	CU_ASSERT_EQUAL(mark_verify(&back, public_key), 0);
}

static void a_mark_without_serial_or_end_is_taken(void)
{
	struct mark mark = sample(), back;
	char text[MARK_JSON_MAX];

	memset(mark.serial, 0, sizeof(mark.serial));
	memset(mark.until, 0, sizeof(mark.until));
	CU_ASSERT_TRUE(mark_ok(&mark));
	CU_ASSERT_EQUAL(mark_parse(text, mark_format(&mark, text), &back), 0);
	CU_ASSERT_EQUAL(memcmp(&back, &mark, sizeof(mark)), 0);
}

static void the_signed_bytes_are_these(void)
{
	static const char expect[] =
		"sekimori mark 1\n"
		"number \xe6\x83\x85-2026-0042\n"
		"class 2\n"
		"uuid 3b1d7c52-0f6a-4e0d-9a51-6c7e5f0b2d11\n"
		"binding 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
		"id 0951:16ab\n"
		"serial AA\\00\"12\n"
		"issued 2026-04-01\n"
		"until 2027-03-31\n"
		"signer deadbeef00010203\n";
	struct mark mark = sample();
	char text[MARK_CANONICAL_MAX];

	CU_ASSERT_EQUAL(mark_canonical(&mark, text), sizeof(expect) - 1);
	CU_ASSERT_EQUAL(memcmp(text, expect, sizeof(expect) - 1), 0);
}

/* Computed with another implementation of SHA-256. */
static void the_binding_is_this(void)
{
	static const uint8_t expect[MARK_BINDING_SIZE] = {
		0xe4, 0xab, 0x83, 0xe2, 0x24, 0xfa, 0x83, 0x99, 0x68, 0xf2, 0xbb,
		0x4f, 0x6d, 0xa1, 0xa2, 0x57, 0xe8, 0x89, 0x5b, 0xc4, 0x5a, 0x9b,
		0xc3, 0xa1, 0xd7, 0x8e, 0xdb, 0x99, 0x16, 0x45, 0xdd, 0x2f};
	uint8_t salt[32], digest[32], out[MARK_BINDING_SIZE], other[MARK_BINDING_SIZE];

	for (uint8_t i = 0; i < 32; i++)
		salt[i] = i;
	memset(digest, 0xaa, sizeof(digest));
	mark_binding(salt, sizeof(salt), digest, sizeof(digest), out);
	CU_ASSERT_EQUAL(memcmp(out, expect, sizeof(expect)), 0);
	/* What ends the salt and what begins the digest are not mistaken for one another. */
	mark_binding(salt, 31, digest, sizeof(digest), other);
	CU_ASSERT_NOT_EQUAL(memcmp(out, other, sizeof(out)), 0);
}

/* --- what is none --- */

/* The sample's text with one part replaced. */
static int parse_with(const char *find, const char *replace)
{
	struct mark mark = sample(), back = {.class = 9};
	char text[MARK_JSON_MAX], changed[2 * MARK_JSON_MAX];
	const char *at;
	int r;

	mark_format(&mark, text);
	at = strstr(text, find);
	if (!at)
		return -1;
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, replace,
		 at + strlen(find));
	r = mark_parse(changed, strlen(changed), &back);
	if (r && back.class != 9)
		return -2;
	return r;
}

static void every_member_is_needed_once_and_with_its_type(void)
{
	static const char *const members[] = {
		"type",      "keyslots", "version", "number", "class",  "uuid",      "binding",
		"id_vendor", "serial",   "issued",  "until",  "signer", "signature", "id_product"};
	char find[64], replace[96];

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		snprintf(find, sizeof(find), "\"%s\":", members[i]);
		snprintf(replace, sizeof(replace), "\"x%s\":", members[i]);
		EXPECT(parse_with(find, replace) == MARK_E_FORM, members[i]);
		snprintf(replace, sizeof(replace), "\"%s\":null,\"x\":", members[i]);
		EXPECT(parse_with(find, replace) == MARK_E_FORM, members[i]);
		snprintf(replace, sizeof(replace), "\"%s\":{},\"x\":", members[i]);
		EXPECT(parse_with(find, replace) == MARK_E_FORM, members[i]);
	}
	CU_ASSERT_EQUAL(parse_with("{", "{\"note\":\"x\","), MARK_E_FORM);
	CU_ASSERT_EQUAL(parse_with("{", "{ "), 0);
}

static void values_that_no_mark_has_are_refused(void)
{
	static const struct {
		const char *find, *replace;
		int expect;
	} rows[] = {
		{"\"sekimori\"", "\"Sekimori\"", MARK_E_FORM},
		{"\"keyslots\":[]", "\"keyslots\":[\"0\"]", MARK_E_FORM},
		{"\"version\":1", "\"version\":2", MARK_E_FORM},
		{"\"version\":1", "\"version\":\"1\"", MARK_E_FORM},
		{"\"version\":1", "\"version\":1.0", MARK_E_FORM},
		{"\"class\":2", "\"class\":1", 0},
		{"\"class\":2", "\"class\":3", 0},
		{"\"class\":2", "\"class\":0", MARK_E_FORM},
		{"\"class\":2", "\"class\":4", MARK_E_FORM},
		{"\"class\":2", "\"class\":258", MARK_E_FORM},
		{"\"class\":2", "\"class\":-1", MARK_E_FORM},
		{"\"class\":2", "\"class\":\"2\"", MARK_E_FORM},
		{"-2026-0042\"", "\\u0000\"", MARK_E_FORM},
		{"-2026-0042\"", "\\n\"", MARK_E_FORM},
		{"-2026-0042\"", "\\u202e\"", MARK_E_FORM},
		{"-2026-0042\"", "\xff\"", MARK_E_FORM},
		{"\"3b1d7c52", "\"3B1D7C52", MARK_E_FORM},
		{"\"3b1d7c52-", "\"3b1d7c52", MARK_E_FORM},
		{"\"0951\"", "\"951\"", MARK_E_FORM},
		{"\"0951\"", "\"09510\"", MARK_E_FORM},
		{"\"0951\"", "\"0x51\"", MARK_E_FORM},
		{"\"16ab\"", "\"16AB\"", MARK_E_FORM},
		{"\"16ab\"", "5803", MARK_E_FORM},
		{"\"2026-04-01\"", "\"2026-04-1\"", MARK_E_FORM},
		{"\"2026-04-01\"", "\"2026-04-31\"", MARK_E_FORM},
		{"\"2026-04-01\"", "\"\"", MARK_E_FORM},
		{"\"2026-04-01\"", "\"2027-04-01\"", MARK_E_FORM},
		{"\"2026-04-01\"", "\"2027-03-31\"", 0},
		{"\"2027-03-31\"", "\"2027-02-29\"", MARK_E_FORM},
		{"\"2027-03-31\"", "\"2027-03-31T00:00\"", MARK_E_FORM},
		{"\"2027-03-31\"", "\"2026-03-31\"", MARK_E_FORM},
		{"\"deadbeef00010203\"", "\"deadbeef000102\"", MARK_E_FORM},
		{"\"deadbeef00010203\"", "\"deadbeef000102030\"", MARK_E_FORM},
		{"\"deadbeef00010203\"", "\"DEADBEEF00010203\"", MARK_E_FORM},
		{"1e1f\"", "1e1f00\"", MARK_E_FORM},
		{"1e1f\"", "1e\"", MARK_E_FORM},
		{"1e1f\"", "1e1g\"", MARK_E_FORM},
		{"}", "} x", MARK_E_FORM},
		{"}", "", MARK_E_FORM},
		{"{", "[{", MARK_E_FORM},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(parse_with(rows[i].find, rows[i].replace) == rows[i].expect,
		       rows[i].replace);
}

static void texts_that_are_too_long_are_refused(void)
{
	static const struct {
		const char *find;
		size_t max;
	} rows[] = {{"\"number\":\"\xe6\x83\x85-2026-0042\"", MARK_NUMBER_MAX},
		    {"\"serial\":\"AA\\\\00\\\"12\"", MARK_SERIAL_MAX}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t len = rows[i].max - 1; len <= rows[i].max; len++) {
			char replace[256];
			int at = snprintf(replace, sizeof(replace), "%.10s", rows[i].find);

			memset(replace + at, 'a', len);
			memcpy(replace + at + (int)len, "\"", 2);
			EXPECT(parse_with(rows[i].find, replace) ==
				       (len < rows[i].max ? 0 : MARK_E_FORM),
			       rows[i].find);
		}
}

static void bytes_that_are_no_object_are_refused(void)
{
	static const char *const texts[] = {
		"",     "{",
		"{}",   "[]",
		"null", "\"sekimori\"",
		"1",    "{{",
		"\xff", "{\"a\":[[[[[[[]]]]]]]}",
	};
	static char large[MARK_JSON_MAX];
	struct mark mark;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		EXPECT(mark_parse(texts[i], strlen(texts[i]), &mark) == MARK_E_FORM, texts[i]);
	memset(large, ' ', sizeof(large));
	CU_ASSERT_EQUAL(mark_parse(large, sizeof(large), &mark), MARK_E_FORM);
}

static void a_text_cut_anywhere_is_refused(void)
{
	struct mark mark = sample();
	char text[MARK_JSON_MAX];
	size_t len = mark_format(&mark, text);

	for (size_t cut = 0; cut < len; cut++)
		CU_ASSERT_EQUAL(mark_parse(text, cut, &mark), MARK_E_FORM);
}

/* Marks that came in another form than JSON. */
static void bytes_hidden_in_a_mark_are_refused(void)
{
	struct mark mark = sample();

	mark.number[MARK_NUMBER_MAX - 1] = 'x';
	CU_ASSERT_FALSE(mark_ok(&mark));
	mark = sample();
	memset(mark.serial, 'a', sizeof(mark.serial));
	CU_ASSERT_FALSE(mark_ok(&mark));
	mark = sample();
	mark.pad[0] = 1;
	CU_ASSERT_FALSE(mark_ok(&mark));
	mark = sample();
	mark.class = 0;
	CU_ASSERT_FALSE(mark_ok(&mark));
	mark = sample();
	memset(mark.number, 0, sizeof(mark.number));
	CU_ASSERT_FALSE(mark_ok(&mark));
	mark = sample();
	mark.until[0] = 'x';
	CU_ASSERT_FALSE(mark_ok(&mark));
}

/* --- the signature --- */

static void each_field_is_signed(void)
{
	struct mark mark = sample();
	const struct {
		const char *name;
		size_t offset;
	} rows[] = {
		{"number", offsetof(struct mark, number)},
		{"uuid", offsetof(struct mark, uuid)},
		{"serial", offsetof(struct mark, serial)},
		{"issued", offsetof(struct mark, issued) + 9},
		{"until", offsetof(struct mark, until) + 9},
		{"class", offsetof(struct mark, class)},
		{"vendor", offsetof(struct mark, id_vendor)},
		{"product", offsetof(struct mark, id_product)},
		{"binding", offsetof(struct mark, binding) + 31},
		{"signer", offsetof(struct mark, signer)},
		{"signature", offsetof(struct mark, signature)},
	};

	CU_ASSERT_EQUAL(mark_verify(&mark, public_key), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		mark = sample();
		((uint8_t *)&mark)[rows[i].offset] ^= 1;
		EXPECT(mark_verify(&mark, public_key) == MARK_E_SIGNATURE, rows[i].name);
	}
}

static void a_signature_by_another_key_is_refused(void)
{
	struct mark mark = sample();
	uint8_t other_public[MARK_KEY_SIZE], other[MARK_SECRET_SIZE], seed[crypto_sign_SEEDBYTES];

	memset(seed, 8, sizeof(seed));
	crypto_sign_seed_keypair(other_public, other, seed);
	CU_ASSERT_EQUAL(mark_verify(&mark, other_public), MARK_E_SIGNATURE);
	mark_sign(&mark, signer, other);
	CU_ASSERT_EQUAL(mark_verify(&mark, public_key), MARK_E_SIGNATURE);
	CU_ASSERT_EQUAL(mark_verify(&mark, other_public), 0);
}

/* --- the place and the time --- */

static int64_t moment(const char *text)
{
	int64_t civil = -1;

	CU_ASSERT_TRUE(civil_parse(text, strlen(text), false, &civil));
	return civil;
}

static void a_mark_holds_for_its_place_and_time(void)
{
	static const uint8_t other_binding[MARK_BINDING_SIZE];
	static const struct {
		const char *name;
		const char *uuid;
		bool same_binding;
		uint16_t vendor, product;
		const char *serial, *now;
		int expect;
	} rows[] = {
		{"all is right", UUID_A, true, 0x0951, 0x16ab, "AA\\00\"12", "2026-10-01T12:00", 0},
		{"another volume", UUID_B, true, 0x0951, 0x16ab, "AA\\00\"12", "2026-10-01T12:00",
		 MARK_E_VOLUME},
		{"another key", UUID_A, false, 0x0951, 0x16ab, "AA\\00\"12", "2026-10-01T12:00",
		 MARK_E_VOLUME},
		{"another vendor", UUID_A, true, 0x0952, 0x16ab, "AA\\00\"12", "2026-10-01T12:00",
		 MARK_E_DEVICE},
		{"another product", UUID_A, true, 0x0951, 0x16ac, "AA\\00\"12", "2026-10-01T12:00",
		 MARK_E_DEVICE},
		{"another serial", UUID_A, true, 0x0951, 0x16ab, "AA\\00\"13", "2026-10-01T12:00",
		 MARK_E_DEVICE},
		{"no serial", UUID_A, true, 0x0951, 0x16ab, "", "2026-10-01T12:00", MARK_E_DEVICE},
		{"the evening before", UUID_A, true, 0x0951, 0x16ab, "AA\\00\"12",
		 "2026-03-31T23:59:59", MARK_E_NOT_YET},
		{"its first second", UUID_A, true, 0x0951, 0x16ab, "AA\\00\"12",
		 "2026-04-01T00:00:00", 0},
		{"its last second", UUID_A, true, 0x0951, 0x16ab, "AA\\00\"12",
		 "2027-03-31T23:59:59", 0},
		{"a second later", UUID_A, true, 0x0951, 0x16ab, "AA\\00\"12",
		 "2027-04-01T00:00:00", MARK_E_EXPIRED},
		{"all is wrong", UUID_B, false, 1, 1, "", "2030-01-01", MARK_E_VOLUME},
	};
	struct mark mark = sample();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mark_place place = {
			.uuid = rows[i].uuid,
			.binding = rows[i].same_binding ? mark.binding : other_binding,
			.id_vendor = rows[i].vendor,
			.id_product = rows[i].product,
			.serial = rows[i].serial,
		};

		EXPECT(mark_check(&mark, &place, moment(rows[i].now)) == rows[i].expect,
		       rows[i].name);
	}
}

static void a_mark_without_end_does_not_expire(void)
{
	struct mark mark = sample();
	struct mark_place place = {UUID_A, mark.binding, 0x0951, 0x16ab, "AA\\00\"12"};

	memset(mark.until, 0, sizeof(mark.until));
	CU_ASSERT_EQUAL(mark_check(&mark, &place, moment("2099-12-31")), 0);
}

static const struct test tests[] = {
	TEST(a_mark_comes_back_as_it_went),
	TEST(the_longest_mark_fits),
	TEST(a_mark_without_serial_or_end_is_taken),
	TEST(the_signed_bytes_are_these),
	TEST(the_binding_is_this),
	TEST(every_member_is_needed_once_and_with_its_type),
	TEST(values_that_no_mark_has_are_refused),
	TEST(texts_that_are_too_long_are_refused),
	TEST(bytes_that_are_no_object_are_refused),
	TEST(a_text_cut_anywhere_is_refused),
	TEST(bytes_hidden_in_a_mark_are_refused),
	TEST(each_field_is_signed),
	TEST(a_signature_by_another_key_is_refused),
	TEST(a_mark_holds_for_its_place_and_time),
	TEST(a_mark_without_end_does_not_expire),
};

int main(void)
{
	return sodium_init() < 0 || testing_run("mark", tests, ARRAY_SIZE(tests));
}
