// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "bus/registry.h"
#include "bus/request.h"

struct bus_request {
	struct bus_request *next;
	struct bus_registry *registry; /* NULL when that has gone */
	uint64_t generation;	       /* of the connection that the call came by */
	DBusMessage *call;
	uid_t caller;
};

DBusMessage *bus_request_call(const struct bus_request *request)
{
	return request->call;
}

uid_t bus_request_caller(const struct bus_request *request)
{
	return request->caller;
}

static void request_free(struct bus_request *request)
{
	struct bus_registry *r = request->registry;

	if (r) {
		struct bus_request **at = &r->requests;

		while (*at != request)
			at = &(*at)->next;
		*at = request->next;
		r->n_requests--;
	}
	dbus_message_unref(request->call);
	free(request);
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
	request_send(request, reply);
}

void bus_request_fail(struct bus_request *request, const char *name, const char *message)
{
	request_send(request, dbus_message_new_error(request->call, name, message));
}

static void request_identified(void *userdata, DBusMessage *reply)
{
	struct bus_request *request = userdata;
	dbus_uint32_t uid;

	if (!reply || !request->registry ||
	    !dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &uid, DBUS_TYPE_INVALID)) {
		bus_request_fail(request, DBUS_ERROR_ACCESS_DENIED,
				 "The bus does not tell who calls");
		return;
	}
	request->caller = uid;
	bus_dispatch_start(request->registry, request);
}

int bus_request_begin(struct bus_registry *r, DBusMessage *call)
{
	const char *sender = dbus_message_get_sender(call);
	struct bus_request *request;
	DBusMessage *question;
	int ret = -ENOMEM;

	if (!sender)
		return -ENOTCONN;
	if (r->n_requests == BUS_REQUESTS_MAX)
		return -EUSERS;
	request = calloc(1, sizeof(*request));
	question = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
						DBUS_INTERFACE_DBUS, "GetConnectionUnixUser");
	if (request && question &&
	    dbus_message_append_args(question, DBUS_TYPE_STRING, &sender, DBUS_TYPE_INVALID)) {
		*request = (struct bus_request){
			.next = r->requests,
			.registry = r,
			.generation = bus_connection_generation(r->connection),
			.call = dbus_message_ref(call),
			.caller = (uid_t)-1,
		};
		r->requests = request;
		r->n_requests++;
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
	r->n_requests = 0;
}
