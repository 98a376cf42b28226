// SPDX-License-Identifier: GPL-2.0-or-later
/* What rules decide: whom they match, when they hold, the proof they ask for, what they remember. */
#include "decide-row.h"

/* --- 4. rules --- */

static void the_first_rule_that_matches_decides(void)
{
	static const struct row rows[] = {
		{ "allow", "allow\n", .device = "allow rw rule-allowed @1" },
		{ "for reading", "allow access ro\n", .device = "allow ro rule-allowed @1" },
		{ "block", "block\n", .device = "block rule-blocked @1" },
		{ "reject", "reject\n", .device = "block rule-rejected reject @1" },
		{ "allow before block", "allow\nblock\n", .device = "allow rw rule-allowed @1" },
		{ "block before allow", "block\nallow\n", .device = "block rule-blocked @1" },
		{ "reject before allow", "# x\nreject\nallow\n", .device = "block rule-rejected reject @2" },
		{ "block is not rejected by default", "default reject\nblock\n",
		  .device = "block rule-blocked @2" },
		{ "the one that matches", "allow id 1234:abcd\nallow serial \"S2\"\nblock name \"Stick\"\n",
		  .device = "block rule-blocked @3" },
		{ "the more exact comes too late", "block\nallow id 46f4:0001 serial \"S1\"\n",
		  .device = "block rule-blocked @1" },
		{ "match and device lines do not stop it", "match\ndevice id 46f4:0001\nallow id 46f4:*\n",
		  .device = "allow rw rule-allowed @3" },
		{ "a rule of another device", "allow id 1234:abcd\n", .device = "block not-registered" },
		{ "by all that it is",
		  "allow 46f4:0001 serial \"S1\" name \"Stick\" via-port \"1-2\" "
		  "with-interface 08:06:50 with-connect-type \"hotplug\" label \"x\"\n",
		  .device = "allow rw rule-allowed @1" },
		{ "no method is claimed where none is asked for", "allow\n", NULL, REPORT_PROVED, UUID_A,
		  "allow rw rule-allowed @1" },
	};

	RUN(rows);
}

static void a_rule_holds_for_its_users_terminals_and_time(void)
{
	static const struct row rows[] = {
		{ "its user", "allow for-user \"tanaka\"\n", .user = "tanaka",
		  .device = "allow rw rule-allowed @1" },
		{ "another user", "allow for-user \"tanaka\"\n", .user = "sato",
		  .device = "block other-user" },
		{ "nobody", "allow for-user \"tanaka\"\n", .device = "block other-user" },
		{ "its group", "allow for-group { \"civil\" \"tax\" }\n", .user = "sato", .group = "tax",
		  .device = "allow rw rule-allowed @1" },
		{ "another group", "allow for-group \"tax\"\n", .user = "sato", .group = "civil",
		  .device = "block other-user" },
		{ "its terminal", "allow on-terminal \"MN-*\"\n", .terminal = "MN-01",
		  .device = "allow rw rule-allowed @1" },
		{ "another terminal", "allow on-terminal \"MN-*\"\n", .terminal = "WIN-01",
		  .device = "block other-terminal" },
		{ "before", "allow from 2026-04-16\n", .device = "block outside-term",
		  .recheck = "2026-04-16T00:00:00" },
		{ "from then on", "allow from 2026-04-15T10:00\n", .device = "allow rw rule-allowed @1" },
		{ "until then", "allow until 2026-04-15\n", .device = "allow rw rule-allowed @1",
		  .recheck = "2026-04-16T00:00:00" },
		{ "after", "allow until 2026-04-14\n", .device = "block outside-term" },
		{ "the device is not meant at all", "allow id 1234:abcd for-user \"tanaka\"\n",
		  .device = "block not-registered" },
		{ "the next rule", "allow for-user \"tanaka\"\nallow access ro\n", .user = "sato",
		  .device = "allow ro rule-allowed @2" },
		{ "a block for others says nothing of why", "block for-user \"tanaka\"\n", .user = "sato",
		  .device = "block not-registered" },
		{ "blocked by the next", "allow for-user \"tanaka\"\nblock\n", .user = "sato",
		  .device = "block rule-blocked @2" },
		{ "what came nearest first", "allow for-user \"tanaka\"\nallow on-terminal \"MN-*\"\n",
		  .user = "sato", .device = "block other-user" },
	};

	RUN(rows);
}

