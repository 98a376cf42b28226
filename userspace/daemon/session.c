// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/decide.h"
#include "daemon/session.h"
#include "system/inspector.h"
#include "system/usbdev.h"

/*
 * The gate tells of a device's interfaces within milliseconds of each other, as fast as their drivers
 * probe. One that has not come by then (the kernel failed to add it) is not waited for.
 */
#define GATHER_US 2000000u
#define GATHER_ACCURACY_US 100000u

static void session_judge(struct session *session, const struct report *report);

/* --- interfaces --- */

static struct device_interface *session_interface(struct session *session, uint64_t cookie)
{
	for (unsigned int i = 0; i < session->device.n_interfaces; i++)
		if (session->device.interfaces[i].cookie == cookie)
			return &session->device.interfaces[i];
	return NULL;
}

bool session_has_cookie(const struct session *session, uint64_t cookie)
{
	return session_interface((struct session *)session, cookie);
}

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

static bool session_any(const struct session *session, enum device_interface_state state)
{
	for (unsigned int i = 0; i < session->device.n_interfaces; i++)
		if (session->device.interfaces[i].state == state)
			return true;
	return false;
}

/* --- showing --- */

static void session_show(struct session *session)
{
	if (session->announced)
		manager_bus_device_changed(session->manager->bus, &session->device);
}

static void session_announce(struct session *session)
{
	if (!session->announced)
		manager_bus_device_added(session->manager->bus, &session->device);
	session->announced = true;
}

static void set_text(char *field, size_t size, const char *text)
{
	snprintf(field, size, "%s", text);
}

#define SET_TEXT(field, text) set_text(field, sizeof(field), text)

static void session_clear_verdict(struct device *device)
{
	device->reason[0] = device->decided_by[0] = device->medium[0] = '\0';
	device->method[0] = device->detail[0] = '\0';
	device->decided_us = 0;
}

/* --- settling --- */

/* Puts whatever was opened for inspection back. Errors mean that the interface is gone. */
static void session_shut(struct session *session)
{
	struct device_interface *intf = session_interface(session, session->proving);

	session->proving = 0;
	if (intf && intf->state == DEVICE_INTERFACE_INSPECT)
		gate_verdict(session->manager->gate, intf->cookie, SEKIMORI_VERDICT_HOLD, 0);
}

static void session_deny(struct session *session, const char *reason, const char *detail)
{
	SET_TEXT(session->device.reason, reason);
	if (detail)
		SET_TEXT(session->device.detail, detail);
	session->device.method[0] = '\0';
	session->device.state = DEVICE_DENIED;
	session->device.decided_us = manager_now_us();
	session->phase = SESSION_SETTLED;
	session_show(session);
	manager_record(session->manager, "denied", "DeviceDenied", &session->device, NULL);
	session_shut(session);
}

static void session_allow(struct session *session)
{
	struct device *device = &session->device;
	struct device_interface *intf = session_interface(session, session->proving);
	int r;

	device->state = DEVICE_ALLOWED;
	device->decided_us = manager_now_us();
	r = manager_record(session->manager, "allowed", NULL, device, NULL);
	if (r) {
		session_deny(session, "log-unwritable", strerror(-r));
		return;
	}
	r = intf ? gate_verdict(session->manager->gate, intf->cookie, SEKIMORI_VERDICT_RELEASE,
				SEKIMORI_V_STORAGE) :
		   -ESTALE;
	if (r == -ESTALE || r == -EBUSY) {
		/* Gone, or the terminal is going to sleep: the event that says so is on its way. */
		session->phase = SESSION_WAITING;
		device->state = DEVICE_HELD;
		return;
	}
	if (r) {
		session_deny(session, "gate-failed", strerror(-r));
		return;
	}
	released_add(session->manager->released, device);
	session->phase = SESSION_RELEASING;
}

/* The gate has let the drivers in. */
static void session_released(struct session *session, bool driver)
{
	struct json_object *extra = json_object_new_object();
	struct device_interface *intf = session_interface(session, session->proving);

	session->phase = SESSION_SETTLED;
	session->proving = 0;
	if (!driver)
		SET_TEXT(session->device.detail, "no driver took it");
	if (intf && extra)
		json_object_object_add(extra, "driver", json_object_new_string(intf->driver));
	session_show(session);
	manager_record(session->manager, "released", "DeviceAllowed", &session->device, extra);
}

/* --- inspecting --- */

static void session_inspected(void *userdata, enum inspector_end end, const struct report *report,
			      const char *detail)
{
	struct session *session = userdata;

	session->inspector = NULL;
	switch (end) {
	case INSPECTOR_REPORTED:
		SET_TEXT(session->device.detail, report->detail);
		session_judge(session, report);
		break;
	case INSPECTOR_TIMEOUT:
		session_deny(session, "inspection-timeout", detail);
		break;
	case INSPECTOR_FAILED:
		session_deny(session, "inspector-failed", detail);
		break;
	}
}

