// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What becomes of a device in a drill (daemon/drill.h), where it would otherwise lose what it has. Nothing is taken back, so nothing can
 * be proved anew either: what would need that keeps the verdict that it has until it is plugged in again.
 */
#include <stdio.h>
#include <string.h>

#include "core/mark-text.h"
#include "daemon/json.h"
#include "daemon/session-inside.h"

int session_record_rest(struct session *session)
{
	const struct device *device = &session->device;
	int r = 0;

	for (unsigned int i = 0; device->drill && !r && i < device->n_interfaces; i++) {
		const struct device_interface *intf = &device->interfaces[i];
		struct json_object *extra;

		if (!intf->reason || intf->allowed || !session_lets_in(session, intf))
			continue;
		extra = json_object_new_object();
		if (!extra)
			return -ENOMEM;
		json_add_string(extra, "reason", intf->reason);
		json_add_number(extra, "interface", intf->ident.number);
		r = manager_record(session->manager, "would-deny", NULL, device, extra);
	}
	return r;
}

void session_would_revoke(struct session *session, const char *why)
{
	struct verdict verdict;

	if (session->refused) {
		session_would_deny(session, session->refused, NULL);
		return;
	}
	verdict_ask(session->manager, &session->device, session->report, session->seed, true, &verdict);
	if (verdict.result.device.verdict == DECIDE_BLOCK) {
		verdict_write(session->manager, &verdict, &session->device);
		session_would_deny(session, verdict.result.device.reason, NULL);
	} else if (!strcmp(why, "medium-changed")) {
		session_would_deny(session, why, N_("it is judged anew when it is plugged in again"));
	} else {
		session_would_deny(session, "cannot-inspect", N_("it would be taken back and judged anew"));
	}
}

static bool is_another(const struct device *before, const struct device *device)
{
	return before->state != DEVICE_WOULD_DENY || strcmp(before->reason, device->reason) ||
	       strcmp(before->decided_by, device->decided_by) || strcmp(before->medium, device->medium);
}

static void rejudge_blocked(struct session *session, const struct verdict *verdict)
{
	struct device before = session->device, *device = &session->device;

	verdict_write(session->manager, verdict, device);
	if (is_another(&before, device))
		session_would_deny(session, verdict->result.device.reason, NULL);
	else
		session_show(session);
}

static void rejudge_confirmed(struct session *session, const struct verdict *verdict)
{
	struct device *device = &session->device;
	const char *detail, *refused;
	bool was_allowed = device->state == DEVICE_ALLOWED;

	verdict_write(session->manager, verdict, device);
	if (!was_allowed) {
		session_allow(session);
		return;
	}
	refused = session_take_use(session, &detail);
	if (refused)
		session_would_deny(session, refused, detail);
	else
		session_watch_writes(session);
	session_show(session);
}

void session_rejudge_drill(struct session *session, const struct verdict *verdict, const char *why)
{
	struct device *device = &session->device;

	/* Denied before the drill began, or because the log could not be written. */
	if (device->state == DEVICE_DENIED) {
		session_judge(session, session->report);
		return;
	}
	if (session->refused)
		return;
	switch (verdict->result.device.verdict) {
	case DECIDE_BLOCK:
		rejudge_blocked(session, verdict);
		break;
	case DECIDE_ALLOW:
		rejudge_confirmed(session, verdict);
		break;
	case DECIDE_PROVE:
		break;
	}
}

static void resume_allowed(struct session *session)
{
	struct device *device = &session->device;
	const char *detail, *refused = session_take_use(session, &detail);

	session_announce(session);
	if (refused) {
		session_would_deny(session, refused, detail);
		return;
	}
	if (!session_all_released(session)) {
		session_allow(session);
		return;
	}
	device->state = DEVICE_ALLOWED;
	manager_record(session->manager, "resumed", NULL, device, NULL);
	session_watch_writes(session);
	session_find_disks(session);
}

static void resume_blocked(struct session *session, const char *reason, const char *detail, bool known)
{
	struct device *device = &session->device;

	session_announce(session);
	if (!known || !session_all_released(session)) {
		session_would_deny(session, reason, detail);
		return;
	}
	snprintf(device->reason, sizeof(device->reason), "%s", reason);
	if (detail)
		snprintf(device->detail, sizeof(device->detail), "%s", detail);
	device->state = DEVICE_WOULD_DENY;
	manager_record(session->manager, "resumed", NULL, device, NULL);
}

void session_resume_drill(struct session *session, bool ours)
{
	struct device *device = &session->device;
	/* What an earlier daemon let in by the policy's leave alone: its being in a drill is news. */
	bool known = ours && device->drill;
	struct verdict verdict;

	verdict_ask(session->manager, device, session->report, session->seed, false, &verdict);
	session_list_disks(session);
	session->recheck = verdict.result.recheck;
	session->phase = SESSION_SETTLED;
	device->drill = true;
	switch (verdict.result.device.verdict) {
	case DECIDE_ALLOW:
		verdict_write(session->manager, &verdict, device);
		resume_allowed(session);
		break;
	case DECIDE_BLOCK:
		verdict_write(session->manager, &verdict, device);
		resume_blocked(session, verdict.result.device.reason, NULL, known);
		break;
	case DECIDE_PROVE:
		resume_blocked(session, "cannot-inspect", N_("it was let in before it could be proved"), known);
		break;
	}
	manager_plan(session->manager);
	session_tell_others(session);
}
