/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the manager owes the next daemon and the last one: daemon/lastlife.h. */
#pragma once

#include "daemon/manager.h"

/* Follows what is being judged from now on. 0 or a negative errno. */
int manager_life_begin(struct manager *manager);
void manager_life_end(struct manager *manager);

/* The record of a loop of deaths, if there is one. */
void manager_life_tell(struct manager *manager);

/* Before anything is read of a device that is let in: it is taken up again, or one of its disks is looked at. */
void manager_life_meet(struct manager *manager, const struct device *device);

/* One of many is done: who dies from now on has not died of it. The loop does the same by itself each time. */
void manager_life_judged(struct manager *manager);

/*
 * An interface has come, before anything is read of its device. False: an earlier daemon has died again and again while it
 * judged that device. It is held, also if it had been let in (but not in a drill, which takes back nothing), and nobody looks at it.
 */
bool manager_life_may_meet(struct manager *manager, const char *name, const struct sekimori_event *event);
