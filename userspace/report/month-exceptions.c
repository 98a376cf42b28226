// SPDX-License-Identifier: GPL-2.0-or-later
/* Temporary exceptions in the report of a month: how many, by whom and by which form, and each with what it was granted for. */
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/device-class-name.h"
#include "report/month-inside.h"
#include "report/tally-exceptions.h"

#define SECOND_US 1000000
/* Digits of a fingerprint that tell devices apart on paper. */
#define FINGERPRINT_SHOWN 10

static enum document_tone bad_if(uint64_t n)
{
	return n ? TONE_BAD : TONE_PLAIN;
}

static enum document_tone warn_if(uint64_t n)
{
	return n ? TONE_WARN : TONE_PLAIN;
}

/* --- how often ------------------------------------------------------------------------------- */

static void add_figures(struct document *d, const struct tally_exceptions *e)
{
	document_section(d, "exceptions", _("Temporary exceptions"));
	document_column(d, "item", _("Item"), false);
	document_column(d, "value", _("Value"), true);
	month_fact(d, "asked", _("Asked for"), e->events[EXCEPTION_REQUEST], TONE_PLAIN);
	month_fact(d, "approved", _("Approved"), e->events[EXCEPTION_APPROVE], TONE_PLAIN);
	month_fact(d, "approved-by-two", _("… of these by two people"), e->granted_by_two, TONE_PLAIN);
	month_fact(d, "denied", i18n(NC_("exceptions", "Denied")), e->events[EXCEPTION_DENY], TONE_PLAIN);
	month_fact(d, "lapsed", _("Lapsed unanswered"), e->events[EXCEPTION_LAPSE], warn_if(e->events[EXCEPTION_LAPSE]));
	month_fact(d, "withdrawn", _("Withdrawn"), e->events[EXCEPTION_WITHDRAW], TONE_PLAIN);
	month_fact(d, "imported", _("Granted by the help desk (file or telephone)"), e->events[EXCEPTION_IMPORT], TONE_PLAIN);
	month_fact(d, "phone-asked", _("Requests by telephone"), e->phone_asked, TONE_PLAIN);
	month_fact(d, "phone-refused", _("Codes by telephone that were refused"), e->phone_refused,
		   warn_if(e->phone_refused));
	month_fact(d, "emergencies", _("Emergencies declared"), e->events[EXCEPTION_EMERGENCY],
		   warn_if(e->events[EXCEPTION_EMERGENCY]));
	month_fact(d, "reports", _("Reports of emergencies filed"), e->events[EXCEPTION_REPORT], TONE_PLAIN);
	month_fact(d, "uses", _("Devices let in by an exception"), e->events[EXCEPTION_USE], TONE_PLAIN);
	month_fact(d, "extensions-asked", _("Extensions asked for"), e->events[EXCEPTION_EXTEND], TONE_PLAIN);
	month_fact(d, "used-up", _("Ended: used up"), e->events[EXCEPTION_USE_UP], TONE_PLAIN);
	month_fact(d, "expired", _("Ended: time was over"), e->events[EXCEPTION_EXPIRE], TONE_PLAIN);
	month_fact(d, "revoked", _("Ended: revoked"), e->events[EXCEPTION_REVOKE], TONE_PLAIN);
	month_fact(d, "returned", i18n(NC_("exceptions", "Returned")), e->events[EXCEPTION_RETURN], TONE_PLAIN);
	month_fact(d, "erased", _("Erasure confirmed"), e->events[EXCEPTION_CONFIRM_ERASED], TONE_PLAIN);
	month_fact(d, "closed", i18n(NC_("exceptions", "Closed")), e->events[EXCEPTION_CLOSE], TONE_PLAIN);
	month_fact(d, "refused", _("Steps refused"), e->refused, TONE_PLAIN);
	month_fact(d, "store-faults", _("Faults of the store, and their ends"), e->store_faults, bad_if(e->store_faults));
	month_fact(d, "waiting-at-end", _("At the end: waiting for approval"), e->waiting, TONE_PLAIN);
	month_fact(d, "live-at-end", _("At the end: in force"), e->in_force, TONE_PLAIN);
	month_fact(d, "unreported-at-end", _("At the end: emergencies without a report"), e->unreported, bad_if(e->unreported));
	month_fact(d, "overdue-at-end", _("At the end: report, return or erasure overdue"), e->overdue, bad_if(e->overdue));
}

static const char *form_words(const char *form)
{
	return *form ? report_form_title(form) : _("(no form)");
}

static void add_names(struct document *d, struct counts *counts, const char *id, const char *title, const char *column)
{
	const struct count *const *sorted = counts_sorted(counts, EXCEPTIONS_STEPS);
	bool forms = !strcmp(column, "form");

	document_section(d, id, title);
	month_note_rest(d, counts, sorted, EXCEPTIONS_STEPS);
	document_column(d, column, forms ? _("Form") : _("Person"), false);
	document_column(d, "asked", _("Asked for"), true);
	document_column(d, "granted", _("Granted"), true);
	document_column(d, "denied", _("Denied or lapsed"), true);
	document_column(d, "emergencies", _("Emergencies"), true);
	document_column(d, "uses", _("Times let in"), true);
	document_column(d, "written", _("Written"), true);
	for (size_t i = 0; sorted && i < month_rows(counts); i++) {
		const char *name = sorted[i]->parts[0];

		if (forms && form_words(name) != name)
			document_words(d, form_words(name), name);
		else if (forms)
			document_text(d, name);
		else
			report_person(d, name);
		for (size_t value = EXCEPTIONS_ASKED; value < EXCEPTIONS_WRITTEN; value++)
			document_number(d, sorted[i]->values[value]);
		document_bytes(d, sorted[i]->values[EXCEPTIONS_WRITTEN]);
	}
}

