// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/json.h"
#include "daemon/manager-gate.h"
#include "daemon/manager-life.h"
#include "daemon/session-inside.h"
#include "system/errand.h"
#include "system/inquiry.h"
#include "system/inspector.h"
#include "system/usbdev.h"

/*
 * The gate tells of a device's interfaces within milliseconds of each other, as fast as their drivers
 * probe. One that has not come by then (the kernel failed to add it) is not waited for.
 */
#define GATHER_US 2000000u
#define GATHER_ACCURACY_US 100000u

/* --- interfaces --- */

struct device_interface *session_interface(struct session *session, uint64_t cookie)
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

bool session_any(const struct session *session, enum device_interface_state state)
{
	for (unsigned int i = 0; i < session->device.n_interfaces; i++)
		if (session->device.interfaces[i].state == state)
			return true;
	return false;
}

bool session_any_held(const struct session *session)
{
	return session_any(session, DEVICE_INTERFACE_HELD) || session_any(session, DEVICE_INTERFACE_INSPECT);
}

/* --- showing --- */

void session_show(struct session *session)
{
	if (session->announced)
		manager_bus_device_changed(session->manager->bus, &session->device);
}

void session_announce(struct session *session)
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

void session_clear_verdict(struct device *device)
{
	device->reason[0] = device->decided_by[0] = device->medium[0] = '\0';
	device->method[0] = device->detail[0] = device->luks_uuid[0] = '\0';
	device->access = ACCESS_RW;
	device->n_judged = 0;
	device->by_grant = device->drill = false;
	for (unsigned int i = 0; i < device->n_interfaces; i++)
		device->interfaces[i].reason = NULL;
	device->decided_us = 0;
}

/* --- settling --- */

/* Others may be waiting for what becomes of this one (allowed-matches). */
void session_tell_others(struct session *session)
{
	const struct policy *policy = session->manager->rulebook.policy;

	if (policy && policy_looks_at_others(policy))
		manager_rejudge(session->manager, "others");
}

void session_keep_report(struct session *session, const struct report *report)
{
	struct report *copy = report ? malloc(sizeof(*copy)) : NULL;

	if (copy)
		*copy = *report;
	free(session->report);
	session->report = copy;
}

bool interface_allowed(const struct device_interface *intf)
{
	return intf->reason && intf->allowed;
}

bool session_lets_in(const struct session *session, const struct device_interface *intf)
{
	if (session->device.drill)
		return intf->state != DEVICE_INTERFACE_PASSED && intf->state != DEVICE_INTERFACE_KEPT;
	return interface_allowed(intf);
}

/* Puts back whatever was opened for inspection and is not allowed. Errors mean that the interface is gone. */
void session_shut(struct session *session)
{
	session->proving = 0;
	for (unsigned int i = 0; i < session->device.n_interfaces; i++) {
		const struct device_interface *intf = &session->device.interfaces[i];

		if (intf->state == DEVICE_INTERFACE_INSPECT && !session_lets_in(session, intf))
			gate_verdict(session->manager->gate, intf->cookie, SEKIMORI_VERDICT_HOLD,
				     0);
	}
}

void interface_revoke(struct session *session, const struct device_interface *intf)
{
	int r = gate_verdict(session->manager->gate, intf->cookie, SEKIMORI_VERDICT_REVOKE, 0);

	if (r && r != -ESTALE)
		fprintf(stderr, SD_CRIT "interface %u of %s cannot be taken back: %s\n",
			intf->ident.number, session->device.ident.name, strerror(-r));
}

void session_take_back(struct session *session)
{
	for (unsigned int i = 0; i < session->device.n_interfaces; i++) {
		const struct device_interface *intf = &session->device.interfaces[i];

		if (intf->state == DEVICE_INTERFACE_RELEASED && !session_lets_in(session, intf))
			interface_revoke(session, intf);
	}
}

static void session_disallow(struct session *session)
{
	session->device.drill = false;
	for (unsigned int i = 0; i < session->device.n_interfaces; i++)
		session->device.interfaces[i].allowed = false;
}

