// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bus/polkit.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE POLKIT_NAME ".Authority"

#define ALLOW_USER_INTERACTION 1u

struct polkit_question {
	struct bus_connection *connection;
	char id[sizeof("sekimori-") + 20]; /* by which polkit knows it */
	polkit_fn fn;			   /* NULL: dropped */
	void *userdata;
};

static void message_unref(DBusMessage **message)
{
	if (*message)
		dbus_message_unref(*message);
}

static DBusMessage *polkit_call(const char *method)
{
	return dbus_message_new_method_call(POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE, method);
}

/* ("system-bus-name", {"name": sender}) */
static dbus_bool_t append_subject(DBusMessageIter *args, const char *sender)
{
	const char *kind = "system-bus-name", *key = "name";
	DBusMessageIter subject, dict, entry, value;

	return dbus_message_iter_open_container(args, DBUS_TYPE_STRUCT, NULL, &subject) &&
	       dbus_message_iter_append_basic(&subject, DBUS_TYPE_STRING, &kind) &&
	       dbus_message_iter_open_container(&subject, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
	       dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) &&
	       dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key) &&
	       dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "s", &value) &&
	       dbus_message_iter_append_basic(&value, DBUS_TYPE_STRING, &sender) &&
	       dbus_message_iter_close_container(&entry, &value) &&
	       dbus_message_iter_close_container(&dict, &entry) &&
	       dbus_message_iter_close_container(&subject, &dict) &&
	       dbus_message_iter_close_container(args, &subject);
}

static dbus_bool_t append_question(DBusMessage *call, const char *sender, const char *action,
				   bool interactive, const char *id)
{
	dbus_uint32_t flags = interactive ? ALLOW_USER_INTERACTION : 0;
	DBusMessageIter args, details;

	dbus_message_iter_init_append(call, &args);
	return append_subject(&args, sender) &&
	       dbus_message_iter_append_basic(&args, DBUS_TYPE_STRING, &action) &&
	       dbus_message_iter_open_container(&args, DBUS_TYPE_ARRAY, "{ss}", &details) &&
	       dbus_message_iter_close_container(&args, &details) &&
	       dbus_message_iter_append_basic(&args, DBUS_TYPE_UINT32, &flags) &&
	       dbus_message_iter_append_basic(&args, DBUS_TYPE_STRING, &id);
}

/* (is_authorized, is_challenge, details) */
static enum polkit_verdict verdict_read(DBusMessage *reply)
{
	dbus_bool_t authorised, challenge;
	DBusMessageIter args, result;

	if (!reply || dbus_message_get_type(reply) != DBUS_MESSAGE_TYPE_METHOD_RETURN ||
	    !dbus_message_has_signature(reply, "(bba{ss})"))
		return POLKIT_SILENT;
	dbus_message_iter_init(reply, &args);
	dbus_message_iter_recurse(&args, &result);
	dbus_message_iter_get_basic(&result, &authorised);
	dbus_message_iter_next(&result);
	dbus_message_iter_get_basic(&result, &challenge);
	return authorised ? POLKIT_YES : challenge ? POLKIT_CHALLENGE : POLKIT_NO;
}

/* Without an answer: a question that has just been answered is no error of anybody's. */
static void polkit_cancel(const struct polkit_question *question)
{
	_cleanup_(message_unref) DBusMessage *call = polkit_call("CancelCheckAuthorization");
	const char *id = question->id;

	if (!call ||
	    !dbus_message_append_args(call, DBUS_TYPE_STRING, &id, DBUS_TYPE_INVALID))
		return;
	dbus_message_set_no_reply(call, TRUE);
	dbus_message_set_auto_start(call, FALSE);
	bus_connection_send(question->connection, call);
}

static void polkit_answered(void *userdata, DBusMessage *reply)
{
	struct polkit_question *question = userdata;
	polkit_fn fn = question->fn;
	void *whose = question->userdata;

	/* Our own time limit: its dialogue would stay on the screen. */
	if (fn && reply && dbus_message_is_error(reply, DBUS_ERROR_NO_REPLY))
		polkit_cancel(question);
	free(question);
	if (fn)
		fn(whose, verdict_read(reply));
}

int polkit_ask(struct polkit_question **questionp, struct bus_connection *connection,
	       const char *sender, const char *action, bool interactive, int timeout_ms,
	       polkit_fn fn, void *userdata)
{
	static uint64_t last_id;
	_cleanup_(message_unref) DBusMessage *call = polkit_call("CheckAuthorization");
	_cleanup_(freep) struct polkit_question *question = calloc(1, sizeof(*question));
	int r;

	if (!call || !question)
		return -ENOMEM;
	*question = (struct polkit_question){
		.connection = connection,
		.fn = fn,
		.userdata = userdata,
	};
	snprintf(question->id, sizeof(question->id), "sekimori-%" PRIu64, ++last_id);
	if (!append_question(call, sender, action, interactive, question->id))
		return -ENOMEM;
	r = bus_connection_ask_within(connection, call, timeout_ms, polkit_answered, question);
	if (r < 0)
		return r;
	*questionp = TAKE_PTR(question);
	return 0;
}

void polkit_drop(struct polkit_question *question)
{
	question->fn = NULL;
	polkit_cancel(question);
}
