// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/decide-inside.h"
#include "core/macro.h"

/* What a storage driver has tried may be storage, whatever it says. */
bool decide_is_storage(const struct decide_interface *intf)
{
	return intf->storage || intf->suspect;
}

static struct decide_judgement block(const char *reason)
{
	return (struct decide_judgement){ .verdict = DECIDE_BLOCK, .reason = reason, .method = "" };
}

static struct decide_judgement block_medium(const char *reason, const struct medium *medium)
{
	struct decide_judgement judgement = block(reason);

	judgement.medium = medium;
	return judgement;
}

static struct decide_judgement prove(void)
{
	return (struct decide_judgement){ .verdict = DECIDE_PROVE, .reason = "", .method = "" };
}

void decide_recheck_at(struct judge *judge, int64_t when)
{
	if (when < judge->result->recheck)
		judge->result->recheck = when;
}

struct proof decide_proof_of(struct judge *judge, unsigned int methods, const struct medium *medium)
{
	const struct decide_input *input = judge->input;
	unsigned int accepted = policy_header(input->policy)->encryption;
	struct proof_input asked = { .report = input->report,
				     .ident = input->ident,
				     .policy = input->policy,
				     .medium = medium,
				     .methods = methods & (accepted ? accepted : ~0u),
				     .civil = input->world.civil };
	struct proof proof = { .reason = "multiple-units", .method = "", .recheck = INT64_MAX };

	/* Two disks behind one device, each with its own interface: one proof would not speak for the other. */
	if (judge->n_storage > 1)
		return proof;
	proof.reason = "";
	if (!input->report)
		return proof;
	proof = proof_judge(&asked);
	if (!proof.reason)
		decide_recheck_at(judge, proof.recheck);
	return proof;
}

void decide_near(struct judge *judge, unsigned int i, const char *reason)
{
	if (!judge->near[i])
		judge->near[i] = reason;
}

static void near_storage(struct judge *judge, const char *reason)
{
	for (unsigned int i = 0; i < judge->input->n_interfaces; i++)
		if (decide_is_storage(&judge->input->interfaces[i]))
			decide_near(judge, i, reason);
}

/* --- registered media --- */

static const char *status_reason(const struct medium *medium)
{
	switch ((enum medium_status)medium->status) {
	case MEDIUM_ACTIVE:
	case MEDIUM_LENT:
		return NULL;
	case MEDIUM_LOST:
		return "medium-lost";
	case MEDIUM_DISPOSED:
		return "medium-disposed";
	case MEDIUM_REVOKED:
		break;
	}
	return "medium-revoked";
}

static bool holder_present(const struct medium *medium, const struct rule_world *world)
{
	for (unsigned int i = 0; i < medium->n_holders; i++) {
		const struct text *holder = medium->holders[i];

		if (holder->bytes[0] != '@') {
			if (world->user && *world->user && text_is(holder, world->user))
				return true;
			continue;
		}
		for (size_t g = 0; g < world->n_groups; g++)
			if (!strcmp(holder->bytes + 1, world->groups[g]))
				return true;
	}
	return !medium->n_holders;
}

static bool terminal_listed(const struct medium *medium, const struct rule_world *world)
{
	for (unsigned int i = 0; i < medium->n_terminals; i++)
		if (world->terminal && terminal_matches(medium->terminals[i], world->terminal))
			return true;
	return !medium->n_terminals;
}

static bool medium_in_term(struct judge *judge, const struct medium *medium)
{
	int64_t now = judge->input->world.civil;

	if (medium->from && now < medium->from) {
		decide_recheck_at(judge, medium->from);
		return false;
	}
	if (medium->until && now <= medium->until)
		decide_recheck_at(judge, medium->until + 1);
	return !medium->until || now <= medium->until;
}

/* Why this line does not apply here and now; NULL if it does. */
static const char *medium_unusable(struct judge *judge, const struct medium *medium)
{
	const struct rule_world *world = &judge->input->world;

	if (!medium_in_term(judge, medium))
		return "outside-term";
	if (!terminal_listed(medium, world))
		return "other-terminal";
	return holder_present(medium, world) ? NULL : "other-user";
}

/* The same for the lines of one volume. */
static bool judge_lost_volume(struct judge *judge, const char *uuid,
			      struct decide_judgement *judgement)
{
	const struct medium *const *media;
	size_t n = 0;

	media = policy_find_uuid(judge->input->policy, uuid, &n);
	for (size_t i = 0; i < n; i++)
		if (!status_reason(media[i]) && medium_in_term(judge, media[i]))
			return false;
	for (size_t i = 0; i < n; i++)
		if (status_reason(media[i])) {
			*judgement = block_medium(status_reason(media[i]), media[i]);
			return true;
		}
	return false;
}

