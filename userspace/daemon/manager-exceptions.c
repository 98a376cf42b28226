// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/manager-exceptions.h"

#include "daemon/session.h"

static int exceptions_record(void *userdata, const char *kind, struct json_object *extra)
{
	return manager_record(userdata, kind, NULL, NULL, extra);
}

/* A policy that is out of its time blocks everything, and lets nobody ask. */
static const struct exception_rules *exceptions_rules(void *userdata)
{
	const struct manager *manager = userdata;
	const struct policy *policy = manager->rulebook.policy;

	return policy && rulebook_in_time(&manager->rulebook) ? &policy_header(policy)->exceptions : NULL;
}

static void exceptions_changed(void *userdata)
{
	manager_rejudge(userdata, "exception");
}

static const struct exceptions_ops exceptions_ops = {
	.record = exceptions_record,
	.rules = exceptions_rules,
	.changed = exceptions_changed,
};

int manager_exceptions_begin(struct manager *manager)
{
	const struct exceptions_setup setup = {
		.event = manager->event,
		.path = manager->settings.exceptions,
		.terminal = manager->settings.terminal,
	};

	return exceptions_new(&manager->exceptions, &setup, &exceptions_ops, manager);
}

/* One that has not been begun yet may have been let in by an earlier daemon. */
static uint32_t used_by(const struct manager *manager, const struct session *session)
{
	struct device device = session->device;

	if (session->phase == SESSION_GATHER)
		released_restore(manager->released, &device, NULL);
	return device.used.number;
}

static bool is_plugged_in(const struct manager *manager, uint32_t number)
{
	for (const struct session *s = manager->sessions; s; s = s->next)
		if (used_by(manager, s) == number)
			return true;
	return false;
}

static bool is_used_up(const struct exception *exception)
{
	return exception->state == EXCEPTION_LIVE && exception->grant.uses &&
	       exception->used >= exception->grant.uses;
}

/* Each step makes the list another. */
static uint32_t find_pulled_out(struct manager *manager, uint32_t after)
{
	size_t n;
	const struct exception *const *open = exceptions_open(manager->exceptions, &n);

	for (size_t i = 0; i < n; i++)
		if (open[i]->number > after && is_used_up(open[i]) && !is_plugged_in(manager, open[i]->number))
			return open[i]->number;
	return 0;
}

void manager_exceptions_settle(struct manager *manager)
{
	uint32_t number = 0;

	while (manager->synced && (number = find_pulled_out(manager, number)))
		exceptions_unused(manager->exceptions, number);
}
