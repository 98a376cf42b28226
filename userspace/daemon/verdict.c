// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "daemon/session.h"
#include "daemon/verdict.h"
#include "system/alarm.h"

/* A bus has at most 127 devices; more than this many are not looked at by allowed-matches. */
#define OTHERS_MAX 128

struct asking {
	struct manager *manager;
	const struct device *device;
	uint64_t now_us;
};

static uint64_t last_time(void *userdata, uint64_t rule_key, bool evaluated)
{
	const struct asking *asking = userdata;

	return memory_last(asking->manager->memory, rule_key, evaluated, asking->device->id);
}

static void note_evaluated(void *userdata, const struct rule *rule)
{
	const struct asking *asking = userdata;

	memory_note(asking->manager->memory, rule_key(rule), true, asking->device->id,
		    asking->now_us);
}

/* At a start also what an earlier daemon released and this one has not judged yet: the right of one may hang on the other. */
static bool session_in_use(const struct manager *manager, const struct session *s)
{
	if (s->phase == SESSION_GATHER)
		return manager->begun && s->named && released_knows(manager->released, &s->device);
	return s->phase == SESSION_SETTLED &&
	       (s->device.state == DEVICE_PASSED || s->device.state == DEVICE_ALLOWED ||
		s->device.state == DEVICE_KEPT);
}

/* Everything that is in use now, but for the device itself. */
static size_t others(const struct manager *manager, const struct device *device,
		     const struct ident **list)
{
	size_t n = 0;

	for (const struct session *s = manager->sessions; s && n < OTHERS_MAX; s = s->next)
		if (s->device.id != device->id && session_in_use(manager, s))
			list[n++] = &s->device.ident;
	return n;
}

static bool is_in(const struct device *device)
{
	for (unsigned int i = 0; i < device->n_interfaces; i++)
		if (device->interfaces[i].state == DEVICE_INTERFACE_RELEASED)
			return true;
	return false;
}

/* The grants in force, as they are for who sits here. What is in use is not taken away to see whether it has been erased. */
static bool grants_here(struct manager *manager, const struct device *device,
			struct decide_grants *grants)
{
	if (!manager->exceptions)
		return false;
	*grants = (struct decide_grants){
		.set = exceptions_grants(manager->exceptions),
		.look = !is_in(device) && session_may_be_erased(manager, device),
		.now = exceptions_now(manager->exceptions),
		.uid = seat_active(manager->seat)->uid,
		.current = device->used.number ? device->used.grant : NULL,
	};
	return true;
}

static bool interface_is_judged(const struct device_interface *intf)
{
	return intf->state == DEVICE_INTERFACE_HELD || intf->state == DEVICE_INTERFACE_INSPECT ||
	       intf->state == DEVICE_INTERFACE_RELEASED;
}

void verdict_ask(struct manager *manager, const struct device *device, const struct report *report,
		 uint64_t seed, bool dry, struct verdict *verdict)
{
	struct asking asking = { manager, device, manager_now_us() };
	const struct ident *allowed[OTHERS_MAX];
	struct decide_interface interfaces[IDENT_INTERFACES_MAX];
	const struct seat_user *user = seat_active(manager->seat);
	struct decide_grants grants;
	bool suspect = false;
	struct decide_input input = {
		.ident = &device->ident,
		.interfaces = interfaces,
		.report = report,
		.policy = manager->rulebook.policy,
		.grants = grants_here(manager, device, &grants) ? &grants : NULL,
		.world = { .civil = alarm_civil_now(),
			   .boot_us = asking.now_us,
			   .terminal = manager->settings.terminal,
			   .user = user->name,
			   .groups = user->groups,
			   .n_groups = user->n_groups,
			   .seed = seed,
			   .allowed = allowed,
			   .n_allowed = others(manager, device, allowed),
			   .last = last_time,
			   .userdata = &asking },
		.evaluated = dry ? NULL : note_evaluated,
		.userdata = &asking,
	};

	verdict->n = 0;
	for (unsigned int i = 0; i < device->n_interfaces; i++) {
		const struct device_interface *intf = &device->interfaces[i];

		if (!interface_is_judged(intf))
			continue;
		interfaces[verdict->n] = (struct decide_interface){
			.ident = intf->ident, .storage = intf->storage, .suspect = intf->suspect
		};
		verdict->index[verdict->n++] = i;
		suspect |= intf->suspect;
	}
	input.n_interfaces = verdict->n;
	verdict->class = device_class_of(&device->ident, suspect, report);
	decide(&input, &verdict->result);
}