/*
 * A line whose volume has been found on the medium speaks for itself, whatever the device says it is. A lost
 * medium stays lost after its term, unless another line has taken the volume up since.
 */
static bool judge_lost(struct judge *judge, struct decide_judgement *judgement)
{
	const struct report *report = judge->input->report;

	for (unsigned int i = 0; report && i < report->n_volumes; i++)
		if (judge_lost_volume(judge, report->volumes[i].uuid, judgement))
			return true;
	return false;
}

static struct decide_judgement judge_proof(struct judge *judge, const struct medium *medium)
{
	struct proof proof = decide_proof_of(judge, medium->encryption, medium);
	struct decide_judgement judgement;

	if (proof.reason && !*proof.reason) {
		judgement = prove();
		judgement.medium = medium;
		return judgement;
	}
	judgement = block_medium(proof.reason ? proof.reason : "proved", medium);
	if (!proof.reason) {
		judgement.verdict = DECIDE_ALLOW;
		judgement.access = (enum access)medium->access;
		judgement.method = proof.method;
	}
	return judgement;
}

/*
 * The register's word on the storage of this device; false if it has none. Several media may share
 * ids and serial. Until the LUKS UUID tells them apart a usable one is enough to go on; the UUID then picks
 * its own line, whatever that says.
 */
static bool judge_media(struct judge *judge, struct decide_judgement *judgement)
{
	const struct ident *ident = judge->input->ident;
	const struct report *report = judge->input->report;
	const struct medium *usable = NULL, *dead = NULL, *same = NULL;
	const struct medium *const *media;
	const char *same_unusable = NULL;
	size_t n = 0;

	media = policy_find_media(judge->input->policy, ident->id_vendor, ident->id_product,
				  ident->serial, &n);
	for (size_t i = 0; i < n; i++) {
		const struct medium *medium = media[i];
		const char *unusable;

		if (medium->fingerprint && strcmp(medium->fingerprint, ident->fingerprint))
			continue;
		if (status_reason(medium)) {
			if (!dead)
				dead = medium;
			continue;
		}
		unusable = medium_unusable(judge, medium);
		if (unusable)
			near_storage(judge, unusable);
		else if (!usable)
			usable = medium;
		if (report && proof_is_volume_of(report, medium) && (!same || same_unusable)) {
			same = medium;
			same_unusable = unusable;
		}
	}
	if (same && !same_unusable) {
		*judgement = judge_proof(judge, same);
	} else if (same) {
		/* It is registered, but not for here and now: the rules may know more. */
		return false;
	} else if (usable) {
		*judgement = judge_proof(judge, usable);
	} else if (dead) {
		*judgement = block_medium(status_reason(dead), dead);
	} else {
		return false;
	}
	return true;
}

/* --- rules --- */

/* The settings of an interface in all configurations; the triple that the gate told of if none is known. */
static bool interface_covered(const struct judge *judge, const struct rule *rule,
			      const struct decide_interface *intf)
{
	const struct ident *ident = judge->input->ident;
	struct ident_type told = { .class = intf->ident.class,
				   .subclass = intf->ident.subclass,
				   .protocol = intf->ident.protocol };
	/* To allow it, every setting must be covered: a driver may switch. To block it, one is enough. */
	bool all = rule->target == RULE_ALLOW;
	bool covered = rule_covers_interface(rule, &told);

	for (unsigned int i = 0; i < ident->n_types && covered == all; i++)
		if (ident->types[i].number == intf->ident.number)
			covered = rule_covers_interface(rule, &ident->types[i]);
	return covered;
}

static unsigned int rule_methods(const struct rule *rule, bool *stated)
{
	const struct rule_attr *attr = rule_attr(rule, RULE_ENCRYPTED);
	unsigned int methods = 0;

	*stated = attr;
	for (unsigned int i = 0; attr && i < attr->n; i++)
		methods |= (unsigned int)attr->values[i].number;
	return methods;
}

/* What an allow rule that matches says of an interface; false if it leaves it to later rules. */
static bool judge_allow(struct judge *judge, const struct rule *rule, unsigned int i)
{
	struct decide_judgement *judgement = &judge->result->interfaces[i];
	bool storage = decide_is_storage(&judge->input->interfaces[i]);
	unsigned int accepted = policy_header(judge->input->policy)->encryption;
	const struct rule_attr *access = rule_attr(rule, RULE_ACCESS);
	struct proof proof = { .method = "" };
	bool stated;
	unsigned int methods = rule_methods(rule, &stated);

	if (stated && methods != ENCRYPTION_OPTIONAL) {
		/* A condition like any other: what is not proved, this rule does not speak of. */
		if (!storage) {
			decide_near(judge, i, "cannot-inspect");
			return false;
		}
		proof = decide_proof_of(judge, methods, NULL);
		if (proof.reason && *proof.reason) {
			decide_near(judge, i, proof.reason);
			return false;
		}
	} else if (!stated && storage && accepted) {
		/* The header's demand: it matches, but not like this. */
		proof = decide_proof_of(judge, accepted, NULL);
	}
	if (proof.reason && !*proof.reason) {
		*judgement = prove();
	} else if (proof.reason) {
		*judgement = block(proof.reason);
	} else {
		*judgement = block("rule-allowed");
		judgement->verdict = DECIDE_ALLOW;
		judgement->access = access ? (enum access)access->values[0].number : ACCESS_RW;
		judgement->method = proof.method;
	}
	judgement->rule = rule;
	return true;
}

