/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fanotify(7) on one file system: what happens to its files, as events of core/transfer.h.
 *
 * Where files have handles that last (FAT, ext4, NTFS) the kernel tells names, and so creating, renaming and deleting too.
 * Where they have none (exFAT in Linux 6.1) it opens each file that was closed: only writing and reading are seen. Which of
 * the two is found out by trying.
 *
 * The queue is the kernel's usual one (16,384 events, fs.fanotify.max_queued_events): some seconds of a program that writes as fast as
 * it can, at most a few megabytes of kernel memory for each volume. What does not fit is told as an overflow.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/transfer.h"
#include "system/handover.h"
#include "transfer/who.h"

#define FAN_DIRECTORY_PATH_MAX 4096

struct fan {
	int fd;
	int root; /* a directory on the file system, of a mount of our own; owned */
	bool limited;
	char mount[HANDOVER_MOUNT_MAX]; /* where it is shown to its user */
	struct who_known who;
	uint64_t events; /* that the kernel has given */
	/* The directory of the event before: the next one is mostly there too, also when it can be looked up no more. */
	unsigned int last_type;
	size_t last_bytes;
	unsigned char last_handle[128];
	char last_path[FAN_DIRECTORY_PATH_MAX];
};

/* Begins to watch. Takes root over in any case. 0 or a negative errno. Needs CAP_SYS_ADMIN. */
int fan_open(struct fan *fan, int root, const char *mount, bool reads);
void fan_close(struct fan *fan);

struct fan_ops {
	/* now_us: a clock that does not jump, at the time of looking. */
	void (*event)(void *userdata, const struct transfer_event *event, uint64_t now_us);
	/* Events are lost: the queue was full, or a file could not be opened. */
	void (*overflow)(void *userdata);
};

/* Takes what the kernel has, one buffer of it. 1: there may be more; 0: nothing now; or a negative errno. */
int fan_read(struct fan *fan, const struct fan_ops *ops, void *userdata);
