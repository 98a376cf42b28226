// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/rule-parse and core/rule-format: what is a rule, how it is written back, and what somebody
 * is told who made a mistake. What rules mean is in test-rule-match.c and test-rule-conditions.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/macro.h"
#include "core/rule.h"
#include "testing.h"

static struct arena *arena;

static const struct rule *parse(const char *line)
{
	struct rule_error error;

	return rule_parse(arena, line, strlen(line), &error);
}

/* How a line comes back; "" if it is refused. */
static const char *written(const char *line)
{
	static char out[8192];
	const struct rule *rule = parse(line);

	out[0] = '\0';
	if (rule && rule_format(rule, out, sizeof(out)) >= sizeof(out))
		out[0] = '\0';
	return out;
}

struct row {
	const char *line;
	const char *written; /* NULL: as the line */
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *expected = rows[i].written ? rows[i].written : rows[i].line;
		char once[1024];

		snprintf(once, sizeof(once), "%s", written(rows[i].line));
		EXPECT(!strcmp(once, expected), rows[i].line);
		EXPECT(!strcmp(written(once), once), rows[i].line);
	}
}

static void each_target_is_a_rule(void)
{
	static const struct row rows[] = {
		{"allow", NULL}, {"block", NULL},  {"reject", NULL},
		{"match", NULL}, {"device", NULL},
	};

	check_rows(rows, ARRAY_SIZE(rows));
	CU_ASSERT_EQUAL(parse("allow")->target, RULE_ALLOW);
	CU_ASSERT_EQUAL(parse("block")->target, RULE_BLOCK);
	CU_ASSERT_EQUAL(parse("reject")->target, RULE_REJECT);
	CU_ASSERT_EQUAL(parse("match")->target, RULE_MATCH);
	CU_ASSERT_EQUAL(parse("device")->target, RULE_DEVICE);
}