/* Says no, and shuts all but the interfaces that are allowed by themselves (harmless ones). */
static void session_settle_denied(struct session *session, const char *reason, const char *detail)
{
	SET_TEXT(session->device.reason, reason);
	if (detail)
		SET_TEXT(session->device.detail, detail);
	session->device.method[0] = '\0';
	session->device.state = DEVICE_DENIED;
	session->device.decided_us = manager_now_us();
	session->phase = SESSION_SETTLED;
	session->quiet = false;
	manager_record(session->manager, "denied", "DeviceDenied", &session->device, NULL);
	released_remove(session->manager->released, &session->device);
	session_shut(session);
	session_show(session);
	session_forget_disks(session);
	session_close_volumes(session);
	session_wait_for_medium(session);
}

/* Whatever the mode: what cannot be recorded, or carried out, is not let in. */
static void session_refuse(struct session *session, const char *reason, const char *detail)
{
	session_disallow(session);
	session->device.by_grant = false;
	session_settle_denied(session, reason, detail);
}

void session_deny(struct session *session, const char *reason, const char *detail)
{
	if (session->manager->drill.on) {
		session->device.by_grant = false;
		session_would_deny(session, reason, detail);
	} else {
		session_refuse(session, reason, detail);
	}
}

/* Has everything that is allowed been released? */
bool session_all_released(const struct session *session)
{
	for (unsigned int i = 0; i < session->device.n_interfaces; i++) {
		const struct device_interface *intf = &session->device.interfaces[i];

		if (session_lets_in(session, intf) && intf->state != DEVICE_INTERFACE_RELEASED)
			return false;
	}
	return true;
}

static int session_release(struct session *session)
{
	int r = 0, first = 0;

	for (unsigned int i = 0; i < session->device.n_interfaces; i++) {
		const struct device_interface *intf = &session->device.interfaces[i];

		if (!session_lets_in(session, intf) || intf->state == DEVICE_INTERFACE_RELEASED)
			continue;
		/* In a drill the kernel chooses the driver, as it would without us. */
		r = gate_verdict(session->manager->gate, intf->cookie, SEKIMORI_VERDICT_RELEASE,
				 intf->storage || session->device.drill ? SEKIMORI_V_STORAGE : 0);
		if (r && !first)
			first = r;
	}
	return first;
}

/* The verdict is recorded: has the gate carry it out. */
static void session_carry_out(struct session *session)
{
	struct device *device = &session->device;
	int r;

	session_shut(session);
	session_take_back(session);
	session->no_driver = false;
	r = session_release(session);
	if (r == -ESTALE || r == -EBUSY) {
		/* Gone, or the terminal is going to sleep: the event that says so is on its way. */
		session->phase = SESSION_WAITING;
		device->state = DEVICE_HELD;
		return;
	}
	if (r) {
		session_refuse(session, "gate-failed", strerror(-r));
		return;
	}
	released_add(session->manager->released, device, session->report, session->meter.told);
	session->phase = SESSION_RELEASING;
	/* What was proved on its block devices is released already. */
	if (session_all_released(session))
		session_released(session);
}

void session_allow(struct session *session)
{
	struct device *device = &session->device;
	const char *detail, *refused = session_take_use(session, &detail);
	int r;

	if (refused) {
		session_deny(session, refused, detail);
		return;
	}
	device->state = DEVICE_ALLOWED;
	device->drill = session->manager->drill.on;
	device->decided_us = manager_now_us();
	r = manager_record(session->manager, "allowed", NULL, device, NULL);
	if (!r)
		r = session_record_rest(session);
	if (r)
		session_refuse(session, "log-unwritable", strerror(-r));
	else
		session_carry_out(session);
}

void session_would_deny(struct session *session, const char *reason, const char *detail)
{
	struct device *device = &session->device;
	bool in = session->phase == SESSION_SETTLED && device->drill;
	int r;

	SET_TEXT(device->reason, reason);
	if (detail)
		SET_TEXT(device->detail, detail);
	device->method[0] = '\0';
	device->state = DEVICE_WOULD_DENY;
	device->drill = true;
	device->decided_us = manager_now_us();
	session->quiet = false;
	r = manager_record(session->manager, "would-deny", "DeviceWouldBeDenied", device, NULL);
	if (r) {
		session_refuse(session, "log-unwritable", strerror(-r));
		return;
	}
	/* Nothing of it is offered, and nothing of it is compared: it is the kernel's and the user's. */
	session_forget_disks(session);
	if (in && session_all_released(session)) {
		released_add(session->manager->released, device, session->report, session->meter.told);
		session_show(session);
		session_tell_others(session);
	} else {
		session_carry_out(session);
	}
}

