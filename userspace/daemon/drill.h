/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A drill (docs/drill.md): everything is judged and recorded as ever, and nothing is blocked. It is on while the settings ask for it
 * and there is a policy in force that does not forbid it.
 *
 *	            settings ask, policy does not forbid: "drill-begun"
 *	ENFORCING ───────────────────────────────────────────────────► DRILL
 *	    ▲ └── settings ask, and something is against it:             │
 *	    │     "drill-refused" with `why`                             │
 *	    └────────────── restart without the setting, or a policy ────┘
 *	                    that forbids it: "drill-ended"
 *
 * A drill whose beginning is not in the log is none: without that record, and DRILL_STATE_FILE, the barrier stands, and the drill
 * begins when the log can be written again.
 *
 * While it is on, DRILL_RUN_FILE exists: udev's rules and sekimori-road look for it. It goes when the daemon stops, so that
 * what comes while no keeper is there meets the barrier.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* There is no such file: the barrier stands. */
#define DRILL_RUN_FILE "/run/sekimori/drill"

/* One line, seconds since the epoch: since when. It outlives the daemon and the boot. */
#define DRILL_STATE_FILE "/var/lib/sekimori/drill"

struct manager;

struct drill {
	bool on;
	/* Why it is not on, though asked for: "policy" (forbids it), "no-policy", "log-unwritable"; NULL: it is on, or not asked for. */
	const char *refused;
	bool settled;	  /* drill_settle() has been called */
	bool retry;	  /* the log can be written again */
	uint64_t since_us; /* CLOCK_REALTIME; 0: it is off */
};

/* "enforce", "drill", or "drill-refused": asked for and not on, so the barrier stands. */
const char *drill_mode_name(const struct drill *drill);

/*
 * To be called once there is a log and a policy, and after each change of the policy. Says in the log what begins or ends, has udev
 * apply its rules anew, and has all devices judged again.
 */
void drill_settle(struct manager *manager);

/* Begins what waits for the log, once it can be written again (drill->retry). */
void drill_retry(struct manager *manager);

/* The daemon ends; the drill goes on with the next one. */
void drill_leave(const struct manager *manager);

/* Nobody knows whether there is a drill: no rule of udev's may go by what a crash has left. */
void drill_forget(void);
