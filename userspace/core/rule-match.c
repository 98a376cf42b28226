// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>
#include <string.h>

#include "core/rule.h"

const struct rule_attr *rule_attr(const struct rule *rule, enum rule_attr_name name)
{
	const struct rule_attr *attr = rule->attrs;

	for (unsigned int i = 0; i < rule->n_attrs; i++, attr = rule_next_attr(attr))
		if (attr->name == name)
			return attr;
	return NULL;
}

/* --- sets --- */

/* Does a value of the rule cover item `i` of what the device (or the world) has? */
typedef bool (*covers_fn)(const union rule_value *value, const void *have, size_t i);

/*
 * Multiset equality with wildcards: a one-to-one assignment of the rule's values to the device's
 * items. Augmenting paths (Kuhn's algorithm): a greedy choice could give 08:06:50 to 08:*:* and leave 08:06:50
 * of the rule without a partner.
 */
static bool assign(const struct rule_attr *attr, covers_fn covers, const void *have, size_t n,
		   size_t value, size_t *partner, bool *seen)
{
	for (size_t i = 0; i < n; i++) {
		if (seen[i] || !covers(&attr->values[value], have, i))
			continue;
		seen[i] = true;
		if (partner[i] == n ||
		    assign(attr, covers, have, n, partner[i], partner, seen)) {
			partner[i] = value;
			return true;
		}
	}
	return false;
}