static void conditions_must_hold(void)
{
	static const struct row rows[] = {
		{ "true", "allow if true\n", .device = "allow rw rule-allowed @1" },
		{ "false", "allow if false\n", .device = "block conditions-not-met" },
		{ "negated", "allow if !false\n", .device = "allow rw rule-allowed @1" },
		{ "one of", "allow if one-of { false true }\n", .device = "allow rw rule-allowed @1" },
		{ "all of", "allow if all-of { false true }\n", .device = "block conditions-not-met" },
		{ "none of", "allow if none-of { false false }\n", .device = "allow rw rule-allowed @1" },
		{ "block if false", "block if false\nallow\n", .device = "allow rw rule-allowed @2" },
		{ "block if false says nothing of why", "block if false\n",
		  .device = "block not-registered" },
		{ "reject if true", "reject if true\nallow\n", .device = "block rule-rejected reject @1" },
		{ "in the window", "allow if localtime(08:30-17:15)\n",
		  .device = "allow rw rule-allowed @1", .recheck = "2026-04-15T17:15:00" },
		{ "the last second of the window", "allow if localtime(08:30-17:15)\n",
		  .device = "allow rw rule-allowed @1", .now = "2026-04-15T17:14:59",
		  .recheck = "2026-04-15T17:15:00" },
		{ "after the window", "allow if localtime(08:30-17:15)\n",
		  .device = "block conditions-not-met", .now = "2026-04-15T17:15:00",
		  .recheck = "2026-04-16T08:30:00" },
		{ "not in the window", "allow if !localtime(08:30-17:15)\n",
		  .device = "block conditions-not-met", .recheck = "2026-04-15T17:15:00" },
		{ "on weekdays", "allow if localtime(Mon-Fri 08:30-17:15)\n",
		  .device = "block conditions-not-met", .now = "2026-04-17T18:00:00",
		  .recheck = "2026-04-20T08:30:00" },
		{ "over midnight", "allow if localtime(22:00-06:00)\n",
		  .device = "allow rw rule-allowed @1", .now = "2026-04-15T23:00:00",
		  .recheck = "2026-04-16T06:00:00" },
		{ "no other device is let in", "allow if allowed-matches(id 1234:abcd)\n",
		  .device = "block conditions-not-met" },
		{ "never applied before", "allow if rule-applied\n", .device = "block conditions-not-met" },
	};

	RUN(rows);
}

static void time_alone_changes_the_answer_at_the_first_of_many_moments(void)
{
	static const struct row rows[] = {
		{ "window within term within policy",
		  "valid-until 2026-12-31\nallow until 2026-04-20 if localtime(08:30-17:15)\n",
		  .device = "allow rw rule-allowed @2", .recheck = "2026-04-15T17:15:00" },
		{ "the term ends first",
		  "valid-until 2026-12-31\nallow until 2026-04-15T12:00 if localtime(08:30-17:15)\n",
		  .device = "allow rw rule-allowed @2", .recheck = "2026-04-15T12:01:00" },
		{ "the policy ends first",
		  "valid-until 2026-04-15T11:00\nallow until 2026-04-20 if localtime(08:30-17:15)\n",
		  .device = "allow rw rule-allowed @2", .recheck = "2026-04-15T11:01:00" },
		{ "an earlier rule begins",
		  "block from 2026-04-15T10:30\nallow if localtime(08:30-17:15)\n",
		  .device = "allow rw rule-allowed @2", .recheck = "2026-04-15T10:30:00" },
		{ "a later rule does not matter",
		  "allow if localtime(08:30-17:15)\nblock from 2026-04-15T10:30\n",
		  .device = "allow rw rule-allowed @1", .recheck = "2026-04-15T17:15:00" },
		{ "a rule of another device does not matter",
		  "block id 1234:abcd from 2026-04-15T10:30\nallow\n",
		  .device = "allow rw rule-allowed @2" },
		{ "a medium's term begins", "allow\n" MEDIUM_A " from 2026-05-01\n",
		  .device = "allow rw rule-allowed @1", .recheck = "2026-05-01T00:00:00" },
		{ "a medium's term ends", MEDIUM_A " until 2026-04-15T16:59\n", NULL, REPORT_PROVED, UUID_A,
		  "allow rw proved luks2 @A", .recheck = "2026-04-15T17:00:00" },
		{ "nothing ever", MEDIUM_A " from 2026-01-01\nallow until 2026-03-31\n", NULL,
		  REPORT_PROVED, UUID_A, "allow rw proved luks2 @A" },
	};

	RUN(rows);
}

/* --- encryption asked for by the header and by rules --- */

