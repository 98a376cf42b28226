// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/rule-match: what each attribute of a rule means, held against one device and one world.
 * Conditions are in test-rule-conditions.c.
 */
#include <stdio.h>
#include <string.h>

#include "../sample-device.h"
#include "core/macro.h"
#include "core/rule.h"
#include "testing.h"

static struct arena *arena;

#define stick sample_device
#define NOW SAMPLE_NOW

static const struct rule_world world = {.civil = NOW};

static const struct rule *parse(const char *line)
{
	struct rule_error error;
	const struct rule *rule = rule_parse(arena, line, strlen(line), &error);

	if (!rule)
		fprintf(stderr, "%s: %u: %s\n", line, error.column, error.message);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rule);
	return rule;
}

static enum rule_attr_name mismatch(const char *line, const struct ident *ident,
				    const struct rule_world *in)
{
	int64_t recheck = INT64_MAX;

	return rule_mismatch(parse(line), ident, in, &recheck);
}

static bool matches(const char *line, const struct ident *ident)
{
	return mismatch(line, ident, &world) == RULE_ATTR_COUNT;
}

struct row {
	const char *line;
	bool yes;
};

static void check_rows(const struct row *rows, size_t n, const struct ident *ident)
{
	for (size_t i = 0; i < n; i++)
		EXPECT(matches(rows[i].line, ident) == rows[i].yes, rows[i].line);
}

static void each_attribute_of_the_device_counts(void)
{
	static const struct row rows[] = {
		{"allow", true},
		{"allow 1234:abcd", true},
		{"allow 1234:abce", false},
		{"allow 1235:abcd", false},
		{"allow id 1234:*", true},
		{"allow id 1235:*", false},
		{"allow id *:*", true},
		/* A number, not its digits. */
		{"allow id 1234:ABCD", true},
		{"allow id 1234:aBcD", true},
		{"allow serial \"5A00-0017\"", true},
		{"allow serial \"5a00-0017\"", false},
		{"allow serial \"5A00-001\"", false},
		{"allow serial \"5A00-00177\"", false},
		{"allow serial \"\"", false},
		{"allow name \"USB DISK 3.0\"", true},
		{"allow name \"\\x55SB DISK 3.0\"", true},
		{"allow name \"Sakura\"", false},
		{"allow name \"USB DISK 3.0\\x00\"", false},
		{"allow hash \"Zm9v\"", true},
		{"allow hash \"YmFy\"", false},
		{"allow parent-hash \"YmFy\"", true},
		{"allow parent-hash \"Zm9v\"", false},
		{"allow via-port \"1-2.3\"", true},
		{"allow via-port \"1-2\"", false},
		{"allow with-connect-type \"hotplug\"", true},
		{"allow with-connect-type \"hardwired\"", false},
		{"allow fingerprint \"blake2b:00112233445566778899aabbccddeeff\"", true},
		{"allow fingerprint \"blake2b:00112233445566778899aabbccddee00\"", false},
		{"allow with-interface all-of { 08:06:50 }", true},
		{"allow with-interface all-of { 08:06:51 }", false},
		/* A label says nothing of the device. */
		{"allow label \"anything\"", true},
		/* All of them count. */
		{"allow 1234:abcd serial \"5A00-0017\" name \"USB DISK 3.0\" via-port \"1-2.3\"",
		 true},
		{"allow 1234:abcd serial \"5A00-0017\" name \"USB DISK 3.0\" via-port \"1-2.4\"",
		 false},
		/* These are looked at elsewhere. */
		{"allow if false", true},
		{"allow access ro encrypted luks2 only-interface 0a:*:*", true},
	};

	check_rows(rows, ARRAY_SIZE(rows), &stick);
}

static void strings_are_compared_as_the_device_holds_them(void)
{
	struct ident ident = stick;

	ident_set_string(ident.product, "関\xff守");
	CU_ASSERT_TRUE(matches("allow name \"関\ufffd守\"", &ident));
	CU_ASSERT_TRUE(matches("allow name \"関\\xff守\"", &ident));
	CU_ASSERT_TRUE(matches("allow name \"\\xe9\\x96\\xa2\\xff\\xe5\\xae\\x88\"", &ident));
	CU_ASSERT_FALSE(matches("allow name \"関守\"", &ident));
	ident_set_string(ident.product, "\x1b[2J");
	CU_ASSERT_TRUE(matches("allow name \"\\x1b[2J\"", &ident));
	ident.serial[0] = '\0';
	CU_ASSERT_TRUE(matches("allow serial \"\"", &ident));
}

