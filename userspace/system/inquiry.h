/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A question that may have to wait for a device, asked by a thread, so that the loop does not: reading a file of sysfs whose show
 * function takes the device's lock. Nothing waits for it but its owner, and there is no deadline: what hangs is late for its own device
 * and for no other.
 *
 * It costs a fraction of an errand (system/errand.h): no page tables are copied, and no process has to end before the answer is read. In return it is
 * for waits alone that SIGKILL ends (the kernel's "interruptible" and "killable" ones): a thread that could not be killed would
 * keep a dead daemon from being started again. What may wait otherwise, as whatever unbinds a driver does, is an errand.
 *
 * The thread shares the daemon's memory. So what it runs may use its order and its result, and nothing else of the daemon's; it
 * allocates nothing (each thread that does gets a heap of its own), and its stack is INQUIRY_STACK.
 */
#pragma once

#include <stddef.h>
#include <systemd/sd-event.h>

/* Bytes; those that are not touched cost nothing. */
#define INQUIRY_STACK (512u * 1024)

struct inquiry;

/* Runs in the thread. `order` is a copy; `result` begins as zeroes. Both are aligned for anything. 0 or a negative errno. */
typedef int (*inquiry_run_fn)(const void *order, void *result);

/*
 * Called from the loop when the answer is there, with what inquiry_run_fn returned and, if that is 0, its result. Both the result
 * and the inquiry are gone afterwards.
 */
typedef void (*inquiry_done_fn)(void *userdata, int r, const void *result);

/* Copies the order. 0, or a negative errno: then nothing was started. */
int inquiry_start(struct inquiry **inquiryp, sd_event *event, inquiry_run_fn run, const void *order, size_t order_size,
		  size_t result_size, inquiry_done_fn done, void *userdata);

/*
 * Nobody wants to know any more: `done` will not be called. The thread goes on until its wait is over, and its memory with it. NULL
 * is ok; returns NULL.
 */
struct inquiry *inquiry_cancel(struct inquiry *inquiry);
