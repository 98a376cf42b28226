// SPDX-License-Identifier: GPL-2.0-or-later
/* Composite devices: each interface judged by itself, and the device told by what matters most. */
#include "decide-row.h"

/* --- composite devices --- */

static void each_interface_is_judged_by_itself(void)
{
	static const struct row rows[] = {
		{ "one rule for all", "allow\n", "08:06:50 ff:00:00 e0:01:01",
		  .device = "allow rw rule-allowed @1",
		  .each = "allow rw rule-allowed @1 | allow rw rule-allowed @1 | "
			  "allow rw rule-allowed @1" },
		{ "storage of a rule, the rest of none", "allow only-interface 08:*:* access ro\n",
		  "08:06:50 ff:00:00", .device = "allow ro rule-allowed @1",
		  .each = "allow ro rule-allowed @1 | block class-not-allowed" },
		{ "storage, keyboard and vendor specific",
		  "harmless 09\nallow only-interface 03:01:01\nblock only-interface 08:*:*\n"
		  "block only-interface ff:*:*\n",
		  "08:06:50 03:01:01 ff:01:02", .device = "allow rw rule-allowed @2",
		  .each = "block rule-blocked @3 | allow rw rule-allowed @2 | "
			  "block rule-blocked @4" },
		{ "in any order of rules",
		  "block only-interface ff:*:*\nallow only-interface { 08:06:50 08:06:62 }\nblock\n",
		  "ff:01:02 08:06:62 08:06:50 e0:01:01", .device = "allow rw rule-allowed @2",
		  .each = "block rule-blocked @1 | allow rw rule-allowed @2 | "
			  "allow rw rule-allowed @2 | block rule-blocked @3" },
		{ "a rejected interface takes the whole device along",
		  "reject only-interface ff:*:*\nallow\n", "08:06:50 ff:01:02",
		  .device = "block rule-rejected reject @1",
		  .each = "block rule-rejected reject @1 | block rule-rejected reject @1" },
		{ "the default rejects only what nobody allowed",
		  "default reject\nallow only-interface 08:*:*\n", "08:06:50 ff:01:02",
		  .device = "allow rw rule-allowed @2",
		  .each = "allow rw rule-allowed @2 | block class-not-allowed reject" },
		{ "two disks without encryption", "allow\n", "08:06:50 08:06:50",
		  .device = "allow rw rule-allowed @1",
		  .each = "allow rw rule-allowed @1 | allow rw rule-allowed @1" },
		{ "what the gate does not hold is not judged", "allow only-interface ff:*:*\n",
		  "-08:06:50 ff:00:00", .device = "allow rw rule-allowed @1",
		  .each = "allow rw rule-allowed @1" },
		{ "with-interface is about the whole device", "allow with-interface 08:06:50\n",
		  "08:06:50 ff:00:00", .device = "block not-registered",
		  .each = "block not-registered | block class-not-allowed" },
		{ "with-interface also of what is not held",
		  "allow with-interface equals { 03:01:01 ff:00:00 }\n", "-03:01:01 ff:00:00",
		  .device = "allow rw rule-allowed @1" },
		{ "default reject of each", "default reject\nallow only-interface 08:*:*\n",
		  "08:06:50 ff:00:00", .device = "allow rw rule-allowed @2",
		  .each = "allow rw rule-allowed @2 | block class-not-allowed reject" },
	};

	RUN(rows);
}

static void to_allow_an_interface_all_its_settings_must_be_covered(void)
{
	static const struct row rows[] = {
		{ "all", "allow only-interface { 08:06:50 08:06:62 }\n", "08:06:50/08:06:62",
		  .device = "allow rw rule-allowed @1" },
		{ "all by a wildcard", "allow only-interface 08:*:*\n", "08:06:50/08:06:62",
		  .device = "allow rw rule-allowed @1" },
		{ "the first alone", "allow only-interface 08:06:50\n", "08:06:50/08:06:62",
		  .device = "block not-registered" },
		{ "the second alone", "allow only-interface 08:06:62\n", "08:06:50/08:06:62",
		  .device = "block not-registered" },
		{ "to block, the first is enough", "block only-interface 08:06:50\nallow\n",
		  "08:06:50/08:06:62", .device = "block rule-blocked @1" },
		{ "to block, the second is enough", "block only-interface 08:06:62\nallow\n",
		  "08:06:50/08:06:62", .device = "block rule-blocked @1" },
		{ "to block, the last is enough", "block only-interface 08:06:99\nallow\n",
		  "08:06:50/08:06:62/08:06:99", .device = "block rule-blocked @1" },
		{ "to reject, too", "reject only-interface 08:06:62\nallow\n", "08:06:50/08:06:62",
		  .device = "block rule-rejected reject @1" },
		{ "to block, none is too few", "block only-interface 08:05:*\nallow\n",
		  "08:06:50/08:06:62", .device = "allow rw rule-allowed @2" },
		{ "settings of another interface do not count", "block only-interface ff:*:*\nallow\n",
		  "08:06:50/08:06:62 ff:00:00", .device = "allow rw rule-allowed @2",
		  .each = "allow rw rule-allowed @2 | block rule-blocked @1" },
		{ "a suspect one by its class, too", "allow only-interface ff:*:*\n", "ff:00:00!",
		  .device = "allow rw rule-allowed @1" },
	};

	RUN(rows);
}

