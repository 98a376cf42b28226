// SPDX-License-Identifier: GPL-2.0-or-later
#include "bus/dict.h"
#include "bus/record.h"
#include "daemon/exception-values.h"
#include "daemon/exceptions-bus-inside.h"
#include "daemon/request-bus.h"

/* --- properties: everybody may read them; of whom and what it is, and what he owes, Get and GetOwn tell -------------- */

#define REQUEST_GETTER(name, append, expression)                                                   \
	static dbus_bool_t request_get_##name(void *object, DBusMessageIter *value)                \
	{                                                                                          \
		const struct exception *e = exceptions_bus_exception(object);                      \
                                                                                                   \
		return append(value, expression);                                                  \
	}

REQUEST_GETTER(number, bus_append_u32, e->number)
REQUEST_GETTER(state, bus_append_string, exception_state_name(e->state))
REQUEST_GETTER(emergency, bus_append_bool, e->emergency)
REQUEST_GETTER(access, bus_append_string, exception_access_name(e->grant.access))
/* Before it is granted the end is only a wish. */
REQUEST_GETTER(end, bus_append_i64, e->approved ? exception_end(e) : 0)
REQUEST_GETTER(approvals, bus_append_u32, e->approvals.n)
REQUEST_GETTER(extend_until, bus_append_i64, e->extend_until)

/* --- steps ----------------------------------------------------------------------------------- */

static void request_step(struct exceptions_bus_entry *entry, struct bus_request *request,
			 struct exception_event *event, const struct exception_right *right)
{
	struct exceptions_bus *eb = entry->bus;
	struct exception_actor actor;
	struct exception after;
	int r;

	exceptions_bus_actor(eb, &actor, request, right);
	r = exceptions_step(eb->setup.exceptions, entry->number, event, &actor, &after);
	if (r)
		exceptions_bus_refuse(request, r, exceptions_error);
	else
		bus_request_answer(request, NULL, NULL);
}

/* Steps with one text, which says why or what. */
static void request_step_noted(void *object, struct bus_request *request,
			       enum exception_event_kind kind, const struct exception_right *right)
{
	struct exception_event event = { .kind = kind };
	DBusMessageIter in;

	dbus_message_iter_init(bus_request_call(request), &in);
	dbus_message_iter_get_basic(&in, &event.note);
	request_step(object, request, &event, right);
}

/*
 * The same, of what everybody does with his own, and the desk with other people's: whoever has left his desk cannot give a medium
 * back himself. By the method's action he is no more than the owner; for another's it takes `desk`, polkit's action for the desk, as well.
 */
static void request_step_for(void *object, struct bus_request *request, enum exception_event_kind kind,
			     const struct exception_right *right, const char *desk, bus_request_asked_fn asked)
{
	const struct exceptions_bus_entry *entry = object;
	struct exception_actor actor;

	exceptions_bus_actor(entry->bus, &actor, request, right);
	if (exception_check_login(&actor) || exception_is_own(exceptions_bus_exception(entry), &actor))
		request_step_noted(object, request, kind, right);
	else
		bus_request_ask(request, desk, asked);
}

static void request_step_until(void *object, struct bus_request *request,
			       enum exception_event_kind kind, const struct exception_right *right)
{
	struct exception_event event = { .kind = kind };
	DBusMessageIter in;
	const char *why;

	dbus_message_iter_init(bus_request_call(request), &in);
	why = bus_take_time(&event.until, sizeof(event.until), &in);
	if (why) {
		exceptions_bus_misread(request, "'until' ", why);
		return;
	}
	dbus_message_iter_next(&in);
	dbus_message_iter_get_basic(&in, &event.note);
	request_step(object, request, &event, right);
}

#define REQUEST_METHOD(name, step, kind, ...)                                                      \
	static void request_start_##name(void *object, struct bus_request *request)                \
	{                                                                                          \
		static const struct exception_right right = { __VA_ARGS__ };                       \
                                                                                                   \
		step(object, request, kind, &right);                                               \
	}

