// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl request` and `emergency`: asking for an exception, by options or by answers. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/exception.h"
#include "core/macro.h"
#include "ctl/client.h"
#include "ctl/exception-text.h"
#include "ctl/exceptions-client.h"
#include "ctl/question.h"
#include "ctl/request-phone.h"
#include "ctl/wish-ask.h"

/* How the two commands differ. */
struct kind {
	const char *method;
	const char *limit;    /* property that says how long it may last */
	const char *question; /* whether to send it */
	bool proposed;	      /* its answer, if there is none */
	const char *refused;
	bool emergency;
};

static const struct kind request_kind = {
	.method = "Request",
	.limit = "PeriodSeconds",
	.question = N_("Send this request?"),
	.proposed = true,
	.refused = N_("the request was not taken:"),
};

static const struct kind emergency_kind = {
	.method = "DeclareEmergency",
	.limit = "EmergencySeconds",
	.question = N_("Declare this emergency? It is in force at once, it is recorded, and you owe a report of it afterwards"),
	.refused = N_("the emergency was not declared:"),
	.emergency = true,
};

/* Without anybody to ask: what is missing is an error that names the option. */
static int check_complete(const struct wish *wish, const struct kind *kind)
{
	if (!wish->purpose)
		fputs(_("sekimorictl: a purpose is needed: give --purpose\n"), stderr);
	else if (!kind->emergency && !wish->seconds && !wish->until)
		fputs(_("sekimorictl: how long it is needed is not said: give --for or --until\n"), stderr);
	else
		return COMMAND_OK;
	return COMMAND_USAGE;
}

/* Is there something left to ask for that cannot be done without? */
static bool is_open(const struct wish *wish, const struct command_options *options, struct json_object *devices)
{
	_cleanup_(json_objectp) struct json_object *denied = wish_denied_devices(devices);
	bool device = options->n_arguments || options->device || wish->medium || json_object_array_length(denied) == 1;

	return !wish->purpose || (!wish->seconds && !wish->until) || !device;
}

static int complete(struct wish *wish, const struct kind *kind, const struct command_options *options,
		    struct json_object *properties, struct json_object *devices)
{
	bool ask = question_can() && !options->yes;
	const struct wish_asking asking = {
		.devices = devices,
		.options = options,
		.longest = (uint32_t)exception_number(properties, kind->limit),
		.emergency = kind->emergency,
	};
	int r;

	if (ask && is_open(wish, options, devices))
		return wish_ask(wish, &asking);
	r = check_complete(wish, kind);
	return r == COMMAND_OK ? wish_take_device(wish, options, devices) : r;
}

/* --- after it ---------------------------------------------------------------------------------- */

static void tell_json(uint32_t number, struct json_object *both)
{
	_cleanup_(json_objectp) struct json_object *object = json_object_new_object();

	json_object_object_add(object, "ok", json_object_new_boolean(true));
	json_object_object_add(object, "number", json_object_new_int64(number));
	json_object_object_add(object, "exception", json_object_get(json_object_object_get(both, "exception")));
	output_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

static void tell_emergency(uint32_t number, struct json_object *exception)
{
	_cleanup_(freep) char *left = exception_left_words(exception_number(exception, "seconds-left"));

	printf(_("Emergency %u is in force for %s. Unplug the device and plug it in again if it does not appear by itself.\n"), number,
	       left);
	printf(_("Its report is due: file it with 'sekimorictl exception report %u'.\n"), number);
}

static void tell_request(uint32_t number, struct json_object *exception, struct json_object *properties,
			 struct json_object *manager)
{
	int64_t needed = exception_number(exception, "approvals-needed");
	_cleanup_(freep) char *contact = output_member(manager, "Contact");

	if (!needed)
		needed = exception_number(properties, "Approvers");
	printf(_("Request %u was sent.\n"), number);
	printf(needed == 1 ? _("It is in force when another person has approved it: 'sekimorictl approve %u'.\n") :
			     _("It is in force when two other people have approved it: 'sekimorictl approve %u'.\n"),
	       number);
	if (*contact)
		printf(_("Whom to ask: %s\n"), contact);
	printf(_("How it stands: 'sekimorictl exception show %u'\n"), number);
}

static int send(DBusConnection *dbus, const struct context *context, const struct kind *kind, const struct wish *wish,
		struct json_object *properties)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL }, ignored = { .why = NULL };
	_cleanup_(json_objectp) struct json_object *both = NULL, *manager = NULL;
	_cleanup_(freep) char *why = NULL;
	struct json_object *exception;
	uint32_t number;

	if (!exceptions_submit(dbus, kind->method, wish, &number, &refusal))
		return refusal_tell(context, i18n(kind->refused), &refusal);
	both = exceptions_get(dbus, number, true, &ignored);
	manager = client_manager(dbus, &why);
	exception = json_object_object_get(both, "exception");
	if (context->json)
		tell_json(number, both);
	else if (kind->emergency)
		tell_emergency(number, exception);
	else
		tell_request(number, exception, properties, manager);
	return COMMAND_OK;
}

/* --- */

/* What the daemon says of itself, and whether anything can be asked for at all. */
static int look(DBusConnection *dbus, const struct context *context, const struct kind *kind,
		struct json_object **properties, struct json_object **devices)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	const char *state;

	*properties = exceptions_properties(dbus, &refusal);
	*devices = *properties ? client_devices(dbus, &refusal.why) : NULL;
	if (!*devices)
		return refusal_tell(context, i18n(kind->refused), &refusal);
	state = output_raw(*properties, "State");
	if (*state && strcmp(state, "ok")) {
		refusal.why = output_format("exception-store: %s", state);
		refusal.error = output_format("%s", "");
		return refusal_tell(context, i18n(kind->refused), &refusal);
	}
	return COMMAND_OK;
}

static int run(const struct context *context, const struct command_options *options, const struct kind *kind)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	_cleanup_(wish_deinit) struct wish wish = { .emergency = kind->emergency };
	_cleanup_(json_objectp) struct json_object *properties = NULL, *devices = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = NULL;
	bool confirm = question_can() && !options->yes;
	int r = wish_take_options(&wish, options);

	if (r != COMMAND_OK)
		return r;
	dbus = exceptions_connect(&refusal);
	if (!dbus)
		return refusal_tell(context, i18n(kind->refused), &refusal);
	r = look(dbus, context, kind, &properties, &devices);
	if (r == COMMAND_OK)
		r = complete(&wish, kind, options, properties, devices);
	if (r != COMMAND_OK)
		return r;
	if (kind->emergency && !wish.form)
		wish_set(&wish, WISH_FORM, EXCEPTION_FORM_EMERGENCY);
	if (confirm) {
		wish_print(&wish, devices);
		if (!question_yes(i18n(kind->question), kind->proposed)) {
			fprintf(stderr, "%s\n", _("Nothing was sent."));
			return COMMAND_FAILED;
		}
	}
	return send(dbus, context, kind, &wish, properties);
}

int request_run(const struct context *context, const struct command_options *options)
{
	return options->phone ? request_phone(context, options) : run(context, options, &request_kind);
}

int emergency_run(const struct context *context, const struct command_options *options)
{
	return run(context, options, &emergency_kind);
}
