// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/tally.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/macro.h"
#include "core/utf8.h"

/* Of a self-check: the daemon takes less (docs/dbus.md). */
#define CHECK_ITEMS_MAX 65536

/* A record on its way through the tally. */
struct record {
	const struct fields *fields;
	char kind[FIELD_STRING_MAX];
	uint64_t seq, boot_us;
	int64_t us;
	bool inside; /* the month */
	const struct period_hour *hour; /* NULL outside */
};

struct tally *tally_new(struct period *period)
{
	struct tally *tally = calloc(1, sizeof(*tally));
	struct counts **all[] = { &tally->kinds, &tally->reasons, &tally->devices, &tally->use,
				  &tally->open_refusals, &tally->acts, &tally->attempts,
				  &tally->exceptions };

	if (!tally)
		return NULL;
	tally->period = period;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		*all[i] = counts_new();
		if (!*all[i])
			return tally_free(tally);
	}
	return tally;
}

struct tally *tally_free(struct tally *tally)
{
	if (!tally)
		return NULL;
	counts_free(tally->kinds);
	counts_free(tally->reasons);
	counts_free(tally->devices);
	counts_free(tally->use);
	counts_free(tally->open_refusals);
	counts_free(tally->acts);
	counts_free(tally->attempts);
	counts_free(tally->exceptions);
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

/* --- small ones --- */

static bool kind_is(const struct record *record, const char *kind)
{
	return !strcmp(record->kind, kind);
}

static void set_text(char *out, size_t size, const char *text)
{
	utf8_copy(out, size, text, strlen(text));
}

static void set_field(char *out, size_t size, const struct record *record, enum field field)
{
	char text[FIELD_STRING_MAX];

	set_text(out, size, fields_string(record->fields, field, text));
}

/* NULL: it is counted only, or there is no memory (*r). */
static struct tally_entry *list_add(struct tally_list *list, int64_t us, int *r)
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