static bool set_equals(const struct rule_attr *attr, covers_fn covers, const void *have, size_t n)
{
	size_t partner[IDENT_TYPES_MAX];
	bool seen[IDENT_TYPES_MAX];

	if (attr->n != n || n > IDENT_TYPES_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		partner[i] = n;
	for (size_t value = 0; value < n; value++) {
		memset(seen, 0, n * sizeof(seen[0]));
		if (!assign(attr, covers, have, n, value, partner, seen))
			return false;
	}
	return true;
}

static bool value_covers_any(const union rule_value *value, covers_fn covers, const void *have,
			     size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (covers(value, have, i))
			return true;
	return false;
}

static bool item_is_covered(const struct rule_attr *attr, covers_fn covers, const void *have,
			    size_t i)
{
	for (unsigned int k = 0; k < attr->n; k++)
		if (covers(&attr->values[k], have, i))
			return true;
	return false;
}

static bool set_matches(const struct rule_attr *attr, covers_fn covers, const void *have, size_t n)
{
	switch (attr->op) {
	case RULE_EQUALS:
		return set_equals(attr, covers, have, n);
	case RULE_EQUALS_ORDERED:
		for (size_t i = 0; i < n && attr->n == n; i++)
			if (!covers(&attr->values[i], have, i))
				return false;
		return attr->n == n;
	case RULE_ALL_OF:
		for (unsigned int k = 0; k < attr->n; k++)
			if (!value_covers_any(&attr->values[k], covers, have, n))
				return false;
		return true;
	case RULE_ONE_OF:
		for (unsigned int k = 0; k < attr->n; k++)
			if (value_covers_any(&attr->values[k], covers, have, n))
				return true;
		return false;
	case RULE_NONE_OF:
		for (unsigned int k = 0; k < attr->n; k++)
			if (value_covers_any(&attr->values[k], covers, have, n))
				return false;
		return true;
	case RULE_MATCH_ALL:
		for (size_t i = 0; i < n; i++)
			if (!item_is_covered(attr, covers, have, i))
				return false;
		return true;
	}
	return false;
}

static bool covers_id(const union rule_value *value, const void *have, size_t i)
{
	const struct ident *ident = have;

	return (value->id.parts < 1 || value->id.vendor == ident->id_vendor) &&
	       (value->id.parts < 2 || value->id.product == ident->id_product);
}

static bool covers_type(const struct rule_interface *intf, const struct ident_type *type)
{
	return intf->class == type->class &&
	       (intf->parts < 2 || intf->subclass == type->subclass) &&
	       (intf->parts < 3 || intf->protocol == type->protocol);
}

static bool covers_interface(const union rule_value *value, const void *have, size_t i)
{
	return covers_type(&value->interface, (const struct ident_type *)have + i);
}

static bool covers_string(const union rule_value *value, const void *have, size_t i)
{
	return text_is(value->text, ((const char *const *)have)[i]);
}

static bool covers_terminal(const union rule_value *value, const void *have, size_t i)
{
	return terminal_matches(value->text, ((const char *const *)have)[i]);
}

bool terminal_matches(const struct text *pattern, const char *terminal)
{
	size_t len = pattern->len;

	if (len && pattern->bytes[len - 1] == '*')
		return !strncmp(pattern->bytes, terminal, len - 1);
	return text_is(pattern, terminal);
}

/* --- attributes --- */

static bool one_string(const struct rule_attr *attr, covers_fn covers, const char *string)
{
	return set_matches(attr, covers, &string, 1);
}

/* Nobody, or no known terminal: not even none-of speaks of that. */
static bool known_string(const struct rule_attr *attr, covers_fn covers, const char *string)
{
	return string && *string && one_string(attr, covers, string);
}

static void recheck_at(int64_t *recheck, int64_t when)
{
	if (when && when < *recheck)
		*recheck = when;
}

static bool attr_matches(const struct rule_attr *attr, const struct ident *ident,
			 const struct rule_world *world, int64_t *recheck)
{
	int64_t limit = attr->values[0].civil;

	switch ((enum rule_attr_name)attr->name) {
	case RULE_ID:
		return set_matches(attr, covers_id, ident, 1);
	case RULE_SERIAL:
		return one_string(attr, covers_string, ident->serial);
	case RULE_NAME:
		return one_string(attr, covers_string, ident->product);
	case RULE_HASH:
		return one_string(attr, covers_string, ident->hash);
	case RULE_PARENT_HASH:
		return one_string(attr, covers_string, ident->parent_hash);
	case RULE_VIA_PORT:
		return one_string(attr, covers_string, ident->name);
	case RULE_WITH_INTERFACE:
		return set_matches(attr, covers_interface, ident->types, ident->n_types);
	case RULE_WITH_CONNECT_TYPE:
		return one_string(attr, covers_string, ident->connect_type);
	case RULE_FINGERPRINT:
		return known_string(attr, covers_string, ident->fingerprint);
	case RULE_FOR_USER:
		return known_string(attr, covers_string, world->user);
	case RULE_FOR_GROUP:
		return world->n_groups &&
		       set_matches(attr, covers_string, world->groups, world->n_groups);
	case RULE_ON_TERMINAL:
		return known_string(attr, covers_terminal, world->terminal);
	case RULE_FROM:
		if (world->civil < limit)
			recheck_at(recheck, limit);
		return world->civil >= limit;
	case RULE_UNTIL:
		if (world->civil <= limit)
			recheck_at(recheck, limit + 1);
		return world->civil <= limit;
	case RULE_IF:
	case RULE_LABEL:
	case RULE_ONLY_INTERFACE:
	case RULE_ENCRYPTED:
	case RULE_ACCESS:
	case RULE_ATTR_COUNT:
		break;
	}
	return true;
}

enum rule_attr_name rule_mismatch(const struct rule *rule, const struct ident *ident,
				  const struct rule_world *world, int64_t *recheck)
{
	const struct rule_attr *attr = rule->attrs;

	for (unsigned int i = 0; i < rule->n_attrs; i++, attr = rule_next_attr(attr))
		if (!attr_matches(attr, ident, world, recheck))
			return (enum rule_attr_name)attr->name;
	return RULE_ATTR_COUNT;
}

bool rule_covers_interface(const struct rule *rule, const struct ident_type *type)
{
	const struct rule_attr *attr = rule_attr(rule, RULE_ONLY_INTERFACE);

	return !attr || item_is_covered(attr, covers_interface, type, 0);
}

/* --- conditions --- */

/* The first 64 bits of BLAKE2b-128. */
static uint64_t hash64(const void *data, size_t len)
{
	unsigned char digest[crypto_generichash_BYTES_MIN];
	uint64_t value = 0;

	crypto_generichash(digest, sizeof(digest), data, len, NULL, 0);
	for (size_t i = 0; i < sizeof(value); i++)
		value = value << 8 | digest[i];
	return value;
}

/* The same answer for the whole time that a device is plugged in. */
static bool draw(const struct rule *rule, const struct condition *condition,
		 const struct rule_world *world)
{
	uint64_t input[2] = { world->seed, rule_key(rule) };
	uint64_t drawn = hash64(input, sizeof(input));

	/* 53 bits: exact in a double, always below 1. */
	return (double)(drawn >> 11) * 0x1p-53 < condition->probability;
}

static bool was_within(const struct rule *rule, const struct condition *condition,
		       const struct rule_world *world, int64_t *recheck)
{
	bool evaluated = condition->kind == CONDITION_RULE_EVALUATED;
	uint64_t last = world->last ? world->last(world->userdata, rule_key(rule), evaluated) : 0;
	uint64_t elapsed = last && world->boot_us > last ? (world->boot_us - last) / 1000000u : 0;

	if (!last)
		return false;
	if (!condition->seconds)
		return true;
	if (elapsed >= condition->seconds)
		return false;
	/* A second late rather than one early: the clocks do not tick together. */
	recheck_at(recheck, world->civil + (int64_t)(condition->seconds - elapsed) + 1);
	return true;
}

static bool allowed_matches(const struct rule *match, const struct rule_world *world,
			    int64_t *recheck)
{
	for (size_t i = 0; i < world->n_allowed; i++)
		if (rule_mismatch(match, world->allowed[i], world, recheck) == RULE_ATTR_COUNT)
			return true;
	return false;
}

static bool condition_holds(const struct rule *rule, const struct condition *condition,
			    const struct rule_world *world, int64_t *recheck)
{
	bool holds = false;
	int64_t change;

	switch ((enum condition_kind)condition->kind) {
	case CONDITION_TRUE:
		holds = true;
		break;
	case CONDITION_FALSE:
		break;
	case CONDITION_RANDOM:
		holds = draw(rule, condition, world);
		break;
	case CONDITION_LOCALTIME:
		holds = civil_window_contains(&condition->window, world->civil, &change);
		recheck_at(recheck, change);
		break;
	case CONDITION_RULE_APPLIED:
	case CONDITION_RULE_EVALUATED:
		holds = was_within(rule, condition, world, recheck);
		break;
	case CONDITION_ALLOWED_MATCHES:
		holds = allowed_matches(condition->match, world, recheck);
		break;
	}
	return holds != condition->negated;
}

bool rule_conditions_hold(const struct rule *rule, const struct rule_world *world, int64_t *recheck)
{
	const struct rule_attr *attr = rule_attr(rule, RULE_IF);
	unsigned int held = 0;

	if (!attr)
		return true;
	/* All are looked at, so that *recheck knows of all. */
	for (unsigned int i = 0; i < attr->n; i++)
		held += condition_holds(rule, attr->values[i].condition, world, recheck);
	switch (attr->op) {
	case RULE_ONE_OF:
		return held > 0;
	case RULE_NONE_OF:
		return !held;
	default:
		return held == attr->n;
	}
}

uint64_t rule_key(const struct rule *rule)
{
	size_t len = rule_format(rule, NULL, 0);
	char *text = malloc(len + 1);
	uint64_t key;

	/* Without memory two rules look alike for once. */
	if (!text)
		return 0;
	rule_format(rule, text, len + 1);
	key = hash64(text, len);
	free(text);
	return key;
}
