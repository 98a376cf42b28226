// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/request-phone.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bus/names.h"
#include "cli/i18n.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "core/phonecode.h"
#include "ctl/client.h"
#include "ctl/exceptions-client.h"
#include "ctl/offline.h"
#include "ctl/question.h"
#include "ctl/wish-ask.h"

#define PERIOD_PROPOSED "2h"
/* As they are typed; their lengths are phonecode_periods. */
#define PERIODS "15m, 30m, 1h, 90m, 2h, 3h, 4h, 6h, 8h, 12h, 1d, 2d, 3d, 4d, 5d"

static int refuse(const struct context *context, const char *why)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = output_format("%s", why),
							     .error = output_format("%s", "") };

	return refusal_tell(context, _("the request by telephone was not made:"), &refusal);
}

/* --- the wish ---------------------------------------------------------------------------------- */

/* What a code cannot carry. */
static int check_options(const struct wish *wish, const struct command_options *options)
{
	if (wish->until || wish->begin)
		fputs(_("sekimorictl: by telephone an exception begins with the code: give --for, not --from or --until\n"), stderr);
	else if (wish->medium)
		fputs(_("sekimorictl: by telephone the device itself is needed: plug it in and name it instead of --medium\n"), stderr);
	else if (wish->seconds && !phonecode_period(wish->seconds))
		fprintf(stderr, _("sekimorictl: --for: by telephone one of %s\n"), PERIODS);
	else
		return COMMAND_OK;
	return COMMAND_USAGE;
}

static bool ask_period(struct wish *wish)
{
	_cleanup_(freep) char *question = output_format(_("How long (%s)"), PERIODS);

	while (!phonecode_period(wish->seconds)) {
		if (!wish_ask_field(wish, WISH_FOR, question, PERIOD_PROPOSED))
			return false;
		if (!phonecode_period(wish->seconds))
			fprintf(stderr, _("  By telephone only one of these: %s\n"), PERIODS);
	}
	return true;
}

static int ask(struct wish *wish, const struct command_options *options, struct json_object *devices)
{
	const struct wish_asking asking = { .devices = devices, .options = options };
	uint32_t seconds = wish->seconds;
	int r;

	/* Said already, as far as wish_ask() goes: which lengths there are is known here. */
	if (!wish->seconds)
		wish->seconds = phonecode_periods[1];
	r = wish_ask(wish, &asking);
	wish->seconds = seconds;
	return r == COMMAND_OK && !ask_period(wish) ? COMMAND_FAILED : r;
}

static int complete(struct wish *wish, const struct command_options *options, struct json_object *devices)
{
	if (!wish->purpose || !wish->seconds) {
		if (question_can() && !options->yes)
			return ask(wish, options, devices);
		fputs(!wish->purpose ? _("sekimorictl: a purpose is needed: give --purpose\n") :
				       _("sekimorictl: how long it is needed is not said: give --for\n"),
		      stderr);
		return COMMAND_USAGE;
	}
	return wish_take_device(wish, options, devices);
}

/* --- the call ---------------------------------------------------------------------------------- */

/* malloc'd; NULL: refused. */
static char *make_challenge(DBusConnection *dbus, const struct wish *wish, struct refusal *refusal)
{
	const struct client_method method = {
		.interface = BUS_INTERFACE_EXCEPTIONS,
		.method = "RequestByPhone",
		.append = wish_append,
		.userdata = wish,
		.signature = "s",
		.timeout_ms = CLIENT_RELOAD_TIMEOUT_MS,
		.changes = true,
	};
	_cleanup_(json_objectp) struct json_object *answer = NULL;

	refusal_deinit(refusal);
	answer = client_method_call(dbus, &method, &refusal->why, &refusal->error);
	return answer ? output_escape(json_object_get_string(json_object_array_get_idx(answer, 0))) : NULL;
}

static void tell_json(const char *challenge)
{
	_cleanup_(json_objectp) struct json_object *object = json_object_new_object();

	json_object_object_add(object, "ok", json_object_new_boolean(true));
	json_object_object_add(object, "challenge", json_object_new_string(challenge));
	json_object_object_add(object, "valid-seconds", json_object_new_int(PHONECODE_VALID_S));
	output_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

static void tell(DBusConnection *dbus, const char *challenge)
{
	_cleanup_(freep) char *why = NULL;
	_cleanup_(json_objectp) struct json_object *manager = client_manager(dbus, &why);
	_cleanup_(freep) char *contact = output_member(manager, "Contact");
	_cleanup_(freep) char *end = moment_text((int64_t)time(NULL) + PHONECODE_VALID_S);

	printf("%s\n\n    %s\n\n", _("Call the help desk and read this out, group by group:"), challenge);
	if (*contact)
		printf(_("Whom to call: %s\n"), contact);
	printf(_("The help desk answers with a code of five groups. It is good for an hour, until %s, for this request on this "
		 "terminal, once.\n"),
	       end);
	output_flush();
}

static int send(DBusConnection *dbus, const struct context *context, const struct wish *wish)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	_cleanup_(freep) char *challenge = make_challenge(dbus, wish, &refusal);

	if (!challenge)
		return refusal_tell(context, _("the request by telephone was not made:"), &refusal);
	if (context->json) {
		tell_json(challenge);
		return COMMAND_OK;
	}
	tell(dbus, challenge);
	if (question_can())
		return offline_ask_code(dbus, context);
	printf("%s\n", _("Type it in with 'sekimorictl answer CODE'."));
	return COMMAND_OK;
}

static bool is_confirmed(const struct wish *wish, struct json_object *devices)
{
	wish_print(wish, devices);
	if (question_yes(_("Ask for this by telephone?"), true))
		return true;
	fprintf(stderr, "%s\n", _("Nothing was sent."));
	return false;
}

int request_phone(const struct context *context, const struct command_options *options)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	_cleanup_(wish_deinit) struct wish wish = { .device = NULL };
	_cleanup_(json_objectp) struct json_object *properties = NULL, *devices = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = NULL;
	int r = wish_take_options(&wish, options);

	if (r == COMMAND_OK)
		r = check_options(&wish, options);
	if (r != COMMAND_OK)
		return r;
	dbus = exceptions_connect(&refusal);
	properties = dbus ? exceptions_properties(dbus, &refusal) : NULL;
	devices = properties ? client_devices(dbus, &refusal.why) : NULL;
	if (!devices)
		return refusal_tell(context, _("the request by telephone was not made:"), &refusal);
	/* Before a dozen questions. */
	if (!json_object_get_boolean(json_object_object_get(properties, "Phone")))
		return refuse(context, "phone-no-key");
	r = complete(&wish, options, devices);
	if (r != COMMAND_OK)
		return r;
	if (question_can() && !options->yes && !is_confirmed(&wish, devices))
		return COMMAND_FAILED;
	return send(dbus, context, &wish);
}
