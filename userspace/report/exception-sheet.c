// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sheet of an exception: the application, what became of it, and where people sign. The rule books name the forms but do not
 * print them; the fields are those that their clauses ask for:
 *
 *	8	T 6.1 (1) d, e	equipment that was not issued, needed for work; the security manager's leave; a record of it (form 9)
 *	10	T 6.1 (1) f, 7.1 (16), (17)	equipment or settings changed; the leave of both managers
 *	13-1	T 8.4 (1)	a rule that cannot be kept, the way taken instead, the reason; talked over with the CISO, leave of the mayor
 *	13-2	T 8.4 (2)	what could not wait; reported to the CISO and the chief security officer at once afterwards
 *
 * What the terminal knows is filled in; the rest is left blank for people.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/device-class-name.h"
#include "core/exception.h"
#include "report/report.h"

#define SECOND_US 1000000
#define BLANKS_MAX 5
#define STAMPS_MAX 5
#define STEPS_SHOWN_MAX 500

struct blank {
	const char *id, *title; /* msgid */
};

static const struct form {
	const char *form;
	const char *title;		  /* msgid */
	struct blank blanks[BLANKS_MAX];  /* of the application */
	const char *stamps[STAMPS_MAX];	  /* msgids, in the order in which people sign */
} forms[] = {
	{ "8",
	  N_("Application for the use of equipment that was not issued (for form 8)"),
	  { { "owner", N_("Owner of the equipment") },
	    { "why-not-issued", N_("Why issued equipment will not do") },
	    { "place", N_("Place of use, and of keeping") },
	    { "safety", N_("Safety measures (encryption, virus check, carrying)") } },
	  { N_("Applicant"), N_("Security manager"), N_("Recorded (form 9)") } },
	{ "10",
	  N_("Application for a change of equipment or settings (for form 10)"),
	  { { "change", N_("What is added, changed or replaced") },
	    { "why-needed", N_("Why the work cannot do without it") },
	    { "restored", N_("When and by whom it is put back") } },
	  { N_("Applicant"), N_("Security manager"), N_("System manager") } },
	{ "13-1",
	  N_("Application for an exceptional measure (for form 13-1)"),
	  { { "rule", N_("Rule that cannot be kept") },
	    { "instead", N_("What is done instead") },
	    { "reason", N_("Why this is reasonable") },
	    { "safety", N_("Safety measures meanwhile") } },
	  { N_("Applicant"), N_("Security manager"), N_("System manager"), N_("CISO (talked over)"), N_("Mayor (leave)") } },
	{ EXCEPTION_FORM_EMERGENCY,
	  N_("Report of an exceptional measure in an emergency (for form 13-2)"),
	  { { "what-happened", N_("What happened, and since when") },
	    { "unavoidable", N_("Why it could not wait for leave") },
	    { "effect", N_("Effect on information assets") },
	    { "reported-orally", N_("First told to (name, day and time)") } },
	  { N_("Applicant"), N_("Security manager"), N_("System manager"), N_("CISO (reported)"), N_("Chief security officer (reported)") } },
};

static const struct form no_form = {
	"",
	N_("Application for a temporary exception"),
	{ { "why-needed", N_("Why the work cannot do without it") }, { "safety", N_("Safety measures meanwhile") } },
	{ N_("Applicant"), N_("Approver"), N_("Manager") },
};

/* The form of emergencies is theirs alone, and their only one, whatever the answer says. */
static const struct form *form_of(struct json_object *exception)
{
	bool emergency = json_object_get_boolean(json_object_object_get(exception, "emergency"));
	const char *number = emergency ? EXCEPTION_FORM_EMERGENCY : output_raw(exception, "form");

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].form, number) && emergency == !strcmp(number, EXCEPTION_FORM_EMERGENCY))
			return &forms[i];
	return &no_form;
}

/* --- members --- */

static int64_t number_of(struct json_object *object, const char *key)
{
	return json_object_get_int64(json_object_object_get(object, key));
}

static bool flag_of(struct json_object *object, const char *key)
{
	return json_object_get_boolean(json_object_object_get(object, key));
}

/* --- rows --- */

static void sheet(struct document *d, const char *id, const char *title)
{
	document_section(d, id, title);
	document_column(d, "field", _("Field"), false);
	document_column(d, "content", i18n(NC_("form", "Content")), false);
}

static void blank(struct document *d, const char *id, const char *title)
{
	document_words(d, title, id);
	document_words(d, "", NULL);
	document_tone(d, TONE_BLANK);
}

static void words(struct document *d, const char *id, const char *title, const char *shown, const char *raw)
{
	document_words(d, title, id);
	document_words(d, shown, raw);
}

/* What nobody stated is left for people. */
static void text(struct document *d, const char *id, const char *title, const char *untrusted)
{
	if (!*untrusted) {
		blank(d, id, title);
		return;
	}
	document_words(d, title, id);
	document_text(d, untrusted);
}