/* The gate may tell of an interface whose descriptors nobody has read, or that say otherwise. */
static void what_the_gate_tells_of_an_interface_counts_as_a_setting(void)
{
	struct policy *policy = policy_of("block only-interface 08:06:62\n"
					  "allow only-interface { 08:06:50 ff:*:* }\n");
	struct ident ident = { .id_vendor = 1, .n_types = 1 };
	struct decide_interface intf = { .ident = { .number = 3, .class = 0x08, .subclass = 6 },
					 .storage = true };
	struct decide_input input = { .ident = &ident, .interfaces = &intf, .n_interfaces = 1,
				      .policy = policy };
	struct decide_result result;

	CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
	/* The only known setting is of another interface. */
	ident.types[0] = (struct ident_type){ .class = 0xff, .number = 0 };
	intf.ident.protocol = 0x62;
	decide(&input, &result);
	CU_ASSERT_STRING_EQUAL(result.device.reason, "rule-blocked");
	intf.ident.protocol = 0x50;
	decide(&input, &result);
	CU_ASSERT_STRING_EQUAL(result.device.reason, "rule-allowed");
	intf.ident.protocol = 0x51;
	decide(&input, &result);
	CU_ASSERT_STRING_EQUAL(result.device.reason, "not-registered");
	/* Told as covered, but its descriptors say more. */
	ident.types[0] = (struct ident_type){ .class = 0x08, .subclass = 6, .protocol = 0x51,
					      .number = 3 };
	intf.ident.protocol = 0x50;
	decide(&input, &result);
	CU_ASSERT_STRING_EQUAL(result.device.reason, "not-registered");
	policy_free(policy);
}

static void the_device_is_told_by_what_matters_most(void)
{
	static const struct row rows[] = {
		{ "prove before allow", "allow only-interface ff:*:*\n" MEDIUM_A "\n", "ff:00:00 08:06:50",
		  .device = "prove @A", .each = "allow rw rule-allowed @1 | prove @A" },
		{ "prove before block", "block only-interface ff:*:*\n" MEDIUM_A "\n",
		  "ff:00:00 08:06:50", .device = "prove @A",
		  .each = "block rule-blocked @1 | prove @A" },
		{ "allow before block", "allow only-interface e0:*:*\nblock\n", "08:06:50 e0:01:01",
		  .device = "allow rw rule-allowed @1",
		  .each = "block rule-blocked @2 | allow rw rule-allowed @1" },
		{ "the first of two allowed", "allow only-interface e0:*:* access ro\nallow\n",
		  "08:06:50 e0:01:01", .device = "allow rw rule-allowed @2",
		  .each = "allow rw rule-allowed @2 | allow ro rule-allowed @1" },
		{ "blocked storage before other blocks", "", "ff:00:00 08:06:50",
		  .device = "block not-registered",
		  .each = "block class-not-allowed | block not-registered" },
		{ "reject before other blocks", "block only-interface ff:*:*\n"
						"reject only-interface e0:*:*\n",
		  "ff:00:00 e0:01:01", .device = "block rule-rejected reject @2",
		  .each = "block rule-rejected reject @2 | block rule-rejected reject @2" },
		{ "block before harmless", "", "03:01:01 ff:00:00", .device = "block class-not-allowed",
		  .each = "allow rw harmless | block class-not-allowed" },
		{ "prove before harmless", MEDIUM_A "\n", "03:01:01 08:06:50", .device = "prove @A",
		  .each = "allow rw harmless | prove @A" },
	};

	RUN(rows);
}

