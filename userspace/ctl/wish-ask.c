// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/wish-ask.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/duration.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "core/macro.h"
#include "core/reason.h"
#include "core/text.h"
#include "ctl/exception-text.h"
#include "ctl/question.h"

/* What is proposed: half a morning's work, or an emergency's first hour. */
#define PERIOD_PROPOSED 7200
#define PERIOD_PROPOSED_EMERGENCY 3600

static void complain(const char *value, const char *what)
{
	_cleanup_(freep) char *shown = output_escape(value);

	fprintf(stderr, "  '%s' %s\n", shown, what);
}

bool wish_ask_field(struct wish *wish, enum wish_field field, const char *question, const char *otherwise)
{
	char answer[QUESTION_MAX];
	const char *wrong;

	do {
		if (!question_line(question, otherwise, answer))
			return false;
		wrong = wish_set(wish, field, answer);
		if (wrong)
			complain(answer, i18n(wrong));
	} while (wrong);
	return true;
}

/* --- device ------------------------------------------------------------------------------------ */

static void print_device(size_t i, struct json_object *device)
{
	_cleanup_(freep) char *port = output_member(device, "Name");
	_cleanup_(freep) char *product = output_member(device, "Product");
	_cleanup_(freep) char *detail = told_shown(output_raw(device, "Detail"));
	_cleanup_(freep) char *reason = output_escape(i18n(reason_text(output_raw(device, "Reason"))));

	fprintf(stderr, "  %zu  ", i + 1);
	fprintf(stderr, _("%s, port %s"), *product ? product : "?", port);
	fprintf(stderr, "\n     %s%s%s%s\n", reason, *detail ? " (" : "", detail, *detail ? ")" : "");
}

static bool ask_number(size_t n, size_t *chosen)
{
	char answer[QUESTION_MAX], *end;

	for (;;) {
		if (!question_line(_("Which one? Its number"), "1", answer))
			return false;
		*chosen = strtoul(answer, &end, 10);
		if (!*end && *chosen >= 1 && *chosen <= n)
			return true;
		complain(answer, _("is none of these numbers"));
	}
}

static int ask_device(struct wish *wish, const struct wish_asking *asking)
{
	_cleanup_(json_objectp) struct json_object *denied = wish_denied_devices(asking->devices);
	size_t n = json_object_array_length(denied), chosen = 1;

	if (asking->options->n_arguments || asking->options->device || wish->medium || !n)
		return wish_take_device(wish, asking->options, asking->devices);
	fprintf(stderr, "%s\n", _("Blocked devices that are plugged in:"));
	for (size_t i = 0; i < n; i++)
		print_device(i, json_object_array_get_idx(denied, i));
	if (n > 1 && !ask_number(n, &chosen))
		return COMMAND_FAILED;
	wish->device = output_format("%s", output_raw(json_object_array_get_idx(denied, chosen - 1), "Path"));
	return COMMAND_OK;
}

/* --- the rest ---------------------------------------------------------------------------------- */

static bool ask_access(struct wish *wish, const struct wish_asking *asking)
{
	struct json_object *device = wish_device(wish, asking->devices);

	if (!asking->options->access &&
	    !wish_ask_field(wish, WISH_ACCESS, _("ro to read only, rw to read and write"), "ro"))
		return false;
	if (!asking->options->encrypted_only && *output_raw(device, "Method"))
		wish->encrypted_only = question_yes(_("Only while it is encrypted, as it is now?"), true);
	return true;
}

/* How long it would last, from now or from its wished begin. */
static int64_t length_of(const struct wish *wish)
{
	int64_t now = (int64_t)time(NULL), begin = wish->begin > now ? wish->begin : now;

	return wish->seconds ? (int64_t)wish->seconds : wish->until - begin;
}

/* In the form in which it is typed. */
static char *period_typed(uint32_t seconds)
{
	return seconds % 3600 ? output_format("%um", seconds / 60) : output_format("%uh", seconds / 3600);
}

static bool ask_period(struct wish *wish, const struct wish_asking *asking)
{
	uint32_t propose = asking->emergency ? PERIOD_PROPOSED_EMERGENCY : PERIOD_PROPOSED;
	uint32_t longest = asking->longest ? asking->longest : UINT32_MAX;
	_cleanup_(freep) char *most = duration_text(longest);
	_cleanup_(freep) char *question =
		asking->longest ? output_format(_("How long (30m, 2h), or until when (17:15); at most %s"), most) :
				  output_format("%s", _("How long (30m, 2h), or until when (17:15)"));
	_cleanup_(freep) char *proposed = period_typed(propose < longest ? propose : longest);

	while (!wish->seconds && !wish->until) {
		if (!wish_ask_field(wish, WISH_PERIOD, question, proposed))
			return false;
		if (length_of(wish) > 0 && length_of(wish) <= longest)
			break;
		fprintf(stderr, "  %s\n",
			length_of(wish) > 0 ? _("That is longer than the policy of this terminal allows.") :
					      _("That is before it begins."));
		wish->seconds = 0;
		wish->until = 0;
	}
	return true;
}

static bool ask_purpose(struct wish *wish)
{
	while (!wish->purpose) {
		if (!wish_ask_field(wish, WISH_PURPOSE, _("What is it needed for (one line)"), ""))
			return false;
		if (!wish->purpose)
			fprintf(stderr, "  %s\n", _("A purpose is needed: who approves it reads it."));
	}
	return true;
}

static bool ask_form(struct wish *wish)
{
	static const char *const forms[] = { "8", "10", "13-1" };

	if (wish->form)
		return true;
	fprintf(stderr, "%s\n", _("By which form:"));
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		fprintf(stderr, "  %s", forms[i]);
		for (size_t n = strlen(forms[i]); n < 6; n++)
			fputc(' ', stderr);
		fprintf(stderr, "%s\n", exception_form_words(forms[i]));
	}
	return wish_ask_field(wish, WISH_FORM, _("Its number, or nothing"), "");
}

/* Whom it is for: who asks, unless said otherwise; then it is not sent, so that the daemon itself says who that is. */
static bool ask_person(struct wish *wish)
{
	const struct passwd *own = getpwuid(getuid());
	const char *name = own ? own->pw_name : "";

	if (wish->person)
		return true;
	if (!wish_ask_field(wish, WISH_PERSON, _("Whom it is for (user name)"), name))
		return false;
	if (wish->person && !strcmp(wish->person, name))
		wish_set(wish, WISH_PERSON, "");
	return true;
}

int wish_ask(struct wish *wish, const struct wish_asking *asking)
{
	int r;

	fprintf(stderr, "%s\n\n",
		_("Some questions; the answer in brackets is taken by pressing Enter alone. Ctrl-C ends it, and nothing is sent."));
	r = ask_device(wish, asking);
	if (r != COMMAND_OK)
		return r;
	if (!ask_purpose(wish) || !ask_access(wish, asking) || !ask_period(wish, asking))
		return COMMAND_FAILED;
	if (asking->emergency)
		return COMMAND_OK;
	if (!ask_person(wish) ||
	    (!wish->data_class && !wish_ask_field(wish, WISH_DATA_CLASS, _("Class of the data (I, II, III), or nothing"), "")) ||
	    !ask_form(wish) ||
	    (!wish->return_by && !wish_ask_field(wish, WISH_RETURN_BY,
						 _("When the medium is to be back (tomorrow, 2026-11-21), or nothing"), "")))
		return COMMAND_FAILED;
	return COMMAND_OK;
}