/* One access for the device: the narrowest of its storage that is allowed; rw if none is. */
static enum access verdict_access(const struct verdict *verdict, const struct device *device)
{
	for (unsigned int i = 0; i < verdict->n; i++)
		if (device->interfaces[verdict->index[i]].storage &&
		    verdict->result.interfaces[i].verdict == DECIDE_ALLOW &&
		    verdict->result.interfaces[i].access == ACCESS_RO)
			return ACCESS_RO;
	return ACCESS_RW;
}

bool verdict_keeps_access(const struct verdict *verdict, const struct device *device)
{
	for (unsigned int i = 0; i < device->n_interfaces; i++)
		if (device->interfaces[i].storage &&
		    device->interfaces[i].state == DEVICE_INTERFACE_RELEASED)
			return verdict_access(verdict, device) == device->access;
	return true;
}

/* All that a grant lets in of one device is let in by the same. */
static const struct grant *verdict_grant(const struct verdict *verdict)
{
	for (unsigned int i = 0; i < verdict->n; i++)
		if (verdict->result.interfaces[i].verdict == DECIDE_ALLOW &&
		    verdict->result.interfaces[i].grant)
			return verdict->result.interfaces[i].grant;
	return NULL;
}

void verdict_write(const struct manager *manager, const struct verdict *verdict,
		   struct device *device)
{
	const struct decide_judgement *judgement = &verdict->result.device;
	const struct grant *grant = verdict_grant(verdict);

	device->class = verdict->class;
	device->by_grant = grant;
	if (grant)
		memcpy(device->grant, grant->id, sizeof(device->grant));
	snprintf(device->reason, sizeof(device->reason), "%s", judgement->reason);
	snprintf(device->method, sizeof(device->method), "%s", judgement->method);
	snprintf(device->medium, sizeof(device->medium), "%s",
		 judgement->medium ? judgement->medium->number : "");
	/* Of several volumes the one that the register names. */
	if (judgement->method[0] && judgement->medium && judgement->medium->luks_uuid)
		snprintf(device->luks_uuid, sizeof(device->luks_uuid), "%s",
			 judgement->medium->luks_uuid);
	device->access = verdict_access(verdict, device);
	/* A judgement that names a line comes from a policy. */
	decide_by(judgement, manager->rulebook.policy ? policy_file(manager->rulebook.policy) : "",
		  device->decided_by, sizeof(device->decided_by));

	for (unsigned int i = 0; i < device->n_interfaces; i++)
		device->interfaces[i].reason = NULL;
	for (unsigned int i = 0; i < verdict->n; i++) {
		struct device_interface *intf = &device->interfaces[verdict->index[i]];

		intf->allowed = verdict->result.interfaces[i].verdict == DECIDE_ALLOW;
		intf->reason = verdict->result.interfaces[i].reason;
		intf->line = decide_line(&verdict->result.interfaces[i]);
	}
	device->n_judged = verdict->n;
}

bool verdict_confirms(const struct verdict *verdict, const struct device *device)
{
	for (unsigned int i = 0; i < verdict->n; i++) {
		const struct device_interface *intf = &device->interfaces[verdict->index[i]];
		enum decide_verdict decided = verdict->result.interfaces[i].verdict;

		if (intf->state == DEVICE_INTERFACE_RELEASED ? decided != DECIDE_ALLOW :
							       decided == DECIDE_PROVE)
			return false;
	}
	return verdict_keeps_access(verdict, device);
}