/* A device whose writes must be counted and cannot be does not stay. */
void session_watch_writes(struct session *session)
{
	int r = session_meter_start(session);

	if (r >= 0)
		return;
	SET_TEXT(session->device.detail, strerror(-r));
	session->refused = "no-memory";
	session_revoke(session, "exception");
}

/* The gate has let the drivers in. */
void session_released(struct session *session)
{
	struct json_object *extra = json_object_new_object();
	const struct device *device = &session->device;
	const char *driver = "";

	session->phase = SESSION_SETTLED;
	session->proving = 0;
	if (session->no_driver)
		SET_TEXT(session->device.detail, "no driver took it");
	for (unsigned int i = 0; i < device->n_interfaces; i++)
		if (session_lets_in(session, &device->interfaces[i]) && !*driver)
			driver = device->interfaces[i].driver;
	if (extra)
		json_add_string(extra, "driver", driver);
	session_show(session);
	/* Of what is let in by a drill alone the bus has been told at the verdict. */
	manager_record(session->manager, "released", device->state == DEVICE_ALLOWED ? "DeviceAllowed" : NULL,
		       &session->device, extra);
	session_tell_others(session);
	session_watch_writes(session);
	session_find_disks(session);
	if (session->again)
		manager_rejudge(session->manager, session->again);
	session->again = NULL;
}

void session_revoke(struct session *session, const char *why)
{
	struct json_object *extra;

	if (session->manager->drill.on) {
		session_would_revoke(session, why);
		return;
	}
	extra = json_object_new_object();
	if (extra)
		json_add_string(extra, "why", why);
	/* Two devices whose rights hang on each other must not go round for ever. */
	if (!strcmp(why, "others") && ++session->flaps > SESSION_FLAPS_MAX)
		session->refused = "conditions-not-met";
	session->phase = SESSION_REVOKING;
	session->device.state = DEVICE_HELD;
	session_disallow(session);
	session_forget_disks(session);
	manager_record(session->manager, "revoked", "DeviceRevoked", &session->device, extra);
	session_close_volumes(session);
	released_remove(session->manager->released, &session->device);
	session_show(session);
	session_tell_others(session);
}

/* --- judging --- */

static void note_applied(struct session *session, const struct verdict *verdict)
{
	uint64_t now = manager_now_us();

	for (unsigned int i = 0; i < verdict->n; i++) {
		const struct rule *rule = verdict->result.interfaces[i].rule;

		if (rule && rule->remembers)
			memory_note(session->manager->memory, rule_key(rule), false,
				    session->device.id, now);
	}
}

/* Waits for all its drivers to go. It says itself what goes wrong: the session may be gone by then. */
static void removal_run(const void *order)
{
	const struct ident *ident = order;
	int r = usbdev_remove(ident->name, ident->devnum);

	if (r && r != -ENODEV)
		fprintf(stderr, SD_ERR "%s stays held; it cannot be removed: %s\n", ident->name,
			strerror(-r));
}

static void session_reject(struct session *session)
{
	const struct ident *ident = &session->device.ident;
	int r = errand_start(session->manager->event, removal_run, ident);

	if (r)
		fprintf(stderr, SD_ERR "%s stays held; it cannot be removed: %s\n", ident->name,
			strerror(-r));
}

void session_block(struct session *session, const struct verdict *verdict)
{
	if (session->manager->drill.on) {
		session_would_deny(session, verdict->result.device.reason, NULL);
		return;
	}
	session_settle_denied(session, verdict->result.device.reason, NULL);
	if (verdict->result.device.reject)
		session_reject(session);
	else
		session_release(session);
}

