// SPDX-License-Identifier: GPL-2.0-or-later
/* A whole policy file. What is accepted must say the same when it is looked up as when it is
 * walked. */
#include <errno.h>

#include "core/policy.h"
#include "device.h"

static void check_medium(const struct policy *policy, const struct medium *medium)
{
	const struct medium *const *found;
	size_t n, i;

	must(medium->number && medium->serial && medium->line, "medium", NULL);
	must(*medium_status_name((enum medium_status)medium->status), "status", NULL);
	must(medium_terms_overlap(medium, medium), "a term overlaps itself", NULL);
	found = policy_find_media(policy, medium->id_vendor, medium->id_product, medium->serial,
				  &n);
	for (i = 0; i < n && found[i] != medium; i++)
		;
	must(i < n, "medium not found by its ids", NULL);
	if (!medium->luks_uuid)
		return;
	found = policy_find_uuid(policy, medium->luks_uuid, &n);
	for (i = 0; i < n && found[i] != medium; i++)
		;
	must(i < n, "medium not found by its UUID", NULL);
}

/* The index leaves out no rule that matches, and keeps the order of the file. */
static void check_rules(const struct policy *policy)
{
	struct policy_rules rules;
	const struct rule *next;

	policy_rules_start(&rules, policy, &sample_device);
	next = policy_next_rule(&rules);
	for (size_t i = 0; i < policy_n_rules(policy); i++) {
		const struct rule *rule = policy_rule(policy, i);
		bool matches = check_match(rule);

		check_canonical(rule);
		must(rule->line, "line of a rule", rule);
		must(rule == next || !matches || rule->target == RULE_MATCH ||
			     rule->target == RULE_DEVICE,
		     "a rule that matches is left out", rule);
		if (rule == next)
			next = policy_next_rule(&rules);
	}
	must(!next, "order of the rules", next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	struct problems problems = {0};
	int r = policy_parse("fuzz", (const char *)data, size, count_problem, &problems, &policy);

	must(r == 0 || r == -EINVAL, "result", NULL);
	must(!r == !problems.n && !r == !!policy, "refused without a word, or accepted with one",
	     NULL);
	if (r)
		return 0;
	for (size_t i = 0; i < policy_n_media(policy); i++)
		check_medium(policy, policy_medium(policy, i));
	check_rules(policy);
	policy_is_harmless(policy, size ? data[0] : 0);
	return 0;
}
