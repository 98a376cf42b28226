/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of sekimori-open (userspace/open/progress.h tells what it says): a child process that gets the
 * secret's descriptor as 3, the write end of a pipe as 4, and as 5 a socket to the watcher of the volume
 * (system/handover.h) if there is one. It must say something at least every
 * idle_ms; who is silent for longer is killed.
 */
#pragma once

#include <json-c/json_object.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

struct opener;

enum opener_end {
	OPENER_EXITED, /* by itself; the last line says how */
	OPENER_KILLED, /* at the deadline, or by somebody else */
	OPENER_STUCK,  /* killed, and the kernel does not let it go: some device hangs */
};

struct opener_ops {
	/* An object that it wrote; borrowed. May not end the opener. */
	void (*line)(void *userdata, struct json_object *line);
	/* Once, after the last line. The opener is gone with it. `detail`: for the log. */
	void (*done)(void *userdata, enum opener_end end, const char *detail);
};

/*
 * argv[0] is a name, the rest its arguments, NULL at the end. secret: taken over in any case; -1 none. watcher: borrowed;
 * -1 none. SIGCHLD must be blocked.
 */
int opener_start(struct opener **openerp, sd_event *event, const char *program,
		 const char *const *argv, int secret, int watcher, unsigned int idle_ms,
		 const struct opener_ops *ops, void *userdata);

/* Kills the child, without any more callbacks. NULL is ok. */
struct opener *opener_cancel(struct opener *opener);

/* Leaves the child alone, without any more callbacks: it sees that nobody listens, and undoes an open. */
struct opener *opener_leave(struct opener *opener);
