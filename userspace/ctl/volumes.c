// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "bus/names.h"
#include "cli/i18n.h"
#include "cli/told.h"
#include "core/reason.h"
#include "ctl/volumes.h"

/* A medium that was plugged in a moment ago takes some seconds to be proved. */
#define SETTLE_MS 10000
#define SETTLE_STEP_MS 200

/* --- finding ------------------------------------------------------------------------------- */

static bool volume_is(struct json_object *volume, const char *argument)
{
	static const char *const members[] = {"DeviceName", "Medium", "Uuid", "Node", "Label"};
	const char *device = output_raw(volume, "Device");

	if (!strncmp(device, BUS_DEVICE_PATH_PREFIX, strlen(BUS_DEVICE_PATH_PREFIX)) &&
	    !strcmp(device + strlen(BUS_DEVICE_PATH_PREFIX), argument))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (!strcmp(output_raw(volume, members[i]), argument))
			return true;
	return false;
}

struct json_object *volumes_find(DBusConnection *dbus, const struct context *context,
				 const char *argument)
{
	_cleanup_(freep) char *why = NULL;
	struct json_object *volumes = client_volumes(dbus, &why);

	if (!volumes) {
		_cleanup_(freep) char *shown = told_shown(why ? why : "");

		fprintf(stderr, "sekimorictl: %s %s\n", label_text(LABEL_BUS_FAILED), shown);
		return NULL;
	}
	for (size_t i = json_object_array_length(volumes); argument && i-- > 0;)
		if (!volume_is(json_object_array_get_idx(volumes, i), argument))
			json_object_array_del_idx(volumes, i, 1);
	if (argument && !json_object_array_length(volumes)) {
		_cleanup_(freep) char *shown = output_escape(argument);

		fprintf(stderr, "sekimorictl: %s %s\n", label_text(LABEL_NO_SUCH_VOLUME), shown);
		json_object_put(volumes);
		return NULL;
	}
	return volumes;
}

/* Is a device on its way that has no volume yet: being proved, or let in and looked at again? */
static bool is_on_its_way(struct json_object *device, struct json_object *volumes)
{
	struct json_object *disks = json_object_object_get(device, "BlockDevices");
	const char *state = output_raw(device, "State");

	if (!strcmp(state, "inspecting"))
		return true;
	if (strcmp(state, "allowed") ||
	    !(*output_raw(device, "Method") ||
	      (json_object_is_type(disks, json_type_array) && json_object_array_length(disks))))
		return false;
	for (size_t i = 0; i < json_object_array_length(volumes); i++)
		if (!strcmp(output_raw(json_object_array_get_idx(volumes, i), "Device"),
			    output_raw(device, "Path")))
			return false;
	return true;
}

static bool any_on_its_way(DBusConnection *dbus)
{
	_cleanup_(freep) char *ignored = NULL, *too = NULL;
	struct json_object *devices = client_devices(dbus, &ignored);
	struct json_object *volumes = client_volumes(dbus, &too);
	bool any = false;

	for (size_t i = 0; devices && volumes && i < json_object_array_length(devices); i++)
		any |= is_on_its_way(json_object_array_get_idx(devices, i), volumes);
	json_object_put(devices);
	json_object_put(volumes);
	return any;
}

void volumes_settle(DBusConnection *dbus)
{
	for (unsigned int ms = 0; ms < SETTLE_MS && any_on_its_way(dbus); ms += SETTLE_STEP_MS)
		usleep(SETTLE_STEP_MS * 1000);
}

char *volumes_name(struct json_object *volume)
{
	static const char *const members[] = {"Medium", "Label", "Uuid", "Node"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (*output_raw(volume, members[i]))
			return output_member(volume, members[i]);
	return output_format("?");
}

/* --- telling ------------------------------------------------------------------------------- */

void volumes_progress(const struct context *context, const char *text)
{
	if (!context->json && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\x1b[K%s", text);
}

static void tell_infected(const struct context *context, struct json_object *list)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *pair = json_object_array_get_idx(list, i);
		_cleanup_(freep) char *path = output_escape(
			json_object_get_string(json_object_array_get_idx(pair, 0)));
		_cleanup_(freep) char *signature = output_escape(
			json_object_get_string(json_object_array_get_idx(pair, 1)));

		fprintf(stderr, "  %s %s (%s)\n", label_text(LABEL_INFECTED_FILE), path, signature);
	}
}

static void tell_holders(const struct context *context, struct json_object *list)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		_cleanup_(freep) char *name = output_escape(
			json_object_get_string(json_object_array_get_idx(entry, 0)));

		fprintf(stderr, "  %s %s (%d)\n", label_text(LABEL_HELD_BY), name,
			json_object_get_int(json_object_array_get_idx(entry, 1)));
	}
}

/* "REASON: DETAIL" taken apart; what is no reason of ours stays as it is. */
static void tell_reason(const struct context *context, const char *what, const char *why)
{
	size_t len = strcspn(why, ":");
	_cleanup_(freep) char *code = strndup(why, len);
	const char *rest = why[len] ? why + len + 1 + (why[len + 1] == ' ') : "";
	_cleanup_(freep) char *detail = told_shown(rest);

	if (!code || !reason_find(code)) {
		_cleanup_(freep) char *shown = told_shown(why);

		fprintf(stderr, "%s %s\n", what, shown);
	} else if (!strcmp(rest, reason_text(code))) {
		/* The daemon's own words for the code. */
		fprintf(stderr, "%s %s\n", what, i18n(reason_text(code)));
	} else if (!strcmp(code, "passphrase-wait")) {
		fprintf(stderr, "%s %s (%s %s)\n", what, i18n(reason_text(code)), detail,
			label_text(LABEL_SECONDS_LEFT));
	} else {
		fprintf(stderr, "%s %s%s%s%s\n", what, i18n(reason_text(code)), *detail ? " (" : "",
			detail, *detail ? ")" : "");
	}
}

void volumes_refused(const struct context *context, const char *what, const char *why,
		     struct json_object *volume, struct json_object *result)
{
	struct json_object *infected = json_object_object_get(volume, "Infected");
	struct json_object *holders = json_object_object_get(volume, "Holders");
	size_t len = strcspn(why ? why : "", ":");

	if (!context->json) {
		tell_reason(context, what, why ? why : "");
		tell_infected(context, infected);
		tell_holders(context, holders);
		return;
	}
	json_object_object_add(result, "reason", json_object_new_string_len(why ? why : "", (int)len));
	json_object_object_add(result, "error", json_object_new_string(why ? why : ""));
	json_object_object_add(result, "infected",
			       infected ? json_object_get(infected) : json_object_new_array());
	json_object_object_add(result, "holders",
			       holders ? json_object_get(holders) : json_object_new_array());
}
