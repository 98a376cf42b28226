// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parser: recursive descent over one line, holding to the grammar in docs/policy.md. Attributes,
 * conditions and operators are rows of tables.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rule.h"
#include "core/utf8.h"

/* What a line of the longest allowed length can hold fits the counter of an attribute. */
#define VALUES_MAX 65535

struct parser {
	struct arena *arena;
	const char *line; /* for columns */
	const char *p;
	const char *end;
	struct rule_error *error;
	bool failed;
};

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

static bool fail_at(struct parser *parser, const char *at, const char *format, ...)
	_printf_(3, 4);

static bool fail_at(struct parser *parser, const char *at, const char *format, ...)
{
	va_list args;

	if (!parser->failed) {
		parser->failed = true;
		parser->error->column = (unsigned int)(at - parser->line) + 1;
		va_start(args, format);
		vsnprintf(parser->error->message, sizeof(parser->error->message), format, args);
		va_end(args);
	}
	return false;
}

static bool no_memory(struct parser *parser)
{
	parser->failed = true;
	parser->error->message[0] = '\0';
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool skip_blanks(struct parser *parser)
{
	const char *start = parser->p;

	while (parser->p < parser->end && is_blank(*parser->p))
		parser->p++;
	return parser->p > start;
}

static bool at_end(const struct parser *parser)
{
	return parser->p == parser->end;
}

static bool take_char(struct parser *parser, char c)
{
	if (at_end(parser) || *parser->p != c)
		return false;
	parser->p++;
	return true;
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* The word at p, of letters, digits and hyphens; its length. */
static size_t peek_word(const struct parser *parser)
{
	const char *p = parser->p;

	while (p < parser->end && is_word_char(*p))
		p++;
	return (size_t)(p - parser->p);
}

static bool word_is(const char *p, size_t len, const char *word)
{
	return strlen(word) == len && !memcmp(p, word, len);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Exactly n hexadecimal digits. */
static bool take_hex(struct parser *parser, unsigned int n, unsigned int *value)
{
	unsigned int v = 0;

	if ((size_t)(parser->end - parser->p) < n)
		return false;
	for (unsigned int i = 0; i < n; i++) {
		int digit = hex_digit(parser->p[i]);

		if (digit < 0)
			return false;
		v = v << 4 | (unsigned int)digit;
	}
	parser->p += n;
	*value = v;
	return true;
}

/* --- values --- */

static bool parse_id(struct parser *parser, union rule_value *value)
{
	static const char expected[] = "expected an id like 1234:abcd, 1234:* or *:*";
	const char *start = parser->p;
	struct rule_id *id = &value->id;
	unsigned int v;

	*value = (union rule_value){ .number = 0 };
	if (take_hex(parser, 4, &v)) {
		id->vendor = (uint16_t)v;
		id->parts = 1;
	} else if (!take_char(parser, '*')) {
		return fail_at(parser, start, expected);
	}
	if (!take_char(parser, ':'))
		return fail_at(parser, start, expected);
	if (take_hex(parser, 4, &v)) {
		if (!id->parts)
			return fail_at(parser, start,
				       "a product without its vendor says nothing; %s", expected);
		id->product = (uint16_t)v;
		id->parts = 2;
	} else if (!take_char(parser, '*')) {
		return fail_at(parser, start, expected);
	}
	return true;
}

static bool parse_interface(struct parser *parser, union rule_value *value)
{
	static const char expected[] =
		"expected an interface like 08:06:50, 08:06:* or 08:*:* (hexadecimal)";
	const char *start = parser->p;
	struct rule_interface *intf = &value->interface;
	uint8_t *fields[] = { &intf->class, &intf->subclass, &intf->protocol };
	unsigned int v;

	*value = (union rule_value){ .number = 0 };
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		if (i && !take_char(parser, ':'))
			return fail_at(parser, start, expected);
		if (take_hex(parser, 2, &v)) {
			if (intf->parts != i)
				return fail_at(parser, start, expected);
			*fields[i] = (uint8_t)v;
			intf->parts++;
		} else if (!i || !take_char(parser, '*')) {
			return fail_at(parser, start, expected);
		}
	}
	return true;
}

/*
 * A string in double quotes with \" \\ and \xHH. What is no UTF-8 after that is replaced as it is in
 * what a device says (ident_set_string), so that a rule made for such a device still matches it.
 */
static bool parse_string(struct parser *parser, union rule_value *value)
{
	const char *start = parser->p, *q;
	char *raw, *clean;
	size_t n = 0, size;

	if (!take_char(parser, '"'))
		return fail_at(parser, start, "expected a \"string\"");
	/* Mostly there is nothing to undo: then the text is taken as it stands (the line is UTF-8). */
	for (q = parser->p; q < parser->end && *q != '"' && *q != '\\' && *q != '\r'; q++)
		;
	if (q < parser->end && *q == '"') {
		value->text = arena_text(parser->arena, parser->p, (size_t)(q - parser->p));
		parser->p = q + 1;
		return value->text || no_memory(parser);
	}
	size = (size_t)(parser->end - parser->p);
	raw = malloc(size * 4 + 2);
	if (!raw)
		return no_memory(parser);
	clean = raw + size;
	for (q = parser->p; q < parser->end && *q != '"'; q++) {
		int hi, lo;

		if (*q == '\r')
			break;
		if (*q != '\\') {
			raw[n++] = *q;
			continue;
		}
		if (q + 1 < parser->end && (q[1] == '"' || q[1] == '\\')) {
			raw[n++] = *++q;
			continue;
		}
		hi = q + 3 < parser->end && q[1] == 'x' ? hex_digit(q[2]) : -1;
		lo = hi >= 0 ? hex_digit(q[3]) : -1;
		if (lo < 0) {
			free(raw);
			return fail_at(parser, q, "unknown escape; expected \\\" \\\\ or \\xHH");
		}
		raw[n++] = (char)(hi << 4 | lo);
		q += 3;
	}
	if (q == parser->end || *q != '"') {
		free(raw);
		return fail_at(parser, start, "the string does not end on its line; expected \"");
	}
	parser->p = q + 1;
	/* With a NUL in it no device can say it; kept as it is, it matches none. */
	if (utf8_valid(raw, n) || memchr(raw, '\0', n)) {
		value->text = arena_text(parser->arena, raw, n);
	} else {
		raw[n] = '\0';
		utf8_copy(clean, size * 3 + 2, raw, n);
		value->text = arena_text(parser->arena, clean, strlen(clean));
	}
	free(raw);
	return value->text || no_memory(parser);
}

static bool parse_moment(struct parser *parser, union rule_value *value, bool end)
{
	const char *start = parser->p;

	while (!at_end(parser) && (is_word_char(*parser->p) || *parser->p == ':'))
		parser->p++;
	if (civil_parse(start, (size_t)(parser->p - start), end, &value->civil))
		return true;
	return fail_at(parser, start, "expected a date like 2026-04-01 or 2026-04-01T08:30");
}

static bool parse_from(struct parser *parser, union rule_value *value)
{
	return parse_moment(parser, value, false);
}

static bool parse_until(struct parser *parser, union rule_value *value)
{
	return parse_moment(parser, value, true);
}

static bool parse_access(struct parser *parser, union rule_value *value)
{
	size_t len = peek_word(parser);

	if (word_is(parser->p, len, "ro"))
		value->number = ACCESS_RO;
	else if (word_is(parser->p, len, "rw"))
		value->number = ACCESS_RW;
	else
		return fail_at(parser, parser->p, "expected ro or rw");
	parser->p += len;
	return true;
}

static const struct {
	const char *name;
	unsigned int method;
} encryption_methods[] = {
	{ "luks2", ENCRYPTION_LUKS2 },
};

unsigned int encryption_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(encryption_methods); i++)
		if (word_is(name, len, encryption_methods[i].name))
			return encryption_methods[i].method;
	return 0;
}

