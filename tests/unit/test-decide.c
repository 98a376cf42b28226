// SPDX-License-Identifier: GPL-2.0-or-later
/* What comes before the rules, and after them: the policy's time, the register, the default. */
#include "decide-row.h"

/* --- 1. the policy and its time --- */

static void without_a_policy_nothing_but_the_harmless_passes(void)
{
	static const struct row rows[] = {
		{ "a stick", NULL, NULL, 0, NULL, "block no-policy" },
		{ "a proved stick", NULL, NULL, REPORT_PROVED, UUID_A, "block no-policy" },
		{ "vendor specific", NULL, "ff:00:00", .device = "block no-policy" },
		{ "a keyboard", NULL, "03:01:01", .device = "allow rw harmless" },
		{ "hub and smart card", NULL, "09:00:00 0b:00:00", .device = "allow rw harmless",
		  .each = "allow rw harmless | allow rw harmless" },
		{ "stick and keyboard", NULL, "03:01:01 08:06:50", .device = "block no-policy",
		  .each = "allow rw harmless | block no-policy" },
		{ "nothing held", NULL, "-08:06:50", .device = "allow rw harmless" },
	};

	RUN(rows);
}

static void descriptors_that_are_not_whole_let_no_storage_in(void)
{
	static const struct row rows[] = {
		{ "no policy", NULL, .device = "block bad-descriptors", .malformed = true },
		{ "everything allowed", "allow\n", .device = "block bad-descriptors",
		  .malformed = true },
		{ "a registered medium", MEDIUM_A "\n", NULL, REPORT_PROVED, UUID_A,
		  "block bad-descriptors", .malformed = true },
		{ "vendor specific", "allow\n", "ff:00:00", .device = "block bad-descriptors",
		  .malformed = true },
	};

	RUN(rows);
}

#define YEAR "valid-from 2026-04-01\nvalid-until 2027-03-31\n"

static void out_of_its_time_a_policy_lets_nothing_through(void)
{
	static const struct row rows[] = {
		{ "a second too early", YEAR MEDIUM_A "\nallow\n", .device = "block policy-not-yet-valid",
		  .now = "2026-03-31T23:59:59", .recheck = "2026-04-01T00:00:00" },
		{ "the first second", YEAR "allow\n", .device = "allow rw rule-allowed @3",
		  .now = "2026-04-01T00:00:00", .recheck = "2027-04-01T00:00:00" },
		{ "the last second", YEAR "allow\n", .device = "allow rw rule-allowed @3",
		  .now = "2027-03-31T23:59:59", .recheck = "2027-04-01T00:00:00" },
		{ "a second too late", YEAR "allow\n", .device = "block policy-expired",
		  .now = "2027-04-01T00:00:00" },
		{ "a proved medium", YEAR MEDIUM_A "\n", NULL, REPORT_PROVED, UUID_A,
		  "block policy-expired", .now = "2027-04-01T00:00:00" },
		{ "a lost medium", YEAR MEDIUM_A " status lost\n", NULL, REPORT_PROVED, UUID_A,
		  "block policy-expired", .now = "2027-04-01T00:00:00" },
		{ "a rejected one", YEAR "reject\n", .device = "block policy-expired",
		  .now = "2027-04-01T00:00:00" },
		{ "default reject", YEAR "default reject\n", .device = "block policy-expired",
		  .now = "2027-04-01T00:00:00" },
		{ "only a beginning", "valid-from 2026-04-01\nallow\n",
		  .device = "allow rw rule-allowed @2", .now = "2030-01-01T00:00:00" },
		{ "only an end", "valid-until 2026-04-01\nallow\n",
		  .device = "allow rw rule-allowed @2", .now = "2020-01-01T00:00:00",
		  .recheck = "2026-04-02T00:00:00" },
	};

	RUN(rows);
}

