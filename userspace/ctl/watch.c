// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimorictl watch`: a line for each event, until interrupted.
 *
 * On the system bus anybody may send us a signal directly, whatever we subscribed to. Only what
 * comes from the owner of the daemon's name is believed, and only the bus itself tells who that is.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "bus/names.h"
#include "cli/i18n.h"
#include "cli/told.h"
#include "core/exception.h"
#include "core/reason.h"
#include "ctl/client.h"
#include "ctl/exception-text.h"
#include "ctl/output.h"

#define MATCH_EVENTS "type='signal',sender='" BUS_NAME "',interface='" BUS_INTERFACE_MANAGER "'"
#define MATCH_EXCEPTIONS                                                                           \
	"type='signal',sender='" BUS_NAME "',interface='" BUS_INTERFACE_EXCEPTIONS "'"
#define MATCH_OWNER                                                                                \
	"type='signal',sender='" DBUS_SERVICE_DBUS "',interface='" DBUS_INTERFACE_DBUS             \
	"',member='NameOwnerChanged',arg0='" BUS_NAME "'"

/* Between tries to reach a bus that is not there. */
#define RETRY_S 1

#define WORD_WIDTH 12

struct watch {
	const struct context *context;
	unsigned long left; /* events until the end; 0: no end */
	bool done;
	char *owner; /* unique name of the daemon; NULL: not there */
	bool said_gone;
};

static struct json_object *time_json(void)
{
	char text[sizeof("2025-04-01T09:00:00+0900") + 16];
	time_t now = time(NULL);
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", localtime_r(&now, &tm));
	return json_object_new_string(text);
}

static void print_json_event(const char *event, const char *path, struct json_object *record)
{
	_cleanup_(json_objectp) struct json_object *line = json_object_new_object();

	json_object_object_add(line, "time", time_json());
	json_object_object_add(line, "event", json_object_new_string(event));
	if (path)
		json_object_object_add(line, "device", json_object_new_string(path));
	if (record)
		json_object_object_add(line, "record", json_object_get(record));
	output_json(line, JSON_C_TO_STRING_PLAIN);
}

static void print_time(void)
{
	char text[sizeof("09:00:00")];
	time_t now = time(NULL);
	struct tm tm;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&now, &tm));
	printf("%s  ", text);
}

/* " before text after", nothing when the text is empty. */
static void print_part(struct json_object *record, const char *key, const char *before,
		       const char *after)
{
	_cleanup_(freep) char *text = output_member(record, key);

	if (*text)
		printf("%s%s%s", before, text, after);
}

/* The same of what the keeper told. */
static void print_told(struct json_object *record, const char *key, const char *before,
		       const char *after)
{
	_cleanup_(freep) char *text = told_shown(output_raw(record, key));

	if (*text)
		printf("%s%s%s", before, text, after);
}

static void print_number(struct json_object *record, const char *key, const char *before)
{
	struct json_object *value;

	if (json_object_object_get_ex(record, key, &value) && json_object_get_uint64(value))
		printf("%s%" PRIu64, before, json_object_get_uint64(value));
}

static void print_line(const struct context *context, const char *event, struct json_object *record)
{
	const char *code = output_raw(record, "reason");

	print_time();
	output_word(context, event, WORD_WIDTH);
	if (!strcmp(event, "AttemptRefused")) {
		print_part(record, "interface", " ", "");
		print_part(record, "attempt", " ", "");
		print_part(record, "program", " <- ", "");
		printf("  %s\n", label_text(LABEL_ATTEMPT_REFUSED));
	} else if (!strncmp(event, "Policy", strlen("Policy"))) {
		print_part(record, "policy", " ", "");
		print_number(record, "policy_version", " ");
		print_told(record, "error", "  ", "");
		putchar('\n');
	} else {
		print_part(record, "device", " ", "");
		print_part(record, "id", " ", "");
		print_part(record, "product", " ", "");
		print_part(record, "medium", " [", "]");
		if (*code && strcmp(event, "DeviceRemoved")) {
			_cleanup_(freep) char *sentence = output_escape(i18n(reason_text(code)));

			printf("  %s", sentence);
			print_told(record, "detail", " (", ")");
		}
		putchar('\n');
	}
	fflush(stdout);
}

