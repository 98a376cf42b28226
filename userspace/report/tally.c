// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/civil.h"
#include "core/macro.h"
#include "report/tally-exceptions.h"

/* Of a self-check: the daemon takes less (docs/dbus.md). */
#define CHECK_ITEMS_MAX 65536

struct tally *tally_new(struct period *period)
{
	struct tally *tally = calloc(1, sizeof(*tally));
	struct counts **all[] = { &tally->reasons, &tally->devices, &tally->use,
				  &tally->open_refusals, &tally->acts, &tally->attempts,
				  &tally->would_reasons, &tally->would_devices, &tally->roads };

	if (!tally)
		return NULL;
	tally->period = period;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		*all[i] = counts_new();
		if (!*all[i])
			return tally_free(tally);
	}
	tally->exceptions = tally_exceptions_new();
	return tally->exceptions ? tally : tally_free(tally);
}

struct tally *tally_free(struct tally *tally)
{
	if (!tally)
		return NULL;
	counts_free(tally->reasons);
	counts_free(tally->devices);
	counts_free(tally->would_reasons);
	counts_free(tally->would_devices);
	counts_free(tally->roads);
	counts_free(tally->use);
	counts_free(tally->open_refusals);
	counts_free(tally->acts);
	counts_free(tally->attempts);
	tally_exceptions_free(tally->exceptions);
	free(tally->policies.entries);
	free(tally->incidents.entries);
	free(tally->starts.entries);
	free(tally->clocks.entries);
	free(tally->log_events.entries);
	free(tally->seq_gaps.entries);
	free(tally->time_gaps.entries);
	free(tally->check_items);
	free(tally);
	return NULL;
}

/* --- what reaches over the month's borders --- */

static int64_t overlap(const struct tally *tally, int64_t from, int64_t to)
{
	int64_t begin = from > tally->period->since_us ? from : tally->period->since_us;
	int64_t end = to < tally->period->until_us ? to : tally->period->until_us;

	return end > begin ? end - begin : 0;
}

/* The evening's switching off: shut down properly, and the keeper was there soon after the next start. */
#define SOON_US (INT64_C(120) * 1000000)
/* What a keeper may need from opening its log to saying that it has started. */
#define STARTING_US (INT64_C(30) * 1000000)

/* No daemon wrote from..to. The terminal ran in the last `boot_us` of it: the rest it was switched off. */
static int add_time_gap(struct tally *tally, int64_t from, int64_t to, uint64_t boot_us)
{
	int64_t length = to - from, on, booted;
	struct tally_entry *entry;
	int r;

	if (length <= 0 || !overlap(tally, from, to))
		return 0;
	on = boot_us < (uint64_t)length ? (int64_t)boot_us : length;
	booted = to - on;
	tally->gap_us += overlap(tally, from, to);
	tally->gap_on_us += overlap(tally, booted, to);
	if (tally->last_stopped && on < SOON_US) {
		tally->ordinary_gaps++;
		return 0;
	}
	entry = tally_list_add(&tally->time_gaps, from, &r);
	if (entry) {
		entry->numbers[0] = (uint64_t)to;
		entry->numbers[1] = (uint64_t)on;
		entry->numbers[2] = !tally->last_stopped;
	}
	return r;
}

static int add_seq_gap(struct tally *tally, const struct record *record)
{
	struct tally_entry *entry;
	int r;

	if (!tally->last_seq || record->seq <= tally->last_seq + 1 || !record->inside)
		return 0;
	entry = tally_list_add(&tally->seq_gaps, record->us, &r);
	if (entry) {
		entry->numbers[0] = tally->last_seq + 1;
		entry->numbers[1] = record->seq - 1;
	}
	return r;
}

/* How many names an array holds; 0 for anything else. */
static uint64_t count_names(const struct field_span *span)
{
	struct json_tokener *tokener = span->text ? json_tokener_new_ex(4) : NULL;
	struct json_object *array = NULL;
	uint64_t n = 0;

	if (tokener && span->len < CHECK_ITEMS_MAX)
		array = json_tokener_parse_ex(tokener, span->text, (int)span->len);
	if (json_object_is_type(array, json_type_array))
		n = json_object_array_length(array);
	json_object_put(array);
	if (tokener)
		json_tokener_free(tokener);
	return n;
}

