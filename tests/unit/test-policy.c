// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/policy.h"
#include "policy-text.h"
#include "testing.h"

#define UUID_A "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a001"
#define UUID_B "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a002"
#define MEDIUM(number, serial, uuid)                                                               \
	"medium " number " id 46f4:0001 serial \"" serial "\" encryption luks2 luks-uuid " uuid
#define MEDIUM_A MEDIUM("A-1", "S1", UUID_A) "\n"

static void errors_name_line_and_column_and_leave_no_policy(void)
{
	static const struct {
		const char *text;
		unsigned int line, column;
		const char *expected;
	} rows[] = {
		{ "nonsense", 1, 1, "unknown statement; expected policy, version, valid-from" },
		{ "  nonsense", 1, 3, "or a rule: allow, block, reject" },
		{ "\"version\" 1", 1, 1, "unknown statement" },
		{ "Version 1", 1, 1, "unknown statement" },
		{ "allow-all", 1, 1, "unknown statement" },
		{ "deny", 1, 1, "unknown statement" },
		{ "{", 1, 1, "unknown statement" },

		{ "policy", 1, 7, "expected name of the policy" },
		{ "policy a b", 1, 10, "expected the end of the line" },
		{ "policy \"a", 1, 8, "string does not end" },
		{ "policy \"\\q\"", 1, 9, "unknown escape" },
		{ "policy \"\\xff\"", 1, 8, "not valid UTF-8" },
		{ "policy a\"b\"", 1, 9, "expected a blank" },
		{ "policy \xff", 1, 8, "not valid UTF-8" },

		{ "version", 1, 8, "expected version, a number from 1" },
		{ "version 0", 1, 9, "expected version, a number from 1" },
		{ "version -1", 1, 9, "expected version, a number from 1" },
		{ "version +1", 1, 9, "expected version, a number from 1" },
		{ "version 1.0", 1, 9, "expected version, a number from 1" },
		{ "version 0x10", 1, 9, "expected version, a number from 1" },
		{ "version \"\"", 1, 9, "expected version, a number from 1" },
		{ "version 1000000000000000000", 1, 9, "expected version" },
		{ "version 18446744073709551617", 1, 9, "expected version" },
		{ "version 1 2", 1, 11, "expected the end of the line" },

		{ "valid-from", 1, 11, "expected a date like 2026-04-01" },
		{ "valid-from 01.04.2026", 1, 12, "expected a date like 2026-04-01" },
		{ "valid-from 2026-02-30", 1, 12, "expected a date" },
		{ "valid-from 2026-04-01 08:30", 1, 23, "expected the end of the line" },
		{ "valid-until", 1, 12, "expected a date like 2026-04-01" },
		{ "valid-until never", 1, 13, "expected a date like 2026-04-01" },
		{ "valid-until 2026-04-01T25:00", 1, 13, "expected a date" },

		{ "harmless", 1, 9, "expected classes of interfaces" },
		{ "harmless 3", 1, 10, "expected classes of interfaces" },
		{ "harmless 003", 1, 10, "expected classes of interfaces" },
		{ "harmless 0x", 1, 10, "expected classes of interfaces" },
		{ "harmless 03,09", 1, 10, "expected classes of interfaces" },
		{ "harmless 03 hub", 1, 13, "expected classes of interfaces" },
		{ "harmless 08", 1, 10, "mass storage (08) is never harmless" },
		{ "harmless 03 09 08 0b", 1, 16, "mass storage (08) is never harmless" },

		{ "encryption", 1, 11, "expected an encryption method: luks2, luks1, bitlocker or hardware" },
		{ "encryption none", 1, 12, "expected an encryption method: luks2, luks1, bitlocker or hardware" },
		{ "encryption optional", 1, 12, "expected an encryption method: luks2, luks1, bitlocker or hardware" },
		{ "encryption luks2 luks9", 1, 18, "expected an encryption method: luks2, luks1, bitlocker or hardware" },

		{ "cipher", 1, 7, "expected names of ciphers" },
		{ "cipher \"a b\"", 1, 8, "expected names of ciphers" },
		{ "kdf", 1, 4, "expected names of key derivations" },
		{ "kdf 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", 1, 44, "at most 16" },
		{ "mark", 1, 5, "expected a word" },
		{ "mark yes", 1, 6, "expected optional or required" },
		{ "mark-key", 1, 9, "expected a minisign public key" },
		{ "mark-key RWSfcF3DAIFQarVYJ2uRwmmhkCPji+t/R5yL4zgcMYAU09VtUdObB+Dt", 1, 10,
		  "expected a minisign public key in quotes" },
		{ "mark-key \"RWS\"", 1, 10, "expected a minisign public key" },
		{ "mark-key " DESK_KEY "\nmark-key " DESK_KEY, 2, 10, "key given twice" },
		{ "scan maybe", 1, 6, "expected no or yes" },
		{ "scan \"yes\"", 1, 6, "expected no or yes" },
		{ "transfers", 1, 10, "expected a word" },
		{ "transfers reads", 1, 11, "expected writes, all or off" },
		{ "transfers \"all\"", 1, 11, "expected writes, all or off" },
		{ "transfers all off", 1, 15, "expected the end of the line" },
		{ "at-lock", 1, 8, "expected a word" },
		{ "at-logout never", 1, 11, "expected keep or close" },
		{ "at-switch close keep", 1, 17, "expected the end of the line" },

		{ "approvers", 1, 10, "expected how many approvers" },
		{ "approvers 0", 1, 11, "expected how many approvers" },
		{ "approvers 3", 1, 11, "expected how many approvers" },
		{ "approvers two", 1, 11, "expected how many approvers" },

		{ "retention", 1, 10, "expected how long records are kept" },
		{ "retention 0 days", 1, 11, "expected how long records are kept" },
		{ "retention 36501 days", 1, 11, "expected how long records are kept" },
		{ "retention years", 1, 11, "expected how long records are kept" },
		{ "retention 7", 1, 12, "expected days, months or years" },
		{ "retention 7 year", 1, 13, "expected days, months or years" },
		{ "retention 7 weeks", 1, 13, "expected days, months or years" },
		{ "retention 7 years 6 months", 1, 19, "expected the end of the line" },

		{ "exception-period", 1, 17, "expected how long an exception lasts at most" },
		{ "exception-period 0 hours", 1, 18, "expected how long an exception lasts at most" },
		{ "exception-period 8", 1, 19, "expected minutes, hours or days" },
		{ "exception-period 8 hour", 1, 20, "expected minutes, hours or days" },
		{ "exception-period 367 days", 1, 22, "expected at most 366 days" },
		{ "exception-period 527041 minutes", 1, 18, "expected how long an exception lasts at most" },
		{ "exception-period 8 hours 30 minutes", 1, 26, "expected the end of the line" },
		{ "exception-lapse never", 1, 17, "expected how long a request may wait" },
		{ "exception-lapse 93 days", 1, 20, "expected at most 92 days" },
		{ "exception-requests", 1, 19, "expected how many requests one person may have waiting" },
		{ "exception-requests 3", 1, 21, "expected how many requests one person may make" },
		{ "exception-requests 0 9", 1, 20, "expected how many requests one person may have waiting" },
		{ "exception-requests 3 1001", 1, 22, "expected how many requests one person may make" },
		{ "exception-past-march maybe", 1, 22, "expected no or yes" },
		{ "exception-erasure never", 1, 19, "expected seen or person" },
		{ "emergency-period 0 hours", 1, 18, "expected how long an emergency lasts" },
		{ "emergency-period 8 days", 1, 20, "expected at most 7 days" },
		{ "emergency-reports 0", 1, 19, "expected how many missing reports" },
		{ "emergency-reports 101", 1, 19, "expected how many missing reports" },
		{ "may-ask", 1, 8, "expected users and groups in quotes" },
		{ "may-ask staff", 1, 9, "expected users and groups in quotes" },
		{ "may-approve \"\"", 1, 13, "expected users and groups in quotes" },
		{ "may-approve \"@\"", 1, 13, "expected users and groups in quotes" },
		{ "may-approve \"a\\x1b\"", 1, 13, "expected users and groups in quotes" },

		{ "contact", 1, 8, "expected whom staff should ask" },
		{ "contact 内線 4321", 1, 16, "expected the end of the line" },

		{ "default", 1, 8, "expected block or reject" },
		{ "\n\n  default allow", 3, 11, "expected block or reject" },
		{ "default block reject", 1, 15, "expected the end of the line" },

		{ "medium", 1, 7, "expected number of the medium" },
		{ "medium A id 46f4-0001", 1, 13, "expected vendor and product id" },
		{ MEDIUM("A", "S", UUID_A) " }", 1, 98, "unknown attribute" },

		{ "allow id 1234", 1, 10, "expected an id" },
		{ "\xef\xbb\xbf" "allow id 1234", 1, 10, "expected an id" },
		{ "\r\n  block colour", 2, 9, "expected an attribute" },
		{ "reject name \"x", 1, 13, "expected \"" },
		{ "allow if maybe", 1, 10, "expected a condition" },
		{ "block access ro", 1, 1, "only allow takes access" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errors errors;
		struct policy *policy;
		int r = policy_parse_text(rows[i].text, &errors, &policy);

		EXPECT(r == -EINVAL && !policy, rows[i].text);
		EXPECT(errors.n == 1, rows[i].text);
		EXPECT(errors.line == rows[i].line && errors.column == rows[i].column, errors.text);
		EXPECT(strstr(errors.text, rows[i].expected), errors.text);
	}
}

static void all_errors_are_reported_not_only_the_first(void)
{
	static const char text[] = "bad\n"		      /* 1 */
				   "default block\n"
				   "allow id x\n"	      /* 3 */
				   MEDIUM_A
				   "version x\n"	      /* 5 */
				   "policy \"\n"	      /* 6 */
				   "medium B colour red\n"    /* 7 */
				   "contact \xff\n"	      /* 8 */
				   "allow\n"
				   MEDIUM("A-1", "S2", UUID_B) "\n" /* 10, seen last */
				   "default reject\n";	      /* 11 */
	static const unsigned int lines[] = { 1, 3, 5, 6, 7, 8, 11, 10 };
	struct errors errors;
	struct policy *policy;
	const char *p = errors.text;

	CU_ASSERT_EQUAL(policy_parse_text(text, &errors, &policy), -EINVAL);
	CU_ASSERT_PTR_NULL(policy);
	CU_ASSERT_EQUAL_FATAL(errors.n, ARRAY_SIZE(lines));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char where[16];

		snprintf(where, sizeof(where), "p:%u:", lines[i]);
		EXPECT(!strncmp(p, where, strlen(where)), p);
		p = strchr(p, '\n') + 1;
	}
}

