// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The index against a linear search: whatever the index leaves out must be something that could not
 * have matched. Rules, media and devices are drawn from small alphabets, so that they meet often;
 * the seed is fixed, so that every run draws the same.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/index.h"
#include "core/policy.h"
#include "policy-text.h"
#include "testing.h"

/* --- chance --- */

/* xorshift64*, see Vigna, "An experimental exploration of Marsaglia's xorshift generators". */
static uint64_t chance_state;

static unsigned int chance(unsigned int n)
{
	chance_state ^= chance_state >> 12;
	chance_state ^= chance_state << 25;
	chance_state ^= chance_state >> 27;
	return (unsigned int)((chance_state * 0x2545f4914f6cdd1dull >> 33) % n);
}

#define PICK(list) ((list)[chance(ARRAY_SIZE(list))])

static const uint16_t vendors[] = { 0x0001, 0x46f4, 0xabcd };
static const uint16_t products[] = { 0x0000, 0x0001, 0x46f4 };
static const char *const serials[] = { "", "S1", "S2", "製造番号" };
static const char *const names[] = { "", "Stick", "S1", "鍵" };
static const char *const hashes[] = { "", "h1", "S1" };
static const char *const ports[] = { "1-1", "1-1.2", "usb1" };
static const char *const connect_types[] = { "", "hotplug", "not used" };
static const char *const prints[] = { "", "blake2b:00112233445566778899aabbccddeeff", "S1" };
static const char *const users[] = { "", "tanaka", "sato" };
static const char *const terminals[] = { "", "MN-01", "WIN-01" };
static const char *const groups[] = { "tax", "civil" };
static const char *const moments[] = { "2026-04-01", "2026-04-02T08:30", "2026-05-01" };
static const uint8_t classes[] = { 0x03, 0x08, 0xff };
static const uint8_t subclasses[] = { 0x00, 0x06 };
static const uint8_t protocols[] = { 0x01, 0x50 };

/* --- text that is written piece by piece --- */

struct text_buffer {
	char *bytes;
	size_t len;
	size_t size;
};

static _printf_(2, 3) void append(struct text_buffer *buffer, const char *format, ...)
{
	va_list args;

	if (buffer->size - buffer->len < 1024) {
		buffer->size = buffer->size ? buffer->size * 2 : 65536;
		buffer->bytes = realloc(buffer->bytes, buffer->size);
	}
	va_start(args, format);
	buffer->len += (size_t)vsnprintf(buffer->bytes + buffer->len, buffer->size - buffer->len,
					 format, args);
	va_end(args);
}

static struct policy *buffer_parse(struct text_buffer *buffer)
{
	struct policy *policy;
	struct errors errors;

