/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a policy that comes into force, or is refused, does to the rest of the daemon. */
#pragma once

#include "daemon/manager.h"

/* For a record, of the policy in force or of there being none. The caller's; NULL without memory. */
struct json_object *manager_policy_describe(const struct rulebook *rulebook);

/* The rulebook has another one, or has begun: the gate, the volumes, the log, the drill and what the bus shows follow. */
void manager_policy_in_force(struct manager *manager);

/*
 * Takes the policy file as it is now; false if it was refused (manager->rulebook.error says why, and
 * D-Bus and the log have been told).
 */
bool manager_reload(struct manager *manager);

/* Records that the newest one was refused, and why. */
void manager_policy_refused(struct manager *manager);