static void nobody_need_listen_to_errors(void)
{
	struct policy *policy = NULL;

	CU_ASSERT_EQUAL(policy_parse("p", "bad\nallow x\n", 12, NULL, NULL, &policy), -EINVAL);
	CU_ASSERT_PTR_NULL(policy);
}

static void media_and_rules_keep_the_order_of_the_file(void)
{
	static const char text[] =
		"\xef\xbb\xbf" "reject id 0001:0002\r\n"
		"version 3\r\n"
		"  " MEDIUM("C", "S3", UUID_A) " # 三\r\n"
		"\r\n"
		"\t# allow\r\n"
		"  allow name \"a # b\" # c\r\n"
		MEDIUM("A", "S1", UUID_B) "\r\n"
		"match\r\n"
		"default block\r\n"
		"device id 1234:abcd\r\n"
		"block";
	static const struct {
		enum rule_target target;
		unsigned int line;
	} rules[] = {
		{ RULE_REJECT, 1 }, { RULE_ALLOW, 6 },	{ RULE_MATCH, 8 },
		{ RULE_DEVICE, 10 }, { RULE_BLOCK, 11 },
	};
	struct policy *policy = policy_of(text);

	CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
	CU_ASSERT_EQUAL(policy_version(policy), 3);
	CU_ASSERT_EQUAL_FATAL(policy_n_media(policy), 2);
	CU_ASSERT_STRING_EQUAL(policy_medium(policy, 0)->number, "C");
	CU_ASSERT_EQUAL(policy_medium(policy, 0)->line, 3);
	CU_ASSERT_STRING_EQUAL(policy_medium(policy, 1)->number, "A");
	CU_ASSERT_EQUAL(policy_medium(policy, 1)->line, 7);
	CU_ASSERT_EQUAL_FATAL(policy_n_rules(policy), ARRAY_SIZE(rules));
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		CU_ASSERT_EQUAL(policy_rule(policy, i)->target, rules[i].target);
		CU_ASSERT_EQUAL(policy_rule(policy, i)->line, rules[i].line);
	}
	CU_ASSERT_EQUAL(rule_attr(policy_rule(policy, 1), RULE_NAME)->values[0].text->len, 5);
	policy_free(policy);
}

