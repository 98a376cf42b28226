// SPDX-License-Identifier: GPL-2.0-or-later
/* What the statements of a policy's header say. What is wrong with them is in test-policy.c. */
#include <stdio.h>
#include <string.h>

#include "core/policy.h"
#include "policy-text.h"
#include "testing.h"

static void header_says_what_it_says(void)
{
	static const char text[] = "# 税務課の端末\n"
				   "policy tax-office\n"
				   "version 7\n"
				   "valid-from 2026-04-01\n"
				   "valid-until 2027-03-31\n"
				   "harmless 03 0B e0\n"
				   "encryption luks2\n"
				   "approvers 2\n"
				   "retention 7 years\n"
				   "contact \"情報政策課 内線 4321\"\n"
				   "default reject\n";
	struct policy *policy = policy_of(text);
	const struct policy_header *header;

	CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
	header = policy_header(policy);
	CU_ASSERT_STRING_EQUAL(policy_file(policy), "p");
	CU_ASSERT_STRING_EQUAL(header->id, "tax-office");
	CU_ASSERT_STRING_EQUAL(policy_id(policy), "tax-office");
	CU_ASSERT_EQUAL(header->version, 7);
	CU_ASSERT_EQUAL(policy_version(policy), 7);
	CU_ASSERT_EQUAL(header->valid_from, civil_of("2026-04-01"));
	CU_ASSERT_EQUAL(policy_valid_from(policy), civil_of("2026-04-01"));
	CU_ASSERT_EQUAL(header->valid_until, civil_of("2027-04-01") - 1);
	CU_ASSERT_EQUAL(policy_valid_until(policy), civil_of("2027-04-01") - 1);
	CU_ASSERT_TRUE(header->has_harmless);
	CU_ASSERT_EQUAL(header->encryption, ENCRYPTION_LUKS2);
	CU_ASSERT_EQUAL(header->exceptions.approvers, 2);
	CU_ASSERT_EQUAL(header->retention_days, 7 * 366);
	CU_ASSERT_STRING_EQUAL(header->contact, "情報政策課 内線 4321");
	CU_ASSERT_TRUE(header->default_reject);
	CU_ASSERT_EQUAL(policy_n_media(policy), 0);
	CU_ASSERT_EQUAL(policy_n_rules(policy), 0);
	CU_ASSERT_FALSE(policy_looks_at_others(policy));
	policy_free(policy);
}

static void a_text_without_a_header_is_a_policy(void)
{
	static const char *const rows[] = {
		"",
		"\n",
		"\xef\xbb\xbf",
		"# nothing",
		"\r\n  \t\r\n# nothing\r\n",
		"allow\n",
		"allow id 1234:abcd serial \"x\"\nblock\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct policy *policy = policy_of(rows[i]);
		const struct policy_header *header;
		size_t n = 7;

		EXPECT(policy, rows[i]);
		if (!policy)
			continue;
		header = policy_header(policy);
		EXPECT(!*header->id && !header->version && !header->valid_from &&
			       !header->valid_until && !header->has_harmless &&
			       !header->encryption && header->exceptions.approvers == 1 &&
			       !header->retention_days && !*header->contact &&
			       !header->default_reject,
		       rows[i]);
		EXPECT(!policy_find_media(policy, 1, 1, "", &n) && !n, rows[i]);
		n = 7;
		EXPECT(!policy_find_uuid(policy, "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a001", &n) && !n, rows[i]);
		EXPECT(policy_n_rules(policy) == (i == 5 ? 1 : i == 6 ? 2 : 0), rows[i]);
		policy_free(policy);
	}
	policy_free(NULL);
}

