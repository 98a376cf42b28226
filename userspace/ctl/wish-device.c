// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "bus/names.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "core/macro.h"
#include "ctl/label.h"
#include "ctl/wish.h"

/* By its port, its number in `list`, or the number of its medium. */
static bool device_is(struct json_object *device, const char *what)
{
	const char *path = output_raw(device, "Path"), *medium = output_raw(device, "Medium");

	return !strcmp(output_raw(device, "Name"), what) || (*medium && !strcmp(medium, what)) ||
	       (!strncmp(path, BUS_DEVICE_PATH_PREFIX, strlen(BUS_DEVICE_PATH_PREFIX)) &&
		!strcmp(path + strlen(BUS_DEVICE_PATH_PREFIX), what));
}

struct json_object *wish_denied_devices(struct json_object *devices)
{
	struct json_object *denied = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(devices); i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);

		/* What a drill lets in needs the exception when the drill is over. */
		if (!strcmp(output_raw(device, "State"), "denied") ||
		    !strcmp(output_raw(device, "State"), "would-deny"))
			json_object_array_add(denied, json_object_get(device));
	}
	return denied;
}

struct json_object *wish_device(const struct wish *wish, struct json_object *devices)
{
	for (size_t i = 0; wish->device && i < json_object_array_length(devices); i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);

		if (!strcmp(output_raw(device, "Path"), wish->device))
			return device;
	}
	return NULL;
}

static int take(struct wish *wish, struct json_object *device)
{
	wish->device = output_format("%s", output_raw(device, "Path"));
	return COMMAND_OK;
}

static int take_named(struct wish *wish, const char *what, struct json_object *devices)
{
	_cleanup_(freep) char *shown = output_escape(what);

	for (size_t i = 0; i < json_object_array_length(devices); i++)
		if (device_is(json_object_array_get_idx(devices, i), what))
			return take(wish, json_object_array_get_idx(devices, i));
	fprintf(stderr, "sekimorictl: %s %s\n", label_text(LABEL_NO_SUCH_DEVICE), shown);
	return COMMAND_FAILED;
}

static int take_only_one(struct wish *wish, struct json_object *devices)
{
	_cleanup_(json_objectp) struct json_object *denied = wish_denied_devices(devices);
	size_t n = json_object_array_length(denied);

	if (n == 1)
		return take(wish, json_object_array_get_idx(denied, 0));
	if (!n) {
		fputs(_("sekimorictl: no blocked device is plugged in: plug it in, or name a registered medium with --medium\n"),
		      stderr);
		return COMMAND_FAILED;
	}
	fputs(_("sekimorictl: several blocked devices are plugged in; name one by its port:\n"), stderr);
	for (size_t i = 0; i < n; i++) {
		struct json_object *device = json_object_array_get_idx(denied, i);
		_cleanup_(freep) char *port = output_member(device, "Name");
		_cleanup_(freep) char *product = output_member(device, "Product");

		fprintf(stderr, "  %s  %s\n", port, product);
	}
	return COMMAND_FAILED;
}

int wish_take_device(struct wish *wish, const struct command_options *options, struct json_object *devices)
{
	const char *what = options->n_arguments ? options->arguments[0] : options->device;

	if (options->n_arguments && options->device) {
		fputs(_("sekimorictl: the device is given twice\n"), stderr);
		return COMMAND_USAGE;
	}
	if (what && wish->medium) {
		fputs(_("sekimorictl: give a device or --medium, not both\n"), stderr);
		return COMMAND_USAGE;
	}
	if (wish->medium)
		return COMMAND_OK;
	return what ? take_named(wish, what, devices) : take_only_one(wish, devices);
}
