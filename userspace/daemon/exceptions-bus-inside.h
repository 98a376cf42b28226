/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the exceptions' face: shared by exceptions-bus*.c, request-bus.c and grant-bus.c. */
#pragma once

#include "bus/names.h"
#include "bus/request.h"
#include "core/purse.h"
#include "daemon/exception-actor.h"
#include "daemon/exceptions-bus.h"

/* The prefix and the digits of a number. */
#define REQUEST_PATH_MAX (sizeof(BUS_REQUEST_PATH_PREFIX) + 10)
#define GRANT_PATH_MAX (sizeof(BUS_GRANT_PATH_PREFIX) + 10)

/* Userdata of a request's object, and of its grant's. */
struct exceptions_bus_entry {
	struct exceptions_bus *bus;
	struct exceptions_bus_entry *next, *prev;
	uint32_t number;
	bool granted; /* has an object below grants/, too */
	bool found;   /* while all are gone through */
};

struct exceptions_bus {
	struct bus_registry *registry;
	struct exceptions_bus_setup setup;
	struct exceptions_bus_entry *entries;
	const struct exception *stepping; /* as it is after the step that is being told of */
	sd_event_source *announcement;	  /* on while something of the root object is to be told */
	bool announcing;
	struct exceptions_counts counts; /* while announcing; else zeros */
	struct purses looked_far;	 /* names that callers had a directory asked for */
};

/* Never NULL: of one that has gone all is empty. */
const struct exception *exceptions_bus_exception(const struct exceptions_bus_entry *entry);

void exceptions_bus_request_path(char path[static REQUEST_PATH_MAX], uint32_t number);

/* Announces what of the interface at the root object can change, once for all that happens in this turn of the loop. */
void exceptions_bus_announce(struct exceptions_bus *eb);
int exceptions_bus_emit(struct exceptions_bus *eb, const char *signal, bus_append_fn append,
			void *userdata);

/* Puts the objects in step with exceptions_open(). */
void exceptions_bus_sync(struct exceptions_bus *eb);

/* Who calls, with the roles of this right. */
void exceptions_bus_actor(const struct exceptions_bus *eb, struct exception_actor *actor,
			  const struct bus_request *request, const struct exception_right *right);

/* What exceptions_submit(), _step() or _get() returned, as an error. `error`: exceptions_error(), or the telephone's or grant files'. */
typedef const char *(*exceptions_bus_error_fn)(int r, const char **detail);
void exceptions_bus_refuse(struct bus_request *request, int r, exceptions_bus_error_fn error);
void exceptions_bus_not_found(struct bus_request *request);

/* InvalidArgs that names the argument, "wish: ". */
void exceptions_bus_misread(struct bus_request *request, const char *argument, const char *why);

/* False, and the call is answered, while there is no engine. */
bool exceptions_bus_has_engine(const struct exceptions_bus *eb, struct bus_request *request);

/* NULL: no policy is in force. */
const struct exception_rules *exceptions_bus_rules(const struct exceptions_bus *eb);
unsigned int exceptions_bus_approvers(const struct exceptions_bus *eb);

/* Methods, for the table. object: a struct manager_bus. */
void exceptions_start_request(void *object, struct bus_request *request);
void exceptions_start_emergency(void *object, struct bus_request *request);
void exceptions_start_phone(void *object, struct bus_request *request);
void exceptions_start_answer(void *object, struct bus_request *request);
void exceptions_start_import(void *object, struct bus_request *request);
void exceptions_start_list(void *object, struct bus_request *request);
void exceptions_start_list_own(void *object, struct bus_request *request);
void exceptions_start_get(void *object, struct bus_request *request);
void exceptions_start_get_own(void *object, struct bus_request *request);
void exceptions_start_reset_clock(void *object, struct bus_request *request);

/* A code of core/reason.h: he does not sit at the terminal. */
const char *exceptions_desk_refuses(void *object, const struct bus_caller *caller);
