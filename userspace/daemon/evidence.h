/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event log as the daemon writes it (docs/evidence.md): sealed records, one JSON object a line, in the order in which things
 * happened. The same record is what D-Bus signals, the journal and the kernel's audit carry.
 *
 * A kind that something rests on (core/eventkind.h: at_once) is durable when evidence_write() returns, and with it all before it;
 * the others become durable together at the end of the loop's turn, after 20 ms or 256 records at the latest.
 *
 * While the log cannot be written, evidence_write() fails, and evidence tries again by itself every few seconds.
 */
#pragma once

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "core/chain.h"
#include "core/macro.h"
#include "core/settings.h"
#include "daemon/device.h"

struct evidence;

struct evidence_callbacks {
	/*
	 * A record, in the order of the log, once it is durable, also those that evidence writes by itself ("checkpoint", "log-…",
	 * "clock-…"). Without `seq` and `hash` it is lost. signal: as given to evidence_write(); device: that one's id, 0 none.
	 * Keep what you need of it, and write nothing from here.
	 */
	void (*recorded)(void *userdata, const char *kind, const char *signal, uint64_t device, struct json_object *record);
	/* The log can be written again, or cannot any more. */
	void (*changed)(void *userdata, bool writable);
	/* evidence_state() is another. Comes before changed(). */
	void (*state)(void *userdata);
	/* What the service was given to write in has gone or become read-only, but not for the rest of the system. */
	void (*displaced)(void *userdata);
	void *userdata;
};

/*
 * Copies what it needs of the settings (terminal, log_…). A log that cannot be opened is no error here: see evidence_state(). SIGCHLD
 * must be blocked.
 */
int evidence_new(struct evidence **evidencep, sd_event *event, const struct settings *settings,
		 const struct evidence_callbacks *callbacks);
/* Makes everything durable first. */
struct evidence *evidence_free(struct evidence *evidence);

/*
 * Writes one record of this kind. `signal` (static, may be NULL) goes to recorded(). `device` (may be NULL) gives identity and
 * verdict; `extra` (may be NULL) gives further members and is released. The record is handed out in *recordp (to be
 * put by the caller) if recordp is not NULL, with its number and hash; also when writing failed, then without them.
 * 0, or a negative errno: the record is not in the log, and nothing may be let through on it. -EMSGSIZE: a short one of its kind
 * stands there in its place.
 */
int evidence_write(struct evidence *evidence, const char *kind, const char *signal, const struct device *device,
		   struct json_object *extra, struct json_object **recordp);

/* A record will be written soon: what another process must be asked for it is asked now, without waiting. */
void evidence_is_coming(void);

/* Makes durable what waits, and tells of it, before something that must come after. */
int evidence_flush(struct evidence *evidence);

/* Signs what there is. For the start, the end, and whoever wants an anchor now. */
int evidence_checkpoint(struct evidence *evidence);

/* Rotated files are removed once their newest record is older; 0: never. */
void evidence_set_retention(struct evidence *evidence, unsigned int days);

/* Records bear "drill":true from now on, or no more (daemon/drill.h). */
void evidence_set_drill(struct evidence *evidence, bool on);

/* "ok"; "cannot be written: …", and nothing may be let through; or another sentence of what should be looked at. */
const char *evidence_state(const struct evidence *evidence);

/* As far as it is known: false once a record could not be written, until changed() tells of the opposite. */
bool evidence_is_writable(const struct evidence *evidence);

/* Can the desk check the records' MACs? Else the first key was sealed to nobody. */
bool evidence_is_sealed_to_desk(const struct evidence *evidence);

/* The newest durable record: its number (0: none) and hash in hex; and the number of the newest checkpoint of this run. */
struct evidence_head {
	uint64_t seq;
	char hash[2 * CHAIN_HASH_LEN + 1];
	uint64_t checkpoint;
};
void evidence_head(const struct evidence *evidence, struct evidence_head *head);
