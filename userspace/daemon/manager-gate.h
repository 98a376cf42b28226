/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the gate tells the manager: to which session each event belongs, and records of the others. */
#pragma once

#include "daemon/manager.h"

/* A gate_event_fn; userdata is the manager. */
void manager_gate_event(void *userdata, const struct sekimori_event *event);

/* The strings of a device are known, or never will be: those of the first snapshot are judged when all are. */
void manager_session_named(struct manager *manager);
