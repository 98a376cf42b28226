// SPDX-License-Identifier: GPL-2.0-or-later
/* The report of a month: its sections in the order of reading. */
#include <inttypes.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/civil.h"
#include "core/incident.h"
#include "doctor/doctor.h"
#include "report/month-inside.h"
#include "report/tally-exceptions.h"

/* Rows of a table of names; the others are added up in one row. */
#define ROWS_MAX 50

/* --- summary and calendar --- */

void month_fact(struct document *d, const char *key, const char *title, uint64_t value, enum document_tone tone)
{
	document_words(d, title, key);
	document_number(d, value);
	document_tone(d, tone);
}

static void fact_text(struct document *d, const char *key, const char *title, char *value)
{
	document_words(d, title, key);
	document_words(d, value, NULL);
	free(value);
}

static enum document_tone bad_if(uint64_t n)
{
	return n ? TONE_BAD : TONE_PLAIN;
}

static void add_check_result(struct document *d, const struct report_check *check)
{
	bool ok = check->result.records && !check->result.findings && !check->unreadable;

	document_words(d, _("Verification of the log"), "verification");
	document_words(d, ok ? _("nothing wrong") : _("something is wrong: see below"),
		       ok ? "ok" : "findings");
	document_tone(d, ok ? TONE_GOOD : TONE_BAD);
}

static uint64_t sum(const uint64_t *values, size_t n)
{
	uint64_t total = 0;

	while (n--)
		total += values[n];
	return total;
}

static void add_summary(struct document *d, const struct tally *t, const struct report_check *check,
			int64_t now_us)
{
	uint64_t files = 0;

	for (unsigned int i = 0; i < t->period->n_days; i++)
		files += t->days[i].files;
	document_section(d, "summary", _("Summary"));
	if (!t->records)
		document_note(d, "%s", _("The log has no records of this month."));
	else if (t->log_since_us > t->period->since_us)
		document_note(d, "%s", _("The log begins within this month; what was before is not in this report."));
	if (now_us < t->period->until_us)
		document_note(d, "%s", _("The month is not over yet."));
	document_column(d, "item", _("Item"), false);
	document_column(d, "value", _("Value"), false);
	month_fact(d, "attaches", _("Devices plugged in"), t->attaches, TONE_PLAIN);
	month_fact(d, "allowed", _("Let in"), t->allowed, TONE_PLAIN);
	month_fact(d, "denied", _("Refused"), t->denied, TONE_PLAIN);
	if (t->drilled) {
		document_note(d, "%s", _("In this month the terminal was in drill mode: nothing was blocked meanwhile."));
		month_fact(d, "would-deny", _("Let in by the drill; would have been refused"), t->would_deny, TONE_WARN);
	}
	month_fact(d, "roads", _("Other roads than USB that were tried"), counts_n(t->roads), TONE_PLAIN);
	month_fact(d, "revoked", _("Let in and taken back"), t->revoked, TONE_PLAIN);
	month_fact(d, "files", _("Files written to media"), files, TONE_PLAIN);
	month_fact(d, "incidents", _("Incidents"), t->incidents.total, bad_if(t->incidents.total));
	month_fact(d, "emergencies", _("Emergency exceptions"), t->exceptions->events[EXCEPTION_EMERGENCY], TONE_PLAIN);
	month_fact(d, "exceptions-overdue", _("Exceptions with something overdue at the end"), t->exceptions->overdue,
		   bad_if(t->exceptions->overdue));
	month_fact(d, "attempts", _("Attempts to get round the barrier"), t->tries,
		    bad_if(t->tries));
	month_fact(d, "self-checks", _("Self-checks"), sum(t->checks, N_CHECKS), TONE_PLAIN);
	month_fact(d, "self-checks-failed", _("Self-checks that failed"), t->checks[CHECK_FAIL],
		    bad_if(t->checks[CHECK_FAIL]));
	month_fact(d, "self-checks-unknown", _("Self-checks that could not look at everything, and found nothing else"),
		    t->checks[CHECK_UNKNOWN], TONE_PLAIN);
	month_fact(d, "starts", _("Starts of the keeper"), t->starts.total, TONE_PLAIN);
	month_fact(d, "stops", _("Proper ends of the keeper"), t->stops, TONE_PLAIN);
	document_words(d, _("Time without the keeper while the terminal ran"), "unwatched");
	document_duration(d, t->gap_on_us);
	month_fact(d, "kept", _("Devices in use before the barrier looked"), t->kept, TONE_PLAIN);
	month_fact(d, "missed", _("Devices that came or went without the keeper"), t->missed, TONE_PLAIN);
	month_fact(d, "lost-events", _("Events of the barrier that were lost"), t->lost, bad_if(t->lost));
	month_fact(d, "missing-numbers", _("Gaps in the numbers of records"), t->seq_gaps.total,
		    bad_if(t->seq_gaps.total));
	add_check_result(d, check);
	month_fact(d, "records", _("Records"), t->records, TONE_PLAIN);
	fact_text(d, "range", _("Numbers of the records"),
		  output_format("%" PRIu64 "–%" PRIu64, t->first_seq, t->final_seq));
	if (t->verdicts)
		fact_text(d, "verdict-time", _("Time until a verdict (mean, longest)"),
			  output_format("%.1f ms, %.1f ms",
					(double)t->verdict_us / (double)t->verdicts / 1000,
					(double)t->verdict_max_us / 1000));
}

