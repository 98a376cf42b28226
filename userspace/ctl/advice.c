// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli/i18n.h"
#include "ctl/advice.h"
#include "ctl/output.h"
#include "ctl/ruleline.h"

#define CLASS_STORAGE 0x08

enum advice {
	ADVICE_NO_VERSION,
	ADVICE_EXPIRED,
	ADVICE_TARGET,
	ADVICE_ALLOW_ALL,
	ADVICE_UNPROVED,
	ADVICE_SINGLE_TIME,
	ADVICE_UNREACHED,
};

static const struct {
	const char *code;
	const char *text;
} advices[] = {
	[ADVICE_NO_VERSION] = {"no-version", N_("no version: nobody can tell this policy from an "
						"older one; add `version 1` and "
						"count up")},
	[ADVICE_EXPIRED] = {"expired", N_("the policy has expired: nothing is allowed by it")},
	[ADVICE_TARGET] = {"decides-nothing",
			   N_("match and device decide nothing; expected allow, block or reject")},
	[ADVICE_ALLOW_ALL] = {"allows-everything",
			      N_("allow without any attribute lets in every device")},
	[ADVICE_UNPROVED] =
		{"storage-unproved",
		 N_("lets in storage without proof of encryption; add `encrypted luks2`, "
		    "or `encryption luks2` to the header")},
	[ADVICE_SINGLE_TIME] = {"single-time",
				N_("a single time is a window of one minute (with seconds: of one "
				   "second); expected one like 08:30-17:15")},
	[ADVICE_UNREACHED] =
		{"never-reached",
		 N_("no rule from here on is ever reached; everything is decided by line")},
};

struct adviser {
	const struct policy *policy;
	struct source *source;
	struct findings *findings;
};

static void advise(struct adviser *adviser, enum advice advice, unsigned int line,
		   unsigned int column)
{
	findings_warning(adviser->findings, line, column, advices[advice].code,
			 i18n(advices[advice].text));
}

/* Of an attribute of the rule, or with NULL of its target. */
static unsigned int column_of(struct adviser *adviser, const struct rule *rule,
			      const char *attribute)
{
	size_t len = 0;
	const char *text = source_line(adviser->source, rule->line, &len);

	if (!text)
		return 1;
	return attribute ? ruleline_attribute(text, len, attribute) : ruleline_target(text, len);
}

static void advise_rule(struct adviser *adviser, enum advice advice, const struct rule *rule,
			const char *attribute)
{
	advise(adviser, advice, rule->line, column_of(adviser, rule, attribute));
}

/* --- single rules -------------------------------------------------------------------------- */

static bool interface_is_storage(const union rule_value *value)
{
	return value->interface.class == CLASS_STORAGE;
}

static bool any_storage(const struct rule_attr *attr)
{
	for (unsigned int i = 0; i < attr->n; i++)
		if (interface_is_storage(&attr->values[i]))
			return true;
	return false;
}

/* May a device with storage match? Of all-of and one-of only what must be there is said, not what
 * may not. */
static bool may_match_storage(const struct rule *rule)
{
	const struct rule_attr *only = rule_attr(rule, RULE_ONLY_INTERFACE);
	const struct rule_attr *with = rule_attr(rule, RULE_WITH_INTERFACE);

	if (only && !any_storage(only))
		return false;
	if (!with)
		return true;
	switch ((enum rule_operator)with->op) {
	case RULE_EQUALS:
	case RULE_EQUALS_ORDERED:
	case RULE_MATCH_ALL:
		return any_storage(with);
	case RULE_NONE_OF:
		for (unsigned int i = 0; i < with->n; i++)
			if (interface_is_storage(&with->values[i]) &&
			    with->values[i].interface.parts == 1)
				return false;
		return true;
	case RULE_ALL_OF:
	case RULE_ONE_OF:
		break;
	}
	return true;
}

bool advice_storage_unproved(const struct rule *rule, unsigned int accepted)
{
	/* Whoever writes `encrypted optional` has said that it is meant. */
	return rule->target == RULE_ALLOW && !accepted && !rule_attr(rule, RULE_ENCRYPTED) &&
	       may_match_storage(rule);
}

/* "08:30", "Mon-Fri 8:30": no hyphen behind the days. */
static bool is_single_time(const struct condition *condition)
{
	const char *text;

	if (condition->kind != CONDITION_LOCALTIME)
		return false;
	text = condition->argument->bytes;
	return !strchr(text + strcspn(text, "0123456789"), '-');
}

static bool has_single_time(const struct rule *rule)
{
	const struct rule_attr *attr = rule_attr(rule, RULE_IF);

	for (unsigned int i = 0; attr && i < attr->n; i++)
		if (is_single_time(attr->values[i].condition))
			return true;
	return false;
}

static bool decides(const struct rule *rule)
{
	return rule->target != RULE_MATCH && rule->target != RULE_DEVICE;
}

/* Does it ask for nothing at all? */
static bool is_bare(const struct rule *rule)
{
	const struct rule_attr *attr = rule->attrs;

	for (unsigned int i = 0; i < rule->n_attrs; i++, attr = rule_next_attr(attr))
		if (attr->name != RULE_LABEL && attr->name != RULE_ACCESS &&
		    !(attr->name == RULE_ENCRYPTED &&
		      attr->values[0].number == ENCRYPTION_OPTIONAL))
			return false;
	return true;
}

static void advise_on_rule(struct adviser *adviser, const struct rule *rule)
{
	unsigned int accepted = policy_header(adviser->policy)->encryption;

	if (!decides(rule))
		advise_rule(adviser, ADVICE_TARGET, rule, NULL);
	if (rule->target == RULE_ALLOW && is_bare(rule))
		advise_rule(adviser, ADVICE_ALLOW_ALL, rule, NULL);
	if (advice_storage_unproved(rule, accepted))
		advise_rule(adviser, ADVICE_UNPROVED, rule, NULL);
	if (has_single_time(rule))
		advise_rule(adviser, ADVICE_SINGLE_TIME, rule, rule_attr_word(RULE_IF));
}

/* --- the whole ----------------------------------------------------------------------------- */

/* Told once: what follows is as dead, and worth no other word. */
static void advise_unreached(struct adviser *adviser, const struct rule *rule, unsigned int by)
{
	_cleanup_(freep) char *message =
		output_format("%s %u", i18n(advices[ADVICE_UNREACHED].text), by);

	findings_warning(adviser->findings, rule->line, column_of(adviser, rule, NULL),
			 advices[ADVICE_UNREACHED].code, message);
}

static void advise_on_rules(struct adviser *adviser)
{
	const struct rule *last = NULL;

	for (size_t i = 0; i < policy_n_rules(adviser->policy); i++) {
		const struct rule *rule = policy_rule(adviser->policy, i);

		if (last && decides(rule)) {
			advise_unreached(adviser, rule, last->line);
			return;
		}
		advise_on_rule(adviser, rule);
		if (decides(rule) && is_bare(rule))
			last = rule;
	}
}

void advice_give(const struct policy *policy, struct source *source, int64_t civil,
		 struct findings *findings)
{
	struct adviser adviser = {policy, source, findings};
	int64_t until = policy_valid_until(policy);

	/* Bare rules need no header; what is named, dated or keeps a register has a next version.
	 */
	if (!policy_version(policy) &&
	    (*policy_id(policy) || policy_valid_from(policy) || until || policy_n_media(policy)))
		advise(&adviser, ADVICE_NO_VERSION, 1, 1);
	if (until && civil > until)
		advise(&adviser, ADVICE_EXPIRED, 1, 1);
	advise_on_rules(&adviser);
}
