/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to the files of one open volume, as records for the log: "file", "files" (a summary), "transfer-overflow"
 * (docs/evidence.md). Who could not be seen as a process, because it had ended, is taken to be who the volume
 * is open for; such a record has no `program`. A helper that dies is replaced, a few times a minute: "transfers-unwatched"
 * and "transfers-watched" are the two ends of the gap.
 *
 * What the log does not take is kept, also after the volume has been closed, until it does or the daemon ends.
 */
#pragma once

#include <json-c/json_object.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "core/macro.h"
#include "core/policy-header.h"

struct transfers;

struct transfers_setup {
	sd_event *event;
	const char *helper; /* path of sekimori-transfer; NULL: nothing is watched */
	enum policy_transfers extent;
	unsigned int begin_ms; /* for a helper that replaces another; 0: ten seconds. Less for a test */
};

struct transfers_ops {
	/* A record; `extra` is taken over. Negative: it could not be written, and comes again. */
	int (*record)(void *userdata, const char *kind, struct json_object *extra);
	/*
	 * Nothing is watched any more, and it is no use trying again, or nobody could be told of the gap. The object is the
	 * caller's no more, but writes what is left; ended() follows. `detail`: English.
	 */
	void (*lost)(void *userdata, const char *detail);
	/* What was left to be written after the end has been. From the loop only. */
	void (*ended)(void *userdata);
};

/* Does the policy want it watched? */
bool transfers_wanted(const struct transfers_setup *setup);

/*
 * Before the volume is mounted: transfers_socket() is for sekimori-open, which does not show the volume before the watch
 * stands. user and uid: for whom it will be open. 0 or a negative errno.
 */
int transfers_start(struct transfers **transfersp, const struct transfers_setup *setup,
		    const char *user, uid_t uid, const struct transfers_ops *ops, void *userdata);

/*
 * The volume is at its place now, a directory, which lies on the device `source`. From now on a helper that dies is replaced,
 * and what may have gone by unseen is a record. -ENOMEM.
 */
int transfers_shown(struct transfers *transfers, const char *mount, const char *source);

/*
 * Of a volume that was open before this daemon: the same, and it is recorded that nobody has watched. 0 or a negative errno:
 * then nothing has been recorded.
 */
int transfers_take_up(struct transfers **transfersp, const struct transfers_setup *setup,
		      const char *user, uid_t uid, const char *mount, const char *source,
		      const struct transfers_ops *ops, void *userdata);

/* Such a volume is closed at once: the record alone. True: it could not be written yet, and ended() will come. */
bool transfers_record_gap(const struct transfers_setup *setup, const char *user, uid_t uid,
			  const struct transfers_ops *ops, void *userdata);

/* For sekimori-open; borrowed, -1: there is no helper. NULL is ok. */
int transfers_socket(const struct transfers *transfers);

/* Is there a helper, which has not been sent away? NULL is ok. */
bool transfers_stand(const struct transfers *transfers);

/* Takes what has been reported so far. "full", "limited", or "off" if no watch stands; NULL is ok. */
const char *transfers_extent(struct transfers *transfers);

/*
 * The volume is closed. Takes what has been reported; if that is not all, that is a record. True: the log does not
 * take it yet, and ended() will come. NULL is ok. The object is the caller's no more.
 */
bool transfers_end(struct transfers *transfers);

/* The daemon ends, and the volume stays open. NULL is ok; returns NULL. */
struct transfers *transfers_leave(struct transfers *transfers);
