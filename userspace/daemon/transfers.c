// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "core/transfer.h"
#include "core/utf8.h"
#include "daemon/json.h"
#include "daemon/transfers.h"
#include "system/transferwatch.h"
#include "system/username.h"

#define NAME_MAX_BYTES 256
#define TIME_TEXT_MAX 48
/* Each byte may become U+FFFD. */
#define CLEAN_MAX (3 * TRANSFER_PATH_MAX + 1)

/* A helper that dies more often in a minute will die again. */
#define RESTARTS_MAX 3
#define RESTARTS_US 60000000u
/* As long as sekimori-open waits for a first one (system/handover.c). */
#define BEGIN_MS 10000u
/* What the log did not take is tried again. */
#define AGAIN_US 1000000u
#define ACCURACY_US 100000u
#define PATIENCE 5

struct transfers {
	struct transfers_setup setup;
	struct transferwatch *watch; /* NULL: it has died, or come to its end */
	sd_event_source *timer;	     /* a helper that has to begin; once it is over: what is left to be written */
	bool over;		     /* nobody's but the timer's */
	unsigned int patience;	     /* … which waits so many times more for the helper's last words */
	char gap[TRANSFER_WORDS_MAX]; /* that could not be recorded yet; "" none */
	bool unwatched;		     /* a gap is recorded that has no end yet */
	char *mount, *source;	     /* NULL: not shown yet */
	unsigned int restarts;
	uint64_t restarts_us;	     /* when the first of them was */
	const struct transfers_ops *ops;
	void *userdata;
	char user[NAME_MAX_BYTES]; /* for whom the volume is open */
	uid_t uid;
	bool watching, limited;
	bool ended;		       /* it said so */
	char words[TRANSFER_WORDS_MAX]; /* why it cannot watch */
	/* The last name that was looked up: one user works at a time. */
	bool known;
	uid_t known_uid;
	char known_name[USERNAME_MAX];
};

bool transfers_wanted(const struct transfers_setup *setup)
{
	return setup->helper && setup->extent != POLICY_TRANSFERS_OFF;
}

/* --- records ----------------------------------------------------------------------------------- */

static void add_time(struct json_object *record, const char *key, uint64_t us)
{
	time_t seconds = (time_t)(us / 1000000);
	char text[TIME_TEXT_MAX];
	struct tm tm;
	size_t n;

	if (!gmtime_r(&seconds, &tm))
		return;
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%06uZ", (unsigned int)(us % 1000000));
	json_add_string(record, key, text);
}

/* Text that JSON can hold; what cannot be held so is there in hexadecimal besides, as KEY_hex. */
static void add_bytes(struct json_object *record, const char *key, const char *bytes)
{
	char clean[CLEAN_MAX], hex[2 * TRANSFER_PATH_MAX + 1], name[32];
	size_t len = strlen(bytes);

	utf8_copy(clean, sizeof(clean), bytes, len);
	json_add_string(record, key, clean);
	if (utf8_valid(bytes, len))
		return;
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
	snprintf(name, sizeof(name), "%s_hex", key);
	json_add_string(record, name, hex);
}

static const char *name_of(struct transfers *transfers, uid_t uid)
{
	if (uid == transfers->uid)
		return transfers->user;
	if (!transfers->known || transfers->known_uid != uid) {
		username_local(USERNAME_FILE, uid, transfers->known_name);
		transfers->known_uid = uid;
		transfers->known = true;
	}
	return transfers->known_name;
}

static void add_who(struct transfers *transfers, struct json_object *record, uint32_t uid,
		    const char *program)
{
	bool seen = uid != TRANSFER_UID_UNKNOWN;

	json_add_string(record, "user", seen ? name_of(transfers, uid) : transfers->user);
	json_add_number(record, "uid", seen ? uid : transfers->uid);
	if (program[0])
		add_bytes(record, "program", program);
}

static void add_flag(struct json_object *record, const char *key, bool value)
{
	if (value)
		json_object_object_add(record, key, json_object_new_boolean(true));
}

