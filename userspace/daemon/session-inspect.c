// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The part of a device's life in which it has to prove something: from PROVE to its report. Over the held
 * interface where it speaks bulk-only; else (UAS) it is released to nobody but us, and its block
 * devices are read (session-disks.c).
 */
#include <stdio.h>
#include <string.h>

#include "core/proof.h"
#include "daemon/session-inside.h"
#include "system/inspector.h"
#include "system/usbdev.h"

#define SET_TEXT(field, text) snprintf(field, sizeof(field), "%s", text)

/* A clerk puts the card in and waits; one look costs some SCSI commands and a process. */
#define MEDIUM_POLL_US 3000000u
#define MEDIUM_POLL_ACCURACY_US 500000u

/* Nothing has changed since it was denied for want of a medium. */
static bool still_no_medium(struct session *session, const struct report *report)
{
	struct verdict verdict;

	verdict_ask(session->manager, &session->device, report, session->seed, true, &verdict);
	return verdict.result.device.verdict == DECIDE_BLOCK &&
	       !strcmp(verdict.result.device.reason, session->device.reason);
}

void session_reported(struct session *session, const struct report *report, const char *detail)
{
	const char *again = session->again;

	if (session->quiet && still_no_medium(session, report)) {
		session->quiet = false;
		session->phase = SESSION_SETTLED;
		session->again = NULL;
		session_shut(session);
		session_take_back(session);
		session_wait_for_medium(session);
		if (again)
			manager_rejudge(session->manager, again);
		return;
	}
	if (session->quiet)
		session->device.held_us = manager_now_us();
	session->quiet = false;
	session->again = NULL;
	session_keep_report(session, report);
	if (!session->report) {
		session_deny(session, "inspector-failed", strerror(ENOMEM));
		return;
	}
	session_see_blank(session);
	SET_TEXT(session->device.detail, detail ? detail : "");
	SET_TEXT(session->device.luks_uuid, report->n_volumes ? report->volumes[0].uuid : "");
	session_judge(session, session->report);
}

static void session_failed(struct session *session, enum report_outcome outcome, const char *detail)
{
	struct report failed;

	report_init(&failed, outcome);
	session_reported(session, &failed, detail);
}

static void session_inspected(void *userdata, enum inspector_end end, const struct report *report,
			      const char *detail)
{
	struct session *session = userdata;

	session->inspector = NULL;
	if (end == INSPECTOR_REPORTED)
		session_reported(session, report, report->detail);
	else
		session_failed(session, end == INSPECTOR_TIMEOUT ? REPORT_TIMEOUT : REPORT_INTERNAL,
			       detail);
}

/* The gate has opened the interface to usbfs. */
void session_inspect(struct session *session)
{
	struct manager *manager = session->manager;
	struct device_interface *intf = session_interface(session, session->proving);
	int fd, r;

	fd = usbdev_open_for_inspection(session->device.ident.busnum, session->device.ident.devnum,
					intf->ident.number);
	r = fd < 0 ? fd :
		     inspector_start(&session->inspector, manager->spare, manager->event,
				     manager->settings.inspector, fd, intf->ident.number,
				     manager->settings.inspect_deadline_ms, session_inspected,
				     session);
	if (r == -ENODEV) {
		/* Unplugged, or held again for a sleep: the gate's event that says so is on its way. */
		session_shut(session);
		session->phase = SESSION_WAITING;
		return;
	}
	if (r < 0) {
		session_failed(session, REPORT_INTERNAL, strerror(-r));
		return;
	}
	session->phase = SESSION_INSPECTING;
	if (session->quiet)
		return;
	session->device.state = DEVICE_INSPECTING;
	session_show(session);
}

void session_prove(struct session *session, const struct verdict *verdict)
{
	int r = -ESTALE;

	session->on_blocks = false;
	for (unsigned int i = 0; i < verdict->n; i++) {
		struct device_interface *intf = &session->device.interfaces[verdict->index[i]];

		if (verdict->result.interfaces[i].verdict != DECIDE_PROVE ||
		    intf->state != DEVICE_INTERFACE_HELD)
			continue;
		session->proving = intf->cookie;
		session->on_blocks = intf->uas_only;
		r = gate_verdict(session->manager->gate, intf->cookie,
				 intf->uas_only ? SEKIMORI_VERDICT_RELEASE : SEKIMORI_VERDICT_INSPECT,
				 intf->uas_only ? SEKIMORI_V_STORAGE : 0);
		break;
	}
	session->phase = r ? SESSION_WAITING : session->on_blocks ? SESSION_RELEASING : SESSION_OPENING;
	if (r && r != -ESTALE && r != -EBUSY)
		session_deny(session, "gate-failed", strerror(-r));
}

/* --- waiting for a medium --- */

static int look_again(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct session *session = userdata;
	struct verdict verdict;

	session->poll = sd_event_source_disable_unref(session->poll);
	if (session->phase != SESSION_SETTLED || session->device.state != DEVICE_DENIED ||
	    !proof_may_come(session->device.reason))
		return 0;
	verdict_ask(session->manager, &session->device, NULL, session->seed, true, &verdict);
	if (verdict.result.device.verdict != DECIDE_PROVE)
		return 0;
	session->quiet = true;
	session_prove(session, &verdict);
	return 0;
}

void session_wait_for_medium(struct session *session)
{
	session->poll = sd_event_source_disable_unref(session->poll);
	if (!proof_may_come(session->device.reason) || session->refused)
		return;
	/* Without the timer it has to be plugged anew. */
	sd_event_add_time_relative(session->manager->event, &session->poll, CLOCK_BOOTTIME,
				   MEDIUM_POLL_US, MEDIUM_POLL_ACCURACY_US, look_again, session);
}
