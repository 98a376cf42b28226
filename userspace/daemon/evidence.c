// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/linkhash.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "core/text.h"
#include "daemon/evidence-inside.h"
#include "daemon/evidence.h"
#include "daemon/json.h"
#include "system/logfiles.h"
#include "system/textfile.h"

#define SOON_US 20000 /* that a record waits for a commit at most */
#define SAVE_US 50000 /* from a commit to the end of its keys */
#define SAVE_LATEST_US EVIDENCE_SECOND /* with all the loop has to do */
#define SAVE_RECORDS 256
#define RESAVE_US (5 * EVIDENCE_SECOND) /* while they cannot be stored */
#define DESK_KEY_FILE_MAX 4096

/* After what the gate says, before the bus (bus/connection.h). */
#define SOON_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 5)

/* --- timers --- */

void evidence_arm(struct evidence *evidence, sd_event_source **source, uint64_t usec, uint64_t accuracy,
		int64_t priority, sd_event_time_handler_t fn)
{
	int r;

	if (*source) {
		r = sd_event_source_set_time_relative(*source, usec);
		if (r >= 0)
			r = sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT);
	} else {
		r = sd_event_add_time_relative(evidence->event, source, CLOCK_MONOTONIC, usec, accuracy, fn,
					       evidence);
		if (r >= 0)
			r = sd_event_source_set_priority(*source, priority);
	}
	/* -ESTALE: the loop has ended. The last records are brought to the disk without timers. */
	if (r < 0 && r != -ESTALE)
		fprintf(stderr, SD_WARNING "event log: a timer cannot be set: %s\n", strerror(-r));
}

static bool armed(sd_event_source *source)
{
	return source && sd_event_source_get_enabled(source, NULL) > 0;
}