static void each_operator_counts_for_single_values(void)
{
	static const struct row rows[] = {
		{"allow id { 1234:abcd }", true},
		{"allow id { 1234:abcd 1234:abcd }", false},
		{"allow id equals { 1234:* }", true},
		{"allow id equals-ordered { 1234:abcd }", true},
		{"allow id equals-ordered { 1234:abcd *:* }", false},
		{"allow id one-of { 5678:* 1234:* }", true},
		{"allow id one-of { 5678:* 1235:* }", false},
		{"allow id all-of { *:* 1234:* 1234:abcd }", true},
		{"allow id all-of { 1234:abcd 5678:* }", false},
		{"allow id none-of { 5678:* 1235:abcd }", true},
		{"allow id none-of { 5678:* 1234:* }", false},
		{"allow id match-all { 5678:* 1234:* }", true},
		{"allow id match-all { 5678:* }", false},
		{"allow serial one-of { \"a\" \"5A00-0017\" }", true},
		{"allow serial none-of { \"a\" \"5A00-0017\" }", false},
		{"allow serial none-of { \"a\" \"b\" }", true},
		{"allow via-port one-of { \"1-1\" \"1-2.3\" }", true},
		{"allow via-port all-of { \"1-1\" \"1-2.3\" }", false},
		{"allow name { \"USB DISK 3.0\" \"USB DISK 3.0\" }", false},
		{"allow fingerprint { \"x\" \"blake2b:00112233445566778899aabbccddeeff\" }", true},
		{"allow fingerprint equals { \"x\" \"blake2b:00112233445566778899aabbccddeeff\" }",
		 false},
	};

	check_rows(rows, ARRAY_SIZE(rows), &stick);
}

static void each_operator_counts_for_interfaces(void)
{
	static const struct row rows[] = {
		/* all-of: each value has an interface. */
		{"allow with-interface all-of { 08:06:50 03:01:01 }", true},
		{"allow with-interface all-of { 03:*:* }", true},
		{"allow with-interface all-of { 08:06:50 08:06:50 }", true},
		{"allow with-interface all-of { 08:06:50 09:*:* }", false},
		/* one-of: some value has one. */
		{"allow with-interface one-of { 09:*:* 03:01:* }", true},
		{"allow with-interface one-of { 09:*:* 03:02:* }", false},
		{"allow with-interface one-of { 08:06:51 }", false},
		/* none-of: no value has one. */
		{"allow with-interface none-of { 09:*:* 08:06:51 }", true},
		{"allow with-interface none-of { 09:*:* 03:01:* }", false},
		/* match-all: each interface has a value. */
		{"allow with-interface match-all { 08:*:* 03:*:* }", true},
		{"allow with-interface match-all { 08:*:* 03:*:* 09:*:* }", true},
		{"allow with-interface match-all { 08:*:* }", false},
		{"allow with-interface match-all { 08:06:50 03:*:* }", false},
		/* equals-ordered: one by one. */
		{"allow with-interface equals-ordered { 08:06:50 08:06:62 03:01:01 }", true},
		{"allow with-interface equals-ordered { 08:*:* 08:06:* 03:01:01 }", true},
		{"allow with-interface equals-ordered { 08:06:62 08:06:50 03:01:01 }", false},
		{"allow with-interface equals-ordered { 08:06:50 08:06:62 }", false},
		{"allow with-interface equals-ordered { 08:06:50 08:06:62 03:01:01 03:01:01 }",
		 false},
		/* equals: one by one, in some order. */
		{"allow with-interface { 08:06:50 08:06:62 03:01:01 }", true},
		{"allow with-interface { 03:01:01 08:06:62 08:06:50 }", true},
		{"allow with-interface equals { 03:01:01 08:06:62 08:06:50 }", true},
		{"allow with-interface { 08:06:50 08:06:62 }", false},
		{"allow with-interface 08:06:50", false},
		{"allow with-interface { 08:06:50 08:06:62 03:01:01 03:01:01 }", false},
	};

	check_rows(rows, ARRAY_SIZE(rows), &stick);
}

/* Interfaces written one after the other, as six hexadecimal digits each. */
static struct ident device_with(const char *triples)
{
	struct ident ident = stick;
	unsigned int class, subclass, protocol;

	for (ident.n_types = 0; sscanf(triples, "%2x%2x%2x", &class, &subclass, &protocol) == 3;
	     triples += 6)
		ident.types[ident.n_types++] = (struct ident_type){
			(uint8_t) class, (uint8_t)subclass, (uint8_t)protocol, 0};
	return ident;
}