static void the_header_demands_a_proof_of_storage(void)
{
	static const struct row rows[] = {
		{ "to be proved", "encryption luks2\nallow\n", NULL, 0, NULL, "prove @2" },
		{ "proved", "encryption luks2\nallow access ro\n", NULL, REPORT_PROVED, UUID_A,
		  "allow ro rule-allowed luks2 @2" },
		{ "plain", "encryption luks2\nallow\n", NULL, REPORT_PLAIN, NULL,
		  "block not-encrypted @2" },
		{ "the rule that matched has decided", "encryption luks2\nallow serial \"S1\"\nallow\n",
		  NULL, REPORT_TIMEOUT, NULL, "block inspection-timeout @2" },
		{ "optional", "encryption luks2\nallow encrypted optional\n", NULL, 0, NULL,
		  "allow rw rule-allowed @2" },
		{ "optional, though proved", "encryption luks2\nallow encrypted optional\n", NULL,
		  REPORT_PROVED, UUID_A, "allow rw rule-allowed @2" },
		{ "said again by the rule", "encryption luks2\nallow encrypted luks2\n", NULL,
		  REPORT_PROVED, UUID_A, "allow rw rule-allowed luks2 @2" },
		{ "of storage alone", "encryption luks2\nallow\n", "ff:00:00",
		  .device = "allow rw rule-allowed @2" },
		{ "of the storage among others", "encryption luks2\nallow\n", "ff:00:00 08:06:50",
		  .device = "prove @2", .each = "allow rw rule-allowed @2 | prove @2" },
		{ "of the storage among others, proved", "encryption luks2\nallow\n",
		  "ff:00:00 08:06:50", REPORT_PROVED, UUID_A, "allow rw rule-allowed @2",
		  "allow rw rule-allowed @2 | allow rw rule-allowed luks2 @2" },
		{ "of an interface that can be storage", "encryption luks2\nallow\n",
		  "ff:00:00/08:06:50", .device = "prove @2" },
		{ "two storage interfaces", "encryption luks2\nallow\n", "08:06:50 08:06:50",
		  .device = "block multiple-units @2",
		  .each = "block multiple-units @2 | block multiple-units @2" },
		{ "a block needs no proof", "encryption luks2\nblock\n",
		  .device = "block rule-blocked @2" },
		{ "nor does a reject", "encryption luks2\nreject\n",
		  .device = "block rule-rejected reject @2" },
	};

	RUN(rows);
}

#define LADDER "allow encrypted luks2\nallow encrypted optional access ro\n"

static void a_rule_for_encrypted_media_leaves_others_to_the_next(void)
{
	static const struct row rows[] = {
		{ "to be proved", LADDER, NULL, 0, NULL, "prove @1" },
		{ "proved", LADDER, NULL, REPORT_PROVED, UUID_A, "allow rw rule-allowed luks2 @1" },
		{ "plain", LADDER, NULL, REPORT_PLAIN, NULL, "allow ro rule-allowed @2" },
		{ "damaged", LADDER, NULL, REPORT_DAMAGED, NULL, "allow ro rule-allowed @2" },
		{ "not inspectable", LADDER, NULL, REPORT_TRANSPORT, NULL, "allow ro rule-allowed @2" },
		{ "two disks are not even asked", LADDER, "08:06:50 08:06:50",
		  .device = "allow ro rule-allowed @2",
		  .each = "allow ro rule-allowed @2 | allow ro rule-allowed @2" },
		{ "blocked by the next", "allow encrypted luks2\nblock\n", NULL, REPORT_PLAIN, NULL,
		  "block rule-blocked @2" },
		{ "nothing but the first", "allow encrypted luks2\n", NULL, REPORT_PLAIN, NULL,
		  "block not-encrypted" },
		{ "nothing but the first, damaged", "allow encrypted luks2\n", NULL, REPORT_DAMAGED, NULL,
		  "block header-damaged" },
		{ "nothing but the first, LUKS1", "allow encrypted luks2\n", NULL, REPORT_UNKNOWN, NULL,
		  "block encryption-not-accepted" },
		{ "nothing but the first, empty", "allow encrypted luks2\n", NULL, REPORT_NO_MEDIUM, NULL,
		  "block no-medium" },
		{ "nothing but the first, too many units", "allow encrypted luks2\n", NULL, REPORT_TOO_MANY,
		  NULL, "block too-many-volumes" },
		{ "nothing but the first, a CD drive", "allow encrypted luks2\n", NULL, REPORT_NOT_DISK,
		  NULL, "block not-a-disk" },
		{ "nothing but the first, nonsense", "allow encrypted luks2\n", NULL, REPORT_BAD_ANSWER,
		  NULL, "block bad-answer" },
		{ "nothing but the first, not inspectable", "allow encrypted luks2\n", NULL,
		  REPORT_TRANSPORT, NULL, "block cannot-inspect" },
		{ "nothing but the first, late", "allow encrypted luks2\n", NULL, REPORT_TIMEOUT, NULL,
		  "block inspection-timeout" },
		{ "nothing but the first, broken inspector", "allow encrypted luks2\n", NULL,
		  REPORT_INTERNAL, NULL, "block inspector-failed" },
		{ "nothing but the first, two disks", "allow encrypted luks2\n", "08:06:50 08:06:62",
		  .device = "block multiple-units",
		  .each = "block multiple-units | block multiple-units" },
		{ "it never speaks of other functions", "allow encrypted luks2\n", "ff:00:00",
		  .device = "block cannot-inspect" },
		{ "other functions go to the next", "allow encrypted luks2\nallow only-interface ff:*:*\n",
		  "08:06:50 ff:00:00", REPORT_PROVED, UUID_A, "allow rw rule-allowed luks2 @1",
		  "allow rw rule-allowed luks2 @1 | allow rw rule-allowed @2" },
		{ "conditions first", "allow encrypted luks2 if false\n", NULL, 0, NULL,
		  "block conditions-not-met" },
		{ "an earlier block spares the inspection", "block name \"Stick\"\nallow encrypted luks2\n",
		  NULL, 0, NULL, "block rule-blocked @1" },
	};

	RUN(rows);
}

