/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Incidents (core/incident.h) as records and signals of their own. Looks at every record that was written; what is an
 * incident becomes an `incident` record with the signal Incident. Its number is made of the terminal's name, the day and the
 * number of the record that made it one, so a restart needs no memory of earlier ones.
 */
#pragma once

#include <json-c/json_object.h>

struct manager;

/* After a record was written; `record` is borrowed. Incidents are not looked at again. */
void manager_watch_incidents(struct manager *manager, struct json_object *record);

/* Tells what was counted since an incident was told of, before the daemon ends. */
void manager_finish_incidents(struct manager *manager);
