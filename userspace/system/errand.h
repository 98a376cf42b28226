/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a file of sysfs, which may unbind a driver, done by a process of its own, so that the loop does not wait for a device; reading:
 * system/inquiry.h. Such a wait ends when the device answers or the kernel gives it up, and often cannot be interrupted; so nobody waits
 * for the process, and there is no deadline: what hangs is late for its own device and for no other.
 *
 * The process is a fork of the daemon with all descriptors closed but the standard ones: what it may use is what was read before. It says
 * itself, to standard error, what goes wrong.
 */
#pragma once

#include <systemd/sd-event.h>

/* Runs in the other process. `order` is what errand_start() was given, in a copy of the caller's memory. */
typedef void (*errand_run_fn)(const void *order);

/* 0, or a negative errno: then nothing was started. SIGCHLD must be blocked, as sd_event_add_child() wants it. */
int errand_start(sd_event *event, errand_run_fn run, const void *order);
