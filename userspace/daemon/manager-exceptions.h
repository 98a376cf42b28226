/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The temporary exceptions of the terminal (daemon/exceptions.h) between the manager's log, policy, devices and bus. They are read before
 * the gate's first event is taken, and without a bus; with a store that cannot be used nothing is granted, and all else goes on.
 */
#pragma once

#include "daemon/manager.h"

/* After the log, the policy and manager->rejudge; nothing is granted yet. 0 or a negative errno. */
int manager_exceptions_prepare(struct manager *manager);

/* Reads the store and lets the bus, if there is one, speak of it: once, and before anything is judged. 0 or a negative errno. */
int manager_exceptions_begin(struct manager *manager);

/* After the bus is gone, and before the log. */
void manager_exceptions_end(struct manager *manager);

/* Another one is in force, or its time has come or gone. */
void manager_exceptions_policy_changed(struct manager *manager);

/*
 * Ends the last use of what is not there any more: it was pulled out while no daemon looked, or while the store could not be written.
 * Once all devices are known, and whenever they are judged again.
 */
void manager_exceptions_settle(struct manager *manager);