static const char *mismatch_reason(enum rule_attr_name name)
{
	switch (name) {
	case RULE_FOR_USER:
	case RULE_FOR_GROUP:
		return "other-user";
	case RULE_ON_TERMINAL:
		return "other-terminal";
	case RULE_FROM:
	case RULE_UNTIL:
		return "outside-term";
	default:
		return NULL;
	}
}

/* Tells it of every interface that the rule would have spoken of. */
static void near_covered(struct judge *judge, const struct rule *rule, const char *reason)
{
	if (rule->target != RULE_ALLOW || !reason)
		return;
	for (unsigned int i = 0; i < judge->input->n_interfaces; i++)
		if (interface_covered(judge, rule, &judge->input->interfaces[i]))
			decide_near(judge, i, reason);
}

static bool rule_applies(struct judge *judge, const struct rule *rule)
{
	const struct decide_input *input = judge->input;
	enum rule_attr_name mismatch =
		rule_mismatch(rule, input->ident, &input->world, &judge->result->recheck);
	bool holds;

	if (mismatch != RULE_ATTR_COUNT) {
		near_covered(judge, rule, mismatch_reason(mismatch));
		return false;
	}
	holds = rule_conditions_hold(rule, &input->world, &judge->result->recheck);
	if (rule->remembers && input->evaluated)
		input->evaluated(input->userdata, rule);
	if (!holds)
		near_covered(judge, rule, "conditions-not-met");
	return holds;
}

/* Judges what is not `done` yet by the rules; stops as soon as nothing is left. */
static void judge_rules(struct judge *judge, bool *done, unsigned int left)
{
	const struct decide_input *input = judge->input;
	struct policy_rules rules;
	const struct rule *rule;

	policy_rules_start(&rules, input->policy, input->ident);
	while (left && (rule = policy_next_rule(&rules))) {
		if (!rule_applies(judge, rule))
			continue;
		for (unsigned int i = 0; i < input->n_interfaces; i++) {
			struct decide_judgement *judgement = &judge->result->interfaces[i];

			if (done[i] || !interface_covered(judge, rule, &input->interfaces[i]))
				continue;
			if (rule->target == RULE_ALLOW) {
				done[i] = judge_allow(judge, rule, i);
			} else {
				*judgement = block(rule->target == RULE_REJECT ? "rule-rejected" :
										 "rule-blocked");
				judgement->reject = rule->target == RULE_REJECT;
				judgement->rule = rule;
				done[i] = true;
			}
			left -= done[i];
		}
	}
}

/* --- the whole --- */

/* The gate may guard more than the policy asks for: a locked list can only be tightened. */
bool decide_is_harmless(const struct judge *judge, const struct policy *policy,
			       const struct decide_interface *intf)
{
	const struct ident *ident = judge->input->ident;
	bool harmless = !decide_is_storage(intf) && policy_is_harmless(policy, intf->ident.class);

	for (unsigned int i = 0; i < ident->n_types && harmless; i++)
		if (ident->types[i].number == intf->ident.number)
			harmless = policy_is_harmless(policy, ident->types[i].class);
	return harmless;
}

static const struct decide_judgement harmless = { .verdict = DECIDE_ALLOW,
						  .reason = "harmless",
						  .method = "" };

static void judge_all(struct judge *judge, struct decide_judgement all)
{
	for (unsigned int i = 0; i < judge->input->n_interfaces; i++)
		judge->result->interfaces[i] = all;
	judge->result->device = all;
}

/* Why nothing can be allowed now, whatever it is; NULL if something can. */
static const char *policy_unusable(struct judge *judge)
{
	const struct policy *policy = judge->input->policy;
	int64_t now = judge->input->world.civil, from, until;

	if (!policy)
		return "no-policy";
	from = policy_valid_from(policy);
	until = policy_valid_until(policy);
	if (from && now < from) {
		decide_recheck_at(judge, from);
		return "policy-not-yet-valid";
	}
	if (until && now > until)
		return "policy-expired";
	if (until)
		decide_recheck_at(judge, until + 1);
	return NULL;
}