/* --- what rules remember --- */

struct memory {
	unsigned int lines[16]; /* of the rules that were told, in their order */
	unsigned int n;
	uint64_t applied; /* what `last` answers */
	uint64_t evaluated;
	unsigned int asked;
};

static void note_evaluated(void *userdata, const struct rule *rule)
{
	struct memory *memory = userdata;

	if (memory->n < ARRAY_SIZE(memory->lines))
		memory->lines[memory->n] = rule->line;
	memory->n++;
}

static uint64_t tell_last(void *userdata, uint64_t key, bool evaluated)
{
	struct memory *memory = userdata;

	memory->asked++;
	return evaluated ? memory->evaluated : memory->applied;
}

/* A stick with a vendor-specific interface beside it, not yet inspected. */
static void decide_remembering(const struct policy *policy, struct memory *memory, bool listening,
			       struct decide_result *result)
{
	static const struct row device = { .interfaces = "08:06:50 ff:00:00" };
	struct decide_interface interfaces[IDENT_INTERFACES_MAX];
	struct ident ident;
	struct decide_input input = { .ident = &ident,
				      .interfaces = interfaces,
				      .policy = policy,
				      .world = { .civil = civil_of(NOW),
						 .boot_us = 1000000000,
						 .last = tell_last,
						 .userdata = memory },
				      .evaluated = listening ? note_evaluated : NULL,
				      .userdata = memory };

	input.n_interfaces = make_device(&device, &ident, interfaces);
	decide(&input, result);
}

