// SPDX-License-Identifier: GPL-2.0-or-later
/* The register of a policy: finding media, and what two lines must not both say. */
#include <stdio.h>
#include <string.h>

#include "core/policy.h"
#include "policy-text.h"
#include "testing.h"

#define UUID_A "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a001"
#define UUID_B "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a002"
#define MEDIUM(number, serial, uuid)                                                               \
	"medium " number " id 46f4:0001 serial \"" serial "\" encryption luks2 luks-uuid " uuid

static void media_are_found_by_ids_and_serial(void)
{
	static const char text[] = MEDIUM("A-1", "S1", UUID_A) "\n"
		"medium B-2 serial \"S1\" luks-uuid " UUID_B " encryption luks2 id 46F4:0001 "
		"status lost # comment\n"
		"medium \"C 3\" id 0001:0002 serial \"\" encryption luks2 "
		"luks-uuid 0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a003\n";
	struct policy *policy = policy_of(text);
	const struct medium *const *media;
	size_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
	media = policy_find_media(policy, 0x46f4, 1, "S1", &n);
	CU_ASSERT_EQUAL_FATAL(n, 2);
	CU_ASSERT_STRING_EQUAL(media[0]->number, "A-1");
	CU_ASSERT_STRING_EQUAL(media[1]->number, "B-2");
	CU_ASSERT_EQUAL(media[1]->status, MEDIUM_LOST);
	media = policy_find_media(policy, 1, 2, "", &n);
	CU_ASSERT_EQUAL_FATAL(n, 1);
	CU_ASSERT_STRING_EQUAL(media[0]->number, "C 3");
	media = policy_find_uuid(policy, UUID_B, &n);
	CU_ASSERT_EQUAL_FATAL(n, 1);
	CU_ASSERT_STRING_EQUAL(media[0]->number, "B-2");

	CU_ASSERT_PTR_NULL(policy_find_media(policy, 0x46f4, 1, "s1", &n));
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT_PTR_NULL(policy_find_media(policy, 0x46f4, 1, "S1 ", &n));
	CU_ASSERT_PTR_NULL(policy_find_media(policy, 0x46f4, 1, "", &n));
	CU_ASSERT_PTR_NULL(policy_find_media(policy, 0x46f4, 2, "S1", &n));
	CU_ASSERT_PTR_NULL(policy_find_media(policy, 0x46f5, 1, "S1", &n));
	CU_ASSERT_PTR_NULL(policy_find_uuid(policy, "", &n));
	CU_ASSERT_EQUAL(n, 0);
	policy_free(policy);
}

/* Lines with a number, a UUID and a term each; what else they say does not matter here. */
struct term_row {
	const char *name;
	struct {
		const char *number, *uuid, *term;
	} lines[3];
	unsigned int line; /* of the error; 0: none */
	const char *expected;
};