static void moment(struct document *d, const char *id, const char *title, int64_t seconds)
{
	if (seconds <= 0 || seconds > INT64_MAX / SECOND_US) {
		blank(d, id, title);
		return;
	}
	document_words(d, title, id);
	document_time(d, seconds * SECOND_US);
}

static void count(struct document *d, const char *id, const char *title, int64_t number, const char *none)
{
	_cleanup_(freep) char *shown = output_format("%" PRId64, number);

	words(d, id, title, number ? shown : none, shown);
}

static void bytes(struct document *d, const char *id, const char *title, int64_t number, const char *none)
{
	document_words(d, title, id);
	if (number > 0 || !none)
		document_bytes(d, number > 0 ? (uint64_t)number : 0);
	else
		document_words(d, none, "0");
}

/* --- the application --- */

static void add_device(struct document *d, struct json_object *exception)
{
	const char *medium = output_raw(exception, "medium"), *fingerprint = output_raw(exception, "fingerprint");
	const char *name = output_raw(exception, "class");
	enum device_class class;

	if (device_class_find(name, &class))
		words(d, "class", _("Kind of device"), i18n(device_class_text(class)), name);
	else
		text(d, "class", _("Kind of device"), name);
	if (*medium)
		text(d, "medium", _("Number of the medium"), medium);
	else
		text(d, "fingerprint", _("Fingerprint of the device"), fingerprint);
}

static void add_period(struct document *d, struct json_object *exception)
{
	int64_t period = number_of(exception, "period");

	if (period > 0 && period <= INT32_MAX && !number_of(exception, "approved")) {
		document_words(d, _("Length"), "period");
		document_duration(d, period * SECOND_US);
	}
	if (number_of(exception, "begin"))
		moment(d, "begin", _("From"), number_of(exception, "begin"));
	moment(d, "end", _("Until"), number_of(exception, "end"));
	moment(d, "return-by", _("To be returned by"), number_of(exception, "return-by"));
}

static void add_application(struct document *d, struct json_object *exception, const struct form *form)
{
	bool writes = !strcmp(output_raw(exception, "access"), "rw"), encrypted = flag_of(exception, "encrypted-only");

	sheet(d, "application", i18n(form->title));
	count(d, "number", _("Number of the exception"), number_of(exception, "number"), "");
	moment(d, "requested", _("Day and time of application"), number_of(exception, "requested"));
	text(d, "requester", _("Applicant (user name)"), output_raw(exception, "requester"));
	blank(d, "post", _("Applicant: section, post, name, telephone"));
	text(d, "person", _("Who uses it (user name)"), output_raw(exception, "person"));
	text(d, "terminal", _("Terminal"), output_raw(exception, "terminal"));
	add_device(d, exception);
	text(d, "purpose", _("Purpose"), output_raw(exception, "purpose"));
	text(d, "data-class", _("Class of the data"), output_raw(exception, "data-class"));
	words(d, "access", i18n(NC_("exceptions", "Access")), report_access(writes), writes ? "rw" : "ro");
	words(d, "encrypted-only", _("Encryption"), encrypted ? _("only encrypted media") : _("not asked for"),
	      encrypted ? "true" : "false");
	add_period(d, exception);
	count(d, "uses", _("Times it may be plugged in"), number_of(exception, "uses"), _("any number"));
	bytes(d, "write-quota", _("Bytes that may be written"), number_of(exception, "write-quota"),
	      writes ? _("any amount") : _("none"));
	for (size_t i = 0; i < BLANKS_MAX && form->blanks[i].id; i++)
		blank(d, form->blanks[i].id, i18n(form->blanks[i].title));
}

/* --- the outcome --- */

static void add_approvers(struct document *d, struct json_object *exception)
{
	struct json_object *list = json_object_object_get(exception, "approvers");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n && i < EXCEPTION_APPROVERS_MAX; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(list, i));

		text(d, i ? "approver-2" : "approver-1", _("Approved by (user name)"), name ? name : "");
	}
	if (!n && flag_of(exception, "emergency"))
		words(d, "approver-1", _("Approved by (user name)"), _("nobody: emergency"), "(emergency)");
	else if (!n && number_of(exception, "approved"))
		words(d, "approver-1", _("Approved by (user name)"), _("help desk"), "(desk)");
	else if (!n)
		blank(d, "approver-1", _("Approved by (user name)"));
}

/* The newest step of a kind, or NULL. */
static struct json_object *step_of(struct json_object *steps, enum exception_event_kind kind)
{
	size_t n = json_object_is_type(steps, json_type_array) ? json_object_array_length(steps) : 0;

	while (n-- > 0) {
		struct json_object *step = json_object_array_get_idx(steps, n);

		if (!strcmp(output_raw(step, "event"), exception_event_name(kind)))
			return step;
	}
	return NULL;
}