static void handle_event(struct watch *watch, DBusMessage *message)
{
	const char *event = dbus_message_get_member(message);
	_cleanup_(json_objectp) struct json_object *record = NULL;
	const char *path = NULL;
	DBusMessageIter args;

	if (!watch->owner || !dbus_message_has_sender(message, watch->owner))
		return;
	if (!dbus_message_has_signature(message, "oa{sv}") &&
	    !dbus_message_has_signature(message, "a{sv}"))
		return;
	dbus_message_iter_init(message, &args);
	if (dbus_message_iter_get_arg_type(&args) == DBUS_TYPE_OBJECT_PATH) {
		dbus_message_iter_get_basic(&args, &path);
		dbus_message_iter_next(&args);
	}
	record = client_decode(&args);
	if (watch->context->json)
		print_json_event(event, path, record);
	else
		print_line(watch->context, event, record);
	if (watch->left && !--watch->left)
		watch->done = true;
}

/* --- exceptions --- */

static struct json_object *event_json(const char *event, dbus_uint32_t number)
{
	struct json_object *line = json_object_new_object();

	json_object_object_add(line, "time", time_json());
	json_object_object_add(line, "event", json_object_new_string(event));
	json_object_object_add(line, "number", json_object_new_int64(number));
	return line;
}

/* "12  was given an approval: in force" */
static void print_step(const struct context *context, dbus_uint32_t number, const char *step, const char *state)
{
	const char *text = exception_event_text(exception_event_find(step));
	_cleanup_(freep) char *event = output_escape(text ? i18n(text) : step);
	_cleanup_(freep) char *words = exception_state_words(state);
	_cleanup_(json_objectp) struct json_object *line = NULL;

	if (context->json) {
		line = event_json("Stepped", number);
		json_object_object_add(line, "step", json_object_new_string(step));
		json_object_object_add(line, "state", json_object_new_string(state));
		output_json(line, JSON_C_TO_STRING_PLAIN);
		return;
	}
	print_time();
	output_word(context, "Stepped", WORD_WIDTH);
	printf(" %u  %s (%s)\n", number, event, words);
	fflush(stdout);
}

static void print_warning(const struct context *context, dbus_uint32_t number, dbus_uint32_t seconds)
{
	_cleanup_(freep) char *left = exception_left_words(seconds);
	_cleanup_(json_objectp) struct json_object *line = NULL;

	if (context->json) {
		line = event_json("Warned", number);
		json_object_object_add(line, "seconds", json_object_new_int64(seconds));
		output_json(line, JSON_C_TO_STRING_PLAIN);
		return;
	}
	print_time();
	output_word(context, "Warned", WORD_WIDTH);
	printf(_(" %u  ends in %s: save your work and close what is on it\n"), number, left);
	fflush(stdout);
}

static void handle_exception(struct watch *watch, DBusMessage *message)
{
	const char *step, *state;
	dbus_uint32_t number, seconds;

	if (!watch->owner || !dbus_message_has_sender(message, watch->owner))
		return;
	if (dbus_message_has_member(message, "Stepped") &&
	    dbus_message_get_args(message, NULL, DBUS_TYPE_UINT32, &number, DBUS_TYPE_STRING, &step,
				  DBUS_TYPE_STRING, &state, DBUS_TYPE_INVALID))
		print_step(watch->context, number, step, state);
	else if (dbus_message_has_member(message, "Warned") &&
		 dbus_message_get_args(message, NULL, DBUS_TYPE_UINT32, &number, DBUS_TYPE_UINT32, &seconds,
				       DBUS_TYPE_INVALID))
		print_warning(watch->context, number, seconds);
	else
		return;
	if (watch->left && !--watch->left)
		watch->done = true;
}

/* --- */

