// SPDX-License-Identifier: GPL-2.0-or-later
/* The log's files in the course of time: rotation, compression, retention. */
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/evidence-inside.h"
#include "daemon/json.h"

#define ROTATE_RETRY_US (300 * EVIDENCE_SECOND)
#define EXPIRE_MAX 100 /* files a turn */

static int expire_files(sd_event_source *source, void *userdata);

static void expire_soon(struct evidence *evidence)
{
	if (evidence->expire)
		sd_event_source_set_enabled(evidence->expire, SD_EVENT_ONESHOT);
	else if (sd_event_add_defer(evidence->event, &evidence->expire, expire_files, evidence) >= 0)
		sd_event_source_set_priority(evidence->expire, EVIDENCE_LATER);
}

static int a_day_later(sd_event_source *source, uint64_t usec, void *userdata)
{
	expire_soon(userdata);
	return 0;
}

static int expire_one(struct evidence *evidence, int dir, struct logrotate_expired *old)
{
	struct json_object *extra = json_object_new_object();
	int r;

	if (!extra)
		return -ENOMEM;
	json_add_string(extra, "file", old->name);
	json_add_number(extra, "first_seq", old->first_seq);
	json_add_number(extra, "last_seq", old->last_seq);
	json_add_string(extra, "last_hash", old->last_hash);
	r = evidence_put_own(evidence, "log-expired", extra);
	return r ? r : logrotate_remove(dir, old->name);
}

/* By a clock that nobody vouches for nothing is removed: whoever sets it ahead would empty the log. */
static int expire_files(sd_event_source *source, void *userdata)
{
	struct evidence *evidence = userdata;
	int64_t before = (int64_t)evidence_clock_us(CLOCK_REALTIME) - (int64_t)evidence->retention_days * EVIDENCE_DAY;
	int r = 1;

	if (!evidence->retention_days)
		return 0;
	evidence_arm(evidence, &evidence->daily, EVIDENCE_DAY, 3600 * EVIDENCE_SECOND, EVIDENCE_LATER, a_day_later);
	if (!evidence_clock_is_synchronised() || evidence_make_ready(evidence, "log-expired"))
		return 0;
	for (unsigned int i = 0; i < EXPIRE_MAX && r > 0; i++) {
		struct logrotate_expired old = { .name = NULL };
		int dir = logstore_directory(evidence->store);

		r = dir < 0 ? -EBADF :
			      logrotate_find_expired(dir, logstore_stem(evidence->store), evidence->name,
						     logstore_first_us(evidence->store),
						     logstore_first_seq(evidence->store), before, &old);
		if (r > 0 && expire_one(evidence, dir, &old))
			r = 0;
		free(old.name);
	}
	if (r < 0)
		fprintf(stderr, SD_WARNING "event log: old files cannot be looked through: %s\n", strerror(-r));
	return 0;
}

static void compress(struct evidence *evidence)
{
	int dir = logstore_directory(evidence->store);
	int r = dir < 0 ? 0 : logrotate_compress(evidence->rotate, dir, logstore_stem(evidence->store));

	if (r < 0)
		fprintf(stderr, SD_WARNING "event log: a rotated file stays uncompressed: %s\n", strerror(-r));
}

bool evidence_rotation_is_due(const struct evidence *evidence)
{
	int64_t first = logstore_first_us(evidence->store), now = (int64_t)evidence_clock_us(CLOCK_REALTIME);

	return !evidence->rotating &&
	       (logstore_size(evidence->store) >= evidence->rotate_bytes ||
		(first > 0 && now - first >= evidence->rotate_us)) &&
	       (int64_t)evidence_clock_us(CLOCK_BOOTTIME) >= evidence->no_rotation_before;
}

void evidence_rotate(struct evidence *evidence)
{
	int r;

	evidence->rotating = true;
	r = evidence_checkpoint(evidence);
	if (!r)
		r = logstore_rotate(evidence->store, NULL);
	if (!r)
		r = evidence_make_ready(evidence, "log-continued");
	evidence->rotating = false;
	if (r) {
		evidence->no_rotation_before = (int64_t)evidence_clock_us(CLOCK_BOOTTIME) + ROTATE_RETRY_US;
		fprintf(stderr, SD_WARNING "event log: it is not rotated for now: %s\n", strerror(-r));
		return;
	}
	compress(evidence);
	expire_soon(evidence);
}

void evidence_set_retention(struct evidence *evidence, unsigned int days)
{
	evidence->retention_days = days;
	if (days)
		expire_soon(evidence);
}
