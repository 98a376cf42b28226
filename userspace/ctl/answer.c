// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl answer`: takes the help desk's code for the request by telephone that waits. */
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/phonecode.h"
#include "ctl/client.h"
#include "ctl/exceptions-client.h"
#include "ctl/offline.h"
#include "ctl/question.h"

/* More than any code needs, in whatever characters it is typed. */
#define CODE_MAX 1024

/* A code may be given in groups: "5FTR 29QG …". False: it is far too long, or no text. */
static bool join(const struct command_options *options, char code[static CODE_MAX])
{
	size_t len = 0;

	code[0] = '\0';
	for (int i = 0; i < options->n_arguments; i++) {
		int n = snprintf(code + len, CODE_MAX - len, "%s%s", i ? "-" : "", options->arguments[i]);

		len += (size_t)n;
		if (len >= CODE_MAX)
			return false;
	}
	return dbus_validate_utf8(code, NULL);
}

static int take(DBusConnection *dbus, const struct context *context, const struct command_options *options)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	char code[CODE_MAX];
	const char *const values[] = { code };
	uint32_t number;

	if (!join(options, code))
		refusal.why = output_format("phone-misheard"), refusal.error = output_format("%s", "");
	else if (offline_take(dbus, "AnswerPhone", values, 1, &number, &refusal))
		return offline_tell(dbus, context, number);
	return refusal_tell(context, _("the code was not taken:"), &refusal);
}

int answer_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	_cleanup_(dbus_connectionp) DBusConnection *dbus = NULL;

	if (!options->n_arguments && (context->json || !question_can())) {
		fputs(_("sekimorictl: there is no terminal to ask on: give the code\n"), stderr);
		return COMMAND_USAGE;
	}
	dbus = exceptions_connect(&refusal);
	if (!dbus)
		return refusal_tell(context, _("the code was not taken:"), &refusal);
	return options->n_arguments ? take(dbus, context, options) : offline_ask_code(dbus, context);
}