static int record_file(struct transfers *transfers, const struct transfer_event *event)
{
	struct json_object *record = json_object_new_object();

	if (!record)
		return -ENOMEM;
	json_add_string(record, "op", transfer_op_name(event->op));
	add_bytes(record, "path", event->path);
	if (event->op == TRANSFER_RENAME)
		add_bytes(record, "to", event->to);
	add_flag(record, "directory", event->directory);
	add_flag(record, "name_only", event->name_only);
	add_flag(record, "path_cut", event->cut);
	if (event->has_size)
		json_add_number(record, "size", event->size);
	add_who(transfers, record, event->uid, event->program);
	json_add_number(record, "pid", (uint64_t)event->pid);
	add_time(record, "seen", event->time_us);
	add_flag(record, "limited", transfers->limited);
	return transfers->ops->record(transfers->userdata, "file", record);
}

static int record_files(struct transfers *transfers, const struct transfer_summary *summary)
{
	struct json_object *record = json_object_new_object();
	uint64_t count = 0;

	if (!record)
		return -ENOMEM;
	for (size_t i = 0; i < TRANSFER_OPS; i++)
		count += summary->count[i];
	json_add_number(record, "count", count);
	for (size_t i = 0; i < TRANSFER_OPS; i++)
		if (summary->count[i])
			json_add_number(record, transfer_op_name((enum transfer_op)i),
					summary->count[i]);
	json_add_number(record, "bytes_written", summary->written);
	if (summary->count[TRANSFER_READ])
		json_add_number(record, "bytes_read", summary->read);
	add_bytes(record, "first", summary->first);
	add_bytes(record, "last", summary->last);
	add_time(record, "from", summary->from_us);
	add_time(record, "until", summary->until_us);
	add_who(transfers, record, summary->uid, summary->program);
	add_flag(record, "limited", transfers->limited);
	return transfers->ops->record(transfers->userdata, "files", record);
}

static int record_overflow(struct transfers *transfers)
{
	struct json_object *record = json_object_new_object();

	if (!record)
		return -ENOMEM;
	add_who(transfers, record, TRANSFER_UID_UNKNOWN, "");
	return transfers->ops->record(transfers->userdata, "transfer-overflow", record);
}

/* --- gaps -------------------------------------------------------------------------------------- */

#define NO_DAEMON "the volume was open while no daemon was there"
#define CUT_SHORT "the volume was taken away before all of it was told"

static int record_gap(struct transfers *transfers, const char *detail)
{
	struct json_object *record = json_object_new_object();

	if (!record)
		return -ENOMEM;
	json_add_string(record, "user", transfers->user);
	json_add_number(record, "uid", transfers->uid);
	json_add_string(record, "detail", detail);
	return transfers->ops->record(transfers->userdata, "transfers-unwatched", record);
}

/* What happened in the meantime nobody has seen. False: that could not be recorded yet, and is kept. */
static bool note_gap(struct transfers *transfers, const char *detail)
{
	transfers->unwatched = true;
	if (record_gap(transfers, detail) >= 0)
		return true;
	snprintf(transfers->gap, sizeof(transfers->gap), "%s", detail);
	fprintf(stderr, SD_ERR "transfers of %s went unseen, and that cannot be recorded yet: %s\n",
		transfers->user, detail);
	return false;
}

static void transfers_free(struct transfers *transfers)
{
	sd_event_source_disable_unref(transfers->timer);
	transferwatch_free(transfers->watch);
	free(transfers->mount);
	free(transfers->source);
	free(transfers);
}

static int transfers_timer(sd_event_source *source, uint64_t usec, void *userdata);

static int set_timer(struct transfers *transfers, uint64_t usec)
{
	transfers->timer = sd_event_source_disable_unref(transfers->timer);
	return sd_event_add_time_relative(transfers->setup.event, &transfers->timer, CLOCK_BOOTTIME, usec,
					  ACCURACY_US, transfers_timer, transfers);
}

static const struct transferwatch_ops watch_ops;