static void an_expired_policy_does_not_take_the_keyboard_away(void)
{
	static const struct row rows[] = {
		{ "nobody guards it", YEAR "block\n", "03:01:01", .device = "allow rw harmless",
		  .now = "2027-04-01T00:00:00" },
		{ "only this policy guards it", YEAR "harmless 09\nallow name \"Stick\"\n", "03:01:01",
		  .device = "allow rw rule-allowed @4", .now = "2027-04-01T00:00:00" },
		{ "not yet valid", YEAR "harmless 09\nallow name \"Stick\"\n", "03:01:01",
		  .device = "allow rw rule-allowed @4", .now = "2026-03-01T00:00:00",
		  .recheck = "2026-04-01T00:00:00" },
		{ "its rules may block it", YEAR "harmless 09\nblock\n", "03:01:01",
		  .device = "block rule-blocked @4", .now = "2027-04-01T00:00:00" },
		{ "no rule for it", YEAR "harmless 09\n", "03:01:01",
		  .device = "block class-not-allowed", .now = "2027-04-01T00:00:00" },
		{ "a stick beside it", YEAR "harmless 09\nallow\n", "08:06:50 03:01:01",
		  .device = "allow rw rule-allowed @4",
		  .each = "block policy-expired | allow rw rule-allowed @4",
		  .now = "2027-04-01T00:00:00" },
		{ "what the gate itself guards", YEAR "harmless 09\nallow\n", "ff:00:00 e0:01:01",
		  .device = "block policy-expired",
		  .each = "block policy-expired | block policy-expired",
		  .now = "2027-04-01T00:00:00" },
		{ "a keyboard with a setting of another class", YEAR "harmless 09\nallow\n",
		  "03:01:01/ff:00:00", .device = "block policy-expired",
		  .now = "2027-04-01T00:00:00" },
		{ "a keyboard that a storage driver tried", YEAR "harmless 09\nallow\n", "03:01:01!",
		  .device = "block policy-expired", .now = "2027-04-01T00:00:00" },
	};

	RUN(rows);
}

/* --- 5. the default --- */

static void what_nothing_speaks_of_is_blocked(void)
{
	static const struct row rows[] = {
		{ "a stick", "", .device = "block not-registered" },
		{ "a proved stick", "", NULL, REPORT_PROVED, UUID_A, "block not-registered" },
		{ "vendor specific", "", "ff:00:00", .device = "block class-not-allowed" },
		{ "said", "default block\n", .device = "block not-registered" },
		{ "rejected", "default reject\n", .device = "block not-registered reject" },
		{ "rejected, vendor specific", "default reject\n", "ff:00:00",
		  .device = "block class-not-allowed reject" },
		{ "another serial", MEDIUM_A "\n", .serial = "S2", .device = "block not-registered" },
		{ "no serial is not any serial", MEDIUM_A "\n", .serial = "",
		  .device = "block not-registered" },
		{ "match and device decide nothing", "match\ndevice id 46f4:0001\nmatch id *:*\n",
		  .device = "block not-registered" },
	};

	RUN(rows);
}

static void harmless_classes_pass_without_a_rule(void)
{
	static const struct row rows[] = {
		{ "the gate's own", "block\n", "03:01:01 09:00:00 0b:00:00",
		  .device = "allow rw harmless",
		  .each = "allow rw harmless | allow rw harmless | allow rw harmless" },
		{ "others are not", "block\n", "e0:01:01", .device = "block rule-blocked @1" },
		{ "those of the policy", "harmless e0\nblock\n", "e0:01:01 03:01:01",
		  .device = "block rule-blocked @2",
		  .each = "allow rw harmless | block rule-blocked @2" },
		{ "not even by reject", "reject\n", "03:01:01", .device = "allow rw harmless" },
		{ "one setting of another class", "block\n", "03:01:01/03:00:00/ff:00:00",
		  .device = "block rule-blocked @1" },
		{ "another interface's setting does not count", "block\n", "03:01:01 ff:00:00",
		  .device = "block rule-blocked @1",
		  .each = "allow rw harmless | block rule-blocked @1" },
		{ "a storage setting", "harmless 03 ff\nblock\n", "03:01:01/08:06:50",
		  .device = "block rule-blocked @2" },
		{ "suspect", "block\n", "03:01:01!", .device = "block rule-blocked @1" },
		{ "suspect, and no rule", "", "03:01:01!", .device = "block not-registered" },
		{ "suspect, of a class that the policy lets pass", "harmless ff\n", "ff:00:00!",
		  .device = "block not-registered" },
	};

	RUN(rows);
}

