/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of one USB device from the moment the gate holds it:
 *
 *            ┌───────────────── held anew (sleep over, class list tightened, …) ◄──────┐
 *            ▼                                                                         │
 *   GATHER ──► judge ──block──────────────────────────────────────────► SETTLED ───────┤
 *     all        │ prove                                                   ▲           │
 *  interfaces    ▼                                                         │           │
 *   are known  OPENING ──gate says INSPECT──► INSPECTING ──report──► judge ┤block      │
 *                │ gate refuses                   │ timeout, death         │           │
 *                └────────────────────────────────┴──► deny ───────────────┤           │
 *                                                                    allow │           │
 *                       WAITING ◄── system sleeps, from any state          ▼           │
 *                           └──────── system wakes ──────────────►     RELEASING ──────┘
 *
 *   SETTLED ──judged again (policy, clock, who is logged in, …) and the right is gone──► REVOKING ──► GATHER's end
 *           └─and a right has come────────────────────────────────────────────────────────────────► judge
 *
 * A record is durable before the verdict that it tells of is sent; if it cannot be written,
 * the verdict is no. Everything that goes wrong ends in a denial with its own reason.
 */
#pragma once

#include <sys/types.h>

#include "core/report.h"
#include "daemon/device.h"
#include "daemon/manager.h"
#include "daemon/volume.h"
#include "system/blockdev.h"

enum session_phase {
	SESSION_GATHER,
	SESSION_OPENING,
	SESSION_INSPECTING,
	SESSION_RELEASING,
	SESSION_SETTLED,
	SESSION_REVOKING, /* a release is being taken back; judged once it is */
	SESSION_WAITING, /* for an event of the gate: unplugged, or the terminal sleeps */
};

/* How often a device may lose its right because of other devices, or change its medium before it is proved. */
#define SESSION_FLAPS_MAX 4

struct inspector;

/* A disk of a released device, on its way to be found the one that was inspected. */
struct session_disk {
	struct session *session;
	char name[DEVICE_BLOCK_NAME_MAX]; /* "sda" */
	dev_t devnum;
	uint8_t unit; /* its LUN */
	uint8_t type; /* SCSI peripheral device type, as the kernel knows it */
	bool proved;  /* it was the inspected one, once */
	bool settled; /* … and is, as far as anybody has said */
	unsigned int restarts; /* looks that a change of the medium spoiled, since one was whole */
	bool changed; /* the medium was changed since the disk appeared */
	bool again;   /* … while it was looked at */
	struct inspector *inspector;
};

struct session_volume {
	struct volume_life *life;
	uint8_t unit; /* its disk's */
};

/* What was written to a device that a grant lets in for writing, in bytes. */
struct session_meter {
	sd_event_source *timer; /* it is being counted */
	struct session_meter_disk {
		char name[DEVICE_BLOCK_NAME_MAX];
		uint64_t written; /* since it appeared */
	} disks[DEVICE_BLOCKS_MAX];
	unsigned int n_disks;
	uint64_t untold;      /* to daemon/exceptions.h */
	uint64_t told;	      /* since the release, with what is not to be told: it was written by another right */
	uint64_t told_before; /* … of which an earlier daemon has; counted down */
	uint64_t told_us;     /* when; CLOCK_BOOTTIME; 0: never */
	bool closed;	      /* a volume was, since */
};

/* Each unit may be let in as it is, with partitions of its own. */
#define SESSION_VOLUMES_MAX 32

struct session {
	struct session *next; /* the manager's list */
	struct manager *manager;
	struct device device;
	enum session_phase phase;
	uint64_t proving; /* cookie of the storage interface that is being proved */
	struct inspector *inspector;
	struct report *report; /* of the last inspection; NULL before one */
	bool no_driver;	     /* a release found no driver */
	bool on_blocks;	     /* released to be inspected on its block devices, which nobody else may open */
	bool resumed;	     /* released by an earlier daemon */
	unsigned int changes; /* of the medium, since changed_us (CLOCK_BOOTTIME) */
	uint64_t changed_us;
	bool quiet;	     /* looked at again for a medium: nothing is told while there is none */
	sd_event_source *poll; /* timer: look again, or no more disks are to come */
	struct session_disk *disks[DEVICE_BLOCKS_MAX];
	unsigned int n_disks;
	struct session_volume volumes[SESSION_VOLUMES_MAX];
	unsigned int n_volumes;
	sd_event_source *stuck;	      /* one of its volumes cannot be closed: it is revoked at the next turn */
	sd_event_source *close_timer; /* its volumes are being closed, then it is taken back */
	struct session_meter meter;
	const char *refused; /* reason code: denied for good until it is plugged anew; or NULL */
	const char *again;   /* to be judged again once the release is done, and why; or NULL */
	uint64_t seed;	     /* for random() */
	int64_t recheck;     /* civil seconds: when time may change the verdict; INT64_MAX never */
	struct inquiry *naming;	 /* reads its strings */
	bool named;		 /* … and has: the identity is whole */
	sd_event_source *gather; /* timer: some interface never appeared; NULL when it has rung */
	unsigned int expected;	 /* interfaces that the gate will tell of */
	unsigned int flaps;	 /* how often its right went because of other devices */
	bool announced;		 /* the object is on D-Bus */
};

