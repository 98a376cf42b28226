// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl eject`: closes volumes and says whether their media can be unplugged. */
#include <stdio.h>
#include <string.h>

#include "ctl/volumes.h"
#include "cli/told.h"

static bool eject_one(DBusConnection *dbus, const struct context *context,
		      struct json_object *volume, struct json_object *results)
{
	const char *path = output_raw(volume, "Path");
	bool was_open = !strcmp(output_raw(volume, "State"), "open"), done;
	struct client_change change = {.path = path, .method = "Eject", .secret = -1};
	struct json_object *result = json_object_new_object();
	_cleanup_(json_objectp) struct json_object *now = NULL;
	_cleanup_(freep) char *why = NULL, *ignored = NULL, *name = volumes_name(volume);

	volumes_progress(context, label_text(LABEL_CLOSING));
	done = client_change(dbus, &change, &why);
	volumes_progress(context, "");
	json_object_object_add(result, "volume", json_object_new_string(path));
	json_object_object_add(result, "uuid", json_object_new_string(output_raw(volume, "Uuid")));
	json_object_object_add(result, "medium", json_object_new_string(output_raw(volume, "Medium")));
	json_object_object_add(result, "ok", json_object_new_boolean(done));
	json_object_array_add(results, result);
	if (!done) {
		_cleanup_(freep) char *what =
			output_format("%s %s", name, label_text(LABEL_CLOSE_FAILED));

		now = client_volume(dbus, path, &ignored);
		volumes_refused(context, what, why, now, result);
	} else if (was_open && !context->json) {
		printf("%s %s\n", name, label_text(LABEL_CLOSED));
	}
	return done;
}

int eject_run(const struct context *context, const struct command_options *options)
{
	const char *argument = options->n_arguments ? options->arguments[0] : NULL;
	_cleanup_(freep) char *why = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = client_connect(&why);
	_cleanup_(json_objectp) struct json_object *volumes = NULL;
	_cleanup_(json_objectp) struct json_object *results = json_object_new_array();
	bool good = true;
	size_t n;

	if (!dbus) {
		_cleanup_(freep) char *shown = told_shown(why ? why : "");

		fprintf(stderr, "sekimorictl: %s %s\n", label_text(LABEL_BUS_FAILED), shown);
		return COMMAND_FAILED;
	}
	volumes = volumes_find(dbus, context, argument);
	if (!volumes)
		return COMMAND_FAILED;
	n = json_object_array_length(volumes);
	for (size_t i = 0; i < n; i++)
		good &= eject_one(dbus, context, json_object_array_get_idx(volumes, i), results);
	if (context->json)
		output_json(results, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	else if (!n)
		puts(label_text(LABEL_NO_VOLUMES));
	else if (good)
		puts(label_text(LABEL_SAFE));
	else
		fprintf(stderr, "%s\n", label_text(LABEL_NOT_SAFE));
	return good ? COMMAND_OK : COMMAND_FAILED;
}