#define REQUEST_METHOD_FOR(name, kind, desk, also)                                                 \
	static void request_##name##_asked(void *object, struct bus_request *request, bool may)    \
	{                                                                                          \
		static const struct exception_right of_desk = { .roles = EXCEPTION_ROLE_ASK |      \
									 EXCEPTION_ROLE_DESK,      \
								.named = also };                   \
		static const struct exception_right own = { .roles = EXCEPTION_ROLE_ASK,           \
							    .named = also };                       \
                                                                                                   \
		request_step_noted(object, request, kind, may ? &of_desk : &own);                  \
	}                                                                                          \
	static void request_start_##name(void *object, struct bus_request *request)                \
	{                                                                                          \
		static const struct exception_right own = { .roles = EXCEPTION_ROLE_ASK,           \
							    .named = also };                       \
                                                                                                   \
		request_step_for(object, request, kind, &own, desk, request_##name##_asked);       \
	}

/* What polkit's action lends, and what the policy's list gives besides. */
REQUEST_METHOD(approve, request_step_until, EXCEPTION_APPROVE, .roles = EXCEPTION_ROLE_APPROVE)
REQUEST_METHOD(deny, request_step_until, EXCEPTION_DENY, .roles = EXCEPTION_ROLE_APPROVE)
REQUEST_METHOD(withdraw, request_step_noted, EXCEPTION_WITHDRAW, .roles = EXCEPTION_ROLE_ASK)
REQUEST_METHOD(revoke, request_step_noted, EXCEPTION_REVOKE, .roles = EXCEPTION_ROLE_DESK,
	       .named = EXCEPTION_ROLE_APPROVE)
REQUEST_METHOD(extend, request_step_until, EXCEPTION_EXTEND, .roles = EXCEPTION_ROLE_ASK)
REQUEST_METHOD_FOR(return, EXCEPTION_RETURN, "org.sekimori.revoke-exception", 0)
REQUEST_METHOD(confirm_erased, request_step_noted, EXCEPTION_CONFIRM_ERASED,
	       .roles = EXCEPTION_ROLE_DESK)
REQUEST_METHOD_FOR(report, EXCEPTION_REPORT, "org.sekimori.confirm-erasure", EXCEPTION_ROLE_EMERGENCY)
REQUEST_METHOD(close, request_step_noted, EXCEPTION_CLOSE, .roles = EXCEPTION_ROLE_DESK)

/* --- the table ------------------------------------------------------------------------------- */

static const struct bus_property request_properties[] = {
	{ "Number", "u", request_get_number, BUS_EMITS_CONST },
	{ "State", "s", request_get_state, BUS_EMITS_TRUE },
	{ "Emergency", "b", request_get_emergency, BUS_EMITS_CONST },
	{ "Access", "s", request_get_access, BUS_EMITS_CONST },
	{ "End", "x", request_get_end, BUS_EMITS_TRUE },
	{ "Approvals", "u", request_get_approvals, BUS_EMITS_TRUE },
	{ "ExtendUntil", "x", request_get_extend_until, BUS_EMITS_TRUE },
	{ .name = NULL },
};

#define UNTIL_AND_NOTE { { "x", "until" }, { "s", "note" } }
#define NOTE { { "s", "note" } }

static const struct bus_method request_methods[] = {
	{ .name = "Approve",
	  .in = UNTIL_AND_NOTE,
	  .action = "org.sekimori.approve-exception",
	  .start = request_start_approve },
	{ .name = "Deny",
	  .in = UNTIL_AND_NOTE,
	  .action = "org.sekimori.approve-exception",
	  .start = request_start_deny },
	{ .name = "Withdraw",
	  .in = NOTE,
	  .action = "org.sekimori.request-exception",
	  .start = request_start_withdraw },
	{ .name = "Revoke",
	  .in = NOTE,
	  .action = "org.sekimori.revoke-exception",
	  .start = request_start_revoke },
	{ .name = "Extend",
	  .in = UNTIL_AND_NOTE,
	  .action = "org.sekimori.request-exception",
	  .start = request_start_extend },
	{ .name = "Return",
	  .in = NOTE,
	  .action = "org.sekimori.request-exception",
	  .start = request_start_return },
	{ .name = "ConfirmErased",
	  .in = NOTE,
	  .action = "org.sekimori.confirm-erasure",
	  .start = request_start_confirm_erased },
	{ .name = "Report",
	  .in = { { "s", "report" } },
	  .action = "org.sekimori.request-exception",
	  .start = request_start_report },
	{ .name = "Close",
	  .in = NOTE,
	  .action = "org.sekimori.confirm-erasure",
	  .start = request_start_close },
	{ .name = NULL },
};

const struct bus_interface request_bus_interface = {
	.name = BUS_INTERFACE_REQUEST,
	.properties = request_properties,
	.methods = request_methods,
};
