// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/dict.h"
#include "bus/record.h"
#include "core/reason.h"
#include "core/utf8.h"
#include "daemon/exceptions-bus-inside.h"
#include "daemon/manager-bus.h"
#include "daemon/phone.h"

/* Code and sentence; the engine's own may quote SQLite. */
#define REFUSAL_MAX 1024

/* What is said while there is no engine, of core/reason.h. */
#define NO_ENGINE "exception-store"

/* --- what goes wrong ------------------------------------------------------------------------- */

void exceptions_bus_refuse(struct bus_request *request, int r, exceptions_bus_error_fn error)
{
	char said[REFUSAL_MAX], message[REFUSAL_MAX];
	const char *detail = "", *code;

	if (r == EXCEPTIONSTORE_E_ABSENT) {
		exceptions_bus_not_found(request);
		return;
	}
	code = error(r, &detail);
	snprintf(said, sizeof(said), "%s: %s", code, detail[0] ? detail : reason_text(code));
	/* A file's name in it may be anything, and may have been cut. */
	utf8_copy(message, sizeof(message), said, strlen(said));
	bus_request_fail(request, BUS_ERROR_REFUSED, message);
}

void exceptions_bus_not_found(struct bus_request *request)
{
	bus_request_fail(request, BUS_ERROR_NOT_FOUND, "There is no such exception");
}

void exceptions_bus_misread(struct bus_request *request, const char *argument, const char *why)
{
	char message[BUS_DICT_WHY_MAX + 32];

	snprintf(message, sizeof(message), "%s%s", argument, why);
	bus_request_fail(request, DBUS_ERROR_INVALID_ARGS, message);
}

const struct exception_rules *exceptions_bus_rules(const struct exceptions_bus *eb)
{
	return eb->setup.rules ? eb->setup.rules(eb->setup.userdata) : NULL;
}

void exceptions_bus_actor(const struct exceptions_bus *eb, struct exception_actor *actor,
			  const struct bus_request *request, const struct exception_right *right)
{
	exception_actor_read(actor, bus_request_caller(request), right, exceptions_bus_rules(eb));
}

static const char *no_engine(int r, const char **detail)
{
	return NO_ENGINE;
}

bool exceptions_bus_has_engine(const struct exceptions_bus *eb, struct bus_request *request)
{
	if (!eb->setup.exceptions)
		exceptions_bus_refuse(request, -ENOENT, no_engine);
	return eb->setup.exceptions;
}

/* --- properties ------------------------------------------------------------------------------ */

static struct exceptions_counts bus_counts(const struct exceptions_bus *eb)
{
	if (eb->announcing || !eb->setup.exceptions)
		return eb->counts;
	return exceptions_counts(eb->setup.exceptions);
}

static const char *bus_state(const struct exceptions_bus *eb)
{
	return eb->setup.exceptions ? exceptions_state(eb->setup.exceptions) :
				      reason_text(NO_ENGINE);
}

unsigned int exceptions_bus_approvers(const struct exceptions_bus *eb)
{
	const struct exception_rules *rules = exceptions_bus_rules(eb);

	return rules ? rules->approvers : 0;
}

static uint32_t bus_period(const struct exceptions_bus *eb)
{
	const struct exception_rules *rules = exceptions_bus_rules(eb);

	return rules ? rules->period_seconds : 0;
}

static uint32_t bus_emergency(const struct exceptions_bus *eb)
{
	const struct exception_rules *rules = exceptions_bus_rules(eb);

	return rules ? rules->emergency_seconds : 0;
}

static int64_t bus_ahead(const struct exceptions_bus *eb)
{
	return eb->setup.exceptions ? exceptions_clock_ahead(eb->setup.exceptions) : 0;
}

#define EXCEPTIONS_GETTER(name, append, expression)                                                \
	static dbus_bool_t exceptions_get_##name(void *object, DBusMessageIter *value)             \
	{                                                                                          \
		const struct exceptions_bus *eb = manager_bus_exceptions(object);                  \
                                                                                                   \
		return append(value, expression);                                                  \
	}

EXCEPTIONS_GETTER(state, bus_append_string, bus_state(eb))
EXCEPTIONS_GETTER(waiting, bus_append_u32, bus_counts(eb).waiting)
EXCEPTIONS_GETTER(live, bus_append_u32, bus_counts(eb).live)
EXCEPTIONS_GETTER(overdue, bus_append_u32, bus_counts(eb).overdue)
EXCEPTIONS_GETTER(unreported, bus_append_u32, bus_counts(eb).unreported)
EXCEPTIONS_GETTER(approvers, bus_append_u32, exceptions_bus_approvers(eb))
EXCEPTIONS_GETTER(period, bus_append_u32, bus_period(eb))
EXCEPTIONS_GETTER(emergency, bus_append_u32, bus_emergency(eb))
EXCEPTIONS_GETTER(clock_ahead, bus_append_i64, bus_ahead(eb))
EXCEPTIONS_GETTER(phone, bus_append_bool, eb->setup.phone && phone_ready(eb->setup.phone))

/* --- the table ------------------------------------------------------------------------------- */

static const struct bus_property exceptions_properties[] = {
	{ "State", "s", exceptions_get_state, BUS_EMITS_TRUE },
	{ "Waiting", "u", exceptions_get_waiting, BUS_EMITS_TRUE },
	{ "Live", "u", exceptions_get_live, BUS_EMITS_TRUE },
	{ "Overdue", "u", exceptions_get_overdue, BUS_EMITS_FALSE },
	{ "Unreported", "u", exceptions_get_unreported, BUS_EMITS_TRUE },
	{ "Approvers", "u", exceptions_get_approvers, BUS_EMITS_TRUE },
	{ "PeriodSeconds", "u", exceptions_get_period, BUS_EMITS_TRUE },
	{ "EmergencySeconds", "u", exceptions_get_emergency, BUS_EMITS_TRUE },
	{ "Phone", "b", exceptions_get_phone, BUS_EMITS_FALSE },
	{ "ClockAhead", "x", exceptions_get_clock_ahead, BUS_EMITS_FALSE },
	{ .name = NULL },
};