static void disarm(sd_event_source *source)
{
	if (source)
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

/* --- committing --- */

static void tell(struct evidence *evidence, const struct evidence_note *note, bool lost)
{
	if (lost) {
		/* Its number will be another record's. */
		json_object_object_del(note->record, "seq");
		json_object_object_del(note->record, "hash");
	}
	evidence_tell(evidence->tell, note->kind, note->record, lost);
	if (evidence->callbacks.recorded)
		evidence->callbacks.recorded(evidence->callbacks.userdata, note->kind->name, note->signal, note->device,
					     note->record);
}

static void soon_tell(struct evidence *evidence, bool lost)
{
	unsigned int n = evidence->n_soon;

	disarm(evidence->turn);
	disarm(evidence->limit);
	evidence->n_soon = 0;
	for (unsigned int i = 0; i < n; i++) {
		tell(evidence, &evidence->soon[i], lost);
		json_object_put(evidence->soon[i].record);
	}
}

/* --- the keys --- */

static int save_again(sd_event_source *source, uint64_t usec, void *userdata);

static void save(struct evidence *evidence)
{
	int r = logstore_save(evidence->store);

	disarm(evidence->save);
	if (r)
		evidence_arm(evidence, &evidence->resave, RESAVE_US, EVIDENCE_SECOND, SD_EVENT_PRIORITY_NORMAL, save_again);
	else
		evidence->unsaved_seq = logstore_durable(evidence->store)->seq;
	evidence_set_keys(evidence, r);
}

static int save_again(sd_event_source *source, uint64_t usec, void *userdata)
{
	save(userdata);
	return 0;
}

/*
 * Off the way of any verdict: what it takes from a thief is a fraction of a second's records. But whoever keeps the loop busy must not
 * keep the old keys alive by it: then it is done on the way.
 */
static void save_soon(struct evidence *evidence)
{
	uint64_t now = evidence_clock_us(CLOCK_MONOTONIC);

	/* The timer tries again. */
	if (evidence->keys_error)
		return;
	if (!armed(evidence->save)) {
		evidence->unsaved_since = now;
		evidence_arm(evidence, &evidence->save, SAVE_US, SAVE_US / 2, EVIDENCE_LATER, save_again);
	}
	if (now - evidence->unsaved_since >= SAVE_LATEST_US ||
	    logstore_durable(evidence->store)->seq - evidence->unsaved_seq >= SAVE_RECORDS)
		save(evidence);
}

static int commit(struct evidence *evidence)
{
	int r = logstore_commit(evidence->store);

	soon_tell(evidence, r);
	if (r)
		evidence_set_writable(evidence, r);
	else if (logstore_unsaved(evidence->store))
		save_soon(evidence);
	return r;
}

int evidence_flush(struct evidence *evidence)
{
	return logstore_pending(evidence->store) ? commit(evidence) : 0;
}

static int turn_ended(sd_event_source *source, void *userdata)
{
	commit(userdata);
	return 0;
}

static int limit_reached(sd_event_source *source, uint64_t usec, void *userdata)
{
	commit(userdata);
	return 0;
}

static void commit_soon(struct evidence *evidence)
{
	int r;

	if (evidence->turn) {
		r = sd_event_source_set_enabled(evidence->turn, SD_EVENT_ONESHOT);
	} else {
		r = sd_event_add_defer(evidence->event, &evidence->turn, turn_ended, evidence);
		if (r >= 0)
			r = sd_event_source_set_priority(evidence->turn, SOON_PRIORITY);
	}
	if (r < 0)
		commit(evidence);
	else if (!armed(evidence->limit))
		evidence_arm(evidence, &evidence->limit, SOON_US, 1000, SD_EVENT_PRIORITY_IMPORTANT, limit_reached);
}

/* --- one record --- */

static const struct eventkind *kind_of(const char *name, struct eventkind *unknown)
{
	const struct eventkind *kind = eventkind_find(name);

	if (kind)
		return kind;
	*unknown = (struct eventkind){ .name = name, .priority = LOG_NOTICE, .at_once = true, .text = name };
	return unknown;
}

static struct json_object *make_record(struct evidence *evidence, const char *kind, const struct device *device,
				       struct json_object *extra, int64_t now)
{
	struct json_object *record = json_object_new_object();
	char time[LOGFILES_TIME_MAX];

	if (!record)
		return NULL;
	logfiles_format_time(time, now);
	json_add_number(record, "seq", logstore_next_seq(evidence->store));
	json_add_string(record, "time", time);
	json_add_number(record, "boot_us", evidence_clock_us(CLOCK_BOOTTIME));
	json_add_string(record, "kind", kind);
	json_add_string(record, "terminal", evidence->terminal);
	json_object_object_add(record, "sync", json_object_new_boolean(evidence_clock_is_synchronised()));
	if (device)
		evidence_add_device(record, device);
	if (extra) {
		json_object_object_foreach(extra, key, value)
			json_object_object_add(record, key, json_object_get(value));
	}
	return record;
}

/* Serialises and appends; the record gets its hash. */
static int append(struct evidence *evidence, struct json_object *record, int64_t now)
{
	_cleanup_(freep) char *safe = NULL;
	char line[LOGSTORE_LINE_MAX], hex[2 * CHAIN_HASH_LEN + 1];
	uint8_t hash[CHAIN_HASH_LEN];
	const char *json;
	size_t len;
	int r;

	json = json_object_to_json_string_length(
		record, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	/* A reader of the log sees what a device calls itself, and is not steered by it. */
	safe = json ? text_escape_json(json, len) : NULL;
	if (!safe)
		return -ENOMEM;
	len = strlen(safe);
	if (len >= sizeof(line))
		return -EMSGSIZE;
	memcpy(line, safe, len);
	r = logstore_append(evidence->store, now, line, len, hash);
	if (r)
		return r;
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	json_add_string(record, "hash", hex);
	return 0;
}

static void enqueue(struct evidence *evidence, const struct evidence_note *note)
{
	if (!evidence->n_soon)
		evidence->soon_since = evidence_clock_us(CLOCK_MONOTONIC);
	json_object_get(note->record);
	evidence->soon[evidence->n_soon++] = *note;
}

static int write_note(struct evidence *evidence, const struct evidence_note *note, int64_t now)
{
	int r = append(evidence, note->record, now);

	if (r) {
		/* A record that is too long is refused by itself; anything else takes those before it along. */
		if (r != -EMSGSIZE && r != -ENOMEM) {
			soon_tell(evidence, true);
			evidence_set_writable(evidence, r);
		}
		return r;
	}
	evidence->since_checkpoint++;
	/* A kind without a row, which the caller keeps, is at once: only rows of the table wait. */
	enqueue(evidence, note);
	if (note->kind->at_once || evidence->n_soon == EVIDENCE_SOON_MAX ||
	    evidence_clock_us(CLOCK_MONOTONIC) - evidence->soon_since >= SOON_US)
		return commit(evidence);
	commit_soon(evidence);
	return 0;
}

/*
 * Takes `extra`. note: kind, signal and device; gets the record. It has been told of if it was appended, also if it was lost
 * after that.
 */
static int evidence_put(struct evidence *evidence, struct evidence_note *note, const struct device *device,
			struct json_object *extra)
{
	int64_t now = (int64_t)evidence_clock_us(CLOCK_REALTIME);

	note->record = make_record(evidence, note->kind->name, device, extra, now);
	json_object_put(extra);
	return note->record ? write_note(evidence, note, now) : -ENOMEM;
}

/* One of evidence's own. */
int evidence_put_own(struct evidence *evidence, const char *name, struct json_object *extra)
{
	struct eventkind unknown;
	struct evidence_note note = { .kind = kind_of(name, &unknown) };
	int r = evidence_put(evidence, &note, NULL, extra);

	json_object_put(note.record);
	return r;
}

/* What stands in the log in the place of a record that is too long for it. */
static void put_stand_in(struct evidence *evidence, struct evidence_note *note, const struct device *device)
{
	struct json_object *extra = json_object_new_object();

	fprintf(stderr, SD_ERR "event log: a record of the kind %s is too long and was written without its members\n",
		note->kind->name);
	json_object_put(note->record);
	note->record = NULL;
	if (!extra)
		return;
	if (device) {
		json_add_string(extra, "device", device->ident.name);
		json_add_string(extra, "fingerprint", device->ident.fingerprint);
	}
	json_object_object_add(extra, "too_long", json_object_new_boolean(true));
	evidence_put(evidence, note, NULL, extra);
}

/* --- what comes before it --- */

/*
 * Everything that the log itself has to say comes first: what it found, and that the clock has gone back (right behind a
 * record that is due, so that it is that one's neighbour).
 */
int evidence_make_ready(struct evidence *evidence, const char *kind)
{
	struct json_object *members;
	const char *due = NULL;
	int64_t newest = 0;
	bool reversed;
	int r;

	for (;;) {
		members = NULL;
		due = NULL;
		r = logstore_ready(evidence->store, &due, &members);
		if (logstore_newest_us(evidence->store) > newest)
			newest = logstore_newest_us(evidence->store);
		if (r < 0) {
			soon_tell(evidence, true);
			evidence_set_writable(evidence, r);
			return r;
		}
		evidence_watch_clock(evidence, newest);
		reversed = (int64_t)evidence_clock_us(CLOCK_REALTIME) < newest;
		if (!r)
			break;
		r = evidence_put_own(evidence, due, members);
		if (!r && reversed)
			r = evidence_put_reversed(evidence, newest);
		if (r)
			return r;
		if (reversed)
			newest = 0;
	}
	if (!strcmp(kind, "clock-set"))
		return 0;
	if (reversed)
		r = evidence_put_reversed(evidence, newest);
	if (!r && evidence->leapt_us)
		r = evidence_put_leap(evidence);
	return r;
}

/* --- what comes after it --- */

static int checkpoint_now(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct evidence *evidence = userdata;

	if (evidence->since_checkpoint)
		evidence_checkpoint(evidence);
	return 0;
}

int evidence_checkpoint(struct evidence *evidence)
{
	struct json_object *extra;
	int r = evidence_make_ready(evidence, "checkpoint");

	if (r)
		return r;
	extra = json_object_new_object();
	if (!extra)
		return -ENOMEM;
	if (!logstore_add_checkpoint(evidence->store, extra)) {
		json_object_put(extra);
		return 0;
	}
	evidence_tell_add_dropped(evidence->tell, extra);
	r = evidence_put_own(evidence, "checkpoint", extra);
	if (!r) {
		evidence->checkpoint_seq = logstore_durable(evidence->store)->seq;
		evidence->since_checkpoint = 0;
		disarm(evidence->checkpoint);
	}
	return r;
}

static void tend(struct evidence *evidence)
{
	if (evidence_rotation_is_due(evidence))
		evidence_rotate(evidence);
	else if (evidence->since_checkpoint >= evidence->checkpoint_records)
		evidence_checkpoint(evidence);
	else if (evidence->since_checkpoint && !armed(evidence->checkpoint))
		evidence_arm(evidence, &evidence->checkpoint, evidence->checkpoint_us, 60 * EVIDENCE_SECOND, EVIDENCE_LATER,
		    checkpoint_now);
}

/* --- for the others --- */

void evidence_set_drill(struct evidence *evidence, bool on)
{
	evidence->drill = on;
}

/* What the log says of itself is the same in a drill; the rest may not be taken for what the barrier did. */
static void add_drill(const struct evidence *evidence, struct json_object **extra)
{
	if (!evidence->drill)
		return;
	if (!*extra)
		*extra = json_object_new_object();
	if (*extra)
		json_object_object_add(*extra, "drill", json_object_new_boolean(true));
}

int evidence_write(struct evidence *evidence, const char *kind, const char *signal, const struct device *device,
		   struct json_object *extra, struct json_object **recordp)
{
	struct eventkind unknown;
	struct evidence_note note = { .kind = kind_of(kind, &unknown), .signal = signal, .device = device ? device->id : 0 };
	int r = evidence_make_ready(evidence, kind);

	if (!r && !strcmp(kind, "clock-set"))
		r = evidence_describe_set(evidence, &extra);
	add_drill(evidence, &extra);
	if (!r) {
		r = evidence_put(evidence, &note, device, extra);
	} else {
		logstore_count_lost(evidence->store, r);
		note.record = make_record(evidence, kind, device, extra, (int64_t)evidence_clock_us(CLOCK_REALTIME));
		json_object_put(extra);
	}
	if (r == -EMSGSIZE) {
		evidence_tell(evidence->tell, note.kind, note.record, true);
		put_stand_in(evidence, &note, device);
	} else if (r && note.record && json_object_object_get_ex(note.record, "seq", NULL)) {
		/* It never got as far as the file. */
		tell(evidence, &note, true);
	} else if (!r) {
		/* After a failure only the timer says that all is well: on a disk with room for some records it would come and go. */
		tend(evidence);
	}
	if (recordp)
		*recordp = note.record;
	else
		json_object_put(note.record);
	return r;
}

const char *evidence_state(const struct evidence *evidence)
{
	return evidence->state;
}

bool evidence_is_writable(const struct evidence *evidence)
{
	return evidence->writable;
}

bool evidence_is_sealed_to_desk(const struct evidence *evidence)
{
	return *logstore_sealed_to(evidence->store);
}

void evidence_head(const struct evidence *evidence, struct evidence_head *head)
{
	const struct chain *durable = logstore_durable(evidence->store);

	head->seq = durable->seq;
	head->checkpoint = evidence->checkpoint_seq;
	head->hash[0] = '\0';
	if (durable->seq)
		sodium_bin2hex(head->hash, sizeof(head->hash), durable->hash, sizeof(durable->hash));
}

/* --- beginning and end --- */

/* The desk's public key, one line of 64 hex digits. False: there is none that can be used, and why has been said. */
static bool read_desk_key(const char *path, uint8_t out[static LOGSTORE_DESK_KEY_LEN])
{
	uint8_t sealed[crypto_box_SEALBYTES + 1];
	_cleanup_(freep) char *text = NULL;
	size_t len = 0, got = 0;
	const char *end = NULL;
	int r = textfile_read(path, DESK_KEY_FILE_MAX, &text, &len);

	if (r == TEXTFILE_E_ABSENT)
		fprintf(stderr, SD_NOTICE "event log: there is no %s, so the log's first key is sealed to nobody, and the "
					  "help desk cannot tell who wrote its records\n", path);
	else if (r > 0)
		fprintf(stderr, SD_ERR "event log: %s %s\n", path, textfile_error(r));
	else if (r < 0)
		fprintf(stderr, SD_ERR "event log: %s: %s\n", path, strerror(-r));
	if (r)
		return false;
	if (sodium_hex2bin(out, LOGSTORE_DESK_KEY_LEN, text, len, NULL, &got, &end) ||
	    got != LOGSTORE_DESK_KEY_LEN || end[strspn(end, " \t\r\n")] ||
	    crypto_box_seal(sealed, (const uint8_t *)"", 1, out)) {
		fprintf(stderr, SD_ERR "event log: %s must hold the desk's public key, 64 hexadecimal digits, as "
				       "'sekimori-desk log keygen' writes it\n", path);
		return false;
	}
	return true;
}

int evidence_new(struct evidence **evidencep, sd_event *event, const struct settings *settings,
		 const struct evidence_callbacks *callbacks)
{
	struct evidence *evidence = calloc(1, sizeof(*evidence));
	uint8_t desk[LOGSTORE_DESK_KEY_LEN];
	bool has_desk;
	int r;

	if (!evidence)
		return -ENOMEM;
	evidence->event = sd_event_ref(event);
	evidence->callbacks = *callbacks;
	evidence->writable = true;
	strcpy(evidence->state, "ok");
	memcpy(evidence->keys, settings->log_keys, sizeof(evidence->keys));
	memcpy(evidence->terminal, settings->terminal, sizeof(evidence->terminal));
	strcpy(evidence->name, strrchr(settings->log_file, '/') + 1);
	evidence->rotate_bytes = (uint64_t)settings->log_rotate_mib << 20;
	evidence->rotate_us = (int64_t)settings->log_rotate_days * EVIDENCE_DAY;
	evidence->checkpoint_records = settings->log_checkpoint_records;
	evidence->checkpoint_us = (uint64_t)settings->log_checkpoint_minutes * 60 * EVIDENCE_SECOND;
	has_desk = read_desk_key(settings->log_desk_key, desk);
	r = logstore_new(&evidence->store, settings->log_file, settings->log_keys, has_desk ? desk : NULL);
	if (!r)
		r = logrotate_new(&evidence->rotate, event);
	if (!r)
		r = evidence_tell_new(&evidence->tell);
	if (r) {
		evidence_free(evidence);
		return r;
	}
	evidence_tidy_soon(evidence);
	*evidencep = evidence;
	return 0;
}

struct evidence *evidence_free(struct evidence *evidence)
{
	if (!evidence)
		return NULL;
	/* Who is told has gone, or is going. */
	evidence->callbacks = (struct evidence_callbacks){ .recorded = NULL };
	if (evidence->tell && !commit(evidence))
		logstore_save(evidence->store);
	evidence_save_watch(evidence);
	sd_event_source_disable_unref(evidence->turn);
	sd_event_source_disable_unref(evidence->limit);
	sd_event_source_disable_unref(evidence->save);
	sd_event_source_disable_unref(evidence->retry);
	sd_event_source_disable_unref(evidence->checkpoint);
	sd_event_source_disable_unref(evidence->expire);
	sd_event_source_disable_unref(evidence->daily);
	sd_event_source_disable_unref(evidence->resave);
	logrotate_free(evidence->rotate);
	logstore_free(evidence->store);
	evidence_tell_free(evidence->tell);
	sd_event_unref(evidence->event);
	free(evidence);
	return NULL;
}
