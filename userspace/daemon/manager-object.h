/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon as an object on the bus: what it shows of itself, and what it answers by itself. */
#pragma once

#include "daemon/manager.h"

/* Once, with a gate: what never changes while it lives. */
void manager_object_describe(struct manager *manager);

/* After that, joins the bus as soon as there is one. 0 or a negative errno. */
int manager_object_begin(struct manager *manager);
