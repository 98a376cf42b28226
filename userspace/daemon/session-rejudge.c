// SPDX-License-Identifier: GPL-2.0-or-later
/* Judging a settled device again, after something of the world has changed. */
#include <string.h>

#include "daemon/session-inside.h"
#include "daemon/verdict.h"

/* What a judging again goes by: the proof that there was. */
const struct report *session_proof(const struct session *session, struct report *memory)
{
	if (session->has_report)
		return &session->report;
	if (!session->device.luks_uuid[0])
		return NULL;
	verdict_remembered_report(&session->device, memory);
	return memory;
}

static void rejudge_allowed(struct session *session, const struct verdict *verdict, const char *why)
{
	struct device *device = &session->device;
	enum access access = device->access;
	bool more = false;

	if (!verdict_confirms(verdict, device)) {
		session_revoke(session, why);
		return;
	}
	for (unsigned int i = 0; i < verdict->n; i++)
		more |= device->interfaces[verdict->index[i]].state == DEVICE_INTERFACE_HELD &&
			verdict->result.interfaces[i].verdict == DECIDE_ALLOW;
	verdict_write(session->manager, verdict, device);
	device->access = access;
	if (more)
		session_allow(session);
	session_show(session);
}

static void rejudge_denied(struct session *session, const struct verdict *verdict, const char *why)
{
	struct device *device = &session->device;
	const struct decide_judgement *judgement = &verdict->result.device;

	if (session->refused)
		return;
	if (judgement->verdict == DECIDE_BLOCK) {
		if (!strcmp(device->reason, judgement->reason))
			return;
		verdict_write(session->manager, verdict, device);
		session_deny(session, judgement->reason, NULL);
		return;
	}
	/* It could not be inspected: only a new policy is a reason to try again. */
	if (judgement->verdict == DECIDE_PROVE && device->detail[0] && strcmp(why, "policy"))
		return;
	session->device.held_us = manager_now_us();
	session_begin(session);
}

void session_rejudge(struct session *session, const char *why)
{
	struct device *device = &session->device;
	struct verdict verdict;
	struct report memory;

	if (session->phase == SESSION_RELEASING)
		session->again = why;
	if (session->phase != SESSION_SETTLED ||
	    (device->state != DEVICE_ALLOWED && device->state != DEVICE_DENIED))
		return;
	verdict_ask(session->manager, device, session_proof(session, &memory), session->seed, true,
		    &verdict);
	session->recheck = verdict.result.recheck;
	if (device->state == DEVICE_ALLOWED)
		rejudge_allowed(session, &verdict, why);
	else
		rejudge_denied(session, &verdict, why);
}
