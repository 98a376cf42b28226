// SPDX-License-Identifier: GPL-2.0-or-later
/* core/text: what is shown of hostile text. */
#include <string.h>

#include "core/macro.h"
#include "core/text.h"
#include "testing.h"

struct row {
	const char *name;
	const char *in;
	const char *out;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char out[256];

		EXPECT(!strcmp(text_escape_terminal(out, sizeof(out), rows[i].in), rows[i].out),
		       rows[i].name);
	}
}

static void readable_text_prints_as_itself(void)
{
	static const struct row rows[] = {
		{"empty", "", ""},
		{"ascii", "USB DISK 3.0 \"x\" <&'", "USB DISK 3.0 \"x\" <&'"},
		{"japanese", "区役所の媒体 ﾊﾝｶｸ ａｂ", "区役所の媒体 ﾊﾝｶｸ ａｂ"},
		{"combining kana", "か\u3099", "か\u3099"},
		{"kanji variant", "辻\U000E0100", "辻\U000E0100"},
		{"emoji", "\U0001F511", "\U0001F511"},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void unsafe_characters_are_written_out(void)
{
	static const struct row rows[] = {
		{"escape sequence", "\x1b[2J", "\\x1B[2J"},
		{"line feed", "a\nb\r\tc", "a\\x0Ab\\x0D\\x09c"},
		{"bell and delete", "\a\x7f", "\\x07\\x7F"},
		{"C1 CSI", "\xc2\x9b", "\\u{9B}"},
		{"C1 first and last", "\xc2\x80\xc2\x9f", "\\u{80}\\u{9F}"},
		{"no-break space stays", "\xc2\xa0", "\xc2\xa0"},
		{"embeddings", "\u202a\u202e", "\\u{202A}\\u{202E}"},
		{"isolates", "\u2066\u2069", "\\u{2066}\\u{2069}"},
		{"direction marks", "\u200e\u200f\u061c", "\\u{200E}\\u{200F}\\u{61C}"},
		{"zero width", "\u200b\u200d\ufeff", "\\u{200B}\\u{200D}\\u{FEFF}"},
		{"separators", "\u2028\u2029", "\\u{2028}\\u{2029}"},
		{"tags", "\U000E0041", "\\u{E0041}"},
		{"noncharacters", "\uffff\U0010FFFF", "\\u{FFFF}\\u{10FFFF}"},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void bytes_that_are_not_utf8_are_written_out(void)
{
	static const struct row rows[] = {
		{"stray byte",
		 "a\xff"
		 "b",
		 "a\\xFFb"},
		{"cut character", "\xe3\x81", "\\xE3\\x81"},
		{"overlong slash", "\xc0\xaf", "\\xC0\\xAF"},
		{"surrogate", "\xed\xa0\x80", "\\xED\\xA0\\x80"},
		{"beyond Unicode", "\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void a_written_escape_is_told_from_a_real_one(void)
{
	static const struct row rows[] = {
		{"literal", "\\x1B[2J", "\\\\x1B[2J"},
		{"backslash", "\\", "\\\\"},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void long_text_is_cut_before_a_character(void)
{
	char out[8];

	CU_ASSERT_STRING_EQUAL(text_escape_terminal(out, 8, "関守sekimori"), "関守s");
	CU_ASSERT_STRING_EQUAL(text_escape_terminal(out, 7, "関守sekimori"), "関守");
	CU_ASSERT_STRING_EQUAL(text_escape_terminal(out, 6, "関守"), "関");
	CU_ASSERT_STRING_EQUAL(text_escape_terminal(out, 4, "a\x1b"), "a");
	CU_ASSERT_STRING_EQUAL(text_escape_terminal(out, 1, "a"), "");
}

static void the_promised_size_holds_every_character(void)
{
	char in[5], out[TEXT_ESCAPED_MAX(4)];

	for (uint32_t cp = 1; cp <= 0x10ffff; cp++) {
		size_t len = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
		static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
		uint32_t rest = cp;

		for (size_t i = len; i-- > 1; rest >>= 6)
			in[i] = (char)(0x80 | (rest & 0x3f));
		in[0] = (char)(lead[len] | rest);
		in[len] = '\0';
		text_escape_terminal(out, TEXT_ESCAPED_MAX(len), in);
		/* A character that did not fit would leave nothing. */
		if (!out[0] || strpbrk(out, "\n\r\x1b"))
			CU_FAIL("a character does not fit or went through");
	}
}

static void width_counts_terminal_columns(void)
{
	static const struct {
		const char *text;
		size_t width;
	} rows[] = {
		{"", 0},           {"abc", 3},      {"関守", 4},    {"ﾊﾝｶｸ", 4},
		{"ＡＢ", 4},       {"か\u3099", 2}, {"e\u0301", 1}, {"\U0001F511", 2},
		{"\U00020BB7", 2}, {"—…", 2},       {"、。", 4},    {"辻\U000E0100", 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(text_width(rows[i].text) == rows[i].width, rows[i].text);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(readable_text_prints_as_itself),
		TEST(unsafe_characters_are_written_out),
		TEST(bytes_that_are_not_utf8_are_written_out),
		TEST(a_written_escape_is_told_from_a_real_one),
		TEST(long_text_is_cut_before_a_character),
		TEST(the_promised_size_holds_every_character),
		TEST(width_counts_terminal_columns),
	};

	return testing_run("text", tests, ARRAY_SIZE(tests));
}
