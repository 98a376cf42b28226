// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>

#include "bus/record.h"
#include "daemon/exceptions-bus-inside.h"
#include "daemon/grant-bus.h"
#include "daemon/request-bus.h"

static const struct bus_interface *const request_interfaces[] = { &request_bus_interface, NULL };
static const struct bus_interface *const grant_interfaces[] = { &grant_bus_interface, NULL };

void exceptions_bus_request_path(char path[static REQUEST_PATH_MAX], uint32_t number)
{
	snprintf(path, REQUEST_PATH_MAX, BUS_REQUEST_PATH_PREFIX "%" PRIu32, number);
}

static void grant_path(char path[static GRANT_PATH_MAX], uint32_t number)
{
	snprintf(path, GRANT_PATH_MAX, BUS_GRANT_PATH_PREFIX "%" PRIu32, number);
}

static struct bus_object *request_object(struct exceptions_bus *eb, uint32_t number)
{
	char path[REQUEST_PATH_MAX];

	exceptions_bus_request_path(path, number);
	return bus_object_find(eb->registry, path);
}

static struct bus_object *grant_object(struct exceptions_bus *eb, uint32_t number)
{
	char path[GRANT_PATH_MAX];

	grant_path(path, number);
	return bus_object_find(eb->registry, path);
}

static struct exceptions_bus_entry *entry_find(struct exceptions_bus *eb, uint32_t number)
{
	char path[REQUEST_PATH_MAX];

	exceptions_bus_request_path(path, number);
	return bus_object_target(eb->registry, path, &request_bus_interface);
}

const struct exception *exceptions_bus_exception(const struct exceptions_bus_entry *entry)
{
	static const struct exception gone = { .grant = { .uid = UINT32_MAX } };
	const struct exceptions_bus *eb = entry->bus;
	const struct exception *exception;

	if (eb->stepping && eb->stepping->number == entry->number)
		return eb->stepping;
	exception = eb->setup.exceptions ?
			    exceptions_find_open(eb->setup.exceptions, entry->number) :
			    NULL;
	return exception ? exception : &gone;
}

/* --- coming and going ------------------------------------------------------------------------ */

static bool is_granted(const struct exception *exception)
{
	return exception->state == EXCEPTION_APPROVED || exception->state == EXCEPTION_LIVE;
}

static bool is_over(const struct exception *exception)
{
	switch (exception->state) {
	case EXCEPTION_DRAFT:
	case EXCEPTION_DENIED:
	case EXCEPTION_LAPSED:
	case EXCEPTION_CLOSED:
		return true;
	default:
		return false;
	}
}

/* Without memory it is not shown; it is in force all the same. */
static struct exceptions_bus_entry *entry_add(struct exceptions_bus *eb, uint32_t number)
{
	struct exceptions_bus_entry *entry = calloc(1, sizeof(*entry));
	char path[REQUEST_PATH_MAX];

	if (!entry)
		return NULL;
	entry->bus = eb;
	entry->number = number;
	exceptions_bus_request_path(path, number);
	if (bus_object_add(eb->registry, path, request_interfaces, entry) < 0) {
		free(entry);
		return NULL;
	}
	entry->next = eb->entries;
	if (entry->next)
		entry->next->prev = entry;
	eb->entries = entry;
	return entry;
}

static void grant_drop(struct exceptions_bus_entry *entry)
{
	if (entry->granted)
		bus_object_remove(grant_object(entry->bus, entry->number));
	entry->granted = false;
}

static void entry_drop(struct exceptions_bus_entry *entry)
{
	struct exceptions_bus *eb = entry->bus;

	grant_drop(entry);
	bus_object_remove(request_object(eb, entry->number));
	*(entry->prev ? &entry->prev->next : &eb->entries) = entry->next;
	if (entry->next)
		entry->next->prev = entry->prev;
	free(entry);
}