static void last_line_needs_no_line_feed(void)
{
	static const char *const rows[] = { MEDIUM_A "allow", "allow\n" MEDIUM("A", "S", UUID_A) };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct policy *policy = policy_of(rows[i]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
		EXPECT(policy_n_media(policy) == 1 && policy_n_rules(policy) == 1, rows[i]);
		policy_free(policy);
	}
}

static void a_text_need_not_end_in_nul_and_may_be_forgotten(void)
{
	static const char line[] = "policy office\ncontact desk\n" MEDIUM_A "allow name \"key\"";
	size_t len = sizeof(line) - 1, n;
	char *text = malloc(len), file[] = "gone";
	struct policy *policy = NULL;

	memcpy(text, line, len);
	CU_ASSERT_EQUAL_FATAL(policy_parse(file, text, len, NULL, NULL, &policy), 0);
	memset(text, 'x', len);
	memset(file, 'x', sizeof(file) - 1);
	free(text);
	CU_ASSERT_STRING_EQUAL(policy_file(policy), "gone");
	CU_ASSERT_STRING_EQUAL(policy_id(policy), "office");
	CU_ASSERT_STRING_EQUAL(policy_header(policy)->contact, "desk");
	CU_ASSERT_STRING_EQUAL(policy_medium(policy, 0)->serial, "S1");
	CU_ASSERT_EQUAL(policy_find_media(policy, 0x46f4, 1, "S1", &n)[0], policy_medium(policy, 0));
	CU_ASSERT_TRUE(text_is(rule_attr(policy_rule(policy, 0), RULE_NAME)->values[0].text, "key"));
	policy_free(policy);
}

