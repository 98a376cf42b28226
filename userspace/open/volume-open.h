/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two things that sekimori-open does. Both return the program's exit status. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where sekimori-transfer of this volume listens, if it is a socket (system/handover.h). */
#define OPEN_WATCHER_FD 5

struct open_request {
	const char *node;
	const char *mapping;
	const char *method; /* "luks2", "luks1", "bitlocker"; "plain": nothing to unlock */
	const char *uuid;   /* NULL only with "plain" */
	const char *cipher; /* NULL: whatever the header says */
	bool read_only;
	bool organisation; /* the secret is the organisation's, not the volume's */
	uid_t uid;
	gid_t gid;
	const char *user;
	const char *label;  /* "": the file system's */
	const char *socket; /* clamd's; NULL: no scan */
	bool watched;	    /* not shown before the watcher stands */
};

/*
 *   read-only ─► unlock ─► find the file system ─► mount, detached ─► scan ─► have it watched ─► show to the user
 *
 * The first three steps can fail for what the medium is; whatever fails, all before it is undone.
 */
int open_run(const struct open_request *request);

/*
 * Undoes an open, whoever did it and however far it came. What is closed already stays so: success. Without `force`
 * a volume in use is left as it is, and who uses it is told.
 */
int close_run(const char *mapping, bool force);

/* The same for what this process has done itself. */
void close_quietly(const char *mapping);
