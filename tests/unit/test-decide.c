// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/decide.h"
#include "core/reason.h"
#include "testing.h"

#define UUID_A "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a001"
#define UUID_B "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a002"
#define UUID_C "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a003"
#define LINE(number, serial, uuid, status)                                                         \
	"medium " number " id 46f4:0001 serial \"" serial "\" encryption luks2 luks-uuid " uuid    \
	" status " status "\n"

static const char policy_text[] = LINE("A", "one", UUID_A, "active") LINE("L", "lost", UUID_A, "lost")
	LINE("R", "gone", UUID_A, "revoked") LINE("D", "dead", UUID_A, "disposed")
		LINE("T1", "twin", UUID_A, "lent") LINE("T2", "twin", UUID_B, "lost");

/* Inspection outcomes; 0 stands for "not inspected yet". */
struct row {
	const char *name;
	const char *serial;
	unsigned int n_storage, n_other;
	unsigned int outcome;
	const char *uuid;
	enum decide_verdict verdict;
	const char *reason;
	const char *medium;
};

static const struct row rows[] = {
	{ "unknown stick", "other", 1, 0, 0, "", DECIDE_BLOCK, "not-registered", NULL },
	{ "no serial is not any serial", "", 1, 0, 0, "", DECIDE_BLOCK, "not-registered", NULL },
	{ "registered, to be proved", "one", 1, 0, 0, "", DECIDE_PROVE, "", "A" },
	{ "proved", "one", 1, 0, REPORT_LUKS2, UUID_A, DECIDE_ALLOW, "proved", "A" },
	{ "proved beside another interface", "one", 1, 2, REPORT_LUKS2, UUID_A, DECIDE_ALLOW,
	  "proved", "A" },
	{ "another volume", "one", 1, 0, REPORT_LUKS2, UUID_C, DECIDE_BLOCK, "other-volume", "A" },
	{ "reformatted plain", "one", 1, 0, REPORT_PLAIN, "", DECIDE_BLOCK, "not-encrypted", "A" },
	{ "damaged", "one", 1, 0, REPORT_LUKS_BAD, "", DECIDE_BLOCK, "header-damaged", "A" },
	{ "LUKS1", "one", 1, 0, REPORT_LUKS_OTHER, "", DECIDE_BLOCK, "encryption-not-accepted", "A" },
	{ "empty", "one", 1, 0, REPORT_NO_MEDIUM, "", DECIDE_BLOCK, "no-medium", "A" },
	{ "several units", "one", 1, 0, REPORT_LUNS, "", DECIDE_BLOCK, "multiple-units", "A" },
	{ "a CD drive", "one", 1, 0, REPORT_NOT_DISK, "", DECIDE_BLOCK, "not-a-disk", "A" },
	{ "nonsense", "one", 1, 0, REPORT_BAD_ANSWER, "", DECIDE_BLOCK, "bad-answer", "A" },
	{ "no bulk-only", "one", 1, 0, REPORT_TRANSPORT, "", DECIDE_BLOCK, "cannot-inspect", "A" },
	{ "late", "one", 1, 0, REPORT_TIMEOUT, "", DECIDE_BLOCK, "inspection-timeout", "A" },
	{ "broken inspector", "one", 1, 0, REPORT_INTERNAL, "", DECIDE_BLOCK, "inspector-failed",
	  "A" },
	{ "outcome from the future", "one", 1, 0, 99, UUID_A, DECIDE_BLOCK, "inspector-failed",
	  "A" },
	{ "two storage interfaces", "one", 2, 0, 0, "", DECIDE_BLOCK, "multiple-units", "A" },
	{ "no storage at all", "one", 0, 1, 0, "", DECIDE_BLOCK, "class-not-allowed", NULL },
	{ "lost", "lost", 1, 0, 0, "", DECIDE_BLOCK, "medium-lost", "L" },
	{ "revoked", "gone", 1, 0, 0, "", DECIDE_BLOCK, "medium-revoked", "R" },
	{ "disposed", "dead", 1, 0, 0, "", DECIDE_BLOCK, "medium-disposed", "D" },
	{ "lost, though proved", "lost", 1, 0, REPORT_LUKS2, UUID_A, DECIDE_BLOCK, "medium-lost",
	  "L" },
	{ "twins are told apart by UUID", "twin", 1, 0, 0, "", DECIDE_PROVE, "", "T1" },
	{ "the good twin", "twin", 1, 0, REPORT_LUKS2, UUID_A, DECIDE_ALLOW, "proved", "T1" },
	{ "the lost twin", "twin", 1, 0, REPORT_LUKS2, UUID_B, DECIDE_BLOCK, "medium-lost", "T2" },
};

static void each_case_is_decided_for_its_own_reason(void)
{
	struct policy *policy = NULL;

	CU_ASSERT_EQUAL_FATAL(policy_parse("p", policy_text, sizeof(policy_text) - 1, NULL, NULL,
					   &policy),
			      0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct ident ident = { .id_vendor = 0x46f4, .id_product = 1 };
		struct report report = { .outcome = (uint16_t)row->outcome };
		struct decide_input input = { .ident = &ident,
					      .n_storage = row->n_storage,
					      .n_other = row->n_other,
					      .report = row->outcome ? &report : NULL,
					      .policy = policy };
		struct decide_result result;

		ident_set_string(ident.serial, row->serial);
		strcpy(report.luks_uuid, row->uuid);
		result = decide(&input);
		EXPECT(result.verdict == row->verdict, row->name);
		EXPECT(!strcmp(result.reason, row->reason), row->name);
		EXPECT(row->medium ? result.medium && !strcmp(result.medium->number, row->medium) :
				     !result.medium,
		       row->name);
		EXPECT(!strcmp(result.method, row->verdict == DECIDE_ALLOW ? "luks2" : ""),
		       row->name);
		EXPECT(!*result.reason || reason_find(result.reason), row->name);
	}
	policy_free(policy);
}

static void without_a_policy_nothing_is_allowed(void)
{
	struct ident ident = { .id_vendor = 0x46f4, .id_product = 1 };
	struct report report = { .outcome = REPORT_LUKS2 };
	struct decide_input input = { .ident = &ident, .n_storage = 1, .report = &report };
	struct decide_result result = decide(&input);

	CU_ASSERT_EQUAL(result.verdict, DECIDE_BLOCK);
	CU_ASSERT_STRING_EQUAL(result.reason, "no-policy");
}

static void unknown_reasons_are_shown_as_they_are(void)
{
	CU_ASSERT_PTR_NULL(reason_find("no-such-reason"));
	CU_ASSERT_STRING_EQUAL(reason_text("no-such-reason", true), "no-such-reason");
	CU_ASSERT_STRING_NOT_EQUAL(reason_text("proved", true), reason_text("proved", false));
}

static const struct test tests[] = {
	TEST(each_case_is_decided_for_its_own_reason),
	TEST(without_a_policy_nothing_is_allowed),
	TEST(unknown_reasons_are_shown_as_they_are),
};

int main(void)
{
	return testing_run("decide", tests, ARRAY_SIZE(tests));
}
