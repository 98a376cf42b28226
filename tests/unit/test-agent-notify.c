// SPDX-License-Identifier: GPL-2.0-or-later
/* agent/notify: what goes from the screen, with a notification daemon that the test plays. */
#include <string.h>

#include "agent/notify.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "testing.h"

#define NOTES_MAX 256

static struct {
	sd_event *event;
	struct notify *notify;
	bus_signal_fn owner;
	void *owner_userdata;
	/* What has been asked and not been answered yet. */
	bus_answer_fn fn;
	void *userdata;
	DBusMessage *call;
	uint32_t last_id, closed[NOTES_MAX];
	size_t n_closed;
} world;

/* --- the session's bus, played -------------------------------------------------------------- */

int bus_connection_follow(struct bus_connection *c, const char *rule, bus_signal_fn fn, void *userdata)
{
	if (strstr(rule, "NameOwnerChanged")) {
		world.owner = fn;
		world.owner_userdata = userdata;
	}
	return 0;
}

int bus_connection_send(struct bus_connection *c, DBusMessage *message)
{
	uint32_t id;

	CU_ASSERT_FATAL(dbus_message_is_method_call(message, "org.freedesktop.Notifications", "CloseNotification"));
	CU_ASSERT_FATAL(dbus_message_get_args(message, NULL, DBUS_TYPE_UINT32, &id, DBUS_TYPE_INVALID));
	CU_ASSERT_FATAL(world.n_closed < NOTES_MAX);
	world.closed[world.n_closed++] = id;
	return 0;
}

int bus_connection_ask(struct bus_connection *c, DBusMessage *call, bus_answer_fn fn, void *userdata)
{
	CU_ASSERT_PTR_NULL_FATAL(world.call);
	world.fn = fn;
	world.userdata = userdata;
	world.call = dbus_message_ref(call);
	return 0;
}

/* Answers the question that waits: what it can do, or the number of what it shows. */
static void answer(int type, const void *value)
{
	DBusMessage *call = world.call, *reply;

	CU_ASSERT_PTR_NOT_NULL_FATAL(call);
	world.call = NULL;
	dbus_message_set_serial(call, 1);
	reply = dbus_message_new_method_return(call);
	if (type == DBUS_TYPE_ARRAY)
		dbus_message_append_args(reply, type, DBUS_TYPE_STRING, value, 1, DBUS_TYPE_INVALID);
	else
		dbus_message_append_args(reply, type, value, DBUS_TYPE_INVALID);
	world.fn(world.userdata, reply);
	dbus_message_unref(reply);
	dbus_message_unref(call);
}

static void shows(uint32_t id)
{
	answer(DBUS_TYPE_UINT32, &id);
}

static void on_action(void *userdata, const struct notice *notice, enum notice_action action)
{
}

static void begin(void)
{
	static const char *const words[] = { "actions" };
	const char *const *list = words;

	memset(&world, 0, sizeof(world));
	CU_ASSERT_FATAL(sd_event_new(&world.event) >= 0);
	CU_ASSERT_FATAL(notify_new(&world.notify, world.event, NULL, on_action, NULL) >= 0);
	/* There is a bus, and a notification daemon on it. */
	world.owner(world.owner_userdata, NULL);
	answer(DBUS_TYPE_ARRAY, &list);
}

static void end(void)
{
	if (world.call)
		dbus_message_unref(world.call);
	notify_free(world.notify);
	sd_event_unref(world.event);
}

static void show(unsigned int n)
{
	struct notice *notice = calloc(1, sizeof(*notice));

	notice->key = output_format("key:%u", n);
	notice->title = output_format("title");
	notice->icon = "icon";
	notify_show(world.notify, notice);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void what_is_on_its_way_to_the_screen_can_be_closed(void)
{
	begin();
	show(1);
	notify_close(world.notify, "key:1");
	CU_ASSERT(!notify_shown(world.notify, "key:1") && !world.n_closed);
	shows(7);
	CU_ASSERT(world.n_closed == 1 && world.closed[0] == 7);
	/* What is shown under the same key later is another one. */
	show(1);
	shows(8);
	CU_ASSERT(notify_shown(world.notify, "key:1") && world.n_closed == 1);
	notify_close(world.notify, "key:1");
	CU_ASSERT(world.n_closed == 2 && world.closed[1] == 8);
	end();
}

static void what_makes_room_for_a_new_one_goes_from_the_screen(void)
{
	begin();
	show(0);
	shows(100);
	for (unsigned int i = 1; i <= NOTIFY_SLOTS; i++) {
		show(i);
		if (world.call)
			shows(100 + i);
	}
	CU_ASSERT(world.n_closed == 1 && world.closed[0] == 100);
	CU_ASSERT(!notify_shown(world.notify, "key:0"));
	end();
}

int main(void)
{
	static const struct test tests[] = {
		TEST(what_is_on_its_way_to_the_screen_can_be_closed),
		TEST(what_makes_room_for_a_new_one_goes_from_the_screen),
	};

	i18n_speak(false);
	return testing_run("agent-notify", tests, ARRAY_SIZE(tests));
}
