// SPDX-License-Identifier: GPL-2.0-or-later
/* The part of a device's life in which it has to prove something: from PROVE to its report. */
#include <stdio.h>
#include <string.h>

#include "daemon/session-inside.h"
#include "system/inspector.h"
#include "system/usbdev.h"

#define SET_TEXT(field, text) snprintf(field, sizeof(field), "%s", text)

/* The end of an inspection, however it ended: judged by what it says of the storage. */
static void session_reported(struct session *session, const struct report *report, const char *detail)
{
	session->report = *report;
	session->has_report = true;
	SET_TEXT(session->device.detail, detail ? detail : "");
	SET_TEXT(session->device.luks_uuid, report->luks_uuid);
	session_judge(session, &session->report);
}

static void session_inspected(void *userdata, enum inspector_end end, const struct report *report,
			      const char *detail)
{
	struct session *session = userdata;
	struct report failed;

	session->inspector = NULL;
	if (end == INSPECTOR_REPORTED) {
		session_reported(session, report, report->detail);
		return;
	}
	report_init(&failed, end == INSPECTOR_TIMEOUT ? REPORT_TIMEOUT : REPORT_INTERNAL);
	session_reported(session, &failed, detail);
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
		     inspector_start(&session->inspector, manager->event,
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
		struct report failed;

		report_init(&failed, REPORT_INTERNAL);
		session_reported(session, &failed, strerror(-r));
		return;
	}
	session->phase = SESSION_INSPECTING;
	session->device.state = DEVICE_INSPECTING;
	session_show(session);
}

void session_prove(struct session *session, const struct verdict *verdict)
{
	int r = -ESTALE;

	for (unsigned int i = 0; i < verdict->n; i++) {
		struct device_interface *intf = &session->device.interfaces[verdict->index[i]];

		if (verdict->result.interfaces[i].verdict != DECIDE_PROVE ||
		    intf->state != DEVICE_INTERFACE_HELD)
			continue;
		session->proving = intf->cookie;
		r = gate_verdict(session->manager->gate, intf->cookie, SEKIMORI_VERDICT_INSPECT, 0);
		break;
	}
	session->phase = r ? SESSION_WAITING : SESSION_OPENING;
	if (r && r != -ESTALE && r != -EBUSY)
		session_deny(session, "gate-failed", strerror(-r));
}