static int start_helper(struct transfers *transfers)
{
	unsigned int begin_ms = transfers->setup.begin_ms;
	const char *argv[8];
	size_t n = 0;
	int r;

	argv[n++] = "sekimori-transfer";
	if (transfers->setup.extent == POLICY_TRANSFERS_ALL)
		argv[n++] = "--reads";
	if (transfers->mount) {
		argv[n++] = "--mount";
		argv[n++] = transfers->mount;
		argv[n++] = "--source";
		argv[n++] = transfers->source;
	}
	argv[n] = NULL;
	transfers->watching = transfers->ended = false;
	transfers->words[0] = '\0';
	/* For the first one sekimori-open waits; for another one, while the volume is open, nobody else does. */
	if (!begin_ms)
		begin_ms = BEGIN_MS;
	r = transfers->mount ? set_timer(transfers, begin_ms * 1000ull) : 0;
	return r < 0 ? r :
		       transferwatch_start(&transfers->watch, transfers->setup.event,
					   transfers->setup.helper, argv, &watch_ops, transfers);
}

static bool restarts_left(struct transfers *transfers)
{
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	now = (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
	if (!transfers->restarts || now - transfers->restarts_us > RESTARTS_US) {
		transfers->restarts = 0;
		transfers->restarts_us = now;
	}
	return transfers->restarts++ < RESTARTS_MAX;
}

/* What it still holds, and what was left open, into the log. True: there is nothing left. */
static bool write_rest(struct transfers *transfers)
{
	if (transfers->watch) {
		transferwatch_read(transfers->watch);
		if (transferwatch_waits(transfers->watch))
			transfers->patience = PATIENCE;
		/* One that was held up by us has more to tell; in the usual end all of it is there. */
		if (!transfers->ended && transfers->patience) {
			transfers->patience--;
			return false;
		}
		/* One that was never shown has nothing to tell. */
		if (transfers->mount && !transfers->ended)
			note_gap(transfers, CUT_SHORT);
		transfers->watch = transferwatch_free(transfers->watch);
		return !transfers->gap[0];
	}
	if (transfers->gap[0] && record_gap(transfers, transfers->gap) >= 0)
		transfers->gap[0] = '\0';
	return !transfers->gap[0];
}

static void lose(struct transfers *transfers, const char *detail)
{
	transfers->over = true;
	if (set_timer(transfers, 0) < 0)
		fprintf(stderr, SD_ERR "what is left of the transfers of %s cannot be kept\n",
			transfers->user);
	transfers->ops->lost(transfers->userdata, detail);
}

static int transfers_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	static const char late[] = "sekimori-transfer did not begin to watch in time";
	struct transfers *transfers = userdata;

	if (!transfers->over) {
		/* The gap that began before it goes on; nothing of this one is known. */
		transfers->watch = transferwatch_free(transfers->watch);
		lose(transfers, late);
	} else if (write_rest(transfers)) {
		const struct transfers_ops *ops = transfers->ops;

		userdata = transfers->userdata;
		transfers_free(transfers);
		ops->ended(userdata);
	} else {
		set_timer(transfers, AGAIN_US);
	}
	return 0;
}

static void watch_gone(void *userdata, const char *detail)
{
	struct transfers *transfers = userdata;
	char words[TRANSFER_WORDS_MAX];
	bool told;

	transfers->watch = NULL;
	/* Sent away by sekimori-open, which has unmounted the volume. */
	if (transfers->ended)
		return;
	if (transfers->over) {
		if (transfers->mount)
			note_gap(transfers, CUT_SHORT);
		return;
	}
	if (transfers->words[0])
		detail = transfers->words;
	utf8_copy(words, sizeof(words), detail, strlen(detail));
	told = note_gap(transfers, words);
	if (told && transfers->mount && restarts_left(transfers) && !start_helper(transfers))
		return;
	lose(transfers, words);
}

/* --- what the helper says ---------------------------------------------------------------------- */

/* Negative: the log does not take it, and it is told again. */
static int watch_begins(struct transfers *transfers, bool limited)
{
	struct json_object *record;
	int r;

	if (transfers->unwatched) {
		record = json_object_new_object();
		if (!record)
			return -ENOMEM;
		json_add_string(record, "user", transfers->user);
		json_add_number(record, "uid", transfers->uid);
		r = transfers->ops->record(transfers->userdata, "transfers-watched", record);
		if (r < 0)
			return r;
	}
	transfers->unwatched = false;
	transfers->timer = sd_event_source_disable_unref(transfers->timer);
	transfers->watching = true;
	transfers->limited = limited;
	return 0;
}

