// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report sheets of an incident. The rule books name the forms (様式第11-1号, 第11-2号) but do not print them: the fields
 * are those that their clauses ask for. First report, T 6.3 (1) c with its note 31: day and time, place, event, cause, finder
 * or who caused it, damage and effect so far. Second sheet, T 6.3 (3): judgement, emergency measures and recovery, cause,
 * prevention.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/incident.h"
#include "report/report.h"

static void sheet(struct document *d, const char *id, const char *title)
{
	document_section(d, id, title);
	document_column(d, "field", _("Field"), false);
	document_column(d, "content", i18n(NC_("form", "Content")), false);
}

static void known(struct document *d, const char *id, const char *title, const char *untrusted)
{
	document_words(d, title, id);
	document_text(d, untrusted);
}

static void known_words(struct document *d, const char *id, const char *title, char *words)
{
	document_words(d, title, id);
	document_words(d, words, NULL);
	free(words);
}

static void blank(struct document *d, const char *id, const char *title)
{
	document_words(d, title, id);
	document_words(d, "", NULL);
	document_tone(d, TONE_BLANK);
}

static void add_event(struct document *d, const struct report_incident *incident)
{
	const char *text = incident_type_text(incident->type);

	document_words(d, _("Event"), "event");
	if (text == incident->type)
		document_text(d, text);
	else
		document_words(d, i18n(text), incident->type);
}

static void add_device(struct document *d, const struct report_incident *incident)
{
	if (incident->medium[0])
		known(d, "medium", _("Number of the medium"), incident->medium);
	if (incident->product[0] || incident->manufacturer[0]) {
		_cleanup_(freep) char *name =
			output_format("%s%s%s", incident->manufacturer, incident->manufacturer[0] ? " " : "",
				      incident->product);

		known(d, "device-name", _("Device calls itself"), name);
	}
	if (incident->id[0])
		known(d, "device-id", _("Device id"), incident->id);
	if (incident->serial[0])
		known(d, "serial", _("Serial number"), incident->serial);
	if (incident->fingerprint[0])
		known(d, "fingerprint", _("Fingerprint of the device"), incident->fingerprint);
	if (incident->device[0])
		known(d, "port", _("Port"), incident->device);
	if (incident->program[0])
		known(d, "program", _("Program"), incident->program);
}

/* The first report; what people fill in only where it is to be handed in. */
static void add_report(struct document *d, const struct report_incident *incident, bool sheets)
{
	char time[PERIOD_TEXT_MAX];

	period_format(incident->us, time);
	sheet(d, "report", sheets ? _("1. Incident report (for form 11-1)") : _("What is known"));
	known(d, "number", _("Number of the incident"), incident->number);
	known(d, "time", _("Day and time"), time);
	known(d, "terminal", _("Terminal"), incident->terminal);
	if (sheets)
		blank(d, "place", _("Place (building, room, section)"));
	add_event(d, incident);
	if (incident->reason[0]) {
		document_words(d, _("Reason given by the barrier"), "reason");
		report_reason(d, incident->reason);
	}
	if (incident->detail[0])
		known(d, "detail", _("Detail"), incident->detail);
	add_device(d, incident);
	document_words(d, _("Who was logged in"), "user");
	report_person(d, incident->user);
	known_words(d, "records", _("Records of the event log"),
		    output_format(_("%llu (numbers %llu to %llu)"), (unsigned long long)incident->count,
				  (unsigned long long)incident->first_seq,
				  (unsigned long long)incident->last_seq));
	if (!sheets)
		return;
	blank(d, "finder", _("Found by (name, section, telephone)"));
	blank(d, "causer", _("Caused by, if known"));
	blank(d, "presumed-cause", _("Cause as far as known"));
	blank(d, "assets", _("Information assets concerned and their class"));
	blank(d, "damage", _("Damage and effect so far"));
	blank(d, "measures-now", _("What was done at once"));
	blank(d, "reported-to", _("Reported to (name, day and time)"));
}

/* Cause and prevention. */
static void add_cause(struct document *d, const struct report_incident *incident, bool check_ok)
{
	sheet(d, "cause", _("2. Cause and prevention (for form 11-2)"));
	d->sections[d->n_sections - 1].page = true;
	known(d, "number", _("Number of the incident"), incident->number);
	known_words(d, "log", _("Is the log whole?"),
		    output_format("%s", check_ok ? _("Yes: it was verified when this sheet was made.") :
						   _("No: `sekimorictl log verify` says what is wrong.")));
	blank(d, "judgement", _("Judged to be an incident? (who, when, why)"));
	blank(d, "measures", _("Emergency measures"));
	blank(d, "recovery", _("Recovery"));
	blank(d, "cause", _("Cause found"));
	blank(d, "prevention", _("How it is prevented from now on"));
	blank(d, "prevention-date", _("Done by (person, day)"));
	blank(d, "confirmed", _("Confirmed by (name, day)"));
}

static void add_events(struct document *d, const struct report_event *events, size_t n)
{
	document_section(d, "events", _("Records of the event log"));
	if (n == REPORT_EVENTS_MAX)
		document_note(d, _("The first %d are listed."), REPORT_EVENTS_MAX);
	document_column(d, "seq", i18n(NC_("record", "Number")), false);
	document_column(d, "time", _("Time"), false);
	document_column(d, "kind", _("Kind of record"), false);
	document_column(d, "reason", _("Reason"), false);
	document_column(d, "object", _("Medium or device"), false);
	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *seq = output_format("%" PRIu64, events[i].seq);

		document_words(d, seq, NULL);
		document_time(d, events[i].us);
		report_kind(d, events[i].kind);
		report_reason(d, events[i].reason);
		document_text(d, events[i].object);
	}
}

struct document *report_incident(const struct report_incident *incident, const struct report_event *events,
				 size_t n_events, bool check_ok, bool sheets)
{
	_cleanup_(freep) char *number = output_escape(incident->number);
	struct document *d = document_new(output_format(_("Security incident %s"), number),
					  output_format("%s", sheets ? _("Filled in by the terminal as far as it knows; the empty fields are for people.") :
								       _("What this terminal's event log says of it.")),
					  i18n_is_japanese());

	d->form = sheets;
	add_report(d, incident, sheets);
	if (sheets)
		add_cause(d, incident, check_ok);
	add_events(d, events, n_events);
	return d;
}
