// SPDX-License-Identifier: GPL-2.0-or-later
/* core/rule-match: when the conditions of a rule hold, and until when. */
#include <stdio.h>
#include <string.h>

#include "core/macro.h"
#include "core/rule.h"
#include "testing.h"

static struct arena *arena;

/* 2026-11-18T11:06:40, a Wednesday. */
#define NOW INT64_C(1795000000)
#define BOOT_US UINT64_C(1000000000)

static const struct rule_world world = {.civil = NOW, .boot_us = BOOT_US};

static const struct rule *parse(const char *line)
{
	struct rule_error error;
	const struct rule *rule = rule_parse(arena, line, strlen(line), &error);

	if (!rule)
		fprintf(stderr, "%s: %u: %s\n", line, error.column, error.message);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rule);
	return rule;
}

struct row {
	const char *line;
	bool yes;
};

static bool holds_in(const char *line, const struct rule_world *in, int64_t *recheck)
{
	*recheck = INT64_MAX;
	return rule_conditions_hold(parse(line), in, recheck);
}

static void check_conditions(const struct row *rows, size_t n, const struct rule_world *in)
{
	int64_t recheck;

	for (size_t i = 0; i < n; i++)
		EXPECT(holds_in(rows[i].line, in, &recheck) == rows[i].yes, rows[i].line);
}

static void sets_of_conditions_hold_by_their_operator(void)
{
	static const struct row rows[] = {
		{"allow", true},
		{"allow if true", true},
		{"allow if false", false},
		{"allow if !true", false},
		{"allow if !false", true},
		{"allow if true(false)", true},
		{"allow if { true true }", true},
		{"allow if { true false }", false},
		{"allow if { false false }", false},
		{"allow if equals { true true }", true},
		{"allow if equals { true false }", false},
		{"allow if all-of { true true }", true},
		{"allow if all-of { false true }", false},
		{"allow if equals-ordered { true true }", true},
		{"allow if equals-ordered { true false }", false},
		{"allow if match-all { true !false }", true},
		{"allow if match-all { true false }", false},
		{"allow if one-of { false true }", true},
		{"allow if one-of { false false }", false},
		{"allow if none-of { false false }", true},
		{"allow if none-of { false true }", false},
		{"allow if none-of { true true }", false},
	};

	check_conditions(rows, ARRAY_SIZE(rows), &world);
}

static void hours_of_the_day_hold_and_tell_when_they_change(void)
{
	static const struct {
		const char *line;
		bool yes;
		int64_t recheck; /* after NOW: 11:06:40 on a Wednesday; 0: never */
	} rows[] = {
		{"allow if localtime(08:30-17:15)", true, 22100},
		{"allow if !localtime(08:30-17:15)", false, 22100},
		{"allow if localtime(12:00-13:00)", false, 3200},
		{"allow if !localtime(12:00-13:00)", true, 3200},
		{"allow if localtime(11:06)", true, 20},
		{"allow if localtime(22:00-06:00)", false, 39200},
		{"allow if localtime(11:00-01:00)", true, 50000},
		{"allow if localtime(Wed 08:30-17:15)", true, 22100},
		{"allow if localtime(Thu-Tue 08:30-17:15)", false, 77000},
		{"allow if localtime(00:00-24:00)", true, 0},
		/* Each one's moment counts, even if another one settles the answer. */
		{"allow if one-of { true localtime(12:00-13:00) }", true, 3200},
		{"allow if { false localtime(12:00-13:00) localtime(11:06) }", false, 20},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t recheck, expected = rows[i].recheck ? NOW + rows[i].recheck : INT64_MAX;

		EXPECT(holds_in(rows[i].line, &world, &recheck) == rows[i].yes, rows[i].line);
		EXPECT(recheck == expected, rows[i].line);
	}
}

/* A rule remembers by its key; here one rule was applied 100.5 s ago and looked at 5 s ago. */
struct memory {
	uint64_t key;
	unsigned int asked;
};