static void add_day_cell(struct document *d, const struct period *period, unsigned int day)
{
	static const char *const weekdays[] = { N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"),
						N_("Mon"), N_("Tue"), N_("Wed") };
	int64_t civil = civil_from_date(period->year, period->month, day + 1);
	_cleanup_(freep) char *shown =
		output_format("%u (%s)", day + 1, i18n(weekdays[civil / CIVIL_DAY % 7]));
	_cleanup_(freep) char *raw =
		output_format("%04d-%02u-%02u", period->year, period->month, day + 1);

	document_words(d, shown, raw);
}

static void set_chart(struct document_section *section, enum document_chart chart, size_t first, size_t second)
{
	section->chart = chart;
	section->series[0] = first;
	section->series[1] = second;
	section->n_series = second ? 2 : 1;
}

static void add_days(struct document *d, const struct tally *t)
{
	set_chart(document_section(d, "days", _("Day by day")), CHART_COLUMNS, 1, 3);
	document_column(d, "day", _("Day"), false);
	document_column(d, "attaches", _("Plugged in"), true);
	document_column(d, "allowed", _("Let in"), true);
	document_column(d, "denied", _("Refused"), true);
	document_column(d, "files", _("Files written"), true);
	document_column(d, "incidents", _("Incidents"), true);
	document_column(d, "starts", _("Starts"), true);
	document_column(d, "check-ok", _("Check ok"), true);
	document_column(d, "check-warn", _("warned"), true);
	document_column(d, "check-fail", i18n(NC_("check", "failed")), true);
	document_column(d, "check-unknown", _("not checked"), true);
	for (unsigned int i = 0; i < t->period->n_days; i++) {
		const struct tally_day *day = &t->days[i];

		add_day_cell(d, t->period, i);
		document_number(d, day->attaches);
		document_number(d, day->allowed);
		document_number(d, day->denied);
		document_number(d, day->files);
		document_number(d, day->incidents);
		document_number(d, day->starts);
		for (unsigned int k = 0; k < N_CHECKS; k++)
			document_number(d, day->checks[k]);
	}
}

static void add_hours(struct document *d, const struct tally *t)
{
	set_chart(document_section(d, "hours", _("Hours of the day")), CHART_COLUMNS, 1, 2);
	document_column(d, "hour", _("Hour"), false);
	document_column(d, "attaches", _("Plugged in"), true);
	document_column(d, "denied", _("Refused"), true);
	for (unsigned int i = 0; i < 24; i++) {
		_cleanup_(freep) char *hour = output_format("%u", i);

		if (!t->hours_attached[i] && !t->hours_denied[i] && (i < 7 || i > 19))
			continue;
		document_words(d, hour, NULL);
		document_number(d, t->hours_attached[i]);
		document_number(d, t->hours_denied[i]);
	}
}

/* --- tables of names --- */

/* Names that did not get a row: past the first ROWS_MAX, and those that were not kept apart. */
static uint64_t left_over(struct counts *counts, const struct count *const *sorted, size_t value)
{
	const struct count *others = counts_others(counts);
	uint64_t total = others ? others->values[value] : 0;

	for (size_t i = ROWS_MAX; sorted && i < counts_n(counts); i++)
		total += sorted[i]->values[value];
	return total;
}

