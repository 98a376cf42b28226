// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/json.h"
#include "daemon/manager-exceptions.h"
#include "daemon/manager-gate.h"
#include "daemon/manager-life.h"
#include "daemon/session.h"
#include "system/usbdev.h"

/* --- records of what concerns no session --- */

static const char *attempt_name(uint8_t attempt)
{
	switch (attempt) {
	case SEKIMORI_ATTEMPT_BIND:
		return "bind";
	case SEKIMORI_ATTEMPT_AUTHORIZE:
		return "authorize";
	case SEKIMORI_ATTEMPT_CLAIM:
		return "claim";
	case SEKIMORI_ATTEMPT_UNLOAD:
		return "unload";
	}
	return "unknown";
}

/* Who did what to which interface, as the gate saw it. NULL without memory. */
static struct json_object *describe_event(const struct sekimori_event *event)
{
	struct json_object *extra = json_object_new_object();
	char id[16];

	if (!extra)
		return NULL;
	if (event->attempt)
		json_add_string(extra, "attempt", attempt_name(event->attempt));
	if (event->name[0]) {
		snprintf(id, sizeof(id), "%04x:%04x", event->id_vendor, event->id_product);
		json_add_string(extra, "interface", event->name);
		json_add_string(extra, "id", id);
	}
	if (event->driver[0])
		json_add_string(extra, "driver", event->driver);
	/* A program's name may be any bytes. */
	if (event->comm[0]) {
		char program[IDENT_STRING_MAX];

		ident_set_string(program, event->comm);
		json_add_string(extra, "program", program);
		json_add_number(extra, "pid", (uint64_t)event->pid);
		json_add_number(extra, "uid", event->uid);
	}
	if (event->count)
		json_add_number(extra, "count", event->count);
	json_add_number(extra, "happened_us", event->boottime_ns / 1000);
	return extra;
}

static void record_event(struct manager *manager, const char *kind, const char *signal,
			 const struct sekimori_event *event)
{
	manager_record(manager, kind, signal, NULL, describe_event(event));
}

/* --- sessions --- */

/* Reading the strings of an honest device takes some milliseconds, and all of them are read at once. */
#define NAMES_US 2000000u
#define NAMES_ACCURACY_US 100000u

static struct session **find_device(struct manager *manager, const char *name,
				    const struct sekimori_event *event)
{
	struct session **p = &manager->sessions;

	while (*p && (strcmp((*p)->device.ident.name, name) ||
		      (*p)->device.ident.busnum != event->busnum ||
		      (*p)->device.ident.devnum != event->devnum))
		p = &(*p)->next;
	return p;
}

static struct session **find_cookie(struct manager *manager, uint64_t cookie)
{
	struct session **p = &manager->sessions;

	while (*p && !session_has_cookie(*p, cookie))
		p = &(*p)->next;
	return p;
}

static void unlink_session(struct session **p)
{
	struct session *session = *p;

	*p = session->next;
	session_gone(session);
}

static void interface_added(struct manager *manager, const struct sekimori_event *event)
{
	char name[IDENT_NAME_MAX];
	struct session **p;
	int r;

	if (usbdev_name_of_interface(event->name, name))
		return;
	p = find_device(manager, name, event);
	if (!*p) {
		if (!manager_life_may_meet(manager, name, event))
			return;
		r = session_new(p, manager, name, event);
		if (r) {
			/* Without a session nobody will release it. Mostly it has just been unplugged. */
			if (r != -ENODEV)
				fprintf(stderr, SD_ERR "device %s stays held: %s\n", name,
					strerror(-r));
			return;
		}
	}
	session_add_interface(*p, event);
	manager_life_judged(manager);
}

static void interface_removed(struct manager *manager, const struct sekimori_event *event)
{
	struct session **p = find_cookie(manager, event->cookie);

	if (*p && session_remove_interface(*p, event->cookie))
		unlink_session(p);
	else if (!*p && event->seq <= manager->sync_seq)
		record_event(manager, "missed", NULL, event);
}

