/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who tries roads other than USB is on record: notes (daemon/roads.h) become "road-closed", or "road-would-close" of a drill. */
#pragma once

#include "daemon/manager.h"

/* After the log. Sets manager->roads; `path` must stay. Where that cannot be, standard error says so. Nothing is told before roads_look(). */
void manager_roads_begin(struct manager *manager, const char *path);