size_t month_rows(struct counts *counts)
{
	return counts_n(counts) < ROWS_MAX ? counts_n(counts) : ROWS_MAX;
}

void month_note_rest(struct document *d, struct counts *counts, const struct count *const *sorted, size_t value)
{
	uint64_t rest = left_over(counts, sorted, value);

	if (rest)
		document_note(d, _("Only the %d most frequent are listed; the others together: %llu."),
			      ROWS_MAX, (unsigned long long)rest);
}

static void add_reason_table(struct document *d, struct counts *counts, const char *id, const char *title)
{
	const struct count *const *sorted = counts_sorted(counts, 0);

	set_chart(document_section(d, id, title), CHART_BARS, 1, 0);
	month_note_rest(d, counts, sorted, 0);
	document_column(d, "reason", _("Reason"), false);
	document_column(d, "count", _("Times"), true);
	document_column(d, "last", _("Last time"), false);
	for (size_t i = 0; sorted && i < month_rows(counts); i++) {
		report_reason(d, sorted[i]->parts[0]);
		document_number(d, sorted[i]->values[0]);
		document_time(d, sorted[i]->last_us);
	}
}

/* The rows of a table that shows only some of the names: the most used ones, and how many more there are. */
struct selection {
	const struct count *rows[ROWS_MAX];
	size_t n;
};

static void select_rows(struct document *d, struct counts *counts, size_t value, struct selection *selection)
{
	const struct count *const *sorted = counts_sorted(counts, value);
	const struct count *others = counts_others(counts);
	uint64_t left = 0, names = 0;

	selection->n = 0;
	for (size_t i = 0; sorted && i < counts_n(counts) && sorted[i]->values[value]; i++) {
		if (value == USE_VERDICTS && !sorted[i]->parts[0][0])
			continue;
		if (selection->n < ROWS_MAX) {
			selection->rows[selection->n++] = sorted[i];
			continue;
		}
		names++;
		left += sorted[i]->values[value];
	}
	if (names)
		document_note(d, _("Only the %d most used are listed. %llu more are left out, used %llu times together."),
			      ROWS_MAX, (unsigned long long)names, (unsigned long long)left);
	if (others && others->values[value])
		document_note(d, _("Names that came when there were too many to be kept apart were used %llu times."),
			      (unsigned long long)others->values[value]);
}

static void add_media(struct document *d, const struct tally *t)
{
	struct selection selection;

	document_section(d, "media", _("Media used"))->n_keys = 2;
	select_rows(d, t->use, USE_VERDICTS, &selection);
	document_column(d, "medium", _("Medium"), false);
	document_column(d, "user", _("User"), false);
	document_column(d, "allowed", _("Let in"), true);
	document_column(d, "denied", _("Refused"), true);
	document_column(d, "opened", _("Opened"), true);
	document_column(d, "written", _("Written"), true);
	document_column(d, "first", _("First time"), false);
	document_column(d, "last", _("Last time"), false);
	for (size_t i = 0; i < selection.n; i++) {
		const struct count *use = selection.rows[i];

		document_text(d, use->parts[0]);
		report_person(d, use->parts[1]);
		document_number(d, use->values[USE_ALLOWED]);
		document_number(d, use->values[USE_DENIED]);
		document_number(d, use->values[USE_OPENED]);
		document_bytes(d, use->values[USE_WRITTEN]);
		document_time(d, use->first_us);
		document_time(d, use->last_us);
	}
}

static void add_transfers(struct document *d, const struct tally *t)
{
	struct selection selection;

	document_section(d, "transfers", _("Files transferred"))->n_keys = 2;
	if (t->limited)
		document_note(d, _("Times that files could not be watched completely: %llu; the figures are then too low."),
			      (unsigned long long)t->limited);
	if (t->writes_only)
		document_note(d, "%s", _("On some media only writing could be watched, not renaming and deleting."));
	select_rows(d, t->use, USE_TRANSFERS, &selection);
	document_column(d, "user", _("User"), false);
	document_column(d, "medium", _("Medium"), false);
	document_column(d, "files", _("Files written"), true);
	document_column(d, "bytes", _("Written"), true);
	document_column(d, "changed", _("Renamed, deleted"), true);
	document_column(d, "reads", _("Files read"), true);
	document_column(d, "read-bytes", _("Read"), true);
	for (size_t i = 0; i < selection.n; i++) {
		const struct count *use = selection.rows[i];

		report_person(d, use->parts[1]);
		document_text(d, use->parts[0]);
		document_number(d, use->values[USE_FILES]);
		document_bytes(d, use->values[USE_WRITTEN]);
		document_number(d, use->values[USE_CHANGED]);
		document_number(d, use->values[USE_READS]);
		document_bytes(d, use->values[USE_READ]);
	}
}