/* --- 2. dead media --- */

static void a_dead_medium_is_blocked_by_its_ids(void)
{
	static const struct row rows[] = {
		{ "lost", MEDIUM_A " status lost\n", .device = "block medium-lost @A" },
		{ "revoked", MEDIUM_A " status revoked\n", .device = "block medium-revoked @A" },
		{ "disposed", MEDIUM_A " status disposed\n", .device = "block medium-disposed @A" },
		{ "lost, though proved", MEDIUM_A " status lost\n", NULL, REPORT_PROVED, UUID_A,
		  "block medium-lost @A" },
		{ "lost and reformatted", MEDIUM_A " status lost\n", NULL, REPORT_PLAIN, NULL,
		  "block medium-lost @A" },
		{ "a rule does not help", "allow\n" MEDIUM_A " status lost\n",
		  .device = "block medium-lost @A" },
		{ "nor that its term is over",
		  MEDIUM_A " status lost until 2026-01-31 terminals \"MN-01\" holder \"tanaka\"\n",
		  .device = "block medium-lost @A" },
		{ "not rejected by default", "default reject\n" MEDIUM_A " status lost\n",
		  .device = "block medium-lost @A" },
		{ "with all that hangs on it", "allow\n" MEDIUM_A " status lost\n",
		  "ff:00:00 08:06:50", .device = "block medium-lost @A",
		  .each = "block medium-lost @A | block medium-lost @A" },
		{ "another stick", "allow\n" MEDIUM_A " status lost\n", .serial = "S2",
		  .device = "allow rw rule-allowed @1" },
		{ "another fingerprint", MEDIUM_A " fingerprint \"" PRINT_1 "\" status lost\n",
		  .print = PRINT_2, .device = "block not-registered" },
	};

	RUN(rows);
}

static void a_dead_volume_is_blocked_under_any_ids(void)
{
	static const struct row rows[] = {
		{ "a clone that a rule lets in", "allow encrypted luks2\n" MEDIUM_A " status lost\n", NULL,
		  REPORT_PROVED, UUID_A, "block medium-lost @A", .serial = "S2" },
		{ "revoked", "allow\n" MEDIUM_A " status revoked\n", NULL, REPORT_PROVED, UUID_A,
		  "block medium-revoked @A", .serial = "S2" },
		{ "disposed", "allow\n" MEDIUM_A " status disposed\n", NULL, REPORT_PROVED, UUID_A,
		  "block medium-disposed @A", .serial = "S2" },
		{ "with all that hangs on it", "allow\n" MEDIUM_A " status lost\n",
		  "ff:00:00 08:06:50", REPORT_PROVED, UUID_A, "block medium-lost @A",
		  "block medium-lost @A | block medium-lost @A", .serial = "S2" },
		{ "on a registered stick",
		  MEDIUM_A "\nmedium L id 1234:abcd serial \"\" encryption luks2 luks-uuid " UUID_B
			   " status lost\n",
		  NULL, REPORT_PROVED, UUID_B, "block medium-lost @L" },
		{ "a usable volume under other ids", MEDIUM_A "\n", NULL, REPORT_PROVED, UUID_A,
		  "block not-registered", .serial = "S2" },
		{ "another volume", "allow\n" MEDIUM_A " status lost\n", NULL, REPORT_PROVED, UUID_B,
		  "allow rw rule-allowed @1", .serial = "S2" },
		{ "not inspected yet", "allow encrypted luks2\n" MEDIUM_A " status lost\n", NULL, 0, NULL,
		  "prove @1", .serial = "S2" },
	};

	RUN(rows);
}

