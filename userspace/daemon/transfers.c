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

struct transfers {
	struct transfers_setup setup;
	struct transferwatch *watch; /* NULL: it has died, or come to its end */
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

/* --- what the helper says ---------------------------------------------------------------------- */

static int watch_report(void *userdata, const struct transfer_report *report)
{
	struct transfers *transfers = userdata;

	switch (report->kind) {
	case TRANSFER_WATCHING:
		transfers->watching = true;
		transfers->limited = report->limited;
		break;
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

#define NO_DAEMON "the volume was open while no daemon was there"

static void record_gap(const char *user, uid_t uid, const char *detail,
		       const struct transfers_ops *ops, void *userdata)
{
	struct json_object *record = json_object_new_object();

	if (!record)
		return;
	json_add_string(record, "user", user);
	json_add_number(record, "uid", uid);
	json_add_string(record, "detail", detail);
	if (ops->record(userdata, "transfers-unwatched", record) < 0)
		fprintf(stderr, SD_ERR "transfers of %s went unseen, and that cannot be recorded: %s\n",
			user, detail);
}

void transfers_record_gap(const char *user, uid_t uid, const struct transfers_ops *ops, void *userdata)
{
	record_gap(user, uid, NO_DAEMON, ops, userdata);
}

/* What happened in the meantime nobody has seen. */
static void record_unwatched(struct transfers *transfers, const char *detail)
{
	record_gap(transfers->user, transfers->uid, detail, transfers->ops, transfers->userdata);
}

static void transfers_free(struct transfers *transfers)
{
	transferwatch_free(transfers->watch);
	free(transfers->mount);
	free(transfers->source);
	free(transfers);
}

static const struct transferwatch_ops watch_ops;

static int start_helper(struct transfers *transfers)
{
	const char *argv[8];
	size_t n = 0;

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
	return transferwatch_start(&transfers->watch, transfers->setup.event,
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

static void watch_gone(void *userdata, const char *detail)
{
	struct transfers *transfers = userdata;
	char words[TRANSFER_WORDS_MAX];

	transfers->watch = NULL;
	/* Sent away by sekimori-open, which has unmounted the volume. */
	if (transfers->ended)
		return;
	if (transfers->words[0])
		detail = transfers->words;
	utf8_copy(words, sizeof(words), detail, strlen(detail));
	record_unwatched(transfers, words);
	if (transfers->mount && restarts_left(transfers) && !start_helper(transfers))
		return;
	transfers->ops->lost(transfers->userdata, words);
	transfers_free(transfers);
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
	record_unwatched(transfers, NO_DAEMON);
	if (r) {
		transfers_free(transfers);
		return r;
	}
	*transfersp = transfers;
	return 0;
}

int transfers_socket(const struct transfers *transfers)
{
	return transfers && transfers->watch ? transferwatch_socket(transfers->watch) : -1;
}

const char *transfers_extent(struct transfers *transfers)
{
	if (transfers && transfers->watch)
		transferwatch_read(transfers->watch);
	return !transfers || !transfers->watching ? "off" : transfers->limited ? "limited" : "full";
}

struct transfers *transfers_end(struct transfers *transfers)
{
	if (!transfers)
		return NULL;
	if (transfers->watch)
		transferwatch_read(transfers->watch);
	/* One that was never shown has nothing to tell. */
	if (transfers->mount && !transfers->ended)
		record_unwatched(transfers, "the volume was taken away before all of it was told");
	transfers_free(transfers);
	return NULL;
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
