// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bus/names.h"
#include "bus/polkit.h"
#include "bus/registry.h"
#include "bus/request.h"
#include "core/reason.h"

/* Code and sentence of core/reason.c; the longest is far below. */
#define REFUSAL_MAX 512

/* Longer than the unique name of any connection (":1." and a 64-bit number on both known buses). */
#define SENDER_RULE_MAX 256

struct bus_request {
	struct bus_request *next;
	struct bus_registry *registry; /* NULL when that has gone */
	uint64_t generation;	       /* of the connection that the call came by */
	uint64_t received_us;	       /* CLOCK_BOOTTIME */
	DBusMessage *call;
	const struct bus_interface *interface; /* that the method was found in; both static */
	const struct bus_method *method;
	struct bus_caller caller;
	bool followed;			  /* we hear when the caller leaves the bus */
	struct polkit_question *question; /* while polkit is asked */
	bus_request_asked_fn asked;	  /* what the answer is for, once it has been started */
};

DBusMessage *bus_request_call(const struct bus_request *request)
{
	return request->call;
}

const struct bus_caller *bus_request_caller(const struct bus_request *request)
{
	return &request->caller;
}

static const char *request_sender(const struct bus_request *request)
{
	return dbus_message_get_sender(request->call);
}

/*
 * News of the caller's connection, and of no other: idle, we are not woken by the comings and goings on the bus. Wanted
 * before the bus is asked who he is, for what it answers after he has gone is an error: so his leaving is never missed.
 */
static void request_follow(struct bus_request *request, bool wanted)
{
	char rule[SENDER_RULE_MAX];

	if (request->followed == wanted || !request->registry ||
	    snprintf(rule, sizeof(rule),
		     "type='signal',sender='" DBUS_SERVICE_DBUS "',interface='" DBUS_INTERFACE_DBUS
		     "',member='NameOwnerChanged',arg0='%s'",
		     request_sender(request)) >= (int)sizeof(rule))
		return;
	request->followed = wanted;
	/* Another connection knows no rule of this one's. */
	if (bus_connection_generation(request->registry->connection) == request->generation)
		bus_connection_match(request->registry->connection, rule, wanted);
}

static void request_free(struct bus_request *request)
{
	struct bus_registry *r = request->registry;

	request_follow(request, false);
	if (r) {
		struct bus_request **at = &r->requests;

		while (*at != request)
			at = &(*at)->next;
		*at = request->next;
	}
	dbus_message_unref(request->call);
	free(request);
}

static bool error_refuses(const char *error)
{
	return !strcmp(error, DBUS_ERROR_ACCESS_DENIED) ||
	       !strcmp(error, DBUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED) ||
	       !strcmp(error, BUS_ERROR_REFUSED);
}

/* Tells the registry's witness what became of a call that was to change something. error: NULL, it was done. */
static void request_witness(const struct bus_request *request, const char *error,
			    const char *message)
{
	struct bus_registry *r = request->registry;
	struct bus_deed deed = {
		.path = dbus_message_get_path(request->call),
		.interface = request->interface->name,
		.method = request->method->name,
		.action = request->method->action,
		.caller = &request->caller,
		.outcome = BUS_DONE,
		.error = error,
		.message = message,
	};

	if (!r || !r->witness || !deed.action)
		return;
	if (error)
		deed.outcome = error_refuses(error) ? BUS_REFUSED : BUS_FAILED;
	r->witness(r->witness_userdata, &deed);
}

/* Takes the reply over; NULL: there was no memory for one. */
static void request_send(struct bus_request *request, DBusMessage *reply)
{
	struct bus_registry *r = request->registry;

	if (reply && r && bus_connection_generation(r->connection) == request->generation &&
	    !dbus_message_get_no_reply(request->call))
		bus_connection_send(r->connection, reply);
	if (reply)
		dbus_message_unref(reply);
	request_free(request);
}

void bus_request_answer(struct bus_request *request, bus_append_fn append, void *userdata)
{
	DBusMessage *reply = dbus_message_new_method_return(request->call);
	DBusMessageIter out;

	if (reply && append) {
		dbus_message_iter_init_append(reply, &out);
		if (!append(userdata, &out)) {
			dbus_message_unref(reply);
			reply = dbus_message_new_error(request->call, DBUS_ERROR_NO_MEMORY,
						       "No memory");
		}
	}
	request_witness(request, NULL, NULL);
	request_send(request, reply);
}