void session_judge(struct session *session, const struct report *report)
{
	struct device *device = &session->device;
	struct verdict verdict;

	if (session->refused) {
		session_deny(session, session->refused, NULL);
		return;
	}
	verdict_ask(session->manager, device, report, session->seed, false, &verdict);
	verdict_write(session->manager, &verdict, device);
	session->recheck = verdict.result.recheck;
	switch (verdict.result.device.verdict) {
	case DECIDE_PROVE:
		session_prove(session, &verdict);
		break;
	case DECIDE_ALLOW:
		note_applied(session, &verdict);
		session_allow(session);
		break;
	case DECIDE_BLOCK:
		note_applied(session, &verdict);
		session_block(session, &verdict);
		break;
	}
	manager_plan(session->manager);
	if (verdict.result.device.verdict != DECIDE_PROVE)
		session_tell_others(session);
}

/* By the grant that it has used, or by one that takes its place while no daemon ran. */
static bool session_resume_use(struct session *session)
{
	const char *detail;

	return !session_take_use(session, &detail);
}

/* Released by whom? Ours stay while they are still right; anything else is shut. */
static void session_resume_released(struct session *session)
{
	struct device *device = &session->device;
	struct report report;
	struct verdict verdict;
	uint64_t written = 0;
	bool ours = released_restore(session->manager->released, device, &written), stays;
	bool drilled = device->drill;

	manager_life_meet(session->manager, device);
	session->resumed = ours;
	if (ours && released_report(session->manager->released, device, &report))
		session_keep_report(session, &report);
	if (session->manager->drill.on) {
		session_meter_reset(session, written);
		session_resume_drill(session, ours);
		return;
	}
	verdict_ask(session->manager, device, session->report, session->seed, false, &verdict);
	stays = ours && !drilled && verdict.result.device.verdict == DECIDE_ALLOW &&
		verdict_keeps_access(&verdict, device);
	if (stays)
		verdict_write(session->manager, &verdict, device);
	session_meter_reset(session, written);
	if (stays)
		session_list_disks(session);
	if (stays && session_resume_use(session)) {
		session->recheck = verdict.result.recheck;
		device->state = DEVICE_ALLOWED;
		session->phase = SESSION_SETTLED;
		/* Its volumes may be offered at once, and name it. */
		session_announce(session);
		manager_record(session->manager, "resumed", NULL, device, NULL);
		/* What this does not cover was somebody else's doing. */
		session_take_back(session);
		session_watch_writes(session);
		session_find_disks(session);
		manager_plan(session->manager);
		session_tell_others(session);
		return;
	}
	session_clear_verdict(device);
	session_revoke(session, drilled ? "drill" : ours ? "policy" : "released by somebody else");
}

/* The interfaces that the gate told of are part of the identity, in the order of their numbers. */
void session_identify(struct session *session)
{
	struct device *device = &session->device;
	struct ident *ident = &device->ident;

	ident->n_interfaces = 0;
	for (unsigned int number = 0; number < 256; number++)
		for (unsigned int i = 0; i < device->n_interfaces; i++)
			if (device->interfaces[i].ident.number == number)
				ident->interfaces[ident->n_interfaces++] =
					device->interfaces[i].ident;
	ident_fingerprint(ident, device->ident.fingerprint);
}

/*
 * The second layer cannot tell a release by an earlier daemon from what was bound before: it is KEPT there. A device
 * whose release is noted is taken up as released, and judged as such; the module refuses, and need not be asked.
 */
static void session_adopt(struct session *session)
{
	struct device *device = &session->device;

	if (!session_any(session, DEVICE_INTERFACE_KEPT) ||
	    !released_restore(session->manager->released, device, NULL))
		return;
	for (unsigned int i = 0; i < device->n_interfaces; i++) {
		struct device_interface *intf = &device->interfaces[i];

		if (intf->state == DEVICE_INTERFACE_KEPT &&
		    !gate_verdict(session->manager->gate, intf->cookie, SEKIMORI_VERDICT_RELEASE,
				  intf->storage ? SEKIMORI_V_STORAGE : 0))
			intf->state = DEVICE_INTERFACE_RELEASED;
	}
}

