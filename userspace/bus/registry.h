/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the registry, shared by object.c (keeping, announcing) and dispatch.c (answering). */
#pragma once

#include "bus/object.h"

struct bus_object {
	struct bus_registry *registry;
	struct bus_object *next;
	char *path;
	const struct bus_interface *const *interfaces;
	void *userdata;
};

struct bus_registry {
	struct bus_connection *connection;
	char *root;
	struct bus_object *objects; /* few: a bus has at most 127 devices */
	struct bus_request *requests; /* that wait for an answer */
	unsigned int n_requests;
	bus_authorize_fn authorize;
	void *authorize_userdata;
};

/* The interfaces that every object has (NULL-terminated), and the one of the root. */
const struct bus_interface *const *bus_standard_interfaces(const struct bus_object *object);

/* Answers one method call; userdata is the registry. */
void bus_dispatch(void *userdata, DBusMessage *call);

/* Asks who calls, then starts the method. 0, -EUSERS (too many wait), -ENOMEM, -ENOTCONN. */
int bus_request_begin(struct bus_registry *r, DBusMessage *call);

/* The caller is known: finds the method again, for the object may have gone meanwhile, and starts it. */
void bus_dispatch_start(struct bus_registry *r, struct bus_request *request);

/* The registry goes; whoever still has a request may answer it into the void. */
void bus_requests_leave(struct bus_registry *r);

/* Appends {interface: {property: value}} of an object, as ObjectManager shows it. */
dbus_bool_t bus_object_append_interfaces(struct bus_object *object, DBusMessageIter *iter);
