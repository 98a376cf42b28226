// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl open`: unlocks the volumes of media that were let in. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/told.h"
#include "ctl/passphrase.h"
#include "ctl/volumes.h"

static bool is_open(struct json_object *volume)
{
	return !strcmp(output_raw(volume, "State"), "open");
}

static void show_progress(void *userdata, struct json_object *properties)
{
	const struct context *context = userdata;
	struct json_object *progress = json_object_object_get(properties, "Progress");
	const char *state = output_raw(properties, "State");
	char text[160];

	if (strcmp(state, "scanning") || !json_object_is_type(progress, json_type_array))
		return;
	snprintf(text, sizeof(text), "%s %" PRIu64 "/%" PRIu64, label_text(LABEL_SCANNING),
		 json_object_get_uint64(json_object_array_get_idx(progress, 0)),
		 json_object_get_uint64(json_object_array_get_idx(progress, 1)));
	volumes_progress(context, text);
}

/* The descriptor in *fd; -1 for the organisation's key. False after the reason has been printed. */
static bool get_secret(const struct context *context, const struct command_options *options,
		       struct json_object *volume, int *fd)
{
	_cleanup_(freep) char *name = volumes_name(volume);
	_cleanup_(freep) char *prompt =
		output_format("%s %s:", label_text(LABEL_PASSPHRASE_FOR), name);
	int r;

	*fd = -1;
	if (options->organisation)
		return true;
	if (!strcmp(output_raw(volume, "Method"), "plain"))
		r = passphrase_none(fd);
	else if (options->passphrase_file)
		r = passphrase_read(options->passphrase_file, fd);
	else
		r = passphrase_ask(prompt, fd);
	if (r)
		fprintf(stderr, "sekimorictl: %s\n",
			r == PASSPHRASE_E_NO_TTY   ? label_text(LABEL_NO_TTY)
			: r == PASSPHRASE_E_LENGTH ? label_text(LABEL_PASSPHRASE_LONG)
						   : i18n_error(-r));
	return !r;
}

static struct json_object *result_new(struct json_object *volume)
{
	struct json_object *result = json_object_new_object();

	json_object_object_add(result, "volume", json_object_new_string(output_raw(volume, "Path")));
	json_object_object_add(result, "uuid", json_object_new_string(output_raw(volume, "Uuid")));
	json_object_object_add(result, "medium", json_object_new_string(output_raw(volume, "Medium")));
	return result;
}

static void tell_open(const struct context *context, const char *name, struct json_object *volume,
		      struct json_object *result)
{
	_cleanup_(freep) char *mount = output_member(volume, "MountPoint");
	bool ro = !strcmp(output_raw(volume, "Access"), "ro");

	json_object_object_add(result, "mount_point",
			       json_object_new_string(output_raw(volume, "MountPoint")));
	json_object_object_add(result, "access", json_object_new_string(output_raw(volume, "Access")));
	if (!context->json)
		printf("%s %s %s\n", name, label_text(ro ? LABEL_OPENED_READ_ONLY : LABEL_OPENED),
		       mount);
}

static bool open_one(DBusConnection *dbus, const struct context *context,
		     const struct command_options *options, struct json_object *volume,
		     struct json_object *results)
{
	const char *path = output_raw(volume, "Path");
	struct json_object *result = result_new(volume);
	struct client_change change = {
		.path = path,
		.method = options->organisation ? "OpenWithOrganisationKey" : "Open",
		.changed = show_progress,
		.userdata = (void *)context,
	};
	_cleanup_(freep) char *why = NULL, *ignored = NULL, *name = volumes_name(volume);
	_cleanup_(json_objectp) struct json_object *now = NULL;
	_cleanup_(closep) int secret = -1;
	bool done = false;

	json_object_array_add(results, result);
	if (!get_secret(context, options, volume, &secret)) {
		json_object_object_add(result, "ok", json_object_new_boolean(false));
		return false;
	}
	change.secret = secret;
	volumes_progress(context, label_text(LABEL_OPENING));
	done = client_change(dbus, &change, &why);
	volumes_progress(context, "");
	now = client_volume(dbus, path, &ignored);
	json_object_object_add(result, "ok", json_object_new_boolean(done));
	if (done) {
		tell_open(context, name, now, result);
	} else {
		_cleanup_(freep) char *what =
			output_format("%s %s", name, label_text(LABEL_OPEN_FAILED));

		volumes_refused(context, what, why, now, result);
	}
	return done;
}

int open_run(const struct context *context, const struct command_options *options)
{
	const char *argument = options->n_arguments ? options->arguments[0] : NULL;
	_cleanup_(freep) char *why = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = client_connect(&why);
	_cleanup_(json_objectp) struct json_object *volumes = NULL;
	_cleanup_(json_objectp) struct json_object *results = json_object_new_array();
	bool good = true;
	size_t n, tried = 0;

	if (!dbus) {
		_cleanup_(freep) char *shown = told_shown(why ? why : "");

		fprintf(stderr, "sekimorictl: %s %s\n", label_text(LABEL_BUS_FAILED), shown);
		return COMMAND_FAILED;
	}
	volumes_settle(dbus);
	volumes = volumes_find(dbus, context, argument);
	if (!volumes)
		return COMMAND_FAILED;
	n = json_object_array_length(volumes);
	for (size_t i = 0; i < n; i++) {
		struct json_object *volume = json_object_array_get_idx(volumes, i);

		/* Named, it is asked for; then the daemon says what it thinks of it. */
		if (is_open(volume) && !argument)
			continue;
		tried++;
		good &= open_one(dbus, context, options, volume, results);
	}
	if (context->json)
		output_json(results, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	else if (!tried)
		puts(label_text(n ? LABEL_NOTHING_TO_OPEN : LABEL_NO_VOLUMES));
	return good && n ? COMMAND_OK : COMMAND_FAILED;
}
