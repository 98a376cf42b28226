// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli/i18n.h"
#include "core/macro.h"
#include "ctl/advice.h"
#include "ctl/difference.h"
#include "ctl/ruleline.h"

/* What every row looks at: the rule or a matcher in one of its conditions, and its line. */
struct subject {
	const struct rule *rule;
	const char *line;
	size_t len;
};

static const struct rule_attr *attr_of(const struct subject *subject, enum rule_attr_name name)
{
	return rule_attr(subject->rule, name);
}

static unsigned int at_attr(const struct subject *subject, enum rule_attr_name name)
{
	return ruleline_attribute(subject->line, subject->len, rule_attr_word(name));
}

static unsigned int at_target(const struct subject *subject)
{
	return ruleline_target(subject->line, subject->len);
}

/* Is there an attribute for which this holds, in the rule or in its allowed-matches(…)? */
static bool any_matcher(const struct rule *rule, bool (*holds)(const struct rule *rule))
{
	const struct rule_attr *attr = rule_attr(rule, RULE_IF);

	for (unsigned int i = 0; attr && i < attr->n; i++) {
		const struct condition *condition = attr->values[i].condition;

		if (condition->kind == CONDITION_ALLOWED_MATCHES &&
		    any_matcher(condition->match, holds))
			return true;
	}
	return holds(rule);
}

/* --- the rows: each the column, or 0 if the line does not differ in this ------------------- */

static unsigned int differs_target(const struct subject *subject)
{
	bool decides = subject->rule->target == RULE_ALLOW || subject->rule->target == RULE_BLOCK ||
		       subject->rule->target == RULE_REJECT;

	return decides ? 0 : at_target(subject);
}

static unsigned int differs_reject(const struct subject *subject)
{
	return subject->rule->target == RULE_REJECT ? at_target(subject) : 0;
}

static unsigned int differs_storage(const struct subject *subject)
{
	return advice_storage_unproved(subject->rule, 0) ? at_target(subject) : 0;
}

/* Classes that the gate lets pass unless `harmless` says otherwise: HID, hub, smart card. */
static bool passes(const union rule_value *value)
{
	uint8_t class = value->interface.class;

	return class == 0x03 || class == 0x09 || class == 0x0b;
}

static unsigned int differs_harmless(const struct subject *subject)
{
	const struct rule_attr *attr = attr_of(subject, RULE_WITH_INTERFACE);

	if (subject->rule->target != RULE_BLOCK && subject->rule->target != RULE_REJECT)
		return 0;
	for (unsigned int i = 0; attr && attr->op != RULE_NONE_OF && i < attr->n; i++)
		if (passes(&attr->values[i]))
			return at_attr(subject, RULE_WITH_INTERFACE);
	return 0;
}

static unsigned int differs_id_case(const struct subject *subject)
{
	return ruleline_upper_id(subject->line, subject->len);
}

static bool has_wild_match_all(const struct rule *rule)
{
	const struct rule_attr *attr = rule_attr(rule, RULE_ID);

	for (unsigned int i = 0; attr && attr->op == RULE_MATCH_ALL && i < attr->n; i++)
		if (attr->values[i].id.parts < 2)
			return true;
	return false;
}

static unsigned int differs_match_all(const struct subject *subject)
{
	if (!any_matcher(subject->rule, has_wild_match_all))
		return 0;
	return at_attr(subject, has_wild_match_all(subject->rule) ? RULE_ID : RULE_IF);
}

/* Could one interface of a device be meant by both? */
static bool overlap(const struct rule_interface *a, const struct rule_interface *b)
{
	unsigned int parts = a->parts < b->parts ? a->parts : b->parts;

	return a->class == b->class && (parts < 2 || a->subclass == b->subclass) &&
	       (parts < 3 || a->protocol == b->protocol);
}

/*
 * Only then does it matter that each value needs an interface of its own here: values that exclude
 * each other and are as many as the interfaces find one each in USBGuard too.
 */
static bool has_overlapping_equals(const struct rule *rule)
{
	const struct rule_attr *attr = rule_attr(rule, RULE_WITH_INTERFACE);

	/* More than any device has; also keeps this from taking forever. */
	if (!attr || attr->op != RULE_EQUALS || attr->n > IDENT_TYPES_MAX)
		return false;
	for (unsigned int i = 0; i < attr->n; i++)
		for (unsigned int k = 0; k < i; k++)
			if (overlap(&attr->values[i].interface, &attr->values[k].interface))
				return true;
	return false;
}

