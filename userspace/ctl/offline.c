// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/offline.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/names.h"
#include "cli/i18n.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "core/phonecode.h"
#include "ctl/client.h"
#include "ctl/exception-text.h"
#include "ctl/exceptions-client.h"
#include "ctl/question.h"

struct strings {
	const char *const *values;
	size_t n;
};

static bool append_strings(DBusMessageIter *args, const void *userdata)
{
	const struct strings *strings = userdata;

	for (size_t i = 0; i < strings->n; i++)
		if (!dbus_message_iter_append_basic(args, DBUS_TYPE_STRING, &strings->values[i]))
			return false;
	return true;
}

bool offline_take(DBusConnection *dbus, const char *name, const char *const *values, size_t n, uint32_t *number,
		  struct refusal *refusal)
{
	const struct strings strings = { .values = values, .n = n };
	const struct client_method method = {
		.interface = BUS_INTERFACE_EXCEPTIONS,
		.method = name,
		.append = append_strings,
		.userdata = &strings,
		.signature = "uo",
		.timeout_ms = CLIENT_RELOAD_TIMEOUT_MS,
		.changes = true,
	};
	_cleanup_(json_objectp) struct json_object *answer = NULL;

	refusal_deinit(refusal);
	answer = client_method_call(dbus, &method, &refusal->why, &refusal->error);
	*number = answer ? (uint32_t)json_object_get_int64(json_object_array_get_idx(answer, 0)) : 0;
	return answer;
}

static void tell_json(uint32_t number, struct json_object *both)
{
	_cleanup_(json_objectp) struct json_object *object = json_object_new_object();

	json_object_object_add(object, "ok", json_object_new_boolean(true));
	json_object_object_add(object, "number", json_object_new_int64(number));
	json_object_object_add(object, "exception", json_object_get(json_object_object_get(both, "exception")));
	output_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

int offline_tell(DBusConnection *dbus, const struct context *context, uint32_t number)
{
	_cleanup_(refusal_deinit) struct refusal ignored = { .why = NULL };
	_cleanup_(json_objectp) struct json_object *both = exceptions_get(dbus, number, true, &ignored);
	struct json_object *exception = json_object_object_get(both, "exception");
	_cleanup_(freep) char *end = moment_text(exception_number(exception, "end"));
	_cleanup_(freep) char *access = exception_access_words(!strcmp(output_raw(exception, "access"), "rw"),
							       exception_flag(exception, "encrypted-only"));

	if (context->json) {
		tell_json(number, both);
		return COMMAND_OK;
	}
	/* Somebody else's, brought by whoever sits here: its number is all that he may know. */
	if (!exception)
		printf(_("Exception %u was taken in.\n"), number);
	else
		printf(_("Exception %u is granted until %s: %s.\n"), number, end, access);
	printf("%s\n", _("Unplug the device and plug it in again if it does not appear by itself."));
	return COMMAND_OK;
}

/* --- codes ------------------------------------------------------------------------------------- */

static bool reason_is(const struct refusal *refusal, const char *code)
{
	const struct reason *reason = refusal->why ? client_reason(refusal->why) : NULL;

	return reason && !strcmp(reason->code, code);
}

/* May it be typed in once more? */
static bool can_go_on(const struct refusal *refusal)
{
	return reason_is(refusal, "phone-misheard") || reason_is(refusal, "phone-wrong") ||
	       reason_is(refusal, "phone-wait");
}

/* So long the daemon looks at no code after the n-th wrong one (docs/telephone-code.md). */
static void wait_after(unsigned int wrong)
{
	unsigned int seconds = 1u << (wrong - 1);

	fprintf(stderr, ngettext("  The next one can be typed in after %u second.\n",
				 "  The next one can be typed in after %u seconds.\n", seconds),
		seconds);
	sleep(seconds);
}

int offline_ask_code(DBusConnection *dbus, const struct context *context)
{
	char code[QUESTION_MAX];
	unsigned int wrong = 0;
	uint32_t number;

	while (question_after(_("The help desk's code"), _("The request still waits for its code: 'sekimorictl answer'."), code)) {
		_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
		_cleanup_(freep) char *words = NULL;
		const char *const values[] = { code };

		if (!*code)
			continue;
		if (offline_take(dbus, "AnswerPhone", values, 1, &number, &refusal))
			return offline_tell(dbus, context, number);
		if (!can_go_on(&refusal))
			return refusal_tell(context, _("the code was not taken:"), &refusal);
		words = refusal_words(refusal.why);
		fprintf(stderr, "  %s\n", words);
		if (reason_is(&refusal, "phone-wrong") && ++wrong < PHONECODE_WRONG_MAX)
			wait_after(wrong);
	}
	return COMMAND_FAILED;
}
