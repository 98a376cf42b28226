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
#include "core/settings.h"
#include "daemon/administration.h"
#include "daemon/drill.h"
#include "daemon/evidence.h"
#include "daemon/exceptions.h"
#include "daemon/manager-bus.h"
#include "daemon/memory.h"
#include "daemon/released.h"
#include "daemon/rulebook.h"
#include "daemon/screenlock.h"
#include "daemon/secret.h"
#include "daemon/selfcheck.h"
#include "system/alarm.h"
#include "system/gate.h"
#include "system/seat.h"

struct incidents;
struct lastlife;
struct phone;
struct roads;
struct session;

struct manager {
	sd_event *event;
	struct udev *udev;
	struct settings settings;
	struct rulebook rulebook; /* the policy in force */
	struct drill drill;	  /* is anything blocked at all? */
	struct memory *memory;	  /* of rules applied */
	struct seat *seat;	  /* who is logged in */
	struct alarm *alarm;	  /* for rights that begin or end */
	sd_event_source *first;	  /* the first turn of the loop, */
	bool started;		  /* … which records that there is a daemon */
	sd_event_source *rejudge; /* a turn of the loop in which all devices are judged again */
	const char *rejudge_why;
	struct gate *gate;
	struct evidence *evidence;
	struct incidents *incidents; /* what has to be reported: core/incident.h */
	struct json_object *own_records; /* that the log wrote of itself and may be incidents: an array, looked at by: */
	sd_event_source *own_incidents;
	struct json_object *damaged; /* LogDamaged before there was a bus */
	char log_damage[64];
	struct exceptions *exceptions; /* temporary ones, */
	struct phone *phone;	       /* … asked for by telephone, */
	struct trust *trust;	       /* … by a grant file that these keys have signed */
	struct released *released;
	struct lastlife *lastlife; /* borrowed: what is left to the next daemon */
	sd_event_source *watch_judging, *quiet; /* after each turn; timer: this daemon has lived long enough */
	struct manager_bus *bus;
	struct manager_bus_info info; /* what D-Bus shows of us */
	struct roads *roads; /* other than USB, that somebody tried; NULL: it is not known */
	struct selfcheck selfcheck; /* the newest */
	struct administration *administration; /* who has called what there */
	struct session *sessions;
	uint64_t last_id;
	struct tries tries;	     /* wrong passphrases */
	struct volume_setup volumes; /* what all volumes share */
	struct inspector_spare *spare; /* waits for the next device */
	const char *unopened[N_SECRETS + 1]; /* names of secrets that could not be opened, NULL at the end */
	uint64_t last_volume;
	sd_event_source *sweep; /* timer: by then what is open is taken up, or nobody's */
	struct screenlock *screenlock; /* is the seat's screen locked? */
	uid_t seated;		     /* who opened volumes may belong to; (uid_t)-1 nobody */
	/* The gate's protocol: what happened up to sync_seq is history. */
	bool synced;
	uint64_t sync_seq;
	bool begun; /* … and the devices of the first snapshot have been judged, as far as their strings are known */
	sd_event_source *late; /* timer: one of those does not answer, and the others wait no longer */
	struct udev_monitor *disks; /* and their partitions */
	sd_event_source *disks_source;
};

/* Copies the settings, borrows `lastlife`. On a failure everything is closed and what is held stays held. */
int manager_new(struct manager **managerp, sd_event *event, const struct settings *settings, struct lastlife *lastlife);
struct manager *manager_free(struct manager *manager);
DEFINE_CLEANUP(struct manager *, manager_free)

/*
 * Writes a record and, if `signal` is not NULL, sends it as that D-Bus signal. Returns what
 * evidence_write() said: on an error nothing may be let through.
 */
int manager_record(struct manager *manager, const char *kind, const char *signal,
		   const struct device *device, struct json_object *extra);

/*
 * Judges every device again soon, from the loop. `why` is a word for the log, static: "policy", "time",
 * "clock", "session", "others", "log", "exception", "drill".
 */
void manager_rejudge(struct manager *manager, const char *why);

/* A session's moment of being judged again (session->recheck) is another: sets the alarm to the first. */
void manager_plan(struct manager *manager);

/* What the policy in force says of open volumes. */
struct volume_rules manager_volume_rules(const struct manager *manager);

/* Microseconds of CLOCK_BOOTTIME. */
uint64_t manager_now_us(void);