static void say(const struct watch *watch, const char *event, enum label label)
{
	if (watch->context->json) {
		print_json_event(event, NULL, NULL);
		return;
	}
	print_time();
	puts(label_text(label));
	fflush(stdout);
}

/* owner: unique name, NULL or "" when there is none. Says so when it matters. */
static void owner_set(struct watch *watch, const char *owner)
{
	bool here;

	if (!owner)
		owner = "";
	here = *owner;
	if (here && watch->owner && !strcmp(owner, watch->owner))
		return;
	if (watch->owner)
		say(watch, "DaemonGone", LABEL_DAEMON_GONE);
	else if (!here && !watch->said_gone)
		say(watch, "DaemonGone", LABEL_WAITING);
	if (here && (watch->owner || watch->said_gone))
		say(watch, "DaemonBack", LABEL_DAEMON_BACK);
	watch->said_gone = !here;
	free(watch->owner);
	watch->owner = here ? strdup(owner) : NULL;
}

static void handle_message(struct watch *watch, DBusMessage *message)
{
	const char *name, *old, *new;

	if (dbus_message_has_interface(message, BUS_INTERFACE_MANAGER) &&
	    dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_SIGNAL)
		handle_event(watch, message);
	else if (dbus_message_has_interface(message, BUS_INTERFACE_EXCEPTIONS) &&
		 dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_SIGNAL)
		handle_exception(watch, message);
	else if (dbus_message_is_signal(message, DBUS_INTERFACE_DBUS, "NameOwnerChanged") &&
		 dbus_message_has_sender(message, DBUS_SERVICE_DBUS) &&
		 dbus_message_get_args(message, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING,
				       &old, DBUS_TYPE_STRING, &new, DBUS_TYPE_INVALID) &&
		 !strcmp(name, BUS_NAME))
		owner_set(watch, new);
}

/* Who owns the daemon's name? Through the bus, before any signal of it is looked at. */
static void owner_ask(struct watch *watch, DBusConnection *dbus)
{
	DBusMessage *call = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
							 DBUS_INTERFACE_DBUS, "GetNameOwner");
	const char *name = BUS_NAME, *owner = NULL;
	DBusMessage *reply = NULL;

	if (call && dbus_message_append_args(call, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID))
		reply = dbus_connection_send_with_reply_and_block(dbus, call, CLIENT_TIMEOUT_MS,
								  NULL);
	if (reply)
		dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &owner, DBUS_TYPE_INVALID);
	owner_set(watch, owner);
	if (call)
		dbus_message_unref(call);
	if (reply)
		dbus_message_unref(reply);
}

/* Follows one connection until it ends. */
static void follow(struct watch *watch, DBusConnection *dbus)
{
	DBusError error = DBUS_ERROR_INIT;
	DBusMessage *message;

	dbus_bus_add_match(dbus, MATCH_EVENTS, &error);
	if (!dbus_error_is_set(&error))
		dbus_bus_add_match(dbus, MATCH_EXCEPTIONS, &error);
	if (!dbus_error_is_set(&error))
		dbus_bus_add_match(dbus, MATCH_OWNER, &error);
	if (dbus_error_is_set(&error)) {
		dbus_error_free(&error);
		return;
	}
	owner_ask(watch, dbus);
	do {
		while (!watch->done && (message = dbus_connection_pop_message(dbus))) {
			handle_message(watch, message);
			dbus_message_unref(message);
		}
	} while (!watch->done && dbus_connection_read_write(dbus, -1));
}

int watch_run(const struct context *context, const struct command_options *options)
{
	struct watch watch = {.context = context, .left = options->count};

	while (!watch.done) {
		_cleanup_(freep) char *why = NULL;
		_cleanup_(dbus_connectionp) DBusConnection *dbus = client_connect(&why);

		if (dbus)
			follow(&watch, dbus);
		if (watch.done)
			break;
		owner_set(&watch, NULL);
		sleep(RETRY_S);
	}
	free(watch.owner);
	return COMMAND_OK;
}