	entry = list_add(list, record->us, &r);
	for (size_t i = 0; entry && i < ARRAY_SIZE(fields); i++)
		set_field(entry->texts[i], TALLY_TEXT_MAX, record, fields[i]);
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

static int add_denied(struct tally *tally, const struct record *record)
{
	char fingerprint[FIELD_STRING_MAX], user[FIELD_STRING_MAX], text[FIELD_STRING_MAX];
	static const enum field labels[] = { FIELD_ID, FIELD_SERIAL, FIELD_PRODUCT };
	struct count *device;

	tally->denied++;
	tally->days[record->hour->day].denied++;
	tally->hours_denied[record->hour->hour]++;
	add_verdict_time(tally, record);
	get_user(tally, record, user);
	device = counts_at(tally->devices, fields_string(record->fields, FIELD_FINGERPRINT, fingerprint),
			   user, "", record->us);
	if (!device || count_one(tally->reasons, record, FIELD_REASON))
		return -ENOMEM;
	device->values[0]++;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		count_label(device, i, fields_string(record->fields, labels[i], text));
	return count_use(tally, record, USE_DENIED);
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
	if (fields_is(fields, FIELD_OP, "read")) {
		use->values[USE_READS]++;
		use->values[USE_READ] += fields_number(fields, FIELD_SIZE);
	} else if (fields_is(fields, FIELD_OP, "create") || fields_is(fields, FIELD_OP, "write")) {
		/* A new file is told of twice, when it is made and when it is written. */
		if (fields_is(fields, FIELD_OP, "write")) {
			use->values[USE_FILES]++;
			use->values[USE_WRITTEN] += fields_number(fields, FIELD_SIZE);
			tally->days[record->hour->day].files++;
		}
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

static int add_incident(struct tally *tally, const struct record *record)
{
	char number[TALLY_TEXT_MAX];
	struct tally_entry *entry;
	int r = 0;

	set_field(number, sizeof(number), record, FIELD_NUMBER);
	entry = find_incident(tally, number);
	if (!entry) {
		tally->days[record->hour->day].incidents++;
		entry = list_add(&tally->incidents, record->us, &r);
		if (!entry)
			return r;
		memcpy(entry->texts[0], number, sizeof(number));
		set_field(entry->texts[1], TALLY_TEXT_MAX, record, FIELD_TYPE);
		set_field(entry->texts[2], TALLY_TEXT_MAX, record,
			  fields_is(record->fields, FIELD_MEDIUM, "") || !fields_has(record->fields, FIELD_MEDIUM) ?
				  FIELD_FINGERPRINT : FIELD_MEDIUM);
	}
	/* Told of again it has new figures only. */
	entry->numbers[0] = fields_number(record->fields, FIELD_COUNT);
	entry->numbers[1] = fields_number(record->fields, FIELD_FIRST_SEQ);
	entry->numbers[2] = fields_number(record->fields, FIELD_LAST_SEQ);
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
	bool refused = kind_is(record, "policy-refused");
	struct tally_entry *entry;
	int r;

	entry = list_add(&tally->policies, record->us, &r);
	if (!entry)
		return r;
	entry->numbers[0] = fields_number(record->fields, FIELD_POLICY_VERSION);
	set_field(entry->texts[0], TALLY_TEXT_MAX, record, FIELD_POLICY);
	set_text(entry->texts[1], TALLY_TEXT_MAX,
		 refused ? "refused" : fields_true(record->fields, FIELD_SIGNED) ? "signed" : "unsigned");
	set_field(entry->texts[2], TALLY_TEXT_MAX, record, FIELD_ERROR);
	return 0;
}

static int check_result(const struct record *record)
{
	if (fields_is(record->fields, FIELD_RESULT, "ok"))
		return CHECK_OK;
	return fields_is(record->fields, FIELD_RESULT, "warn") ? CHECK_WARN : CHECK_FAIL;
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
	tally->overflows += fields_number(record->fields, FIELD_COUNT);
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
	{ "started", add_started },
	{ "stopped", add_stopped },
	{ "policy", add_policy },
	{ "policy-refused", add_policy },
	{ "self-check", add_check },
	{ "checkpoint", add_checkpoint },
	{ "overflow", add_overflow },
	{ "missed", add_missed },
	{ "log-begun", add_log_event },
	{ "log-continued", add_log_event },
	{ "log-recovered", add_log_event },
	{ "log-damaged", add_log_event },
	{ "log-expired", add_log_event },
};

/* Requests and grants come with kinds of their own: each that begins so is counted by its name. */
static bool is_exception(const char *kind)
{
	return !strncmp(kind, "request", 7) || !strncmp(kind, "grant", 5) || !strcmp(kind, "expired");
}

static int add_inside(struct tally *tally, const struct record *record)
{
	int r;

	if (!tally->records++) {
		tally->first_seq = record->seq;
		tally->first_us = record->us;
	}
	tally->final_seq = record->seq;
	tally->final_us = record->us;
	if (!tally->terminal[0])
		set_field(tally->terminal, sizeof(tally->terminal), record, FIELD_TERMINAL);
	r = count_one(tally->kinds, record, FIELD_KIND);
	if (!r && is_exception(record->kind))
		r = count_one(tally->exceptions, record, FIELD_KIND);
	for (size_t i = 0; !r && i < ARRAY_SIZE(adders); i++)
		if (kind_is(record, adders[i].kind))
			return adders[i].add(tally, record);
	return r;
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
	entry = list_add(&tally->time_gaps, from, &r);
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
	entry = list_add(&tally->seq_gaps, record->us, &r);
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
	set_field(policy->id, sizeof(policy->id), record, FIELD_POLICY);
	set_field(policy->state, sizeof(policy->state), record, FIELD_STATE);
	policy->number = fields_number(fields, FIELD_POLICY_VERSION);
	policy->media = fields_number(fields, FIELD_MEDIA);
	policy->rules = fields_number(fields, FIELD_RULES);
	policy->is_signed = fields_true(fields, FIELD_SIGNED);
	policy->signers = count_names(&fields->spans[FIELD_SIGNERS]);
	if (kind_is(record, "started")) {
		set_field(policy->backend, sizeof(policy->backend), record, FIELD_BACKEND);
		set_field(policy->version, sizeof(policy->version), record, FIELD_VERSION);
	}
}

static int note_check(struct tally *tally, const struct record *record)
{
	const struct field_span *items = &record->fields->spans[FIELD_ITEMS];

	tally->check_us = record->us;
	tally->check_found[CHECK_OK] = fields_number(record->fields, FIELD_OK);
	tally->check_found[CHECK_WARN] = fields_number(record->fields, FIELD_WARN);
	tally->check_found[CHECK_FAIL] = fields_number(record->fields, FIELD_FAIL);
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
	if (kind_is(record, "started") || kind_is(record, "policy"))
		note_policy(tally, record);
	else if (kind_is(record, "seat"))
		set_field(tally->seated, sizeof(tally->seated), record, FIELD_USER);
	else if (kind_is(record, "self-check"))
		return note_check(tally, record);
	return 0;
}

int tally_add(struct tally *tally, const char *line, size_t len)
{
	struct fields fields;
	struct record record = { .fields = &fields };
	const struct period *period = tally->period;
	const struct field_span *time = &fields.spans[FIELD_TIME];
	int r;

	tally->lines++;
	if (!fields_parse(&fields, line, len) || !time->text ||
	    !period_parse_utc(time->text, time->len, &record.us)) {
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
	/* The log's own header of a file may stand between a start and the last record before it. */
	if (!r && tally->last_us && kind_is(&record, "started"))
		r = add_time_gap(tally, tally->last_us, record.us, record.boot_us);
	if (!r && record.us < period->until_us)
		r = note(tally, &record);
	if (!r && record.inside)
		r = add_inside(tally, &record);
	if (r)
		return r;
	if (!tally->log_since_us)
		tally->log_since_us = record.us;
	if (record.seq > tally->last_seq)
		tally->last_seq = record.seq;
	if (strncmp(record.kind, "log-", 4) && !kind_is(&record, "checkpoint")) {
		tally->last_us = record.us;
		tally->last_stopped = kind_is(&record, "stopped");
	}
	return 0;
}

int tally_end(struct tally *tally, int64_t now_us)
{
	if (!tally->last_us || !tally->last_stopped)
		return 0;
	return add_time_gap(tally, tally->last_us, now_us, 0);
}
