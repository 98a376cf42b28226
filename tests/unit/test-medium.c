// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/medium.h"
#include "policy-text.h"
#include "testing.h"

#define UUID "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a001"
#define PRINT "blake2b:00112233445566778899aabbccddeeff"
#define REQUIRED " id 46f4:0001 serial \"S1\" encryption luks2 luks-uuid " UUID
#define MINIMAL "medium A-1" REQUIRED

/* One parsed line and the arena that its strings live in. */
struct parsed {
	struct arena *arena;
	struct errors errors;
	struct medium medium;
};

/* Reads the first statement of the text, which begins with the word "medium". */
static void parse(const char *text, struct parsed *parsed)
{
	struct lex lex;

	parsed->arena = arena_new();
	parsed->errors = (struct errors){ .n = 0 };
	CU_ASSERT_PTR_NOT_NULL_FATAL(parsed->arena);
	CU_ASSERT_EQUAL_FATAL(lex_init(&lex, "p", text, strlen(text), errors_note, &parsed->errors),
			      0);
	CU_ASSERT_TRUE_FATAL(lex_statement(&lex));
	CU_ASSERT_STRING_EQUAL(lex_take(&lex)->text, "medium");
	/* What stood there before must not shine through. */
	memset(&parsed->medium, 0xa5, sizeof(parsed->medium));
	EXPECT(medium_parse(parsed->arena, &lex, &parsed->medium) == 0, text);
	CU_ASSERT_EQUAL(lex.errors, parsed->errors.n);
	lex_deinit(&lex);
}

static void release(struct parsed *parsed)
{
	parsed->arena = arena_free(parsed->arena);
}

/* Texts of a list, one after the other, each followed by a bar. */
static const char *joined(const struct text *const *texts, unsigned int n)
{
	static char out[256];

	out[0] = '\0';
	for (unsigned int i = 0; i < n; i++) {
		CU_ASSERT_EQUAL(texts[i]->len, strlen(texts[i]->bytes));
		strcat(strcat(out, texts[i]->bytes), "|");
	}
	return out;
}

static void every_attribute_of_a_line_is_read(void)
{
	static const char *const texts[] = {
		"\n\nmedium A-1 id 46f4:0001 serial \"S1\" fingerprint \"" PRINT
		"\" encryption luks2 luks-uuid " UUID " access ro class III "
		"holder { \"tanaka\" \"@税務課\" } terminals { \"WIN-01\" \"MN-*\" } "
		"from 2026-04-01 until 2026-04-30 status lent # 棚卸し済",
		"\n\nmedium \"A-1\" status lent until 2026-04-30 from 2026-04-01 "
		"terminals { \"WIN-01\" \"MN-*\" } holder { \"tanaka\" \"@税務課\" } "
		"class III access ro luks-uuid " UUID " encryption luks2 fingerprint \"" PRINT
		"\" serial \"S1\" id 46f4:0001",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct parsed parsed;
		const struct medium *medium = &parsed.medium;

		parse(texts[i], &parsed);
		EXPECT(!parsed.errors.n, parsed.errors.text);
		CU_ASSERT_STRING_EQUAL_FATAL(medium->number, "A-1");
		CU_ASSERT_EQUAL(medium->id_vendor, 0x46f4);
		CU_ASSERT_EQUAL(medium->id_product, 1);
		CU_ASSERT_STRING_EQUAL(medium->serial, "S1");
		CU_ASSERT_STRING_EQUAL(medium->fingerprint, PRINT);
		CU_ASSERT_EQUAL(medium->encryption, ENCRYPTION_LUKS2);
		CU_ASSERT_STRING_EQUAL(medium->luks_uuid, UUID);
		CU_ASSERT_EQUAL(medium->access, ACCESS_RO);
		CU_ASSERT_EQUAL(medium->class, 3);
		CU_ASSERT_STRING_EQUAL(joined(medium->holders, medium->n_holders), "tanaka|@税務課|");
		CU_ASSERT_STRING_EQUAL(joined(medium->terminals, medium->n_terminals),
				       "WIN-01|MN-*|");
		CU_ASSERT_EQUAL(medium->from, civil_of("2026-04-01"));
		CU_ASSERT_EQUAL(medium->until, civil_of("2026-05-01") - 1);
		CU_ASSERT_EQUAL(medium->status, MEDIUM_LENT);
		CU_ASSERT_EQUAL(medium->line, 3);
		release(&parsed);
	}
}

