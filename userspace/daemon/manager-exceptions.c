// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/manager-exceptions.h"

#include <stdio.h>
#include <string.h>

#include "daemon/exceptions-bus.h"
#include "daemon/phone.h"
#include "daemon/session.h"

/* The request by telephone that waits for its code: beside the store. */
#define PENDING_NAME "telephone"

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

static void exceptions_stepped(void *userdata, const struct exception *after,
			       const struct exception_deed *deed)
{
	const struct manager *manager = userdata;

	if (manager->bus)
		exceptions_bus_stepped(manager_bus_exceptions(manager->bus), after, deed);
}

static void exceptions_warned(void *userdata, const struct exception *exception, uint32_t seconds)
{
	const struct manager *manager = userdata;

	if (manager->bus)
		exceptions_bus_warned(manager_bus_exceptions(manager->bus), exception, seconds);
}

/* A store that can be read again may hold a use that is over. */
static void exceptions_state_changed(void *userdata)
{
	struct manager *manager = userdata;

	manager_rejudge(manager, "exception");
	if (manager->bus)
		exceptions_bus_changed(manager_bus_exceptions(manager->bus));
}

static const struct exceptions_ops exceptions_ops = {
	.record = exceptions_record,
	.rules = exceptions_rules,
	.changed = exceptions_changed,
	.stepped = exceptions_stepped,
	.warned = exceptions_warned,
	.state = exceptions_state_changed,
};

/* --- beginning and end --- */

static int begin_phone(struct manager *manager)
{
	const struct settings *settings = &manager->settings;
	const char *slash = strrchr(settings->exceptions, '/');
	char pending[SETTINGS_VALUE_MAX + sizeof(PENDING_NAME)];
	const struct phone_setup setup = {
		.exceptions = manager->exceptions,
		.pending_file = pending,
		.key_file = settings->telephone_key,
		.terminal = settings->terminal,
		.record = exceptions_record,
		.userdata = manager,
	};

	snprintf(pending, sizeof(pending), "%.*s/" PENDING_NAME, (int)(slash - settings->exceptions),
		 settings->exceptions);
	return phone_new(&manager->phone, &setup);
}

int manager_exceptions_prepare(struct manager *manager)
{
	const struct exceptions_setup setup = {
		.event = manager->event,
		.path = manager->settings.exceptions,
		.terminal = manager->settings.terminal,
	};

	return exceptions_new(&manager->exceptions, &setup, &exceptions_ops, manager);
}

static bool sits_here(void *userdata, uid_t uid)
{
	const struct manager *manager = userdata;
	const struct seat_user *seated = seat_active(manager->seat);

	return seated->name[0] && seated->uid == uid;
}

/* Read for each use: a key that was withdrawn is withdrawn at once. */
static const struct trust *trust_now(void *userdata)
{
	struct manager *manager = userdata;

	trust_free(manager->trust);
	manager->trust = rulebook_trust(&manager->rulebook);
	return manager->trust;
}

static void join_bus(struct manager *manager)
{
	exceptions_bus_set(manager_bus_exceptions(manager->bus),
			   &(struct exceptions_bus_setup){ .exceptions = manager->exceptions,
							   .phone = manager->phone,
							   .terminal = manager->settings.terminal,
							   .rules = exceptions_rules,
							   .at_seat = sits_here,
							   .trust = trust_now,
							   .userdata = manager });
}

int manager_exceptions_begin(struct manager *manager)
{
	int r = exceptions_begin(manager->exceptions);

	if (!r)
		r = begin_phone(manager);
	if (!r && manager->bus)
		join_bus(manager);
	return r;
}

void manager_exceptions_policy_changed(struct manager *manager)
{
	exceptions_policy_changed(manager->exceptions);
	if (manager->bus)
		exceptions_bus_changed(manager_bus_exceptions(manager->bus));
}

void manager_exceptions_end(struct manager *manager)
{
	manager->phone = phone_free(manager->phone);
	manager->exceptions = exceptions_free(manager->exceptions);
	manager->trust = trust_free(manager->trust);
}

/* --- uses that are over --- */

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

/* What is not named yet may be any of them. */
static bool all_named(const struct manager *manager)
{
	for (const struct session *s = manager->sessions; s; s = s->next)
		if (s->naming)
			return false;
	return manager->begun;
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

	while (all_named(manager) && (number = find_pulled_out(manager, number)))
		exceptions_unused(manager->exceptions, number);
}
