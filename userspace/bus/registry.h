/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the registry, shared by object.c (keeping, announcing) and dispatch.c (answering). */
#pragma once

#include "bus/object.h"

/* A bus has at most 127 devices, but a terminal may have thousands of exceptions that owe something. */
#define BUS_OBJECT_BUCKETS 1024

struct bus_object {
	struct bus_registry *registry;
	struct bus_object *next, *prev;
	struct bus_object *next_in_bucket;
	char *path;
	const struct bus_interface *const *interfaces;
	void *userdata;
};

struct bus_registry {
	struct bus_connection *connection;
	char *root;
	struct bus_object *objects, *last_object; /* in the order of their coming */
	struct bus_object *buckets[BUS_OBJECT_BUCKETS]; /* by path */
	struct bus_request *requests; /* that wait for an answer */
	bus_witness_fn witness;
	void *witness_userdata;
	struct bus_patience patience;
};

/* The interfaces that every object has (NULL-terminated), and the one of the root. */
const struct bus_interface *const *bus_standard_interfaces(const struct bus_object *object);

/* Answers one method call; userdata is the registry. */
void bus_dispatch(void *userdata, DBusMessage *call);

#define BUS_TOO_MANY "Too many calls wait for their answers"

/* What the method of a call is to be called on now; NULL: its object, or the method, is not there any more. */
void *bus_dispatch_target(struct bus_registry *r, DBusMessage *call,
			  const struct bus_method *method);

/*
 * Asks who calls, and whether he may, then starts the method. interface, method: static, as found. 0, -EUSERS (too many
 * wait), -ENOMEM, -ENOTCONN.
 */
int bus_request_begin(struct bus_registry *r, DBusMessage *call,
		      const struct bus_interface *interface, const struct bus_method *method);

/* A follower of the connection: callers that leave while polkit is asked for them. */
void bus_requests_heard(void *userdata, DBusMessage *signal);

/* The registry goes; whoever still has a request may answer it into the void. */
void bus_requests_leave(struct bus_registry *r);

/* Appends {interface: {property: value}} of an object, as ObjectManager shows it. */
dbus_bool_t bus_object_append_interfaces(struct bus_object *object, DBusMessageIter *iter);
