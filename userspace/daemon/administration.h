/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every call over D-Bus that was to change something becomes a record of kind `administration`, also where it was
 * refused: who (user, program, session, process), what (method, object), and what came of it. A user who calls too
 * often is summarised (core/purse.h); root is not, since nothing that root does may be hidden in a number.
 */
#pragma once

#include <json-c/json_object.h>
#include <systemd/sd-event.h>

#include "bus/object.h"

struct administration;

/*
 * Writes a record of that kind; `extra` is taken over. It has a `user` only where /etc/passwd knows him (system/username.h);
 * `uid` says who it is.
 */
typedef void (*administration_record_fn)(void *userdata, struct json_object *extra);

int administration_new(struct administration **administrationp, sd_event *event,
		       administration_record_fn record, void *userdata);

/* Writes the summaries that are due later. NULL is ok; returns NULL. */
struct administration *administration_free(struct administration *administration);

/* A bus_witness_fn; userdata is the administration. */
void administration_witness(void *userdata, const struct bus_deed *deed);
