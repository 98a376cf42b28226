// SPDX-License-Identifier: GPL-2.0-or-later
/* The log's files in the course of time: rotation, compression, retention. */
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/evidence-inside.h"
#include "daemon/json.h"
#include "system/logfiles.h"
#include "system/safedir.h"
#include "system/textfile.h"

#define ROTATE_RETRY_US (300 * EVIDENCE_SECOND)
#define WATCH_FILE "retention"
#define WATCH_MODE 0600

static int tidy(sd_event_source *source, void *userdata);

/* --- the clock --- */

/* Without a file nothing is known of before, and retention waits. */
static void load_watch(struct evidence *evidence, int64_t now)
{
	_cleanup_(freep) char *text = NULL, *path = NULL;
	size_t len;

	if (asprintf(&path, "%s/" WATCH_FILE, evidence->keys) < 0)
		path = NULL;
	if (!path || textfile_read(path, CLOCKWATCH_TEXT_MAX, &text, &len) || strlen(text) != len ||
	    !clockwatch_parse(&evidence->watch, text))
		clockwatch_begin(&evidence->watch, now);
}

void evidence_save_watch(struct evidence *evidence)
{
	_cleanup_(closep) int dir = -1;
	char text[CLOCKWATCH_TEXT_MAX];
	int r;

	if (!evidence->watching)
		return;
	clockwatch_format(&evidence->watch, text);
	r = safedir_open(evidence->keys, &dir);
	if (!r)
		r = safedir_write(dir, WATCH_FILE, WATCH_MODE, &(struct safedir_part){ text, strlen(text) }, 1);
	/* Then the next start knows nothing, and waits. */
	if (r)
		fprintf(stderr, SD_WARNING "event log: %s/" WATCH_FILE " cannot be written: %s\n", evidence->keys,
			r < 0 ? strerror(-r) : safedir_error(r));
}

void evidence_watch_clock(struct evidence *evidence, int64_t newest_us)
{
	int64_t now = (int64_t)evidence_clock_us(CLOCK_REALTIME), leapt;

	if (!evidence->watching)
		load_watch(evidence, now);
	evidence->watching = true;
	leapt = clockwatch_look(&evidence->watch, now, (int64_t)evidence_clock_us(CLOCK_BOOTTIME), newest_us);
	if (!leapt)
		return;
	evidence->leapt_us += leapt;
	fprintf(stderr, SD_WARNING "event log: the clock has leapt ahead by %lld days; no old file is removed for a week\n",
		(long long)(leapt / EVIDENCE_DAY));
	evidence_save_watch(evidence);
}

/* Both clock-set and clock-reversed say it. */
static void add_earlier_than(struct json_object *extra, int64_t newest)
{
	char time[LOGFILES_TIME_MAX];

	logfiles_format_time(time, newest);
	json_add_string(extra, "earlier_than", time);
}

int evidence_put_reversed(struct evidence *evidence, int64_t newest)
{
	struct json_object *extra = json_object_new_object();
	int64_t now = (int64_t)evidence_clock_us(CLOCK_REALTIME);
	int r;

	if (!extra)
		return -ENOMEM;
	add_earlier_than(extra, newest);
	r = evidence_put_own(evidence, "clock-reversed", extra);
	if (!r)
		clockwatch_reversed(&evidence->watch, now, newest - now);
	return r;
}

/* The clock has leapt ahead: retention waits, and a verifier knows why. */
static void add_ahead(struct evidence *evidence, struct json_object *extra)
{
	json_add_number(extra, "ahead_s", (uint64_t)(evidence->leapt_us / EVIDENCE_SECOND));
	/* A verifier counts from this record on. */
	evidence->watch.mark_us = (int64_t)evidence_clock_us(CLOCK_REALTIME);
	evidence->leapt_us = 0;
}

int evidence_put_leap(struct evidence *evidence)
{
	struct json_object *extra = json_object_new_object();

	if (!extra)
		return -ENOMEM;
	add_ahead(evidence, extra);
	return evidence_put_own(evidence, "clock-set", extra);
}

