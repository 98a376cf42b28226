// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/manager-log.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/incidents.h"
#include "daemon/session.h"

int manager_record(struct manager *manager, const char *kind, const char *signal,
		   const struct device *device, struct json_object *extra)
{
	struct json_object *record;
	int r;

	r = evidence_write(manager->evidence, kind, signal, device, extra, &record);
	if (!r && record)
		manager_watch_incidents(manager, record);
	json_object_put(record);
	return r;
}

static const char *record_text(struct json_object *record, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(record, name, &value) ? json_object_get_string(value) : "";
}

static bool says_damage(const char *kind, struct json_object *record)
{
	const char *why = record_text(record, "why");

	return !strcmp(kind, "log-damaged") || (!strcmp(kind, "log-begun") && !strcmp(why, "key-state-lost")) ||
	       (!strcmp(kind, "log-continued") && !strcmp(why, "file-missing"));
}

/* An incident is a record, too: not while evidence is at work on what it told of. */
static int watch_own_records(sd_event_source *source, void *userdata)
{
	struct manager *manager = userdata;
	struct json_object *records = TAKE_PTR(manager->own_records);

	for (size_t i = 0; records && i < json_object_array_length(records); i++)
		manager_watch_incidents(manager, json_object_array_get_idx(records, i));
	json_object_put(records);
	return 0;
}

static void keep_own_record(struct manager *manager, struct json_object *record)
{
	if (!manager->own_records)
		manager->own_records = json_object_new_array();
	if (manager->own_records)
		json_object_array_add(manager->own_records, json_object_get(record));
	sd_event_source_set_enabled(manager->own_incidents, SD_EVENT_ONESHOT);
}

/* A name that is owned later than the damage was found: who listens hears of it then. */
static void tell_damage(void *userdata, DBusMessage *signal)
{
	struct manager *manager = userdata;

	if (signal || !manager->damaged)
		return;
	manager_bus_signal(manager->bus, "LogDamaged", NULL, manager->damaged);
	json_object_put(manager->damaged);
	manager->damaged = NULL;
}

static void take_damage(struct manager *manager, const char *kind, struct json_object *record)
{
	snprintf(manager->log_damage, sizeof(manager->log_damage), "%s %s", kind, record_text(record, "seq"));
	if (manager->bus && manager_bus_connected(manager->bus)) {
		manager_bus_signal(manager->bus, "LogDamaged", NULL, record);
		manager_bus_info_changed(manager->bus);
		return;
	}
	json_object_put(manager->damaged);
	manager->damaged = json_object_get(record);
}

/* No signal tells of an object that is not on the bus yet. */
static void announce(struct manager *manager, uint64_t device)
{
	for (struct session *s = manager->sessions; s; s = s->next)
		if (s->device.id == device)
			session_announce(s);
}

/* Every record passes here once on its way to D-Bus. One that could not be written has no number and no hash. */
void manager_log_recorded(void *userdata, const char *kind, const char *signal, uint64_t device,
			  struct json_object *record)
{
	struct manager *manager = userdata;
	bool written = json_object_object_get_ex(record, "hash", NULL), damage = written && says_damage(kind, record);

	if (damage)
		take_damage(manager, kind, record);
	if (damage || (written && !strcmp(kind, "clock-reversed")))
		keep_own_record(manager, record);
	if (!manager->bus)
		return;
	if (!strcmp(kind, "checkpoint"))
		signal = "LogCheckpoint";
	if (signal && device)
		announce(manager, device);
	if (signal)
		manager_bus_signal(manager->bus, signal, device ? &device : NULL, record);
	if (written)
		manager_bus_recorded(manager->bus, record);
}

void manager_log_state_changed(void *userdata)
{
	struct manager *manager = userdata;

	if (manager->bus)
		manager_bus_info_changed(manager->bus);
}

void manager_log_changed(void *userdata, bool writable)
{
	struct manager *manager = userdata;

	/* What was refused because it could not be written down is judged again; a drill begins that could not. */
	if (writable && manager->rejudge) {
		manager->drill.retry = true;
		manager_rejudge(manager, "log");
	}
}

/* Only systemd can build anew what it had built. */
void manager_log_displaced(void *userdata)
{
	struct manager *manager = userdata;

	if (!getenv("INVOCATION_ID"))
		return;
	fprintf(stderr, SD_ERR "event log: its directory was removed under the service; ending, so that systemd makes it anew\n");
	sd_event_exit(manager->event, EXIT_FAILURE);
}

/* --- beginning and end --- */

int manager_log_begin(struct manager *manager)
{
	int r = sd_event_add_defer(manager->event, &manager->own_incidents, watch_own_records, manager);

	if (r >= 0)
		r = sd_event_source_set_enabled(manager->own_incidents, SD_EVENT_OFF);
	return r < 0 ? r : 0;
}

int manager_log_join_bus(struct manager *manager)
{
	return bus_connection_follow(manager_bus_connection(manager->bus), NULL, tell_damage, manager);
}

void manager_log_finish(struct manager *manager)
{
	watch_own_records(NULL, manager);
}

void manager_log_end(struct manager *manager)
{
	sd_event_source_disable_unref(manager->own_incidents);
	json_object_put(manager->own_records);
	json_object_put(manager->damaged);
}
