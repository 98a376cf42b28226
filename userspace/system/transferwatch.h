/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of sekimori-transfer, which sees what happens to the files of one open volume: a child process that gets one end of
 * a socket as descriptor 3 (system/handover.h; the other end is for sekimori-open) and the write end of a pipe as 4, into
 * which it writes the lines of core/transfer.h. It talks about what strangers named, so a line that is none ends it.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "core/macro.h"
#include "core/transfer.h"

struct transferwatch;

struct transferwatch_ops {
	/*
	 * Something it has reported; borrowed. Negative: it could not be taken now. Then it is given again after a second, and
	 * until then the child waits, and the kernel keeps what comes.
	 */
	int (*report)(void *userdata, const struct transfer_report *report);
	/* The child has gone, after its last report; the watch is gone with it. `detail`: for the log. */
	void (*gone)(void *userdata, const char *detail);
};

/* argv[0] is a name, the rest its arguments, NULL at the end. SIGCHLD must be blocked. 0 or a negative errno. */
int transferwatch_start(struct transferwatch **watchp, sd_event *event, const char *program,
			const char *const *argv, const struct transferwatch_ops *ops, void *userdata);

/* The socket's other end; borrowed. */
int transferwatch_socket(const struct transferwatch *watch);

/* Takes what has been written so far. Calls report, never gone. */
void transferwatch_read(struct transferwatch *watch);

/* Has it said something that could not be taken yet? */
bool transferwatch_waits(const struct transferwatch *watch);

/* Ends the child, without any more callbacks. NULL is ok; returns NULL. */
struct transferwatch *transferwatch_free(struct transferwatch *watch);