/* "blake2b:0011…": enough to tell devices apart on paper; all of it stands in the CSV. */
static void add_fingerprint(struct document *d, const char *fingerprint)
{
	_cleanup_(freep) char *raw = output_escape(fingerprint);
	_cleanup_(freep) char *shown = NULL;
	const char *digits = strchr(raw, ':');

	shown = output_format("%.10s", digits ? digits + 1 : raw);
	document_words(d, shown, raw);
}

static void add_devices(struct document *d, struct counts *devices, const char *id, const char *title)
{
	const struct count *const *sorted = counts_sorted(devices, 0);

	document_section(d, id, title)->n_keys = 2;
	month_note_rest(d, devices, sorted, 0);
	document_column(d, "fingerprint", _("Device"), false);
	document_column(d, "user", _("User"), false);
	document_column(d, "id", _("Id"), false);
	document_column(d, "serial", _("Serial number"), false);
	document_column(d, "name", _("Calls itself"), false);
	document_column(d, "count", _("Times"), true);
	document_column(d, "last", _("Last time"), false);
	for (size_t i = 0; sorted && i < month_rows(devices); i++) {
		const struct count *device = sorted[i];

		add_fingerprint(d, device->parts[0]);
		report_person(d, device->parts[1]);
		for (size_t k = 0; k < COUNT_LABELS; k++)
			document_text(d, device->labels[k] ? device->labels[k] : "");
		document_number(d, device->values[0]);
		document_time(d, device->last_us);
	}
}

/* What a drill is for: what to register, to allow by a rule, or to take away before the barrier blocks. */
static void add_drill(struct document *d, const struct tally *t)
{
	add_reason_table(d, t->would_reasons, "would-deny", _("Drill: what would have been refused, by reason"));
	add_devices(d, t->would_devices, "would-deny-devices", _("Drill: devices that would have been refused"));
}

/* Three parts of a name, how often, and when last. */
static void add_named(struct document *d, struct counts *counts, const enum report_words of[COUNT_PARTS])
{
	const struct count *const *sorted = counts_sorted(counts, 0);

	month_note_rest(d, counts, sorted, 0);
	document_column(d, "count", _("Times"), true);
	document_column(d, "last", _("Last time"), false);
	for (size_t i = 0; sorted && i < month_rows(counts); i++) {
		for (size_t k = 0; k < COUNT_PARTS; k++)
			report_word(d, of[k], sorted[i]->parts[k]);
		document_number(d, sorted[i]->values[0]);
		document_time(d, sorted[i]->last_us);
	}
}

static void add_attempts(struct document *d, const struct tally *t)
{
	document_section(d, "attempts", _("Attempts to get round the barrier"))->n_keys = 2;
	document_column(d, "attempt", _("What"), false);
	document_column(d, "program", _("Program"), false);
	document_column(d, "uid", _("User id"), false);
	add_named(d, t->attempts, (const enum report_words[]){ WORDS_ATTEMPT, WORDS_PLAIN, WORDS_PLAIN });
}

static void add_acts(struct document *d, const struct tally *t)
{
	document_section(d, "administration", _("Administration"))->n_keys = 2;
	document_column(d, "method", _("What"), false);
	document_column(d, "user", _("User"), false);
	document_column(d, "result", _("Result"), false);
	add_named(d, t->acts, (const enum report_words[]){ WORDS_METHOD, WORDS_PLAIN, WORDS_RESULT });
}

/* --- lists --- */

static void note_cut(struct document *d, const struct tally_list *list)
{
	if (list->total > list->n)
		document_note(d, _("The first %zu of %llu are listed."), list->n,
			      (unsigned long long)list->total);
}

