// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/lex.h"
#include "policy-text.h"
#include "testing.h"

static const char *printable(char c)
{
	static char text[8];

	snprintf(text, sizeof(text), (unsigned char)c < 0x20 ? "<%02x>" : "%c", (unsigned char)c);
	return text;
}

/*
 * All statements of a text in one line: words as they are, strings in double quotes, each followed
 * by @COLUMN; statements begin with their line number and end with a semicolon.
 */
static void read_all(const char *text, size_t len, struct errors *errors, char *out, size_t size)
{
	char *copy = text_copy(text, len);
	const struct lex_token *token;
	struct lex lex;
	size_t n = 0;

	*errors = (struct errors){ .n = 0 };
	out[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(lex_init(&lex, "f", copy, len, errors_note, errors), 0);
	while (lex_statement(&lex)) {
		n += (size_t)snprintf(out + n, size - n, "%u:", lex.line);
		while ((token = lex_take(&lex))) {
			const char *quote = token->quoted ? "\"" : "";

			CU_ASSERT_EQUAL(token->text[token->len], '\0');
			n += (size_t)snprintf(out + n, size - n, " %s", quote);
			for (size_t i = 0; i < token->len; i++)
				n += (size_t)snprintf(out + n, size - n, "%s",
						      printable(token->text[i]));
			n += (size_t)snprintf(out + n, size - n, "%s@%u", quote, token->column);
		}
		CU_ASSERT_PTR_NULL(lex_take(&lex));
		n += (size_t)snprintf(out + n, size - n, ";");
	}
	CU_ASSERT_EQUAL(lex.errors, errors->n);
	lex_deinit(&lex);
	free(copy);
}

static void statements_are_cut_into_words_and_strings(void)
{
	static const struct {
		const char *text;
		const char *expected;
	} rows[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ " \t\r\n", "" },
		{ "# only a comment", "" },
		{ "a", "1: a@1;" },
		{ "a\n", "1: a@1;" },
		{ "\n\na\nb", "3: a@1;4: b@1;" },
		{ "  a\tb  ", "1: a@3 b@5;" },
		{ "a\r\nb\r\n", "1: a@1;2: b@1;" },
		{ "a\rb", "1: a@1 b@3;" },
		{ "a # b", "1: a@1;" },
		{ "a# b", "1: a@1;" },
		{ "a #\"", "1: a@1;" },
		{ "\"a\"#b", "1: \"a\"@1;" },
		{ "\"a # b\" c", "1: \"a # b\"@1 c@9;" },
		{ "x \"\" y", "1: x@1 \"\"@3 y@6;" },
		{ "{ } \\ ' = ,", "1: {@1 }@3 \\@5 '@7 =@9 ,@11;" },
		{ "\xef\xbb\xbf" "a b", "1: a@1 b@3;" },
		{ "\xef\xbb\xbf", "" },
		{ "\xef\xbb\xbf# c\n\xef\xbb\xbf" "a", "2: \xef\xbb\xbf" "a@1;" },
		/* Columns count bytes. */
		{ "税務 \"課\" x", "1: 税務@1 \"課\"@8 x@14;" },
		{ "a\vb\fc", "1: a<0b>b<0c>c@1;" },
	};
	char actual[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errors errors;

		read_all(rows[i].text, strlen(rows[i].text), &errors, actual, sizeof(actual));
		EXPECT(!errors.n, rows[i].text);
		EXPECT(!strcmp(actual, rows[i].expected), rows[i].text);
	}
}

static void escapes_in_strings_are_read(void)
{
	static const struct {
		const char *text;
		const char *expected;
	} rows[] = {
		{ "\"\\\"\"", "1: \"\"\"@1;" },
		{ "\"\\\\\"", "1: \"\\\"@1;" },
		{ "\"\\n\\t\"", "1: \"<0a><09>\"@1;" },
		{ "\"\\x41\\x7a\"", "1: \"Az\"@1;" },
		{ "\"\\x39\\x4A\\x6f\"", "1: \"9Jo\"@1;" },
		{ "\"\\xE7\\xa8\\x8E\"", "1: \"税\"@1;" },
		{ "\"\\x01\\x1F\"", "1: \"<01><1f>\"@1;" },
		{ "\"a\\\"#b\" c", "1: \"a\"#b\"@1 c@9;" },
		{ "\"\\\\\" c", "1: \"\\\"@1 c@6;" },
	};
	char actual[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errors errors;

		read_all(rows[i].text, strlen(rows[i].text), &errors, actual, sizeof(actual));
		EXPECT(!errors.n, rows[i].text);
		EXPECT(!strcmp(actual, rows[i].expected), rows[i].text);
	}
}

