/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's state: the gate, the policy, the log, the bus, and a session for each USB device. Turns gate
 * events into calls on sessions; knows nothing of what a session does with them.
 */
#pragma once

#include <libudev.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "core/macro.h"
#include "core/policy.h"
#include "core/settings.h"
#include "daemon/evidence.h"
#include "daemon/manager-bus.h"
#include "daemon/released.h"
#include "system/gate.h"

struct session;

struct manager {
	sd_event *event;
	struct udev *udev;
	struct settings settings;
	struct policy *policy; /* NULL: none, nothing is allowed */
	struct gate *gate;
	struct evidence *evidence;
	struct released *released;
	struct manager_bus *bus;
	struct manager_bus_info info; /* what D-Bus shows of us */
	struct session *sessions;
	uint64_t last_id;
	/* The gate's protocol: what happened up to sync_seq is history. */
	bool synced;
	uint64_t sync_seq;
	struct udev_monitor *disks;
	sd_event_source *disks_source;
};

/*
 * Takes settings (copied) and policy (taken over in any case; may be NULL). On a failure everything is
 * closed and what is held stays held.
 */
int manager_new(struct manager **managerp, sd_event *event, const struct settings *settings,
		struct policy *policy);
struct manager *manager_free(struct manager *manager);
DEFINE_CLEANUP(struct manager *, manager_free)

/*
 * Writes a record and, if `signal` is not NULL, sends it as that D-Bus signal. Returns what
 * evidence_write() said: on an error nothing may be let through.
 */
int manager_record(struct manager *manager, const char *kind, const char *signal,
		   const struct device *device, struct json_object *extra);

/* Microseconds of CLOCK_BOOTTIME. */
uint64_t manager_now_us(void);
