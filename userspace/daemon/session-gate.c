// SPDX-License-Identifier: GPL-2.0-or-later
/* What the gate tells of a device's interfaces, and what that means where the device's life stands. */
#include <stdio.h>
#include <string.h>

#include "daemon/session-inside.h"
#include "system/inspector.h"

#define SET_TEXT(field, text) snprintf(field, sizeof(field), "%s", text)

static enum device_interface_state interface_state(uint8_t state)
{
	switch (state) {
	case SEKIMORI_STATE_PASSED:
		return DEVICE_INTERFACE_PASSED;
	case SEKIMORI_STATE_INSPECT:
		return DEVICE_INTERFACE_INSPECT;
	case SEKIMORI_STATE_RELEASED:
		return DEVICE_INTERFACE_RELEASED;
	case SEKIMORI_STATE_KEPT:
		return DEVICE_INTERFACE_KEPT;
	default:
		return DEVICE_INTERFACE_HELD;
	}
}

static void interface_update(struct device_interface *intf, const struct sekimori_event *event)
{
	intf->seq = event->seq;
	intf->state = interface_state(event->state);
	/* A snapshot does not know the driver. */
	if (event->kind != SEKIMORI_EV_PRESENT)
		memcpy(intf->driver, event->driver, sizeof(intf->driver));
}

/* Mass storage that no setting of offers bulk-only transport: BOT 1.0, 4.3; UASP. */
static bool interface_uas_only(const struct ident *ident, uint8_t number)
{
	bool uas = false;

	for (unsigned int i = 0; i < ident->n_types; i++) {
		const struct ident_type *type = &ident->types[i];

		if (type->number != number || type->class != 0x08)
			continue;
		if (type->protocol != 0x62)
			return false;
		uas = true;
	}
	return uas;
}

void session_add_interface(struct session *session, const struct sekimori_event *event)
{
	struct device *device = &session->device;
	struct device_interface *intf = session_interface(session, event->cookie);

	if (intf) {
		if (event->seq > intf->seq || event->kind == SEKIMORI_EV_PRESENT)
			interface_update(intf, event);
		return;
	}
	if (device->n_interfaces == IDENT_INTERFACES_MAX)
		return; /* stays held: nobody will ever release it */
	intf = &device->interfaces[device->n_interfaces++];
	*intf = (struct device_interface){
		.cookie = event->cookie,
		.ident = { .number = event->ifnum,
			   .class = event->ifclass,
			   .subclass = event->ifsubclass,
			   .protocol = event->ifprotocol },
		.storage = event->flags & SEKIMORI_F_STORAGE,
		.in_use = event->flags & SEKIMORI_F_IN_USE,
		.uas_only = interface_uas_only(&device->ident, event->ifnum),
	};
	interface_update(intf, event);
	if (!device->held_us && intf->state != DEVICE_INTERFACE_PASSED)
		device->held_us = event->boottime_ns / 1000;
	session->expected = event->ifcount;
	session_gathered_all(session);
}

void session_gathered_all(struct session *session)
{
	if (session->phase == SESSION_GATHER && session->manager->begun && session->named &&
	    (session->device.n_interfaces >= session->expected || !session->gather))
		session_begin(session);
}

unsigned int session_rank(const struct session *session)
{
	if (session->phase != SESSION_GATHER)
		return SESSION_RANK_LAST + 1;
	if (session_any(session, DEVICE_INTERFACE_RELEASED) ||
	    session_any(session, DEVICE_INTERFACE_KEPT))
		return 1;
	return session_any(session, DEVICE_INTERFACE_HELD) ||
			       session_any(session, DEVICE_INTERFACE_INSPECT) ?
		       2 :
		       0;
}

void session_catch_up(struct session *session)
{
	const struct device_interface *proving = session_interface(session, session->proving);

	switch (session->phase) {
	case SESSION_GATHER:
		session_gathered_all(session);
		break;
	case SESSION_OPENING:
		if (proving && proving->state == DEVICE_INTERFACE_INSPECT)
			session_inspect(session);
		break;
	case SESSION_RELEASING:
		if (session->on_blocks && session_any(session, DEVICE_INTERFACE_RELEASED))
			session_inspect_blocks(session);
		else if (session_all_released(session))
			session_released(session);
		break;
	case SESSION_REVOKING:
	case SESSION_WAITING:
		if (!session_any(session, DEVICE_INTERFACE_RELEASED))
			session_begin(session);
		break;
	case SESSION_INSPECTING: /* its own end goes on */
	case SESSION_SETTLED:
		session_take_back(session);
		break;
	}
}