/* The judgement that stands for the device: see struct decide_result. */
static const struct decide_judgement *main_judgement(const struct judge *judge)
{
	static const enum decide_verdict order[] = { DECIDE_PROVE, DECIDE_ALLOW };
	const struct decide_input *input = judge->input;
	const struct decide_judgement *all = judge->result->interfaces;

	/* A device is taken off the bus as a whole; the default speaks only of what nobody allowed. */
	for (unsigned int i = 0; i < input->n_interfaces; i++)
		if (all[i].reject && all[i].rule)
			return &all[i];
	for (size_t o = 0; o < ARRAY_SIZE(order); o++)
		for (unsigned int i = 0; i < input->n_interfaces; i++)
			if (all[i].verdict == order[o] && strcmp(all[i].reason, "harmless"))
				return &all[i];
	for (unsigned int i = 0; i < input->n_interfaces; i++)
		if (all[i].reject || (all[i].verdict == DECIDE_BLOCK && decide_is_storage(&input->interfaces[i])))
			return &all[i];
	for (unsigned int i = 0; i < input->n_interfaces; i++)
		if (all[i].verdict == DECIDE_BLOCK)
			return &all[i];
	return &all[0];
}

/*
 * Steps 1 to 4 for each interface; says in `done` which are judged, and returns how many are not. Out of its
 * time a policy lets nothing through, but what only this policy guards (keyboards, say) still goes by
 * its rules: an expired file must not take the keyboard away.
 */
static unsigned int judge_before_rules(struct judge *judge, const char *unusable, bool *done)
{
	const struct decide_input *input = judge->input;
	const struct policy *policy = input->policy;
	struct decide_judgement storage = block(unusable ? unusable : "");
	bool registered = !unusable && judge->n_storage && judge_media(judge, &storage);
	unsigned int left = 0;

	/* A dead medium is blocked with all that hangs on it. */
	if (registered && status_reason(storage.medium)) {
		judge_all(judge, storage);
		for (unsigned int i = 0; i < input->n_interfaces; i++)
			done[i] = true;
		return 0;
	}
	if (!unusable)
		decide_by_grants(judge, done);
	for (unsigned int i = 0; i < input->n_interfaces; i++) {
		const struct decide_interface *intf = &input->interfaces[i];

		if (done[i])
			continue;
		done[i] = true;
		if (decide_is_harmless(judge, policy, intf))
			judge->result->interfaces[i] = harmless;
		else if (unusable && !(policy && decide_is_harmless(judge, NULL, intf)))
			judge->result->interfaces[i] = block(unusable);
		else if (registered && decide_is_storage(intf))
			judge->result->interfaces[i] = storage;
		else
			done[i] = false;
		left += !done[i];
	}
	return left;
}

void decide(const struct decide_input *input, struct decide_result *result)
{
	struct judge judge = { .input = input, .result = result };
	bool done[IDENT_INTERFACES_MAX] = { false };
	struct decide_judgement lost;
	const char *unusable;
	unsigned int left;

	memset(result, 0, sizeof(*result));
	result->recheck = INT64_MAX;
	result->device = harmless;
	if (!input->n_interfaces)
		return;
	for (unsigned int i = 0; i < input->n_interfaces; i++)
		judge.n_storage += decide_is_storage(&input->interfaces[i]);
	if (input->ident->malformed) {
		judge_all(&judge, block("bad-descriptors"));
		return;
	}
	unusable = policy_unusable(&judge);
	if (!unusable && judge.n_storage && judge_lost(&judge, &lost)) {
		judge_all(&judge, lost);
		return;
	}
	left = judge_before_rules(&judge, unusable, done);
	if (left)
		judge_rules(&judge, done, left);
	for (unsigned int i = 0; i < input->n_interfaces; i++) {
		if (done[i])
			continue;
		result->interfaces[i] =
			block(judge.near[i]			   ? judge.near[i] :
			      decide_is_storage(&input->interfaces[i]) ? "not-registered" :
								  "class-not-allowed");
		result->interfaces[i].reject = policy_header(input->policy)->default_reject;
	}
	result->device = *main_judgement(&judge);
	if (result->device.reject && result->device.rule)
		judge_all(&judge, result->device);
}

void decide_by(const struct decide_judgement *judgement, const char *file, char *out, size_t size)
{
	char id[GRANTSET_ID_TEXT_MAX];

	if (judgement->grant) {
		grantset_id_format(judgement->grant->id, id);
		snprintf(out, size, "grant %s", id);
	} else if (decide_line(judgement)) {
		snprintf(out, size, "%s:%u", file, decide_line(judgement));
	} else {
		snprintf(out, size, "default");
	}
}

unsigned int decide_line(const struct decide_judgement *judgement)
{
	return judgement->medium ? judgement->medium->line :
	       judgement->rule	 ? judgement->rule->line :
				   0;
}
