// SPDX-License-Identifier: GPL-2.0-or-later
/* How the log is: whether it can be written, whether old keys go, whether there is room; and trying again. */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <systemd/sd-daemon.h>

#include "daemon/evidence-inside.h"

#define RETRY_US (5 * EVIDENCE_SECOND) /* while the log cannot be written */
#define TRIES_DISPLACED 2

/* Weeks of an ordinary terminal's records; doctor warns long before. */
#define SPACE_LOW (UINT64_C(64) << 20)

static void tell_state(struct evidence *evidence)
{
	char state[sizeof(evidence->state)];

	if (evidence->error)
		snprintf(state, sizeof(state), "cannot be written: %s", strerror(-evidence->error));
	else if (evidence->keys_error)
		snprintf(state, sizeof(state), "keys cannot be replaced: %s", strerror(-evidence->keys_error));
	else if (evidence->space_low)
		snprintf(state, sizeof(state), "disk nearly full: less than %llu MiB left",
			 (unsigned long long)(SPACE_LOW >> 20));
	else
		strcpy(state, "ok");
	if (!strcmp(state, evidence->state))
		return;
	strcpy(evidence->state, state);
	if (evidence->callbacks.state)
		evidence->callbacks.state(evidence->callbacks.userdata);
}

void evidence_set_writable(struct evidence *evidence, int r)
{
	bool writable = !r, changed = writable != evidence->writable;

	evidence->error = r;
	evidence->writable = writable;
	if (r && !(evidence->retry && sd_event_source_get_enabled(evidence->retry, NULL) > 0))
		evidence_arm(evidence, &evidence->retry, RETRY_US, EVIDENCE_SECOND, SD_EVENT_PRIORITY_NORMAL, evidence_retry);
	else if (!r && evidence->retry)
		sd_event_source_set_enabled(evidence->retry, SD_EVENT_OFF);
	tell_state(evidence);
	if (!changed)
		return;
	evidence->tries = 0;
	if (r) {
		fprintf(stderr, SD_ERR "event log: nothing is let through, since %s cannot be written: %s\n",
			logstore_trouble(evidence->store), strerror(-r));
	} else {
		fprintf(stderr, SD_NOTICE "event log: it can be written again\n");
		evidence_tidy_soon(evidence);
	}
	if (evidence->callbacks.changed)
		evidence->callbacks.changed(evidence->callbacks.userdata, writable);
}

void evidence_set_keys(struct evidence *evidence, int r)
{
	/* The log goes on: whoever starts next catches up with the keys that are stored. */
	if (r && !evidence->keys_error)
		fprintf(stderr, SD_ERR "event log: old keys cannot be overwritten in %s, so who gets at them can forge what "
				       "was written since: %s\n", logstore_trouble(evidence->store), strerror(-r));
	else if (!r && evidence->keys_error)
		fprintf(stderr, SD_NOTICE "event log: old keys are overwritten again\n");
	evidence->keys_error = r;
	tell_state(evidence);
}

void evidence_look_at_space(struct evidence *evidence)
{
	int dir = logstore_directory(evidence->store);
	struct statvfs space;
	uint64_t left;

	if (dir < 0 || fstatvfs(dir, &space) < 0)
		return;
	left = (uint64_t)space.f_bavail * space.f_frsize;
	if (left < SPACE_LOW && !evidence->space_low)
		fprintf(stderr, SD_WARNING "event log: its disk is nearly full; once nothing more can be written, nothing is "
					   "let through\n");
	evidence->space_low = left < SPACE_LOW ? left + 1 : 0;
	tell_state(evidence);
}

/*
 * systemd gives the service its directories as mounts in a read-only system. Remove one on the host, and its mount goes with it; what
 * is made anew there cannot be written from here. Process 1 sees the directory as the host has it.
 */
static bool is_displaced(const struct evidence *evidence, int error)
{
	char path[PATH_MAX], trouble[PATH_MAX];
	struct statvfs space;

	if (error != -ENOENT && error != -EROFS)
		return false;
	if (snprintf(trouble, sizeof(trouble), "%s", logstore_trouble(evidence->store)) >= (int)sizeof(trouble))
		return false;
	if (snprintf(path, sizeof(path), "/proc/1/root%s", dirname(trouble)) >= (int)sizeof(path))
		return false;
	/* It is not there either, so that systemd has to make it, above where it was. */
	if (statvfs(path, &space) < 0 && (errno != ENOENT || statvfs(dirname(path), &space) < 0))
		return false;
	return !(space.f_flag & ST_RDONLY);
}

int evidence_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct evidence *evidence = userdata;
	int r = evidence_make_ready(evidence, "log-recovered");

	/* evidence_make_ready() has armed the next try if it failed where it could see; a commit may have. */
	evidence_set_writable(evidence, r);
	if (r && ++evidence->tries >= TRIES_DISPLACED && evidence->callbacks.displaced && is_displaced(evidence, r))
		evidence->callbacks.displaced(evidence->callbacks.userdata);
	return 0;
}