/* --- 3. registered media --- */

static void a_registered_medium_passes_once_it_is_proved(void)
{
	static const struct row rows[] = {
		{ "to be proved", MEDIUM_A "\n", NULL, 0, NULL, "prove @A" },
		{ "proved", MEDIUM_A "\n", NULL, REPORT_PROVED, UUID_A, "allow rw proved luks2 @A" },
		{ "lent", MEDIUM_A " status lent\n", NULL, REPORT_PROVED, UUID_A,
		  "allow rw proved luks2 @A" },
		{ "for reading", MEDIUM_A " access ro\n", NULL, REPORT_PROVED, UUID_A,
		  "allow ro proved luks2 @A" },
		{ "for both, said", MEDIUM_A " access rw\n", NULL, REPORT_PROVED, UUID_A,
		  "allow rw proved luks2 @A" },
		{ "method accepted by the header", "encryption luks2\n" MEDIUM_A "\n", NULL,
		  REPORT_PROVED, UUID_A, "allow rw proved luks2 @A" },
		{ "another volume", MEDIUM_A "\n", NULL, REPORT_PROVED, UUID_B, "block other-volume @A" },
		{ "plain", MEDIUM_A "\n", NULL, REPORT_PLAIN, NULL, "block not-encrypted @A" },
		{ "damaged", MEDIUM_A "\n", NULL, REPORT_DAMAGED, NULL, "block header-damaged @A" },
		{ "LUKS1", MEDIUM_A "\n", NULL, REPORT_UNKNOWN, NULL,
		  "block encryption-not-accepted @A" },
		{ "empty", MEDIUM_A "\n", NULL, REPORT_NO_MEDIUM, NULL, "block no-medium @A" },
		{ "several units", MEDIUM_A "\n", NULL, REPORT_TOO_MANY, NULL, "block too-many-volumes @A" },
		{ "a CD drive", MEDIUM_A "\n", NULL, REPORT_NOT_DISK, NULL, "block not-a-disk @A" },
		{ "nonsense", MEDIUM_A "\n", NULL, REPORT_BAD_ANSWER, NULL, "block bad-answer @A" },
		{ "no bulk-only", MEDIUM_A "\n", NULL, REPORT_TRANSPORT, NULL,
		  "block cannot-inspect @A" },
		{ "late", MEDIUM_A "\n", NULL, REPORT_TIMEOUT, NULL, "block inspection-timeout @A" },
		{ "broken inspector", MEDIUM_A "\n", NULL, REPORT_INTERNAL, NULL,
		  "block inspector-failed @A" },
		{ "an outcome from the future", MEDIUM_A "\n", NULL, 99, UUID_A,
		  "block inspector-failed @A" },
		{ "two storage interfaces", MEDIUM_A "\n", "08:06:50 08:06:62",
		  .device = "block multiple-units @A",
		  .each = "block multiple-units @A | block multiple-units @A" },
		{ "two storage interfaces, one proved", MEDIUM_A "\n", "08:06:50 08:06:50", REPORT_PROVED,
		  UUID_A, "block multiple-units @A",
		  "block multiple-units @A | block multiple-units @A" },
		{ "storage by another setting", MEDIUM_A "\n", "ff:00:00/08:06:50", REPORT_PROVED, UUID_A,
		  "allow rw proved luks2 @A" },
		{ "no storage held", MEDIUM_A "\n", "ff:00:00", .device = "block class-not-allowed" },
	};

	RUN(rows);
}