static void what_a_line_does_not_say_is_unlimited(void)
{
	struct parsed parsed;
	const struct medium *medium = &parsed.medium;

	parse(MINIMAL, &parsed);
	CU_ASSERT_EQUAL(parsed.errors.n, 0);
	CU_ASSERT_PTR_NULL(medium->fingerprint);
	CU_ASSERT_EQUAL(medium->n_holders, 0);
	CU_ASSERT_EQUAL(medium->n_terminals, 0);
	CU_ASSERT_EQUAL(medium->from, 0);
	CU_ASSERT_EQUAL(medium->until, 0);
	CU_ASSERT_EQUAL(medium->status, MEDIUM_ACTIVE);
	CU_ASSERT_EQUAL(medium->access, ACCESS_RW);
	CU_ASSERT_EQUAL(medium->class, 0);
	CU_ASSERT_EQUAL(medium->line, 1);
	release(&parsed);
}

static void words_have_their_values(void)
{
	static const struct {
		const char *words;
		size_t offset;
		uint8_t expected;
	} rows[] = {
		{ "status active", offsetof(struct medium, status), MEDIUM_ACTIVE },
		{ "status lent", offsetof(struct medium, status), MEDIUM_LENT },
		{ "status lost", offsetof(struct medium, status), MEDIUM_LOST },
		{ "status revoked", offsetof(struct medium, status), MEDIUM_REVOKED },
		{ "status disposed", offsetof(struct medium, status), MEDIUM_DISPOSED },
		{ "access ro", offsetof(struct medium, access), ACCESS_RO },
		{ "access rw", offsetof(struct medium, access), ACCESS_RW },
		{ "class I", offsetof(struct medium, class), 1 },
		{ "class II", offsetof(struct medium, class), 2 },
		{ "class III", offsetof(struct medium, class), 3 },
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct parsed parsed;

		snprintf(text, sizeof(text), MINIMAL " %s", rows[i].words);
		parse(text, &parsed);
		EXPECT(!parsed.errors.n, parsed.errors.text);
		EXPECT(((uint8_t *)&parsed.medium)[rows[i].offset] == rows[i].expected,
		       rows[i].words);
		release(&parsed);
	}
	CU_ASSERT_STRING_EQUAL(medium_status_name(MEDIUM_ACTIVE), "active");
	CU_ASSERT_STRING_EQUAL(medium_status_name(MEDIUM_LENT), "lent");
	CU_ASSERT_STRING_EQUAL(medium_status_name(MEDIUM_LOST), "lost");
	CU_ASSERT_STRING_EQUAL(medium_status_name(MEDIUM_REVOKED), "revoked");
	CU_ASSERT_STRING_EQUAL(medium_status_name(MEDIUM_DISPOSED), "disposed");
}

static void ids_and_uuids_are_numbers_whatever_their_case(void)
{
	struct parsed parsed;

	parse("medium A id ABCD:eF01 serial \"Ab\" encryption luks2 "
	      "luks-uuid 0F3B6A58-6b1c-4C59-9C3F-8D2A54D9A0FF",
	      &parsed);
	CU_ASSERT_EQUAL(parsed.errors.n, 0);
	CU_ASSERT_EQUAL(parsed.medium.id_vendor, 0xabcd);
	CU_ASSERT_EQUAL(parsed.medium.id_product, 0xef01);
	CU_ASSERT_STRING_EQUAL(parsed.medium.luks_uuid, "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a0ff");
	/* A serial number is no number. */
	CU_ASSERT_STRING_EQUAL(parsed.medium.serial, "Ab");
	release(&parsed);
}

