// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/decide-inside.h"

/* What the device is, as far as a grant asks. */
struct granted {
	struct judge *judge;
	const struct decide_grants *grants;
	enum device_class class;
	struct proof proof;
};

/* Does it let this interface in, if it lets anything in? What needs no leave (a keyboard beside the storage) is not its business. */
static bool covers(const struct granted *granted, const struct grant *grant, unsigned int i)
{
	const struct decide_interface *intf = &granted->judge->input->interfaces[i];

	if (decide_is_storage(intf))
		return true;
	return *grant->fingerprint && !decide_is_harmless(granted->judge, NULL, intf);
}

static void near_covered(struct granted *granted, const struct grant *grant, const char *reason)
{
	for (unsigned int i = 0; i < granted->judge->input->n_interfaces; i++)
		if (covers(granted, grant, i))
			decide_near(granted->judge, i, reason);
}

static bool for_person(const struct granted *granted, const struct grant *grant)
{
	const char *user = granted->judge->input->world.user;

	return user && *user && !strcmp(user, grant->person) &&
	       (grant->uid == UINT32_MAX || grant->uid == granted->grants->uid);
}

static bool is_current(const struct granted *granted, const struct grant *grant)
{
	return granted->grants->current &&
	       !memcmp(granted->grants->current, grant->id, sizeof(grant->id));
}

static bool bears_medium(const struct granted *granted, const char *number)
{
	const struct decide_input *input = granted->judge->input;
	struct proof_input asked = { .report = input->report,
				     .ident = input->ident,
				     .policy = input->policy,
				     .civil = input->world.civil };

	return input->report && proof_bears_mark(&asked, number);
}

/* Why a grant that speaks of this device does not let it in; NULL if it does. */
static const char *grant_unusable(const struct granted *granted, const struct grantset_entry *entry)
{
	const struct grant *grant = entry->grant;
	const char *terminal = granted->judge->input->world.terminal;
	const char *reason = granted->proof.reason;

	if (!terminal || strcmp(terminal, grant->terminal))
		return "other-terminal";
	if (!for_person(granted, grant))
		return "other-user";
	if (granted->grants->now < grant->not_before || granted->grants->now >= entry->end)
		return "outside-term";
	if (entry->used_up && !is_current(granted, grant))
		return "granted-used-up";
	/* Bound to both: the mark must be there too. */
	if (*grant->medium && !bears_medium(granted, grant->medium))
		return "granted-other-medium";
	if (reason && *reason && proof_may_come(reason))
		return reason;
	if (!device_class_covers(grant->class, granted->class))
		return "granted-other-class";
	if (grant->encrypted_only && reason)
		return strcmp(reason, "not-encrypted") && *reason ? reason : "granted-encrypted-only";
	return NULL;
}

/* The latest of these entries (the latest is first) that lets it in, if it is later than *best. */
static void pick(struct granted *granted, const struct grantset_entry *entries, size_t n,
		 const struct grantset_entry **best)
{
	for (size_t i = 0; i < n; i++) {
		const char *why = grant_unusable(granted, &entries[i]);

		if (why) {
			near_covered(granted, entries[i].grant, why);
			continue;
		}
		if (!*best || entries[i].order > (*best)->order)
			*best = &entries[i];
		return;
	}
}

static const struct grantset_entry *best_entry(struct granted *granted)
{
	const struct decide_input *input = granted->judge->input;
	const struct report *report = input->report;
	const struct grantset_entry *best = NULL, *entries;
	size_t n;

	entries = grantset_by_fingerprint(granted->grants->set, input->ident->fingerprint, &n);
	pick(granted, entries, n, &best);
	for (unsigned int i = 0; report && i < report->n_volumes; i++) {
		if (!report->volumes[i].has_mark)
			continue;
		entries = grantset_by_medium(granted->grants->set, report->volumes[i].mark.number, &n);
		pick(granted, entries, n, &best);
	}
	return best;
}

/* Could a grant speak of it once it has been looked at? A medium that is lost is known for certain only by its volume. */
static bool wants_look(const struct granted *granted)
{
	size_t n;

	if (granted->judge->input->report || granted->judge->n_storage != 1)
		return false;
	if (granted->grants->look)
		return true;
	if (!granted->grants->set)
		return false;
	if (grantset_asks_for_media(granted->grants->set))
		return true;
	grantset_by_fingerprint(granted->grants->set, granted->judge->input->ident->fingerprint, &n);
	return n;
}

static bool any_suspect(const struct decide_input *input)
{
	bool suspect = false;

	for (unsigned int i = 0; i < input->n_interfaces; i++)
		suspect |= input->interfaces[i].suspect;
	return suspect;
}

/* Whether it encrypts in hardware is asked only of what the catalogue knows: of others it would say nothing but that. */
static unsigned int methods_of(const struct decide_input *input)
{
	const struct ident *ident = input->ident;

	return ENCRYPTION_PROVABLE |
	       (policy_find_model(input->policy, ident->id_vendor, ident->id_product) ?
			ENCRYPTION_HARDWARE :
			0u);
}

void decide_by_grants(struct judge *judge, bool *done)
{
	const struct decide_input *input = judge->input;
	struct granted granted = { .judge = judge, .grants = input->grants };
	struct decide_judgement judgement = { .verdict = DECIDE_PROVE, .reason = "", .method = "" };
	const struct grantset_entry *entry = NULL;
	bool look;

	if (!input->grants)
		return;
	look = wants_look(&granted);
	if (!look && !input->grants->set)
		return;
	if (!look) {
		granted.class = device_class_of(input->ident, any_suspect(input), input->report);
		granted.proof.method = "";
		if (judge->n_storage)
			granted.proof = decide_proof_of(judge, methods_of(input), NULL);
		else
			granted.proof.reason = "cannot-inspect";
		entry = best_entry(&granted);
		if (!entry)
			return;
		judgement = (struct decide_judgement){
			.verdict = DECIDE_ALLOW,
			.access = entry->grant->access == GRANT_READ_WRITE ? ACCESS_RW : ACCESS_RO,
			.reason = "granted",
			.method = granted.proof.method,
			.grant = entry->grant,
		};
		decide_recheck_at(judge, input->world.civil + (entry->end - input->grants->now));
	}
	for (unsigned int i = 0; i < input->n_interfaces; i++)
		if (look ? decide_is_storage(&input->interfaces[i]) : covers(&granted, entry->grant, i)) {
			judge->result->interfaces[i] = judgement;
			done[i] = true;
		}
}
