/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of one proved volume on this terminal, from the release of its device to its end:
 *
 *                ┌──────────────────── wrong passphrase ───────────────────┐
 *                ▼                                                         │
 *             LOCKED ──open──► OPENING ──what the policy scans──► SCANNING │
 *               ▲ ▲               │ └──────────────────┬────────────┘      │
 *               │ │               │ all else           ▼ shown to its user │
 *               │ │               ▼                   OPEN                 │
 *               │ └──close──── FAILED ◄─┐              │ close             │
 *               │                  │    │ helper died  ▼                   │
 *               │            open ─┘    └──────────  CLOSING ──busy──► OPEN
 *               └───────────────────────────────────── │
 *
 * The work is done by sekimori-open, one child for each transition (system/opener.h). Where it dies or is stopped
 * in the middle, another one with --force undoes what it did. FAILED differs from LOCKED only in that somebody
 * should know: infected, no file system, a device that does not answer.
 *
 * While it is being scanned nobody at the terminal can end that: a close is refused. The daemon's own reasons
 * (unplugged, revoked, session over) end everything at once, with force.
 *
 * Where the policy records transfers, sekimori-transfer watches from before the volume is shown until it has been
 * unmounted (daemon/transfers.h); a volume that cannot be watched is closed, "transfers-unwatched".
 */
#pragma once

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "core/macro.h"
#include "core/tries.h"
#include "core/volume.h"
#include "daemon/transfers.h"
#include "system/mounts.h"
#include "system/opennote.h"

#define VOLUME_REASON_MAX 32
#define VOLUME_LIFE_DETAIL_MAX 256
#define VOLUME_INFECTED_MAX 20
#define VOLUME_PATH_MAX 256
#define VOLUME_SIGNATURE_MAX 96

enum volume_state {
	VOLUME_LOCKED,
	VOLUME_OPENING,
	VOLUME_SCANNING,
	VOLUME_OPEN,
	VOLUME_CLOSING,
	VOLUME_FAILED,
};

/* "locked", "opening", … */
const char *volume_state_name(enum volume_state state);

/* What is known when the device is released. Texts are copied. */
struct volume_facts {
	uint64_t id;	      /* of its D-Bus object; never used twice in one run */
	uint64_t device;      /* struct device's id */
	const char *node;     /* "/dev/sdb1" */
	unsigned int partition; /* 0: the whole disk */
	const char *method;   /* "luks2", "luks1", "bitlocker"; "plain": nothing to unlock */
	const char *uuid;     /* "" only with "plain" */
	const char *cipher;   /* that was proved, as dm-crypt writes it; "" none is known */
	const char *label;    /* for people and for its directory; "": the file system's own */
	bool read_only;
};

/* The life as it can be seen; plain data. */
struct volume_view {
	uint64_t id;
	uint64_t device;
	unsigned int partition;
	char node[OPENNOTE_NAME_MAX];
	char mapping[OPENNOTE_MAPPING_MAX];
	char method[16];
	char uuid[OPENNOTE_UUID_MAX];
	char cipher[VOLUME_CIPHER_MAX];
	char label[OPENNOTE_NAME_MAX];
	bool read_only;
	enum volume_state state;
	char user[OPENNOTE_NAME_MAX]; /* whom it is or was open for; "" nobody yet */
	uid_t uid;
	uint64_t done; /* files scanned, of: */
	uint64_t total;
	char mount[OPENNOTE_TEXT_MAX];	 /* while it is open */
	char error[VOLUME_REASON_MAX];	 /* why the last attempt failed, core/reason.h; "" it did not */
	char detail[VOLUME_LIFE_DETAIL_MAX]; /* English, for the help desk */
	unsigned int wrong;		 /* passphrases since the last right one */
	struct volume_infected {
		char path[VOLUME_PATH_MAX];
		char signature[VOLUME_SIGNATURE_MAX];
	} infected[VOLUME_INFECTED_MAX];
	unsigned int n_infected;
	struct mounts_holder holders[MOUNTS_HOLDERS_MAX]; /* who kept it from being closed */
	unsigned int n_holders;
};

struct volume_user {
	uid_t uid;
	gid_t gid;
	const char *name;
};

