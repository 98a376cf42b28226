// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/policy.h"
#include "testing.h"

#define UUID_A "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a001"
#define UUID_B "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a002"
#define MEDIUM_A                                                                                   \
	"medium A-1 id 46f4:0001 serial \"S1\" encryption luks2 luks-uuid " UUID_A "\n"

/* The errors of one parse, one after the other. */
struct errors {
	char text[1024];
	unsigned int n;
	unsigned int line;
	unsigned int column;
};

static void note_error(void *userdata, const char *file, unsigned int line, unsigned int column,
		       const char *message)
{
	struct errors *errors = userdata;
	size_t used = strlen(errors->text);

	errors->n++;
	errors->line = line;
	errors->column = column;
	snprintf(errors->text + used, sizeof(errors->text) - used, "%s:%u:%u: %s\n", file, line,
		 column, message);
}

static int parse(const char *text, size_t len, struct errors *errors, struct policy **policy)
{
	*errors = (struct errors){ 0 };
	*policy = NULL;
	return policy_parse("p", text, len, note_error, errors, policy);
}

static void media_are_found_by_ids_and_serial(void)
{
	static const char text[] = "# 税務課\npolicy tax-office\nversion 7\ndefault block\n\n" MEDIUM_A
				   "medium B-2 serial \"S1\" luks-uuid " UUID_B
				   " encryption luks2 id 46F4:0001 status lost # comment\n"
				   "medium \"C 3\" id 0001:0002 serial \"\" encryption luks2 "
				   "luks-uuid " UUID_A "\n";
	struct errors errors;
	struct policy *policy;
	const struct medium *const *media;
	size_t n;

	CU_ASSERT_EQUAL_FATAL(parse(text, sizeof(text) - 1, &errors, &policy), 0);
	CU_ASSERT_STRING_EQUAL(policy_id(policy), "tax-office");
	CU_ASSERT_EQUAL(policy_version(policy), 7);
	CU_ASSERT_EQUAL(policy_n_media(policy), 3);

	media = policy_find_media(policy, 0x46f4, 1, "S1", &n);
	CU_ASSERT_EQUAL_FATAL(n, 2);
	CU_ASSERT_STRING_EQUAL(media[0]->number, "A-1");
	CU_ASSERT_EQUAL(media[0]->line, 6);
	CU_ASSERT_STRING_EQUAL(media[1]->number, "B-2");
	CU_ASSERT_EQUAL(media[1]->status, MEDIUM_LOST);
	media = policy_find_media(policy, 1, 2, "", &n);
	CU_ASSERT_EQUAL_FATAL(n, 1);
	CU_ASSERT_STRING_EQUAL(media[0]->number, "C 3");

	CU_ASSERT_PTR_NULL(policy_find_media(policy, 0x46f4, 1, "s1", &n));
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT_PTR_NULL(policy_find_media(policy, 0x46f4, 2, "S1", &n));
	policy_free(policy);
}