static void broken_lines_are_named_and_the_others_still_read(void)
{
	static const struct {
		const char *line;
		unsigned int column;
		const char *expected;
	} rows[] = {
		{ "a \"b", 3, "string does not end" },
		{ "\"", 1, "string does not end" },
		{ "\"a\\\"", 1, "string does not end" },
		{ "\"a\\", 3, "unknown escape" },
		{ "\"\\q\"", 2, "unknown escape" },
		{ "\"\\N\"", 2, "unknown escape" },
		{ "\"\\0\"", 2, "unknown escape" },
		{ "\"\\x\"", 2, "two hexadecimal digits" },
		{ "\"\\x4\"", 2, "two hexadecimal digits" },
		{ "\"\\x4g\"", 2, "two hexadecimal digits" },
		{ "\"\\x", 2, "two hexadecimal digits" },
		{ "\"a\\x00\"", 3, "not 00" },
		{ "\"\\xff\"", 1, "not valid UTF-8" },
		{ "x \"\\xe7\\xa8\"", 3, "not valid UTF-8" },
		{ "\"\\xc0\\x80\"", 1, "not valid UTF-8" },
		{ "a\"b\"", 2, "expected a blank before" },
		{ "\"a\"b", 4, "expected a blank after" },
		{ "\"a\"\"b\"", 4, "expected a blank after" },
		{ "a \xff", 3, "not valid UTF-8" },
		{ "ok # \xc0\xaf", 6, "not valid UTF-8" },
		{ "\xed\xa0\x80", 1, "not valid UTF-8" },
		{ "\xf4\x90\x80\x80", 1, "not valid UTF-8" },
		{ "\xe7\xa8", 1, "not valid UTF-8" },
		{ "x\x80", 2, "not valid UTF-8" },
	};
	char text[128], actual[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errors errors;

		snprintf(text, sizeof(text), "before\n%s\nafter\n", rows[i].line);
		read_all(text, strlen(text), &errors, actual, sizeof(actual));
		EXPECT(errors.n == 1 && errors.line == 2, rows[i].line);
		EXPECT(errors.column == rows[i].column, errors.text);
		EXPECT(strstr(errors.text, rows[i].expected), errors.text);
		EXPECT(!strncmp(errors.text, "f:2:", 4), errors.text);
		EXPECT(!strcmp(actual, "1: before@1;3: after@1;"), rows[i].line);

		/* As the last line, without a line feed. */
		read_all(rows[i].line, strlen(rows[i].line), &errors, actual, sizeof(actual));
		EXPECT(errors.n == 1 && errors.column == rows[i].column && !*actual, errors.text);
	}
}

static void nul_bytes_are_refused_wherever_they_stand(void)
{
	static const struct {
		const char *name;
		const char *text;
		size_t len;
		unsigned int column;
	} rows[] = {
		{ "in a word", "a\0b", 3, 2 },
		{ "in a string", "x \"a\0\"", 6, 5 },
		{ "in a comment", "# a\0", 4, 4 },
		{ "alone", "\0", 1, 1 },
		{ "among blanks", "  \0  ", 5, 3 },
	};
	char actual[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errors errors;

		read_all(rows[i].text, rows[i].len, &errors, actual, sizeof(actual));
		EXPECT(errors.n == 1 && errors.column == rows[i].column, rows[i].name);
		EXPECT(strstr(errors.text, "NUL byte"), rows[i].name);
		EXPECT(!*actual, rows[i].name);
	}
}

/* `len` times a character, then "\nafter\n". Freed by the caller. */
static char *long_line(char c, size_t len, size_t *total)
{
	static const char after[] = "\nafter\n";
	char *text = malloc(len + sizeof(after));

	memset(text, c, len);
	memcpy(text + len, after, sizeof(after));
	*total = len + sizeof(after) - 1;
	return text;
}

