// SPDX-License-Identifier: GPL-2.0-or-later
/* core/csv: tables that go to a spreadsheet and come back the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/csv.h"
#include "core/macro.h"
#include "testing.h"

static char *copy(const char *text)
{
	char *out = strdup(text);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	return out;
}

static void cells_are_quoted_and_guarded_only_where_needed(void)
{
	static const struct {
		const char *text;
		const char *cell;
	} rows[] = {
		{"", ""},
		{"plain", "plain"},
		{"a,b", "\"a,b\""},
		{"say \"x\"", "\"say \"\"x\"\"\""},
		{"two\nlines", "\"two\nlines\""},
		{" edge", "\" edge\""},
		{"=1+1", "'=1+1"},
		{"+81", "'+81"},
		{"-5", "'-5"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"＝1", "'＝1"},
		{"\tx", "'\tx"},
		{"\rx", "\"'\rx\""},
		{"'", "''"},
		{"'x", "''x"},
		{"=\"a\",b", "\"'=\"\"a\"\",b\""},
		{"a=b", "a=b"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char out[256];
		size_t n = csv_cell(rows[i].text, out);

		EXPECT(!strcmp(out, rows[i].cell), rows[i].text);
		EXPECT(n == strlen(out) && n <= CSV_CELL_MAX(strlen(rows[i].text)), rows[i].text);
	}
}

/* Every text of up to five of these characters, three in a row. */
static void what_is_written_is_read_back(void)
{
	static const char *const letters[] = {"a", ",", "\"", "\r", "\n", "'", "=", " ", "＝", "-"};
	char text[32], line[512], *cells[4];
	size_t n, wrong = 0;

	for (unsigned int code = 0; code < 111111; code++) {
		struct csv csv;
		size_t at = 0;

		text[0] = '\0';
		/* Base 11 digits, 0 the end of the text. */
		for (unsigned int rest = code; rest % 11; rest /= 11)
			strcat(text, letters[rest % 11 - 1]);
		for (unsigned int i = 0; i < 3; i++) {
			at += csv_cell(text, line + at);
			line[at++] = ',';
		}
		strcpy(line + at, "end" CSV_END "next");
		wrong += csv_init(&csv, line, strlen(line)) || csv_next(&csv, cells, 4, &n) ||
			 n != 4 || strcmp(cells[0], text) || strcmp(cells[1], text) ||
			 strcmp(cells[2], text) || strcmp(cells[3], "end") ||
			 csv_next(&csv, cells, 4, &n) || n != 1 || strcmp(cells[0], "next");
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void lines_are_counted_over_breaks_in_cells_and_empty_lines(void)
{
	_cleanup_(freep) char *text = copy(CSV_BOM "a,b\r\n\r\n\"x\ny\nz\",2\n3,4\r\n");
	char *cells[4];
	struct csv csv;
	size_t n;

	CU_ASSERT_EQUAL(csv_init(&csv, text, strlen(text)), 0);
	CU_ASSERT_EQUAL(csv_next(&csv, cells, 4, &n), 0);
	CU_ASSERT(csv.line == 1 && n == 2 && !strcmp(cells[0], "a") && !strcmp(cells[1], "b"));
	CU_ASSERT_EQUAL(csv_next(&csv, cells, 4, &n), 0);
	CU_ASSERT(csv.line == 3 && n == 2 && !strcmp(cells[0], "x\ny\nz"));
	CU_ASSERT_EQUAL(csv_next(&csv, cells, 4, &n), 0);
	CU_ASSERT(csv.line == 6 && n == 2 && !strcmp(cells[1], "4"));
	CU_ASSERT_EQUAL(csv_next(&csv, cells, 4, &n), CSV_E_END);
	CU_ASSERT_EQUAL(csv_next(&csv, cells, 4, &n), CSV_E_END);
}

static void the_last_cell_may_be_empty_and_the_last_line_open(void)
{
	static const struct {
		const char *text;
		size_t n;
	} rows[] = {{"a,", 2}, {",", 2}, {",,\n", 3}, {"a,\"\"", 2}, {"\"\",\r\n", 2}, {"a", 1}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(freep) char *text = copy(rows[i].text);
		char *cells[4];
		struct csv csv;
		size_t n;

		EXPECT(!csv_init(&csv, text, strlen(text)), rows[i].text);
		EXPECT(!csv_next(&csv, cells, 4, &n) && n == rows[i].n, rows[i].text);
		EXPECT(csv_next(&csv, cells, 4, &n) == CSV_E_END, rows[i].text);
	}
}

static void bad_tables_are_refused(void)
{
	static const struct {
		const char *text;
		int code;
	} rows[] = {
		{"\"open", CSV_E_QUOTE}, {"\"open\n\"\"", CSV_E_QUOTE}, {"\"a\"b,c", CSV_E_QUOTE},
		{"a\"b,c", CSV_E_QUOTE}, {"\"a\"\rb", CSV_E_QUOTE},     {"1,2,3,4,5", CSV_E_CELLS},
		{"", CSV_E_END},         {"\r\n\n", CSV_E_END},         {CSV_BOM, CSV_E_END},
	};
	char sjis[] = "a\n\x8a\xc7\x97\x9d", nul[] = "a\0b";
	struct csv csv;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(freep) char *text = copy(rows[i].text);
		char *cells[4];
		size_t n;

		EXPECT(!csv_init(&csv, text, strlen(text)), rows[i].text);
		EXPECT(csv_next(&csv, cells, 4, &n) == rows[i].code, rows[i].text);
	}
	CU_ASSERT_EQUAL(csv_init(&csv, sjis, strlen(sjis)), CSV_E_BYTES);
	CU_ASSERT_EQUAL(csv.line, 2);
	CU_ASSERT_EQUAL(csv_init(&csv, nul, 3), CSV_E_BYTES);
}

static void an_apostrophe_of_ones_own_stays(void)
{
	char text[] = "'abc,'70s";
	char *cells[2];
	struct csv csv;
	size_t n;

	csv_init(&csv, text, strlen(text));
	CU_ASSERT_EQUAL(csv_next(&csv, cells, 2, &n), 0);
	CU_ASSERT_STRING_EQUAL(cells[0], "'abc");
	CU_ASSERT_STRING_EQUAL(cells[1], "'70s");
}

int main(void)
{
	static const struct test tests[] = {
		TEST(cells_are_quoted_and_guarded_only_where_needed),
		TEST(what_is_written_is_read_back),
		TEST(lines_are_counted_over_breaks_in_cells_and_empty_lines),
		TEST(the_last_cell_may_be_empty_and_the_last_line_open),
		TEST(bad_tables_are_refused),
		TEST(an_apostrophe_of_ones_own_stays),
	};

	return testing_run("csv", tests, ARRAY_SIZE(tests));
}
