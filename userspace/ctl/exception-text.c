// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/exception-text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/duration.h"
#include "cli/i18n.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "core/device-class-name.h"
#include "core/exception.h"
#include "core/macro.h"
#include "core/text.h"

/* Columns of the longest label in either language, and two to spare. */
#define LABEL_WIDTH 24

/* As many digits of a fingerprint as are read out on the telephone (docs/telephone-code.md). */
#define FINGERPRINT_SHOWN 5

int64_t exception_number(struct json_object *exception, const char *key)
{
	return json_object_get_int64(json_object_object_get(exception, key));
}

bool exception_flag(struct json_object *exception, const char *key)
{
	return json_object_get_boolean(json_object_object_get(exception, key));
}

bool exception_has_word(struct json_object *exception, const char *key, const char *word)
{
	struct json_object *words = json_object_object_get(exception, key);
	size_t n = json_object_is_type(words, json_type_array) ? json_object_array_length(words) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(words, i));

		if (text && !strcmp(text, word))
			return true;
	}
	return false;
}

/* --- words ------------------------------------------------------------------------------------- */

char *exception_state_words(const char *state)
{
	const char *text = exception_state_text(exception_state_find(state));

	return output_escape(text ? i18n(text) : state);
}

char *exception_access_words(bool read_write, bool encrypted_only)
{
	return output_format("%s%s", read_write ? _("reading and writing") : _("read only"),
			     encrypted_only ? _(", encrypted media only") : "");
}

const char *exception_form_words(const char *form)
{
	static const struct {
		const char *form, *text;
	} forms[] = {
		{ "8", N_("a medium that was not issued") },
		{ "10", N_("a device to be added, or a security setting changed") },
		{ "13-1", N_("an exception to the rules, with its reason, in advance") },
		{ "13-2", N_("an emergency, reported afterwards") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].form, form))
			return i18n(forms[i].text);
	return "";
}

static const char *class_words(struct json_object *exception)
{
	enum device_class class;

	if (!device_class_find(output_raw(exception, "class"), &class))
		class = DEVICE_CLASS_UNKNOWN;
	return i18n(device_class_text(class));
}

/* The digits of a fingerprint by which people tell devices apart. */
static char *fingerprint_digits(const char *fingerprint)
{
	const char *colon = strchr(fingerprint, ':');
	char first[FINGERPRINT_SHOWN + 1];

	snprintf(first, sizeof(first), "%s", colon ? colon + 1 : fingerprint);
	return output_escape(first);
}

char *exception_device_short(struct json_object *exception)
{
	_cleanup_(freep) char *digits = fingerprint_digits(output_raw(exception, "fingerprint"));

	/* The digits in front: the rest may be cut. */
	return *output_raw(exception, "medium") ? output_member(exception, "medium") :
						  output_format("%s %s", digits, class_words(exception));
}

/* What is plugged in and has that fingerprint. */
static struct json_object *plugged_device(struct json_object *exception, struct json_object *devices)
{
	const char *fingerprint = output_raw(exception, "fingerprint");
	size_t n = devices && *fingerprint ? json_object_array_length(devices) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);

		if (!strcmp(output_raw(device, "Fingerprint"), fingerprint))
			return device;
	}
	return NULL;
}

char *exception_device_words(struct json_object *exception, struct json_object *devices)
{
	struct json_object *device = plugged_device(exception, devices);
	_cleanup_(freep) char *medium = output_member(exception, "medium");
	_cleanup_(freep) char *digits = fingerprint_digits(output_raw(exception, "fingerprint"));
	_cleanup_(freep) char *words = output_format("%s (%s)", class_words(exception), digits);
	_cleanup_(freep) char *product = output_member(device, "Product");
	_cleanup_(freep) char *port = output_member(device, "Name");

	if (*medium)
		return output_format(_("medium %s, %s"), medium, class_words(exception));
	if (!device)
		return output_format(_("%s, not plugged in here now"), words);
	return output_format(_("%s = %s, port %s"), words, product, port);
}