/* A session for the device of this event, which is not in it yet. 0, -ENODEV if it has gone. */
int session_new(struct session **sessionp, struct manager *manager, const char *name,
		const struct sekimori_event *event);

/* Stops an inspection and frees; what is held stays held. NULL is ok. */
struct session *session_free(struct session *session);

/* The device is gone: says so on D-Bus and in the log, and frees. */
struct session *session_gone(struct session *session);

/*
 * The order in which devices of the first snapshot are judged: those that nothing is held of, those that were
 * released, the rest. Above SESSION_RANK_LAST: it has begun already.
 */
#define SESSION_RANK_LAST 2
unsigned int session_rank(const struct session *session);

/* Puts the interfaces that are known into the identity. */
void session_identify(struct session *session);

/*
 * Judges the device if its strings and all its interfaces are there (or have had their time), and the first snapshot is whole.
 */
void session_gathered_all(struct session *session);

/* Events were lost, and a fresh snapshot has been read: goes on from the states as they are. */
void session_catch_up(struct session *session);

/* PRESENT or ADDED: an interface of the device, in the state given. */
void session_add_interface(struct session *session, const struct sekimori_event *event);

/* STATE: a change has been carried out. */
void session_state_changed(struct session *session, const struct sekimori_event *event);

/* REMOVED. True when it was the last interface: the device is gone. */
bool session_remove_interface(struct session *session, uint64_t cookie);

/* After a fresh snapshot: drops interfaces that it did not name (seq older than its SYNC). True as above. */
bool session_drop_stale(struct session *session, uint64_t seq);

/* Is something of it held, or open to be inspected? */
bool session_any_held(const struct session *session);

bool session_has_cookie(const struct session *session, uint64_t cookie);

/*
 * The world has changed (`why`: a word for the log): what lost its right is revoked, what gained one is judged
 * anew.
 */
void session_rejudge(struct session *session, const char *why);

/* Takes everything back; the device is then judged anew, or denied if session->refused is set. */
void session_revoke(struct session *session, const char *why);

/* Puts it on the bus, if it is not there. */
void session_announce(struct session *session);

/* Tells D-Bus that something of the device has changed. */
void session_show(struct session *session);

/*
 * Disks that appear (or change) and disappear; true if it was one of ours. Each is made read-only where only that was
 * granted, and read again: it must be what was inspected (session-disks.c).
 */
void session_block_appeared(struct session *session, const struct blockdev *disk);
bool session_remove_disk(struct session *session, const char *disk);

/* Does somebody wait to hear that this device holds no data any more, and can it be told from others? */
bool session_may_be_erased(const struct manager *manager, const struct device *device);

/* Tells now what has been written to it under a grant. */
void session_count(struct session *session);

/* The same once a minute at most, and else when the minute is over: one of its volumes was closed, and may be opened and closed at will. */
void session_count_closed(struct session *session);

/* The daemon ends: what is open stays open for the next one. */
void session_leave_volumes(struct session *session);

/* Something has happened to the session in which this user opened volumes. */
void session_volumes_happened(struct session *session, const struct volume_rules *rules,
			      enum volume_event event, uid_t uid);

/*
 * Closes, as the policy has it for a log-out, what is open for somebody who has no session here any more: he may have
 * logged out in the background, or while no daemon ran.
 */
void session_close_abandoned(struct session *session);

/* Closes what an earlier daemon has left open and no session has taken up. */
void session_sweep_volumes(struct manager *manager);

/* Those that appeared while no daemon looked. */
void session_find_disks(struct session *session);
