/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of sekimori-inspect: a child process that gets the device's descriptor as 3 (a block
 * device by its name) and the write end of a pipe as 4, and has until the deadline to write its report and exit. A report is taken
 * whole or not at all.
 *
 * A spare one is started ahead and waits in its sandbox, for a single device: to start it and to shut it in takes longer than what it
 * is there for. The next one is started when the device has been seen to.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "core/report.h"

struct inspector;
struct inspector_spare;

enum inspector_end {
	INSPECTOR_REPORTED, /* report is valid */
	INSPECTOR_TIMEOUT,  /* killed at the deadline */
	INSPECTOR_FAILED,   /* died or wrote nonsense; `detail` says how */
};

/*
 * Called once, when the child has been reaped and its descriptors are closed. `report` is NULL unless
 * the end is INSPECTOR_REPORTED. The inspector is freed after the call.
 */
typedef void (*inspector_done_fn)(void *userdata, enum inspector_end end,
				  const struct report *report, const char *detail);

/*
 * Has a `program` wait from INSPECTOR_SPARE_US on, and again so long after it was used: the verdict is out by then, and usb-storage's
 * second of waiting (delay_use) not yet over. One that ends before it is used, or cannot be started, is not replaced sooner than in
 * INSPECTOR_SPARE_RETRY_US, and after each further one that fails twice as late, up to INSPECTOR_SPARE_RETRY_MAX_US, until one was
 * used. Standard error is told why, once for each kind of end. `program` is borrowed. 0, or a negative errno.
 */
#define INSPECTOR_SPARE_US UINT64_C(500000)
#define INSPECTOR_SPARE_RETRY_US UINT64_C(60000000)
#define INSPECTOR_SPARE_RETRY_MAX_US UINT64_C(3600000000)
int inspector_spare_new(struct inspector_spare **sparep, sd_event *event, const char *program);

/* Ends the one that waits, too. NULL is ok; returns NULL. */
struct inspector_spare *inspector_spare_free(struct inspector_spare *spare);

/* Does one wait? */
bool inspector_spare_waits(const struct inspector_spare *spare);

/*
 * Has the one that waits inspect interface `number` of the device behind usb_fd; without one, or if it is of no use, or with `spare`
 * NULL, starts `program`. The descriptor stays open here until the end, so that the claim on the interface outlives the child. Takes
 * usb_fd over in any case. SIGCHLD must be blocked.
 */
int inspector_start(struct inspector **inspectorp, struct inspector_spare *spare, sd_event *event, const char *program,
		    int usb_fd, uint8_t number, unsigned int deadline_ms, inspector_done_fn done, void *userdata);

/*
 * The same over a block device, which the child opens itself while it still may: opening a disk asks the
 * device, and may wait for it. `read_only` has it set read-only before anything else; if that fails, so does
 * the inspection (outcome "internal"). A child that waits for a disk whose driver does not answer can die,
 * and the callback come, only when the driver has given up.
 */
int inspector_start_block(struct inspector **inspectorp, sd_event *event, const char *program,
			  const char *node, dev_t devnum, bool read_only, unsigned int deadline_ms,
			  inspector_done_fn done, void *userdata);

/* Kills the child, without the callback. The descriptor on the device is closed at once. NULL is ok. */
struct inspector *inspector_cancel(struct inspector *inspector);