char *exception_due_words(struct json_object *exception)
{
	static const struct {
		const char *word, *text, *overdue;
	} owed[] = {
		{ "report", N_("report due"), N_("REPORT OVERDUE") },
		{ "return", N_("return due"), N_("RETURN OVERDUE") },
		{ "erasure", N_("erasure due"), N_("ERASURE OVERDUE") },
	};
	bool late = exception_has_word(exception, "due", "overdue");
	char *text = output_format("%s", "");

	for (size_t i = 0; i < ARRAY_SIZE(owed); i++) {
		char *before = text;

		if (!exception_has_word(exception, "due", owed[i].word))
			continue;
		text = output_format("%s%s%s", before, *before ? ", " : "",
				     i18n(late ? owed[i].overdue : owed[i].text));
		free(before);
	}
	return text;
}

char *exception_left_words(int64_t seconds)
{
	if (seconds < 60)
		return output_format("%s", _("under a minute"));
	return duration_text(seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds);
}

/* --- rows -------------------------------------------------------------------------------------- */

void exception_print_row(FILE *out, const char *label, const char *value)
{
	if (!*value)
		return;
	fputs(label, out);
	for (size_t n = text_width(label); n < LABEL_WIDTH; n++)
		fputc(' ', out);
	fprintf(out, "%s\n", value);
}

static void print_text(FILE *out, const char *label, struct json_object *exception, const char *key)
{
	_cleanup_(freep) char *value = output_member(exception, key);

	exception_print_row(out, label, value);
}

static void print_time(FILE *out, const char *label, struct json_object *exception, const char *key)
{
	int64_t when = exception_number(exception, key);
	_cleanup_(freep) char *value = when ? moment_text(when) : NULL;

	if (value)
		exception_print_row(out, label, value);
}

static void print_person(FILE *out, struct json_object *exception)
{
	_cleanup_(freep) char *person = output_member(exception, "person");
	_cleanup_(freep) char *requester = output_member(exception, "requester");

	exception_print_row(out, _("For"), person);
	if (strcmp(person, requester))
		exception_print_row(out, _("Asked for by"), requester);
}

/* "in force, 1 h 30 min left" and what is owed. */
static void print_state(FILE *out, struct json_object *exception)
{
	const char *state = output_raw(exception, "state");
	_cleanup_(freep) char *words = exception_state_words(state);
	_cleanup_(freep) char *left = exception_left_words(exception_number(exception, "seconds-left"));
	_cleanup_(freep) char *due = exception_due_words(exception);
	_cleanup_(freep) char *line = !strcmp(state, "live") ? output_format(_("%s, %s left"), words, left) :
							       output_format("%s", words);

	exception_print_row(out, _("State"), line);
	if (exception_flag(exception, "emergency"))
		exception_print_row(out, _("Emergency"),
				    exception_number(exception, "reported") ? _("yes, its report is filed") :
									      _("YES, WITHOUT A REPORT YET"));
	exception_print_row(out, _("Owed"), due);
}

static void print_names(FILE *out, const char *label, struct json_object *exception, const char *key)
{
	struct json_object *names = json_object_object_get(exception, key);
	size_t n = json_object_is_type(names, json_type_array) ? json_object_array_length(names) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *raw = json_object_get_string(json_object_array_get_idx(names, i));
		_cleanup_(freep) char *name = output_escape(raw ? raw : "");

		exception_print_row(out, i ? "" : label, name);
	}
}

static void print_amounts(FILE *out, struct json_object *exception)
{
	int64_t uses = exception_number(exception, "uses"), used = exception_number(exception, "used");
	uint64_t quota = json_object_get_uint64(json_object_object_get(exception, "write-quota"));
	uint64_t written = json_object_get_uint64(json_object_object_get(exception, "written"));
	_cleanup_(freep) char *n_used =
		uses ? output_format(_("%lld of %lld times"), (long long)used, (long long)uses) :
		       output_format(_("%lld times, any number is allowed"), (long long)used);
	_cleanup_(freep) char *bytes = amount_text(written), *most = amount_text(quota);
	_cleanup_(freep) char *n_written = quota ? output_format(_("%s of %s"), bytes, most) :
						   output_format("%s", bytes);

	if (uses || used)
		exception_print_row(out, _("Used"), n_used);
	if (quota || written)
		exception_print_row(out, _("Written"), n_written);
}

