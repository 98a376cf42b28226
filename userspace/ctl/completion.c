// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/completion.h"

#include <stdio.h>
#include <string.h>

#include "cli/completion.h"
#include "cli/i18n.h"
#include "core/eventkind.h"
#include "core/exception.h"
#include "core/macro.h"
#include "core/reason.h"
#include "ctl/client.h"
#include "ctl/command.h"
#include "ctl/output.h"

/* --- the tables ------------------------------------------------------------------------------ */

static struct surface_command surface_command_at(size_t i)
{
	return (struct surface_command){ .name = commands[i].name, .usage = commands[i].usage, .text = commands[i].text };
}

static struct surface_option surface_option_at(size_t i)
{
	const struct command_option *option = &command_options[i];

	return (struct surface_option){ .name = option->name, .argument = option->argument, .text = option->text };
}

static bool command_takes(size_t command, size_t option)
{
	return command_options[option].takers & commands[command].bit;
}

/* What placeholders do not say. */
static const struct surface_value values[] = {
	{ "explain", "device", "" },
	{ NULL, "device", "ask devices" },
	{ NULL, "medium", "ask media" },
	{ NULL, "kind", "ask kinds" },
	{ NULL, "reason", "ask reasons" },
	{ NULL, "verdict", "words allow block would-block" },
	{ NULL, "user", "user" },
	{ NULL, "person", "user" },
	{ NULL, "group", "group" },
	{ "requests", "state", "ask states" },
	{ NULL, "state", "dir" },
	{ NULL, "terminal-key", "file" },
	{ NULL, "since", "words today yesterday -12h -7d" },
	{ NULL, "month", "words last" },
	{ NULL, "for", "words 30m 2h 1d 3d" },
	{ "log show", "format", "words table json csv cef" },
	{ "log follow", "format", "words table json csv cef" },
	{ "log export", "format", "words table json csv cef" },
	{ NULL, "format", "words text html csv" },
	{ "open", NULL, "ask volumes" },
	{ "eject", NULL, "ask volumes" },
	{ "request", NULL, "ask blocked" },
	{ "emergency", NULL, "ask blocked" },
	{ "rule-for", NULL, "ask devices" },
	{ "approve", NULL, "ask exceptions" },
	{ "deny", NULL, "ask exceptions" },
	{ "withdraw", NULL, "ask exceptions" },
	{ "revoke", NULL, "ask exceptions" },
	{ "extend", NULL, "ask exceptions" },
	{ "return", NULL, "ask exceptions" },
	{ "exception show", NULL, "ask exceptions" },
	{ "exception form", NULL, "ask exceptions" },
	{ "exception report", NULL, "ask exceptions" },
	{ "exception confirm", NULL, "ask exceptions" },
	{ "exception close", NULL, "ask exceptions" },
	{ "policy diff", NULL, "file" },
	{ "provision", NULL, "file" },
	{ "provision", "key", "file" },
};

const struct surface *ctl_surface(void)
{
	static struct surface surface = {
		.program = "sekimorictl",
		.command = surface_command_at,
		.option = surface_option_at,
		.takes = command_takes,
		.values = values,
		.n_values = ARRAY_SIZE(values),
	};

	/* The tables are another file's: how long they are is no constant here. */
	surface.n_commands = n_commands;
	surface.n_options = n_command_options;
	return &surface;
}

/* --- values ---------------------------------------------------------------------------------- */

static struct json_object *objects_ask(struct json_object *(*ask)(DBusConnection *dbus, char **why))
{
	_cleanup_(freep) char *why = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = client_connect(&why);

	return dbus ? ask(dbus, &why) : NULL;
}

/* By their ports, with what they say they are. */
static void print_devices(bool blocked)
{
	_cleanup_(json_objectp) struct json_object *devices = objects_ask(client_devices);

	for (size_t i = 0; devices && i < json_object_array_length(devices); i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);
		const char *state = output_raw(device, "State");
		_cleanup_(freep) char *about = output_format("%s %s %s", output_raw(device, "Id"), output_raw(device, "Product"),
							     i18n(reason_text(output_raw(device, "Reason"))));

		if (blocked ? !strcmp(state, "denied") : strcmp(state, "passed"))
			completion_print_value(output_raw(device, "Name"), about);
	}
}

static void print_volumes(void)
{
	_cleanup_(json_objectp) struct json_object *volumes = objects_ask(client_volumes);

	for (size_t i = 0; volumes && i < json_object_array_length(volumes); i++) {
		struct json_object *volume = json_object_array_get_idx(volumes, i);
		const char *medium = output_raw(volume, "Medium");

		completion_print_value(*medium ? medium : output_raw(volume, "DeviceName"), output_raw(volume, "Label"));
	}
}

/* Registered media that are plugged in. */
static void print_media(void)
{
	_cleanup_(json_objectp) struct json_object *devices = objects_ask(client_devices);

	for (size_t i = 0; devices && i < json_object_array_length(devices); i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);

		completion_print_value(output_raw(device, "Medium"), output_raw(device, "Product"));
	}
}

static void print_exceptions(void)
{
	_cleanup_(json_objectp) struct json_object *requests = objects_ask(client_requests);

	for (size_t i = 0; requests && i < json_object_array_length(requests); i++) {
		struct json_object *request = json_object_array_get_idx(requests, i), *number;
		unsigned int state = exception_state_find(output_raw(request, "State"));

		if (json_object_object_get_ex(request, "Number", &number))
			completion_print_value(json_object_get_string(number),
					       state == N_EXCEPTION_STATES ? NULL : i18n(exception_state_text(state)));
	}
}

static void print_kinds(void)
{
	for (size_t i = 0; i < n_eventkinds; i++)
		completion_print_value(eventkinds[i].name, i18n(eventkinds[i].text));
}

static void print_reasons(void)
{
	const struct reason *reason;

	for (size_t i = 0; (reason = reason_row(i)); i++)
		completion_print_value(reason->code, i18n(reason->text));
}

static void print_states(void)
{
	for (unsigned int i = 0; i < N_EXCEPTION_STATES; i++)
		if (exception_state_name(i))
			completion_print_value(exception_state_name(i), i18n(exception_state_text(i)));
}

static void print_plugged(void)
{
	print_devices(false);
}

static void print_blocked(void)
{
	print_devices(true);
}

static bool print_values(void *userdata, const char *what)
{
	static const struct {
		const char *what;
		void (*print)(void);
	} rows[] = {
		{ "devices", print_plugged },
		{ "blocked", print_blocked },
		{ "volumes", print_volumes },
		{ "media", print_media },
		{ "exceptions", print_exceptions },
		{ "kinds", print_kinds },
		{ "reasons", print_reasons },
		{ "states", print_states },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].what, what)) {
			rows[i].print();
			return true;
		}
	return false;
}

int ctl_completion_run(int argc, char *const *argv)
{
	return completion_run(ctl_surface(), argc, argv, print_values, NULL);
}
