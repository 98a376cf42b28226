// SPDX-License-Identifier: GPL-2.0-or-later
/* What a record of the month counts for, by its kind: a table at the end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/macro.h"
#include "core/utf8.h"
#include "report/tally-inside.h"

/* --- small ones --- */

bool record_is(const struct record *record, const char *kind)
{
	return !strcmp(record->kind, kind);
}

static void set_text(char *out, size_t size, const char *text)
{
	utf8_copy(out, size, text, strlen(text));
}

void record_copy(char *out, size_t size, const struct record *record, enum field field)
{
	char text[FIELD_STRING_MAX];

	set_text(out, size, fields_string(record->fields, field, text));
}

/* NULL: it is counted only, or there is no memory (*r). */
struct tally_entry *tally_list_add(struct tally_list *list, int64_t us, int *r)
{
	*r = 0;
	list->total++;
	if (list->n == TALLY_LIST_MAX)
		return NULL;
	if (!list->entries)
		list->entries = calloc(TALLY_LIST_MAX, sizeof(*list->entries));
	if (!list->entries) {
		*r = -ENOMEM;
		return NULL;
	}
	list->entries[list->n] = (struct tally_entry){ .us = us };
	return &list->entries[list->n++];
}

static int list_add_texts(struct tally_list *list, const struct record *record, enum field a, enum field b,
			  enum field c)
{
	const enum field fields[] = { a, b, c };
	struct tally_entry *entry;
	int r;

	entry = tally_list_add(list, record->us, &r);
	for (size_t i = 0; entry && i < ARRAY_SIZE(fields); i++)
		record_copy(entry->texts[i], TALLY_TEXT_MAX, record, fields[i]);
	return r;
}

/* Who did it: the record says so, or it was who sat there. */
static void get_user(const struct tally *tally, const struct record *record,
		     char user[static FIELD_STRING_MAX])
{
	fields_string(record->fields, FIELD_USER, user);
	if (!user[0])
		set_text(user, FIELD_STRING_MAX, tally->seated);
}

static struct count *use_of(struct tally *tally, const struct record *record)
{
	char medium[FIELD_STRING_MAX], user[FIELD_STRING_MAX];

	get_user(tally, record, user);
	return counts_at(tally->use, fields_string(record->fields, FIELD_MEDIUM, medium), user, "",
			 record->us);
}

static int count_use(struct tally *tally, const struct record *record, size_t value)
{
	struct count *use;

	if (!fields_has(record->fields, FIELD_MEDIUM))
		return 0;
	use = use_of(tally, record);
	if (!use)
		return -ENOMEM;
	use->values[value]++;
	use->values[USE_VERDICTS]++;
	return 0;
}

static int count_one(struct counts *counts, const struct record *record, enum field field)
{
	char text[FIELD_STRING_MAX];
	struct count *count =
		counts_at(counts, fields_string(record->fields, field, text), "", "", record->us);

	if (!count)
		return -ENOMEM;
	count->values[0]++;
	return 0;
}

/* --- kinds --- */

static int add_attach(struct tally *tally, const struct record *record)
{
	/* Held again after sleep: nobody plugged it in. */
	if (fields_is(record->fields, FIELD_REASON, "sleep"))
		return 0;
	tally->attaches++;
	tally->days[record->hour->day].attaches++;
	tally->hours_attached[record->hour->hour]++;
	return 0;
}

static void add_verdict_time(struct tally *tally, const struct record *record)
{
	uint64_t us = fields_number(record->fields, FIELD_VERDICT_US);

	if (!fields_has(record->fields, FIELD_VERDICT_US))
		return;
	tally->verdicts++;
	tally->verdict_us += us;
	if (us > tally->verdict_max_us)
		tally->verdict_max_us = us;
}

/* By reason, and by device and user. */
static int add_refusal(struct tally *tally, const struct record *record, struct counts *reasons,
		       struct counts *devices)
{
	char fingerprint[FIELD_STRING_MAX], user[FIELD_STRING_MAX], text[FIELD_STRING_MAX];
	static const enum field labels[] = { FIELD_ID, FIELD_SERIAL, FIELD_PRODUCT };
	struct count *device;