static void errors_name_line_and_column_and_leave_no_policy(void)
{
	static const struct {
		const char *text;
		unsigned int line, column;
		const char *expected;
	} rows[] = {
		{ "nonsense\n", 1, 1, "unknown statement" },
		{ "\n\n  default allow\n", 3, 11, "expected block" },
		{ "version 0\n", 1, 9, "expected version" },
		{ "version 1\nversion 2\n", 2, 9, "already has a version" },
		{ "version 1 2\n", 1, 11, "expected the end of the line" },
		{ "policy\n", 1, 7, "expected name of the policy" },
		{ "policy \"a\n", 1, 8, "string does not end" },
		{ "policy \"\\q\"\n", 1, 9, "unknown escape" },
		{ "policy \"\\x00\"\n", 1, 9, "two hexadecimal digits" },
		{ "policy \"\\xff\"\n", 1, 8, "not valid UTF-8" },
		{ "policy a\"b\"\n", 1, 9, "expected a blank" },
		{ "policy \"a\"b\n", 1, 11, "expected a blank" },
		{ "policy \xff\n", 1, 8, "not valid UTF-8" },
		{ "medium\n", 1, 7, "expected number" },
		{ "medium \"a\\nb\" id 1:2\n", 1, 8, "control characters" },
		{ "medium A id 46f4-0001\n", 1, 13, "vendor and product id" },
		{ "medium A id 46f4:000g\n", 1, 13, "vendor and product id" },
		{ "medium A id *:*\n", 1, 13, "vendor and product id" },
		{ "medium A serial S1\n", 1, 17, "serial number as a" },
		{ "medium A colour red\n", 1, 10, "unknown attribute" },
		{ "medium A id 1234:abcd id 1234:abcd\n", 1, 23, "given twice" },
		{ "medium A id\n", 1, 12, "expected vendor" },
		{ "medium A encryption rot13\n", 1, 21, "encryption method" },
		{ "medium A luks-uuid 1234\n", 1, 20, "UUID of the LUKS volume" },
		{ "medium A status stolen\n", 1, 17, "expected a status" },
		{ "medium A id 1234:abcd serial \"\" encryption luks2\n", 1, 49,
		  "expected attribute luks-uuid" },
		{ MEDIUM_A MEDIUM_A, 2, 1, "already used in line 1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errors errors;
		struct policy *policy;
		int r = parse(rows[i].text, strlen(rows[i].text), &errors, &policy);

		EXPECT(r == -EINVAL && !policy, rows[i].text);
		EXPECT(errors.n == 1 && errors.line == rows[i].line &&
			       errors.column == rows[i].column,
		       errors.text);
		EXPECT(strstr(errors.text, rows[i].expected), errors.text);
	}
}

static void all_errors_are_reported_not_only_the_first(void)
{
	static const char text[] = "bad\ndefault block\nworse\nversion x\n";
	struct errors errors;
	struct policy *policy;

	CU_ASSERT_EQUAL(parse(text, sizeof(text) - 1, &errors, &policy), -EINVAL);
	CU_ASSERT_EQUAL(errors.n, 3);
}

static void nul_bytes_and_endless_lines_are_errors(void)
{
	static const char nul[] = "default block\npol\0icy x\n";
	char *line = malloc(LEX_LINE_MAX + 16);
	struct errors errors;
	struct policy *policy;

	CU_ASSERT_EQUAL(parse(nul, sizeof(nul) - 1, &errors, &policy), -EINVAL);
	CU_ASSERT_EQUAL(errors.line, 2);
	CU_ASSERT_EQUAL(errors.column, 4);

	memset(line, 'a', LEX_LINE_MAX + 16);
	CU_ASSERT_EQUAL(parse(line, LEX_LINE_MAX + 16, &errors, &policy), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(errors.text, "too long"));
	/* The longest line that is allowed fits the lexer's buffer. */
	CU_ASSERT_EQUAL(parse(line, LEX_LINE_MAX, &errors, &policy), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(errors.text, "unknown statement"));
	for (size_t i = 1; i < LEX_LINE_MAX; i += 2)
		line[i] = ' ';
	CU_ASSERT_EQUAL(parse(line, LEX_LINE_MAX, &errors, &policy), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(errors.text, "too many words"));
	free(line);
}

static void empty_policy_is_a_policy_that_allows_nothing(void)
{
	struct errors errors;
	struct policy *policy;
	size_t n;

	CU_ASSERT_EQUAL_FATAL(parse("", 0, &errors, &policy), 0);
	CU_ASSERT_PTR_NULL(policy_find_media(policy, 1, 1, "", &n));
	policy_free(policy);
	policy_free(NULL);
}

static void last_line_needs_no_newline(void)
{
	struct errors errors;
	struct policy *policy;

	CU_ASSERT_EQUAL_FATAL(parse(MEDIUM_A, strlen(MEDIUM_A) - 1, &errors, &policy), 0);
	CU_ASSERT_EQUAL(policy_n_media(policy), 1);
	policy_free(policy);
}

static void every_one_of_many_media_is_found(void)
{
	enum { MANY = 3000 };
	char *text = malloc(MANY * 128), serial[16];
	struct errors errors;
	struct policy *policy;
	size_t used = 0, n;

	for (unsigned int i = 0; i < MANY; i++)
		used += (size_t)sprintf(text + used,
					"medium M%u id %04x:%04x serial \"%u\" encryption luks2 "
					"luks-uuid " UUID_A "\n",
					i, i * 7919 % 65536, i % 13, i);
	CU_ASSERT_EQUAL_FATAL(parse(text, used, &errors, &policy), 0);
	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(serial, sizeof(serial), "%u", i);
		policy_find_media(policy, (uint16_t)(i * 7919 % 65536), (uint16_t)(i % 13), serial,
				  &n);
		EXPECT(n == 1, serial);
	}
	policy_free(policy);
	free(text);
}

static const struct test tests[] = {
	TEST(media_are_found_by_ids_and_serial),
	TEST(errors_name_line_and_column_and_leave_no_policy),
	TEST(all_errors_are_reported_not_only_the_first),
	TEST(nul_bytes_and_endless_lines_are_errors),
	TEST(empty_policy_is_a_policy_that_allows_nothing),
	TEST(last_line_needs_no_newline),
	TEST(every_one_of_many_media_is_found),
};

int main(void)
{
	return testing_run("policy", tests, ARRAY_SIZE(tests));
}
