// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/status-exceptions.h"

#include <stdlib.h>
#include <string.h>

#include "bus/names.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "core/macro.h"
#include "ctl/client.h"
#include "ctl/exception-text.h"
#include "ctl/exceptions-client.h"

#define FINGERPRINT_SHOWN 5

struct json_object *status_exceptions_ask(DBusConnection *dbus)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	struct json_object *exceptions = exceptions_properties(dbus, &refusal);
	_cleanup_(freep) char *why = NULL;
	struct json_object *grants = exceptions ? client_grants(dbus, &why) : NULL;

	for (size_t i = 0; grants && i < json_object_array_length(grants); i++) {
		struct json_object *grant = json_object_array_get_idx(grants, i);
		const char *number = output_raw(grant, "Path") + strlen(BUS_GRANT_PATH_PREFIX);

		json_object_object_add(grant, "Number", json_object_new_int64(strtoll(number, NULL, 10)));
	}
	if (grants)
		json_object_object_add(exceptions, "Grants", grants);
	return exceptions;
}

char *status_exceptions_words(struct json_object *exceptions)
{
	const char *state = output_raw(exceptions, "State");
	long long overdue = (long long)exception_number(exceptions, "Overdue");
	long long unreported = (long long)exception_number(exceptions, "Unreported");
	_cleanup_(freep) char *waiting =
		output_format(_("%lld waiting for approval"), (long long)exception_number(exceptions, "Waiting"));
	_cleanup_(freep) char *live =
		output_format(_(", %lld approved or in force"), (long long)exception_number(exceptions, "Live"));
	/* Trouble is only told where there is some. */
	_cleanup_(freep) char *late = overdue ? output_format(_(", %lld OVERDUE"), overdue) : NULL;
	_cleanup_(freep) char *missing =
		unreported ? output_format(_(", %lld EMERGENCIES WITHOUT A REPORT"), unreported) : NULL;

	if (strcmp(state, "ok"))
		return told_shown(state);
	return output_format("%s%s%s%s", waiting, live, late ? late : "", missing ? missing : "");
}

char *status_exceptions_grant(struct json_object *grant)
{
	const char *fingerprint = output_raw(grant, "Device"), *digits = strchr(fingerprint, ':');
	_cleanup_(freep) char *medium = output_member(grant, "Medium");
	_cleanup_(freep) char *device = *medium ? output_format("%s", medium) : output_escape(digits ? digits + 1 : fingerprint);
	_cleanup_(freep) char *person = output_member(grant, "Person");
	_cleanup_(freep) char *left = exception_left_words(exception_number(grant, "SecondsLeft"));
	_cleanup_(freep) char *access = exception_access_words(!strcmp(output_raw(grant, "Access"), "rw"),
							       exception_flag(grant, "EncryptedOnly"));
	const char *emergency = exception_flag(grant, "Emergency") ? _("  EMERGENCY") : "";

	/* As much of a fingerprint as tells devices apart by eye, and as `requests` shows. */
	if (!*medium && strlen(device) > FINGERPRINT_SHOWN)
		device[FINGERPRINT_SHOWN] = '\0';
	if (!exception_flag(grant, "Live"))
		return output_format(_("%lld  %s  %s  %s  not begun"), (long long)exception_number(grant, "Number"), device,
				     person, access);
	return output_format(_("%lld  %s  %s  %s  %s left%s"), (long long)exception_number(grant, "Number"), device, person,
			     access, left, emergency);
}