/* An interface is held again: is that a reason to judge the device anew? */
static bool session_starts_over(const struct session *session, uint8_t cause)
{
	if (session->phase == SESSION_REVOKING)
		return (cause == SEKIMORI_CAUSE_VERDICT || cause == SEKIMORI_CAUSE_RESUME) &&
		       !session_any(session, DEVICE_INTERFACE_RELEASED);
	if (session->phase != SESSION_SETTLED && session->phase != SESSION_WAITING)
		return false;
	return cause == SEKIMORI_CAUSE_STORAGE || cause == SEKIMORI_CAUSE_TIGHTENED ||
	       cause == SEKIMORI_CAUSE_RESUME;
}

void session_state_changed(struct session *session, const struct sekimori_event *event)
{
	struct device_interface *intf = session_interface(session, event->cookie);

	if (!intf || event->seq <= intf->seq)
		return;
	interface_update(intf, event);

	switch (intf->state) {
	case DEVICE_INTERFACE_INSPECT:
		if (session->phase == SESSION_OPENING && event->cookie == session->proving)
			session_inspect(session);
		return;
	case DEVICE_INTERFACE_RELEASED:
		if (session->phase != SESSION_RELEASING) {
			/* It was on its way when the right went. */
			if (session->phase != SESSION_GATHER && !session_lets_in(session, intf))
				interface_revoke(session, intf);
			return;
		}
		session->no_driver |= event->flags & SEKIMORI_F_FAILED;
		if (session->on_blocks)
			session_inspect_blocks(session);
		else if (session_all_released(session))
			session_released(session);
		return;
	case DEVICE_INTERFACE_HELD:
		break;
	case DEVICE_INTERFACE_KEPT:
		/* Of a device that is judged it is one interface that needs no verdict. */
		if (event->cause == SEKIMORI_CAUSE_TIGHTENED &&
		    session->device.state == DEVICE_PASSED) {
			session->device.state = DEVICE_KEPT;
			SET_TEXT(session->device.reason, "kept-present");
			manager_record(session->manager, "kept", NULL, &session->device, NULL);
		}
		session_show(session);
		return;
	default:
		return;
	}

	if (event->cause == SEKIMORI_CAUSE_STORAGE)
		intf->suspect = true;
	if (session->phase == SESSION_RELEASING && (event->cause == SEKIMORI_CAUSE_STORAGE ||
						    event->cause == SEKIMORI_CAUSE_TIGHTENED))
		session->again = "gate";
	if (event->cause == SEKIMORI_CAUSE_SLEEP) {
		session->inspector = inspector_cancel(session->inspector);
		session_forget_disks(session);
		session_drop_volumes(session);
		session_meter_stop(session);
		released_remove(session->manager->released, &session->device);
		session_clear_verdict(&session->device);
		SET_TEXT(session->device.reason, "sleep");
		session->device.state = DEVICE_HELD;
		session->phase = SESSION_WAITING;
		manager_record(session->manager, "held", "DeviceHeld", &session->device, NULL);
	} else if (session_starts_over(session, event->cause)) {
		session->device.held_us = event->boottime_ns / 1000;
		session_begin(session);
	}
	session_show(session);
}

bool session_drop_stale(struct session *session, uint64_t seq)
{
	struct device *device = &session->device;

	for (unsigned int i = device->n_interfaces; i-- > 0;)
		if (device->interfaces[i].seq < seq &&
		    session_remove_interface(session, device->interfaces[i].cookie))
			return true;
	return false;
}

bool session_remove_interface(struct session *session, uint64_t cookie)
{
	struct device *device = &session->device;
	struct device_interface *intf = session_interface(session, cookie);
	struct device_interface *last = &device->interfaces[device->n_interfaces - 1];

	if (!intf)
		return false;
	if (cookie == session->proving) {
		session->proving = 0;
		session->inspector = inspector_cancel(session->inspector);
		session->phase = SESSION_SETTLED;
	}
	memmove(intf, intf + 1, (size_t)((char *)(last + 1) - (char *)(intf + 1)));
	device->n_interfaces--;
	if (device->n_interfaces && session->phase == SESSION_RELEASING &&
	    session_all_released(session))
		session_released(session);
	if (device->n_interfaces)
		session_show(session);
	return !device->n_interfaces;
}
