// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/status-exceptions.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/names.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "core/macro.h"
#include "ctl/client.h"
#include "ctl/exception-text.h"
#include "ctl/exceptions-client.h"

#define FINGERPRINT_SHOWN 5

/* Whose it is and what for stands in no property: root is shown everybody's, others their own. */
static void describe_grants(DBusConnection *dbus, struct json_object *grants)
{
	static const char *const states[] = { "approved", "live", NULL };
	static const char *const members[][2] = { { "Person", "person" }, { "Device", "fingerprint" }, { "Medium", "medium" } };
	const struct exceptions_filter filter = { .states = states };
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	struct json_object *known = exceptions_list(dbus, &filter, geteuid() != 0, &refusal);

	for (size_t i = 0; i < json_object_array_length(grants); i++) {
		struct json_object *grant = json_object_array_get_idx(grants, i);

		for (size_t k = 0; known && k < json_object_array_length(known); k++) {
			struct json_object *exception = json_object_array_get_idx(known, k);

			if (exception_number(exception, "number") != exception_number(grant, "Number"))
				continue;
			for (size_t m = 0; m < ARRAY_SIZE(members); m++)
				json_object_object_add(grant, members[m][0],
						       json_object_new_string(output_raw(exception, members[m][1])));
		}
	}
	json_object_put(known);
}

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
	if (grants) {
		describe_grants(dbus, grants);
		json_object_object_add(exceptions, "Grants", grants);
	}
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
	bool known = json_object_object_get_ex(grant, "Person", NULL);
	_cleanup_(freep) char *person = known ? output_member(grant, "Person") : output_format("%s", _("somebody else"));
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
