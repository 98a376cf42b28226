// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimorictl exception clock`: how far the clock that exceptions live by is ahead of the wall clock, and, once the wall clock is right
 * again, the way back (core/grantclock.h).
 */
#include <stdio.h>
#include <time.h>

#include "cli/i18n.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "core/grantclock.h"
#include "core/macro.h"
#include "ctl/client.h"
#include "ctl/exception-text.h"
#include "ctl/exceptions-client.h"
#include "ctl/question.h"

static int64_t properties_ahead(struct json_object *properties)
{
	return json_object_get_int64(json_object_object_get(properties, "ClockAhead"));
}

static void print_json(int64_t ahead, bool was_reset)
{
	_cleanup_(json_objectp) struct json_object *object = json_object_new_object();

	json_object_object_add(object, "ahead", json_object_new_int64(ahead));
	json_object_object_add(object, "reset", json_object_new_boolean(was_reset));
	output_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

static void show(FILE *out, int64_t ahead)
{
	int64_t now = time(NULL);
	_cleanup_(freep) char *wall = moment_text(now), *theirs = moment_text(now + ahead);
	_cleanup_(freep) char *by = exception_left_words(ahead);

	exception_print_row(out, _("Wall clock"), wall);
	exception_print_row(out, _("Clock of exceptions"), theirs);
	exception_print_row(out, _("Ahead by"), ahead ? by : _("nothing"));
}

static int tell(const struct context *context, int64_t ahead)
{
	if (context->json) {
		print_json(ahead, false);
		return COMMAND_OK;
	}
	show(stdout, ahead);
	if (ahead > GRANTCLOCK_SLACK_S)
		printf("\n%s\n", _("A minute or two after restarts is usual. If the wall clock was wrong once and is right now: 'sekimorictl "
				   "exception clock --reset'."));
	return COMMAND_OK;
}

/* Set back to a wall clock that is wrong itself, it would be ahead again tomorrow: whoever does it has seen both. */
static int agree(const struct command_options *options, int64_t ahead)
{
	if (options->yes)
		return COMMAND_OK;
	if (!question_can()) {
		fputs(_("sekimorictl: there is nobody to ask whether it is right: give --yes\n"), stderr);
		return COMMAND_USAGE;
	}
	show(stderr, ahead);
	if (question_yes(_("Is the wall clock right, and the clock of exceptions to be set back to it?"), false))
		return COMMAND_OK;
	fprintf(stderr, "%s\n", _("Nothing was done."));
	return COMMAND_FAILED;
}

static int reset(const struct context *context, DBusConnection *dbus, struct refusal *refusal)
{
	_cleanup_(freep) char *by = NULL;
	int64_t ahead;

	if (!exceptions_reset_clock(dbus, &ahead, refusal))
		return refusal_tell(context, _("the clock of exceptions was not set back:"), refusal);
	if (context->json) {
		print_json(ahead, ahead);
		return COMMAND_OK;
	}
	by = exception_left_words(ahead);
	if (ahead)
		printf(_("The clock of exceptions was set back by %s.\n"), by);
	else
		printf("%s\n", _("The clock of exceptions is not ahead: nothing was done."));
	return COMMAND_OK;
}

int exception_clock_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	_cleanup_(json_objectp) struct json_object *properties = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = exceptions_connect(&refusal);
	int64_t ahead;
	int r;

	properties = dbus ? exceptions_properties(dbus, &refusal) : NULL;
	if (!properties)
		return refusal_tell(context, _("the clock of exceptions cannot be shown:"), &refusal);
	ahead = properties_ahead(properties);
	if (!options->reset)
		return tell(context, ahead);
	r = agree(options, ahead);
	return r == COMMAND_OK ? reset(context, dbus, &refusal) : r;
}
