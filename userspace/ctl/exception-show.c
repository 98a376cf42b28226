// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl exception show`: everything about one exception, and each step of it. */
#include <stdio.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/macro.h"
#include "ctl/client.h"
#include "ctl/command.h"
#include "ctl/exception-number.h"
#include "ctl/exception-text.h"
#include "ctl/exceptions-client.h"

int exception_show_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	_cleanup_(json_objectp) struct json_object *both = NULL, *devices = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = NULL;
	_cleanup_(freep) char *what = NULL, *why = NULL;
	uint32_t number;

	if (!exception_number_parse(options->arguments[0], &number))
		return COMMAND_USAGE;
	dbus = exceptions_connect(&refusal);
	both = dbus ? exceptions_get(dbus, number, true, &refusal) : NULL;
	if (!both) {
		what = output_format("%u: %s", number, _("cannot be shown:"));
		return refusal_tell(context, what, &refusal);
	}
	if (context->json) {
		output_json(both, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
		return COMMAND_OK;
	}
	devices = client_devices(dbus, &why);
	exception_print(stdout, json_object_object_get(both, "exception"), devices);
	exception_print_steps(stdout, json_object_object_get(both, "steps"));
	return COMMAND_OK;
}