/* The gate has opened the interface to usbfs. */
static void session_inspect(struct session *session)
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
		session_deny(session, "inspector-failed", strerror(-r));
		return;
	}
	session->phase = SESSION_INSPECTING;
	session->device.state = DEVICE_INSPECTING;
	session_show(session);
}

static void session_prove(struct session *session)
{
	int r = -ESTALE;

	for (unsigned int i = 0; i < session->device.n_interfaces; i++) {
		struct device_interface *intf = &session->device.interfaces[i];

		if (intf->state != DEVICE_INTERFACE_HELD || !intf->storage)
			continue;
		session->proving = intf->cookie;
		r = gate_verdict(session->manager->gate, intf->cookie, SEKIMORI_VERDICT_INSPECT, 0);
		break;
	}
	session->phase = r ? SESSION_WAITING : SESSION_OPENING;
	if (r && r != -ESTALE && r != -EBUSY)
		session_deny(session, "gate-failed", strerror(-r));
}

/* --- judging --- */

static void session_judge(struct session *session, const struct report *report)
{
	struct device *device = &session->device;
	const struct policy *policy = session->manager->policy;
	struct decide_input input = { .ident = &device->ident, .report = report, .policy = policy };
	struct decide_result result;

	for (unsigned int i = 0; i < device->n_interfaces; i++) {
		const struct device_interface *intf = &device->interfaces[i];

		if (intf->state == DEVICE_INTERFACE_PASSED || intf->state == DEVICE_INTERFACE_KEPT)
			continue;
		if (intf->storage)
			input.n_storage++;
		else
			input.n_other++;
	}
	result = decide(&input);
	SET_TEXT(device->method, result.method);
	if (result.medium) {
		SET_TEXT(device->medium, result.medium->number);
		snprintf(device->decided_by, sizeof(device->decided_by), "%s:%u",
			 policy_file(policy), result.medium->line);
	} else {
		SET_TEXT(device->decided_by, "default");
	}

	switch (result.verdict) {
	case DECIDE_PROVE:
		session_prove(session);
		break;
	case DECIDE_ALLOW:
		SET_TEXT(device->reason, result.reason);
		session_allow(session);
		break;
	case DECIDE_BLOCK:
		session_deny(session, result.reason, NULL);
		break;
	}
}

/* Released by whom? Ours stay while the policy still knows the medium; anything else is shut. */
static void session_resume_released(struct session *session)
{
	struct device *device = &session->device;
	struct decide_input input = { .ident = &device->ident,
				      .n_storage = 1,
				      .policy = session->manager->policy };
	struct json_object *extra;

	if (released_restore(session->manager->released, device) &&
	    decide(&input).verdict == DECIDE_PROVE) {
		device->state = DEVICE_ALLOWED;
		SET_TEXT(device->reason, "proved");
		session->phase = SESSION_SETTLED;
		session_announce(session);
		manager_record(session->manager, "resumed", NULL, device, NULL);
		/* We release storage interfaces only: another one was somebody else's doing. */
		for (unsigned int i = 0; i < device->n_interfaces; i++)
			if (device->interfaces[i].state == DEVICE_INTERFACE_RELEASED &&
			    !device->interfaces[i].storage)
				gate_verdict(session->manager->gate, device->interfaces[i].cookie,
					     SEKIMORI_VERDICT_REVOKE, 0);
		return;
	}
	session_clear_verdict(device);
	session->phase = SESSION_REVOKING;
	extra = json_object_new_object();
	if (extra)
		json_object_object_add(extra, "why",
				       json_object_new_string("released by somebody else"));
	manager_record(session->manager, "revoked", NULL, device, extra);
	for (unsigned int i = 0; i < device->n_interfaces; i++)
		if (device->interfaces[i].state == DEVICE_INTERFACE_RELEASED)
			gate_verdict(session->manager->gate, device->interfaces[i].cookie,
				     SEKIMORI_VERDICT_REVOKE, 0);
}

/* The interfaces that the gate told of are part of the identity, in the order of their numbers. */
static void session_identify(struct device *device)
{
	struct ident *ident = &device->ident;

	ident->n_interfaces = 0;
	for (unsigned int number = 0; number < 256; number++)
		for (unsigned int i = 0; i < device->n_interfaces; i++)
			if (device->interfaces[i].ident.number == number)
				ident->interfaces[ident->n_interfaces++] =
					device->interfaces[i].ident;
	ident_fingerprint(ident, device->fingerprint);
}

