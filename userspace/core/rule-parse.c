// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "core/hex.h"
#include "core/mark-text.h"
#include "core/rule-parser.h"

/* What a line of the longest allowed length can hold fits the counter of an attribute. */
#define VALUES_MAX 65535

/* Values of one attribute while the line is read. */
struct slot {
	union rule_value first; /* most attributes have one */
	union rule_value *more; /* all of them, once there are two */
	size_t n;
	size_t size; /* of `more` */
	enum rule_operator op;
	bool seen;
};

static const union rule_value *slot_values(const struct slot *slot)
{
	return slot->n > 1 ? slot->more : &slot->first;
}

/* --- attributes --- */

static const struct {
	const char *name;
	bool (*parse)(struct parser *parser, union rule_value *value);
	bool set;	     /* may be a set with an operator */
	bool repeats;	     /* may be given several times */
	enum rule_operator op; /* when none is written */
} attr_rows[RULE_ATTR_COUNT] = {
	[RULE_ID] = { "id", parser_id, true, false, RULE_EQUALS },
	[RULE_SERIAL] = { "serial", parser_string, true, false, RULE_EQUALS },
	[RULE_NAME] = { "name", parser_string, true, false, RULE_EQUALS },
	[RULE_HASH] = { "hash", parser_string, true, false, RULE_EQUALS },
	[RULE_PARENT_HASH] = { "parent-hash", parser_string, true, false, RULE_EQUALS },
	[RULE_VIA_PORT] = { "via-port", parser_string, true, false, RULE_EQUALS },
	[RULE_WITH_INTERFACE] = { "with-interface", parser_interface, true, false, RULE_EQUALS },
	[RULE_IF] = { "if", parser_condition, true, false, RULE_EQUALS },
	[RULE_WITH_CONNECT_TYPE] = { "with-connect-type", parser_string, true, false, RULE_EQUALS },
	[RULE_LABEL] = { "label", parser_string, true, true, RULE_EQUALS },
	[RULE_FINGERPRINT] = { "fingerprint", parser_string, true, false, RULE_ONE_OF },
	[RULE_ONLY_INTERFACE] = { "only-interface", parser_interface, true, false, RULE_ONE_OF },
	[RULE_ENCRYPTED] = { "encrypted", parser_encrypted, true, false, RULE_ONE_OF },
	[RULE_ACCESS] = { "access", parser_access, false, false, RULE_EQUALS },
	[RULE_FOR_USER] = { "for-user", parser_string, true, false, RULE_ONE_OF },
	[RULE_FOR_GROUP] = { "for-group", parser_string, true, false, RULE_ONE_OF },
	[RULE_ON_TERMINAL] = { "on-terminal", parser_string, true, false, RULE_ONE_OF },
	[RULE_FROM] = { "from", parser_from, false, false, RULE_EQUALS },
	[RULE_UNTIL] = { "until", parser_until, false, false, RULE_EQUALS },
};

enum rule_operator rule_attr_operator(enum rule_attr_name name)
{
	return attr_rows[name].op;
}

const char *rule_attr_word(enum rule_attr_name name)
{
	return attr_rows[name].name;
}

static const struct {
	const char *name;
	enum rule_operator op;
} operators[] = {
	{ "all-of", RULE_ALL_OF },   { "one-of", RULE_ONE_OF },
	{ "none-of", RULE_NONE_OF }, { "equals-ordered", RULE_EQUALS_ORDERED },
	{ "equals", RULE_EQUALS },   { "match-all", RULE_MATCH_ALL },
};

static bool slot_add(struct parser *parser, struct slot *slot, const union rule_value *value)
{
	if (!slot->n) {
		slot->first = *value;
		slot->n = 1;
		return true;
	}
	if (slot->n == VALUES_MAX)
		return parser_fail(parser, parser->p, N_("too many values in one attribute"));
	if (slot->n >= slot->size) {
		size_t size = slot->size ? slot->size * 2 : 8;
		union rule_value *more = reallocarray(slot->more, size, sizeof(*more));

		if (!more)
			return parser_no_memory(parser);
		more[0] = slot->first;
		slot->more = more;
		slot->size = size;
	}
	slot->more[slot->n++] = *value;
	return true;
}

static bool parse_value(struct parser *parser, enum rule_attr_name name, struct slot *slot)
{
	union rule_value value = { .number = 0 };

	return attr_rows[name].parse(parser, &value) && slot_add(parser, slot, &value);
}