static void add_incidents(struct document *d, const struct tally *t)
{
	document_section(d, "incidents", _("Incidents"));
	note_cut(d, &t->incidents);
	if (t->incidents.n)
		document_note(d, "%s", _("`sekimorictl incident export NUMBER` writes the report sheet of one."));
	document_column(d, "number", i18n(NC_("incident", "Number")), false);
	document_column(d, "time", _("Time"), false);
	document_column(d, "type", _("What happened"), false);
	document_column(d, "object", _("Medium or device"), false);
	document_column(d, "count", _("Records"), true);
	for (size_t i = 0; i < t->incidents.n; i++) {
		const struct tally_entry *entry = &t->incidents.entries[i];
		const char *text = incident_type_text(entry->texts[1]);

		document_text(d, entry->texts[0]);
		document_time(d, entry->us);
		if (text == entry->texts[1])
			document_text(d, text);
		else
			document_words(d, i18n(text), entry->texts[1]);
		document_text(d, entry->texts[2]);
		document_number(d, entry->numbers[0]);
	}
}

static const char *policy_outcome(const char *word)
{
	if (!strcmp(word, "signed"))
		return _("in force, signed");
	return !strcmp(word, "refused") ? _("refused") : _("in force, not signed");
}

static void add_policies(struct document *d, const struct tally *t)
{
	document_section(d, "policies", _("Policies"));
	note_cut(d, &t->policies);
	document_column(d, "time", _("Time"), false);
	document_column(d, "policy", _("Policy"), false);
	document_column(d, "version", _("Version"), true);
	document_column(d, "outcome", _("Outcome"), false);
	document_column(d, "error", _("Why"), false);
	for (size_t i = 0; i < t->policies.n; i++) {
		const struct tally_entry *entry = &t->policies.entries[i];

		document_time(d, entry->us);
		document_text(d, entry->texts[0]);
		document_number(d, entry->numbers[0]);
		document_words(d, policy_outcome(entry->texts[1]), entry->texts[1]);
		report_told(d, entry->texts[2]);
	}
}

static void add_self_check(struct document *d, const struct tally *t)
{
	static const char *const words[N_CHECKS] = { "ok", "warn", "fail", "unknown" };
	const char *titles[N_CHECKS] = { _("in order"), _("to be looked at"), i18n(NC_("check", "failed")), _("not checked") };

	document_section(d, "self-check", _("The newest self-check"));
	if (t->check_us)
		document_column(d, "time", _("Time"), false);
	document_column(d, "result", _("Result"), false);
	document_column(d, "items", _("Items"), true);
	for (unsigned int i = 0; t->check_us && i < N_CHECKS; i++) {
		document_time(d, t->check_us);
		document_words(d, titles[i], words[i]);
		document_tone(d, !t->check_found[i] || !i ? TONE_PLAIN : i == CHECK_FAIL ? TONE_BAD : TONE_WARN);
		document_number(d, t->check_found[i]);
	}
	if (t->check_us)
		d->sections[d->n_sections - 1].n_keys = 2;
}

static const struct doctor_check *find_check(const char *id)
{
	for (size_t i = 0; i < n_doctor_checks; i++)
		if (!strcmp(doctor_checks[i].id, id))
			return &doctor_checks[i];
	return NULL;
}

static void add_check_item(struct document *d, struct json_object *item)
{
	const char *id = output_raw(item, "id"), *result = output_raw(item, "result");
	const struct doctor_check *check = find_check(id);
	bool failed = !strcmp(result, "fail"), warned = !strcmp(result, "warn");

	if (check)
		document_words(d, i18n(check->text), id);
	else
		document_text(d, id);
	if (failed || warned || !strcmp(result, "unknown"))
		document_words(d, failed ? i18n(NC_("check", "failed")) : warned ? _("to be looked at") : _("not checked"), result);
	else
		document_text(d, result);
	document_tone(d, failed ? TONE_BAD : TONE_WARN);
	report_told(d, output_raw(item, "detail"));
	document_words(d, check && (failed || warned) ? i18n(check->todo) : "", check && (failed || warned) ? check->todo : "");
}

static bool is_item(struct json_object *item, const char *id)
{
	return json_object_is_type(item, json_type_object) && !strcmp(output_raw(item, "id"), id);
}

