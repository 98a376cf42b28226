/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions on D-Bus (docs/dbus.md): the interface org.sekimori.Sekimori1.Exceptions of the root object, and an object for each request
 * and each grant (daemon/request-bus.h, grant-bus.h), which come and go with the steps of daemon/exceptions.h.
 *
 *	exceptions_ops.stepped  ──► exceptions_bus_stepped()	objects, PropertiesChanged, Stepped
 *	exceptions_ops.warned   ──► exceptions_bus_warned()	Warned
 *	exceptions_ops.state    ──► exceptions_bus_changed()	all objects anew; also when another policy is in force
 *
 * It decides nothing but who calls (daemon/exception-actor.h). What the engine refuses is the error …Error.Refused, "CODE: sentence"; an
 * exception that is not there, or not the caller's to see, …Error.NotFound. While there is no engine, State says so and everything is
 * refused.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "bus/interface.h"
#include "bus/object.h"
#include "core/macro.h"
#include "daemon/exceptions.h"

struct phone;
struct trust;

/* All of it must stay until exceptions_bus_set() is called again, or the bus is freed. */
struct exceptions_bus_setup {
	struct exceptions *exceptions; /* NULL: none are kept here */
	struct phone *phone;	       /* NULL: no codes by telephone */
	const char *terminal;	       /* name of this terminal */
	/* As exceptions_ops.rules. */
	const struct exception_rules *(*rules)(void *userdata);
	/* Does this user sit at the terminal? Root is not asked for. */
	bool (*at_seat)(void *userdata, uid_t uid);
	/* The trust that grant files are verified by, good until the loop's next turn; NULL: none. */
	const struct trust *(*trust)(void *userdata);
	void *userdata;
};

struct exceptions_bus;

/* To be freed after the registry, whose objects point to it. */
int exceptions_bus_new(struct exceptions_bus **ebp, struct bus_registry *registry, sd_event *event);
struct exceptions_bus *exceptions_bus_free(struct exceptions_bus *eb);
DEFINE_CLEANUP(struct exceptions_bus *, exceptions_bus_free)

/* Shows this engine's exceptions from now on; setup is copied. NULL, before the engine is freed: nobody's any more. */
void exceptions_bus_set(struct exceptions_bus *eb, const struct exceptions_bus_setup *setup);

void exceptions_bus_stepped(struct exceptions_bus *eb, const struct exception *after,
			    const struct exception_deed *deed);
void exceptions_bus_warned(struct exceptions_bus *eb, const struct exception *exception,
			   uint32_t seconds);
void exceptions_bus_changed(struct exceptions_bus *eb);

/* For the table of the root object, whose userdata is a struct manager_bus. */
extern const struct bus_interface exceptions_bus_interface;
