/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the rule parser: recursive descent over one line, holding to the grammar in docs/policy.md.
 *
 *   rule-parse.c       the line and its attributes
 *   rule-value.c       single values, and the steps that all are made of
 *   rule-condition.c   conditions
 *
 * Every function that returns bool has reported where and what was expected when it returns false.
 */
#pragma once

#include "core/rule.h"

struct parser {
	struct arena *arena;
	const char *line; /* for columns */
	const char *p;
	const char *end;
	struct rule_error *error;
	bool failed;
};

/* Reports at a place of the line, unless something was reported before. Returns false. */
bool parser_fail(struct parser *parser, const char *at, const char *format, ...) _printf_(3, 4);
bool parser_no_memory(struct parser *parser);

static inline _unused_ bool parser_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* True if there was a blank. */
bool parser_skip_blanks(struct parser *parser);
bool parser_at_end(const struct parser *parser);
bool parser_take_char(struct parser *parser, char c);

/* Length of the word here, of letters, digits and hyphens. */
size_t parser_peek_word(const struct parser *parser);
bool parser_word_is(const char *p, size_t len, const char *word);

bool parser_id(struct parser *parser, union rule_value *value);
bool parser_interface(struct parser *parser, union rule_value *value);
bool parser_string(struct parser *parser, union rule_value *value);
bool parser_from(struct parser *parser, union rule_value *value);
bool parser_until(struct parser *parser, union rule_value *value);
bool parser_access(struct parser *parser, union rule_value *value);
bool parser_encrypted(struct parser *parser, union rule_value *value);
bool parser_condition(struct parser *parser, union rule_value *value);

/* A whole rule; matcher: attributes only, as in allowed-matches(…). NULL after an error. */
const struct rule *parser_rule(struct parser *parser, bool matcher);