void bus_request_fail(struct bus_request *request, const char *name, const char *message)
{
	request_witness(request, name, message);
	request_send(request, dbus_message_new_error(request->call, name, message));
}

/* The object may be another, or gone: its method is looked for again. */
static void request_start(struct bus_request *request)
{
	const struct bus_method *m = request->method;
	void *target = bus_dispatch_target(request->registry, request->call, m);
	DBusError error = DBUS_ERROR_INIT;
	DBusMessage *reply;
	DBusMessageIter out;

	/* What is begun is done, whether he waits for it or not. */
	request_follow(request, false);
	if (!target) {
		bus_request_fail(request, DBUS_ERROR_UNKNOWN_OBJECT, "The object has gone");
		return;
	}
	if (m->start) {
		m->start(target, request);
		return;
	}
	reply = dbus_message_new_method_return(request->call);
	if (reply) {
		dbus_message_iter_init_append(reply, &out);
		if (m->call(target, request->call, &out, &error)) {
			request_witness(request, NULL, NULL);
			request_send(request, reply);
			return;
		}
		dbus_message_unref(reply);
	}
	if (!dbus_error_is_set(&error))
		dbus_set_error_const(&error, DBUS_ERROR_NO_MEMORY, "No memory");
	bus_request_fail(request, error.name, error.message);
	dbus_error_free(&error);
}

static void request_refuse_as(struct bus_request *request, const char *name, const char *code)
{
	char message[REFUSAL_MAX];

	snprintf(message, sizeof(message), "%s: %s", code, reason_text(code));
	bus_request_fail(request, name, message);
}

void bus_request_refuse(struct bus_request *request, const char *code)
{
	request_refuse_as(request, DBUS_ERROR_ACCESS_DENIED, code);
}

/* --- may the caller do it? ------------------------------------------------------------------ */

static void request_authorised(void *userdata, enum polkit_verdict verdict)
{
	struct bus_request *request = userdata;

	request->question = NULL;
	if (!request->registry || verdict == POLKIT_SILENT)
		bus_request_refuse(request, "no-polkit");
	else if (verdict == POLKIT_YES)
		request_start(request);
	else if (verdict == POLKIT_CHALLENGE &&
		 !dbus_message_get_allow_interactive_authorization(request->call))
		request_refuse_as(request, DBUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
				  "not-authorised");
	else
		bus_request_refuse(request, "not-authorised");
}

static bool user_has_many(const struct bus_request *request)
{
	unsigned int asked = 0;

	for (const struct bus_request *r = request->registry->requests; r; r = r->next)
		asked += r->question && r->caller.uid == request->caller.uid;
	return asked >= BUS_REQUESTS_PER_USER;
}

static void request_authorise(struct bus_request *request)
{
	bool interactive = dbus_message_get_allow_interactive_authorization(request->call);
	struct bus_connection *connection = request->registry->connection;
	const struct bus_patience *patience = &request->registry->patience;

	if (!request->method->action || !request->caller.uid) {
		request_start(request);
		return;
	}
	if (user_has_many(request)) {
		bus_request_fail(request, DBUS_ERROR_LIMITS_EXCEEDED, BUS_TOO_MANY);
		return;
	}
	if (polkit_ask(&request->question, connection, request_sender(request),
		       request->method->action, interactive,
		       interactive ? patience->interactive_ms : patience->polkit_ms,
		       request_authorised, request) < 0)
		request_authorised(request, POLKIT_SILENT);
}

static void request_asked(void *userdata, enum polkit_verdict verdict)
{
	struct bus_request *request = userdata;
	void *target = NULL;

	request->question = NULL;
	if (request->registry)
		target = bus_dispatch_target(request->registry, request->call, request->method);
	if (target)
		request->asked(target, request, verdict == POLKIT_YES);
	else
		bus_request_fail(request, DBUS_ERROR_UNKNOWN_OBJECT, "The object has gone");
}