	if (policy_parse_bytes(buffer->bytes ? buffer->bytes : "", buffer->len, &errors, &policy))
		printf("\n%s", errors.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
	free(buffer->bytes);
	*buffer = (struct text_buffer){ NULL };
	return policy;
}

/* --- drawn rules and devices --- */

static void append_value(struct text_buffer *buffer, enum rule_attr_name name)
{
	switch (name) {
	case RULE_ID:
		switch (chance(4)) {
		case 0:
			append(buffer, " *:*");
			break;
		case 1:
			append(buffer, " %04x:*", PICK(vendors));
			break;
		default:
			append(buffer, " %04X:%04x", PICK(vendors), PICK(products));
		}
		break;
	case RULE_SERIAL:
		append(buffer, " \"%s\"", PICK(serials));
		break;
	case RULE_NAME:
		append(buffer, " \"%s\"", PICK(names));
		break;
	case RULE_HASH:
	case RULE_PARENT_HASH:
		append(buffer, " \"%s\"", PICK(hashes));
		break;
	case RULE_VIA_PORT:
		append(buffer, " \"%s\"", PICK(ports));
		break;
	case RULE_WITH_CONNECT_TYPE:
		append(buffer, " \"%s\"", PICK(connect_types));
		break;
	case RULE_FINGERPRINT:
		append(buffer, " \"%s\"", PICK(prints));
		break;
	case RULE_FOR_USER:
		append(buffer, " \"%s\"", PICK(users));
		break;
	case RULE_FOR_GROUP:
		append(buffer, " \"%s\"", PICK(groups));
		break;
	case RULE_ON_TERMINAL:
		append(buffer, " \"%s\"", chance(3) ? PICK(terminals) : "MN-*");
		break;
	case RULE_FROM:
		append(buffer, " %s", PICK(moments));
		break;
	case RULE_WITH_INTERFACE:
	case RULE_ONLY_INTERFACE:
		switch (chance(3)) {
		case 0:
			append(buffer, " %02x:*:*", PICK(classes));
			break;
		case 1:
			append(buffer, " %02X:%02x:*", PICK(classes), PICK(subclasses));
			break;
		default:
			append(buffer, " %02x:%02x:%02x", PICK(classes), PICK(subclasses),
			       PICK(protocols));
		}
		break;
	case RULE_LABEL:
		append(buffer, " \"S1\"");
		break;
	default:
		append(buffer, " true");
	}
}

static void append_rule(struct text_buffer *buffer)
{
	static const char *const targets[] = { "allow",	 "allow", "allow", "block",
					       "reject", "match", "device" };
	static const char *const operators[] = { "",	   "equals ",  "equals-ordered ", "all-of ",
						 "one-of ", "none-of ", "match-all " };
	static const enum rule_attr_name attrs[] = {
		RULE_ID,	   RULE_SERIAL,	   RULE_NAME,	     RULE_HASH,
		RULE_PARENT_HASH,  RULE_VIA_PORT,  RULE_WITH_INTERFACE, RULE_WITH_INTERFACE,
		RULE_WITH_CONNECT_TYPE, RULE_LABEL, RULE_FINGERPRINT, RULE_ONLY_INTERFACE,
		RULE_FOR_USER,	   RULE_FOR_GROUP, RULE_ON_TERMINAL, RULE_FROM,
		RULE_IF,
	};
	unsigned int seen = 0;

	append(buffer, "%s", PICK(targets));
	for (unsigned int n = chance(4); n; n--) {
		enum rule_attr_name name = PICK(attrs);
		unsigned int values = 1 + chance(4);

		if (seen >> name & 1)
			continue;
		seen |= 1u << name;
		append(buffer, " %s", rule_attr_word(name));
		if (name == RULE_FROM || chance(2)) {
			append_value(buffer, name);
			continue;
		}
		append(buffer, " %s{", name == RULE_ONLY_INTERFACE ? "" : PICK(operators));
		while (values--)
			append_value(buffer, name);
		append(buffer, " }");
	}
	append(buffer, "\n");
}

static void draw_device(struct ident *ident, struct rule_world *world)
{
	*ident = (struct ident){ .id_vendor = PICK(vendors), .id_product = PICK(products) };
	strcpy(ident->name, PICK(ports));
	strcpy(ident->serial, PICK(serials));
	strcpy(ident->product, PICK(names));
	strcpy(ident->hash, PICK(hashes));
	strcpy(ident->parent_hash, PICK(hashes));
	strcpy(ident->connect_type, PICK(connect_types));
	strcpy(ident->fingerprint, PICK(prints));
	ident->n_types = chance(5);
	for (unsigned int i = 0; i < ident->n_types; i++)
		ident->types[i] = (struct ident_type){ .class = PICK(classes),
						       .subclass = PICK(subclasses),
						       .protocol = PICK(protocols),
						       .number = (uint8_t)i };
	*world = (struct rule_world){ .civil = civil_of(PICK(moments)),
				      .user = PICK(users),
				      .terminal = PICK(terminals),
				      .groups = groups,
				      .n_groups = chance(3) };
}

/* --- the property --- */

/* What the walks over the index came to, so that a test cannot pass by looking at nothing. */
struct tally {
	unsigned int matching;
	unsigned int given;
	unsigned int offered; /* rules of the policy that decide */
};

/* Place of the next rule given in the file, SIZE_MAX at the end. */
static size_t next_place(struct policy_rules *rules, const struct policy *policy, size_t from)
{
	const struct rule *rule = policy_next_rule(rules);

	if (!rule)
		return SIZE_MAX;
	for (size_t i = from; i < policy_n_rules(policy); i++)
		if (policy_rule(policy, i) == rule)
			return i;
	EXPECT(false, "a rule comes twice, out of order, or from elsewhere");
	return SIZE_MAX;
}

static void compare_rules(const struct policy *policy, const struct ident *ident,
			  const struct rule_world *world, struct tally *tally)
{
	int64_t recheck = INT64_MAX;
	struct policy_rules rules;
	size_t given;

	policy_rules_start(&rules, policy, ident);
	given = next_place(&rules, policy, 0);
	for (size_t i = 0; i < policy_n_rules(policy); i++) {
		const struct rule *rule = policy_rule(policy, i);
		bool decides = rule->target != RULE_MATCH && rule->target != RULE_DEVICE;
		bool matches = rule_mismatch(rule, ident, world, &recheck) == RULE_ATTR_COUNT;
		char text[512];

		tally->offered += decides;
		tally->matching += decides && matches;
		if (given == i) {
			tally->given++;
			if (!decides) {
				rule_format(rule, text, sizeof(text));
				EXPECT(false, text);
			}
			given = next_place(&rules, policy, i + 1);
		} else if (decides && matches) {
			rule_format(rule, text, sizeof(text));
			EXPECT(false, text);
		}
	}
	EXPECT(given == SIZE_MAX, "no rule is left over");
	EXPECT(!policy_next_rule(&rules), "the end stays the end");
}

static void no_rule_that_matches_is_left_out(void)
{
	struct tally tally = { 0 };

	chance_state = 20260401;
	for (unsigned int round = 0; round < 200; round++) {
		struct text_buffer buffer = { NULL };
		struct policy *policy;
		struct rule_world world;
		struct ident ident;

		for (unsigned int n = chance(120); n; n--)
			append_rule(&buffer);
		policy = buffer_parse(&buffer);
		for (unsigned int i = 0; i < 40; i++) {
			draw_device(&ident, &world);
			compare_rules(policy, &ident, &world, &tally);
		}
		policy_free(policy);
	}
	/* The drawing is worth something only if rules do match, and the index only if it leaves out. */
	CU_ASSERT_TRUE(tally.matching > 20000);
	CU_ASSERT_TRUE(tally.given >= tally.matching);
	CU_ASSERT_TRUE(tally.given < tally.offered * 3 / 4);
}

static void ten_thousand_rules_are_searched_alike(void)
{
	struct text_buffer buffer = { NULL };
	struct tally tally = { 0 };
	struct policy *policy;
	struct rule_world world;
	struct ident ident;

	chance_state = 7;
	for (unsigned int n = 0; n < 10000; n++)
		append_rule(&buffer);
	policy = buffer_parse(&buffer);
	CU_ASSERT_EQUAL(policy_n_rules(policy), 10000);
	for (unsigned int i = 0; i < 20; i++) {
		draw_device(&ident, &world);
		compare_rules(policy, &ident, &world, &tally);
	}
	CU_ASSERT_TRUE(tally.matching > 1000);
	policy_free(policy);
}

static void a_search_may_stop_and_start_again(void)
{
	struct policy *policy = policy_of("allow with-interface one-of { 08:*:* 03:*:* }\n"
					  "block serial \"S1\"\nreject\n");
	struct ident ident = { .id_vendor = 1, .serial = "S1", .n_types = 3 };
	struct policy_rules rules;

	CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
	ident.types[0].class = 0x08;
	ident.types[1].class = 0x03;
	ident.types[2].class = 0x08;
	for (unsigned int round = 0; round < 2; round++) {
		policy_rules_start(&rules, policy, &ident);
		/* Filed under both classes of the device, it comes once. */
		CU_ASSERT_EQUAL(policy_next_rule(&rules), policy_rule(policy, 0));
		CU_ASSERT_EQUAL(policy_next_rule(&rules), policy_rule(policy, 1));
	}
	CU_ASSERT_EQUAL(policy_next_rule(&rules), policy_rule(policy, 2));
	CU_ASSERT_PTR_NULL(policy_next_rule(&rules));
	policy_free(policy);
}

static void rules_that_decide_nothing_are_not_given(void)
{
	struct policy *policy = policy_of("match\ndevice id 0001:0001\nmatch id 0001:0001\n");
	struct ident ident = { .id_vendor = 1, .id_product = 1 };
	struct policy_rules rules;

	CU_ASSERT_PTR_NOT_NULL_FATAL(policy);
	policy_rules_start(&rules, policy, &ident);
	CU_ASSERT_PTR_NULL(policy_next_rule(&rules));
	policy_free(policy);
}

/* A thousand rules that differ in one attribute: a device is compared with its own, not with all. */
static void rules_are_filed_under_what_a_device_must_have(void)
{
	static const struct {
		const char *name;
		const char *format;
		size_t offset; /* of the string in struct ident, 0: ids */
		bool ids;
	} rows[] = {
		{ "serial", "allow id 0001:0001 serial \"x%04x\"\n", offsetof(struct ident, serial),
		  false },
		{ "hash", "allow hash \"x%04x\"\n", offsetof(struct ident, hash), false },
		{ "name", "allow name \"x%04x\"\n", offsetof(struct ident, product), false },
		{ "fingerprint", "allow fingerprint \"x%04x\"\n",
		  offsetof(struct ident, fingerprint), false },
		{ "port", "allow via-port \"x%04x\" with-interface 08:*:*\n",
		  offsetof(struct ident, name), false },
		{ "one of several", "allow serial one-of { \"y\" \"x%04x\" \"z\" }\n",
		  offsetof(struct ident, serial), false },
		{ "ids", "allow id %04x:0001\n", 0, true },
		{ "vendor", "block id %04x:* if true\n", 0, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct text_buffer buffer = { NULL };
		struct policy *policy;

		for (unsigned int k = 0; k < 1000; k++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			append(&buffer, rows[i].format, k);
#pragma GCC diagnostic pop
		}
		policy = buffer_parse(&buffer);
		for (unsigned int k = 0; k < 1000; k += 37) {
			struct ident ident = { .id_vendor = 1, .id_product = 1 };
			struct policy_rules rules;
			unsigned int n = 0;
			bool found = false;
			const struct rule *rule;

			ident.types[ident.n_types++].class = 0x08;
			if (rows[i].ids)
				ident.id_vendor = (uint16_t)k;
			else
				sprintf((char *)&ident + rows[i].offset, "x%04x", k);
			policy_rules_start(&rules, policy, &ident);
			while ((rule = policy_next_rule(&rules))) {
				found |= rule == policy_rule(policy, k);
				n++;
			}
			EXPECT(found, rows[i].name);
			EXPECT(n <= 3, rows[i].name);
		}
		policy_free(policy);
	}
}

/* Every kind of filing met at once, by a device with as many classes as there are. */
static void a_device_of_all_classes_fits_the_search(void)
{
	struct text_buffer buffer = { NULL };
	struct policy *policy;
	struct policy_rules rules;
	static struct ident ident;
	size_t n = 0;

	ident = (struct ident){ .name = "1-1", .id_vendor = 1, .id_product = 1, .serial = "S",
				.product = "N", .fingerprint = "F", .hash = "H",
				.n_types = IDENT_TYPES_MAX };
	for (unsigned int i = 0; i < IDENT_TYPES_MAX; i++) {
		ident.types[i].class = (uint8_t)i;
		append(&buffer, "allow with-interface one-of { %02x:*:* }\n", i % 256);
	}
	append(&buffer, "allow\nallow id 0001:0001\nallow id 0001:*\nallow serial \"S\"\n"
			"allow hash \"H\"\nallow name \"N\"\nallow fingerprint \"F\"\n"
			"allow via-port \"1-1\"\n");
	policy = buffer_parse(&buffer);
	policy_rules_start(&rules, policy, &ident);
	CU_ASSERT_TRUE(rules.n_ranges <= POLICY_RANGES_MAX);
	while (policy_next_rule(&rules))
		n++;
	CU_ASSERT_EQUAL(n, policy_n_rules(policy));
	policy_free(policy);
}

/* --- media --- */

static int compare_lines(const void *pa, const void *pb)
{
	const struct medium *a = *(const struct medium *const *)pa;
	const struct medium *b = *(const struct medium *const *)pb;

	return (a->line > b->line) - (a->line < b->line);
}

/* Holds what was found against a linear search, which goes by the order of the file. */
static unsigned int compare_media(const struct policy *policy, const struct medium *const *found,
				  size_t n, const struct medium *like, bool by_uuid)
{
	const struct medium *sorted[64] = { NULL };
	size_t expected = 0;

	CU_ASSERT_TRUE_FATAL(n <= ARRAY_SIZE(sorted));
	CU_ASSERT_EQUAL(!found, !n);
	for (size_t i = 0; i < n; i++)
		sorted[i] = found[i];
	/* By UUID they come in the order of their terms. */
	for (size_t i = 1; by_uuid && i < n; i++)
		EXPECT(found[i - 1]->from < found[i]->from, "terms in their order");
	if (by_uuid && n)
		qsort(sorted, n, sizeof(sorted[0]), compare_lines);
	for (size_t i = 0; i < policy_n_media(policy); i++) {
		const struct medium *medium = policy_medium(policy, i);

		if (by_uuid ? strcmp(medium->luks_uuid, like->luks_uuid) :
			      medium->id_vendor != like->id_vendor ||
				      medium->id_product != like->id_product ||
				      strcmp(medium->serial, like->serial))
			continue;
		EXPECT(expected < n && sorted[expected] == medium, medium->number);
		expected++;
	}
	CU_ASSERT_EQUAL(expected, n);
	return (unsigned int)n;
}

static void media_are_found_like_by_a_linear_search(void)
{
	unsigned int found = 0, found_uuid = 0, missed = 0;

	chance_state = 99;
	for (unsigned int round = 0; round < 200; round++) {
		struct text_buffer buffer = { NULL };
		struct policy *policy;
		char uuid[64];

		for (unsigned int i = 0, n = chance(60); i < n; i++)
			/* One UUID in twelve months, so that lines share it and yet are allowed. */
			append(&buffer,
			       "medium M%u id %04x:%04x serial \"%s\" encryption luks2 luks-uuid "
			       "0f3b6a58-6b1c-4c59-9c3f-%012x from 20%02u-01-01 until 20%02u-12-31\n",
			       i, PICK(vendors), PICK(products), PICK(serials), chance(2) ? i % 7 : i,
			       (i * 37 + round) % 100, (i * 37 + round) % 100);
		policy = buffer_parse(&buffer);
		for (unsigned int i = 0; i < 40; i++) {
			struct medium like = { .id_vendor = PICK(vendors),
					       .id_product = PICK(products),
					       .serial = PICK(serials),
					       .luks_uuid = uuid };
			const struct medium *const *media;
			size_t n = 7;

			snprintf(uuid, sizeof(uuid), "0f3b6a58-6b1c-4c59-9c3f-%012x", chance(70));
			media = policy_find_media(policy, like.id_vendor, like.id_product,
						  like.serial, &n);
			missed += !n;
			found += compare_media(policy, media, n, &like, false);
			n = 7;
			media = policy_find_uuid(policy, uuid, &n);
			found_uuid += compare_media(policy, media, n, &like, true);
		}
		policy_free(policy);
	}
	CU_ASSERT_TRUE(found > 3000);
	CU_ASSERT_TRUE(found_uuid > 1000);
	CU_ASSERT_TRUE(missed > 500);
}

static void every_one_of_a_hundred_thousand_media_is_found(void)
{
	enum { MANY = 100000 };
	struct text_buffer buffer = { NULL };
	struct policy *policy;
	char serial[32], uuid[64];

	for (unsigned int i = 0; i < MANY; i++)
		append(&buffer,
		       "medium M%u id %04x:%04x serial \"%u\" encryption luks2 luks-uuid "
		       "0f3b6a58-6b1c-4c59-9c3f-%012x\n",
		       i, i * 7919 % 65536, i % 13, i / 2, i ^ 0x15555u);
	policy = buffer_parse(&buffer);
	CU_ASSERT_EQUAL(policy_n_media(policy), MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		const struct medium *expected = policy_medium(policy, i);
		const struct medium *const *media;
		size_t n;

		snprintf(serial, sizeof(serial), "%u", i / 2);
		media = policy_find_media(policy, (uint16_t)(i * 7919 % 65536), (uint16_t)(i % 13),
					  serial, &n);
		if (n != 1 || media[0] != expected)
			EXPECT(false, serial);
		snprintf(uuid, sizeof(uuid), "0f3b6a58-6b1c-4c59-9c3f-%012x", i ^ 0x15555u);
		media = policy_find_uuid(policy, uuid, &n);
		if (n != 1 || media[0] != expected)
			EXPECT(false, uuid);
	}
	policy_free(policy);
}

static const struct test tests[] = {
	TEST(no_rule_that_matches_is_left_out),
	TEST(ten_thousand_rules_are_searched_alike),
	TEST(a_search_may_stop_and_start_again),
	TEST(rules_that_decide_nothing_are_not_given),
	TEST(rules_are_filed_under_what_a_device_must_have),
	TEST(a_device_of_all_classes_fits_the_search),
	TEST(media_are_found_like_by_a_linear_search),
	TEST(every_one_of_a_hundred_thousand_media_is_found),
};

int main(void)
{
	return testing_run("index", tests, ARRAY_SIZE(tests));
}
