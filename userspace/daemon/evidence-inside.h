/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rooms of the evidence: evidence.c writes, evidence-state.c says how the log is, evidence-device.c describes a device,
 * evidence-tell.c tells others, evidence-keep.c rotates and removes files, evidence-clock.c reads the clocks.
 */
#pragma once

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "core/clockwatch.h"
#include "core/eventkind.h"
#include "core/macro.h"
#include "daemon/evidence.h"
#include "system/logrotate.h"
#include "system/logstore.h"

#define EVIDENCE_SECOND INT64_C(1000000)
#define EVIDENCE_DAY (86400 * EVIDENCE_SECOND)

/* Records that wait for a commit together. */
#define EVIDENCE_SOON_MAX 256

/* Sources that nobody waits for. */
#define EVIDENCE_LATER (SD_EVENT_PRIORITY_NORMAL + 20)

/* A record on its way to those who are told. */
struct evidence_note {
	const struct eventkind *kind;
	const char *signal;
	uint64_t device;
	struct json_object *record;
};

struct evidence {
	sd_event *event;
	struct evidence_callbacks callbacks;
	struct logstore *store;
	struct logrotate *rotate;
	struct evidence_tell *tell;
	char terminal[SETTINGS_VALUE_MAX];
	char name[SETTINGS_VALUE_MAX]; /* of the current file */
	uint64_t rotate_bytes;
	int64_t rotate_us;
	unsigned int checkpoint_records;
	uint64_t checkpoint_us;
	unsigned int retention_days;

	bool writable;
	bool drill; /* records say so */
	int error;	    /* why not */
	int keys_error;	    /* negative errno: the old keys are still there */
	uint64_t space_low; /* bytes that are left, when that is little */
	char state[128];
	unsigned int tries; /* to write again, since it last could be written */
	uint64_t unsaved_since, unsaved_seq; /* CLOCK_MONOTONIC; number of the newest record when keys were saved */

	/* What retention may believe of the clock; kept in the directory of the keys. */
	char keys[SETTINGS_VALUE_MAX];
	struct clockwatch watch;
	bool watching;
	int64_t leapt_us; /* to be told of */
	unsigned int since_checkpoint;
	uint64_t checkpoint_seq;
	int64_t no_rotation_before; /* after one that failed, CLOCK_BOOTTIME */
	bool rotating;

	/* Written, not committed: their keepers hear of them when they are durable. */
	struct evidence_note soon[EVIDENCE_SOON_MAX];
	unsigned int n_soon;
	uint64_t soon_since;

	sd_event_source *turn, *limit;	/* commits */
	sd_event_source *save;		/* the keys */
	sd_event_source *retry, *checkpoint, *expire, *daily, *resave;
};

uint64_t evidence_clock_us(clockid_t id);
bool evidence_clock_is_synchronised(void);

/* Sets a timer of ours, which is made at the first time. */
void evidence_arm(struct evidence *evidence, sd_event_source **source, uint64_t usec, uint64_t accuracy, int64_t priority,
		  sd_event_time_handler_t fn);

/* Writes what must stand before a record of this kind. Negative errno: nothing can be written. */
int evidence_make_ready(struct evidence *evidence, const char *kind);

/* Writes a record of evidence's own; takes `extra`. Only after evidence_make_ready(). */
int evidence_put_own(struct evidence *evidence, const char *name, struct json_object *extra);

/* --- how it is (evidence-state.c) --- */

/* 0, or the negative errno for which nothing can be written; of the keys, for which they could not be replaced. */
void evidence_set_writable(struct evidence *evidence, int r);
void evidence_set_keys(struct evidence *evidence, int r);
/* Looks how much room the disk has. */
void evidence_look_at_space(struct evidence *evidence);

int evidence_retry(sd_event_source *source, uint64_t usec, void *userdata);

/* --- its files in time (evidence-keep.c) --- */

/* The clocks at this moment, with the newest record's time as it was found. */
void evidence_watch_clock(struct evidence *evidence, int64_t newest_us);
void evidence_save_watch(struct evidence *evidence);
/* Records that the clock is before the newest one's time; that it has leapt ahead. */
int evidence_put_reversed(struct evidence *evidence, int64_t newest_us);
int evidence_put_leap(struct evidence *evidence);
/* The daemon saw the clock set: members of the record say how, where that is of consequence. *extrap may be NULL. */
int evidence_describe_set(struct evidence *evidence, struct json_object **extrap);
/* Compresses, removes and looks for room from the loop, soon and then each day. */
void evidence_tidy_soon(struct evidence *evidence);

bool evidence_rotation_is_due(const struct evidence *evidence);
void evidence_rotate(struct evidence *evidence);

void evidence_add_device(struct json_object *record, const struct device *device);

/* The journal and the kernel's audit, which hear of every record; neither is waited for. */
struct evidence_tell;

int evidence_tell_new(struct evidence_tell **tellp);
struct evidence_tell *evidence_tell_free(struct evidence_tell *tell);

/* What did not get there since the start, if anything, for a record. */
void evidence_tell_add_dropped(struct evidence_tell *tell, struct json_object *record);

/* `lost`: the record is not in the log. */
void evidence_tell(struct evidence_tell *tell, const struct eventkind *kind, struct json_object *record, bool lost);
