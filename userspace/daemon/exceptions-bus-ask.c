// SPDX-License-Identifier: GPL-2.0-or-later
/* Methods of org.sekimori.Sekimori1.Exceptions that ask for an exception. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bus/record.h"
#include "daemon/device-bus.h"
#include "daemon/device.h"
#include "daemon/exception-wish.h"
#include "daemon/exceptions-bus-inside.h"
#include "daemon/grantimport.h"
#include "daemon/manager-bus.h"
#include "daemon/phone.h"

/* --- asking for one -------------------------------------------------------------------------- */

/* The fingerprint and kind of the device that the wish names by its object. */
static const char *wish_find_device(const struct exceptions_bus *eb, struct exception_wish *wish)
{
	const struct device *device;

	if (!wish->device[0]) {
		/* A mark stands in an encrypted volume (docs/mark.md). */
		wish->grant.class = wish->grant.medium[0] ? DEVICE_CLASS_STORAGE_ENCRYPTED :
							    DEVICE_CLASS_UNKNOWN;
		return NULL;
	}
	device = bus_object_target(eb->registry, wish->device, &device_bus_interface);
	if (!device)
		return "'device' is no device that is plugged in";
	memcpy(wish->grant.fingerprint, device->ident.fingerprint, sizeof(wish->grant.fingerprint));
	wish->grant.class = device->class;
	return NULL;
}

/*
 * Whom the directory is asked for, which may let us wait (nsswitch.conf(5)), is the caller's choice: he may choose few, 10 and then
 * one every 30 s.
 */