static void add_closing(struct document *d, struct json_object *exception, struct json_object *steps)
{
	struct json_object *returned = step_of(steps, EXCEPTION_RETURN), *erased = step_of(steps, EXCEPTION_CONFIRM_ERASED);

	moment(d, "returned", _("Returned"), number_of(returned, "time"));
	moment(d, "erased", _("Erasure confirmed"), number_of(erased, "time"));
	text(d, "erased-by", _("Erasure confirmed by"),
	     erased && !*output_raw(erased, "who") ? _("this terminal, which found the medium empty") :
						    output_raw(erased, "who"));
	if (!flag_of(exception, "emergency"))
		return;
	moment(d, "reported", _("Report filed"), number_of(exception, "reported"));
	text(d, "report", _("Report"), output_raw(step_of(steps, EXCEPTION_REPORT), "note"));
}

static void add_outcome(struct document *d, struct json_object *exception, struct json_object *steps)
{
	const char *state = output_raw(exception, "state");
	unsigned int known = exception_state_find(state);
	/* Of an extension that was denied the exception itself goes on. */
	struct json_object *denied = known == EXCEPTION_DENIED ? step_of(steps, EXCEPTION_DENY) : NULL;

	sheet(d, "outcome", _("Outcome"));
	d->sections[d->n_sections - 1].page = true;
	if (known < N_EXCEPTION_STATES)
		words(d, "state", _("State"), i18n(exception_state_text(known)), state);
	else
		text(d, "state", _("State"), state);
	add_approvers(d, exception);
	moment(d, "approved", _("Approved at"), number_of(exception, "approved"));
	if (denied)
		text(d, "denied", _("Why it was denied"), output_raw(denied, "note"));
	moment(d, "begun", _("In force from"), number_of(exception, "begun"));
	moment(d, "ended", _("Ended at"), number_of(exception, "ended"));
	count(d, "used", _("Times plugged in"), number_of(exception, "used"), "0");
	bytes(d, "written", _("Bytes written"), number_of(exception, "written"), NULL);
	add_closing(d, exception, steps);
}

/* --- signatures and steps --- */

static void add_stamps(struct document *d, const struct form *form)
{
	document_section(d, "stamps", _("Signatures and stamps"))->stamps = true;
	for (size_t i = 0; i < STAMPS_MAX && form->stamps[i]; i++)
		document_column(d, form->stamps[i], i18n(form->stamps[i]), false);
	for (size_t i = 0; i < STAMPS_MAX && form->stamps[i]; i++) {
		document_words(d, "", NULL);
		document_tone(d, TONE_BLANK);
	}
}

static void add_event_cell(struct document *d, struct json_object *step)
{
	const char *event = output_raw(step, "event");
	unsigned int known = exception_event_find(event);

	if (known < N_EXCEPTION_EVENTS)
		document_words(d, i18n(exception_event_text(known)), event);
	else
		document_text(d, event);
}

static void add_steps(struct document *d, struct json_object *steps)
{
	size_t n = json_object_is_type(steps, json_type_array) ? json_object_array_length(steps) : 0;
	size_t shown = n < STEPS_SHOWN_MAX ? n : STEPS_SHOWN_MAX;
	int64_t taken = n ? number_of(json_object_array_get_idx(steps, n - 1), "step") : 0;

	document_section(d, "steps", _("Each step, as the terminal recorded it"))->n_keys = 2;
	if (taken > (int64_t)shown)
		document_note(d, _("%zu of %lld steps are listed; the event log has all of them."), shown, (long long)taken);
	document_column(d, "step", i18n(NC_("exception", "Number")), false);
	document_column(d, "time", _("Time"), false);
	document_column(d, "event", _("What happened"), false);
	document_column(d, "who", _("Who"), false);
	document_column(d, "note", _("Note"), false);
	for (size_t i = n - shown; i < n; i++) {
		struct json_object *step = json_object_array_get_idx(steps, i);
		int64_t time = number_of(step, "time");

		document_number(d, (uint64_t)number_of(step, "step"));
		document_time(d, time > 0 && time < INT64_MAX / SECOND_US ? time * SECOND_US : 0);
		add_event_cell(d, step);
		if (*output_raw(step, "who"))
			document_text(d, output_raw(step, "who"));
		else
			document_words(d, _("(the terminal)"), "");
		document_text(d, output_raw(step, "note"));
	}
}

struct document *report_exception(struct json_object *exception, struct json_object *steps)
{
	const struct form *form = form_of(exception);
	_cleanup_(freep) char *terminal = output_escape(output_raw(exception, "terminal"));
	struct document *d = document_new(output_format(_("Temporary exception %lld (terminal %s)"),
							(long long)number_of(exception, "number"), terminal),
					  output_format("%s", _("Filled in by the terminal as far as it knows; the empty fields are for people.")),
					  i18n_is_japanese());

	d->form = true;
	add_application(d, exception, form);
	add_outcome(d, exception, steps);
	add_stamps(d, form);
	add_steps(d, steps);
	return d;
}
