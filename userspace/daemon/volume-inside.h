/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What volume.c (the life) and volume-watch.c (what happens to its files meanwhile) share of a volume. For nobody else.
 */
#pragma once

#include <stdio.h>

#include "daemon/transfers.h"
#include "daemon/volume.h"
#include "system/opener.h"

#define SET_TEXT(field, text) snprintf(field, sizeof(field), "%s", text)

struct waiter;

struct volume_life {
	struct volume_view view;
	const struct volume_setup *setup;
	const struct volume_ops *ops;
	void *userdata;
	struct opener *opener;
	struct waiter *waiters; /* for the end of what the opener does */
	bool freed;		/* only the opener holds it any more */
	bool organisation;	/* the opening is by the organisation's key */
	bool forced;		/* the closing that goes on is by force */
	struct transfers *transfers; /* NULL: nothing is watched */
	bool watched;		/* … and that should not be, from opening to closing */
	bool cleaning;		/* … because of an open or close that came to a bad end: FAILED after it */
	unsigned int endings;	/* watches that still have something to write into the log */
	/* What the helper has said last. */
	char result[16];
	char reason[VOLUME_REASON_MAX];
	bool by_force; /* what it has closed */
};

bool volume_is_plain(const struct volume_life *volume);

/* A record of this volume; reason may be NULL. What ops->record() said. */
int volume_record(struct volume_life *volume, const char *kind, const char *reason);

/* After whatever was left half done: everything away by force, then FAILED with the reason that the view has. */
void volume_clean_up(struct volume_life *volume);

/* Frees it, if it is over and nothing goes on any more. */
void volume_release(struct volume_life *volume);

/* --- volume-watch.c --- */

/* Before it is opened for view.user. 0 (also where nothing is to be watched) or a negative errno. */
int volume_watch_begin(struct volume_life *volume);

/* It is shown at view.mount now. False: it should be watched, and is not. */
bool volume_watch_stands(struct volume_life *volume);

/* It is closed, or was not opened. What is still to be written goes on by itself. */
void volume_watch_end(struct volume_life *volume);

/* It is open since before this daemon. As volume_watch_begin(). */
int volume_watch_take_up(struct volume_life *volume);

/* It was open while no daemon was there, and is going to be closed: what was done with it nobody has seen. */
void volume_watch_missed(struct volume_life *volume, const struct opennote *note);

/* What nobody sees may not go on. */
void volume_close_unwatched(struct volume_life *volume, const char *detail);
