/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sekimori-road has left (core/road.h): reads the notes as they come, has each recorded once, and marks it then, which needs no
 * room on a file system that is full. A note that could not be recorded stays as it is, and is tried again with the next look. The
 * directory is read as a stranger's would be: what is no note of root's is passed over.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "core/macro.h"
#include "core/road.h"

struct roads;

/*
 * ROADS_DONE: mark it. ROADS_DROP: remove it, and tell of it when it is tried again. ROADS_DRILL, of one that was closed: make it a note
 * of the drill, and tell of that. Negative errno: look again later.
 */
enum { ROADS_DONE, ROADS_DROP, ROADS_DRILL };
typedef int (*roads_tried_fn)(void *userdata, const struct road_note *note);

/* Makes the directory where it is missing, and watches it; `path` must stay. 0 or a negative errno. Nothing is told before roads_look(). */
int roads_new(struct roads **roadsp, sd_event *event, const char *path, roads_tried_fn tried, void *userdata);
struct roads *roads_free(struct roads *roads);
DEFINE_CLEANUP(struct roads *, roads_free)

/* Tells of what is not marked. NULL is fine. */
void roads_look(struct roads *roads);

/*
 * A drill is over: tells of what is not marked of its notes, and removes what is; so the next drill tells of its roads anew. What cannot
 * be recorded stays. NULL is fine.
 */
void roads_end_drill(struct roads *roads);
