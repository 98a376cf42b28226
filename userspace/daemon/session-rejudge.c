// SPDX-License-Identifier: GPL-2.0-or-later
/* Judging a settled device again, after something of the world has changed. */
#include <string.h>

#include "daemon/session-inside.h"

static void rejudge_allowed(struct session *session, const struct verdict *verdict, const char *why)
{
	struct device *device = &session->device;
	const char *detail;
	bool more = false;

	if (!verdict_confirms(verdict, device)) {
		session_revoke(session, why);
		return;
	}
	for (unsigned int i = 0; i < verdict->n; i++)
		more |= device->interfaces[verdict->index[i]].state == DEVICE_INTERFACE_HELD &&
			verdict->result.interfaces[i].verdict == DECIDE_ALLOW;
	verdict_write(session->manager, verdict, device);
	if (session_take_use(session, &detail)) {
		session_revoke(session, why);
		return;
	}
	if (more)
		session_allow(session);
	else
		session_watch_writes(session);
	session_show(session);
}

static void rejudge_denied(struct session *session, const struct verdict *verdict, const char *why)
{
	const struct decide_judgement *judgement = &verdict->result.device;
	struct device before, *device = &session->device;

	if (session->refused)
		return;
	if (judgement->verdict != DECIDE_BLOCK) {
		/* Whatever it proved before, it is proved anew. */
		device->held_us = manager_now_us();
		if (session_any(session, DEVICE_INTERFACE_RELEASED))
			session_revoke(session, why);
		else
			session_begin(session);
		return;
	}
	before = *device;
	verdict_write(session->manager, verdict, device);
	if (strcmp(device->reason, before.reason) || strcmp(device->decided_by, before.decided_by) ||
	    strcmp(device->medium, before.medium) || judgement->reject)
		session_block(session, verdict);
}

void session_rejudge(struct session *session, const char *why)
{
	struct device *device = &session->device;
	struct verdict verdict;

	/* The others are judged at the end of what they are in, and plan their next time then. */
	session->recheck = INT64_MAX;
	if (session->phase == SESSION_RELEASING || session->quiet)
		session->again = why;
	if (session->phase != SESSION_SETTLED ||
	    (device->state != DEVICE_ALLOWED && device->state != DEVICE_DENIED &&
	     device->state != DEVICE_WOULD_DENY))
		return;
	if (!strcmp(why, "policy"))
		session->flaps = 0;
	verdict_ask(session->manager, device, session->report, session->seed, true,
		    &verdict);
	session->recheck = verdict.result.recheck;
	if (session->manager->drill.on)
		session_rejudge_drill(session, &verdict, why);
	else if (device->drill)
		session_revoke(session, "drill");
	else if (device->state == DEVICE_ALLOWED)
		rejudge_allowed(session, &verdict, why);
	else
		rejudge_denied(session, &verdict, why);
}