static void strings_are_kept_byte_by_byte(void)
{
	static const struct {
		const char *written;
		const char *expected;
	} rows[] = {
		{ "\"\"", "" },
		{ "\" S1 \"", " S1 " },
		{ "\"#1\\\"\\\\\"", "#1\"\\" },
		{ "\"\\x07\\n\"", "\a\n" },
		{ "\"製造番号\"", "製造番号" },
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct parsed parsed;

		snprintf(text, sizeof(text),
			 "medium A id 46f4:0001 serial %s encryption luks2 luks-uuid " UUID,
			 rows[i].written);
		parse(text, &parsed);
		EXPECT(!parsed.errors.n && !strcmp(parsed.medium.serial, rows[i].expected),
		       rows[i].written);
		release(&parsed);
	}
}

static void numbers_fit_on_a_sticker(void)
{
	static const char sixty_three[] =
		"0123456789012345678901234567890123456789012345678901234567890ab";
	static const struct {
		const char *written;
		const char *expected; /* NULL: refused */
	} rows[] = {
		{ "A", "A" },
		{ "\"A 1\"", "A 1" },
		{ "貸出-07", "貸出-07" },
		{ "\"#7\"", "#7" },
		{ sixty_three, sixty_three },
		{ "0123456789012345678901234567890123456789012345678901234567890abc", NULL },
		{ "\"\"", NULL },
		{ "\"a\\n\"", NULL },
		{ "\"\\x1b[2J\"", NULL },
		{ "\"a\\x7f\"", NULL },
		{ "\"a\\tb\"", NULL },
	};
	char text[256];

	CU_ASSERT_EQUAL(strlen(sixty_three), MEDIUM_NUMBER_MAX - 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct parsed parsed;

		snprintf(text, sizeof(text), "medium %s" REQUIRED, rows[i].written);
		parse(text, &parsed);
		if (rows[i].expected) {
			EXPECT(!parsed.errors.n &&
				       !strcmp(parsed.medium.number, rows[i].expected),
			       rows[i].written);
		} else {
			EXPECT(parsed.errors.n == 1 && parsed.errors.column == 8,
			       rows[i].written);
			EXPECT(strstr(parsed.errors.text, "1 to 63 bytes, no control characters"),
			       parsed.errors.text);
		}
		release(&parsed);
	}
}

