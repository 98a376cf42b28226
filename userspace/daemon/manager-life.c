// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/json.h"
#include "daemon/lastlife.h"
#include "daemon/manager-life.h"
#include "daemon/session.h"

#define QUIET_ACCURACY_US 10000000u

static struct deaths_device device_of(const char *name, unsigned int busnum, unsigned int devnum)
{
	struct deaths_device device = { .busnum = busnum, .devnum = devnum };

	snprintf(device.name, sizeof(device.name), "%s", name);
	return device;
}

/* A disk is read again, or what is on it opened. What is open has been met before, and is not torn away for others' deaths. */
static bool is_looked_at(const struct session *session)
{
	for (unsigned int i = 0; i < session->n_disks; i++)
		if (session->disks[i]->inspector)
			return true;
	for (unsigned int i = 0; i < session->n_volumes; i++) {
		enum volume_state state = volume_view(session->volumes[i].life)->state;

		if (state == VOLUME_OPENING || state == VOLUME_SCANNING)
			return true;
	}
	return false;
}

/*
 * What was let in earlier is not suspected while it waits for its turn: manager_life_meet() tells when that has come.
 */
static bool is_judging(const struct session *session)
{
	switch (session->phase) {
	case SESSION_GATHER:
		return session_any_held(session);
	case SESSION_OPENING:
	case SESSION_INSPECTING:
		return true;
	case SESSION_RELEASING:
		return session->on_blocks;
	default:
		return is_looked_at(session);
	}
}

void manager_life_judged(struct manager *manager)
{
	struct deaths_device devices[DEATHS_DEVICES_MAX];
	size_t n = 0;

	for (const struct session *s = manager->sessions; s && n < DEATHS_DEVICES_MAX; s = s->next)
		if (is_judging(s))
			devices[n++] = device_of(s->device.ident.name, s->device.ident.busnum, s->device.ident.devnum);
	lastlife_judging(manager->lastlife, devices, n);
}

static int look_at_judging(sd_event_source *source, void *userdata)
{
	manager_life_judged(userdata);
	return 0;
}

static int quiet_now(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;

	lastlife_forget(manager->lastlife);
	manager_bus_info_changed(manager->bus);
	return 0;
}

int manager_life_begin(struct manager *manager)
{
	int r = sd_event_add_post(manager->event, &manager->watch_judging, look_at_judging, manager);

	if (r >= 0)
		r = sd_event_add_time_relative(manager->event, &manager->quiet, CLOCK_BOOTTIME, DEATHS_QUIET_US,
					       QUIET_ACCURACY_US, quiet_now, manager);
	return r < 0 ? r : 0;
}

void manager_life_end(struct manager *manager)
{
	sd_event_source_disable_unref(manager->watch_judging);
	sd_event_source_disable_unref(manager->quiet);
}

void manager_life_tell(struct manager *manager)
{
	const struct deaths *deaths = lastlife_deaths(manager->lastlife);
	struct json_object *extra, *held;

	if (!deaths_is_loop(deaths))
		return;
	extra = json_object_new_object();
	held = json_object_new_array();
	if (!extra || !held) {
		json_object_put(extra);
		json_object_put(held);
		manager_record(manager, "crash-loop", NULL, NULL, NULL);
		return;
	}
	json_add_number(extra, "deaths", deaths->count);
	json_add_number(extra, "waited_s", deaths_wait_s(deaths));
	for (size_t i = 0; i < deaths->n_held; i++)
		json_object_array_add(held, json_object_new_string(deaths->held[i].name));
	json_object_object_add(extra, "devices", held);
	manager_record(manager, "crash-loop", NULL, NULL, extra);
}

/*
 * The gate shuts what was open for an inspection when the daemon dies; what was released is taken back here. By the second layer that
 * is KEPT, as what was there before us is: only of the former a device is ever judged, and only there KEPT can be revoked.
 */
static void take_back(struct manager *manager, const struct sekimori_event *event)
{
	const bool kept = event->state == SEKIMORI_STATE_KEPT;
	int r = 0;

	if ((event->state == SEKIMORI_STATE_RELEASED || kept) && !manager->drill.on)
		r = gate_verdict(manager->gate, event->cookie, SEKIMORI_VERDICT_REVOKE, 0);
	else if (event->state == SEKIMORI_STATE_INSPECT)
		r = gate_verdict(manager->gate, event->cookie, SEKIMORI_VERDICT_HOLD, 0);
	if (r && r != -ESTALE && !(kept && r == -EBUSY))
		fprintf(stderr, SD_CRIT "interface %s cannot be taken back: %s\n", event->name, strerror(-r));
}

void manager_life_meet(struct manager *manager, const struct device *device)
{
	const struct deaths_device met = device_of(device->ident.name, device->ident.busnum, device->ident.devnum);

	lastlife_meet(manager->lastlife, &met);
}

bool manager_life_may_meet(struct manager *manager, const char *name, const struct sekimori_event *event)
{
	struct deaths_device device = device_of(name, event->busnum, event->devnum);

	if (deaths_holds(lastlife_deaths(manager->lastlife), &device)) {
		fprintf(stderr, SD_WARNING "device %s is %s until it is plugged anew: the daemon has died again and again while "
					   "judging it\n",
			name, manager->drill.on ? "left as it is" : "held");
		take_back(manager, event);
		return false;
	}
	if (event->state != SEKIMORI_STATE_PASSED)
		lastlife_meet(manager->lastlife, &device);
	return true;
}