static void the_register_speaks_before_the_rules(void)
{
	static const struct row rows[] = {
		{ "blocked by a rule before it", "block\n" MEDIUM_A "\n", NULL, REPORT_PROVED, UUID_A,
		  "allow rw proved luks2 @A" },
		{ "not proved, and a rule would allow", "allow\n" MEDIUM_A "\n", NULL, REPORT_PLAIN, NULL,
		  "block not-encrypted @A" },
		{ "to be proved, though a rule asks for nothing", "allow\n" MEDIUM_A "\n", NULL, 0, NULL,
		  "prove @A" },
		{ "another volume, and a rule would allow", "allow\n" MEDIUM_A "\n", NULL, REPORT_PROVED,
		  UUID_B, "block other-volume @A" },
		{ "of its storage only", "block only-interface ff:*:*\n" MEDIUM_A "\n",
		  "ff:00:00 08:06:50 e0:01:01", REPORT_PROVED, UUID_A, "allow rw proved luks2 @A",
		  "block rule-blocked @1 | allow rw proved luks2 @A | block class-not-allowed" },
		{ "the rest may pass by rules", "allow only-interface ff:*:*\n" MEDIUM_A "\n",
		  "ff:00:00 08:06:50", REPORT_PLAIN, NULL, "allow rw rule-allowed @1",
		  "allow rw rule-allowed @1 | block not-encrypted @A" },
		{ "the keyboard beside it is harmless", MEDIUM_A "\n", "03:01:01 08:06:50", REPORT_PROVED,
		  UUID_A, "allow rw proved luks2 @A",
		  "allow rw harmless | allow rw proved luks2 @A" },
	};

	RUN(rows);
}

static void the_volume_picks_among_media_that_look_alike(void)
{
#define TWINS(more_a, more_b) MEDIUM_A more_a "\n" MEDIUM("B", UUID_B) more_b "\n"
	static const struct row rows[] = {
		{ "not inspected", TWINS("", ""), NULL, 0, NULL, "prove @A" },
		{ "the first", TWINS(" access ro", ""), NULL, REPORT_PROVED, UUID_A,
		  "allow ro proved luks2 @A" },
		{ "the second", TWINS(" access ro", ""), NULL, REPORT_PROVED, UUID_B,
		  "allow rw proved luks2 @B" },
		{ "neither", TWINS("", ""), NULL, REPORT_PROVED, UUID_C, "block other-volume @A" },
		{ "one is lost, not inspected", TWINS(" status lost", ""), NULL, 0, NULL, "prove @B" },
		{ "the good twin", TWINS(" status lost", ""), NULL, REPORT_PROVED, UUID_B,
		  "allow rw proved luks2 @B" },
		{ "the lost twin", TWINS(" status lost", ""), NULL, REPORT_PROVED, UUID_A,
		  "block medium-lost @A" },
		{ "a reformatted twin", TWINS(" status lost", ""), NULL, REPORT_PLAIN, NULL,
		  "block not-encrypted @B" },
		{ "both dead", TWINS(" status lost", " status disposed"), NULL, 0, NULL,
		  "block medium-lost @A" },
		{ "both dead, the second found", TWINS(" status lost", " status disposed"), NULL,
		  REPORT_PROVED, UUID_B, "block medium-disposed @B" },
		{ "one belongs elsewhere, not inspected", TWINS(" terminals \"WIN-*\"", ""), NULL, 0,
		  NULL, "prove @B", .terminal = "MN-01" },
		{ "the one that belongs elsewhere", TWINS(" terminals \"WIN-*\"", ""), NULL,
		  REPORT_PROVED, UUID_A, "block other-terminal", .terminal = "MN-01" },
		{ "the one that belongs here", TWINS(" terminals \"WIN-*\"", ""), NULL, REPORT_PROVED,
		  UUID_B, "allow rw proved luks2 @B", .terminal = "MN-01" },
		{ "one is dead, one elsewhere", TWINS(" status lost", " terminals \"WIN-*\""), NULL, 0,
		  NULL, "block medium-lost @A", .terminal = "MN-01" },
		{ "one fingerprint each", TWINS(" fingerprint \"" PRINT_1 "\"",
						" fingerprint \"" PRINT_2 "\""),
		  NULL, 0, NULL, "prove @B", .print = PRINT_2 },
		{ "one fingerprint each, volumes swapped", TWINS(" fingerprint \"" PRINT_1 "\"",
								 " fingerprint \"" PRINT_2 "\""),
		  NULL, REPORT_PROVED, UUID_A, "block other-volume @B", .print = PRINT_2 },
		{ "lent in April, to the next in May: in April",
		  MEDIUM_A " access ro from 2026-04-01 until 2026-04-30\n" MEDIUM_A
			   " from 2026-05-01 until 2026-05-31\n",
		  NULL, REPORT_PROVED, UUID_A, "allow ro proved luks2 @A",
		  .recheck = "2026-05-01T00:00:00" },
		{ "lent in April, to the next in May: in May",
		  MEDIUM_A " access ro from 2026-04-01 until 2026-04-30\n" MEDIUM_A
			   " from 2026-05-01 until 2026-05-31\n",
		  NULL, REPORT_PROVED, UUID_A, "allow rw proved luks2 @A", .now = "2026-05-01T00:00:00",
		  .recheck = "2026-06-01T00:00:00" },
	};
#undef TWINS

	RUN(rows);
}

