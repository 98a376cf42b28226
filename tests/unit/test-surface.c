// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands and options as completion and suggestions see them. */
#include <string.h>

#include "cli/nearest.h"
#include "cli/surface.h"
#include "core/macro.h"
#include "testing.h"

/* --- a small tool ------------------------------------------------------------------------------ */

static const struct surface_command table[] = {
	{ "list", "", "list" },
	{ "log show", "[FILE]", "show" },
	{ "log verify", "FILE|DIR…", "verify" },
	{ "approve", "NUMBER", "approve" },
};
static const struct surface_option option_table[] = {
	{ "help", NULL, "help" },
	{ "form", "8|10|13-1", "form" },
	{ "format", "FORMAT", "format" },
	{ "json", NULL, "json" },
};

static struct surface_command command_at(size_t i)
{
	return table[i];
}

static struct surface_option option_at(size_t i)
{
	return option_table[i];
}

static bool takes(size_t command, size_t option)
{
	return option == 3 || (option == 2 && command == 1);
}

static const struct surface_value values[] = {
	{ "approve", NULL, "ask numbers" },
	{ "log show", "format", "words text html" },
	{ "list", "form", "" },
};

static const struct surface tool = {
	.program = "tool",
	.n_commands = ARRAY_SIZE(table),
	.n_options = ARRAY_SIZE(option_table),
	.command = command_at,
	.option = option_at,
	.takes = takes,
	.values = values,
	.n_values = ARRAY_SIZE(values),
};

/* --- tests ------------------------------------------------------------------------------------- */

static void a_placeholder_says_what_may_stand(void)
{
	static const struct {
		const char *placeholder;
		const char *kind;
	} rows[] = {
		{ "FILE", "file" },
		{ "[FILE]", "file" },
		{ "PATH", "file" },
		{ "DIR", "dir" },
		{ "FILE|DIR…", "file" },
		{ "DIR|STATE", "dir" },
		{ "ro|rw", "words ro rw" },
		{ "I|II|III", "words I II III" },
		{ "8|10|13-1", "words 8 10 13-1" },
		{ "N|next", "words next" },
		{ "html|svg", "words html svg" },
		{ "N", "" },
		{ "YYYY-MM", "" },
		{ "NUMBER…", "" },
		{ "[NUMBER…|-]", "" },
		{ "KIND[,KIND]", "" },
		{ "LOGIN,…", "" },
		{ "VVVV:PPPP", "" },
		{ "FILENAME", "" },
		{ "", "" },
		{ "|", "" },
		{ "…", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char found[SURFACE_KIND_MAX] = "untouched";

		surface_placeholder_kind(rows[i].placeholder, found);
		EXPECT(!strcmp(found, rows[i].kind), rows[i].placeholder);
	}
}

static void many_words_are_cut_between_words(void)
{
	char placeholder[2048] = "", found[SURFACE_KIND_MAX];

	for (size_t i = 0; i < 200; i++)
		strcat(placeholder, i ? "|word" : "word");
	surface_placeholder_kind(placeholder, found);
	CU_ASSERT(strlen(found) < sizeof(found));
	CU_ASSERT(!strncmp(found, "words word word", 15));
	CU_ASSERT_STRING_EQUAL(found + strlen(found) - 5, " word");
}

static void the_tool_knows_better_than_the_placeholder(void)
{
	char found[SURFACE_KIND_MAX];

	surface_kind(&tool, 3, tool.n_options, found);
	CU_ASSERT_STRING_EQUAL(found, "ask numbers");
	surface_kind(&tool, 1, tool.n_options, found);
	CU_ASSERT_STRING_EQUAL(found, "file");
	surface_kind(&tool, 0, tool.n_options, found);
	CU_ASSERT_STRING_EQUAL(found, "");
	surface_kind(&tool, 0, 1, found);
	CU_ASSERT_STRING_EQUAL(found, "");
	surface_kind(&tool, 2, 1, found);
	CU_ASSERT_STRING_EQUAL(found, "words 8 10 13-1");
	surface_kind(&tool, 1, 2, found);
	CU_ASSERT_STRING_EQUAL(found, "words text html");
	surface_kind(&tool, 2, 2, found);
	CU_ASSERT_STRING_EQUAL(found, "");
}

static void what_all_take_and_what_none_takes_is_common(void)
{
	CU_ASSERT(surface_is_common(&tool, 0));
	CU_ASSERT(!surface_is_common(&tool, 2));
	CU_ASSERT(surface_is_common(&tool, 3));
}

static void what_is_one_slip_away_was_meant(void)
{
	static const struct {
		const char *typed;
		const char *meant; /* NULL: nothing */
	} rows[] = {
		{ "lsit", "list" },	      { "lis", "list" },	{ "listt", "list" },	  { "lost", "list" },
		{ "log shwo", "log show" },   { "aprove", "approve" },	{ "log verfiy", "log verify" }, { "lgo shw", "log show" },
		{ "l", NULL },		      { "", NULL },		{ "xyzzy", NULL },	  { "tsil", NULL },
	};
	char longest[4096];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *found = nearest_command(&tool, rows[i].typed);

		EXPECT(rows[i].meant ? found && !strcmp(found, rows[i].meant) : !found, rows[i].typed);
	}
	memset(longest, 'l', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	CU_ASSERT_PTR_NULL(nearest_command(&tool, longest));
}

static void of_two_options_that_are_as_near_the_longer_one_was_meant(void)
{
	CU_ASSERT_STRING_EQUAL(nearest_option(&tool, "--formt=csv"), "format");
	CU_ASSERT_STRING_EQUAL(nearest_option(&tool, "--frm"), "form");
	CU_ASSERT_STRING_EQUAL(nearest_option(&tool, "--jsn"), "json");
	CU_ASSERT_PTR_NULL(nearest_option(&tool, "-j"));
	CU_ASSERT_PTR_NULL(nearest_option(&tool, "--"));
	CU_ASSERT_PTR_NULL(nearest_option(&tool, "--=json"));
}

int main(void)
{
	static const struct test tests[] = {
		TEST(a_placeholder_says_what_may_stand),
		TEST(many_words_are_cut_between_words),
		TEST(the_tool_knows_better_than_the_placeholder),
		TEST(what_all_take_and_what_none_takes_is_common),
		TEST(what_is_one_slip_away_was_meant),
		TEST(of_two_options_that_are_as_near_the_longer_one_was_meant),
	};

	return testing_run("surface", tests, ARRAY_SIZE(tests));
}