/* Items that are no checks. */
static bool is_digest(struct json_object *item)
{
	return is_item(item, DOCTOR_MANIFEST_ITEM) || is_item(item, DOCTOR_MODULE_ITEM);
}

static void note_digest(struct document *d, struct json_object *item)
{
	_cleanup_(freep) char *digest = output_escape(output_raw(item, "detail"));

	if (is_item(item, DOCTOR_MANIFEST_ITEM))
		document_note(d, _("Digest of the manifest of what is installed: %s"), digest);
	else
		document_note(d, _("Digest of the kernel module: %s"), digest);
}

static void add_check_items(struct document *d, const struct tally *t)
{
	_cleanup_(json_objectp) struct json_object *items = t->check_items ? json_tokener_parse(t->check_items) : NULL;

	if (!json_object_is_type(items, json_type_array) || !json_object_array_length(items))
		return;
	document_section(d, "self-check-items", _("What it found"));
	for (size_t i = 0; i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_array_get_idx(items, i);

		if (is_digest(item))
			note_digest(d, item);
	}
	document_column(d, "id", _("Item"), false);
	document_column(d, "result", _("Result"), false);
	document_column(d, "detail", _("Detail"), false);
	document_column(d, "todo", _("What to do"), false);
	for (size_t i = 0; i < json_object_array_length(items) && i < TALLY_LIST_MAX; i++) {
		struct json_object *item = json_object_array_get_idx(items, i);

		if (json_object_is_type(item, json_type_object) && !is_digest(item))
			add_check_item(d, item);
	}
}

/* Starts, changes of the clock, what became of the log's files: three lists of the same form. */
static void add_operation(struct document *d, const struct tally_list *list, const char *id, const char *title,
			  const char *const columns[3], const char *const ids[3])
{
	document_section(d, id, title);
	note_cut(d, list);
	document_column(d, "time", _("Time"), false);
	for (int c = 0; c < 3; c++)
		document_column(d, ids[c], columns[c], false);
	for (size_t i = 0; i < list->n; i++) {
		document_time(d, list->entries[i].us);
		for (int c = 0; c < 3; c++) {
			const char *text = list->entries[i].texts[c];

			if (!strcmp(ids[c], "kind"))
				report_kind(d, text);
			else
				report_word(d, !strcmp(ids[c], "why")	       ? WORDS_WHY :
					       !strcmp(ids[c], "backend")      ? WORDS_LAYER :
					       !strcmp(ids[c], "policy-state") ? WORDS_STATE :
										 WORDS_PLAIN,
					    text);
		}
	}
}

static void add_operations(struct document *d, const struct tally *t)
{
	add_operation(d, &t->starts, "starts", _("Starts of the keeper"),
		      (const char *const[]){ _("Version"), _("Layer"), _("Policy") },
		      (const char *const[]){ "version", "backend", "policy-state" });
	add_operation(d, &t->clocks, "clock", _("Changes of the clock"),
		      (const char *const[]){ _("Kind of record"), _("Why"), _("Detail") },
		      (const char *const[]){ "kind", "why", "detail" });
	add_operation(d, &t->log_events, "log-files", _("Files of the log"),
		      (const char *const[]){ _("Kind of record"), _("Why"), _("File") },
		      (const char *const[]){ "kind", "why", "file" });
}

/* --- gaps and verification --- */

static void add_seq_gaps(struct document *d, const struct tally *t)
{
	document_section(d, "missing-records", _("Gaps in the numbers of records"));
	note_cut(d, &t->seq_gaps);
	document_column(d, "before", _("Noticed at"), false);
	document_column(d, "from", _("First missing"), true);
	document_column(d, "to", _("Last missing"), true);
	for (size_t i = 0; i < t->seq_gaps.n; i++) {
		document_time(d, t->seq_gaps.entries[i].us);
		document_number(d, t->seq_gaps.entries[i].numbers[0]);
		document_number(d, t->seq_gaps.entries[i].numbers[1]);
	}
}