void bus_request_ask(struct bus_request *request, const char *action, bus_request_asked_fn fn)
{
	struct bus_registry *r = request->registry;

	request->asked = fn;
	if (!request->caller.uid)
		request_asked(request, POLKIT_YES);
	else if (!r || polkit_ask(&request->question, r->connection, request_sender(request),
				  action, false, r->patience.polkit_ms, request_asked, request) < 0)
		request_asked(request, POLKIT_SILENT);
}

static void request_identified(void *userdata, DBusMessage *reply)
{
	struct bus_request *request = userdata;
	const char *refusal;
	void *target;

	if (!reply || !request->registry ||
	    !bus_caller_read(&request->caller, reply, request->received_us)) {
		bus_request_refuse(request, "caller-unknown");
		return;
	}
	target = bus_dispatch_target(request->registry, request->call, request->method);
	refusal = target && request->method->refuses ?
			  request->method->refuses(target, &request->caller) :
			  NULL;
	if (refusal)
		bus_request_refuse(request, refusal);
	else if (target)
		request_authorise(request);
	else
		bus_request_fail(request, DBUS_ERROR_UNKNOWN_OBJECT, "The object has gone");
}

void bus_requests_heard(void *userdata, DBusMessage *signal)
{
	struct bus_registry *r = userdata;
	const char *name, *before, *after;
	struct bus_request *next;

	if (!signal || !dbus_message_is_signal(signal, DBUS_INTERFACE_DBUS, "NameOwnerChanged") ||
	    !dbus_message_has_sender(signal, DBUS_SERVICE_DBUS) ||
	    !dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &before,
				   DBUS_TYPE_STRING, &after, DBUS_TYPE_INVALID) ||
	    *after)
		return;
	for (struct bus_request *request = r->requests; request; request = next) {
		next = request->next;
		/* One that has been started goes on. */
		if (!request->question || request->asked || strcmp(request_sender(request), name))
			continue;
		polkit_drop(request->question);
		bus_request_refuse(request, "caller-gone");
	}
}

/* --- the beginning and the end --------------------------------------------------------------- */

/* Has he, or have all together, too much waiting? */
static bool requests_are_many(const struct bus_registry *r, DBusMessage *call, const char *sender)
{
	unsigned int all = 0, of_sender = 0, with_fds = 0;
	bool has_fds = dbus_message_contains_unix_fds(call);

	for (const struct bus_request *request = r->requests; request; request = request->next) {
		all++;
		of_sender += !strcmp(request_sender(request), sender);
		with_fds += dbus_message_contains_unix_fds(request->call);
	}
	return all >= BUS_REQUESTS_MAX || of_sender >= BUS_REQUESTS_PER_CLIENT ||
	       (has_fds && with_fds >= BUS_REQUESTS_WITH_FDS);
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
}

int bus_request_begin(struct bus_registry *r, DBusMessage *call,
		      const struct bus_interface *interface, const struct bus_method *method)
{
	const char *sender = dbus_message_get_sender(call);
	struct bus_request *request;
	DBusMessage *question;
	int ret = -ENOMEM;

	if (!sender)
		return -ENOTCONN;
	if (requests_are_many(r, call, sender))
		return -EUSERS;
	request = calloc(1, sizeof(*request));
	question = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
						DBUS_INTERFACE_DBUS, "GetConnectionCredentials");
	if (request && question &&
	    dbus_message_append_args(question, DBUS_TYPE_STRING, &sender, DBUS_TYPE_INVALID)) {
		*request = (struct bus_request){
			.next = r->requests,
			.registry = r,
			.generation = bus_connection_generation(r->connection),
			.received_us = now_us(),
			.call = dbus_message_ref(call),
			.interface = interface,
			.method = method,
			.caller = { .uid = (uid_t)-1, .login = (uid_t)-1 },
		};
		r->requests = request;
		request_follow(request, method->action != NULL);
		ret = bus_connection_ask(r->connection, question, request_identified, request);
		if (ret)
			request_free(request);
		request = NULL;
	}
	free(request);
	if (question)
		dbus_message_unref(question);
	return ret;
}

void bus_requests_leave(struct bus_registry *r)
{
	for (struct bus_request *request = r->requests; request; request = request->next)
		request->registry = NULL;
	r->requests = NULL;
}
