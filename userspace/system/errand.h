/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may have to wait for a device, done by a process of its own, so that the loop does not:
 * reading a file of sysfs whose show function takes the device's lock, or writing one that unbinds
 * its driver. Such a wait ends when the device answers or the kernel gives it up, and often cannot
 * be interrupted; so nothing waits for the process but its owner, and there is no deadline: what
 * hangs is late for its own device and for no other.
 *
 * The process is a fork of the daemon with all descriptors closed but its pipe: what it may use is
 * what was read before.
 */
#pragma once

#include <stddef.h>
#include <systemd/sd-event.h>

/* One page: every pipe takes it at once (pipe(7)). */
#define ERRAND_RESULT_MAX 4096

struct errand;

/*
 * Runs in the other process. `order` is what errand_start() was given, in a copy of the caller's
 * memory; `result` begins as zeroes. 0 or a negative errno.
 */
typedef int (*errand_run_fn)(const void *order, void *result);

/*
 * Called from the loop when it has ended, with what it returned (-EIO if it died) and, if that is
 * 0, its result. Both the result and the errand are gone afterwards.
 */
typedef void (*errand_done_fn)(void *userdata, int r, const void *result);

/*
 * result_size is at most ERRAND_RESULT_MAX; errandp may be NULL for one that nobody cancels, done
 * for one that nobody waits for. 0, or a negative errno: then nothing was started. SIGCHLD must be
 * blocked, as sd_event_add_child() wants it.
 */
int errand_start(struct errand **errandp, sd_event *event, errand_run_fn run, const void *order,
		 size_t result_size, errand_done_fn done, void *userdata);

/*
 * Nobody wants to know any more: `done` will not be called. The process is killed, as far as it can
 * be. NULL is ok; returns NULL.
 */
struct errand *errand_cancel(struct errand *errand);
