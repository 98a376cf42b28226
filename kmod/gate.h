/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate: every USB interface that is not a root hub's, its state, and the vetoes that follow from
 * it. The states and their changes are drawn in <linux/sekimori.h>.
 */
#ifndef _SEKIMORI_GATE_H
#define _SEKIMORI_GATE_H

#include <linux/sekimori.h>
#include <linux/types.h>

struct usb_interface;

struct gate_options {
	bool locked;	      /* lock=1: the harmless list can only be tightened */
	bool unbind_present;  /* present=unbind */
	bool revoke_on_close; /* on_close=revoke */
};

/*
 * Starts watching the bus and takes in what is there. After a success every new interface is held or
 * passed before any driver sees it.
 */
int gate_init(const struct gate_options *options);

/*
 * Stops watching. What is held stays unauthorised: removal of the module opens nothing.
 */
void gate_exit(void);

/* Checks one verdict and sets it going. 0, or an errno of <linux/sekimori.h>; never sleeps long. */
int gate_verdict(const struct sekimori_verdict *verdict);

/* The keeper has gone: what is being inspected is held again. */
void gate_keeper_gone(void);

/*
 * Reports an attempt by the current process that was refused, if the interface is tracked and
 * shut. `driver` may be NULL. Callable from any context.
 */
void gate_refused(struct usb_interface *intf, enum sekimori_attempt attempt, const char *driver);

/*
 * The interface with the lowest cookie above `after`, as a PRESENT event without seq; false
 * when there is none.
 */
bool gate_snapshot_next(u64 after, struct sekimori_event *event);

/* Fills in who the current process is: pid, uid, comm, SEKIMORI_F_KERNEL. */
void gate_stamp(struct sekimori_event *event);

bool gate_locked(void);

#endif