static unsigned int differs_equals(const struct subject *subject)
{
	if (!any_matcher(subject->rule, has_overlapping_equals))
		return 0;
	return at_attr(subject,
		       has_overlapping_equals(subject->rule) ? RULE_WITH_INTERFACE : RULE_IF);
}

static unsigned int differs_hash(const struct subject *subject)
{
	return attr_of(subject, RULE_HASH) ? at_attr(subject, RULE_HASH) : 0;
}

static unsigned int differs_connect_type(const struct subject *subject)
{
	const struct rule_attr *attr = attr_of(subject, RULE_WITH_CONNECT_TYPE);

	for (unsigned int i = 0; attr && i < attr->n; i++)
		if (!attr->values[i].text->len)
			return at_attr(subject, RULE_WITH_CONNECT_TYPE);
	return 0;
}

static unsigned int differs_condition(const struct subject *subject, enum condition_kind kind,
				      bool with_argument)
{
	const struct rule_attr *attr = attr_of(subject, RULE_IF);

	for (unsigned int i = 0; attr && i < attr->n; i++) {
		const struct condition *condition = attr->values[i].condition;

		if (condition->kind == kind && (condition->argument || !with_argument))
			return at_attr(subject, RULE_IF);
	}
	return 0;
}

static unsigned int differs_localtime(const struct subject *subject)
{
	return differs_condition(subject, CONDITION_LOCALTIME, false);
}

static unsigned int differs_duration(const struct subject *subject)
{
	unsigned int column = differs_condition(subject, CONDITION_RULE_APPLIED, true);

	return column ? column : differs_condition(subject, CONDITION_RULE_EVALUATED, true);
}

static unsigned int differs_random(const struct subject *subject)
{
	return differs_condition(subject, CONDITION_RANDOM, false);
}

static const struct {
	struct difference difference;
	unsigned int (*differs)(const struct subject *subject);
} rows[] = {
	{{"target",
	  N_("match and device decide nothing, here or in USBGuard; the line has no effect")},
	 differs_target},
	{{"reject", N_("USBGuard removes a rejected device as a whole; here it is removed only if "
		       "no interface "
		       "of it is allowed")},
	 differs_reject},
	{{"storage-unproved", N_("lets in storage whether it is encrypted or not; add `encrypted "
				 "luks2` to the rule, or "
				 "`encryption luks2` to the header")},
	 differs_storage},
	{{"harmless",
	  N_("keyboards, hubs and smart-card readers pass without a rule here unless a `harmless` "
	     "statement leaves their class out")},
	 differs_harmless},
	{{"id-case",
	  N_("USBGuard never matches upper-case digits in an id; here they count as numbers")},
	 differs_id_case},
	{{"id-match-all",
	  N_("in USBGuard match-all with a * in an id never matches; here it does")},
	 differs_match_all},
	{{"equals",
	  N_("USBGuard only counts the interfaces and looks whether each value is met, so it also "
	     "matches devices with other interfaces; here each value needs an interface of its "
	     "own")},
	 differs_equals},
	{{"hash",
	  N_("the hash of a device may change from port to port (USB 2 and 3); `fingerprint` does "
	     "not: "
	     "see sekimorictl rule-for")},
	 differs_hash},
	{{"connect-type", N_("with-connect-type \"\" matches only where the kernel tells nothing "
			     "of the port, which "
			     "changes with kernel and firmware")},
	 differs_connect_type},
	{{"localtime", N_("USBGuard takes these hours as UTC and looks only when a device is "
			  "plugged in; here they "
			  "are local time, and what was allowed ends with them")},
	 differs_localtime},
	{{"duration", N_("USBGuard takes this duration as so many nanoseconds, so it never holds; "
			 "here it means "
			 "what it says")},
	 differs_duration},
	{{"random", N_("USBGuard draws at every evaluation; here once for each time that a device "
		       "is plugged in")},
	 differs_random},
};

void difference_find(const struct rule *rule, const char *line, size_t len, difference_fn tell,
		     void *userdata)
{
	struct subject subject = {rule, line, len};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned int column = rows[i].differs(&subject);

		if (column)
			tell(userdata, &rows[i].difference, column);
	}
}