/* A reason is that of the interface, not of its neighbour. */
static void the_reason_of_one_interface_is_not_told_of_another(void)
{
	static const struct row rows[] = {
		{ "a vendor specific one beside a plain stick", "allow encrypted luks2\n",
		  "ff:00:00 08:06:50", REPORT_PLAIN, NULL, "block not-encrypted",
		  "block cannot-inspect | block not-encrypted" },
		{ "the same the other way round", "allow encrypted luks2\n", "08:06:50 ff:00:00",
		  REPORT_PLAIN, NULL, "block not-encrypted",
		  "block not-encrypted | block cannot-inspect" },
		{ "a rule for one of them only", "allow only-interface 08:*:* encrypted luks2\n",
		  "08:06:50 ff:00:00", REPORT_PLAIN, NULL, "block not-encrypted",
		  "block not-encrypted | block class-not-allowed" },
		{ "a medium's reason is of its storage", MEDIUM_A " terminals \"WIN-*\"\n",
		  "08:06:50 ff:00:00", .terminal = "MN-01", .device = "block other-terminal",
		  .each = "block other-terminal | block class-not-allowed" },
		{ "a twin that belongs elsewhere",
		  MEDIUM_A "\n" MEDIUM("B", UUID_B) " terminals \"WIN-*\"\n", "08:06:50 ff:00:00",
		  REPORT_PROVED, UUID_A, "allow rw proved luks2 @A",
		  "allow rw proved luks2 @A | block class-not-allowed", .terminal = "MN-01" },
	};

	RUN(rows);
}

static void nothing_held_needs_no_judgement(void)
{
	struct policy *policy = policy_of("reject\n");
	struct ident ident = { .id_vendor = 1 };
	struct decide_input input = { .ident = &ident, .policy = policy };
	struct decide_result result;

	memset(&result, 0xa5, sizeof(result));
	decide(&input, &result);
	CU_ASSERT_EQUAL(result.device.verdict, DECIDE_ALLOW);
	CU_ASSERT_STRING_EQUAL(result.device.reason, "harmless");
	CU_ASSERT_EQUAL(result.recheck, INT64_MAX);
	CU_ASSERT_EQUAL(decide_line(&result.device), 0);
	policy_free(policy);
}

static void a_device_may_have_32_held_interfaces(void)
{
	struct policy *policy = policy_of("allow only-interface ff:*:*\n" MEDIUM_A "\n");
	struct decide_interface interfaces[IDENT_INTERFACES_MAX];
	static struct ident ident;
	struct decide_input input = { .ident = &ident, .interfaces = interfaces, .policy = policy,
				      .n_interfaces = IDENT_INTERFACES_MAX };
	struct decide_result result;

	CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
	ident = (struct ident){ .id_vendor = 0x46f4, .id_product = 1, .serial = "S1",
				.n_types = IDENT_TYPES_MAX };
	for (unsigned int i = 0; i < IDENT_INTERFACES_MAX; i++) {
		uint8_t class = i == 17 ? 0x08 : i % 2 ? 0xff : 0xe0;

		interfaces[i] = (struct decide_interface){ .ident = { .number = (uint8_t)i,
								      .class = class },
							   .storage = class == 0x08 };
		/* Eight settings each. */
		for (unsigned int k = 0; k < 8; k++)
			ident.types[i * 8 + k] = (struct ident_type){ .class = class,
								      .number = (uint8_t)i };
	}
	decide(&input, &result);
	CU_ASSERT_EQUAL(result.device.verdict, DECIDE_PROVE);
	for (unsigned int i = 0; i < IDENT_INTERFACES_MAX; i++)
		EXPECT(result.interfaces[i].verdict == (i == 17 ? DECIDE_PROVE :
							i % 2	? DECIDE_ALLOW :
								  DECIDE_BLOCK),
		       "each by itself");
	policy_free(policy);
}

static const struct test tests[] = {
	TEST(each_interface_is_judged_by_itself),
	TEST(to_allow_an_interface_all_its_settings_must_be_covered),
	TEST(what_the_gate_tells_of_an_interface_counts_as_a_setting),
	TEST(the_device_is_told_by_what_matters_most),
	TEST(the_reason_of_one_interface_is_not_told_of_another),
	TEST(nothing_held_needs_no_judgement),
	TEST(a_device_may_have_32_held_interfaces),
};

int main(void)
{
	return testing_run("decide-interfaces", tests, ARRAY_SIZE(tests));
}
