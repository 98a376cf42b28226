// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log/logfilter.h"
#include "log/logrecord.h"
#include "testing.h"

#define BEGIN "{\"seq\":7,\"time\":\"2026-11-21T08:30:00.500000Z\",\"boot_us\":1,"
#define AT INT64_C(1795249800500000)

#define DENIED                                                                                                   \
	BEGIN "\"kind\":\"denied\",\"terminal\":\"mado-03\",\"device\":\"1-2\",\"id\":\"46f4:0001\",\"serial\":\"A1\"," \
	      "\"product\":\"allowed\",\"reason\":\"not-registered\",\"user\":\"tanaka\",\"uid\":1001}"

static bool match_line(const struct logfilter *filter, const struct logset_line *line)
{
	struct json_object *record = logfilter_match(filter, line);
	bool matched = record;

	json_object_put(record);
	return matched;
}

static bool match(const struct logfilter *filter, const char *text)
{
	struct logset_line line = {.text = text, .len = strlen(text)};

	return match_line(filter, &line);
}

static void each_member_decides(void)
{
	static const struct {
		const char *name;
		struct logfilter filter;
		bool matches;
	} rows[] = {
		{"nothing", {.person = NULL}, true},
		{"user", {.person = "tanaka"}, true},
		{"part of a user", {.person = "tana"}, false},
		{"uid", {.person = "1001"}, true},
		{"part of a uid", {.person = "100"}, false},
		{"a value of another member", {.person = "mado-03"}, false},
		{"port", {.device = "1-2"}, true},
		{"id", {.device = "46f4:0001"}, true},
		{"serial", {.device = "A1"}, true},
		{"product is no device", {.device = "allowed"}, false},
		{"kind", {.kinds = {"denied"}}, true},
		{"one of two kinds", {.kinds = {"allowed", "denied"}}, true},
		{"a kind that stands elsewhere", {.kinds = {"allowed"}}, false},
		{"verdict", {.verdict = "block"}, true},
		{"other verdict", {.verdict = "allow"}, false},
		{"reason", {.reason = "not-registered"}, true},
		{"other reason", {.reason = "proved"}, false},
		{"terminal", {.terminal = "mado-03"}, true},
		{"no medium", {.medium = "ZEI-1"}, false},
		{"since then", {.since_us = AT}, true},
		{"since later", {.since_us = AT + 1}, false},
		{"until then, which is exclusive", {.until_us = AT}, false},
		{"until later", {.until_us = AT + 1}, true},
		{"all at once",
		 {.person = "tanaka", .device = "1-2", .kinds = {"denied"}, .verdict = "block", .since_us = 1},
		 true},
		{"all but one", {.person = "tanaka", .device = "1-3", .kinds = {"denied"}}, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(match(&rows[i].filter, DENIED) == rows[i].matches, rows[i].name);
}

/* The first look is at bytes: it must not overlook what JSON writes in another way. */
static void a_record_is_found_however_json_writes_it(void)
{
	static const struct {
		const char *name, *line;
		struct logfilter filter;
	} rows[] = {
		{"escaped letters", BEGIN "\"kind\":\"seat\",\"user\":\"\\u0074anaka\"}", {.person = "tanaka"}},
		{"quote", BEGIN "\"kind\":\"seat\",\"user\":\"a\\\"b\"}", {.person = "a\"b"}},
		{"backslash", BEGIN "\"kind\":\"seat\",\"user\":\"a\\\\b\"}", {.person = "a\\b"}},
		{"escape character", BEGIN "\"kind\":\"held\",\"serial\":\"\\u001b[31m\"}", {.device = "\x1b[31m"}},
		{"bidi", BEGIN "\"kind\":\"held\",\"serial\":\"\\u202eX\"}", {.device = "\u202eX"}},
		{"Japanese", BEGIN "\"kind\":\"seat\",\"user\":\"田中\"}", {.person = "田中"}},
		{"kind", BEGIN "\"kind\":\"\\u0073eat\"}", {.kinds = {"seat"}}},
		{"blanks, and time elsewhere", "{ \"kind\" : \"seat\", \"time\" : \"2026-11-21T08:30:00.500000Z\" }",
		 {.kinds = {"seat"}, .since_us = AT, .until_us = AT + 1}},
		{"verdict of one interface",
		 BEGIN "\"kind\":\"allowed\",\"verdicts\":[{\"verdict\":\"allow\"},{\"verdict\":\"block\",\"reason\":\"x\"}]}",
		 {.verdict = "block", .reason = "x"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(match(&rows[i].filter, rows[i].line), rows[i].name);
}

static void what_is_no_record_never_matches(void)
{
	static const char *const lines[] = {
		"", "{", "{}}", "[]", "[1]", "null", "{} {}", "{\"a\":1}x", "{'a':1}", "{\"a\":NaN}", "\x1b{}", "{\"a\":1,}",
		"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}}",
	};
	struct logfilter filter = {.person = NULL};
	struct logset_line line = {.text = DENIED, .len = strlen(DENIED)};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		EXPECT(!match(&filter, lines[i]), lines[i]);
	for (size_t len = 0; len < strlen(DENIED); len++) {
		line.len = len;
		CU_ASSERT(!match_line(&filter, &line));
	}
	line.len = strlen(DENIED);
	CU_ASSERT(match_line(&filter, &line));
	line.cut = true;
	CU_ASSERT(!match_line(&filter, &line));
	line.cut = false;
	line.too_long = true;
	CU_ASSERT(!match_line(&filter, &line));
}

/* 2026-11-21T08:30:15Z, 17:30:15 in Tokyo. */
#define NOW INT64_C(1795249815000000)

static void moments_are_read_as_local_time(void)
{
	static const struct {
		const char *text;
		bool end;
		int64_t seconds; /* 0: refused */
	} rows[] = {
		{"2026-11-21", false, 1795186800},	  {"2026-11-21", true, 1795273200},
		{"2026-11-21T08:30", false, 1795217400},  {"2026-11-21T08:30", true, 1795217460},
		{"2026-11-21T08:30:05", true, 1795217405}, {"today", false, 1795186800},
		{"today", true, 1795273200},		  {"yesterday", false, 1795100400},
		{"yesterday", true, 1795186800},	  {"now", false, 1795249815},
		{"-7d", false, 1795249815 - 7 * 86400},	  {"-90s", true, 1795249815 - 90},
		{"-2w", false, 1795249815 - 14 * 86400},  {"2026-12-31", true, 1798729200},
		{"", false, 0},				  {"2026-02-30", false, 0},
		{"2026-13-01", false, 0},		  {"2026-11-21T24:30", false, 0},
		{"2026-11-21 08:30", false, 0},		  {"tomorrow", false, 0},
		{"-d", false, 0},			  {"-7", false, 0},
		{"-7days", false, 0},			  {"7d", false, 0},
		{"-9999999d", false, 0},
	};

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t us = 0;
		bool good = logfilter_moment_parse(rows[i].text, NOW, rows[i].end, &us);

		EXPECT(good == (rows[i].seconds != 0), rows[i].text);
		EXPECT(!good || us == rows[i].seconds * 1000000, rows[i].text);
	}
}

static void a_day_with_another_length_is_whole(void)
{
	int64_t begin, end;

	/* Summer time ends: 25 hours. */
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	CU_ASSERT(logfilter_moment_parse("2026-10-25", NOW, false, &begin));
	CU_ASSERT(logfilter_moment_parse("2026-10-25", NOW, true, &end));
	CU_ASSERT_EQUAL(end - begin, INT64_C(25) * 3600 * 1000000);
}

static void texts_of_members_are_one_safe_line(void)
{
	static const char line[] = "{\"a\":\"\\u001b[31m\\n\\u0000\\\\\\u202e\",\"n\":-5,\"t\":true,\"o\":{\"x\":[1]},\"z\":null}";
	struct json_object *record = logrecord_parse(line, strlen(line));
	static const struct {
		const char *key, *want;
	} rows[] = {
		{"a", "\\x1B[31m\\x0A\\x00\\\\\\u{202E}"}, {"n", "-5"}, {"t", "true"}, {"o", "{\"x\":[1]}"}, {"z", ""},
		{"absent", ""},
	};

	CU_ASSERT_PTR_NOT_NULL_FATAL(record);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = logrecord_text(record, rows[i].key);

		EXPECT(!strcmp(text, rows[i].want), rows[i].key);
		free(text);
	}
	json_object_put(record);
}

static const struct test tests[] = {
	TEST(each_member_decides),
	TEST(a_record_is_found_however_json_writes_it),
	TEST(what_is_no_record_never_matches),
	TEST(moments_are_read_as_local_time),
	TEST(a_day_with_another_length_is_whole),
	TEST(texts_of_members_are_one_safe_line),
};

int main(void)
{
	return testing_run("logfilter", tests, ARRAY_SIZE(tests));
}