static void print_form(FILE *out, struct json_object *exception)
{
	_cleanup_(freep) char *form = output_member(exception, "form");
	_cleanup_(freep) char *line = output_format("%s (%s)", form, exception_form_words(form));

	print_text(out, _("Purpose"), exception, "purpose");
	print_text(out, _("Class of data"), exception, "data-class");
	if (*form)
		exception_print_row(out, _("Form"), line);
	print_time(out, _("Back by"), exception, "return-by");
}

static void print_term(FILE *out, struct json_object *exception)
{
	int64_t period = exception_number(exception, "period");
	_cleanup_(freep) char *words = exception_left_words(period);

	if (period)
		exception_print_row(out, _("Period"), words);
	print_time(out, _("Begins"), exception, "begin");
	print_time(out, _("Ends"), exception, "end");
	print_time(out, _("Extension asked for, to"), exception, "extend-until");
	print_names(out, _("Extension approved by"), exception, "extend-approvers");
}

void exception_print(FILE *out, struct json_object *exception, struct json_object *devices)
{
	_cleanup_(freep) char *number = output_format("%" PRId64, exception_number(exception, "number"));
	_cleanup_(freep) char *device = exception_device_words(exception, devices);
	_cleanup_(freep) char *access = exception_access_words(!strcmp(output_raw(exception, "access"), "rw"),
							       exception_flag(exception, "encrypted-only"));

	exception_print_row(out, _("Exception number"), number);
	print_state(out, exception);
	print_person(out, exception);
	exception_print_row(out, _("Device"), device);
	print_text(out, _("Fingerprint"), exception, "fingerprint");
	print_text(out, _("Terminal"), exception, "terminal");
	exception_print_row(out, i18n(NC_("exception", "Access")), access);
	print_term(out, exception);
	print_amounts(out, exception);
	print_form(out, exception);
	print_time(out, _("Requested"), exception, "requested");
	print_names(out, _("Approved by"), exception, "approvers");
	print_time(out, _("Ended at"), exception, "ended");
}

/* --- steps ------------------------------------------------------------------------------------- */

static void print_step(FILE *out, struct json_object *step)
{
	const char *event = exception_event_text(exception_event_find(output_raw(step, "event")));
	_cleanup_(freep) char *when = moment_text(exception_number(step, "time"));
	_cleanup_(freep) char *who = output_member(step, "who");
	_cleanup_(freep) char *session = output_member(step, "session");
	_cleanup_(freep) char *note = output_member(step, "note");
	_cleanup_(freep) char *what = output_escape(event ? i18n(event) : output_raw(step, "event"));
	int64_t until = exception_number(step, "until");
	uint64_t bytes = json_object_get_uint64(json_object_object_get(step, "bytes"));

	fprintf(out, "  %s  %s", when, what);
	if (until) {
		_cleanup_(freep) char *to = moment_text(until);

		fprintf(out, " (%s)", to);
	}
	if (bytes && !strcmp(output_raw(step, "event"), "written")) {
		_cleanup_(freep) char *amount = amount_text(bytes);

		fprintf(out, " (%s)", amount);
	}
	if (*who && *session)
		fprintf(out, _(" (by %s, session %s)"), who, session);
	else if (*who)
		fprintf(out, _(" (by %s)"), who);
	fputc('\n', out);
	if (*note)
		fprintf(out, "      %s\n", note);
}

void exception_print_steps(FILE *out, struct json_object *steps)
{
	size_t n = json_object_array_length(steps);
	int64_t taken = n ? exception_number(json_object_array_get_idx(steps, n - 1), "step") : 0;

	fprintf(out, "\n%s\n", _("What happened"));
	if (taken > (int64_t)n)
		fprintf(out, _("  %zu of %lld steps are listed; the event log has all of them.\n"), n, (long long)taken);
	for (size_t i = 0; i < n; i++)
		print_step(out, json_object_array_get_idx(steps, i));
}