static void a_wrong_word_is_named_with_what_was_expected(void)
{
	static const struct {
		const char *text;
		unsigned int column;
		const char *expected;
	} rows[] = {
		{ "medium", 7, "expected number of the medium" },
		{ "medium A colour red", 10, "unknown attribute of a medium; expected id, serial" },
		{ "medium A \"id\" 46f4:0001", 10, "unknown attribute" },
		{ "medium A ID 46f4:0001", 10, "unknown attribute" },

		{ "medium A id", 12, "expected vendor and product id" },
		{ "medium A id 46f4-0001", 13, "vendor and product id" },
		{ "medium A id 46f4:000g", 13, "vendor and product id" },
		{ "medium A id g6f4:0001", 13, "vendor and product id" },
		{ "medium A id 46f4:001", 13, "vendor and product id" },
		{ "medium A id 46f4:00001", 13, "vendor and product id" },
		{ "medium A id 46f:00001", 13, "vendor and product id" },
		{ "medium A id 46f4:*", 13, "vendor and product id" },
		{ "medium A id *:*", 13, "vendor and product id" },
		{ "medium A id 46f4", 13, "vendor and product id" },
		{ "medium A id 0x46:0x01", 13, "vendor and product id" },
		{ "medium A id -6f4:+001", 13, "vendor and product id" },

		{ "medium A serial", 16, "serial number as a \"string\"" },
		{ "medium A serial S1", 17, "serial number as a \"string\"" },

		{ "medium A fingerprint", 21, "expected fingerprint" },
		{ "medium A fingerprint \"00112233445566778899aabbccddeeff\"", 22,
		  "expected fingerprint" },
		{ "medium A fingerprint \"blake2b:00112233445566778899aabbccddeef\"", 22,
		  "32 hexadecimal digits" },
		{ "medium A fingerprint \"blake2b:00112233445566778899aabbccddeeff0\"", 22,
		  "32 hexadecimal digits" },
		{ "medium A fingerprint \"blake2b:00112233445566778899aabbccddeefg\"", 22,
		  "32 hexadecimal digits" },
		{ "medium A fingerprint \"blake2c:00112233445566778899aabbccddeeff\"", 22,
		  "expected fingerprint" },

		{ "medium A encryption", 20, "expected an encryption method: luks2, luks1, bitlocker or hardware" },
		{ "medium A encryption rot13", 21, "expected an encryption method: luks2, luks1, bitlocker or hardware" },
		{ "medium A encryption optional", 21, "expected an encryption method" },
		{ "medium A encryption LUKS2", 21, "expected an encryption method" },
		{ "medium A encryption luks", 21, "expected an encryption method" },

		{ "medium A luks-uuid", 19, "expected UUID of the volume" },
		{ "medium A luks-uuid 1234", 20, "UUID of the volume like xxxxxxxx-" },
		{ "medium A luks-uuid 0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a0011", 20, "UUID" },
		{ "medium A luks-uuid 0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a00", 20, "UUID" },
		{ "medium A luks-uuid 0f3b6a586-b1c-4c59-9c3f-8d2a54d9a001", 20, "UUID" },
		{ "medium A luks-uuid 0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a00x", 20, "UUID" },
		{ "medium A luks-uuid 0f3b6a58_6b1c_4c59_9c3f_8d2a54d9a001", 20, "UUID" },

		{ "medium A access", 16, "expected ro or rw" },
		{ "medium A access wo", 17, "expected ro or rw" },
		{ "medium A access RO", 17, "expected ro or rw" },
		{ "medium A class", 15, "expected a class: I, II or III" },
		{ "medium A class IV", 16, "expected a class: I, II or III" },
		{ "medium A class 1", 16, "expected a class" },
		{ "medium A status", 16, "expected a status: active, lent" },
		{ "medium A status stolen", 17, "expected a status: active, lent" },
		{ "medium A status Lost", 17, "expected a status" },

		{ "medium A holder", 16, "expected a user" },
		{ "medium A holder tanaka", 17, "expected a user" },
		{ "medium A holder \"\"", 17, "expected a user" },
		{ "medium A holder {", 18, "expected a user" },
		{ "medium A holder { }", 19, "expected a user" },
		{ "medium A holder { \"a\" b }", 23, "expected a user" },
		{ "medium A holder { \"a\" \"\" }", 23, "expected a user" },
		{ "medium A holder { \"a\"", 22, "expected another \"string\" or }" },
		{ "medium A holder }", 17, "expected a user" },
		{ "medium A holder \"a\" \"b\"", 21, "unknown attribute" },
		{ "medium A holder { \"a\" } }", 25, "unknown attribute" },
		{ "medium A holder { { \"a\" } }", 19, "expected a user" },
		{ "medium A holder one-of { \"a\" }", 17, "expected a user" },
		{ "medium A terminals", 19, "expected a terminal's" },
		{ "medium A terminals WIN-01", 20, "expected a terminal's" },
		{ "medium A terminals { }", 22, "expected a terminal's" },
		{ "medium A terminals { \"W\"", 25, "expected another \"string\" or }" },

		{ "medium A from", 14, "expected a date like" },
		{ "medium A from tomorrow", 15, "expected a date like" },
		{ "medium A from 2026-02-29", 15, "expected a date like" },
		{ "medium A from 2026-4-1", 15, "expected a date like" },
		{ "medium A from 2026-04-31", 15, "expected a date like" },
		{ "medium A from 1969-12-31", 15, "expected a date like" },
		{ "medium A from 2026-04-01T24:00", 15, "expected a date like" },
		{ "medium A from 2026-04-01T08:60", 15, "expected a date like" },
		{ "medium A from 2026-04-01T08", 15, "expected a date like" },
		{ "medium A from 2026/04/01", 15, "expected a date like" },
		{ "medium A until", 15, "expected a date like" },
		{ "medium A until never", 16, "expected a date like" },
		{ "medium A until 2026-13-01", 16, "expected a date like" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct parsed parsed;

		parse(rows[i].text, &parsed);
		EXPECT(parsed.errors.n == 1, rows[i].text);
		EXPECT(parsed.errors.line == 1 && parsed.errors.column == rows[i].column,
		       parsed.errors.text);
		EXPECT(strstr(parsed.errors.text, rows[i].expected), parsed.errors.text);
		release(&parsed);
	}
}

static void required_attributes_must_be_there(void)
{
	static const struct {
		const char *name;
		const char *text;
	} rows[] = {
		{ "id", "serial \"S\" encryption luks2 luks-uuid " UUID },
		{ "serial", "id 1234:abcd encryption luks2 luks-uuid " UUID },
		{ "encryption", "id 1234:abcd serial \"S\" luks-uuid " UUID },
		{ "luks-uuid", "id 1234:abcd serial \"S\" encryption luks2" },
	};
	char text[256], message[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct parsed parsed;

		snprintf(text, sizeof(text), "medium A %s status active # gone", rows[i].text);
		snprintf(message, sizeof(message), "expected attribute %s\n", rows[i].name);
		parse(text, &parsed);
		EXPECT(parsed.errors.n == 1 && strstr(parsed.errors.text, message),
		       parsed.errors.text);
		EXPECT(parsed.errors.column == strlen(text) - strlen(" # gone") + 1,
		       parsed.errors.text);
		release(&parsed);
	}
}

static void each_attribute_may_be_given_once(void)
{
	static const char *const rows[] = {
		"id 46f4:0001",
		"serial \"S1\"",
		"fingerprint \"" PRINT "\"",
		"encryption luks2",
		"luks-uuid " UUID,
		"access ro",
		"class I",
		"holder \"a\"",
		"terminals \"a\"",
		"from 2026-04-01",
		"until 2026-04-01",
		"status active",
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct parsed parsed;

		snprintf(text, sizeof(text), "medium A %s %s", rows[i], rows[i]);
		parse(text, &parsed);
		EXPECT(parsed.errors.n == 1 && strstr(parsed.errors.text, "attribute given twice: "),
		       parsed.errors.text);
		EXPECT(parsed.errors.column == strlen("medium A ") + strlen(rows[i]) + 2,
		       parsed.errors.text);
		release(&parsed);
	}
}

static void lists_hold_up_to_64_strings(void)
{
	for (unsigned int n = 1; n <= 65; n += n == 1 ? 62 : 1) {
		static const char *const words[] = { "holder", "terminals" };

		for (size_t w = 0; w < ARRAY_SIZE(words); w++) {
			char text[2048];
			struct parsed parsed;
			int used = sprintf(text, MINIMAL " %s {", words[w]);

			for (unsigned int i = 0; i < n; i++)
				used += sprintf(text + used, " \"x%u\"", i);
			sprintf(text + used, " } class II");
			parse(text, &parsed);
			if (n > 64) {
				EXPECT(parsed.errors.n == 1 &&
					       strstr(parsed.errors.text, "up to 64"),
				       parsed.errors.text);
				EXPECT(parsed.errors.column == (unsigned int)used - 4,
				       parsed.errors.text);
			} else {
				const struct text *const *texts = w ? parsed.medium.terminals :
								      parsed.medium.holders;

				EXPECT(!parsed.errors.n, parsed.errors.text);
				CU_ASSERT_EQUAL_FATAL(w ? parsed.medium.n_terminals :
							  parsed.medium.n_holders,
						      n);
				for (unsigned int i = 0; i < n; i++) {
					sprintf(text, "x%u", i);
					EXPECT(text_is(texts[i], text), text);
				}
				CU_ASSERT_EQUAL(parsed.medium.class, 2);
			}
			release(&parsed);
		}
	}
}

static void one_string_needs_no_braces(void)
{
	struct parsed parsed;

	parse(MINIMAL " holder \"@会計課\" terminals \"MN-01\" class I", &parsed);
	CU_ASSERT_EQUAL(parsed.errors.n, 0);
	CU_ASSERT_STRING_EQUAL(joined(parsed.medium.holders, parsed.medium.n_holders), "@会計課|");
	CU_ASSERT_STRING_EQUAL(joined(parsed.medium.terminals, parsed.medium.n_terminals), "MN-01|");
	CU_ASSERT_EQUAL(parsed.medium.class, 1);
	release(&parsed);
}

static void both_ends_of_a_term_belong_to_it(void)
{
	static const struct {
		const char *words;
		const char *from; /* NULL: no limit */
		const char *until;
	} rows[] = {
		{ "from 2026-04-01", "2026-04-01T00:00:00", NULL },
		{ "until 2026-04-01", NULL, "2026-04-01T23:59:59" },
		{ "from 2026-04-01T08:30", "2026-04-01T08:30:00", NULL },
		{ "until 2026-04-01T17:15", NULL, "2026-04-01T17:15:59" },
		{ "until 2026-04-01T17:15:30", NULL, "2026-04-01T17:15:30" },
		{ "from 2028-02-29 until 2028-02-29", "2028-02-29T00:00:00", "2028-02-29T23:59:59" },
		{ "until 2026-12-31 from 2026-12-31T23:59:59", "2026-12-31T23:59:59",
		  "2026-12-31T23:59:59" },
		{ "from 1970-01-02 until 9999-12-31", "1970-01-02T00:00:00", "9999-12-31T23:59:59" },
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct parsed parsed;

		snprintf(text, sizeof(text), MINIMAL " %s", rows[i].words);
		parse(text, &parsed);
		EXPECT(!parsed.errors.n, parsed.errors.text);
		EXPECT(parsed.medium.from == (rows[i].from ? civil_of(rows[i].from) : 0),
		       rows[i].words);
		EXPECT(parsed.medium.until == (rows[i].until ? civil_of(rows[i].until) : 0),
		       rows[i].words);
		release(&parsed);
	}
}

static void a_term_does_not_end_before_it_begins(void)
{
	static const char *const rows[] = {
		"from 2026-04-02 until 2026-04-01",
		"until 2026-04-01 from 2026-04-02",
		"from 2026-04-01T08:31 until 2026-04-01T08:30",
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct parsed parsed;

		snprintf(text, sizeof(text), MINIMAL " %s", rows[i]);
		parse(text, &parsed);
		EXPECT(parsed.errors.n == 1 &&
			       strstr(parsed.errors.text, "the medium's term ends before it begins"),
		       rows[i]);
		release(&parsed);
	}
}

static void terms_overlap_if_they_share_a_second(void)
{
	static const struct {
		int64_t from, until;
	} rows[][2] = {
		/* these overlap … */
		{ { 0, 0 }, { 0, 0 } },
		{ { 0, 0 }, { 100, 200 } },
		{ { 0, 150 }, { 100, 200 } },
		{ { 0, 100 }, { 100, 200 } },
		{ { 200, 0 }, { 100, 200 } },
		{ { 120, 130 }, { 100, 200 } },
		{ { 100, 200 }, { 100, 200 } },
		{ { 100, 0 }, { 0, 100 } },
		{ { 0, 100 }, { 0, 300 } },
		{ { 300, 0 }, { 100, 0 } },
		/* … and these do not */
		{ { 0, 99 }, { 100, 200 } },
		{ { 201, 0 }, { 100, 200 } },
		{ { 201, 300 }, { 100, 200 } },
		{ { 101, 0 }, { 0, 100 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct medium a = { .from = rows[i][0].from, .until = rows[i][0].until };
		struct medium b = { .from = rows[i][1].from, .until = rows[i][1].until };
		char name[16];

		snprintf(name, sizeof(name), "row %zu", i);
		EXPECT(medium_terms_overlap(&a, &b) == (i < 10), name);
		EXPECT(medium_terms_overlap(&b, &a) == (i < 10), name);
	}
}

static const struct test tests[] = {
	TEST(every_attribute_of_a_line_is_read),
	TEST(what_a_line_does_not_say_is_unlimited),
	TEST(words_have_their_values),
	TEST(ids_and_uuids_are_numbers_whatever_their_case),
	TEST(strings_are_kept_byte_by_byte),
	TEST(numbers_fit_on_a_sticker),
	TEST(a_wrong_word_is_named_with_what_was_expected),
	TEST(required_attributes_must_be_there),
	TEST(each_attribute_may_be_given_once),
	TEST(lists_hold_up_to_64_strings),
	TEST(one_string_needs_no_braces),
	TEST(both_ends_of_a_term_belong_to_it),
	TEST(a_term_does_not_end_before_it_begins),
	TEST(terms_overlap_if_they_share_a_second),
};

int main(void)
{
	return testing_run("medium", tests, ARRAY_SIZE(tests));
}