static const struct term_row term_rows[] = {
	{ "the same number twice",
	  { { "A", UUID_A, "" }, { "A", UUID_B, "" } },
	  2,
	  "p:2:1: medium number already used in line 1\n" },
	{ "the same UUID twice",
	  { { "A", UUID_A, "" }, { "B", UUID_A, "" } },
	  2,
	  "p:2:1: LUKS UUID already used in line 1\n" },
	{ "the same UUID in another case",
	  { { "A", UUID_A, "" }, { "B", "0F3B6A58-6B1C-4C59-9C3F-8D2A54D9A001", "" } },
	  2,
	  "LUKS UUID already used in line 1\n" },
	{ "numbers that differ in case only", { { "A", UUID_A, "" }, { "a", UUID_B, "" } }, 0, NULL },
	{ "April and May",
	  { { "A", UUID_A, "from 2026-04-01 until 2026-04-30" },
	    { "A", UUID_A, "from 2026-05-01 until 2026-05-31" } },
	  0,
	  NULL },
	{ "May and April",
	  { { "A", UUID_A, "from 2026-05-01 until 2026-05-31" },
	    { "A", UUID_A, "from 2026-04-01 until 2026-04-30" } },
	  0,
	  NULL },
	{ "a day in common",
	  { { "A", UUID_A, "from 2026-04-01 until 2026-05-01" },
	    { "A", UUID_B, "from 2026-05-01 until 2026-05-31" } },
	  2,
	  "p:2:1: medium number already used in line 1, and the terms overlap\n" },
	{ "a day in common of one volume",
	  { { "A", UUID_A, "from 2026-05-01 until 2026-05-31" },
	    { "B", UUID_A, "from 2026-04-01 until 2026-05-01" } },
	  2,
	  "p:2:1: LUKS UUID already used in line 1, and the terms overlap\n" },
	{ "a term inside none",
	  { { "A", UUID_A, "" }, { "A", UUID_B, "from 2026-04-01 until 2026-04-30" } },
	  2,
	  "already used in line 1, and the terms overlap" },
	{ "until then, and from then on",
	  { { "A", UUID_A, "from 2026-05-01" }, { "A", UUID_A, "until 2026-04-30" } },
	  0,
	  NULL },
	{ "two without a beginning",
	  { { "A", UUID_A, "until 2026-04-30" }, { "A", UUID_B, "until 2026-03-31" } },
	  2,
	  "medium number already used in line 1, and the terms overlap" },
	{ "two without an end",
	  { { "A", UUID_A, "from 2026-04-30" }, { "B", UUID_A, "from 2026-03-31" } },
	  2,
	  "LUKS UUID already used in line 1, and the terms overlap" },
	{ "the last against the first, over a short one",
	  { { "A", UUID_A, "from 2026-01-01 until 2026-12-31" },
	    { "B", UUID_B, "from 2026-02-01 until 2026-02-28" },
	    { "C", UUID_A, "from 2026-06-01 until 2026-06-30" } },
	  3,
	  "p:3:1: LUKS UUID already used in line 1, and the terms overlap\n" },
	{ "a morning and an afternoon",
	  { { "A", UUID_A, "from 2026-04-01T08:30 until 2026-04-01T11:59" },
	    { "A", UUID_A, "from 2026-04-01T12:00 until 2026-04-01T17:15" } },
	  0,
	  NULL },
	{ "three months",
	  { { "A", UUID_A, "from 2026-05-01 until 2026-05-31" },
	    { "A", UUID_A, "from 2026-04-01 until 2026-04-30" },
	    { "A", UUID_A, "from 2026-06-01" } },
	  0,
	  NULL },
};

static void numbers_and_volumes_are_shared_only_one_term_after_the_other(void)
{
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(term_rows); i++) {
		const struct term_row *row = &term_rows[i];
		struct errors errors;
		struct policy *policy;
		size_t n = 0, used = 0;
		int r;

		for (; n < ARRAY_SIZE(row->lines) && row->lines[n].number; n++)
			used += (size_t)snprintf(text + used, sizeof(text) - used,
						 "medium %s id 46f4:0001 serial \"S%zu\" encryption "
						 "luks2 luks-uuid %s %s\n",
						 row->lines[n].number, n, row->lines[n].uuid,
						 row->lines[n].term);
		r = policy_parse_text(text, &errors, &policy);
		EXPECT(r == (row->line ? -EINVAL : 0), row->name);
		EXPECT(errors.n == !!row->line, errors.text);
		EXPECT(!row->line || errors.line == row->line, row->name);
		EXPECT(!row->line || strstr(errors.text, row->expected), errors.text);
		EXPECT(row->line || policy_n_media(policy) == n, row->name);
		policy_free(policy);
	}
}

static void one_volume_overlapping_several_is_told_of_each(void)
{
	static const char text[] =
		MEDIUM("A", "S", UUID_A) " from 2026-01-01 until 2026-12-31\n"
		MEDIUM("B", "S", UUID_A) " from 2026-02-01 until 2026-02-28\n"
		MEDIUM("C", "S", UUID_A) " from 2026-06-01 until 2026-06-30\n";
	struct errors errors;
	struct policy *policy;

	CU_ASSERT_EQUAL(policy_parse_text(text, &errors, &policy), -EINVAL);
	CU_ASSERT_EQUAL(errors.n, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(errors.text, "p:2:1: LUKS UUID already used in line 1"));
	CU_ASSERT_PTR_NOT_NULL(strstr(errors.text, "p:3:1: LUKS UUID already used in line 1"));
}

static void several_media_may_share_ids_and_serial(void)
{
	static const char text[] = MEDIUM("A", "000000", UUID_A) "\n" MEDIUM("B", "000000", UUID_B) "\n";
	struct policy *policy = policy_of(text);
	size_t n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
	policy_find_media(policy, 0x46f4, 1, "000000", &n);
	CU_ASSERT_EQUAL(n, 2);
	policy_free(policy);
}

static const struct test tests[] = {
	TEST(media_are_found_by_ids_and_serial),
	TEST(numbers_and_volumes_are_shared_only_one_term_after_the_other),
	TEST(one_volume_overlapping_several_is_told_of_each),
	TEST(several_media_may_share_ids_and_serial),
};

int main(void)
{
	return testing_run("policy-media", tests, ARRAY_SIZE(tests));
}