static void a_fingerprint_must_be_that_of_the_medium(void)
{
	static const struct row rows[] = {
		{ "the same", MEDIUM_A " fingerprint \"" PRINT_1 "\"\n", NULL, REPORT_PROVED, UUID_A,
		  "allow rw proved luks2 @A", .print = PRINT_1 },
		{ "another", MEDIUM_A " fingerprint \"" PRINT_1 "\"\n", NULL, REPORT_PROVED, UUID_A,
		  "block not-registered", .print = PRINT_2 },
		{ "not known", MEDIUM_A " fingerprint \"" PRINT_1 "\"\n", NULL, 0, NULL,
		  "block not-registered" },
		{ "another, then the rules count", MEDIUM_A " fingerprint \"" PRINT_1 "\"\nallow\n", NULL,
		  0, NULL, "allow rw rule-allowed @2", .print = PRINT_2 },
	};

	RUN(rows);
}

#define LIMITED                                                                                    \
	MEDIUM_A " from 2026-04-10 until 2026-04-20 terminals { \"MN-01\" \"KAI-*\" } "          \
		 "holder { \"tanaka\" \"@税務課\" }\n"

static void a_medium_out_of_its_place_is_left_to_the_rules(void)
{
	static const struct row rows[] = {
		{ "all is met", LIMITED, NULL, REPORT_PROVED, UUID_A, "allow rw proved luks2 @A",
		  .terminal = "MN-01", .user = "tanaka", .recheck = "2026-04-21T00:00:00" },
		{ "by a pattern and a group", LIMITED, NULL, 0, NULL, "prove @A", .terminal = "KAI-7",
		  .user = "sato", .group = "税務課", .recheck = "2026-04-21T00:00:00" },
		{ "the first second", LIMITED, NULL, 0, NULL, "prove @A", .terminal = "MN-01",
		  .user = "tanaka", .now = "2026-04-10T00:00:00", .recheck = "2026-04-21T00:00:00" },
		{ "the last second", LIMITED, NULL, 0, NULL, "prove @A", .terminal = "MN-01",
		  .user = "tanaka", .now = "2026-04-20T23:59:59", .recheck = "2026-04-21T00:00:00" },
		{ "too early", LIMITED, .device = "block outside-term", .terminal = "MN-01",
		  .user = "tanaka", .now = "2026-04-09T23:59:59", .recheck = "2026-04-10T00:00:00" },
		{ "too late", LIMITED, .device = "block outside-term", .terminal = "MN-01",
		  .user = "tanaka", .now = "2026-04-21T00:00:00" },
		{ "another terminal", LIMITED, .device = "block other-terminal", .terminal = "MN-02",
		  .user = "tanaka", .recheck = "?" },
		{ "a terminal that only begins so", LIMITED, .device = "block other-terminal",
		  .terminal = "MN-010", .user = "tanaka", .recheck = "?" },
		{ "no terminal known", LIMITED, .device = "block other-terminal", .user = "tanaka",
		  .recheck = "?" },
		{ "another user", LIMITED, .device = "block other-user", .terminal = "MN-01",
		  .user = "sato", .recheck = "?" },
		{ "a group named like the user", LIMITED, .device = "block other-user",
		  .terminal = "MN-01", .user = "sato", .group = "tanaka", .recheck = "?" },
		{ "a group named like the rest of the user", LIMITED, .device = "block other-user",
		  .terminal = "MN-01", .user = "sato", .group = "anaka", .recheck = "?" },
		{ "a user named like the group", LIMITED, .device = "block other-user",
		  .terminal = "MN-01", .user = "税務課", .recheck = "?" },
		{ "a user named like the group with its sign", LIMITED, .device = "block other-user",
		  .terminal = "MN-01", .user = "@税務課", .recheck = "?" },
		{ "nobody logged in", LIMITED, .device = "block other-user", .terminal = "MN-01",
		  .recheck = "?" },
		{ "nobody, as an empty name", LIMITED, .device = "block other-user",
		  .terminal = "MN-01", .user = "", .recheck = "?" },

		{ "too late, by a rule", LIMITED "allow access ro\n", .device = "allow ro rule-allowed @2",
		  .terminal = "MN-01", .user = "tanaka", .now = "2026-04-21T00:00:00" },
		{ "another terminal, by a rule", LIMITED "allow access ro\n",
		  .device = "allow ro rule-allowed @2", .terminal = "MN-02", .user = "tanaka",
		  .recheck = "?" },
		{ "another user, by a rule", LIMITED "allow encrypted luks2\n", NULL, 0, NULL, "prove @2",
		  .terminal = "MN-01", .user = "sato", .recheck = "?" },
		{ "another user, blocked by a rule", LIMITED "block\n", .device = "block rule-blocked @2",
		  .terminal = "MN-01", .user = "sato", .recheck = "?" },
		{ "default reject", "default reject\n" LIMITED, .device = "block other-user reject",
		  .terminal = "MN-01", .user = "sato", .recheck = "?" },
	};

	RUN(rows);
}