	add_verdict_time(tally, record);
	get_user(tally, record, user);
	device = counts_at(devices, fields_string(record->fields, FIELD_FINGERPRINT, fingerprint),
			   user, "", record->us);
	if (!device || count_one(reasons, record, FIELD_REASON))
		return -ENOMEM;
	device->values[0]++;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		count_label(device, i, fields_string(record->fields, labels[i], text));
	return 0;
}

static int add_denied(struct tally *tally, const struct record *record)
{
	tally->denied++;
	tally->days[record->hour->day].denied++;
	tally->hours_denied[record->hour->hour]++;
	if (add_refusal(tally, record, tally->reasons, tally->devices))
		return -ENOMEM;
	return count_use(tally, record, USE_DENIED);
}

static int add_would_deny(struct tally *tally, const struct record *record)
{
	tally->would_deny++;
	return add_refusal(tally, record, tally->would_reasons, tally->would_devices);
}

static int add_road(struct tally *tally, const struct record *record)
{
	char name[FIELD_STRING_MAX];
	struct count *road = counts_at(tally->roads, fields_string(record->fields, FIELD_ROAD, name), "", "", record->us);

	if (!road)
		return -ENOMEM;
	road->values[ROADS_TRIED]++;
	road->values[ROADS_DRILLED] += record_is(record, "road-would-close");
	return 0;
}

static int add_allowed(struct tally *tally, const struct record *record)
{
	tally->allowed++;
	tally->read_only += fields_is(record->fields, FIELD_ACCESS, "ro");
	tally->days[record->hour->day].allowed++;
	add_verdict_time(tally, record);
	return count_use(tally, record, USE_ALLOWED);
}

static int add_revoked(struct tally *tally, const struct record *record)
{
	tally->revoked++;
	return 0;
}

static int add_kept(struct tally *tally, const struct record *record)
{
	tally->kept++;
	return 0;
}

static int add_opened(struct tally *tally, const struct record *record)
{
	return count_use(tally, record, USE_OPENED);
}

static int add_open_refused(struct tally *tally, const struct record *record)
{
	return count_one(tally->open_refusals, record, FIELD_REASON);
}

/* Of some file systems the kernel tells of writing only (docs/evidence.md). */
static void note_limits(struct tally *tally, const struct record *record)
{
	tally->writes_only += fields_true(record->fields, FIELD_LIMITED);
}

static int add_file(struct tally *tally, const struct record *record)
{
	const struct fields *fields = record->fields;
	struct count *use = use_of(tally, record);

	if (!use)
		return -ENOMEM;
	note_limits(tally, record);
	/* A new file is told of twice, when it is made and when it is written. */
	if (fields_is(fields, FIELD_OP, "create"))
		return 0;
	use->values[USE_TRANSFERS]++;
	if (fields_is(fields, FIELD_OP, "read")) {
		use->values[USE_READS]++;
		use->values[USE_READ] += fields_number(fields, FIELD_SIZE);
	} else if (fields_is(fields, FIELD_OP, "write")) {
		use->values[USE_FILES]++;
		use->values[USE_WRITTEN] += fields_number(fields, FIELD_SIZE);
		tally->days[record->hour->day].files++;
	} else {
		use->values[USE_CHANGED]++;
	}
	return 0;
}

/* The summary of a burst. */
static int add_files(struct tally *tally, const struct record *record)
{
	const struct fields *fields = record->fields;
	struct count *use = use_of(tally, record);

	if (!use)
		return -ENOMEM;
	note_limits(tally, record);
	use->values[USE_FILES] += fields_number(fields, FIELD_WRITE);
	use->values[USE_WRITTEN] += fields_number(fields, FIELD_BYTES_WRITTEN);
	use->values[USE_CHANGED] += fields_number(fields, FIELD_RENAME) + fields_number(fields, FIELD_DELETE);
	use->values[USE_READS] += fields_number(fields, FIELD_READ);
	use->values[USE_READ] += fields_number(fields, FIELD_BYTES_READ);
	use->values[USE_TRANSFERS] = use->values[USE_FILES] + use->values[USE_CHANGED] + use->values[USE_READS];
	tally->days[record->hour->day].files += fields_number(fields, FIELD_WRITE);
	return 0;
}