static void each_attribute_is_read_and_written(void)
{
	static const struct row rows[] = {
		{"allow id 1234:abcd", NULL},
		{"allow id 1234:*", NULL},
		{"allow id *:*", NULL},
		{"allow 1234:abcd", "allow id 1234:abcd"},
		{"allow 1234:*", "allow id 1234:*"},
		{"allow *:*", "allow id *:*"},
		{"allow id ABCD:00Ef", "allow id abcd:00ef"},
		{"allow abcd:EF00", "allow id abcd:ef00"},
		{"allow id face:*", NULL},
		{"allow serial \"5A00-0017\"", NULL},
		{"allow name \"USB DISK 3.0\"", NULL},
		{"allow hash \"Zm9v\"", NULL},
		{"allow parent-hash \"YmFy\"", NULL},
		{"allow via-port \"1-2.3\"", NULL},
		{"allow with-interface 08:06:50", NULL},
		{"allow with-interface 08:06:*", NULL},
		{"allow with-interface 08:*:*", NULL},
		{"allow with-interface E0:aB:fF", "allow with-interface e0:ab:ff"},
		{"allow if true", NULL},
		{"allow with-connect-type \"hotplug\"", NULL},
		{"allow label \"lent\"", NULL},
		{"allow fingerprint \"blake2b:00112233445566778899aabbccddeeff\"", NULL},
		{"allow only-interface 08:06:50", NULL},
		{"allow encrypted luks2", NULL},
		{"allow encrypted optional", NULL},
		{"allow encrypted { luks2 }", "allow encrypted luks2"},
		{"allow encrypted luks2 luks2", "allow encrypted { luks2 luks2 }"},
		{"allow encrypted luks2 access ro", NULL},
		{"allow access ro", NULL},
		{"allow access rw", NULL},
		{"allow for-user \"tanaka\"", NULL},
		{"allow for-group \"madoguchi\"", NULL},
		{"allow on-terminal \"north-*\"", NULL},
		{"allow from 2026-04-01", "allow from 2026-04-01T00:00:00"},
		{"allow from 2026-04-01T08:30", "allow from 2026-04-01T08:30:00"},
		{"allow until 2027-03-31", "allow until 2027-03-31T23:59:59"},
		{"allow until 2027-03-31T17:15", "allow until 2027-03-31T17:15:59"},
		{"allow until 2027-03-31T17:15:30", NULL},
		{"allow from 2026-04-01T00:00:00 until 2026-04-01T00:00:00", NULL},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void attributes_come_in_any_order_and_leave_in_one(void)
{
	static const struct row rows[] = {
		{"allow until 2027-03-31 from 2026-04-01 on-terminal \"t\" for-group \"g\" "
		 "for-user \"u\" "
		 "access ro encrypted luks2 only-interface 08:06:50 fingerprint \"f\" label \"l\" "
		 "with-connect-type \"c\" if true with-interface 08:06:50 via-port \"p\" "
		 "parent-hash \"ph\" "
		 "hash \"h\" name \"n\" serial \"s\" id 1234:abcd",
		 "allow id 1234:abcd serial \"s\" name \"n\" hash \"h\" parent-hash \"ph\" "
		 "via-port \"p\" "
		 "with-interface 08:06:50 if true with-connect-type \"c\" label \"l\" fingerprint "
		 "\"f\" "
		 "only-interface 08:06:50 encrypted luks2 access ro for-user \"u\" for-group \"g\" "
		 "on-terminal \"t\" from 2026-04-01T00:00:00 until 2027-03-31T23:59:59"},
		{"block label \"a\" name \"x\" label \"b\"",
		 "block name \"x\" label { \"a\" \"b\" }"},
		{"block label one-of { \"a\" } label \"b\"", "block label one-of { \"a\" \"b\" }"},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void each_operator_is_read_and_written(void)
{
	static const struct row rows[] = {
		{"allow with-interface all-of { 08:06:50 03:*:* }", NULL},
		{"allow with-interface one-of { 08:06:50 03:*:* }", NULL},
		{"allow with-interface none-of { 08:06:50 03:*:* }", NULL},
		{"allow with-interface equals-ordered { 08:06:50 03:*:* }", NULL},
		{"allow with-interface match-all { 08:06:50 03:*:* }", NULL},
		{"allow with-interface equals { 08:06:50 03:*:* }",
		 "allow with-interface { 08:06:50 03:*:* }"},
		{"allow with-interface { 08:06:50 03:*:* }", NULL},
		{"allow with-interface { 08:06:50 }", "allow with-interface 08:06:50"},
		{"allow with-interface one-of { 08:06:50 }", NULL},
		{"allow id none-of { 1234:abcd 1234:* }", NULL},
		{"allow serial all-of { \"a\" \"b\" }", NULL},
		{"allow name match-all { \"a\" \"b\" }", NULL},
		{"allow hash one-of { \"a\" \"b\" }", NULL},
		{"allow parent-hash { \"a\" \"b\" }", NULL},
		{"allow via-port none-of { \"1-1\" \"1-2\" }", NULL},
		{"allow with-connect-type one-of { \"\" \"hotplug\" }", NULL},
		{"allow label all-of { \"a\" \"b\" }", NULL},
		{"allow if all-of { true !false }", NULL},
		/* Where several values are meant to be alternatives, they are without a word. */
		{"allow for-user one-of { \"a\" \"b\" }", "allow for-user { \"a\" \"b\" }"},
		{"allow for-user equals { \"a\" \"b\" }", NULL},
		{"allow for-group one-of { \"a\" \"b\" }", "allow for-group { \"a\" \"b\" }"},
		{"allow on-terminal one-of { \"a\" \"b\" }", "allow on-terminal { \"a\" \"b\" }"},
		{"allow fingerprint one-of { \"a\" \"b\" }", "allow fingerprint { \"a\" \"b\" }"},
		{"allow only-interface { 08:06:50 08:06:62 }", NULL},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void blanks_and_comments_stand_where_they_may(void)
{
	static const struct row rows[] = {
		{"  \t allow", "allow"},
		{"allow \t ", "allow"},
		{"allow\r", "allow"},
		{"allow \r", "allow"},
		{"allow# lent", "allow"},
		{"allow # lent \"", "allow"},
		{"allow 1234:abcd# lent", "allow id 1234:abcd"},
		{"allow id 1234:abcd\t#", "allow id 1234:abcd"},
		{"allow\tid  1234:abcd \t name\t\"x\"", "allow id 1234:abcd name \"x\""},
		{"allow name {\"a\" \t \"b\"}", "allow name { \"a\" \"b\" }"},
		{"allow name {  \"a\"\t}#x", "allow name \"a\""},
		{"allow name one-of \t {\"a\"}", "allow name one-of { \"a\" }"},
		{"allow name \"#\" # \"#\"", "allow name \"#\""},
		{"allow if { true }#", "allow if true"},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void strings_print_as_themselves_if_that_is_harmless(void)
{
	static const struct row rows[] = {
		{"allow name \"\"", NULL},
		{"allow name \"関守の媒体 ﾊﾝｶｸ\"", NULL},
		{"allow name \"\\xe9\\x96\\xA2\\xe5\\xae\\x88\"", "allow name \"関守\""},
		{"allow name \"辻\U000E0100\U0001F511é\"", NULL},
		{"allow name \"\\\"\\\\\"", NULL},
		{"allow name \"\\x22\\x5c\"", "allow name \"\\\"\\\\\""},
		{"allow name \"'#{}()*:!\"", NULL},
		{"allow name \"\\x41\"", "allow name \"A\""},
		{"allow name \"a\tb\"", "allow name \"a\\x09b\""},
		{"allow name \"\x1b[2J\x07\x7f\"", "allow name \"\\x1b[2J\\x07\\x7f\""},
		{"allow name \"\\x0A\\x0d\\x00\"", "allow name \"\\x0a\\x0d\\x00\""},
		{"allow name \"\u202egpj.exe\"", "allow name \"\\xe2\\x80\\xaegpj.exe\""},
		{"allow name \"\u200b\u2066\u061c\ufeff\"",
		 "allow name \"\\xe2\\x80\\x8b\\xe2\\x81\\xa6\\xd8\\x9c\\xef\\xbb\\xbf\""},
		{"allow name \"\xc2\x85\u2028\"", "allow name \"\\xc2\\x85\\xe2\\x80\\xa8\""},
		{"allow on-terminal \"\u202e\"", "allow on-terminal \"\\xe2\\x80\\xae\""},
		/* Bytes that no string of a device holds, since it is read as UTF-8. */
		{"allow name \"a\\xffb\"", "allow name \"a\ufffdb\""},
		{"allow name \"\\xe9\\x96\"", "allow name \"\ufffd\ufffd\""},
		{"allow name \"\\xed\\xa0\\x80\"", "allow name \"\ufffd\ufffd\ufffd\""},
		{"allow name \"\\xff\\x00\"", "allow name \"\\xff\\x00\""},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

static void each_condition_is_read_and_written(void)
{
	static const struct row rows[] = {
		{"allow if true", NULL},
		{"allow if false", NULL},
		{"allow if !true", NULL},
		{"allow if true(anything)", "allow if true"},
		{"allow if !false(\\x0a\\)\\0\\'\"#)", "allow if !false"},
		{"allow if random", NULL},
		{"allow if random(0.25)", NULL},
		{"allow if random(0)", NULL},
		{"allow if random(1)", NULL},
		{"allow if random(.5)", NULL},
		{"allow if localtime(08:30-17:15)", NULL},
		{"allow if !localtime(8:30)", NULL},
		{"allow if localtime(22:00-06:00)", NULL},
		{"allow if localtime(Mon-Fri 08:30:00-24:00)", NULL},
		{"allow if rule-applied", NULL},
		{"allow if rule-applied(90)", NULL},
		{"allow if rule-applied(90s)", NULL},
		{"allow if rule-applied(10m)", NULL},
		{"allow if rule-applied(8h)", NULL},
		{"allow if rule-applied(2d)", NULL},
		{"allow if rule-applied(08:30)", NULL},
		{"allow if rule-evaluated(100:00:01)", NULL},
		{"allow if !rule-evaluated", NULL},
		{"allow if allowed-matches(id 1234:ABCD name \"x\")",
		 "allow if allowed-matches(id 1234:abcd name \"x\")"},
		{"allow if allowed-matches(1234:*)", "allow if allowed-matches(id 1234:*)"},
		{"allow if allowed-matches(#any)", "allow if allowed-matches(id *:*)"},
		{"allow if allowed-matches(  with-interface one-of { 09:*:* 0b:*:* })",
		 "allow if allowed-matches(with-interface one-of { 09:*:* 0b:*:* })"},
		{"allow if allowed-matches(on-terminal \"north-*\" # x)",
		 "allow if allowed-matches(on-terminal \"north-*\")"},
		/* Neither \" nor ) can stand in an argument, and nothing raw that a terminal obeys. */
		{"allow if allowed-matches(name \"a\\x22b\\x29\x1b\")",
		 "allow if allowed-matches(name \"a\\x22b\\x29\\x1b\")"},
		{"allow if allowed-matches(if !false)", NULL},
		{"allow if { true !false random(0.5) }", NULL},
		{"allow if one-of {localtime(10:00) !rule-applied}",
		 "allow if one-of { localtime(10:00) !rule-applied }"},
	};

	check_rows(rows, ARRAY_SIZE(rows));
}

/* What a mistake is answered with: a place, and what would have been right there. */
static void mistakes_are_told_where_they_are(void)
{
	static const struct {
		const char *line;
		unsigned int column;
		const char *message; /* some part of it */
	} rows[] = {
		{"", 1, "allow, block, reject, match or device"},
		{"  allways", 3, "allow, block"},
		{"Allow", 1, "allow, block"},
		{"allowx", 1, "allow, block"},
		{"allowblock", 1, "allow, block"},
		{"allow\"x\"", 6, "expected a blank"},
		{"allow 1234:567g", 7, "1234:abcd"},
		{"allow *:5678", 7, "product without its vendor"},
		{"allow id *:5678", 10, "product without its vendor"},
		{"allow id 123:5678", 10, "1234:abcd"},
		{"allow id 1234", 10, "1234:abcd"},
		{"allow id 1234#5678", 10, "1234:abcd"},
		{"allow id *", 10, "1234:abcd"},
		{"allow id 1234:56789", 19, "expected a blank"},
		{"allow id", 9, "a value after id"},
		{"allow id ", 10, "1234:abcd"},
		{"allow 1234:5678 id 1234:5678", 17, "given twice: id"},
		{"allow id 1234:5678 1234:5678", 20, "expected an attribute"},
		{"allow nmae \"x\"", 7, "expected an attribute"},
		{"allow Name \"x\"", 7, "expected an attribute"},
		{"allow name", 11, "a value after name"},
		{"allow name x", 12, "expected a \"string\""},
		{"allow name \"x", 12, "does not end"},
		{"allow name \"x\\\"", 12, "does not end"},
		{"allow name \"x\r\"", 12, "does not end"},
		{"allow name \"a\\q\"", 14, "unknown escape"},
		{"allow name \"a\\x4\"", 14, "unknown escape"},
		{"allow name \"a\\xg0\"", 14, "unknown escape"},
		{"allow name \"a\\n\"", 14, "unknown escape"},
		{"allow name \"a\\x", 14, "unknown escape"},
		{"allow name \"a\"serial \"b\"", 15, "expected a blank"},
		{"allow name \"a\" name \"b\"", 16, "given twice: name"},
		{"allow serial \"a\" serial \"b\"", 18, "given twice: serial"},
		{"allow hash \"a\" hash \"b\"", 16, "given twice: hash"},
		{"allow parent-hash \"a\" parent-hash \"b\"", 23, "given twice: parent-hash"},
		{"allow via-port \"a\" via-port \"b\"", 20, "given twice: via-port"},
		{"allow with-interface 01:*:* with-interface 02:*:*", 29,
		 "given twice: with-interface"},
		{"allow with-connect-type \"a\" with-connect-type \"b\"", 29, "given twice"},
		{"allow if true if true", 15, "given twice: if"},
		{"allow fingerprint \"a\" fingerprint \"b\"", 23, "given twice"},
		{"allow only-interface 01:*:* only-interface 02:*:*", 29, "given twice"},
		{"allow encrypted luks2 encrypted luks2", 23, "given twice"},
		{"allow access ro access ro", 17, "given twice: access"},
		{"allow for-user \"a\" for-user \"b\"", 20, "given twice"},
		{"allow for-group \"a\" for-group \"b\"", 21, "given twice"},
		{"allow on-terminal \"a\" on-terminal \"b\"", 23, "given twice"},
		{"allow from 2026-01-01 from 2026-01-01", 23, "given twice"},
		{"allow until 2026-01-01 until 2026-01-01", 24, "given twice"},
		{"allow name { }", 14, "empty set"},
		{"allow name {", 13, "expected a \"string\""},
		{"allow name { \"a\"", 17, "expected a blank or }"},
		{"allow name { \"a\" ", 18, "expected a \"string\""},
		{"allow name { \"a\"\"b\" }", 17, "expected a blank or }"},
		{"allow name { \"a\", \"b\" }", 17, "expected a blank or }"},
		{"allow name{ \"a\" }", 11, "a value after name"},
		{"allow name all-of{ \"a\" }", 18, "a blank and { after all-of"},
		{"allow name all-of \"a\"", 19, "a blank and { after all-of"},
		{"allow name any-of { \"a\" }", 12, "expected a \"string\""},
		{"allow with-interface 08:*:50", 22, "08:06:50"},
		{"allow with-interface *:*:*", 22, "08:06:50"},
		{"allow with-interface 8:06:50", 22, "08:06:50"},
		{"allow with-interface 08:06", 22, "08:06:50"},
		{"allow with-interface 08:06:50:01", 30, "expected a blank"},
		{"allow if", 9, "a value after if"},
		{"allow if sunny", 10, "expected a condition"},
		{"allow if !", 11, "expected a condition"},
		{"allow if !!true", 11, "expected a condition"},
		{"allow if true()", 14, "argument is empty"},
		{"allow if localtime", 19, "expected (…) after localtime"},
		{"allow if allowed-matches", 25, "expected (…) after allowed-matches"},
		{"allow if localtime(25:00)", 20, "08:30-17:15"},
		{"allow if localtime(17:15x)", 20, "08:30-17:15"},
		{"allow if localtime(Mon)", 20, "days like Mon-Fri"},
		{"allow if localtime(10:00", 19, "expected )"},
		{"allow if localtime(10:00\\)", 19, "expected )"},
		{"allow if localtime(10:00\\q)", 25, "unknown escape"},
		{"allow if localtime(\\x4)", 20, "unknown escape"},
		{"allow if random(2)", 17, "from 0 to 1"},
		{"allow if random(-1)", 17, "from 0 to 1"},
		{"allow if random(1.01)", 17, "from 0 to 1"},
		{"allow if random(nan)", 17, "from 0 to 1"},
		{"allow if random(0x1p-1)", 17, "from 0 to 1"},
		{"allow if random(1e-3)", 17, "from 0 to 1"},
		{"allow if random( 0.5)", 17, "from 0 to 1"},
		{"allow if random(0.5.5)", 17, "from 0 to 1"},
		{"allow if random(.)", 17, "from 0 to 1"},
		{"allow if rule-applied(0)", 23, "expected a duration"},
		{"allow if rule-applied(0:00)", 23, "expected a duration"},
		{"allow if rule-applied(90x)", 23, "expected a duration"},
		{"allow if rule-applied(90mm)", 23, "expected a duration"},
		{"allow if rule-applied(m)", 23, "expected a duration"},
		{"allow if rule-applied(1:)", 23, "expected a duration"},
		{"allow if rule-applied(1:2:3:4)", 23, "expected a duration"},
		{"allow if rule-applied(1:2m)", 23, "expected a duration"},
		{"allow if rule-applied(1234567890)", 23, "expected a duration"},
		{"allow if rule-evaluated( 90)", 25, "expected a duration"},
		{"allow if allowed-matches( )", 26, "expected an attribute"},
		{"allow if allowed-matches(nmae \"x\")", 26, "expected an attribute"},
		{"allow if allowed-matches(id *:1234)", 26, "product without its vendor"},
		{"allow if allowed-matches(name \"x\" )", 26, "expected an attribute"},
		{"allow if allowed-matches(name \")\")", 26, "does not end"},
		{"allow if allowed-matches(access ro)", 26, "only allow"},
		{"allow if { }", 12, "empty set"},
		{"allow if true false", 15, "expected an attribute"},
		{"allow access", 13, "a value after access"},
		{"allow access read", 14, "ro or rw"},
		{"allow access { ro }", 14, "ro or rw"},
		{"allow encrypted rot13", 17, "luks2"},
		{"allow encrypted luks2 optional", 23, "expected an attribute"},
		{"allow encrypted { luks2 optional }", 1, "optional stands alone"},
		{"allow encrypted one-of { luks2 }", 17, "takes no operator"},
		{"allow only-interface all-of { 08:06:50 }", 22, "takes no operator"},
		{"block access ro", 1, "only allow"},
		{"reject encrypted luks2", 1, "only allow"},
		{"allow for-user tanaka", 16, "expected a \"string\""},
		{"allow from tomorrow", 12, "2026-04-01"},
		{"allow from { 2026-04-01 }", 12, "2026-04-01"},
		{"allow until { 2026-04-01 }", 13, "2026-04-01"},
		{"allow until 2026-02-30", 13, "2026-04-01"},
		{"allow until 2026-04-01T8:30", 13, "2026-04-01"},
		{"allow from 2027-01-01 until 2026-12-31", 1, "ends before it begins"},
		{"allow\n", 6, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rule_error error;

		EXPECT(!rule_parse(arena, rows[i].line, strlen(rows[i].line), &error),
		       rows[i].line);
		if (error.column != rows[i].column || !strstr(error.message, rows[i].message)) {
			char row[512];

			snprintf(row, sizeof(row), "%s -> %u: %s", rows[i].line, error.column,
				 error.message);
			EXPECT(false, row);
		}
		EXPECT(error.message[0], rows[i].line);
	}
}

static void a_line_that_begins_with_a_target_begins_like_a_rule(void)
{
	static const struct {
		const char *line;
		bool begins;
	} rows[] = {
		{"allow", true},    {" \tblock x", true}, {"reject#", true},  {"match ", true},
		{"device\"", true}, {"", false},          {"# allow", false}, {"medium", false},
		{"allowed", false}, {"allow-all", false}, {"ALLOW", false},   {"\"allow\"", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(rule_begins(rows[i].line, strlen(rows[i].line)) == rows[i].begins,
		       rows[i].line);
	CU_ASSERT_FALSE(rule_begins("allow", 4));
}

/* The line ends where it is said to, not at a NUL; a NUL in it is an error like any other
 * character. */
static void the_length_of_the_line_counts(void)
{
	static const char line[] = "allow name \"ab\" label \"c\"";
	struct rule_error error;

	for (size_t len = 0; len < sizeof(line); len++) {
		/* A block of its own, so that a byte too far is seen. */
		char *copy = malloc(len + 1), *cut = realloc(copy, len ? len : 1);
		const struct rule *rule;

		memcpy(cut, line, len);
		rule = rule_parse(arena, cut, len, &error);
		CU_ASSERT_EQUAL(!!rule, len == 5 || len == 6 || len == 15 || len == 16 ||
						len == sizeof(line) - 1);
		CU_ASSERT(rule || (error.column >= 1 && error.column <= len + 1));
		free(cut);
	}
	CU_ASSERT_PTR_NULL(rule_parse(arena, "allow\0", 6, &error));
}

static void too_many_values_are_refused(void)
{
	static const char head[] = "allow label {", value[] = " \"\"";
	const size_t n = 65536, head_len = sizeof(head) - 1, value_len = sizeof(value) - 1;
	char *line = malloc(head_len + n * value_len + 2);
	struct rule_error error;
	const struct rule *rule;

	memcpy(line, head, head_len);
	for (size_t i = 0; i < n; i++)
		memcpy(line + head_len + i * value_len, value, value_len);
	strcpy(line + head_len + (n - 1) * value_len, "}");
	rule = rule_parse(arena, line, strlen(line), &error);
	CU_ASSERT(rule && rule->attrs->n == n - 1);
	memcpy(line + head_len + (n - 1) * value_len, value, value_len);
	strcpy(line + head_len + n * value_len, "}");
	CU_ASSERT_PTR_NULL(rule_parse(arena, line, strlen(line), &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "too many values"));
	free(line);
}

static void writing_stops_at_the_end_of_the_room(void)
{
	static const char line[] = "allow id 1234:abcd name \"関守\\x1b\" if !localtime(10:00)";
	const struct rule *rule = parse(line);
	char out[sizeof(line)];

	CU_ASSERT_EQUAL(rule_format(rule, NULL, 0), sizeof(line) - 1);
	for (size_t size = 1; size <= sizeof(line); size++) {
		memset(out, 'x', sizeof(out));
		CU_ASSERT_EQUAL(rule_format(rule, out, size), sizeof(line) - 1);
		CU_ASSERT_EQUAL(strnlen(out, sizeof(out)), size - 1);
		CU_ASSERT_EQUAL(strncmp(out, line, size - 1), 0);
	}
}

static void a_string_alone_is_written_as_in_a_rule(void)
{
	char out[64];

	CU_ASSERT_EQUAL(rule_format_string("a\"\x1b関", 6, out, sizeof(out)), 12);
	CU_ASSERT_STRING_EQUAL(out, "\"a\\\"\\x1b関\"");
	CU_ASSERT_EQUAL(rule_format_string("\xff\0", 2, out, sizeof(out)), 10);
	CU_ASSERT_STRING_EQUAL(out, "\"\\xff\\x00\"");
	CU_ASSERT_EQUAL(rule_format_string("", 0, NULL, 0), 2);
}

static void a_rule_knows_what_it_asks_about(void)
{
	static const struct {
		const char *line;
		bool allowed_matches, remembers;
	} rows[] = {
		{"allow", false, false},
		{"allow if { true localtime(10:00) random }", false, false},
		{"allow if { true allowed-matches(*:*) }", true, false},
		{"allow if { true !rule-applied }", false, true},
		{"allow if rule-evaluated(1m)", false, true},
		{"allow if { rule-applied allowed-matches(*:*) }", true, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct rule *rule = parse(rows[i].line);

		EXPECT(rule->allowed_matches == rows[i].allowed_matches, rows[i].line);
		EXPECT(rule->remembers == rows[i].remembers, rows[i].line);
	}
	CU_ASSERT_PTR_NOT_NULL(rule_attr(parse("allow name \"x\" label \"y\""), RULE_LABEL));
	CU_ASSERT_PTR_NULL(rule_attr(parse("allow name \"x\" label \"y\""), RULE_SERIAL));
	CU_ASSERT_PTR_NULL(rule_attr(parse("allow"), RULE_ID));
}

static void rules_written_alike_share_a_key(void)
{
	uint64_t key = rule_key(parse("allow id 1234:abcd name \"x\""));

	CU_ASSERT_EQUAL(key, rule_key(parse("allow  name \"\\x78\" id 1234:ABCD # other")));
	CU_ASSERT_NOT_EQUAL(key, rule_key(parse("block id 1234:abcd name \"x\"")));
	CU_ASSERT_NOT_EQUAL(key, rule_key(parse("allow id 1234:abcd name \"y\"")));
	CU_ASSERT_NOT_EQUAL(key, rule_key(parse("allow id 1234:abcd")));
}

static void words_of_the_language_are_told(void)
{
	CU_ASSERT_STRING_EQUAL(rule_target_name(RULE_REJECT), "reject");
	CU_ASSERT_STRING_EQUAL(rule_attr_word(RULE_PARENT_HASH), "parent-hash");
	CU_ASSERT_STRING_EQUAL(rule_attr_word(RULE_UNTIL), "until");
	CU_ASSERT_STRING_EQUAL(encryption_name(ENCRYPTION_LUKS2), "luks2");
	CU_ASSERT_STRING_EQUAL(encryption_name(ENCRYPTION_OPTIONAL), "optional");
	CU_ASSERT_STRING_EQUAL(encryption_name(1 << 6), "");
	CU_ASSERT_EQUAL(encryption_find("luks2", 5), ENCRYPTION_LUKS2);
	CU_ASSERT_EQUAL(encryption_find("luks2", 4), 0);
	CU_ASSERT_EQUAL(encryption_find("optional", 8), 0);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(each_target_is_a_rule),
		TEST(each_attribute_is_read_and_written),
		TEST(attributes_come_in_any_order_and_leave_in_one),
		TEST(each_operator_is_read_and_written),
		TEST(blanks_and_comments_stand_where_they_may),
		TEST(strings_print_as_themselves_if_that_is_harmless),
		TEST(each_condition_is_read_and_written),
		TEST(mistakes_are_told_where_they_are),
		TEST(a_line_that_begins_with_a_target_begins_like_a_rule),
		TEST(the_length_of_the_line_counts),
		TEST(too_many_values_are_refused),
		TEST(writing_stops_at_the_end_of_the_room),
		TEST(a_string_alone_is_written_as_in_a_rule),
		TEST(a_rule_knows_what_it_asks_about),
		TEST(rules_written_alike_share_a_key),
		TEST(words_of_the_language_are_told),
	};
	int status;

	arena = arena_new();
	status = testing_run("rule", tests, ARRAY_SIZE(tests));
	arena = arena_free(arena);
	return status;
}