const char *encryption_name(unsigned int method)
{
	for (size_t i = 0; i < ARRAY_SIZE(encryption_methods); i++)
		if (encryption_methods[i].method == method)
			return encryption_methods[i].name;
	return method == ENCRYPTION_OPTIONAL ? "optional" : "";
}

static bool parse_encrypted(struct parser *parser, union rule_value *value)
{
	size_t len = peek_word(parser);

	value->number = word_is(parser->p, len, "optional") ? ENCRYPTION_OPTIONAL :
							      encryption_find(parser->p, len);
	if (!value->number)
		return fail_at(parser, parser->p, "expected a method of encryption: luks2 (or optional)");
	parser->p += len;
	return true;
}

/* --- conditions --- */

static const struct rule *parse_rule(struct parser *parser, bool matcher);

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
	return "expected a duration like 90s, 10m, 8h, 2d or 08:30";
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
	return "expected a probability from 0 to 1 like 0.25";
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
	condition->match = parse_rule(&inner, true);
	if (condition->match)
		return NULL;
	/* Told where the argument stands; the inner message is the one that helps. */
	if (!error.message[0]) {
		no_memory(parser);
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
			return fail_at(parser, q - 1, "unknown escape in a condition");
	}
	if (q >= parser->end || *q != ')')
		return fail_at(parser, open, "the argument does not end; expected )");
	*start = open + 1;
	*len = (size_t)(q - open - 1);
	parser->p = q + 1;
	return *len || fail_at(parser, open, "the argument is empty");
}