static uint64_t remember(void *userdata, uint64_t rule_key, bool evaluated)
{
	struct memory *memory = userdata;

	memory->asked++;
	if (rule_key != memory->key)
		return 0;
	return BOOT_US - (evaluated ? 5000000 : 100500000);
}

static void check_memory(const char *line, bool yes, int64_t expected)
{
	struct memory memory = {.key = rule_key(parse(line))};
	struct rule_world in = world;
	int64_t recheck;

	in.last = remember;
	in.userdata = &memory;
	EXPECT(holds_in(line, &in, &recheck) == yes, line);
	EXPECT(recheck == (expected ? NOW + expected : INT64_MAX), line);
	EXPECT(memory.asked == 1, line);
}

static void a_rule_knows_how_long_ago_it_was_applied_or_looked_at(void)
{
	static const struct {
		const char *line;
		bool yes;
		int64_t recheck; /* after NOW; 0: never */
	} rows[] = {
		{"allow if rule-applied", true, 0},
		{"allow if !rule-applied", false, 0},
		{"allow if rule-applied(100)", false, 0},
		{"allow if rule-applied(101s)", true, 2},
		{"allow if !rule-applied(101s)", false, 2},
		{"allow if rule-applied(1m)", false, 0},
		{"allow if rule-applied(2m)", true, 21},
		{"allow if rule-applied(1h)", true, 3501},
		{"allow if rule-applied(2d)", true, 172701},
		{"allow if rule-applied(00:01)", false, 0},
		{"allow if rule-applied(00:02)", true, 21},
		{"allow if rule-applied(00:01:41)", true, 2},
		{"allow if rule-applied(01:00:00)", true, 3501},
		{"allow if rule-evaluated", true, 0},
		{"allow if rule-evaluated(5)", false, 0},
		{"allow if rule-evaluated(6)", true, 2},
		{"allow if !rule-evaluated(10)", false, 6},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_memory(rows[i].line, rows[i].yes, rows[i].recheck);
}

static void a_rule_that_was_never_applied_says_so(void)
{
	static const struct row rows[] = {
		{"allow if rule-applied", false},       {"allow if !rule-applied", true},
		{"allow if rule-applied(2d)", false},   {"allow if rule-evaluated", false},
		{"allow if !rule-evaluated(2d)", true},
	};
	struct memory memory = {.key = rule_key(parse("allow if true"))};
	struct rule_world in = world;

	check_conditions(rows, ARRAY_SIZE(rows), &world);
	in.last = remember;
	in.userdata = &memory;
	check_conditions(rows, ARRAY_SIZE(rows), &in);
}

static unsigned int count_random(const char *line, unsigned int n, uint64_t offset)
{
	const struct rule *rule = parse(line);
	unsigned int held = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct rule_world in = world;
		int64_t recheck = INT64_MAX;

		in.seed = offset + i;
		held += rule_conditions_hold(rule, &in, &recheck);
		CU_ASSERT(recheck == INT64_MAX);
	}
	return held;
}

