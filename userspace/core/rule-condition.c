// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hex.h"
#include "core/mark-text.h"
#include "core/rule-parser.h"

/* N with s, m, h or d behind it, H:MM or H:MM:SS; a bare N is seconds. */
static bool parse_duration(const char *p, size_t len, uint64_t *seconds)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	const char *end = p + len;
	uint64_t parts[3] = { 0 };
	unsigned int n = 0;

	for (;; p++) {
		const char *start = p;

		for (; p < end && *p >= '0' && *p <= '9' && p - start < 9; p++)
			parts[n] = parts[n] * 10 + (uint64_t)(*p - '0');
		if (p == start)
			return false;
		n++;
		if (p == end || *p != ':' || n == ARRAY_SIZE(parts))
			break;
	}
	if (n > 1) {
		*seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
		return p == end;
	}
	*seconds = parts[0];
	for (size_t i = 0; p < end && i < ARRAY_SIZE(units); i++)
		if (*p == units[i].unit) {
			*seconds = parts[0] * units[i].seconds;
			p++;
			break;
		}
	return p == end;
}

static const char *condition_duration(struct parser *parser, struct condition *condition)
{
	const struct text *argument = condition->argument;

	if (!argument)
		return NULL;
	if (parse_duration(argument->bytes, argument->len, &condition->seconds) &&
	    condition->seconds)
		return NULL;
	return N_("expected a duration like 90s, 10m, 8h, 2d or 08:30");
}

static const char *condition_random(struct parser *parser, struct condition *condition)
{
	const struct text *argument = condition->argument;
	char *end;

	condition->probability = 0.5;
	if (!argument)
		return NULL;
	/* Digits and one point: strtod() alone would also take "nan", "0x1" and the locale's ideas. */
	condition->probability = strtod(argument->bytes, &end);
	if (strspn(argument->bytes, "0123456789.") == argument->len && !*end &&
	    condition->probability >= 0 && condition->probability <= 1)
		return NULL;
	return N_("expected a probability from 0 to 1 like 0.25");
}

static const char *condition_localtime(struct parser *parser, struct condition *condition)
{
	const struct text *argument = condition->argument;

	return civil_window_parse(argument->bytes, argument->len, &condition->window);
}

static const char *condition_matches(struct parser *parser, struct condition *condition)
{
	const struct text *argument = condition->argument;
	struct rule_error error = { .column = 0 };
	struct parser inner = { .arena = parser->arena,
				.line = argument->bytes,
				.p = argument->bytes,
				.end = argument->bytes + argument->len,
				.error = &error };

	/* No deeper than this: the first ) ends an argument, so none holds another. */
	condition->match = parser_rule(&inner, true);
	if (condition->match)
		return NULL;
	/* Told where the argument stands; the inner message is the one that helps. */
	if (!error.message[0]) {
		parser_no_memory(parser);
		return NULL;
	}
	snprintf(parser->error->message, sizeof(parser->error->message), "%s", error.message);
	return parser->error->message;
}

static const struct {
	const char *name;
	enum condition_kind kind;
	bool needs_argument;
	/* Reads the argument; what was expected, or NULL. NULL: no argument counts. */
	const char *(*parse)(struct parser *parser, struct condition *condition);
} condition_rows[] = {
	{ "true", CONDITION_TRUE, false, NULL },
	{ "false", CONDITION_FALSE, false, NULL },
	{ "random", CONDITION_RANDOM, false, condition_random },
	{ "localtime", CONDITION_LOCALTIME, true, condition_localtime },
	{ "rule-applied", CONDITION_RULE_APPLIED, false, condition_duration },
	{ "rule-evaluated", CONDITION_RULE_EVALUATED, false, condition_duration },
	{ "allowed-matches", CONDITION_ALLOWED_MATCHES, true, condition_matches },
};

/* Finds the end of "(…)" and checks its escapes, which stay as they are written. */
static bool take_argument(struct parser *parser, const char **start, size_t *len)
{
	const char *open = parser->p, *q;

	for (q = open + 1; q < parser->end && *q != ')'; q++) {
		if (*q == '\r')
			break;
		if (*q != '\\')
			continue;
		if (++q == parser->end)
			break;
		if (*q == 'x' && q + 2 < parser->end && hex_digit(q[1]) >= 0 && hex_digit(q[2]) >= 0)
			q += 2;
		else if (!strchr("abfnrtv\\'0123456789)", *q) || !*q)
			return parser_fail(parser, q - 1, N_("unknown escape in a condition"));
	}
	if (q >= parser->end || *q != ')')
		return parser_fail(parser, open, N_("the argument does not end; expected )"));
	*start = open + 1;
	*len = (size_t)(q - open - 1);
	parser->p = q + 1;
	return *len || parser_fail(parser, open, N_("the argument is empty"));
}

bool parser_condition(struct parser *parser, union rule_value *value)
{
	struct condition condition = { .negated = parser_take_char(parser, '!') };
	const char *name = parser->p, *argument, *message = NULL;
	size_t len = parser_peek_word(parser), argument_len = 0, i;
	struct condition *kept;

	for (i = 0; i < ARRAY_SIZE(condition_rows); i++)
		if (parser_word_is(name, len, condition_rows[i].name))
			break;
	if (i == ARRAY_SIZE(condition_rows))
		return parser_fail(parser, name,
			       N_("expected a condition: localtime(…), allowed-matches(…), rule-applied, "
			       "rule-evaluated, random, true or false"));
	condition.kind = (uint8_t)condition_rows[i].kind;
	parser->p += len;
	argument = parser->p;
	if (!parser_at_end(parser) && *parser->p == '(') {
		if (!take_argument(parser, &argument, &argument_len))
			return false;
		condition.argument = arena_text(parser->arena, argument, argument_len);
		if (!condition.argument)
			return parser_no_memory(parser);
	} else if (condition_rows[i].needs_argument) {
		return parser_fail(parser, parser->p, N_("expected (…) after %s"), condition_rows[i].name);
	}
	if (condition_rows[i].parse)
		message = condition_rows[i].parse(parser, &condition);
	else
		condition.argument = NULL; /* true(anything) is true */
	if (message) {
		char text[RULE_MESSAGE_MAX];

		snprintf(text, sizeof(text), "%s", _(message));
		return parser_fail(parser, argument, "%s", text);
	}
	if (parser->failed)
		return false;
	kept = arena_alloc(parser->arena, sizeof(*kept));
	if (!kept)
		return parser_no_memory(parser);
	*kept = condition;
	value->condition = kept;
	return true;
}
