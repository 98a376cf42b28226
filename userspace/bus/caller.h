/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who calls: what the bus authenticated (GetConnectionCredentials), and what /proc and logind's cgroups tell of that
 * process. The user is certain. Program and session are for the record only and decide nothing: a process may exec
 * something else after it has sent its call. Who logged in (audit's loginuid) outlives exec, su and sudo; it tells two people apart
 * where that is asked for (daemon/exception-actor.h).
 *
 * A process id can be another's by the time it is looked up. Where the bus hands out a pidfd (ProcessFD) the process
 * must still be alive after its directory in /proc was opened. Where it does not, as dbus-daemon 1.14, the process
 * must have been started before the call arrived. Otherwise program and session stay empty, and
 * nobody knows who logged in.
 */
#pragma once

#include <dbus/dbus.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A path is cut there; it is only shown. */
#define BUS_PROGRAM_MAX 256
#define BUS_SESSION_MAX 64

struct bus_caller {
	uid_t uid;
	/* Who logged in; `uid` itself where nobody has (a service, a timer); (uid_t)-1: it cannot be told. */
	uid_t login;
	pid_t pid;		       /* 0: the bus does not tell */
	char program[BUS_PROGRAM_MAX]; /* path of its executable; "" it cannot be told. UTF-8 */
	char session[BUS_SESSION_MAX]; /* logind's id; "" none, or it cannot be told */
};

/*
 * Reads the bus' answer to GetConnectionCredentials. received_us: CLOCK_BOOTTIME when the call arrived. False, and
 * nothing is known, if the answer has no user. Does not block: /proc is memory.
 */
bool bus_caller_read(struct bus_caller *caller, DBusMessage *credentials, uint64_t received_us);
