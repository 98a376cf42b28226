/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who calls: what the bus authenticated (GetConnectionCredentials), and what /proc and logind's cgroups tell of that
 * process. The user is certain. Program and session are for the record only and decide nothing: a process may exec
 * something else after it has sent its call. Who logged in (audit's loginuid) outlives exec, su and sudo, but is no proof by itself: a
 * process in which nobody has logged in may write anybody there, once, without a privilege (the kernel's audit_set_loginuid()). What may
 * be concluded from both, daemon/exception-actor.h says.
 *
 * A process id can be another's by the time it is looked up. Where the bus hands out a pidfd (ProcessFD) the process
 * must still be alive after its directory in /proc was opened. Where it does not, as dbus-daemon 1.14, the process
 * must have been started before the call arrived, and be the caller's or root's (which the directory of a program that may not be traced
 * is); otherwise program and session stay empty. Its login is believed only if the directory is the caller's own: of root's processes
 * any could have the number by then.
 */
#pragma once

#include <dbus/dbus.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A path is cut there; it is only shown. */
#define BUS_PROGRAM_MAX 256
#define BUS_SESSION_MAX 64

enum bus_login {
	BUS_LOGIN_UNKNOWN = 0, /* it cannot be told */
	BUS_LOGIN_NONE,	       /* nobody has logged in: a service, a timer */
	BUS_LOGIN_SET,
};

struct bus_caller {
	uid_t uid;
	enum bus_login has_login;
	uid_t login; /* who logged in, if BUS_LOGIN_SET; else (uid_t)-1 */
	pid_t pid;		       /* 0: the bus does not tell */
	char program[BUS_PROGRAM_MAX]; /* path of its executable; "" it cannot be told. UTF-8 */
	char session[BUS_SESSION_MAX]; /* logind's id; "" none, or it cannot be told */
};

/*
 * Reads the bus' answer to GetConnectionCredentials. received_us: CLOCK_BOOTTIME when the call arrived. False, and
 * nothing is known, if the answer has no user. Does not block: /proc is memory.
 */
bool bus_caller_read(struct bus_caller *caller, DBusMessage *credentials, uint64_t received_us);