static void lines_may_be_64_kib_long_and_no_longer(void)
{
	static const struct {
		char c;
		size_t len;
		bool fits;
	} rows[] = {
		{ 'a', LEX_LINE_MAX, true },  { 'a', LEX_LINE_MAX + 1, false },
		{ '#', LEX_LINE_MAX, true },  { '#', LEX_LINE_MAX + 1, false },
		{ ' ', LEX_LINE_MAX, true },  { ' ', LEX_LINE_MAX + 1, false },
		{ 'a', 1u << 20, false },     { '"', 1u << 20, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errors errors;
		unsigned int words = 0;
		struct lex lex;
		size_t total;
		char *text = long_line(rows[i].c, rows[i].len, &total), name[64];

		snprintf(name, sizeof(name), "%zu times '%c'", rows[i].len, rows[i].c);
		errors = (struct errors){ .n = 0 };
		CU_ASSERT_EQUAL_FATAL(lex_init(&lex, "f", text, total, errors_note, &errors), 0);
		while (lex_statement(&lex))
			words += lex.line;
		EXPECT(errors.n == !rows[i].fits, name);
		if (errors.n)
			EXPECT(errors.line == 1 && errors.column == LEX_LINE_MAX &&
				       strstr(errors.text, "longer than 64 KiB"),
			       errors.text);
		EXPECT(words == (rows[i].c == 'a' && rows[i].fits ? 3 : 2), name);
		lex_deinit(&lex);
		free(text);
	}
}

static void the_longest_word_and_the_longest_string_fit(void)
{
	struct errors errors;
	struct lex lex;
	size_t total;
	char *text = long_line('a', LEX_LINE_MAX, &total);

	errors = (struct errors){ .n = 0 };
	CU_ASSERT_EQUAL_FATAL(lex_init(&lex, "f", text, total, errors_note, &errors), 0);
	CU_ASSERT_TRUE_FATAL(lex_statement(&lex));
	CU_ASSERT_EQUAL(lex_take(&lex)->len, LEX_LINE_MAX);
	lex_deinit(&lex);

	text[0] = text[LEX_LINE_MAX - 1] = '"';
	CU_ASSERT_EQUAL_FATAL(lex_init(&lex, "f", text, total, errors_note, &errors), 0);
	CU_ASSERT_TRUE_FATAL(lex_statement(&lex));
	CU_ASSERT_EQUAL(lex_take(&lex)->len, LEX_LINE_MAX - 2);
	lex_deinit(&lex);
	CU_ASSERT_EQUAL(errors.n, 0);
	free(text);
}

static void a_statement_has_at_most_256_words(void)
{
	for (size_t n = LEX_TOKENS_MAX - 1; n <= LEX_TOKENS_MAX + 1; n++) {
		struct errors errors = { .n = 0 };
		size_t total, taken = 0;
		char *text = long_line(' ', n * 2, &total);
		struct lex lex;

		for (size_t i = 0; i < n; i++)
			text[i * 2] = 'a';
		CU_ASSERT_EQUAL_FATAL(lex_init(&lex, "f", text, total, errors_note, &errors), 0);
		CU_ASSERT_TRUE_FATAL(lex_statement(&lex));
		while (lex.line == 1 && lex_take(&lex))
			taken++;
		if (n <= LEX_TOKENS_MAX) {
			CU_ASSERT_EQUAL(taken, n);
			CU_ASSERT_EQUAL(errors.n, 0);
		} else {
			CU_ASSERT_EQUAL(lex.line, 2);
			CU_ASSERT_EQUAL(errors.column, LEX_TOKENS_MAX * 2 + 1);
			CU_ASSERT_PTR_NOT_NULL(strstr(errors.text, "too many words"));
		}
		lex_deinit(&lex);
		free(text);
	}
}

static void what_is_missing_is_reported_behind_the_last_word(void)
{
	static const struct {
		const char *text;
		unsigned int column;
	} rows[] = {
		{ "a", 2 }, { "  abc", 6 }, { "a \"b\"", 6 }, { "a b   # c", 4 }, { "\"\"", 3 },
		/* Where it stands in the file, not in what the escapes mean. */
		{ "a \"\\x41\\\"\"", 11 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errors errors = { .n = 0 };
		struct lex lex;

		CU_ASSERT_EQUAL_FATAL(lex_init(&lex, "f", rows[i].text, strlen(rows[i].text),
					       errors_note, &errors),
				      0);
		CU_ASSERT_TRUE_FATAL(lex_statement(&lex));
		while (lex_take(&lex))
			;
		EXPECT(!lex_expect(&lex, "a colour"), rows[i].text);
		EXPECT(errors.n == 1 && errors.column == rows[i].column, errors.text);
		EXPECT(strstr(errors.text, ": expected a colour\n"), errors.text);
		lex_deinit(&lex);
	}
}

static void what_is_wrong_is_reported_at_its_word(void)
{
	static const char text[] = "\n a  bad";
	struct errors errors = { .n = 0 };
	struct lex lex;

	CU_ASSERT_EQUAL_FATAL(lex_init(&lex, "f", text, strlen(text), errors_note, &errors), 0);
	CU_ASSERT_TRUE_FATAL(lex_statement(&lex));
	CU_ASSERT_STRING_EQUAL(lex_expect(&lex, "anything")->text, "a");
	lex_fail(&lex, lex_take(&lex), "no %s but %d", "colour", 7);
	CU_ASSERT_STRING_EQUAL(errors.text, "f:2:5: no colour but 7\n");
	lex_fail_at(&lex, 3, "here");
	CU_ASSERT_STRING_EQUAL(errors.text, "f:2:5: no colour but 7\nf:2:3: here\n");
	CU_ASSERT_EQUAL(lex.errors, 2);
	lex_deinit(&lex);
}

static void lines_of_another_form_are_seen_whole(void)
{
	static const char text[] = "\xef\xbb\xbf" "allow \"a\"b\r\n\n \t\n# c\n\xff\nlast";
	static const struct {
		const char *raw;
		unsigned int line;
		bool cut;
		unsigned int errors; /* after cutting */
	} rows[] = {
		{ "allow \"a\"b\r", 1, false, 1 },
		{ "# c", 4, false, 1 },
		{ "last", 6, true, 2 },
	};
	struct errors errors = { .n = 0 };
	struct lex lex;

	CU_ASSERT_EQUAL_FATAL(lex_init(&lex, "f", text, strlen(text), errors_note, &errors), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CU_ASSERT_TRUE_FATAL(lex_next(&lex));
		EXPECT(lex.line == rows[i].line && lex.raw_len == strlen(rows[i].raw) &&
			       !memcmp(lex.raw, rows[i].raw, lex.raw_len),
		       rows[i].raw);
		EXPECT(!lex_take(&lex), "nothing is cut yet");
		EXPECT(lex_cut(&lex) == rows[i].cut, rows[i].raw);
		EXPECT(errors.n == rows[i].errors, rows[i].raw);
	}
	CU_ASSERT_FALSE(lex_next(&lex));
	CU_ASSERT_FALSE(lex_next(&lex));
	lex_deinit(&lex);
}

static void errors_are_counted_even_if_nobody_listens(void)
{
	static const char text[] = "\"\n\xff\nok\n\"a\"b";
	struct lex lex;

	CU_ASSERT_EQUAL_FATAL(lex_init(&lex, "f", text, strlen(text), NULL, NULL), 0);
	CU_ASSERT_TRUE(lex_statement(&lex));
	CU_ASSERT_EQUAL(lex.line, 3);
	CU_ASSERT_FALSE(lex_statement(&lex));
	CU_ASSERT_EQUAL(lex.errors, 3);
	lex_deinit(&lex);
}

static const struct test tests[] = {
	TEST(statements_are_cut_into_words_and_strings),
	TEST(escapes_in_strings_are_read),
	TEST(broken_lines_are_named_and_the_others_still_read),
	TEST(nul_bytes_are_refused_wherever_they_stand),
	TEST(lines_may_be_64_kib_long_and_no_longer),
	TEST(the_longest_word_and_the_longest_string_fit),
	TEST(a_statement_has_at_most_256_words),
	TEST(what_is_missing_is_reported_behind_the_last_word),
	TEST(what_is_wrong_is_reported_at_its_word),
	TEST(lines_of_another_form_are_seen_whole),
	TEST(errors_are_counted_even_if_nobody_listens),
};

int main(void)
{
	return testing_run("lex", tests, ARRAY_SIZE(tests));
}
