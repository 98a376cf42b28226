/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon does with what its log tells: D-Bus hears of each record, incidents are looked for in the log's own. */
#pragma once

#include "daemon/manager.h"

/* The source of the incidents; before evidence writes anything. */
int manager_log_begin(struct manager *manager);
/* Tells on the bus what was found before there was one, once its name is owned. */
int manager_log_join_bus(struct manager *manager);
/* Looks at what is still to be looked at. Then incidents can be finished. */
void manager_log_finish(struct manager *manager);
/* After evidence has gone. */
void manager_log_end(struct manager *manager);

/* struct evidence_callbacks; userdata: struct manager */
void manager_log_recorded(void *userdata, const char *kind, const char *signal, uint64_t device,
			  struct json_object *record);
void manager_log_changed(void *userdata, bool writable);
void manager_log_state_changed(void *userdata);
void manager_log_displaced(void *userdata);