static int add_transfer_lost(struct tally *tally, const struct record *record)
{
	tally->limited++;
	return 0;
}

static int add_act(struct tally *tally, const struct record *record)
{
	char method[FIELD_STRING_MAX], user[FIELD_STRING_MAX], result[FIELD_STRING_MAX];
	struct count *act;

	fields_string(record->fields, FIELD_USER, user);
	if (!user[0] && fields_has(record->fields, FIELD_UID))
		snprintf(user, sizeof(user), "%llu",
			 (unsigned long long)fields_number(record->fields, FIELD_UID));
	act = counts_at(tally->acts, fields_string(record->fields, FIELD_METHOD, method), user,
			fields_string(record->fields, FIELD_RESULT, result), record->us);
	if (!act)
		return -ENOMEM;
	/* A flood of calls is one record with their number. */
	act->values[0] += fields_has(record->fields, FIELD_COUNT) ?
				  fields_number(record->fields, FIELD_COUNT) : 1;
	return 0;
}

static int add_attempt(struct tally *tally, const struct record *record)
{
	char attempt[FIELD_STRING_MAX], program[FIELD_STRING_MAX], uid[24] = "";
	struct count *count;

	if (fields_has(record->fields, FIELD_UID))
		snprintf(uid, sizeof(uid), "%llu",
			 (unsigned long long)fields_number(record->fields, FIELD_UID));
	count = counts_at(tally->attempts, fields_string(record->fields, FIELD_ATTEMPT, attempt),
			  fields_string(record->fields, FIELD_PROGRAM, program), uid, record->us);
	if (!count)
		return -ENOMEM;
	count->values[0]++;
	tally->tries++;
	return 0;
}

static struct tally_entry *find_incident(struct tally *tally, const char *number)
{
	for (size_t i = 0; i < tally->incidents.n; i++)
		if (!strcmp(tally->incidents.entries[i].texts[0], number))
			return &tally->incidents.entries[i];
	return NULL;
}

void tally_incident_again(struct tally *tally, const struct record *record)
{
	char number[TALLY_TEXT_MAX];
	struct tally_entry *entry;

	record_copy(number, sizeof(number), record, FIELD_NUMBER);
	entry = find_incident(tally, number);
	if (entry)
		entry->numbers[0] = fields_number(record->fields, FIELD_COUNT);
}

static int add_incident(struct tally *tally, const struct record *record)
{
	struct tally_entry *entry;
	int r;

	if (fields_true(record->fields, FIELD_AGAIN))
		return 0;
	tally->days[record->hour->day].incidents++;
	entry = tally_list_add(&tally->incidents, record->us, &r);
	if (!entry)
		return r;
	record_copy(entry->texts[0], TALLY_TEXT_MAX, record, FIELD_NUMBER);
	record_copy(entry->texts[1], TALLY_TEXT_MAX, record, FIELD_TYPE);
	record_copy(entry->texts[2], TALLY_TEXT_MAX, record,
		    fields_is(record->fields, FIELD_MEDIUM, "") || !fields_has(record->fields, FIELD_MEDIUM) ?
			    FIELD_FINGERPRINT : FIELD_MEDIUM);
	entry->numbers[0] = fields_number(record->fields, FIELD_COUNT);
	return 0;
}

static int add_clock(struct tally *tally, const struct record *record)
{
	return list_add_texts(&tally->clocks, record, FIELD_KIND, FIELD_WHY, FIELD_DETAIL);
}

static int add_log_event(struct tally *tally, const struct record *record)
{
	return list_add_texts(&tally->log_events, record, FIELD_KIND, FIELD_WHY, FIELD_FILE);
}