static void header_statements_take_their_values(void)
{
	static const struct {
		const char *text;
		size_t offset;
		size_t size;
		uint64_t expected;
	} rows[] = {
#define ROW(text, member, expected)                                                                \
	{                                                                                          \
		text, offsetof(struct policy_header, member),                                      \
			sizeof(((struct policy_header *)0)->member), expected                      \
	}
		ROW("version 1", version, 1),
		ROW("version 007", version, 7),
		ROW("version 999999999999999999", version, 999999999999999999),
		ROW("approvers 1", exceptions.approvers, 1),
		ROW("approvers 2", exceptions.approvers, 2),
		ROW("version 1", exceptions.approvers, 1),
		ROW("version 1", exceptions.period_seconds, 7 * 86400),
		ROW("version 1", exceptions.lapse_seconds, 3 * 86400),
		ROW("version 1", exceptions.emergency_seconds, 0),
		ROW("version 1", exceptions.emergency_reports, 1),
		ROW("version 1", exceptions.waiting, 5),
		ROW("version 1", exceptions.daily, 20),
		ROW("version 1", exceptions.past_march, false),
		ROW("version 1", exceptions.ask.said, false),
		ROW("version 1", exceptions.approve.said, false),
		ROW("version 1", exceptions.emergency.said, false),
		ROW("exception-period 8 hours", exceptions.period_seconds, 8 * 3600),
		ROW("exception-period 1 minutes", exceptions.period_seconds, 60),
		ROW("exception-period 366 days", exceptions.period_seconds, 366 * 86400),
		ROW("exception-lapse 90 minutes", exceptions.lapse_seconds, 5400),
		ROW("exception-requests 3 9", exceptions.waiting, 3),
		ROW("exception-requests 3 9", exceptions.daily, 9),
		ROW("exception-past-march yes", exceptions.past_march, true),
		ROW("exception-past-march no", exceptions.past_march, false),
		ROW("version 1", exceptions.erasure_by_person, false),
		ROW("exception-erasure seen", exceptions.erasure_by_person, false),
		ROW("exception-erasure person", exceptions.erasure_by_person, true),
		ROW("emergency-period 4 hours", exceptions.emergency_seconds, 4 * 3600),
		ROW("emergency-reports 3", exceptions.emergency_reports, 3),
		ROW("may-ask \"@staff\"", exceptions.ask.n, 1),
		ROW("may-approve \"@heads\" \"sato\"", exceptions.approve.n, 2),
		ROW("may-declare-emergency \"@duty\"", exceptions.emergency.said, true),
		ROW("retention 1 days", retention_days, 1),
		ROW("retention 90 days", retention_days, 90),
		ROW("retention 6 months", retention_days, 186),
		ROW("retention 10 years", retention_days, 3660),
		ROW("retention 36500 days", retention_days, 36500),
		ROW("encryption luks2", encryption, ENCRYPTION_LUKS2),
		ROW("encryption luks2 luks2", encryption, ENCRYPTION_LUKS2),
		ROW("encryption luks2 luks1 bitlocker hardware", encryption, 15),
		ROW("cipher aes-xts-plain64", n_ciphers, 1),
		ROW("cipher a b c", n_ciphers, 3),
		ROW("kdf argon2id argon2i", n_kdfs, 2),
		ROW("mark required", mark_required, true),
		ROW("mark optional", mark_required, false),
		ROW("mark-key " DESK_KEY, n_mark_keys, 1),
		ROW("mark-key " DESK_KEY "\nmark-key " OTHER_KEY, n_mark_keys, 2),
		ROW("drill no", drill_forbidden, true),
		ROW("drill yes", drill_forbidden, false),
		ROW("version 1", drill_forbidden, false),
		ROW("scan yes", scan, true),
		ROW("scan no", scan, false),
		ROW("version 1", scan, false),
		ROW("version 1", transfers, POLICY_TRANSFERS_WRITES),
		ROW("transfers writes", transfers, POLICY_TRANSFERS_WRITES),
		ROW("transfers all", transfers, POLICY_TRANSFERS_ALL),
		ROW("transfers off", transfers, POLICY_TRANSFERS_OFF),
		ROW("version 1", close_at_lock, false),
		ROW("version 1", close_at_logout, true),
		ROW("version 1", close_at_switch, true),
		ROW("at-lock close", close_at_lock, true),
		ROW("at-logout keep", close_at_logout, false),
		ROW("at-switch keep", close_at_switch, false),
		ROW("default block", default_reject, false),
		ROW("default reject", default_reject, true),
		ROW("harmless 03", has_harmless, true),
		ROW("valid-from 2026-04-01T08:30", valid_from, 1775032200),
		ROW("valid-until 2026-04-01T08:30", valid_until, 1775032259),
		ROW("valid-until 2026-04-01T08:30:15", valid_until, 1775032215),
		ROW("valid-until 2026-04-01 # comment", valid_until, 1775087999),
#undef ROW
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct policy *policy = policy_of(rows[i].text);
		uint64_t value = 0;

		EXPECT(policy, rows[i].text);
		if (policy)
			memcpy(&value, (const char *)policy_header(policy) + rows[i].offset,
			       rows[i].size);
		EXPECT(value == rows[i].expected, rows[i].text);
		policy_free(policy);
	}
}