static bool parse_condition(struct parser *parser, union rule_value *value)
{
	struct condition condition = { .negated = take_char(parser, '!') };
	const char *name = parser->p, *argument, *message = NULL;
	size_t len = peek_word(parser), argument_len = 0, i;
	struct condition *kept;

	for (i = 0; i < ARRAY_SIZE(condition_rows); i++)
		if (word_is(name, len, condition_rows[i].name))
			break;
	if (i == ARRAY_SIZE(condition_rows))
		return fail_at(parser, name,
			       "expected a condition: localtime(…), allowed-matches(…), rule-applied, "
			       "rule-evaluated, random, true or false");
	condition.kind = (uint8_t)condition_rows[i].kind;
	parser->p += len;
	argument = parser->p;
	if (!at_end(parser) && *parser->p == '(') {
		if (!take_argument(parser, &argument, &argument_len))
			return false;
		condition.argument = arena_text(parser->arena, argument, argument_len);
		if (!condition.argument)
			return no_memory(parser);
	} else if (condition_rows[i].needs_argument) {
		return fail_at(parser, parser->p, "expected (…) after %s", condition_rows[i].name);
	}
	if (condition_rows[i].parse)
		message = condition_rows[i].parse(parser, &condition);
	else
		condition.argument = NULL; /* true(anything) is true */
	if (message) {
		char text[RULE_MESSAGE_MAX];

		snprintf(text, sizeof(text), "%s", message);
		return fail_at(parser, argument, "%s", text);
	}
	if (parser->failed)
		return false;
	kept = arena_alloc(parser->arena, sizeof(*kept));
	if (!kept)
		return no_memory(parser);
	*kept = condition;
	value->condition = kept;
	return true;
}

/* --- attributes --- */

static const struct {
	const char *name;
	bool (*parse)(struct parser *parser, union rule_value *value);
	bool set;	     /* may be a set with an operator */
	bool repeats;	     /* may be given several times */
	enum rule_operator op; /* when none is written */
} attr_rows[RULE_ATTR_COUNT] = {
	[RULE_ID] = { "id", parse_id, true, false, RULE_EQUALS },
	[RULE_SERIAL] = { "serial", parse_string, true, false, RULE_EQUALS },
	[RULE_NAME] = { "name", parse_string, true, false, RULE_EQUALS },
	[RULE_HASH] = { "hash", parse_string, true, false, RULE_EQUALS },
	[RULE_PARENT_HASH] = { "parent-hash", parse_string, true, false, RULE_EQUALS },
	[RULE_VIA_PORT] = { "via-port", parse_string, true, false, RULE_EQUALS },
	[RULE_WITH_INTERFACE] = { "with-interface", parse_interface, true, false, RULE_EQUALS },
	[RULE_IF] = { "if", parse_condition, true, false, RULE_EQUALS },
	[RULE_WITH_CONNECT_TYPE] = { "with-connect-type", parse_string, true, false, RULE_EQUALS },
	[RULE_LABEL] = { "label", parse_string, true, true, RULE_EQUALS },
	[RULE_FINGERPRINT] = { "fingerprint", parse_string, true, false, RULE_ONE_OF },
	[RULE_ONLY_INTERFACE] = { "only-interface", parse_interface, true, false, RULE_ONE_OF },
	[RULE_ENCRYPTED] = { "encrypted", parse_encrypted, true, false, RULE_ONE_OF },
	[RULE_ACCESS] = { "access", parse_access, false, false, RULE_EQUALS },
	[RULE_FOR_USER] = { "for-user", parse_string, true, false, RULE_ONE_OF },
	[RULE_FOR_GROUP] = { "for-group", parse_string, true, false, RULE_ONE_OF },
	[RULE_ON_TERMINAL] = { "on-terminal", parse_string, true, false, RULE_ONE_OF },
	[RULE_FROM] = { "from", parse_from, false, false, RULE_EQUALS },
	[RULE_UNTIL] = { "until", parse_until, false, false, RULE_EQUALS },
};

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
		return fail_at(parser, parser->p, "too many values in one attribute");
	if (slot->n >= slot->size) {
		size_t size = slot->size ? slot->size * 2 : 8;
		union rule_value *more = reallocarray(slot->more, size, sizeof(*more));

		if (!more)
			return no_memory(parser);
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
		skip_blanks(parser);
		if (!at_end(parser) && *parser->p == '}')
			return fail_at(parser, parser->p, "an empty set matches nothing; expected a value");
		if (!parse_value(parser, name, slot))
			return false;
		if (take_char(parser, '}'))
			return true;
		if (!skip_blanks(parser))
			return fail_at(parser, parser->p, "expected a blank or }");
	} while (!take_char(parser, '}'));
	return true;
}