/* After "{"; at least one value, blanks between them. */
static bool parse_set(struct parser *parser, enum rule_attr_name name, struct slot *slot)
{
	do {
		parser_skip_blanks(parser);
		if (!parser_at_end(parser) && *parser->p == '}')
			return parser_fail(parser, parser->p, N_("an empty set matches nothing; expected a value"));
		if (!parse_value(parser, name, slot))
			return false;
		if (parser_take_char(parser, '}'))
			return true;
		if (!parser_skip_blanks(parser))
			return parser_fail(parser, parser->p, N_("expected a blank or }"));
	} while (!parser_take_char(parser, '}'));
	return true;
}

/* The operator before a "{", if there is one. */
static bool parse_operator(struct parser *parser, enum rule_attr_name name, struct slot *slot)
{
	const char *start = parser->p;
	size_t len = parser_peek_word(parser);

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (!parser_word_is(start, len, operators[i].name))
			continue;
		parser->p += len;
		if (parser_skip_blanks(parser) && !parser_at_end(parser) && *parser->p == '{') {
			if (name == RULE_ONLY_INTERFACE || name == RULE_ENCRYPTED)
				return parser_fail(parser, start, N_("%s takes no operator"),
					       attr_rows[name].name);
			slot->op = operators[i].op;
			return true;
		}
		return parser_fail(parser, parser->p, N_("expected a blank and { after %s"),
			       operators[i].name);
	}
	return true;
}

/* More methods may follow the first one without braces. */
static bool parse_more_methods(struct parser *parser, struct slot *slot)
{
	for (;;) {
		const char *back = parser->p;
		size_t len;

		if (!parser_skip_blanks(parser))
			return true;
		len = parser_peek_word(parser);
		if (!encryption_find(parser->p, len)) {
			parser->p = back;
			return true;
		}
		if (!parse_value(parser, RULE_ENCRYPTED, slot))
			return false;
	}
}

static bool parse_attribute(struct parser *parser, struct slot *slots)
{
	const char *start = parser->p;
	size_t len = parser_peek_word(parser), i;

	for (i = 0; i < RULE_ATTR_COUNT; i++)
		if (parser_word_is(start, len, attr_rows[i].name))
			break;
	if (i == RULE_ATTR_COUNT)
		return parser_fail(parser, start,
			       N_("expected an attribute: id, name, serial, hash, with-interface, if, … "
			       "(or a comment)"));
	if (slots[i].seen && !attr_rows[i].repeats)
		return parser_fail(parser, start, N_("attribute given twice: %s"), attr_rows[i].name);
	if (!slots[i].seen)
		slots[i].op = attr_rows[i].op;
	slots[i].seen = true;
	parser->p += len;
	if (!parser_skip_blanks(parser))
		return parser_fail(parser, parser->p, N_("expected a blank and a value after %s"),
			       attr_rows[i].name);
	if (attr_rows[i].set && !parse_operator(parser, (enum rule_attr_name)i, &slots[i]))
		return false;
	if (attr_rows[i].set && parser_take_char(parser, '{'))
		return parse_set(parser, (enum rule_attr_name)i, &slots[i]);
	if (!parse_value(parser, (enum rule_attr_name)i, &slots[i]))
		return false;
	return i != RULE_ENCRYPTED || parse_more_methods(parser, &slots[i]);
}

/* --- the line --- */

static const char *const target_names[] = {
	[RULE_ALLOW] = "allow", [RULE_BLOCK] = "block",	  [RULE_REJECT] = "reject",
	[RULE_MATCH] = "match", [RULE_DEVICE] = "device",
};

const char *rule_target_name(enum rule_target target)
{
	return target_names[target];
}

static bool parse_target(struct parser *parser, struct rule *rule)
{
	size_t len = parser_peek_word(parser);

	for (size_t i = 0; i < ARRAY_SIZE(target_names); i++)
		if (parser_word_is(parser->p, len, target_names[i])) {
			rule->target = (uint8_t)i;
			parser->p += len;
			return true;
		}
	return parser_fail(parser, parser->p, N_("expected allow, block, reject, match or device"));
}

bool rule_begins(const char *line, size_t len)
{
	struct rule_error error;
	struct rule rule;
	struct parser parser = { .line = line, .p = line, .end = line + len, .error = &error };

	parser_skip_blanks(&parser);
	return parse_target(&parser, &rule);
}

/* An id may stand by itself right after the target. */
static bool at_id(const struct parser *parser)
{
	return !parser_at_end(parser) && (*parser->p == '*' ||
				   (parser->end - parser->p > 4 && parser->p[4] == ':' &&
				    hex_digit(*parser->p) >= 0));
}