/* All interfaces are known: say what has come, and judge it. */
void session_begin(struct session *session)
{
	struct device *device = &session->device;

	session->gather = sd_event_source_unref(session->gather);
	session_identify(session);
	session->phase = SESSION_SETTLED;
	session->quiet = session->resumed = false;
	session_keep_report(session, NULL);
	session_forget_disks(session);
	session_adopt(session);
	session_clear_verdict(device);

	if (session_any(session, DEVICE_INTERFACE_RELEASED)) {
		session_resume_released(session);
	} else if (session_any_held(session)) {
		/* Who listens on the bus gets a processor as soon as something is said there: it is announced after its first judging. */
		device->state = DEVICE_HELD;
		manager_record(session->manager, "held", "DeviceHeld", device, NULL);
		session_judge(session, NULL);
	} else if (session_any(session, DEVICE_INTERFACE_KEPT)) {
		device->state = DEVICE_KEPT;
		SET_TEXT(device->reason, "kept-present");
		manager_record(session->manager, "kept", NULL, device, NULL);
		session_tell_others(session);
	} else {
		device->state = DEVICE_PASSED;
		SET_TEXT(device->reason, "harmless");
		manager_record(session->manager, "passed", NULL, device, NULL);
		session_tell_others(session);
	}
	session_announce(session);
	session_show(session);
}

static int session_gathered(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct session *session = userdata;

	session->gather = sd_event_source_unref(session->gather);
	session_gathered_all(session);
	return 0;
}

/* --- its strings --- */

struct naming {
	char name[IDENT_NAME_MAX];
	uint16_t busnum, devnum;
};

static int naming_run(const void *order, void *result)
{
	const struct naming *naming = order;

	return usbdev_read_strings(naming->name, naming->busnum, naming->devnum, result);
}

static void session_was_named(void *userdata, int r, const void *result)
{
	struct session *session = userdata;
	struct ident *ident = &session->device.ident;

	session->naming = NULL;
	manager_life_meet(session->manager, &session->device);
	if (!r) {
		usbdev_put_strings(ident, result);
		session->named = true;
		session_gathered_all(session);
	} else if (r != -ENODEV) {
		/* Nobody will release it. */
		fprintf(stderr, SD_ERR "%s stays held; its strings cannot be read: %s\n", ident->name,
			strerror(-r));
	}
	manager_session_named(session->manager);
}

static int session_name(struct session *session)
{
	const struct ident *ident = &session->device.ident;
	struct naming naming = { .busnum = ident->busnum, .devnum = ident->devnum };

	memcpy(naming.name, ident->name, sizeof(naming.name));
	/* While its strings are read, so that neither waits for the other. */
	evidence_is_coming();
	return inquiry_start(&session->naming, session->manager->event, naming_run, &naming, sizeof(naming),
			     sizeof(struct usbdev_strings), session_was_named, session);
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
	session->recheck = INT64_MAX;
	randombytes_buf(&session->seed, sizeof(session->seed));
	r = usbdev_read(name, event->busnum, event->devnum, &session->device.ident);
	if (!r)
		r = sd_event_add_time_relative(manager->event, &session->gather, CLOCK_BOOTTIME,
					       GATHER_US, GATHER_ACCURACY_US, session_gathered,
					       session);
	if (r >= 0)
		r = session_name(session);
	if (r < 0) {
		sd_event_source_disable_unref(session->gather);
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
		inquiry_cancel(session->naming);
		inspector_cancel(session->inspector);
		sd_event_source_unref(session->gather);
		sd_event_source_disable_unref(session->meter.timer);
		session_forget_disks(session);
		session_drop_volumes(session);
		free(session->report);
		free(session);
	}
	return NULL;
}

struct session *session_gone(struct session *session)
{
	struct manager *manager = session->manager;
	bool awaited = session->naming;

	if (session->announced) {
		manager_record(manager, "removed", "DeviceRemoved", &session->device, NULL);
		/* The signal goes out with the record, and before the object. */
		evidence_flush(manager->evidence);
		manager_bus_device_removed(manager->bus, &session->device);
	}
	session_leave_grant(session);
	released_remove(manager->released, &session->device);
	session_tell_others(session);
	session_free(session);
	if (awaited)
		manager_session_named(manager);
	manager_plan(manager);
	return NULL;
}
