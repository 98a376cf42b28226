// SPDX-License-Identifier: GPL-2.0-or-later
/* core/crockford: what is read out comes back, and what was misheard is noticed. */
#include <string.h>

#include "core/crockford.h"
#include "core/macro.h"
#include "testing.h"

#define N 19

static void values_of(uint64_t seed, uint8_t values[static N])
{
	for (size_t i = 0; i < N; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		values[i] = (uint8_t)(seed >> 59);
	}
}

static void numbers_have_the_check_symbols_of_the_specification(void)
{
	/* The number modulo 37, by hand: 0; 1; 31; 32 = "10"; 36 = "14"; 37 = "15"; 1023. */
	static const struct {
		uint8_t values[2];
		const char *text;
	} rows[] = {
		{{0, 0}, "000"},  {{0, 1}, "011"},  {{0, 31}, "0ZZ"}, {{1, 0}, "10*"},  {{1, 1}, "11~"},  {{1, 2}, "12$"},
		{{1, 3}, "13="}, {{1, 4}, "14U"}, {{1, 5}, "150"}, {{31, 31}, "ZZR"},
	};
	char text[CROCKFORD_TEXT_MAX(2)];
	uint8_t values[2];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		crockford_format(rows[i].values, 2, text);
		EXPECT(!strcmp(text, rows[i].text), rows[i].text);
		EXPECT(!crockford_parse(rows[i].text, values, 2) && !memcmp(values, rows[i].values, 2), rows[i].text);
	}
}

static void every_wrong_symbol_and_every_exchange_is_noticed(void)
{
	char text[CROCKFORD_TEXT_MAX(N)];
	uint8_t values[N], read[N];

	for (uint64_t seed = 1; seed < 40; seed++) {
		values_of(seed, values);
		crockford_format(values, N, text);
		for (size_t i = 0; i < N; i++) {
			uint8_t was = values[i];
			char wrong[CROCKFORD_TEXT_MAX(N)];

			for (uint8_t other = 0; other < 32; other++) {
				values[i] = other;
				crockford_format(values, N, wrong);
				/* The symbols of the wrong one with the check symbol of the right one. */
				wrong[strlen(wrong) - 1] = text[strlen(text) - 1];
				CU_ASSERT_EQUAL(crockford_parse(wrong, read, N), other == was ? 0 : CROCKFORD_E_CHECK);
			}
			values[i] = was;
			for (size_t k = 0; k < i; k++) {
				uint8_t swapped[N];

				memcpy(swapped, values, N);
				swapped[i] = values[k];
				swapped[k] = values[i];
				crockford_format(swapped, N, wrong);
				wrong[strlen(wrong) - 1] = text[strlen(text) - 1];
				CU_ASSERT_EQUAL(crockford_parse(wrong, read, N),
						values[i] == values[k] ? 0 : CROCKFORD_E_CHECK);
			}
		}
	}
}

static void what_ears_hands_and_keyboards_do_is_forgiven(void)
{
	static const uint8_t expected[] = {1, 0, 10, 20, 31, 1, 1, 0, 17};
	static const char *const same[] = {
		"10AM-Z110-HQ",
		"10amz110hq",
		"loam-zil0-hq",
		"IOAM ZLIo HQ",
		" 1 0 A M - Z 1 1 0 - H Q\r\n",
		"１０ＡＭ－Ｚ１１０－ＨＱ",
		"１０ａｍーｚｌｉｏーｈｑ",
		"10AM‐Z110–HQ",
		"10AM　Z110　HQ",
	};
	uint8_t values[9];
	char text[CROCKFORD_TEXT_MAX(9)];

	crockford_format(expected, 9, text);
	CU_ASSERT_STRING_EQUAL(text, same[0]);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		EXPECT(!crockford_parse(same[i], values, 9) && !memcmp(values, expected, 9), same[i]);
	/* The check symbols that are no letters, as Japanese keyboards give them. */
	CU_ASSERT_EQUAL(crockford_parse("１０＊", values, 2), 0);
	CU_ASSERT_EQUAL(crockford_parse("11～", values, 2), 0);
	CU_ASSERT_EQUAL(crockford_parse("11〜", values, 2), 0);
	CU_ASSERT_EQUAL(crockford_parse("12＄", values, 2), 0);
	CU_ASSERT_EQUAL(crockford_parse("13＝", values, 2), 0);
	CU_ASSERT_EQUAL(crockford_parse("14ｕ", values, 2), 0);
}

static void what_is_no_code_is_refused_by_its_reason(void)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {
		{"", CROCKFORD_E_LENGTH},	 {"----", CROCKFORD_E_LENGTH},	   {"10", CROCKFORD_E_LENGTH},
		{"10**", CROCKFORD_E_LENGTH},	 {"1U*", CROCKFORD_E_SYMBOL},	   {"*10", CROCKFORD_E_SYMBOL},
		{"10@", CROCKFORD_E_SYMBOL},	 {"10\xff", CROCKFORD_E_SYMBOL},   {"1\xe3\x80", CROCKFORD_E_SYMBOL},
		{"一0*", CROCKFORD_E_SYMBOL}, {"10\x01", CROCKFORD_E_SYMBOL}, {"10!", CROCKFORD_E_SYMBOL},
		{"101", CROCKFORD_E_CHECK},	 {"01*", CROCKFORD_E_CHECK},	   {"10~", CROCKFORD_E_CHECK},
	};
	uint8_t values[2];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(crockford_parse(rows[i].text, values, 2) == rows[i].code, rows[i].text);
}

static void fields_of_bits_come_back(void)
{
	static const size_t widths[] = {3, 5, 1, 4, 20, 16, 26, 11, 32};
	uint8_t values[24] = {0};
	size_t put = 0, get = 0;

	for (size_t i = 0; i < ARRAY_SIZE(widths); i++)
		crockford_put(values, &put, widths[i], UINT32_C(0xa5c3f19b) >> i);
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		uint32_t all = widths[i] == 32 ? UINT32_MAX : (UINT32_C(1) << widths[i]) - 1;

		CU_ASSERT_EQUAL(crockford_get(values, &get, widths[i]), UINT32_C(0xa5c3f19b) >> i & all);
	}
	CU_ASSERT_EQUAL(put, 118);
	CU_ASSERT_EQUAL(get, 118);
	for (size_t i = 0; i < sizeof(values); i++)
		CU_ASSERT(values[i] < 32);
}

static const struct test tests[] = {
	TEST(numbers_have_the_check_symbols_of_the_specification),
	TEST(every_wrong_symbol_and_every_exchange_is_noticed),
	TEST(what_ears_hands_and_keyboards_do_is_forgiven),
	TEST(what_is_no_code_is_refused_by_its_reason),
	TEST(fields_of_bits_come_back),
};

int main(void)
{
	return testing_run("crockford", tests, ARRAY_SIZE(tests));
}
