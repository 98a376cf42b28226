/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the manager owes the next daemon and the last one: daemon/lastlife.h. */
#pragma once

#include "daemon/manager.h"

/* Follows what is being judged from now on. 0 or a negative errno. */
int manager_life_begin(struct manager *manager);
void manager_life_end(struct manager *manager);

/* The record of a loop of deaths, if there is one. */
void manager_life_tell(struct manager *manager);

/*
 * An interface has come, before anything is read of its device. False: an earlier daemon has died again and again while it
 * judged that device. It stays held, and nobody looks at it.
 */
bool manager_life_may_meet(struct manager *manager, const char *name, const struct sekimori_event *event);