static void grant_add(struct exceptions_bus_entry *entry)
{
	char path[GRANT_PATH_MAX];

	grant_path(path, entry->number);
	entry->granted = bus_object_add(entry->bus->registry, path, grant_interfaces, entry) == 0;
}

/* What has objects shows what is new in them; a grant that has ended shows so before it goes. */
static void entry_tell(const struct exceptions_bus_entry *entry)
{
	struct exceptions_bus *eb = entry->bus;

	bus_object_all_changed(request_object(eb, entry->number), &request_bus_interface);
	if (entry->granted)
		bus_object_all_changed(grant_object(eb, entry->number), &grant_bus_interface);
}

/* The objects that the exception has by now; that of one that is over stays until entry_drop(). NULL: it has none. */
static struct exceptions_bus_entry *entry_follow(struct exceptions_bus *eb,
						 const struct exception *exception)
{
	struct exceptions_bus_entry *entry = entry_find(eb, exception->number);

	if (!entry && !is_over(exception))
		entry = entry_add(eb, exception->number);
	if (!entry)
		return NULL;
	if (entry->granted && !is_granted(exception))
		grant_drop(entry);
	else if (!entry->granted && is_granted(exception))
		grant_add(entry);
	return entry;
}

/* Without a step nothing in an object has changed: thousands need not be announced anew. */
void exceptions_bus_sync(struct exceptions_bus *eb)
{
	size_t n = 0;
	const struct exception *const *open =
		eb->setup.exceptions ? exceptions_open(eb->setup.exceptions, &n) : NULL;
	struct exceptions_bus_entry *next;

	for (struct exceptions_bus_entry *entry = eb->entries; entry; entry = entry->next)
		entry->found = false;
	for (size_t i = 0; i < n; i++) {
		struct exceptions_bus_entry *entry = entry_follow(eb, open[i]);

		if (entry)
			entry->found = true;
	}
	for (struct exceptions_bus_entry *entry = eb->entries; entry; entry = next) {
		next = entry->next;
		if (!entry->found)
			entry_drop(entry);
	}
}

/* --- signals --------------------------------------------------------------------------------- */

struct stepped {
	const struct exception *after;
	const struct exception_deed *deed;
};

static dbus_bool_t append_stepped(void *userdata, DBusMessageIter *args)
{
	const struct stepped *stepped = userdata;
	dbus_uint32_t number = stepped->after->number;

	return dbus_message_iter_append_basic(args, DBUS_TYPE_UINT32, &number) &&
	       bus_append_string(args, exception_event_name(stepped->deed->kind)) &&
	       bus_append_string(args, exception_state_name(stepped->after->state));
}

void exceptions_bus_stepped(struct exceptions_bus *eb, const struct exception *after,
			    const struct exception_deed *deed)
{
	struct stepped stepped = { after, deed };
	struct exceptions_bus_entry *entry;

	eb->stepping = after;
	entry = entry_find(eb, after->number);
	if (entry)
		entry_tell(entry);
	entry = entry_follow(eb, after);
	exceptions_bus_announce(eb);
	exceptions_bus_emit(eb, "Stepped", append_stepped, &stepped);
	if (entry && is_over(after))
		entry_drop(entry);
	eb->stepping = NULL;
}

struct warned {
	dbus_uint32_t number, seconds;
};

static dbus_bool_t append_warned(void *userdata, DBusMessageIter *args)
{
	const struct warned *warned = userdata;

	return dbus_message_iter_append_basic(args, DBUS_TYPE_UINT32, &warned->number) &&
	       dbus_message_iter_append_basic(args, DBUS_TYPE_UINT32, &warned->seconds);
}

void exceptions_bus_warned(struct exceptions_bus *eb, const struct exception *exception,
			   uint32_t seconds)
{
	struct warned warned = { exception->number, seconds };

	exceptions_bus_emit(eb, "Warned", append_warned, &warned);
}

void exceptions_bus_changed(struct exceptions_bus *eb)
{
	exceptions_bus_sync(eb);
	exceptions_bus_announce(eb);
}