/* The operator before a "{", if there is one. */
static bool parse_operator(struct parser *parser, enum rule_attr_name name, struct slot *slot)
{
	const char *start = parser->p;
	size_t len = peek_word(parser);

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (!word_is(start, len, operators[i].name))
			continue;
		parser->p += len;
		if (skip_blanks(parser) && !at_end(parser) && *parser->p == '{') {
			if (name == RULE_ONLY_INTERFACE || name == RULE_ENCRYPTED)
				return fail_at(parser, start, "%s takes no operator",
					       attr_rows[name].name);
			slot->op = operators[i].op;
			return true;
		}
		return fail_at(parser, parser->p, "expected a blank and { after %s",
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

		if (!skip_blanks(parser))
			return true;
		len = peek_word(parser);
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
	size_t len = peek_word(parser), i;

	for (i = 0; i < RULE_ATTR_COUNT; i++)
		if (word_is(start, len, attr_rows[i].name))
			break;
	if (i == RULE_ATTR_COUNT)
		return fail_at(parser, start,
			       "expected an attribute: id, name, serial, hash, with-interface, if, … "
			       "(or a comment)");
	if (slots[i].seen && !attr_rows[i].repeats)
		return fail_at(parser, start, "attribute given twice: %s", attr_rows[i].name);
	if (!slots[i].seen)
		slots[i].op = attr_rows[i].op;
	slots[i].seen = true;
	parser->p += len;
	if (!skip_blanks(parser))
		return fail_at(parser, parser->p, "expected a blank and a value after %s",
			       attr_rows[i].name);
	if (attr_rows[i].set && !parse_operator(parser, (enum rule_attr_name)i, &slots[i]))
		return false;
	if (attr_rows[i].set && take_char(parser, '{'))
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
	size_t len = peek_word(parser);

	for (size_t i = 0; i < ARRAY_SIZE(target_names); i++)
		if (word_is(parser->p, len, target_names[i])) {
			rule->target = (uint8_t)i;
			parser->p += len;
			return true;
		}
	return fail_at(parser, parser->p, "expected allow, block, reject, match or device");
}

bool rule_begins(const char *line, size_t len)
{
	struct rule_error error;
	struct rule rule;
	struct parser parser = { .line = line, .p = line, .end = line + len, .error = &error };

	skip_blanks(&parser);
	return parse_target(&parser, &rule);
}

/* An id may stand by itself right after the target. */
static bool at_id(const struct parser *parser)
{
	return !at_end(parser) && (*parser->p == '*' ||
				   (parser->end - parser->p > 4 && parser->p[4] == ':' &&
				    hex_digit(*parser->p) >= 0));
}

/* What the attributes together must not say. */
static bool check_rule(struct parser *parser, const struct rule *rule, const struct slot *slots)
{
	const struct slot *from = &slots[RULE_FROM], *until = &slots[RULE_UNTIL];

	if (from->seen && until->seen && from->first.civil > until->first.civil)
		return fail_at(parser, parser->line, "the rule ends before it begins");
	if (slots[RULE_ENCRYPTED].n > 1)
		for (size_t i = 0; i < slots[RULE_ENCRYPTED].n; i++)
			if (slot_values(&slots[RULE_ENCRYPTED])[i].number == ENCRYPTION_OPTIONAL)
				return fail_at(parser, parser->line,
					       "encrypted optional stands alone, without methods");
	if (rule->target != RULE_ALLOW &&
	    (slots[RULE_ACCESS].seen || slots[RULE_ENCRYPTED].seen))
		return fail_at(parser, parser->line, "only allow takes access and encrypted");
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
		no_memory(parser);
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
		skip_blanks(parser);
		if (!parse_target(parser, rule))
			return false;
	}
	for (;; first = false) {
		/* A matcher stands where a rule's attributes do, right after the blank. */
		bool blank = skip_blanks(parser) || (matcher && first);

		if (at_end(parser)) {
			/* " ) " after a matcher's last attribute is refused, as in USBGuard. */
			if (matcher && (first || is_blank(parser->end[-1])))
				return fail_at(parser, parser->p, "expected an attribute");
			return true;
		}
		if (*parser->p == '#')
			return true;
		if (*parser->p == '\r' && parser->p + 1 == parser->end && !matcher)
			return true;
		if (!blank)
			return fail_at(parser, parser->p, "expected a blank");
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
static const struct rule *parse_rule(struct parser *parser, bool matcher)
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
	return parse_rule(&parser, false);
}