static bool may_look_far(struct exceptions_bus *eb, uint32_t uid)
{
	struct timespec ts;
	struct purses_user *user;
	uint64_t now;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	now = (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
	user = purses_find(&eb->looked_far, uid, now);
	if (purses_admit(&eb->looked_far, user, 0, now))
		return true;
	purses_clear(user);
	return false;
}

/* NULL: it is in `person`; or what is wrong. */
static const char *person_look(struct exceptions_bus *eb, struct exception_person *person, const char *name,
			       const struct exception_actor *actor)
{
	if (exception_person_find(person, name))
		return NULL;
	if (!may_look_far(eb, actor->user.uid))
		return "'person' is not in /etc/passwd, and you have named too many such people; wait a minute";
	return exception_person_find_far(person, name) ? NULL : "'person' is no user of this terminal";
}

static const char *wish_find_person(struct exceptions_bus *eb, struct exception_wish *wish,
				    const struct exception_actor *actor, const struct exception_right *right)
{
	struct exception_person person = actor->who;
	const char *name = wish->grant.person, *why = NULL;

	if (*name && strcmp(name, person.name)) {
		/* Of what will be refused nobody is looked for, nor for an emergency of somebody else. */
		if (exception_check_login(actor) || !(actor->roles & right->roles) ||
		    right->roles & EXCEPTION_ROLE_EMERGENCY) {
			wish->grant.uid = UINT32_MAX;
			return NULL;
		}
		why = person_look(eb, &person, name, actor);
	}
	if (why)
		return why;
	memcpy(wish->grant.person, person.name, sizeof(wish->grant.person));
	wish->grant.uid = person.uid;
	return NULL;
}

_Static_assert(sizeof(((struct device *)0)->ident.fingerprint) >= GRANT_FINGERPRINT_MAX &&
		       sizeof(((struct exception_person *)0)->name) == GRANT_NAME_MAX,
	       "what is copied fits");

/* Reads the wish and who has it. False, and the call is answered, if it makes no sense. */
static bool request_read_wish(struct exceptions_bus *eb, struct bus_request *request,
			      const struct exception_right *right, struct exception_actor *actor,
			      struct exception_wish *wish)
{
	char misread[BUS_DICT_WHY_MAX];
	const char *why = misread;
	DBusMessageIter in;

	if (!exceptions_bus_has_engine(eb, request))
		return false;
	exceptions_bus_actor(eb, actor, request, right);
	dbus_message_iter_init(bus_request_call(request), &in);
	if (exception_wish_read(wish, &in, misread)) {
		why = wish_find_device(eb, wish);
		if (!why)
			why = wish_find_person(eb, wish, actor, right);
	}
	if (why) {
		exceptions_bus_misread(request, "wish: ", why);
		return false;
	}
	snprintf(wish->grant.terminal, sizeof(wish->grant.terminal), "%s", eb->setup.terminal);
	return true;
}

static dbus_bool_t append_number_and_path(void *userdata, DBusMessageIter *args)
{
	const struct exception *after = userdata;
	dbus_uint32_t number = after->number;
	char buffer[REQUEST_PATH_MAX];
	const char *path = buffer;

	exceptions_bus_request_path(buffer, after->number);
	return dbus_message_iter_append_basic(args, DBUS_TYPE_UINT32, &number) &&
	       dbus_message_iter_append_basic(args, DBUS_TYPE_OBJECT_PATH, &path);
}

static void request_tell(struct bus_request *request, int r, exceptions_bus_error_fn error,
			 struct exception *after)
{
	if (r)
		exceptions_bus_refuse(request, r, error);
	else
		bus_request_answer(request, append_number_and_path, after);
}

static void request_submit(struct exceptions_bus *eb, struct bus_request *request,
			   enum exception_event_kind kind, const struct exception_right *right)
{
	struct exception_actor actor;
	struct exception_wish wish;
	struct exception after;

	if (request_read_wish(eb, request, right, &actor, &wish))
		request_tell(request,
			     exceptions_submit(eb->setup.exceptions, kind, &wish.grant, wish.seconds,
					       NULL, &actor, &after),
			     exceptions_error, &after);
}

static const struct exception_right ask_right = { .roles = EXCEPTION_ROLE_ASK };

void exceptions_start_request(void *object, struct bus_request *request)
{
	request_submit(manager_bus_exceptions(object), request, EXCEPTION_REQUEST, &ask_right);
}

void exceptions_start_emergency(void *object, struct bus_request *request)
{
	static const struct exception_right right = { .roles = EXCEPTION_ROLE_EMERGENCY };

	request_submit(manager_bus_exceptions(object), request, EXCEPTION_EMERGENCY, &right);
}

/* --- from the help desk ---------------------------------------------------------------------- */

const char *exceptions_desk_refuses(void *object, const struct bus_caller *caller)
{
	const struct exceptions_bus *eb = manager_bus_exceptions(object);

	if (!caller->uid ||
	    (eb->setup.at_seat && eb->setup.at_seat(eb->setup.userdata, caller->uid)))
		return NULL;
	return "not-at-seat";
}

/* Who sits there may have changed while polkit was asked. */
static bool request_at_seat(void *object, struct bus_request *request)
{
	const char *refusal = exceptions_desk_refuses(object, bus_request_caller(request));

	if (refusal)
		bus_request_refuse(request, refusal);
	return !refusal;
}

/* False, and the call is answered, on a terminal without telephone codes. */
static bool request_has_phone(const struct exceptions_bus *eb, struct bus_request *request)
{
	if (!exceptions_bus_has_engine(eb, request))
		return false;
	if (!eb->setup.phone)
		exceptions_bus_refuse(request, PHONE_E_NO_KEY, phone_error);
	return eb->setup.phone;
}

static dbus_bool_t append_challenge(void *userdata, DBusMessageIter *args)
{
	return bus_append_string(args, userdata);
}

void exceptions_start_phone(void *object, struct bus_request *request)
{
	struct exceptions_bus *eb = manager_bus_exceptions(object);
	char challenge[PHONECODE_CHALLENGE_MAX];
	struct exception_actor actor;
	struct exception_wish wish;
	int r;

	if (!request_has_phone(eb, request) ||
	    !request_read_wish(eb, request, &ask_right, &actor, &wish))
		return;
	r = phone_request(eb->setup.phone, &wish.grant, wish.seconds, &actor, challenge);
	if (r)
		exceptions_bus_refuse(request, r, phone_error);
	else
		bus_request_answer(request, append_challenge, challenge);
}

void exceptions_start_answer(void *object, struct bus_request *request)
{
	const struct exceptions_bus *eb = manager_bus_exceptions(object);
	struct exception_actor actor;
	struct exception after;
	DBusMessageIter in;
	const char *code;

	if (!request_at_seat(object, request) || !request_has_phone(eb, request))
		return;
	dbus_message_iter_init(bus_request_call(request), &in);
	dbus_message_iter_get_basic(&in, &code);
	exceptions_bus_actor(eb, &actor, request, &ask_right);
	request_tell(request,
		     phone_answer(eb->setup.phone, code, &actor, &after),
		     phone_error, &after);
}

void exceptions_start_import(void *object, struct bus_request *request)
{
	const struct exceptions_bus *eb = manager_bus_exceptions(object);
	const struct trust *trust;
	struct exception_actor actor;
	struct exception after;
	DBusMessageIter in;
	const char *text, *signature;

	if (!request_at_seat(object, request) || !exceptions_bus_has_engine(eb, request))
		return;
	dbus_message_iter_init(bus_request_call(request), &in);
	dbus_message_iter_get_basic(&in, &text);
	dbus_message_iter_next(&in);
	dbus_message_iter_get_basic(&in, &signature);
	exceptions_bus_actor(eb, &actor, request, &ask_right);
	trust = eb->setup.trust ? eb->setup.trust(eb->setup.userdata) : NULL;
	request_tell(request,
		     grantimport_take(eb->setup.exceptions, trust, eb->setup.terminal, text,
				      strlen(text), signature, strlen(signature), &actor, &after),
		     grantimport_error, &after);
}