/* All interfaces are known: say what has come, and judge it. */
static void session_begin(struct session *session)
{
	struct device *device = &session->device;

	session->gather = sd_event_source_unref(session->gather);
	session_identify(device);
	session->phase = SESSION_SETTLED;
	session_clear_verdict(device);

	if (session_any(session, DEVICE_INTERFACE_RELEASED)) {
		session_resume_released(session);
	} else if (session_any(session, DEVICE_INTERFACE_HELD) ||
		   session_any(session, DEVICE_INTERFACE_INSPECT)) {
		device->state = DEVICE_HELD;
		session_announce(session);
		manager_record(session->manager, "held", "DeviceHeld", device, NULL);
		session_judge(session, NULL);
	} else if (session_any(session, DEVICE_INTERFACE_KEPT)) {
		if (released_restore(session->manager->released, device)) {
			/* The second layer cannot tell a release from what was there before. */
			device->state = DEVICE_ALLOWED;
			SET_TEXT(device->reason, "proved");
		} else {
			device->state = DEVICE_KEPT;
			SET_TEXT(device->reason, "kept-present");
		}
		session_announce(session);
		manager_record(session->manager, "kept", NULL, device, NULL);
	} else {
		device->state = DEVICE_PASSED;
		SET_TEXT(device->reason, "harmless");
		session_announce(session);
		manager_record(session->manager, "passed", NULL, device, NULL);
	}
	session_show(session);
}

static int session_gathered(sd_event_source *source, uint64_t usec, void *userdata)
{
	session_begin(userdata);
	return 0;
}

/* --- what the gate says --- */

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
	};
	interface_update(intf, event);
	if (!device->held_us && intf->state != DEVICE_INTERFACE_PASSED)
		device->held_us = event->boottime_ns / 1000;
	if (session->phase == SESSION_GATHER && device->n_interfaces >= event->ifcount)
		session_begin(session);
}

/* An interface is held again: is that a reason to judge the device anew? */
static bool session_starts_over(const struct session *session, uint8_t cause)
{
	if (session->phase == SESSION_REVOKING)
		return cause == SEKIMORI_CAUSE_VERDICT;
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
		if (session->phase == SESSION_RELEASING && event->cookie == session->proving)
			session_released(session, !(event->flags & SEKIMORI_F_FAILED));
		return;
	case DEVICE_INTERFACE_HELD:
		break;
	case DEVICE_INTERFACE_KEPT:
		if (event->cause == SEKIMORI_CAUSE_TIGHTENED) {
			session->device.state = DEVICE_KEPT;
			SET_TEXT(session->device.reason, "kept-present");
			manager_record(session->manager, "kept", NULL, &session->device, NULL);
		}
		session_show(session);
		return;
	default:
		return;
	}

	if (event->cause == SEKIMORI_CAUSE_SLEEP) {
		session->inspector = inspector_cancel(session->inspector);
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
	if (device->n_interfaces)
		session_show(session);
	return !device->n_interfaces;
}

/* --- disks --- */

void session_add_disk(struct session *session, const char *disk)
{
	struct device *device = &session->device;

	if (device->n_blocks == DEVICE_BLOCKS_MAX || strlen(disk) >= DEVICE_BLOCK_NAME_MAX)
		return;
	SET_TEXT(device->blocks[device->n_blocks++], disk);
	session_show(session);
}

bool session_remove_disk(struct session *session, const char *disk)
{
	struct device *device = &session->device;

	for (unsigned int i = 0; i < device->n_blocks; i++) {
		if (strcmp(device->blocks[i], disk))
			continue;
		memmove(device->blocks[i], device->blocks[i + 1],
			(device->n_blocks - i - 1) * sizeof(device->blocks[0]));
		device->n_blocks--;
		session_show(session);
		return true;
	}
	return false;
}

/* --- the object --- */

int session_new(struct session **sessionp, struct manager *manager, const char *name,
		const struct sekimori_event *event)
{
	struct session *session = calloc(1, sizeof(*session));
	int r;

	if (!session)
		return -ENOMEM;
	session->manager = manager;
	r = usbdev_read(manager->udev, name, event->busnum, event->devnum, &session->device.ident);
	if (!r)
		r = sd_event_add_time_relative(manager->event, &session->gather, CLOCK_BOOTTIME,
					       GATHER_US, GATHER_ACCURACY_US, session_gathered,
					       session);
	if (r < 0) {
		free(session);
		return r;
	}
	session->device.id = ++manager->last_id;
	*sessionp = session;
	return 0;
}

struct session *session_free(struct session *session)
{
	if (session) {
		inspector_cancel(session->inspector);
		sd_event_source_unref(session->gather);
		free(session);
	}
	return NULL;
}

struct session *session_gone(struct session *session)
{
	struct manager *manager = session->manager;

	if (session->announced) {
		manager_record(manager, "removed", "DeviceRemoved", &session->device, NULL);
		manager_bus_device_removed(manager->bus, &session->device);
	}
	released_remove(manager->released, &session->device);
	return session_free(session);
}