int evidence_describe_set(struct evidence *evidence, struct json_object **extrap)
{
	int64_t newest = logstore_newest_us(evidence->store), now = (int64_t)evidence_clock_us(CLOCK_REALTIME);
	bool reversed = now < newest;

	if (!reversed && !evidence->leapt_us)
		return 0;
	if (!*extrap)
		*extrap = json_object_new_object();
	if (!*extrap)
		return -ENOMEM;
	if (reversed) {
		add_earlier_than(*extrap, newest);
		clockwatch_reversed(&evidence->watch, now, newest - now);
	}
	if (evidence->leapt_us)
		add_ahead(evidence, *extrap);
	return 0;
}

/* --- retention --- */

void evidence_tidy_soon(struct evidence *evidence)
{
	if (evidence->expire)
		sd_event_source_set_enabled(evidence->expire, SD_EVENT_ONESHOT);
	else if (sd_event_add_defer(evidence->event, &evidence->expire, tidy, evidence) >= 0)
		sd_event_source_set_priority(evidence->expire, EVIDENCE_LATER);
}

static int a_day_later(sd_event_source *source, uint64_t usec, void *userdata)
{
	evidence_tidy_soon(userdata);
	return 0;
}

static int expire_one(struct evidence *evidence, int dir, struct logrotate_expired *old)
{
	struct json_object *extra = json_object_new_object();
	char time[LOGFILES_TIME_MAX];
	int r;

	if (!extra)
		return -ENOMEM;
	logfiles_format_time(time, old->newest_us);
	json_add_string(extra, "file", old->name);
	json_add_number(extra, "first_seq", old->first_seq);
	json_add_number(extra, "last_seq", old->last_seq);
	json_add_string(extra, "last_hash", old->last_hash);
	json_add_string(extra, "newest", time);
	json_add_number(extra, "retention_days", evidence->retention_days);
	r = evidence_put_own(evidence, "log-expired", extra);
	return r ? r : logrotate_remove(evidence->rotate, dir, old->name);
}

/*
 * Removes the oldest file if its time is over. By a clock that nobody vouches for, or that has leapt ahead, nothing is removed: whoever
 * sets it ahead would empty the log. 1 if there may be more.
 */
static int expire_oldest(struct evidence *evidence)
{
	int64_t now = (int64_t)evidence_clock_us(CLOCK_REALTIME);
	struct logrotate_expired old = { .name = NULL };
	int dir, r;

	if (!evidence->retention_days || !evidence_clock_is_synchronised() || evidence_make_ready(evidence, "log-expired"))
		return 0;
	dir = logstore_directory(evidence->store);
	r = dir < 0 ? -EBADF :
		      logrotate_find_oldest(dir, logstore_stem(evidence->store), evidence->name,
					    logstore_first_us(evidence->store), logstore_first_seq(evidence->store), &old);
	if (r > 0)
		r = clockwatch_expired(&evidence->watch, now, old.newest_us, evidence->retention_days * EVIDENCE_DAY) &&
		    !expire_one(evidence, dir, &old);
	free(old.name);
	if (r < 0)
		fprintf(stderr, SD_WARNING "event log: old files cannot be looked through: %s\n", strerror(-r));
	return r;
}

/* --- compression --- */

static void compress(struct evidence *evidence)
{
	int dir = logstore_directory(evidence->store);
	int r = dir < 0 ? 0 : logrotate_compress(evidence->rotate, dir, logstore_stem(evidence->store));

	if (r < 0)
		fprintf(stderr, SD_WARNING "event log: a rotated file stays uncompressed: %s\n", strerror(-r));
}

/* One file a turn: verdicts go first. */
static int tidy(sd_event_source *source, void *userdata)
{
	struct evidence *evidence = userdata;

	evidence_arm(evidence, &evidence->daily, EVIDENCE_DAY, 3600 * EVIDENCE_SECOND, EVIDENCE_LATER, a_day_later);
	if (expire_oldest(evidence) > 0) {
		evidence_tidy_soon(evidence);
		return 0;
	}
	compress(evidence);
	evidence_look_at_space(evidence);
	evidence_save_watch(evidence);
	return 0;
}

/* --- rotation --- */

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
	evidence_tidy_soon(evidence);
}

void evidence_set_retention(struct evidence *evidence, unsigned int days)
{
	evidence->retention_days = days;
	if (days)
		evidence_tidy_soon(evidence);
}