static int watch_report(void *userdata, const struct transfer_report *report)
{
	struct transfers *transfers = userdata;

	switch (report->kind) {
	case TRANSFER_WATCHING:
		return watch_begins(transfers, report->limited);
	case TRANSFER_FAILED:
		memcpy(transfers->words, report->words, sizeof(transfers->words));
		break;
	case TRANSFER_FILE:
		return record_file(transfers, &report->file);
	case TRANSFER_FILES:
		return record_files(transfers, &report->files);
	case TRANSFER_OVERFLOW:
		return record_overflow(transfers);
	case TRANSFER_END:
		transfers->ended = true;
		break;
	}
	return 0;
}

static const struct transferwatch_ops watch_ops = { .report = watch_report, .gone = watch_gone };

/* --- the object -------------------------------------------------------------------------------- */

static int transfers_new(struct transfers **transfersp, const struct transfers_setup *setup,
			 const char *user, uid_t uid, const struct transfers_ops *ops, void *userdata)
{
	struct transfers *transfers = calloc(1, sizeof(*transfers));

	if (!transfers)
		return -ENOMEM;
	transfers->setup = *setup;
	transfers->ops = ops;
	transfers->userdata = userdata;
	transfers->uid = uid;
	snprintf(transfers->user, sizeof(transfers->user), "%s", user);
	*transfersp = transfers;
	return 0;
}

int transfers_start(struct transfers **transfersp, const struct transfers_setup *setup,
		    const char *user, uid_t uid, const struct transfers_ops *ops, void *userdata)
{
	struct transfers *transfers;
	int r = transfers_new(&transfers, setup, user, uid, ops, userdata);

	if (r)
		return r;
	r = start_helper(transfers);
	if (r) {
		transfers_free(transfers);
		return r;
	}
	*transfersp = transfers;
	return 0;
}

int transfers_shown(struct transfers *transfers, const char *mount, const char *source)
{
	transfers->mount = strdup(mount);
	transfers->source = strdup(source);
	return transfers->mount && transfers->source ? 0 : -ENOMEM;
}

int transfers_take_up(struct transfers **transfersp, const struct transfers_setup *setup,
		      const char *user, uid_t uid, const char *mount, const char *source,
		      const struct transfers_ops *ops, void *userdata)
{
	struct transfers *transfers;
	int r = transfers_new(&transfers, setup, user, uid, ops, userdata);

	if (r)
		return r;
	r = transfers_shown(transfers, mount, source);
	if (!r)
		r = start_helper(transfers);
	transfers->unwatched = true;
	if (!r)
		r = record_gap(transfers, NO_DAEMON);
	if (r < 0) {
		transfers_free(transfers);
		return r;
	}
	*transfersp = transfers;
	return 0;
}

bool transfers_record_gap(const struct transfers_setup *setup, const char *user, uid_t uid,
			  const struct transfers_ops *ops, void *userdata)
{
	struct transfers *transfers;

	if (transfers_new(&transfers, setup, user, uid, ops, userdata))
		return false;
	note_gap(transfers, NO_DAEMON);
	return transfers_end(transfers);
}

int transfers_socket(const struct transfers *transfers)
{
	return transfers && transfers->watch ? transferwatch_socket(transfers->watch) : -1;
}

bool transfers_stand(const struct transfers *transfers)
{
	return transfers && transfers->watch && !transfers->ended;
}

const char *transfers_extent(struct transfers *transfers)
{
	if (transfers && transfers->watch)
		transferwatch_read(transfers->watch);
	return !transfers || !transfers->watching ? "off" : transfers->limited ? "limited" : "full";
}

bool transfers_end(struct transfers *transfers)
{
	if (!transfers)
		return false;
	transfers->over = true;
	if (write_rest(transfers) || set_timer(transfers, AGAIN_US) < 0) {
		transfers_free(transfers);
		return false;
	}
	return true;
}

struct transfers *transfers_leave(struct transfers *transfers)
{
	if (!transfers)
		return NULL;
	if (transfers->watch)
		transferwatch_read(transfers->watch);
	transfers_free(transfers);
	return NULL;
}