/* What the attributes together must not say. */
static bool check_rule(struct parser *parser, const struct rule *rule, const struct slot *slots)
{
	const struct slot *from = &slots[RULE_FROM], *until = &slots[RULE_UNTIL];

	if (from->seen && until->seen && from->first.civil > until->first.civil)
		return parser_fail(parser, parser->line, N_("the rule ends before it begins"));
	if (slots[RULE_ENCRYPTED].n > 1)
		for (size_t i = 0; i < slots[RULE_ENCRYPTED].n; i++)
			if (slot_values(&slots[RULE_ENCRYPTED])[i].number == ENCRYPTION_OPTIONAL)
				return parser_fail(parser, parser->line,
					       N_("encrypted optional stands alone, without methods"));
	if (rule->target != RULE_ALLOW &&
	    (slots[RULE_ACCESS].seen || slots[RULE_ENCRYPTED].seen))
		return parser_fail(parser, parser->line, N_("only allow takes access and encrypted"));
	return true;
}

static const struct rule *keep_rule(struct parser *parser, const struct rule *rule,
				    const struct slot *slots)
{
	struct rule *kept = arena_alloc(parser->arena, sizeof(*kept));
	struct rule_attr *attr;
	size_t size = 0;

	for (size_t i = 0; i < RULE_ATTR_COUNT; i++)
		if (slots[i].seen)
			size += sizeof(*attr) + slots[i].n * sizeof(attr->values[0]);
	attr = size && kept ? arena_alloc(parser->arena, size) : NULL;
	if (!kept || (size && !attr)) {
		parser_no_memory(parser);
		return NULL;
	}
	*kept = *rule;
	kept->attrs = attr;
	for (size_t i = 0; i < RULE_ATTR_COUNT; i++) {
		const struct slot *slot = &slots[i];

		if (!slot->seen)
			continue;
		attr->name = (uint8_t)i;
		attr->op = (uint8_t)slot->op;
		attr->n = (uint16_t)slot->n;
		memcpy(attr->values, slot_values(slot), slot->n * sizeof(attr->values[0]));
		for (size_t k = 0; i == RULE_IF && k < slot->n; k++) {
			uint8_t kind = slot_values(slot)[k].condition->kind;

			kept->allowed_matches |= kind == CONDITION_ALLOWED_MATCHES;
			kept->remembers |= kind == CONDITION_RULE_APPLIED ||
					   kind == CONDITION_RULE_EVALUATED;
		}
		attr = (struct rule_attr *)rule_next_attr(attr);
		kept->n_attrs++;
	}
	return kept;
}

static bool parse_body(struct parser *parser, struct rule *rule, struct slot *slots, bool matcher)
{
	bool first = true;

	if (!matcher) {
		parser_skip_blanks(parser);
		if (!parse_target(parser, rule))
			return false;
	}
	for (;; first = false) {
		/* A matcher stands where a rule's attributes do, right after the blank. */
		bool blank = parser_skip_blanks(parser) || (matcher && first);

		if (parser_at_end(parser)) {
			/* " ) " after a matcher's last attribute is refused, as in USBGuard. */
			if (matcher && (first || parser_is_blank(parser->end[-1])))
				return parser_fail(parser, parser->p, N_("expected an attribute"));
			return true;
		}
		if (*parser->p == '#')
			return true;
		if (*parser->p == '\r' && parser->p + 1 == parser->end && !matcher)
			return true;
		if (!blank)
			return parser_fail(parser, parser->p, N_("expected a blank"));
		if (first && at_id(parser)) {
			slots[RULE_ID].seen = true;
			if (!parse_value(parser, RULE_ID, &slots[RULE_ID]))
				return false;
		} else if (!parse_attribute(parser, slots)) {
			return false;
		}
	}
}

/* matcher: attributes only, as in allowed-matches(…). */
const struct rule *parser_rule(struct parser *parser, bool matcher)
{
	struct slot slots[RULE_ATTR_COUNT] = { 0 };
	struct rule rule = { .target = RULE_MATCH };
	const struct rule *kept = NULL;

	if (parse_body(parser, &rule, slots, matcher) && check_rule(parser, &rule, slots))
		kept = keep_rule(parser, &rule, slots);
	for (size_t i = 0; i < RULE_ATTR_COUNT; i++)
		free(slots[i].more);
	return kept;
}

const struct rule *rule_parse(struct arena *arena, const char *line, size_t len,
			      struct rule_error *error)
{
	struct parser parser = {
		.arena = arena, .line = line, .p = line, .end = line + len, .error = error
	};

	*error = (struct rule_error){ .column = 1 };
	return parser_rule(&parser, false);
}