/* What all volumes of a terminal share; not owned. */
struct volume_setup {
	sd_event *event;
	const char *helper;	  /* path of sekimori-open */
	const char *scanner;	  /* clamd's socket; NULL: the policy asks for no scan */
	const char *organisation; /* file with the organisation's secret; NULL: this terminal has none, or */
	bool organisation_unopened; /* … it could not be opened */
	unsigned int idle_ms;	  /* VOLUME_IDLE_MS, or less for a test */
	struct tries *tries;
	struct transfers_setup transfers;
};

/* Above what sekimori-open gives clamd for one file (150 s). */
#define VOLUME_IDLE_MS 180000

struct volume_life;

struct volume_ops {
	/* Something of the view is another. Not called inside volume_new(). */
	void (*changed)(void *userdata, struct volume_life *volume);
	/*
	 * A record for the log: "volume-opening", "volume-opened", "volume-refused", "volume-closed",
	 * and those of daemon/transfers.h. `extra` is taken over. Negative: it could not be written; then "volume-opening" goes no further.
	 */
	int (*record)(void *userdata, const struct volume_view *view, const char *kind,
		      struct json_object *extra);
	/*
	 * May this user of D-Bus open and close it, and if so, for whom is it opened? `user` stays valid until the
	 * loop's next turn. NULL: nobody may.
	 */
	bool (*may)(void *userdata, const struct volume_view *view, uid_t caller,
		    struct volume_user *user);
	/*
	 * It could not be closed, not even by force, and goes to FAILED: only taking its device away ends what may be
	 * going on there. May be NULL. May not do that before it has returned.
	 */
	void (*stuck)(void *userdata, const struct volume_view *view);
};

/*
 * Begins LOCKED, or OPEN where a daemon before this one has left it so; what one has left half done is cleaned up
 * first. 0 or a negative errno.
 */
int volume_new(struct volume_life **volumep, const struct volume_setup *setup,
	       const struct volume_facts *facts, const struct volume_ops *ops, void *userdata);

/*
 * The device is gone, or its right is: closes by force if there is anything to close. That goes on by itself after
 * the call; it is recorded, but no other callback comes. NULL is ok. `setup` and what `ops` need must outlive it.
 */
struct volume_life *volume_free(struct volume_life *volume);

/* The daemon ends: what is open stays for the next one; what is being opened is undone. */
struct volume_life *volume_leave(struct volume_life *volume);

/*
 * Closes by force what a daemon before this one has left open and nobody has taken up: its device is gone, or has lost its
 * right since. Recorded, and over by itself.
 */
void volume_sweep(const struct volume_setup *setup, const char *mapping, const struct volume_ops *ops,
		  void *userdata);

const struct volume_view *volume_view(const struct volume_life *volume);
bool volume_may(struct volume_life *volume, uid_t caller, struct volume_user *user);

/*
 * reason: NULL, or why not (a code of core/reason.h); the view has the rest. Called once for each start; may not free
 * the volume.
 */
typedef void (*volume_done_fn)(void *userdata, struct volume_life *volume, const char *reason);

/*
 * Opens for a user. `secret`: a pipe or a memfd that holds the passphrase, which only the helper reads; taken over in
 * any case; -1: the organisation's key, or nothing for "plain". What can be refused at once is: `done` is called
 * before the function returns.
 */
void volume_open(struct volume_life *volume, const struct volume_user *user, int secret,
		 volume_done_fn done, void *userdata);

/*
 * Closes; with force also what is in use or being opened. Closed already is success. One that fails half-way or comes to no
 * end is finished by force.
 */
void volume_close(struct volume_life *volume, bool force, volume_done_fn done, void *userdata);

/* --- the session it was opened in -------------------------------------------------------------- */

enum volume_event {
	VOLUME_AT_LOCK,	  /* the screen is locked */
	VOLUME_AT_LOGOUT, /* the session of the volume's user has ended */
	VOLUME_AT_SWITCH, /* somebody else is in front */
};

/* Policy: `at-lock`, `at-logout`, `at-switch`, each close or keep. */
struct volume_rules {
	bool close_at_lock;
	bool close_at_logout;
	bool close_at_switch;
};

#define VOLUME_RULES_DEFAULT { .close_at_logout = true, .close_at_switch = true }

/* Closes by force what is open, or being opened, and may not outlive the event. */
void volume_happened(struct volume_life *volume, const struct volume_rules *rules,
		     enum volume_event event);