static void lists_name_users_and_groups(void)
{
	static const char *const groups[] = { "staff", "heads" };
	static const struct {
		const char *text, *user;
		size_t n_groups;
		enum exception_word expected;
	} rows[] = {
		{ "version 1", "sato", 2, EXCEPTION_WORD_UNSAID },
		{ "may-approve \"sato\"", "sato", 0, EXCEPTION_WORD_YES },
		{ "may-approve \"sato\"", "kato", 2, EXCEPTION_WORD_NO },
		{ "may-approve \"sato\"", "", 2, EXCEPTION_WORD_NO },
		{ "may-approve \"sato\"", NULL, 0, EXCEPTION_WORD_NO },
		{ "may-approve \"@heads\"", "kato", 2, EXCEPTION_WORD_YES },
		{ "may-approve \"@heads\"", "kato", 1, EXCEPTION_WORD_NO },
		{ "may-approve \"heads\"", "kato", 2, EXCEPTION_WORD_NO },
		{ "may-approve \"@sato\"", "sato", 2, EXCEPTION_WORD_NO },
		{ "may-approve \"ito\" \"@heads\"", "kato", 2, EXCEPTION_WORD_YES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct policy *policy = policy_of(rows[i].text);

		EXPECT(policy && exception_who_has(&policy_header(policy)->exceptions.approve, rows[i].user, groups,
						   rows[i].n_groups) == rows[i].expected,
		       rows[i].text);
		policy_free(policy);
	}
}

static void header_statements_are_given_once(void)
{
	static const char *const rows[] = {
		"policy a",    "version 1",	   "valid-from 2026-04-01", "valid-until 2026-04-01",
		"harmless 03", "encryption luks2", "approvers 1",	    "retention 1 years",
		"contact a",   "default block",	   "cipher a",		    "kdf a",
		"mark required", "scan no",	   "at-lock keep",	    "at-logout keep",
		"at-switch keep", "transfers off", "exception-period 8 hours", "exception-lapse 1 days",
		"exception-requests 3 9", "exception-past-march yes", "emergency-period 4 hours",
		"exception-erasure person", "drill no",
		"emergency-reports 2", "may-ask \"a\"", "may-approve \"a\"", "may-declare-emergency \"a\"",
	};
	char text[128];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errors errors;
		struct policy *policy;

		/* Also when rules and other statements stand between them. */
		snprintf(text, sizeof(text), "%s\nallow\n# x\n  %s\n", rows[i], rows[i]);
		CU_ASSERT_EQUAL(policy_parse_text(text, &errors, &policy), -EINVAL);
		EXPECT(errors.n == 1 && errors.line == 4 && errors.column == 3, errors.text);
		EXPECT(strstr(errors.text, "statement given twice: "), errors.text);
	}
}

static void a_policy_does_not_end_before_it_begins(void)
{
	struct errors errors;
	struct policy *policy;

	CU_ASSERT_EQUAL(policy_parse_text("valid-until 2026-04-01\nvalid-from 2026-04-02\n", &errors,
					  &policy),
			-EINVAL);
	CU_ASSERT_EQUAL(errors.n, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(errors.text, "ends (valid-until) before it begins"));

	CU_ASSERT_EQUAL(policy_parse_text("valid-until 2026-04-01\nvalid-from 2026-04-01\n", &errors,
					  &policy),
			0);
	policy_free(policy);
}

static void harmless_classes_are_those_of_the_policy_or_of_the_gate(void)
{
	struct policy *silent = policy_of("version 1\nallow\n");
	struct policy *said = policy_of("harmless 09 0e E0 ff 00\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(silent);
	CU_ASSERT_PTR_NOT_NULL_FATAL(said);
	for (unsigned int class = 0; class < 256; class++) {
		bool usual = class == 0x03 || class == 0x09 || class == 0x0b;
		char name[16];

		snprintf(name, sizeof(name), "class %02x", class);
		EXPECT(policy_is_harmless(NULL, (uint8_t)class) == usual, name);
		EXPECT(policy_is_harmless(silent, (uint8_t)class) == usual, name);
		EXPECT(policy_is_harmless(said, (uint8_t)class) ==
			       (class == 0x00 || class == 0x09 || class == 0x0e || class == 0xe0 ||
				class == 0xff),
		       name);
	}
	policy_free(silent);
	policy_free(said);
}

static const struct test tests[] = {
	TEST(header_says_what_it_says),
	TEST(a_text_without_a_header_is_a_policy),
	TEST(header_statements_take_their_values),
	TEST(lists_name_users_and_groups),
	TEST(header_statements_are_given_once),
	TEST(a_policy_does_not_end_before_it_begins),
	TEST(harmless_classes_are_those_of_the_policy_or_of_the_gate),
};

int main(void)
{
	return testing_run("policy-header", tests, ARRAY_SIZE(tests));
}
