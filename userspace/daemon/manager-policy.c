// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/manager-policy.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "core/civil.h"
#include "daemon/json.h"
#include "daemon/manager-exceptions.h"

struct json_object *manager_policy_describe(const struct rulebook *rulebook)
{
	struct json_object *extra = json_object_new_object(), *signers = json_object_new_array();
	const struct policy *policy = rulebook->policy;

	if (!extra || !signers) {
		json_object_put(extra);
		json_object_put(signers);
		return NULL;
	}
	json_add_string(extra, "state", rulebook_state(rulebook));
	json_add_string(extra, "policy", policy ? policy_id(policy) : "");
	json_add_number(extra, "policy_version", policy ? policy_version(policy) : 0);
	json_add_string(extra, "digest", rulebook->digest);
	json_add_number(extra, "retention_days", policy ? policy_header(policy)->retention_days : 0);
	json_add_number(extra, "media", policy ? policy_n_media(policy) : 0);
	json_add_number(extra, "rules", policy ? policy_n_rules(policy) : 0);
	json_object_object_add(extra, "signed", json_object_new_boolean(rulebook->is_signed));
	for (size_t i = 0; rulebook->signers[i]; i++)
		json_object_array_add(signers, json_object_new_string(rulebook->signers[i]));
	json_object_object_add(extra, "signers", signers);
	return extra;
}

/*
 * What the gate lets pass by its class alone is the policy's to say, as far as the gate follows. A policy that says
 * nothing of it takes back what one before it may have let pass.
 */
static void apply_harmless(struct manager *manager)
{
	const struct policy *policy = manager->rulebook.policy;
	bool stated = policy && policy_header(policy)->has_harmless;
	struct policy_classes classes = { { 0 } };
	int r;

	for (unsigned int class = 0; class < 256; class++)
		if (policy_is_harmless(policy, (uint8_t)class))
			classes.bits[class / 8] |= (uint8_t)(1u << class % 8);
	r = gate_set_harmless(manager->gate, classes.bits);
	if (r == -EPERM && stated)
		fprintf(stderr, SD_NOTICE "the gate is locked: it goes on holding classes that the "
					  "policy calls harmless; they are let through one by one\n");
	else if (r < 0 && r != -EPERM && (stated || r != -EOPNOTSUPP))
		fprintf(stderr, SD_WARNING "the gate's list of harmless classes stays as it is: %s\n",
			strerror(-r));
}

void manager_policy_in_force(struct manager *manager)
{
	struct rulebook *rulebook = &manager->rulebook;
	struct manager_bus_info *info = &manager->info;
	const struct policy_header *header = rulebook->policy ? policy_header(rulebook->policy) : NULL;

	manager->volumes.transfers.extent = header ? header->transfers : POLICY_TRANSFERS_WRITES;
	manager->volumes.scanner = header && header->scan ? manager->settings.scanner : NULL;
	info->policy_id = header ? header->id : NULL;
	info->policy_version = header ? header->version : 0;
	info->policy_signed = rulebook->is_signed;
	info->policy_signers = (const char *const *)rulebook->signers;
	info->contact = header ? header->contact : NULL;
	info->policy_valid_until[0] = '\0';
	if (header && header->valid_until)
		civil_format(header->valid_until, info->policy_valid_until);
	evidence_set_retention(manager->evidence, header ? header->retention_days : 0);
	apply_harmless(manager);
	drill_settle(manager);
}

void manager_policy_refused(struct manager *manager)
{
	struct json_object *extra = json_object_new_object();

	if (extra) {
		json_add_string(extra, "reason", manager->rulebook.outcome);
		json_add_string(extra, "error", manager->rulebook.error);
		json_add_string(extra, "state", rulebook_state(&manager->rulebook));
	}
	manager_record(manager, "policy-refused", "PolicyRefused", NULL, extra);
}

bool manager_reload(struct manager *manager)
{
	bool taken = rulebook_reload(&manager->rulebook);

	if (taken) {
		manager_policy_in_force(manager);
		manager_exceptions_policy_changed(manager);
		manager_record(manager, "policy", "PolicyChanged", NULL,
			       manager_policy_describe(&manager->rulebook));
		manager_rejudge(manager, "policy");
		manager_bus_media_changed(manager->bus);
	} else {
		manager_policy_refused(manager);
	}
	manager_bus_info_changed(manager->bus);
	return taken;
}