static void equal_sets_have_a_partner_for_each_value(void)
{
	static const struct {
		const char *line;
		const char *device;
		bool yes;
	} rows[] = {
		/* USBGuard lets a stick that types pass by this rule. */
		{"allow with-interface { 08:*:* 08:*:* }", "080650080662", true},
		{"allow with-interface { 08:*:* 08:*:* }", "080650030101", false},
		{"allow with-interface { 08:06:50 08:06:50 }", "080650030101", false},
		{"allow with-interface { 08:06:50 08:06:50 }", "080650080650", true},
		{"allow with-interface { 08:06:50 08:06:50 }", "080650080662", false},
		{"allow with-interface { 08:06:50 03:01:01 }", "080650080650", false},
		/* The wildcard must leave 08:06:50 to the value that needs it. */
		{"allow with-interface { 08:*:* 08:06:50 }", "080650080662", true},
		{"allow with-interface { 08:*:* 08:06:50 }", "080662080650", true},
		{"allow with-interface { 08:06:50 08:*:* }", "080650080662", true},
		{"allow with-interface { 08:06:50 08:*:* }", "080662080650", true},
		{"allow with-interface { 08:*:* 08:06:50 }", "080662080662", false},
		{"allow with-interface { 08:*:* 08:06:* 08:06:50 }", "080650080662080101", true},
		{"allow with-interface { 08:*:* 08:06:* 08:06:50 }", "080101080650080662", true},
		{"allow with-interface { 08:06:* 08:*:* 08:06:50 }", "080662080101080650", true},
		{"allow with-interface { 08:*:* 08:06:* 08:06:50 }", "080101080102080650", false},
		/* A chain of three has to move up. */
		{"allow with-interface { 01:*:* 01:02:* 01:02:03 01:02:03 }",
		 "010203010203010204010500", true},
		{"allow with-interface { 01:02:03 01:02:03 01:02:03 01:*:* }",
		 "010203010203010204010500", false},
		{"allow with-interface 08:*:*", "", false},
		{"allow with-interface all-of { 08:*:* }", "", false},
		{"allow with-interface one-of { 08:*:* }", "", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ident ident = device_with(rows[i].device);

		EXPECT(matches(rows[i].line, &ident) == rows[i].yes, rows[i].line);
	}
}

/* Partners are sought in no more than the square of what there is: 256 alike and one that has none.
 */
static void the_largest_set_is_compared_quickly(void)
{
	static char line[IDENT_TYPES_MAX * 9 + 64];
	struct ident ident = stick;
	size_t n = (size_t)sprintf(line, "allow with-interface {");

	ident.n_types = IDENT_TYPES_MAX;
	for (unsigned int i = 0; i < IDENT_TYPES_MAX; i++) {
		ident.types[i] = (struct ident_type){8, 6, 0x50, 0};
		n += (size_t)sprintf(line + n, " 08:%s", i + 1 < IDENT_TYPES_MAX ? "*:*" : "06:62");
	}
	strcpy(line + n, " }");
	CU_ASSERT_FALSE(matches(line, &ident));
	ident.types[0].protocol = 0x62;
	CU_ASSERT_TRUE(matches(line, &ident));
	CU_ASSERT_FALSE(matches(line, &stick));
}

static void only_interface_covers_what_it_names(void)
{
	static const struct {
		const char *line;
		bool storage, keyboard;
	} rows[] = {
		{"allow", true, true},
		{"allow only-interface 08:06:50", true, false},
		{"allow only-interface 08:06:62", false, false},
		{"allow only-interface 08:*:*", true, false},
		{"allow only-interface 03:01:*", false, true},
		{"allow only-interface { 08:06:50 03:*:* }", true, true},
		{"block only-interface 03:*:*", false, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct rule *rule = parse(rows[i].line);

		EXPECT(rule_covers_interface(rule, &stick.types[0]) == rows[i].storage,
		       rows[i].line);
		EXPECT(rule_covers_interface(rule, &stick.types[2]) == rows[i].keyboard,
		       rows[i].line);
	}
}

static void access_and_encryption_are_kept_with_the_rule(void)
{
	static const struct {
		const char *line;
		enum rule_attr_name name;
		uint64_t value;
	} rows[] = {
		{"allow access ro", RULE_ACCESS, ACCESS_RO},
		{"allow access rw", RULE_ACCESS, ACCESS_RW},
		{"allow encrypted luks2", RULE_ENCRYPTED, ENCRYPTION_LUKS2},
		{"allow encrypted optional", RULE_ENCRYPTED, ENCRYPTION_OPTIONAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct rule_attr *attr = rule_attr(parse(rows[i].line), rows[i].name);

		EXPECT(attr && attr->n == 1 && attr->values[0].number == rows[i].value,
		       rows[i].line);
	}
	CU_ASSERT_EQUAL(ACCESS_RW, 0); /* what a rule without the attribute means */
}

/* --- the world --- */

static void users_groups_and_terminals_count(void)
{
	static const char *const both[] = {"madoguchi", "soumu"};
	static const char *const one[] = {"soumu"};
	static const struct {
		const char *line;
		const char *user, *terminal;
		const char *const *groups;
		size_t n_groups;
		bool yes;
	} rows[] = {
		{"allow for-user \"tanaka\"", "tanaka", NULL, NULL, 0, true},
		{"allow for-user \"tanaka\"", "sato", NULL, NULL, 0, false},
		{"allow for-user \"tanaka\"", "", NULL, NULL, 0, false},
		{"allow for-user \"tanaka\"", NULL, NULL, NULL, 0, false},
		{"allow for-user \"\"", "", NULL, NULL, 0, false},
		{"allow for-user { \"sato\" \"tanaka\" }", "tanaka", NULL, NULL, 0, true},
		{"allow for-user none-of { \"sato\" }", "tanaka", NULL, NULL, 0, true},
		{"allow for-user none-of { \"sato\" }", "sato", NULL, NULL, 0, false},
		/* Nobody is not "anybody but". */
		{"allow for-user none-of { \"sato\" }", "", NULL, NULL, 0, false},
		{"allow for-user none-of { \"sato\" }", NULL, NULL, NULL, 0, false},
		/* A user is no group of the same name. */
		{"allow for-user \"soumu\"", "tanaka", NULL, both, 2, false},
		{"allow for-group \"soumu\"", NULL, NULL, both, 2, true},
		{"allow for-group \"madoguchi\"", NULL, NULL, both, 2, true},
		{"allow for-group \"madoguchi\"", NULL, NULL, one, 1, false},
		{"allow for-group \"madoguchi\"", "madoguchi", NULL, NULL, 0, false},
		{"allow for-group { \"a\" \"soumu\" }", NULL, NULL, both, 2, true},
		{"allow for-group all-of { \"soumu\" \"madoguchi\" }", NULL, NULL, both, 2, true},
		{"allow for-group all-of { \"soumu\" \"madoguchi\" }", NULL, NULL, one, 1, false},
		{"allow for-group none-of { \"madoguchi\" }", NULL, NULL, one, 1, true},
		{"allow for-group none-of { \"madoguchi\" }", NULL, NULL, both, 2, false},
		{"allow for-group none-of { \"madoguchi\" }", NULL, NULL, NULL, 0, false},
		{"allow for-group equals { \"soumu\" \"madoguchi\" }", NULL, NULL, both, 2, true},
		{"allow for-group equals { \"soumu\" }", NULL, NULL, both, 2, false},
		{"allow on-terminal \"north-01\"", NULL, "north-01", NULL, 0, true},
		{"allow on-terminal \"north-01\"", NULL, "north-011", NULL, 0, false},
		{"allow on-terminal \"north-*\"", NULL, "north-01", NULL, 0, true},
		{"allow on-terminal \"north-*\"", NULL, "north-", NULL, 0, true},
		{"allow on-terminal \"north-*\"", NULL, "north", NULL, 0, false},
		{"allow on-terminal \"north-*\"", NULL, "south-01", NULL, 0, false},
		{"allow on-terminal \"*\"", NULL, "north-01", NULL, 0, true},
		/* Only the last character is more than itself. */
		{"allow on-terminal \"*-01\"", NULL, "north-01", NULL, 0, false},
		{"allow on-terminal \"*\"", NULL, NULL, NULL, 0, false},
		{"allow on-terminal \"*\"", NULL, "", NULL, 0, false},
		{"allow on-terminal { \"a\" \"north-*\" }", NULL, "north-01", NULL, 0, true},
		{"allow on-terminal none-of { \"south-*\" }", NULL, "north-01", NULL, 0, true},
		{"allow on-terminal none-of { \"north-*\" }", NULL, "north-01", NULL, 0, false},
		{"allow on-terminal none-of { \"north-*\" }", NULL, NULL, NULL, 0, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rule_world in = world;

		in.user = rows[i].user;
		in.terminal = rows[i].terminal;
		in.groups = rows[i].groups;
		in.n_groups = rows[i].n_groups;
		EXPECT((mismatch(rows[i].line, &stick, &in) == RULE_ATTR_COUNT) == rows[i].yes,
		       rows[i].line);
	}
}

static void a_device_without_a_fingerprint_matches_none(void)
{
	struct ident ident = stick;

	ident.fingerprint[0] = '\0';
	CU_ASSERT_FALSE(matches("allow fingerprint \"\"", &ident));
	CU_ASSERT_FALSE(matches("allow fingerprint none-of { \"x\" }", &ident));
	CU_ASSERT_TRUE(matches("allow fingerprint none-of { \"x\" }", &stick));
}

static void whoever_is_told_of_the_world_has_the_right_device(void)
{
	static const char other[] =
		" for-user \"sato\" for-group \"g\" on-terminal \"t\" until 2020-01-01";
	char line[256];

	snprintf(line, sizeof(line), "allow via-port \"9-9\" id 1234:abcd%s", other);
	CU_ASSERT_EQUAL(mismatch(line, &stick, &world), RULE_VIA_PORT);
	snprintf(line, sizeof(line), "allow fingerprint \"x\"%s", other);
	CU_ASSERT_EQUAL(mismatch(line, &stick, &world), RULE_FINGERPRINT);
	snprintf(line, sizeof(line), "allow 1234:abcd%s", other);
	CU_ASSERT_EQUAL(mismatch(line, &stick, &world), RULE_FOR_USER);
	CU_ASSERT_EQUAL(mismatch("allow on-terminal \"t\" for-group \"g\"", &stick, &world),
			RULE_FOR_GROUP);
	CU_ASSERT_EQUAL(mismatch("allow until 2020-01-01 on-terminal \"t\"", &stick, &world),
			RULE_ON_TERMINAL);
	CU_ASSERT_EQUAL(mismatch("allow until 2020-01-01", &stick, &world), RULE_UNTIL);
	CU_ASSERT_EQUAL(mismatch("allow from 2030-01-01", &stick, &world), RULE_FROM);
	CU_ASSERT_EQUAL(mismatch("allow serial \"x\" id 0001:0001", &stick, &world), RULE_ID);
}

/* The moments around NOW, 2026-11-18T11:06:40. */
static void a_term_begins_and_ends_to_the_second(void)
{
	static const struct {
		const char *line;
		bool yes;
		int64_t recheck;
	} rows[] = {
		{"allow from 2026-11-18T11:06:40", true, INT64_MAX},
		{"allow from 2026-11-18T11:06:41", false, NOW + 1},
		{"allow from 2026-11-18", true, INT64_MAX},
		{"allow from 2026-11-19", false, NOW + 46400},
		{"allow until 2026-11-18T11:06:40", true, NOW + 1},
		{"allow until 2026-11-18T11:06:39", false, INT64_MAX},
		{"allow until 2026-11-18T11:06", true, NOW + 20},
		{"allow until 2026-11-18", true, NOW + 46400},
		{"allow until 2026-11-17", false, INT64_MAX},
		{"allow from 2026-11-17 until 2026-11-18", true, NOW + 46400},
		{"allow from 2026-11-19 until 2026-11-20", false, NOW + 46400},
		/* Another device need not be looked at again. */
		{"allow serial \"x\" from 2026-11-19", false, INT64_MAX},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t recheck = INT64_MAX, earlier = NOW + 1;

		EXPECT((rule_mismatch(parse(rows[i].line), &stick, &world, &recheck) ==
			RULE_ATTR_COUNT) == rows[i].yes,
		       rows[i].line);
		EXPECT(recheck == rows[i].recheck, rows[i].line);
		/* It is only ever lowered. */
		rule_mismatch(parse(rows[i].line), &stick, &world, &earlier);
		EXPECT(earlier == NOW + 1, rows[i].line);
	}
}

int main(void)
{
	static const struct test tests[] = {
		TEST(each_attribute_of_the_device_counts),
		TEST(strings_are_compared_as_the_device_holds_them),
		TEST(each_operator_counts_for_single_values),
		TEST(each_operator_counts_for_interfaces),
		TEST(equal_sets_have_a_partner_for_each_value),
		TEST(the_largest_set_is_compared_quickly),
		TEST(only_interface_covers_what_it_names),
		TEST(access_and_encryption_are_kept_with_the_rule),
		TEST(users_groups_and_terminals_count),
		TEST(a_device_without_a_fingerprint_matches_none),
		TEST(whoever_is_told_of_the_world_has_the_right_device),
		TEST(a_term_begins_and_ends_to_the_second),
	};
	int status;

	arena = arena_new();
	status = testing_run("rule-match", tests, ARRAY_SIZE(tests));
	arena = arena_free(arena);
	return status;
}
