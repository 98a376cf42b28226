// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/manager-roads.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/json.h"
#include "daemon/roads.h"

static int road_tried(void *userdata, const struct road_note *note)
{
	struct manager *manager = userdata;
	struct json_object *extra;

	/* What was closed before a drill began: it opens that, too. */
	if (!note->drill && manager->drill.on)
		return ROADS_DRILL;
	/* Each try would count as a record that was lost. */
	if (!evidence_is_writable(manager->evidence))
		return -EIO;
	extra = json_object_new_object();
	if (!extra)
		return -ENOMEM;
	json_add_string(extra, "road", note->name);
	/* Also when the drill that it tells of has ended since. */
	if (note->drill)
		json_object_object_add(extra, "drill", json_object_new_boolean(true));
	if (manager_record(manager, note->drill ? "road-would-close" : "road-closed", NULL, NULL, extra))
		return -EIO;
	/* The next drill tells of its roads anew. */
	return note->drill && !manager->drill.on ? ROADS_DROP : ROADS_DONE;
}

/* The roads are closed or open without it: it is the record alone that would be missing. */
void manager_roads_begin(struct manager *manager, const char *path)
{
	int r = roads_new(&manager->roads, manager->event, path, road_tried, manager);

	if (r)
		fprintf(stderr, SD_WARNING "%s: %s; who tries other roads than USB is not on record\n", path, strerror(-r));
}