/*
 * The first snapshot shows what an earlier daemon left. Devices are judged once all of them are known, and those that
 * are in use before the others, because a rule may ask what else is there.
 */
static void begin_all(struct manager *manager)
{
	manager->begun = true;
	manager->late = sd_event_source_disable_unref(manager->late);
	for (struct session *s = manager->sessions; s; s = s->next)
		if (session_rank(s) <= SESSION_RANK_LAST)
			session_identify(s);
	for (unsigned int rank = 0; rank <= SESSION_RANK_LAST; rank++)
		for (struct session *s = manager->sessions; s; s = s->next)
			if (session_rank(s) == rank) {
				session_gathered_all(s);
				manager_life_judged(manager);
			}
	manager_exceptions_settle(manager);
}

void manager_session_named(struct manager *manager)
{
	if (manager->begun)
		manager_exceptions_settle(manager);
	if (!manager->synced || manager->begun)
		return;
	for (const struct session *s = manager->sessions; s; s = s->next)
		if (s->naming)
			return;
	begin_all(manager);
}

static int names_are_late(sd_event_source *source, uint64_t usec, void *userdata)
{
	begin_all(userdata);
	return 0;
}

/* A device that hangs does not hold up the others for long: it is judged when it is named. */
static void begin_when_named(struct manager *manager)
{
	int r;

	manager_session_named(manager);
	if (manager->begun || manager->late)
		return;
	r = sd_event_add_time_relative(manager->event, &manager->late, CLOCK_BOOTTIME, NAMES_US,
				       NAMES_ACCURACY_US, names_are_late, manager);
	if (r < 0)
		begin_all(manager);
}

static void snapshot_done(struct manager *manager, const struct sekimori_event *event)
{
	struct session **p = &manager->sessions;
	bool locked = event->flags & SEKIMORI_F_LOCKED, first = !manager->synced;

	while (*p) {
		if (session_drop_stale(*p, event->seq))
			unlink_session(p);
		else
			p = &(*p)->next;
	}
	manager->sync_seq = event->seq;
	manager->synced = true;
	if (first)
		begin_when_named(manager);
	else
		for (struct session *s = manager->sessions; s; s = s->next)
			session_catch_up(s);
	if (manager->info.module_locked != locked) {
		manager->info.module_locked = locked;
		manager_bus_info_changed(manager->bus);
	}
}

void manager_gate_event(void *userdata, const struct sekimori_event *event)
{
	struct manager *manager = userdata;
	/* What the snapshot already contains. */
	bool history = manager->synced && event->seq <= manager->sync_seq;
	struct session **p;

	switch (event->kind) {
	case SEKIMORI_EV_PRESENT:
		interface_added(manager, event);
		break;
	case SEKIMORI_EV_SYNC:
		snapshot_done(manager, event);
		break;
	case SEKIMORI_EV_ADDED:
		if (!history)
			interface_added(manager, event);
		else if (!*find_cookie(manager, event->cookie))
			record_event(manager, "missed", NULL, event);
		break;
	case SEKIMORI_EV_STATE:
		p = find_cookie(manager, event->cookie);
		if (!history && *p)
			session_state_changed(*p, event);
		break;
	case SEKIMORI_EV_REMOVED:
		interface_removed(manager, event);
		break;
	case SEKIMORI_EV_REFUSED:
		record_event(manager, "refused", "AttemptRefused", event);
		break;
	case SEKIMORI_EV_KEEPER:
		record_event(manager, "keeper-before", NULL, event);
		break;
	case SEKIMORI_EV_OVERFLOW:
		/* A fresh snapshot follows. */
		record_event(manager, "overflow", NULL, event);
		break;
	case SEKIMORI_EV_HARMLESS:
		record_event(manager, "harmless-changed", NULL, event);
		break;
	}
}
