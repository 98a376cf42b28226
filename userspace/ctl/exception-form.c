// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl exception form`: the application and its outcome on paper, in the fields of the form that it goes by. */
#include <stdio.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/macro.h"
#include "ctl/client.h"
#include "ctl/exception-number.h"
#include "ctl/exceptions-client.h"
#include "ctl/logwalk.h"

/* On a terminal it is read, anywhere else printed. */
static int choose_format(const struct command_options *options, enum logwalk_format *format)
{
	int r = logwalk_format(options, format);

	if (r == COMMAND_OK && !options->format && (options->output || !isatty(STDOUT_FILENO)))
		*format = LOGWALK_HTML;
	return r;
}

int exception_form_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	_cleanup_(document_freep) struct document *document = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = NULL;
	_cleanup_(json_objectp) struct json_object *both = NULL;
	_cleanup_(freep) char *what = NULL;
	enum logwalk_format format;
	uint32_t number;

	if (!exception_number_parse(options->arguments[0], &number) || choose_format(options, &format) != COMMAND_OK)
		return COMMAND_USAGE;
	dbus = exceptions_connect(&refusal);
	both = dbus ? exceptions_get(dbus, number, true, &refusal) : NULL;
	if (!both) {
		what = output_format("%u: %s", number, _("cannot be shown:"));
		return refusal_tell(context, what, &refusal);
	}
	document = report_exception(json_object_object_get(both, "exception"), json_object_object_get(both, "steps"));
	return logwalk_write(document, format, options);
}