static void add_time_gaps(struct document *d, const struct tally *t)
{
	_cleanup_(freep) char *all = document_show_duration(t->gap_us);
	_cleanup_(freep) char *on = document_show_duration(t->gap_on_us);

	document_section(d, "time-gaps", _("Times without the keeper"));
	document_note(d, _("Together %s in this month; the terminal ran %s of it. The barrier in the kernel stands without the keeper and lets nothing in."),
		      all, on);
	if (t->ordinary_gaps)
		document_note(d, _("Proper shut-downs after which the keeper was back soon: %llu; these are not listed."),
			      (unsigned long long)t->ordinary_gaps);
	note_cut(d, &t->time_gaps);
	document_column(d, "from", _("From"), false);
	document_column(d, "to", _("To"), false);
	document_column(d, "length", _("Length"), true);
	document_column(d, "ran", _("Terminal ran"), true);
	document_column(d, "end", _("Ended"), false);
	for (size_t i = 0; i < t->time_gaps.n; i++) {
		const struct tally_entry *gap = &t->time_gaps.entries[i];
		bool lost = gap->numbers[2];

		document_time(d, gap->us);
		document_time(d, (int64_t)gap->numbers[0]);
		document_duration(d, (int64_t)gap->numbers[0] - gap->us);
		document_duration(d, (int64_t)gap->numbers[1]);
		document_words(d, lost ? _("not properly") : _("properly"), lost ? "lost" : "stopped");
		document_tone(d, lost ? TONE_WARN : TONE_PLAIN);
	}
}

static void add_verification(struct document *d, const struct tally *t, const struct report_check *check)
{
	const struct logverify_result *result = &check->result;

	document_section(d, "verification", _("Verification of the log"));
	document_note(d, _("Records checked: %llu (numbers %llu to %llu); checkpoints whose signature is right: %llu; checkpoints of this month: %llu."),
		      (unsigned long long)result->records, (unsigned long long)result->first_seq,
		      (unsigned long long)result->last_seq, (unsigned long long)result->checkpoints,
		      (unsigned long long)t->checkpoints);
	if (t->strange)
		document_note(d, _("Lines that are no records: %llu."), (unsigned long long)t->strange);
	if (check->unreadable)
		document_note(d, "%s", _("Not all files of the log could be read: this report is not complete."));
	if (result->findings)
		document_note(d, _("Findings: %llu. Keep the files as they are and tell the help desk at once."),
			      (unsigned long long)result->findings);
	else if (result->records)
		document_note(d, "%s", _("Nothing was altered, removed or put in, as far as the terminal itself can tell. The help desk, which holds the key of the log, can tell more: `sekimori-desk log verify`."));
	if (!result->findings)
		return;
	document_column(d, "finding", _("Finding"), false);
	document_column(d, "from", _("From number"), true);
	document_column(d, "to", _("To number"), true);
	for (size_t i = 0; i < check->n; i++) {
		document_words(d, check->findings[i].text, logverify_kind_name(check->findings[i].kind));
		document_tone(d, TONE_BAD);
		document_number(d, check->findings[i].from);
		document_number(d, check->findings[i].to);
	}
}

struct document *report_month(const struct tally *t, const struct report_check *check, int64_t now_us)
{
	_cleanup_(freep) char *terminal = output_escape(t->terminal[0] ? t->terminal : "?");
	char made[PERIOD_TEXT_MAX];
	struct document *d;

	period_format(now_us, made);
	d = document_new(output_format(_("USB barrier: monthly report %04d-%02u"), t->period->year, t->period->month),
			 output_format(_("Terminal %s; made %s"), terminal, made), i18n_is_japanese());
	add_summary(d, t, check, now_us);
	add_days(d, t);
	add_hours(d, t);
	if (t->drilled)
		add_drill(d, t);
	add_reason_table(d, t->reasons, "denials", _("Refused, by reason"));
	add_incidents(d, t);
	add_media(d, t);
	add_transfers(d, t);
	add_devices(d, t->devices, "refused-devices", _("Devices refused"));
	add_reason_table(d, t->open_refusals, "open-refusals", _("Media that could not be opened, by reason"));
	month_add_roads(d, t);
	add_attempts(d, t);
	month_add_exceptions(d, t);
	add_acts(d, t);
	add_policies(d, t);
	add_self_check(d, t);
	add_check_items(d, t);
	add_operations(d, t);
	add_seq_gaps(d, t);
	add_time_gaps(d, t);
	add_verification(d, t, check);
	return d;
}
