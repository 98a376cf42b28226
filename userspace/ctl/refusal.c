// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/refusal.h"

#include <dbus/dbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/names.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "core/macro.h"
#include "core/reason.h"
#include "ctl/client.h"
#include "ctl/label.h"

#define ERROR_NOT_FOUND BUS_NAME ".Error.NotFound"

void refusal_deinit(struct refusal *refusal)
{
	free(refusal->why);
	free(refusal->error);
	*refusal = (struct refusal){ .why = NULL };
}

static bool error_is(const struct refusal *refusal, const char *name)
{
	return refusal->error && !strcmp(refusal->error, name);
}

bool refusal_is_denial(const struct refusal *refusal)
{
	return error_is(refusal, DBUS_ERROR_ACCESS_DENIED) ||
	       error_is(refusal, DBUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
}

bool refusal_is_absence(const struct refusal *refusal)
{
	return error_is(refusal, DBUS_ERROR_UNKNOWN_OBJECT) || error_is(refusal, ERROR_NOT_FOUND);
}

/* Nobody answered, so nothing is known of what was asked. */
static bool is_silence(const struct refusal *refusal)
{
	static const char *const names[] = {
		DBUS_ERROR_SERVICE_UNKNOWN, DBUS_ERROR_NAME_HAS_NO_OWNER, DBUS_ERROR_NO_REPLY,
		DBUS_ERROR_DISCONNECTED,    DBUS_ERROR_NO_SERVER,	  DBUS_ERROR_FILE_NOT_FOUND,
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (error_is(refusal, names[i]))
			return true;
	return !refusal->error;
}

char *refusal_words(const char *why)
{
	const struct reason *reason = client_reason(why);
	const char *colon = strchr(why, ':');
	const char *rest = colon ? colon + 1 + (colon[1] == ' ') : "";
	_cleanup_(freep) char *detail = told_shown(rest);

	if (!reason)
		return told_shown(why);
	/* The daemon's own words for the code say nothing more. */
	if (!*rest || !strcmp(rest, reason->text))
		return output_format("%s", i18n(reason->text));
	return output_format("%s (%s)", i18n(reason->text), detail);
}

/* What to do, where the sentence of the reason does not say it. "" for nothing. */
static const char *advice(const struct refusal *refusal)
{
	if (refusal_is_absence(refusal))
		return _("There is no such exception, or it is over: 'sekimorictl requests --all' lists them.");
	if (error_is(refusal, DBUS_ERROR_UNKNOWN_INTERFACE) || error_is(refusal, DBUS_ERROR_UNKNOWN_METHOD))
		return _("The keeper (sekimorid) is older than this tool: restart the terminal, or tell the help desk.");
	if (is_silence(refusal))
		return _("'sekimorictl status' tells whether the keeper runs. Without it nothing is let through; tell the help desk.");
	if (refusal->why && !strncmp(refusal->why, "exception-store", strlen("exception-store")))
		return _("No exception can be asked for or used until that is put right: tell the help desk. 'sekimorictl doctor' says what "
			 "is wrong.");
	return "";
}

static int tell_json(const struct refusal *refusal)
{
	_cleanup_(json_objectp) struct json_object *object = json_object_new_object();
	const struct reason *reason = refusal->why ? client_reason(refusal->why) : NULL;

	json_object_object_add(object, "ok", json_object_new_boolean(false));
	json_object_object_add(object, "reason", json_object_new_string(reason ? reason->code : ""));
	json_object_object_add(object, "error", json_object_new_string(refusal->why ? refusal->why : ""));
	output_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	return COMMAND_FAILED;
}

int refusal_tell(const struct context *context, const char *what, const struct refusal *refusal)
{
	_cleanup_(freep) char *words = refusal_words(refusal->why ? refusal->why : "");
	const char *more = advice(refusal);

	if (context->json)
		return tell_json(refusal);
	if (is_silence(refusal))
		fprintf(stderr, "sekimorictl: %s %s\n", label_text(LABEL_BUS_FAILED), words);
	else
		fprintf(stderr, "sekimorictl: %s %s\n", what, refusal_is_absence(refusal) ? more : words);
	if (*more && !refusal_is_absence(refusal))
		fprintf(stderr, "%s\n", more);
	return COMMAND_FAILED;
}
