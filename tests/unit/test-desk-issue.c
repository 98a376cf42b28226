// SPDX-License-Identifier: GPL-2.0-or-later
/* desk/issue: passphrases that are made up or chosen, and numbers of media. */
#include <string.h>

#include "core/macro.h"
#include "desk/issue-number.h"
#include "desk/issue-passphrase.h"
#include "testing.h"

/* Random bytes that make the i-th choice `value`. */
static void choose(uint8_t *random, size_t i, uint32_t value)
{
	memset(random + 8 * i, 0, 8);
	for (unsigned int byte = 0; byte < 4; byte++)
		random[8 * i + 7 - byte] = (uint8_t)(value >> (8 * byte));
}

static void holders_passphrase_is_four_words_and_four_digits(void)
{
	uint8_t random[ISSUE_HOLDER_RANDOM] = {0};
	char text[ISSUE_HOLDER_MAX];

	issue_passphrase_holder(random, text);
	CU_ASSERT_STRING_EQUAL(text, "kakaka-kakaka-kakaka-kakaka-0000");
	choose(random, 0, 43);
	choose(random, 1, 44);
	choose(random, 11, 1);
	choose(random, 15, 19);
	issue_passphrase_holder(random, text);
	CU_ASSERT_STRING_EQUAL(text, "bekaka-kakaka-kakaka-kakaki-0009");
}

static void recovery_passphrase_is_six_groups_without_letters_that_look_alike(void)
{
	uint8_t random[ISSUE_RECOVERY_RANDOM] = {0};
	char text[ISSUE_RECOVERY_MAX];

	for (uint32_t i = 0; i < 30; i++)
		choose(random, i, i + 2);
	issue_passphrase_recovery(random, text);
	CU_ASSERT_STRING_EQUAL(text, "23456-789AB-CDEFG-HJKMN-PQRST-VWXYZ");
	CU_ASSERT_EQUAL(strcspn(text, "ILOU"), strlen(text));
}

/* All bytes count, not only the last of each choice. */
static void every_random_byte_matters(void)
{
	uint8_t random[ISSUE_HOLDER_RANDOM] = {0};
	char before[ISSUE_HOLDER_MAX], after[ISSUE_HOLDER_MAX];

	issue_passphrase_holder(random, before);
	for (size_t i = 0; i < sizeof(random); i++) {
		random[i] = 1;
		issue_passphrase_holder(random, after);
		/* 256 is a multiple of neither 44 nor 10; but 256^k may be one more than a
		 * multiple. */
		EXPECT(strcmp(before, after), "byte");
		random[i] = 0;
	}
}

static void made_up_passphrases_may_be_chosen(void)
{
	uint8_t random[ISSUE_HOLDER_RANDOM];
	char text[ISSUE_HOLDER_MAX];

	for (size_t i = 0; i < sizeof(random); i++)
		random[i] = (uint8_t)(i * 37);
	issue_passphrase_holder(random, text);
	CU_ASSERT_PTR_NULL(issue_passphrase_check(text));
}

static void weak_or_untypable_passphrases_are_refused(void)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{"", false},
		{"elevenchars", false},
		{"twelve-chars", true},
		{"aaaaaaaaaaaaaaaaaaaa", false},
		{"abababababcdcd", false},
		{"abababababcdcde", true},
		{"with\ttab-in-it-x", false},
		{"with\x7f-in-it-xyz", false},
		{"ひみつのことばです", false},
		{"blanks are fine here ~", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT(!issue_passphrase_check(rows[i].text) == rows[i].ok, rows[i].text);
	}
}

static void pattern_has_one_row_of_digits(void)
{
	CU_ASSERT_TRUE(issue_number_is_pattern("M-####"));
	CU_ASSERT_TRUE(issue_number_is_pattern("#"));
	CU_ASSERT_TRUE(issue_number_is_pattern("R8-###-税"));
	CU_ASSERT_FALSE(issue_number_is_pattern("M-0001"));
	CU_ASSERT_FALSE(issue_number_is_pattern("M-#-#"));
	CU_ASSERT_FALSE(issue_number_is_pattern("##########"));
	CU_ASSERT_FALSE(issue_number_is_pattern(
		"a-number-that-is-longer-than-any-sticker-could-hold-in-one-line-####"));
}

static void numbers_fill_the_pattern_until_it_is_full(void)
{
	char number[MEDIUM_NUMBER_MAX];

	CU_ASSERT_TRUE(issue_number_make("R8-###", 7, number));
	CU_ASSERT_STRING_EQUAL(number, "R8-007");
	CU_ASSERT_TRUE(issue_number_make("#-x", 9, number));
	CU_ASSERT_STRING_EQUAL(number, "9-x");
	CU_ASSERT_TRUE(issue_number_make("R8-###", 999, number));
	CU_ASSERT_FALSE(issue_number_make("R8-###", 1000, number));
	CU_ASSERT_FALSE(issue_number_make("R8-001", 1, number));
}

static void a_number_is_told_to_be_one_of_the_pattern(void)
{
	CU_ASSERT_EQUAL(issue_number_match("M-####", "M-0042"), 42);
	CU_ASSERT_EQUAL(issue_number_match("##-x", "07-x"), 7);
	CU_ASSERT_EQUAL(issue_number_match("M-####", "M-042"), 0);
	CU_ASSERT_EQUAL(issue_number_match("M-####", "M-00425"), 0);
	CU_ASSERT_EQUAL(issue_number_match("M-####", "N-0042"), 0);
	CU_ASSERT_EQUAL(issue_number_match("M-####", "M-00 2"), 0);
	CU_ASSERT_EQUAL(issue_number_match("##-x", "07-y"), 0);
	CU_ASSERT_EQUAL(issue_number_match("M-0042", "M-0042"), 0);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(holders_passphrase_is_four_words_and_four_digits),
		TEST(recovery_passphrase_is_six_groups_without_letters_that_look_alike),
		TEST(every_random_byte_matters),
		TEST(made_up_passphrases_may_be_chosen),
		TEST(weak_or_untypable_passphrases_are_refused),
		TEST(pattern_has_one_row_of_digits),
		TEST(numbers_fill_the_pattern_until_it_is_full),
		TEST(a_number_is_told_to_be_one_of_the_pattern),
	};

	return testing_run("desk-issue", tests, ARRAY_SIZE(tests));
}