#define WISH { { "a{sv}", "wish" } }
#define FILTER { { "a{sv}", "filter" } }
#define NUMBER { { "u", "number" } }
#define NUMBER_AND_REQUEST { { "u", "number" }, { "o", "request" } }
#define EXCEPTIONS { { "aa{sv}", "exceptions" } }
#define EXCEPTION_AND_STEPS { { "a{sv}", "exception" }, { "aa{sv}", "steps" } }

static const struct bus_method exceptions_methods[] = {
	{ .name = "Request",
	  .in = WISH,
	  .out = NUMBER_AND_REQUEST,
	  .action = "org.sekimori.request-exception",
	  .start = exceptions_start_request },
	{ .name = "DeclareEmergency",
	  .in = WISH,
	  .out = NUMBER_AND_REQUEST,
	  .action = "org.sekimori.declare-emergency",
	  .start = exceptions_start_emergency },
	{ .name = "RequestByPhone",
	  .in = WISH,
	  .out = { { "s", "challenge" } },
	  .action = "org.sekimori.request-exception",
	  .start = exceptions_start_phone },
	{ .name = "AnswerPhone",
	  .in = { { "s", "code" } },
	  .out = NUMBER_AND_REQUEST,
	  .action = "org.sekimori.request-exception",
	  .refuses = exceptions_desk_refuses,
	  .start = exceptions_start_answer },
	{ .name = "ImportGrant",
	  .in = { { "s", "text" }, { "s", "signature" } },
	  .out = NUMBER_AND_REQUEST,
	  .action = "org.sekimori.import-grant",
	  .refuses = exceptions_desk_refuses,
	  .start = exceptions_start_import },
	{ .name = "ListOwn",
	  .in = FILTER,
	  .out = EXCEPTIONS,
	  .start = exceptions_start_list_own },
	{ .name = "List",
	  .in = FILTER,
	  .out = EXCEPTIONS,
	  .action = "org.sekimori.view-exceptions",
	  .start = exceptions_start_list },
	{ .name = "GetOwn",
	  .in = NUMBER,
	  .out = EXCEPTION_AND_STEPS,
	  .start = exceptions_start_get_own },
	{ .name = "Get",
	  .in = NUMBER,
	  .out = EXCEPTION_AND_STEPS,
	  .action = "org.sekimori.view-exceptions",
	  .start = exceptions_start_get },
	{ .name = "ResetClock",
	  .out = { { "x", "ahead" } },
	  .action = "org.sekimori.reset-exception-clock",
	  .start = exceptions_start_reset_clock },
	{ .name = NULL },
};

static const struct bus_signal exceptions_signals[] = {
	{ "Stepped", { { "u", "number" }, { "s", "event" }, { "s", "state" } } },
	{ "Warned", { { "u", "number" }, { "u", "seconds" } } },
	{ .name = NULL },
};

const struct bus_interface exceptions_bus_interface = {
	.name = BUS_INTERFACE_EXCEPTIONS,
	.properties = exceptions_properties,
	.methods = exceptions_methods,
	.signals = exceptions_signals,
};

/* --- the whole ------------------------------------------------------------------------------- */

/* All are counted once for all properties. */
static int bus_announce(sd_event_source *source, void *userdata)
{
	struct exceptions_bus *eb = userdata;

	eb->counts = bus_counts(eb);
	eb->announcing = true;
	bus_object_all_changed(bus_object_find(eb->registry, BUS_ROOT_PATH),
			       &exceptions_bus_interface);
	eb->announcing = false;
	eb->counts = (struct exceptions_counts){ .live = 0 };
	return 0;
}

void exceptions_bus_announce(struct exceptions_bus *eb)
{
	sd_event_source_set_enabled(eb->announcement, SD_EVENT_ONESHOT);
}

int exceptions_bus_emit(struct exceptions_bus *eb, const char *signal, bus_append_fn append,
			void *userdata)
{
	return bus_object_emit(bus_object_find(eb->registry, BUS_ROOT_PATH),
			       &exceptions_bus_interface, signal, append, userdata);
}

int exceptions_bus_new(struct exceptions_bus **ebp, struct bus_registry *registry, sd_event *event)
{
	_cleanup_(exceptions_bus_freep) struct exceptions_bus *eb = calloc(1, sizeof(*eb));
	int r;

	if (!eb)
		return -ENOMEM;
	eb->registry = registry;
	r = sd_event_add_defer(event, &eb->announcement, bus_announce, eb);
	if (r >= 0)
		r = sd_event_source_set_enabled(eb->announcement, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_source_set_priority(eb->announcement, BUS_EVENT_PRIORITY);
	if (r < 0)
		return r;
	*ebp = TAKE_PTR(eb);
	return 0;
}

struct exceptions_bus *exceptions_bus_free(struct exceptions_bus *eb)
{
	if (!eb)
		return NULL;
	sd_event_source_disable_unref(eb->announcement);
	while (eb->entries) {
		struct exceptions_bus_entry *entry = eb->entries;

		eb->entries = entry->next;
		free(entry);
	}
	free(eb);
	return NULL;
}

void exceptions_bus_set(struct exceptions_bus *eb, const struct exceptions_bus_setup *setup)
{
	eb->setup = setup ? *setup : (struct exceptions_bus_setup){ .exceptions = NULL };
	exceptions_bus_changed(eb);
}
