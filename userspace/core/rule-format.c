// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/rule.h"
#include "core/text.h"
#include "core/utf8.h"

/* Writes as far as there is room, and counts on. */
struct writer {
	char *out;
	size_t size;
	size_t len;
	bool argument; /* inside "(…)", where neither \" nor ) can stand */
};

static _printf_(2, 3) void put(struct writer *writer, const char *format, ...)
{
	size_t room = writer->len < writer->size ? writer->size - writer->len : 0;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(room ? writer->out + writer->len : NULL, room, format, args);
	va_end(args);
	writer->len += n > 0 ? (size_t)n : 0;
}

static void put_string(struct writer *writer, const char *bytes, size_t len)
{
	put(writer, "\"");
	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(bytes + i, len - i, &cp);

		if (!n || !cp || text_is_unsafe(cp) ||
		    (writer->argument && (cp == '"' || cp == ')'))) {
			if (!n)
				n = 1;
			for (size_t k = 0; k < n; k++)
				put(writer, "\\x%02x", (unsigned char)bytes[i + k]);
		} else if (cp == '"' || cp == '\\') {
			put(writer, "\\%c", (char)cp);
		} else {
			put(writer, "%.*s", (int)n, bytes + i);
		}
		i += n;
	}
	put(writer, "\"");
}

size_t rule_format_string(const char *bytes, size_t len, char *out, size_t size)
{
	struct writer writer = { .out = out, .size = size };

	put_string(&writer, bytes, len);
	return writer.len;
}

static void put_attrs(struct writer *writer, const struct rule *rule, const char *separator);

/* The argument of allowed-matches: a rule without its target. */
static void put_matcher(struct writer *writer, const struct rule *match)
{
	put(writer, "(");
	writer->argument = true;
	if (match->n_attrs)
		put_attrs(writer, match, "");
	else
		put(writer, "id *:*");
	writer->argument = false;
	put(writer, ")");
}

static void put_condition(struct writer *writer, const struct condition *condition)
{
	static const char *const names[] = {
		[CONDITION_TRUE] = "true",
		[CONDITION_FALSE] = "false",
		[CONDITION_RANDOM] = "random",
		[CONDITION_LOCALTIME] = "localtime",
		[CONDITION_RULE_APPLIED] = "rule-applied",
		[CONDITION_RULE_EVALUATED] = "rule-evaluated",
		[CONDITION_ALLOWED_MATCHES] = "allowed-matches",
	};

	put(writer, "%s%s", condition->negated ? "!" : "", names[condition->kind]);
	if (condition->kind == CONDITION_ALLOWED_MATCHES)
		put_matcher(writer, condition->match);
	else if (condition->argument)
		put(writer, "(%s)", condition->argument->bytes);
}

static void put_id(struct writer *writer, const struct rule_id *id)
{
	if (!id->parts)
		put(writer, "*:*");
	else if (id->parts == 1)
		put(writer, "%04x:*", id->vendor);
	else
		put(writer, "%04x:%04x", id->vendor, id->product);
}

static void put_interface(struct writer *writer, const struct rule_interface *intf)
{
	put(writer, "%02x:", intf->class);
	if (intf->parts >= 2)
		put(writer, "%02x:", intf->subclass);
	else
		put(writer, "*:");
	if (intf->parts == 3)
		put(writer, "%02x", intf->protocol);
	else
		put(writer, "*");
}

static void put_moment(struct writer *writer, int64_t civil)
{
	char text[CIVIL_TEXT_MAX];

	civil_format(civil, text);
	put(writer, "%s", text);
}

static void put_value(struct writer *writer, enum rule_attr_name name, const union rule_value *value)
{
	switch (name) {
	case RULE_ID:
		put_id(writer, &value->id);
		break;
	case RULE_WITH_INTERFACE:
	case RULE_ONLY_INTERFACE:
		put_interface(writer, &value->interface);
		break;
	case RULE_IF:
		put_condition(writer, value->condition);
		break;
	case RULE_ENCRYPTED:
		put(writer, "%s", encryption_name((unsigned int)value->number));
		break;
	case RULE_ACCESS:
		put(writer, "%s", value->number == ACCESS_RO ? "ro" : "rw");
		break;
	case RULE_FROM:
	case RULE_UNTIL:
		put_moment(writer, value->civil);
		break;
	default:
		put_string(writer, value->text->bytes, value->text->len);
	}
}

static const char *const operator_names[] = {
	[RULE_EQUALS] = "equals ", [RULE_EQUALS_ORDERED] = "equals-ordered ",
	[RULE_ALL_OF] = "all-of ", [RULE_ONE_OF] = "one-of ",
	[RULE_NONE_OF] = "none-of ", [RULE_MATCH_ALL] = "match-all ",
};

static void put_attr(struct writer *writer, const struct rule_attr *attr, const char *separator)
{
	enum rule_attr_name name = (enum rule_attr_name)attr->name;
	bool plain = attr->op == rule_attr_operator(name);

	put(writer, "%s%s ", separator, rule_attr_word(name));
	if (plain && attr->n == 1) {
		put_value(writer, name, &attr->values[0]);
		return;
	}
	put(writer, "%s{", plain ? "" : operator_names[attr->op]);
	for (unsigned int i = 0; i < attr->n; i++) {
		put(writer, " ");
		put_value(writer, name, &attr->values[i]);
	}
	put(writer, " }");
}

static void put_attrs(struct writer *writer, const struct rule *rule, const char *separator)
{
	const struct rule_attr *attr = rule->attrs;

	for (unsigned int i = 0; i < rule->n_attrs; i++, attr = rule_next_attr(attr))
		put_attr(writer, attr, i ? " " : separator);
}

size_t rule_format(const struct rule *rule, char *out, size_t size)
{
	struct writer writer = { .out = out, .size = size };

	put(&writer, "%s", rule_target_name((enum rule_target)rule->target));
	put_attrs(&writer, rule, " ");
	return writer.len;
}