/* 20,000 draws: five standard deviations are at most 354. */
static void chance_has_the_probability_that_is_asked_for(void)
{
	static const struct {
		const char *line;
		unsigned int low, high;
	} rows[] = {
		{"allow if random", 9640, 10360},      {"allow if random(0.5)", 9640, 10360},
		{"allow if random(0.25)", 4690, 5310}, {"allow if !random(0.25)", 14690, 15310},
		{"allow if random(0.01)", 130, 270},   {"allow if random(0)", 0, 0},
		{"allow if random(1)", 20000, 20000},  {"allow if !random(1)", 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned int held = count_random(rows[i].line, 20000, 0);

		EXPECT(held >= rows[i].low && held <= rows[i].high, rows[i].line);
	}
}

static void chance_is_drawn_once_for_each_attach_and_rule(void)
{
	const struct rule *rule = parse("allow name \"a\" if random(0.5)");
	const struct rule *other = parse("allow name \"b\" if random(0.5)");
	unsigned int differ = 0;

	for (uint64_t seed = 0; seed < 200; seed++) {
		struct rule_world in = world;
		int64_t recheck = INT64_MAX;
		bool first;

		in.seed = seed;
		first = rule_conditions_hold(rule, &in, &recheck);
		differ += rule_conditions_hold(other, &in, &recheck) != first;
		/* Whatever else changes in the world. */
		in.civil += 12345;
		in.user = "tanaka";
		CU_ASSERT_EQUAL(rule_conditions_hold(rule, &in, &recheck), first);
	}
	CU_ASSERT(differ > 50 && differ < 150);
}

static void other_devices_that_are_let_in_count(void)
{
	static const struct ident hub = {
		.name = "1-1",
		.id_vendor = 0x0001,
		.product = "Hub",
		.n_types = 1,
		.types = {{0x09, 0, 1, 0}},
	};
	static const struct row rows[] = {
		{"allow if allowed-matches(name \"Hub\")", true},
		{"allow if allowed-matches(name \"Card reader\")", false},
		{"allow if !allowed-matches(name \"Card reader\")", true},
		{"allow if !allowed-matches(name \"Hub\")", false},
		{"allow if allowed-matches(0001:*)", true},
		{"allow if allowed-matches(1234:*)", true},
		{"allow if allowed-matches(id 0002:*)", false},
		{"allow if allowed-matches(*:*)", true},
		/* One device has to have it all. */
		{"allow if allowed-matches(id 1234:* name \"Hub\")", false},
		{"allow if allowed-matches(id 0001:* name \"Hub\")", true},
		{"allow if allowed-matches(with-interface 09:*:*)", true},
		{"allow if allowed-matches(with-interface one-of { 0b:*:* 03:*:* })", true},
		{"allow if allowed-matches(with-interface one-of { 0b:*:* 0a:*:* })", false},
		{"allow if allowed-matches(on-terminal \"north-*\")", true},
		{"allow if allowed-matches(on-terminal \"south-*\")", false},
		/* As in USBGuard, conditions of the inner rule are not looked at. */
		{"allow if allowed-matches(name \"Hub\" if false)", true},
		{"allow if { allowed-matches(name \"Hub\") allowed-matches(1234:*) }", true},
		{"allow if { allowed-matches(name \"Hub\") allowed-matches(name \"x\") }", false},
	};
	static const struct ident stick = {
		.name = "1-2.3",
		.id_vendor = 0x1234,
		.product = "USB DISK 3.0",
		.n_types = 2,
		.types = {{0x08, 0x06, 0x50, 0}, {0x03, 0x01, 0x01, 1}},
	};
	static const struct ident *const allowed[] = {&hub, &stick};
	struct rule_world in = world;
	int64_t recheck;

	in.terminal = "north-01";
	CU_ASSERT_FALSE(holds_in("allow if allowed-matches(*:*)", &in, &recheck));
	CU_ASSERT_TRUE(holds_in("allow if !allowed-matches(*:*)", &in, &recheck));
	in.allowed = allowed;
	in.n_allowed = ARRAY_SIZE(allowed);
	check_conditions(rows, ARRAY_SIZE(rows), &in);
	CU_ASSERT_TRUE(holds_in("allow if allowed-matches(until 2026-11-18)", &in, &recheck));
	CU_ASSERT_EQUAL(recheck, NOW + 46400);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(sets_of_conditions_hold_by_their_operator),
		TEST(hours_of_the_day_hold_and_tell_when_they_change),
		TEST(a_rule_knows_how_long_ago_it_was_applied_or_looked_at),
		TEST(a_rule_that_was_never_applied_says_so),
		TEST(chance_has_the_probability_that_is_asked_for),
		TEST(chance_is_drawn_once_for_each_attach_and_rule),
		TEST(other_devices_that_are_let_in_count),
	};
	int status;

	arena = arena_new();
	status = testing_run("rule-conditions", tests, ARRAY_SIZE(tests));
	arena = arena_free(arena);
	return status;
}