/* --- one line each ---------------------------------------------------------------------------- */

static void add_state(struct document *d, const struct exception *what)
{
	document_words(d, i18n(exception_state_text(what->state)), exception_state_name(what->state));
	document_tone(d, what->emergency && !what->reported ? TONE_BAD : TONE_PLAIN);
}

static void add_person(struct document *d, const struct exception *what)
{
	_cleanup_(freep) char *person = output_escape(what->grant.person), *requester = output_escape(what->requester.name);
	_cleanup_(freep) char *both = NULL;

	if (!*requester || !strcmp(person, requester)) {
		report_person(d, what->grant.person);
		return;
	}
	both = output_format(_("%s (asked by %s)"), person, requester);
	document_words(d, both, person);
}

static void add_object(struct document *d, const struct grant *grant)
{
	const char *digits = strchr(grant->fingerprint, ':');
	_cleanup_(freep) char *raw = output_escape(grant->fingerprint), *id = NULL, *shown = NULL;

	if (grant->medium[0]) {
		document_text(d, grant->medium);
		return;
	}
	id = output_escape(digits ? digits + 1 : grant->fingerprint);
	shown = output_format("%s %.*s", i18n(device_class_text(grant->class)), FINGERPRINT_SHOWN, id);
	document_words(d, shown, raw);
}

static void add_approvers(struct document *d, const struct exception *what)
{
	_cleanup_(freep) char *one = output_escape(what->approvals.by[0].name), *two = output_escape(what->approvals.by[1].name);
	_cleanup_(freep) char *names = output_format("%s%s%s", one, what->approvals.n > 1 ? ", " : "", two);

	if (what->approvals.n)
		document_words(d, names, NULL);
	else if (what->emergency)
		document_words(d, _("nobody: emergency"), "(emergency)");
	else if (what->approved)
		document_words(d, _("help desk"), "(desk)");
	else
		document_words(d, "", NULL);
}

static void append(char **text, const char *gap, const char *more)
{
	_cleanup_(freep) char *before = *text;

	*text = output_format("%s%s%s", before, *before ? gap : "", more);
}

static void add_owed(struct document *d, unsigned int due)
{
	const struct {
		unsigned int bit;
		const char *word, *text;
	} rows[] = {
		{ EXCEPTION_DUE_REPORT, "report", i18n(NC_("owed", "report")) },
		{ EXCEPTION_DUE_RETURN, "return", i18n(NC_("owed", "return")) },
		{ EXCEPTION_DUE_ERASURE, "erasure", i18n(NC_("owed", "confirmation of erasure")) },
		{ EXCEPTION_DUE_OVERDUE, "overdue", i18n(NC_("owed", "(overdue)")) },
	};
	_cleanup_(freep) char *shown = output_format("%s", ""), *raw = output_format("%s", "");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!(due & rows[i].bit))
			continue;
		append(&shown, rows[i].bit == EXCEPTION_DUE_OVERDUE ? " " : ", ", rows[i].text);
		append(&raw, " ", rows[i].word);
	}
	document_words(d, shown, raw);
	if (due)
		document_tone(d, due & EXCEPTION_DUE_OVERDUE ? TONE_BAD : TONE_WARN);
}

static void add_row(struct document *d, const struct tally_exception *one)
{
	const struct exception *what = &one->what;
	const struct grant *grant = &what->grant;
	bool writes = grant->access == GRANT_READ_WRITE;

	document_number(d, what->number);
	add_state(d, what);
	add_person(d, what);
	add_object(d, grant);
	document_words(d, report_access(writes), writes ? "rw" : "ro");
	document_text(d, grant->purpose);
	document_text(d, grant->form);
	document_time(d, (what->begun ? what->begun : grant->not_before) * SECOND_US);
	document_time(d, (what->ended ? what->ended : grant->not_after) * SECOND_US);
	add_approvers(d, what);
	document_number(d, what->used);
	document_bytes(d, what->written);
	add_owed(d, one->due);
}

static void add_list(struct document *d, const struct tally_exceptions *e)
{
	document_section(d, "exception-list", _("Each exception"));
	document_note(d, "%s", _("Those that took a step in this month, or of which something is owed at its end. `sekimorictl exception form NUMBER` prints the sheet of one."));
	if (e->beyond)
		document_note(d, _("Exceptions that were too many to be listed: %llu."), (unsigned long long)e->beyond);
	document_column(d, "number", i18n(NC_("exception", "Number")), false);
	document_column(d, "state", _("State"), false);
	document_column(d, "person", _("Person"), false);
	document_column(d, "object", _("Medium or device"), false);
	document_column(d, "access", _("Access"), false);
	document_column(d, "purpose", _("Purpose"), false);
	document_column(d, "form", _("Form"), false);
	document_column(d, "begin", _("Begin"), false);
	document_column(d, "end", _("End"), false);
	document_column(d, "approvers", _("Approved by"), false);
	document_column(d, "uses", _("Times let in"), true);
	document_column(d, "written", _("Written"), true);
	document_column(d, "owed", _("Still owed"), false);
	for (size_t i = 0; i < e->n; i++)
		if (e->list[i]->inside || e->list[i]->due)
			add_row(d, e->list[i]);
}

void month_add_exceptions(struct document *d, const struct tally *tally)
{
	const struct tally_exceptions *e = tally->exceptions;

	add_figures(d, e);
	if (counts_n(e->people)) {
		add_names(d, e->people, "exception-people", _("Exceptions by person"), "person");
		add_names(d, e->forms, "exception-forms", _("Exceptions by form"), "form");
	}
	add_list(d, e);
}