/* `before` + a line of `len` times `c` + "\n" + `after`; freed by the caller. */
static char *with_long_line(const char *before, char c, size_t len, const char *after)
{
	char *text = malloc(strlen(before) + len + 1 + strlen(after) + 1);
	char *p = stpcpy(text, before);

	memset(p, c, len);
	strcpy(p + len, "\n");
	strcat(p + len, after);
	return text;
}

static void endless_lines_are_errors(void)
{
	static const struct {
		const char *before;
		char c;
		size_t len;
		const char *expected; /* NULL: valid */
	} rows[] = {
		{ "version 1\n", '#', LEX_LINE_MAX, NULL },
		{ "version 1\n", '#', LEX_LINE_MAX + 1, "p:2:65536: line is longer than 64 KiB\n" },
		{ "version 1\n", ' ', LEX_LINE_MAX, NULL },
		{ "version 1\n", 'a', LEX_LINE_MAX, "p:2:1: unknown statement" },
		{ "version 1\n", 'a', LEX_LINE_MAX + 1, "p:2:65536: line is longer than 64 KiB\n" },
		{ "version 1\n", 'a', 1u << 20, "p:2:65536: line is longer than 64 KiB\n" },
		{ "version 1\n", '"', 1u << 20, "p:2:65536: line is longer than 64 KiB\n" },
		{ "version 1\nallow name ", 'a', 1u << 20, "p:2:65536: line is longer than 64 KiB\n" },
		{ "version 1\nallow ", ' ', LEX_LINE_MAX - 6, NULL },
		{ "version 1\nallow ", ' ', LEX_LINE_MAX - 5, "line is longer than 64 KiB" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* The line after it is read all the same. */
		char *text = with_long_line(rows[i].before, rows[i].c, rows[i].len, "version 2\n");
		struct errors errors;
		struct policy *policy;

		CU_ASSERT_EQUAL(policy_parse_text(text, &errors, &policy), -EINVAL);
		EXPECT(errors.n == (rows[i].expected ? 2 : 1), errors.text);
		EXPECT(!rows[i].expected || strstr(errors.text, rows[i].expected), errors.text);
		EXPECT(strstr(errors.text, "p:3:1: statement given twice: version\n"), errors.text);
		free(text);
	}
}

static void the_longest_rule_is_read_whole(void)
{
	static const char begin[] = "allow name \"", end[] = "\" label \"\"";
	size_t len = LEX_LINE_MAX - (sizeof(begin) - 1) - (sizeof(end) - 1);
	char *text = with_long_line(begin, 'x', len, end);
	struct policy *policy;

	memmove(text + strlen(begin) + len, end, sizeof(end));
	CU_ASSERT_EQUAL(strlen(text), LEX_LINE_MAX);
	policy = policy_of(text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
	CU_ASSERT_EQUAL(rule_attr(policy_rule(policy, 0), RULE_NAME)->values[0].text->len, len);
	policy_free(policy);
	free(text);
}

static void nul_and_broken_characters_are_errors_in_any_line(void)
{
	static const struct {
		const char *line;
		size_t len;
		unsigned int column;
		const char *expected;
	} rows[] = {
		{ "pol\0icy x", 9, 4, "NUL byte" },
		{ "allow\0", 6, 6, "NUL byte" },
		{ "allow name \"\0\"", 14, 13, "NUL byte" },
		{ "# \0", 3, 3, "NUL byte" },
		{ "allow name \"\xff\"", 14, 13, "not valid UTF-8" },
		{ "# \xe7\xa8", 4, 3, "not valid UTF-8" },
		{ "contact \xed\xa0\x80", 11, 9, "not valid UTF-8" },
		{ "\xff\xfe", 2, 1, "not valid UTF-8" },
	};
	char text[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errors errors;
		struct policy *policy;

		memcpy(text, "default block\n", 14);
		memcpy(text + 14, rows[i].line, rows[i].len);
		memcpy(text + 14 + rows[i].len, "\nallow\n", 7);
		CU_ASSERT_EQUAL(policy_parse_bytes(text, 14 + rows[i].len + 7, &errors, &policy),
				-EINVAL);
		EXPECT(errors.n == 1 && errors.line == 2 && errors.column == rows[i].column,
		       errors.text);
		EXPECT(strstr(errors.text, rows[i].expected), errors.text);
	}
}

static void a_million_broken_lines_are_a_million_errors(void)
{
	enum { MANY = 1000000 };
	char *text = malloc(MANY * 2);
	struct policy *policy = NULL;
	struct errors errors = { .n = 0 };

	for (size_t i = 0; i < MANY; i++)
		memcpy(text + i * 2, "x\n", 2);
	CU_ASSERT_EQUAL(policy_parse("p", text, MANY * 2, errors_note, &errors, &policy), -EINVAL);
	CU_ASSERT_EQUAL(errors.n, MANY);
	CU_ASSERT_EQUAL(errors.line, MANY);
	CU_ASSERT_PTR_NULL(policy);
	free(text);
}

static void a_policy_knows_whether_it_looks_at_other_devices(void)
{
	static const struct {
		const char *text;
		bool looks;
	} rows[] = {
		{ "allow", false },
		{ "allow if localtime(08:30-17:15)", false },
		{ "allow if rule-applied", true },
		{ "allow if allowed-matches(id 1234:abcd)", true },
		{ "allow if !allowed-matches(id 1234:abcd)", true },
		{ "allow\nblock if one-of { true allowed-matches(name \"x\") }\nreject", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct policy *policy = policy_of(rows[i].text);

		CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
		EXPECT(policy_looks_at_others(policy) == rows[i].looks, rows[i].text);
		policy_free(policy);
	}
}

static void a_policy_tells_its_size(void)
{
	struct policy *empty = policy_of(""), *full = policy_of(MEDIUM_A "allow name \"x\"\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(empty);
	CU_ASSERT_PTR_NOT_NULL_FATAL(full);
	CU_ASSERT_TRUE(policy_size(empty) > 0);
	CU_ASSERT_TRUE(policy_size(full) >= policy_size(empty) + sizeof(struct medium) +
						    sizeof(void *));
	policy_free(empty);
	policy_free(full);
}

static const struct test tests[] = {
	TEST(errors_name_line_and_column_and_leave_no_policy),
	TEST(all_errors_are_reported_not_only_the_first),
	TEST(nobody_need_listen_to_errors),
	TEST(media_and_rules_keep_the_order_of_the_file),
	TEST(last_line_needs_no_line_feed),
	TEST(a_text_need_not_end_in_nul_and_may_be_forgotten),
	TEST(endless_lines_are_errors),
	TEST(the_longest_rule_is_read_whole),
	TEST(nul_and_broken_characters_are_errors_in_any_line),
	TEST(a_million_broken_lines_are_a_million_errors),
	TEST(a_policy_knows_whether_it_looks_at_other_devices),
	TEST(a_policy_tells_its_size),
};

int main(void)
{
	return testing_run("policy", tests, ARRAY_SIZE(tests));
}
