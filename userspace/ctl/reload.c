// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl reload`: has the keeper put its policy file in force. */
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/told.h"
#include "ctl/client.h"
#include "ctl/output.h"

/* Whatever else the state is, nothing is allowed by the policy, or the old one is in force. */
static bool is_ok(const char *state)
{
	return state && !strcmp(state, "ok");
}

static void print_json(const char *state, const char *why)
{
	_cleanup_(json_objectp) struct json_object *all = json_object_new_object();

	json_object_object_add(all, "ok", json_object_new_boolean(is_ok(state)));
	if (state)
		json_object_object_add(all, "state", json_object_new_string(state));
	else
		json_object_object_add(all, "error", json_object_new_string(why ? why : ""));
	output_json(all, JSON_C_TO_STRING_PLAIN);
}

/* The daemon's message may have several lines. */
static void print_lines(FILE *out, const char *text)
{
	_cleanup_(freep) char *copy = strdup(text);
	char *rest = copy;

	for (char *line = copy ? strsep(&rest, "\n") : NULL; line; line = strsep(&rest, "\n")) {
		_cleanup_(freep) char *shown = told_shown(line);

		if (*line)
			fprintf(out, "  %s\n", shown);
	}
}

int reload_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(freep) char *why = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = client_connect(&why);
	_cleanup_(json_objectp) struct json_object *answer = NULL;
	const char *state = NULL;

	if (dbus) {
		answer = client_reload(dbus, &why);
		state = answer ? json_object_get_string(answer) : NULL;
	}
	if (context->json) {
		print_json(state, why);
	} else if (state) {
		_cleanup_(freep) char *shown = output_escape(state);

		printf("%s %s\n", label_text(LABEL_RELOADED),
		       is_ok(state) ? label_text(LABEL_OK) : shown);
	} else {
		const struct reason *reason = why ? client_reason(why) : NULL;

		fprintf(stderr, "sekimorictl: %s\n",
			label_text(dbus ? LABEL_RELOAD_FAILED : LABEL_BUS_FAILED));
		print_lines(stderr, reason ? i18n(reason_text(reason->code)) : why ? why : "");
	}
	return is_ok(state) ? COMMAND_OK : COMMAND_FAILED;
}
