// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A notification daemon without a screen: owns org.freedesktop.Notifications (Desktop Notifications Specification 1.2) on the
 * bus of DBUS_SESSION_BUS_ADDRESS, and prints what it is asked to show, a JSON object a line:
 *
 *     {"shown": ID, "title": TEXT, "body": TEXT, "actions": [WORD, TEXT, ...]}
 *     {"closed": ID}
 *
 * A line "ID WORD" on its standard input is a click on that action.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"
#define CLOSED_BY_CALL 3u

static uint32_t last_id;

static void say(struct json_object *line)
{
	puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
	fflush(stdout);
	json_object_put(line);
}

static struct json_object *read_actions(sd_bus_message *call)
{
	struct json_object *actions = json_object_new_array();
	const char *word;

	if (sd_bus_message_enter_container(call, 'a', "s") < 0)
		return actions;
	while (sd_bus_message_read(call, "s", &word) > 0)
		json_object_array_add(actions, json_object_new_string(word));
	sd_bus_message_exit_container(call);
	return actions;
}

static int on_notify(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const char *application, *icon, *title, *body;
	struct json_object *line;
	uint32_t id;
	int r = sd_bus_message_read(call, "susss", &application, &id, &icon, &title, &body);

	if (r < 0)
		return r;
	if (!id)
		id = ++last_id;
	line = json_object_new_object();
	json_object_object_add(line, "shown", json_object_new_int64(id));
	json_object_object_add(line, "title", json_object_new_string(title));
	json_object_object_add(line, "body", json_object_new_string(body));
	json_object_object_add(line, "actions", read_actions(call));
	say(line);
	return sd_bus_reply_method_return(call, "u", id);
}

static int on_close(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct json_object *line = json_object_new_object();
	uint32_t id;
	int r = sd_bus_message_read(call, "u", &id);

	if (r < 0)
		return r;
	json_object_object_add(line, "closed", json_object_new_int64(id));
	say(line);
	sd_bus_emit_signal(sd_bus_message_get_bus(call), PATH, NAME, "NotificationClosed", "uu", id, CLOSED_BY_CALL);
	return sd_bus_reply_method_return(call, "");
}

static int on_capabilities(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return sd_bus_reply_method_return(call, "as", 2, "actions", "body");
}

static int on_information(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return sd_bus_reply_method_return(call, "ssss", "notifier", "sekimori", "1", "1.2");
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Notify", "susssasa{sv}i", "u", on_notify, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("CloseNotification", "u", "", on_close, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("GetCapabilities", "", "as", on_capabilities, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("GetServerInformation", "", "ssss", on_information, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("ActionInvoked", "us", 0),
	SD_BUS_SIGNAL("NotificationClosed", "uu", 0),
	SD_BUS_VTABLE_END,
};

/* One line at a time: whoever clicks waits for what comes of it. */
static int on_click(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	char line[128], word[64];
	ssize_t n = read(fd, line, sizeof(line) - 1);
	uint32_t id;

	if (n <= 0)
		return sd_event_exit(sd_event_source_get_event(source), 0);
	line[n] = '\0';
	if (sscanf(line, "%u %63s", &id, word) == 2)
		sd_bus_emit_signal(userdata, PATH, NAME, "ActionInvoked", "us", id, word);
	return 0;
}

int main(void)
{
	sd_event *event;
	sd_bus *bus;

	if (sd_event_new(&event) < 0 || sd_bus_open_user(&bus) < 0 || sd_bus_attach_event(bus, event, 0) < 0 ||
	    sd_bus_add_object_vtable(bus, NULL, PATH, NAME, vtable, NULL) < 0 || sd_bus_request_name(bus, NAME, 0) < 0 ||
	    sd_event_add_io(event, NULL, STDIN_FILENO, EPOLLIN, on_click, bus) < 0) {
		fputs("notifier: no bus, or it has a notification daemon already\n", stderr);
		return EXIT_FAILURE;
	}
	return sd_event_loop(event) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