static void note_policy(struct tally *tally, const struct record *record)
{
	struct tally_policy *policy = &tally->policy;
	const struct fields *fields = record->fields;

	policy->known = true;
	record_copy(policy->id, sizeof(policy->id), record, FIELD_POLICY);
	record_copy(policy->state, sizeof(policy->state), record, FIELD_STATE);
	policy->number = fields_number(fields, FIELD_POLICY_VERSION);
	policy->media = fields_number(fields, FIELD_MEDIA);
	policy->retention_days = fields_number(fields, FIELD_RETENTION_DAYS);
	policy->is_signed = fields_true(fields, FIELD_SIGNED);
	policy->signers = count_names(&fields->spans[FIELD_SIGNERS]);
	if (record_is(record, "started"))
		record_copy(policy->backend, sizeof(policy->backend), record, FIELD_BACKEND);
}

static int note_check(struct tally *tally, const struct record *record)
{
	const struct field_span *items = &record->fields->spans[FIELD_ITEMS];

	tally->check_us = record->us;
	tally->check_found[CHECK_OK] = fields_number(record->fields, FIELD_OK);
	tally->check_found[CHECK_WARN] = fields_number(record->fields, FIELD_WARN);
	tally->check_found[CHECK_FAIL] = fields_number(record->fields, FIELD_FAIL);
	tally->check_found[CHECK_UNKNOWN] = fields_number(record->fields, FIELD_UNKNOWN);
	free(tally->check_items);
	tally->check_items = NULL;
	if (!items->text || items->len > CHECK_ITEMS_MAX)
		return 0;
	tally->check_items = strndup(items->text, items->len);
	return tally->check_items ? 0 : -ENOMEM;
}

/* What a later record builds upon, whether it lies in the month or before it. */
static int note(struct tally *tally, const struct record *record)
{
	if (record_is(record, "started") || record_is(record, "policy"))
		note_policy(tally, record);
	else if (record_is(record, "seat"))
		record_copy(tally->seated, sizeof(tally->seated), record, FIELD_USER);
	else if (record_is(record, "self-check"))
		return note_check(tally, record);
	return 0;
}

/*
 * When the keeper was last known to live before this start. A checkpoint tells of it like any record, but the log's own
 * records are also written by a keeper that is about to say that it has started.
 */
static int64_t last_sign(const struct tally *tally, const struct record *started)
{
	bool before = started->us - tally->checkpoint_us > STARTING_US;

	return !tally->last_stopped && before && tally->checkpoint_us > tally->last_us ? tally->checkpoint_us :
											 tally->last_us;
}

int tally_add(struct tally *tally, const char *line, size_t len)
{
	struct fields fields;
	struct record record = { .fields = &fields };
	const struct period *period = tally->period;
	const struct field_span *time = &fields.spans[FIELD_TIME];
	int r;

	if (!fields_parse(&fields, line, len) || !time->text ||
	    !civil_parse_moment(time->text, time->len, &record.us)) {
		tally->strange++;
		return 0;
	}
	fields_string(&fields, FIELD_KIND, record.kind);
	record.seq = fields_number(&fields, FIELD_SEQ);
	record.boot_us = fields_number(&fields, FIELD_BOOT_US);
	record.inside = record.us >= period->since_us && record.us < period->until_us;
	if (record.inside)
		record.hour = period_find(tally->period, record.us);

	r = add_seq_gap(tally, &record);
	if (!r && tally->last_us && record_is(&record, "started"))
		r = add_time_gap(tally, last_sign(tally, &record), record.us, record.boot_us);
	if (record_is(&record, "incident") && fields_true(&fields, FIELD_AGAIN))
		tally_incident_again(tally, &record);
	if (!r && record.us < period->until_us)
		r = note(tally, &record);
	if (!r && record.us < period->until_us)
		r = tally_exceptions_add(tally->exceptions, &record);
	if (!r && record.inside)
		r = tally_add_inside(tally, &record);
	if (r)
		return r;
	if (!tally->log_since_us)
		tally->log_since_us = record.us;
	if (record.seq > tally->last_seq)
		tally->last_seq = record.seq;
	if (record_is(&record, "checkpoint")) {
		tally->checkpoint_us = record.us;
	} else if (strncmp(record.kind, "log-", 4)) {
		tally->last_us = record.us;
		tally->last_stopped = record_is(&record, "stopped");
	}
	return 0;
}

int tally_end(struct tally *tally, int64_t now_us)
{
	tally_exceptions_end(tally->exceptions, now_us < tally->period->until_us ? now_us : tally->period->until_us);
	if (!tally->last_us || !tally->last_stopped)
		return 0;
	return add_time_gap(tally, tally->last_us, now_us, 0);
}