static void the_line_that_decided_is_told(void)
{
	struct medium medium = { .line = 7 };
	struct rule rule = { .line = 9 };
	struct decide_judgement judgement = { .reason = "" };

	CU_ASSERT_EQUAL(decide_line(&judgement), 0);
	judgement.rule = &rule;
	CU_ASSERT_EQUAL(decide_line(&judgement), 9);
	judgement.rule = NULL;
	judgement.medium = &medium;
	CU_ASSERT_EQUAL(decide_line(&judgement), 7);
}

static void unknown_reasons_are_shown_as_they_are(void)
{
	CU_ASSERT_PTR_NULL(reason_find("no-such-reason"));
	CU_ASSERT_STRING_EQUAL(reason_text("no-such-reason"), "no-such-reason");
	CU_ASSERT_STRING_NOT_EQUAL(reason_text("proved"), "proved");
}

static const struct test tests[] = {
	TEST(without_a_policy_nothing_but_the_harmless_passes),
	TEST(descriptors_that_are_not_whole_let_no_storage_in),
	TEST(out_of_its_time_a_policy_lets_nothing_through),
	TEST(an_expired_policy_does_not_take_the_keyboard_away),
	TEST(what_nothing_speaks_of_is_blocked),
	TEST(harmless_classes_pass_without_a_rule),
	TEST(a_dead_medium_is_blocked_by_its_ids),
	TEST(a_dead_volume_is_blocked_under_any_ids),
	TEST(a_registered_medium_passes_once_it_is_proved),
	TEST(the_register_speaks_before_the_rules),
	TEST(the_volume_picks_among_media_that_look_alike),
	TEST(a_fingerprint_must_be_that_of_the_medium),
	TEST(a_medium_out_of_its_place_is_left_to_the_rules),
	TEST(the_line_that_decided_is_told),
	TEST(unknown_reasons_are_shown_as_they_are),
};

int main(void)
{
	return testing_run("decide", tests, ARRAY_SIZE(tests));
}
