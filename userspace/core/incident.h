/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which records of the event log are an incident that people have to report: rules over records, in their order.
 *
 *   lost-medium       a medium that is registered as lost was plugged in
 *   tampering         a device showed two faces, or bears a mark that was forged or copied
 *   repeated-denials  5 refusals of one device, or 10 of any, within 10 minutes
 *   gate-attempt      somebody tried to get round the gate (but for udev and modprobe, which load drivers for what is held)
 *   infected-medium   the scanner found something on a medium
 *   log-damage        the log or its keys are not what this terminal left behind
 *   crash-loop        the daemon dies again and again, as it does if a device makes it
 *   clock-reversed    the clock went back 3 times within a day
 *
 * One cause (the medium, the device, …) is one incident for an hour; what follows within the hour is counted and told
 * of when the hour is over. Pure: time comes with the records (CLOCK_BOOTTIME, so that setting the clock neither
 * hides nor makes an incident). Memory is fixed: of too many causes the oldest give way, which ends their hour early.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mark-text.h"

enum incident_type {
	INCIDENT_LOST_MEDIUM,
	INCIDENT_TAMPERING,
	INCIDENT_REPEATED_DENIALS,
	INCIDENT_GATE_ATTEMPT,
	INCIDENT_INFECTED_MEDIUM,
	INCIDENT_LOG_DAMAGE,
	INCIDENT_CLOCK_REVERSED,
	INCIDENT_CRASH_LOOP,
	N_INCIDENT_TYPES,
};

#define INCIDENT_HOUR_US UINT64_C(3600000000)
#define INCIDENT_DENIALS_US UINT64_C(600000000)
#define INCIDENT_CLOCK_US UINT64_C(86400000000)
#define INCIDENT_DENIALS_SAME 5
#define INCIDENT_DENIALS_ANY 10
#define INCIDENT_CLOCK_TIMES 3

/* Causes and devices that are remembered. A person plugs in fewer; a program that makes more is caught by "any". */
#define INCIDENT_CAUSES_MAX 64
#define INCIDENT_DEVICES_MAX 32
#define INCIDENT_CAUSE_MAX 96

/* "TERMINAL-YYYYMMDD-SEQ" with the longest name of a terminal. */
#define INCIDENT_NUMBER_MAX 320

/* What the rules look at. Strings are never NULL; a member that the record does not have is "". */
struct incident_fact {
	uint64_t seq;
	uint64_t boot_us;
	uint32_t date; /* local, YYYYMMDD: stands in the incident's number */
	const char *kind;
	const char *reason;
	const char *why;
	const char *fingerprint;
	const char *medium;
	const char *attempt;
	const char *program;
	const char *uid; /* of an attempt, digits */
};

struct incident {
	enum incident_type type;
	bool again;	    /* told of before: the counts are new */
	uint32_t date;	    /* with number_seq: what the number is made of */
	uint64_t number_seq; /* the record that made it an incident */
	uint64_t first_seq, last_seq;
	uint64_t count; /* records that belong to it */
	char cause[INCIDENT_CAUSE_MAX];
};

struct incidents;

struct incidents *incidents_new(void); /* NULL without memory */
struct incidents *incidents_free(struct incidents *incidents);

/* A record makes at most two new incidents, and ends the hours of some earlier ones. */
#define INCIDENT_OUT_MAX 4

/* Takes the next record; returns how many incidents there are to tell of, in out[]. */
size_t incidents_add(struct incidents *incidents, const struct incident_fact *fact,
		     struct incident out[static INCIDENT_OUT_MAX]);

/* Ends the hours of all, at the end of the daemon: the next one that has news. False: there is none left. */
bool incidents_finish(struct incidents *incidents, struct incident *out);

void incident_number(char out[static INCIDENT_NUMBER_MAX], const char *terminal,
		     const struct incident *incident);

/* "lost-medium", … */
const char *incident_type_name(enum incident_type type);
/* The type's sentence for people, a msgid; `name` itself if there is no such type. */
const char *incident_type_text(const char *name);