static int add_started(struct tally *tally, const struct record *record)
{
	tally->days[record->hour->day].starts++;
	return list_add_texts(&tally->starts, record, FIELD_VERSION, FIELD_BACKEND, FIELD_STATE);
}

static int add_policy(struct tally *tally, const struct record *record)
{
	bool refused = record_is(record, "policy-refused");
	struct tally_entry *entry;
	int r;

	entry = tally_list_add(&tally->policies, record->us, &r);
	if (!entry)
		return r;
	entry->numbers[0] = fields_number(record->fields, FIELD_POLICY_VERSION);
	record_copy(entry->texts[0], TALLY_TEXT_MAX, record, FIELD_POLICY);
	set_text(entry->texts[1], TALLY_TEXT_MAX,
		 refused ? "refused" : fields_true(record->fields, FIELD_SIGNED) ? "signed" : "unsigned");
	record_copy(entry->texts[2], TALLY_TEXT_MAX, record, FIELD_ERROR);
	return 0;
}

static int check_result(const struct record *record)
{
	static const char *const words[] = { [CHECK_OK] = "ok", [CHECK_WARN] = "warn", [CHECK_UNKNOWN] = "unknown" };

	for (int i = 0; i < (int)ARRAY_SIZE(words); i++)
		if (words[i] && fields_is(record->fields, FIELD_RESULT, words[i]))
			return i;
	return CHECK_FAIL;
}

static int add_check(struct tally *tally, const struct record *record)
{
	int result = check_result(record);

	tally->checks[result]++;
	tally->days[record->hour->day].checks[result]++;
	return 0;
}

static int add_checkpoint(struct tally *tally, const struct record *record)
{
	tally->checkpoints++;
	return 0;
}

static int add_stopped(struct tally *tally, const struct record *record)
{
	tally->stops++;
	return 0;
}

static int add_overflow(struct tally *tally, const struct record *record)
{
	tally->lost += fields_number(record->fields, FIELD_COUNT);
	return 0;
}

static int add_missed(struct tally *tally, const struct record *record)
{
	tally->missed++;
	return 0;
}

static const struct {
	const char *kind;
	int (*add)(struct tally *tally, const struct record *record);
} adders[] = {
	{ "held", add_attach },
	{ "passed", add_attach },
	{ "kept", add_kept },
	{ "denied", add_denied },
	{ "would-deny", add_would_deny },
	{ "road-closed", add_road },
	{ "road-would-close", add_road },
	{ "allowed", add_allowed },
	{ "revoked", add_revoked },
	{ "volume-opened", add_opened },
	{ "volume-refused", add_open_refused },
	{ "file", add_file },
	{ "files", add_files },
	{ "transfer-overflow", add_transfer_lost },
	{ "transfers-unwatched", add_transfer_lost },
	{ "administration", add_act },
	{ "refused", add_attempt },
	{ "incident", add_incident },
	{ "clock-set", add_clock },
	{ "clock-reversed", add_clock },
	{ "exception-clock", add_clock },
	{ "started", add_started },
	{ "stopped", add_stopped },
	{ "policy", add_policy },
	{ "policy-refused", add_policy },
	{ "self-check", add_check },
	{ "checkpoint", add_checkpoint },
	{ "overflow", add_overflow },
	{ "missed", add_missed },
	{ "log-begun", add_log_event },
	{ "log-handover", add_log_event },
	{ "log-continued", add_log_event },
	{ "log-recovered", add_log_event },
	{ "log-damaged", add_log_event },
	{ "log-expired", add_log_event },
};

int tally_add_inside(struct tally *tally, const struct record *record)
{
	if (!tally->records++)
		tally->first_seq = record->seq;
	tally->final_seq = record->seq;
	if (!tally->terminal[0])
		record_copy(tally->terminal, sizeof(tally->terminal), record, FIELD_TERMINAL);
	tally->drilled += fields_true(record->fields, FIELD_DRILL);
	for (size_t i = 0; i < ARRAY_SIZE(adders); i++)
		if (record_is(record, adders[i].kind))
			return adders[i].add(tally, record);
	return 0;
}
