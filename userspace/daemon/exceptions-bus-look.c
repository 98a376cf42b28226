// SPDX-License-Identifier: GPL-2.0-or-later
/* Methods of org.sekimori.Sekimori1.Exceptions that show exceptions. What is shown is gathered first, so that the store is not half read. */
#include <stdlib.h>
#include <string.h>

#include "daemon/exception-values.h"
#include "daemon/exception-wish.h"
#include "daemon/exceptions-bus-inside.h"
#include "daemon/manager-bus.h"

/* With the longest of notes so many are half of what waits for the bus at most. */
#define STEPS_SHOWN_MAX 200

struct listing {
	const struct exceptions_bus *bus;
	struct exception *found;
	uint32_t n, most;
};

static struct exception_moment moment_of(const struct exceptions_bus *eb,
					 const struct exception *exception)
{
	return (struct exception_moment){
		.now = exceptions_now(eb->setup.exceptions),
		.seconds_left = exceptions_seconds_left(eb->setup.exceptions, exception),
		.approvers = exceptions_bus_approvers(eb),
	};
}

static int listing_add(void *userdata, const struct exception *exception)
{
	struct listing *listing = userdata;

	if (listing->n < listing->most)
		listing->found[listing->n++] = *exception;
	return 0;
}

static dbus_bool_t append_listing(void *userdata, DBusMessageIter *args)
{
	const struct listing *listing = userdata;
	DBusMessageIter array;

	if (!dbus_message_iter_open_container(args, DBUS_TYPE_ARRAY, "a{sv}", &array))
		return FALSE;
	for (uint32_t i = 0; i < listing->n; i++) {
		struct exception_moment moment = moment_of(listing->bus, &listing->found[i]);

		if (!exception_values_append(&array, &listing->found[i], &moment))
			return FALSE;
	}
	return dbus_message_iter_close_container(args, &array);
}

static void request_list(const struct exceptions_bus *eb, struct bus_request *request,
			 const struct exception_filter *filter)
{
	_cleanup_(freep) struct exception *found = calloc(filter->limit, sizeof(*found));
	struct listing listing = { .bus = eb, .found = found, .most = filter->limit };
	struct exceptionstore_filter wanted =
		exception_filter_for_store(filter, exceptions_now(eb->setup.exceptions));
	int r = found ? exceptions_list(eb->setup.exceptions, &wanted, listing_add, &listing) :
			-ENOMEM;

	if (r)
		exceptions_bus_refuse(request, r, exceptions_error);
	else
		bus_request_answer(request, append_listing, &listing);
}

/* False, and the call is answered, if it makes no sense. */
static bool request_read_filter(const struct exceptions_bus *eb, struct bus_request *request,
				struct exception_filter *filter)
{
	char why[BUS_DICT_WHY_MAX];
	DBusMessageIter in;

	if (!exceptions_bus_has_engine(eb, request))
		return false;
	dbus_message_iter_init(bus_request_call(request), &in);
	if (exception_filter_read(filter, &in, why))
		return true;
	exceptions_bus_misread(request, "filter: ", why);
	return false;
}

void exceptions_start_list(void *object, struct bus_request *request)
{
	const struct exceptions_bus *eb = manager_bus_exceptions(object);
	struct exception_filter filter;

	if (request_read_filter(eb, request, &filter))
		request_list(eb, request, &filter);
}

/* False, and the call is answered, if nobody knows who calls: then nothing is his. */
static bool request_read_owner(struct bus_request *request, struct exception_actor *actor)
{
	exception_actor_identify(actor, bus_request_caller(request));
	if (!actor->who.name[0])
		exceptions_bus_refuse(request, EXCEPTION_E_UNKNOWN, exceptions_error);
	return actor->who.name[0];
}

void exceptions_start_list_own(void *object, struct bus_request *request)
{
	const struct exceptions_bus *eb = manager_bus_exceptions(object);
	struct exception_filter filter;
	struct exception_actor actor;

	if (!request_read_filter(eb, request, &filter) || !request_read_owner(request, &actor))
		return;
	if (filter.person[0] && strcmp(filter.person, actor.who.name)) {
		exceptions_bus_misread(request, "filter: ", "'person' is somebody else; ask List for his");
		return;
	}
	memcpy(filter.person, actor.who.name, sizeof(filter.person));
	request_list(eb, request, &filter);
}

struct telling {
	const struct exceptions_bus *bus;
	struct exception exception;
	const bool *may_approve;
	struct exception_deed *deeds;
	size_t n, room;
};