static void rules_that_remember_are_told_of_once_when_looked_at(void)
{
	static const struct {
		const char *name;
		const char *policy;
		unsigned int n;
		unsigned int lines[2];
	} rows[] = {
		{ "no rule remembers", "allow if true\n", 0, { 0 } },
		{ "applied", "allow if !rule-applied(10m)\n", 1, { 1 } },
		{ "evaluated", "allow if !rule-evaluated\n", 1, { 1 } },
		{ "not met", "allow if rule-applied(10m)\n", 1, { 1 } },
		{ "a block", "block if !rule-applied\n", 1, { 1 } },
		{ "one of several conditions", "allow if one-of { true rule-evaluated(1h) }\n", 1, { 1 } },
		{ "another device", "allow id 1234:abcd if !rule-applied\n", 0, { 0 } },
		{ "another user", "allow for-user \"tanaka\" if !rule-applied\n", 0, { 0 } },
		{ "two in their order", "allow if rule-applied\n# x\nblock if rule-evaluated\nallow\n", 2,
		  { 1, 3 } },
		{ "behind what has decided", "block\nallow if !rule-applied\n", 0, { 0 } },
		{ "behind what has decided in part",
		  "block only-interface 08:*:*\nallow if !rule-applied\n", 1, { 2 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct policy *policy = policy_of(rows[i].policy);
		struct memory memory = { .n = 0 };
		struct decide_result result;

		CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
		decide_remembering(policy, &memory, true, &result);
		EXPECT(memory.n == rows[i].n, rows[i].name);
		for (unsigned int k = 0; k < rows[i].n; k++)
			EXPECT(memory.lines[k] == rows[i].lines[k], rows[i].name);
		/* Nobody has to listen. */
		decide_remembering(policy, &memory, false, &result);
		EXPECT(memory.n == rows[i].n, rows[i].name);
		policy_free(policy);
	}
}

static void what_a_rule_remembers_counts_for_so_long(void)
{
	/* Now is 1000 s after boot. */
	static const struct {
		const char *name;
		const char *policy;
		uint64_t applied, evaluated; /* seconds after boot */
		const char *reason;
		int64_t recheck; /* seconds from now, 0: never */
	} rows[] = {
		{ "never", "allow if rule-applied(10m)\n", 0, 990, "conditions-not-met", 0 },
		{ "just now", "allow if rule-applied(10m)\n", 1000, 0, "rule-allowed", 601 },
		{ "not long ago", "allow if rule-applied(10m)\n", 900, 0, "rule-allowed", 501 },
		{ "the last second", "allow if rule-applied(10m)\n", 401, 0, "rule-allowed", 2 },
		{ "too long ago", "allow if rule-applied(10m)\n", 400, 0, "conditions-not-met", 0 },
		{ "ever", "allow if rule-applied\n", 1, 0, "rule-allowed", 0 },
		{ "evaluated", "allow if rule-evaluated(1h)\n", 0, 999, "rule-allowed", 3600 },
		{ "applied is not evaluated", "allow if rule-evaluated(1h)\n", 999, 0,
		  "conditions-not-met", 0 },
		{ "not within", "allow if !rule-applied(10m)\n", 900, 0, "conditions-not-met", 501 },
		{ "not within, and it was before", "allow if !rule-applied(10m)\n", 100, 0,
		  "rule-allowed", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct policy *policy = policy_of(rows[i].policy);
		struct memory memory = { .applied = rows[i].applied * 1000000,
					 .evaluated = rows[i].evaluated * 1000000 };
		struct decide_result result;

		CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
		decide_remembering(policy, &memory, true, &result);
		EXPECT(memory.asked, rows[i].name);
		EXPECT(!strcmp(result.device.reason, rows[i].reason), rows[i].name);
		EXPECT(result.recheck == (rows[i].recheck ? civil_of(NOW) + rows[i].recheck :
							    INT64_MAX),
		       rows[i].name);
		policy_free(policy);
	}
}

static void rules_may_ask_for_other_devices_that_are_let_in(void)
{
	struct policy *policy = policy_of("allow if allowed-matches(id 1234:abcd)\n"
					  "block if !allowed-matches(with-interface 0b:*:*)\n"
					  "allow access ro\n");
	struct ident ident = { .id_vendor = 1 }, reader = { .id_vendor = 2, .n_types = 1 },
		     key = { .id_vendor = 0x1234, .id_product = 0xabcd };
	const struct ident *allowed[] = { &reader, &key };
	struct decide_interface intf = { .ident.class = 0x08, .storage = true };
	struct decide_input input = { .ident = &ident, .interfaces = &intf, .n_interfaces = 1,
				      .policy = policy, .world.allowed = allowed };
	static const unsigned int lines[] = { 2, 3, 1 };
	struct decide_result result;

	CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
	reader.types[0].class = 0x0b;
	for (size_t n = 0; n < ARRAY_SIZE(lines); n++) {
		input.world.n_allowed = n;
		decide(&input, &result);
		CU_ASSERT_EQUAL(decide_line(&result.device), lines[n]);
	}
	policy_free(policy);
}

static const struct test tests[] = {
	TEST(the_first_rule_that_matches_decides),
	TEST(a_rule_holds_for_its_users_terminals_and_time),
	TEST(conditions_must_hold),
	TEST(time_alone_changes_the_answer_at_the_first_of_many_moments),
	TEST(the_header_demands_a_proof_of_storage),
	TEST(a_rule_for_encrypted_media_leaves_others_to_the_next),
	TEST(rules_that_remember_are_told_of_once_when_looked_at),
	TEST(what_a_rule_remembers_counts_for_so_long),
	TEST(rules_may_ask_for_other_devices_that_are_let_in),
};

int main(void)
{
	return testing_run("decide-rules", tests, ARRAY_SIZE(tests));
}
