// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of rules, as a policy file would hold them. */
#include "core/lex.h"
#include "device.h"

static void check_line(const char *line, size_t len)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct rule_error error;
	const struct rule *rule;

	if (!arena)
		abort();
	rule = rule_parse(arena, line, len, &error);
	if (!rule) {
		must(error.message[0], "no message", NULL);
		must(error.column >= 1 && error.column <= len + 1, "column", NULL);
		must(strlen(error.message) < sizeof(error.message) - 1, "message was cut", NULL);
		return;
	}
	must(rule_begins(line, len), "does not begin like a rule", rule);
	check_canonical(rule);
	check_match(rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problems problems = {0};
	struct lex lex;

	if (lex_init(&lex, "fuzz", (const char *)data, size, count_problem, &problems))
		abort();
	while (lex_next(&lex))
		check_line(lex.raw, lex.raw_len);
	lex_deinit(&lex);
	return 0;
}