static int telling_add(void *userdata, const struct exception_deed *deed)
{
	struct telling *telling = userdata;

	if (telling->n == telling->room) {
		size_t room = telling->room ? 2 * telling->room : 16;
		struct exception_deed *deeds =
			reallocarray(telling->deeds, room, sizeof(*telling->deeds));

		if (!deeds)
			return -ENOMEM;
		telling->deeds = deeds;
		telling->room = room;
	}
	telling->deeds[telling->n++] = *deed;
	return 0;
}

static dbus_bool_t append_telling(void *userdata, DBusMessageIter *args)
{
	const struct telling *telling = userdata;
	struct exception_moment moment = moment_of(telling->bus, &telling->exception);
	DBusMessageIter array;

	moment.may_approve = telling->may_approve;
	if (!exception_values_append(args, &telling->exception, &moment) ||
	    !dbus_message_iter_open_container(args, DBUS_TYPE_ARRAY, "a{sv}", &array))
		return FALSE;
	for (size_t i = 0; i < telling->n; i++)
		if (!exception_values_append_step(&array, &telling->deeds[i]))
			return FALSE;
	return dbus_message_iter_close_container(args, &array);
}

static bool is_of(const struct exception *exception, const struct exception_person *person)
{
	struct exception_person for_whom = { .uid = exception->grant.uid };

	memcpy(for_whom.name, exception->grant.person, sizeof(for_whom.name));
	return exception_same_person(&exception->requester, person) ||
	       exception_same_person(&for_whom, person);
}

static dbus_uint32_t request_number(const struct bus_request *request)
{
	DBusMessageIter in;
	dbus_uint32_t number;

	dbus_message_iter_init(bus_request_call(request), &in);
	dbus_message_iter_get_basic(&in, &number);
	return number;
}

/* owner: NULL for anybody's. Another's is told of as if it were not there. may_approve: as exception_moment's. */
static void request_get(const struct exceptions_bus *eb, struct bus_request *request,
			const struct exception_person *owner, const bool *may_approve)
{
	struct telling telling = { .bus = eb, .may_approve = may_approve };
	dbus_uint32_t number = request_number(request);
	int r = exceptions_get(eb->setup.exceptions, number, &telling.exception);

	if (!r && owner && !is_of(&telling.exception, owner))
		r = EXCEPTIONSTORE_E_ABSENT;
	if (!r)
		r = exceptions_deeds(eb->setup.exceptions, number, STEPS_SHOWN_MAX, telling_add, &telling);
	if (r)
		exceptions_bus_refuse(request, r, exceptions_error);
	else
		bus_request_answer(request, append_telling, &telling);
	free(telling.deeds);
}

/* Would the caller's approval be taken, if polkit lets him? */
static bool caller_may_approve(const struct exceptions_bus *eb, const struct bus_request *request)
{
	static const struct exception_right right = { .roles = EXCEPTION_ROLE_APPROVE };
	const struct exception *exception =
		exceptions_find_open(eb->setup.exceptions, request_number(request));
	struct exception_actor actor;

	if (!exception || (exception->state != EXCEPTION_REQUESTED && !exception->extend_until))
		return false;
	exceptions_bus_actor(eb, &actor, request, &right);
	return exceptions_may_approve(eb->setup.exceptions, exception, &actor);
}

/* The exception, and the engine, may be others since polkit was asked. */
static void get_asked(void *object, struct bus_request *request, bool may)
{
	const struct exceptions_bus *eb = manager_bus_exceptions(object);

	if (!exceptions_bus_has_engine(eb, request))
		return;
	may = may && caller_may_approve(eb, request);
	request_get(eb, request, NULL, &may);
}

/* polkit is asked whether he may approve only if all else lets him. */
void exceptions_start_get(void *object, struct bus_request *request)
{
	const struct exceptions_bus *eb = manager_bus_exceptions(object);
	static const bool no = false;

	if (!exceptions_bus_has_engine(eb, request))
		return;
	if (caller_may_approve(eb, request))
		bus_request_ask(request, "org.sekimori.approve-exception", get_asked);
	else
		request_get(eb, request, NULL, &no);
}

void exceptions_start_get_own(void *object, struct bus_request *request)
{
	const struct exceptions_bus *eb = manager_bus_exceptions(object);
	struct exception_actor actor;

	if (exceptions_bus_has_engine(eb, request) && request_read_owner(request, &actor))
		request_get(eb, request, &actor.who, NULL);
}
