// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *              GetCapabilities           answered
 *   ABSENT ───────────────────▶ ASKING ────────────▶ THERE
 *      ▲    (bus comes, or       │ error               │
 *      │     name gets an owner) │                     │ name loses its owner, bus gone
 *      └─────────────────────────┴─────────────────────┘
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/notify.h"
#include "cli/i18n.h"
#include "cli/output.h"

#define SERVER "org.freedesktop.Notifications"
#define SERVER_PATH "/org/freedesktop/Notifications"

/* One that is clicked where it stands, not on a button (specification, "Actions"). */
#define ACTION_DEFAULT "default"

#define SAME_KEY_US 1000000ULL

/* What nobody could show by then is no news any more. */
#define WAITS_US (10 * 60 * 1000000ULL)

#define ASK_AGAIN_US 5000000ULL

#define EXPIRES_BY_SERVER (-1)
#define EXPIRES_NEVER 0

struct slot {
	struct notify *notify;
	struct notice *notice; /* NULL: the slot is free */
	uint32_t id;	       /* the server's; 0: not on the screen */
	bool wanted;	       /* has to be sent */
	bool sending;	       /* the server has not answered yet */
	bool doomed;	       /* … and what it will show is to be closed at once */
	uint64_t wanted_us;
	uint64_t sent_us;
};

struct notify {
	sd_event *event;
	struct bus_connection *session;
	notify_action_fn fn;
	void *userdata;

	enum { ABSENT, ASKING, THERE } server;
	uint64_t asked_us; /* for its capabilities */
	char *owner;	   /* unique name of the server */
	bool buttons, markup, persistent;

	struct slot slots[NOTIFY_SLOTS];
	unsigned int tokens;
	uint64_t refilled_us;
	sd_event_source *timer;
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- slots ---------------------------------------------------------------------------------- */

static void slot_clear(struct slot *slot)
{
	slot->notice = notice_free(slot->notice);
	slot->id = 0;
	slot->wanted = false;
}

static void id_close(struct notify *n, uint32_t id)
{
	DBusMessage *call =
		id ? dbus_message_new_method_call(SERVER, SERVER_PATH, SERVER, "CloseNotification") : NULL;

	if (!call)
		return;
	dbus_message_set_no_reply(call, TRUE);
	if (dbus_message_append_args(call, DBUS_TYPE_UINT32, &id, DBUS_TYPE_INVALID))
		bus_connection_send(n->session, call);
	dbus_message_unref(call);
}

/* Off the screen. What is on its way there has no number yet, or gets another one. */
static void slot_close(struct notify *n, struct slot *slot)
{
	id_close(n, slot->id);
	slot->doomed = slot->sending;
	slot_clear(slot);
}

static struct slot *slot_find(struct notify *n, const char *key)
{
	for (size_t i = 0; i < NOTIFY_SLOTS; i++)
		if (n->slots[i].notice && !strcmp(n->slots[i].notice->key, key))
			return &n->slots[i];
	return NULL;
}

static struct slot *slot_by_id(struct notify *n, uint32_t id)
{
	for (size_t i = 0; id && i < NOTIFY_SLOTS; i++)
		if (n->slots[i].notice && n->slots[i].id == id)
			return &n->slots[i];
	return NULL;
}

/* A free one, or that of the oldest notice. */
static struct slot *slot_take(struct notify *n)
{
	struct slot *oldest = NULL;

	for (size_t i = 0; i < NOTIFY_SLOTS; i++) {
		struct slot *slot = &n->slots[i];

		if (slot->sending)
			continue;
		if (!slot->notice)
			return slot;
		if (!oldest || slot->wanted_us < oldest->wanted_us)
			oldest = slot;
	}
	/* Nobody could click on it any more. */
	if (oldest)
		slot_close(n, oldest);
	return oldest;
}

/* --- showing -------------------------------------------------------------------------------- */

/* What stands in the body: our text, and without buttons the commands instead. */
static char *body_text(struct notify *n, const struct notice *notice)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		output_no_memory();
	fputs(notice->body ? notice->body : "", out);
	for (size_t i = 0; !n->buttons && i < NOTICE_ACTIONS_MAX && notice->actions[i]; i++) {
		_cleanup_(freep) char *command = notice_command(notice, notice->actions[i]);

		fprintf(out, "\n%s %s", notice_action_text(notice->actions[i]), command);
	}
	if (fclose(out))
		output_no_memory();
	return text;
}

static char *markup_text(const char *text)
{
	char *escaped = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&escaped, &size);

	if (!out)
		output_no_memory();
	output_markup(out, text);
	if (fclose(out))
		output_no_memory();
	return escaped;
}

static bool append_actions(struct notify *n, DBusMessageIter *args, const struct notice *notice)
{
	DBusMessageIter list;
	bool ok = dbus_message_iter_open_container(args, DBUS_TYPE_ARRAY, "s", &list);

	for (size_t i = 0; ok && n->buttons && i < NOTICE_ACTIONS_MAX && notice->actions[i]; i++) {
		const char *name = notice_action_name(notice->actions[i]);
		const char *text = notice_action_text(notice->actions[i]);
		const char *whole = ACTION_DEFAULT;

		if (!i)
			ok = dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &whole) &&
			     dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &text);
		ok = ok && dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &name) &&
		     dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &text);
	}
	return ok && dbus_message_iter_close_container(args, &list);
}

static bool append_hint(DBusMessageIter *dict, const char *key, int type, const void *value)
{
	const char signature[] = { (char)type, '\0' };
	DBusMessageIter entry, variant;

	return dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) &&
	       dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key) &&
	       dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, signature, &variant) &&
	       dbus_message_iter_append_basic(&variant, type, value) &&
	       dbus_message_iter_close_container(&entry, &variant) && dbus_message_iter_close_container(dict, &entry);
}

static bool append_hints(DBusMessageIter *args, const struct notice *notice)
{
	static const char *const desktop = "sekimori-agent", *const category = "device";
	uint8_t urgency = (uint8_t)notice->urgency;
	DBusMessageIter dict;

	return dbus_message_iter_open_container(args, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
	       append_hint(&dict, "urgency", DBUS_TYPE_BYTE, &urgency) &&
	       append_hint(&dict, "desktop-entry", DBUS_TYPE_STRING, &desktop) &&
	       append_hint(&dict, "category", DBUS_TYPE_STRING, &category) &&
	       dbus_message_iter_close_container(args, &dict);
}

static DBusMessage *message_new(struct notify *n, const struct slot *slot)
{
	const struct notice *notice = slot->notice;
	_cleanup_(freep) char *plain = body_text(n, notice);
	_cleanup_(freep) char *marked = n->markup ? markup_text(plain) : NULL;
	const char *application = _("Sekimori"), *body = marked ? marked : plain;
	/* Where none is kept in a list, one that waits for an answer stays until it has one. */
	int32_t expires = notice->actions[0] && !n->persistent ? EXPIRES_NEVER : EXPIRES_BY_SERVER;
	DBusMessage *call = dbus_message_new_method_call(SERVER, SERVER_PATH, SERVER, "Notify");
	DBusMessageIter args;

	if (!call)
		return NULL;
	dbus_message_iter_init_append(call, &args);
	if (dbus_message_iter_append_basic(&args, DBUS_TYPE_STRING, &application) &&
	    dbus_message_iter_append_basic(&args, DBUS_TYPE_UINT32, &slot->id) &&
	    dbus_message_iter_append_basic(&args, DBUS_TYPE_STRING, &notice->icon) &&
	    dbus_message_iter_append_basic(&args, DBUS_TYPE_STRING, &notice->title) &&
	    dbus_message_iter_append_basic(&args, DBUS_TYPE_STRING, &body) && append_actions(n, &args, notice) &&
	    append_hints(&args, notice) && dbus_message_iter_append_basic(&args, DBUS_TYPE_INT32, &expires))
		return call;
	dbus_message_unref(call);
	return NULL;
}

static void notify_kick(struct notify *n);
static void server_ask(struct notify *n);

static void on_shown(void *userdata, DBusMessage *reply)
{
	struct slot *slot = userdata;
	uint32_t id = 0;

	slot->sending = false;
	if (reply && !dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &id, DBUS_TYPE_INVALID))
		id = 0;
	if (slot->doomed)
		id_close(slot->notify, id);
	else if (id && slot->notice)
		slot->id = id;
	else if (!slot->wanted)
		slot_clear(slot);
	slot->doomed = false;
	if (reply)
		notify_kick(slot->notify);
}

static void slot_send(struct notify *n, struct slot *slot)
{
	DBusMessage *call = message_new(n, slot);

	if (!call)
		return;
	slot->wanted = false;
	slot->sending = bus_connection_ask(n->session, call, on_shown, slot) == 0;
	slot->sent_us = now_us();
	n->tokens--;
	dbus_message_unref(call);
}

static void tokens_refill(struct notify *n, uint64_t now)
{
	uint64_t gained = (now - n->refilled_us) / NOTIFY_INTERVAL_US;

	n->refilled_us += gained * NOTIFY_INTERVAL_US;
	n->tokens = gained + n->tokens > NOTIFY_BURST ? NOTIFY_BURST : n->tokens + (unsigned int)gained;
}

/* Sends what may be sent, and wakes up for the rest. The timer runs only while something waits. */
static void notify_kick(struct notify *n)
{
	uint64_t now = now_us(), later = 0;

	if (n->server != THERE)
		return;
	tokens_refill(n, now);
	for (size_t i = 0; i < NOTIFY_SLOTS; i++) {
		struct slot *slot = &n->slots[i];
		uint64_t due = slot->sent_us + SAME_KEY_US;

		if (!slot->wanted || slot->sending)
			continue;
		if (now - slot->wanted_us > WAITS_US) {
			slot_close(n, slot);
			continue;
		}
		if (!n->tokens && due < n->refilled_us + NOTIFY_INTERVAL_US)
			due = n->refilled_us + NOTIFY_INTERVAL_US;
		if (due <= now)
			slot_send(n, slot);
		else if (!later || due < later)
			later = due;
	}
	if (later && sd_event_source_set_time(n->timer, later) >= 0)
		sd_event_source_set_enabled(n->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	notify_kick(userdata);
	return 0;
}

void notify_show(struct notify *n, struct notice *notice)
{
	struct slot *slot;

	if (!notice)
		return;
	slot = slot_find(n, notice->key);
	if (!slot)
		slot = slot_take(n);
	if (!slot) {
		notice_free(notice);
		return;
	}
	if (!slot->notice)
		slot->sent_us = 0;
	notice_free(slot->notice);
	slot->notice = notice;
	slot->wanted = true;
	slot->wanted_us = now_us();
	/* One that the bus starts on demand may have failed to start before. */
	if (n->server == ABSENT && slot->wanted_us - n->asked_us > ASK_AGAIN_US)
		server_ask(n);
	notify_kick(n);
}

void notify_close(struct notify *n, const char *key)
{
	struct slot *slot = slot_find(n, key);

	if (slot)
		slot_close(n, slot);
}

bool notify_shown(struct notify *n, const char *key)
{
	return slot_find(n, key) != NULL;
}

/* --- the server ----------------------------------------------------------------------------- */

static void server_lost(struct notify *n)
{
	n->server = ABSENT;
	free(n->owner);
	n->owner = NULL;
	/* What it showed has gone with it; what waits goes on waiting. */
	for (size_t i = 0; i < NOTIFY_SLOTS; i++) {
		n->slots[i].id = 0;
		if (!n->slots[i].wanted && !n->slots[i].sending)
			slot_clear(&n->slots[i]);
	}
}

static void on_capabilities(void *userdata, DBusMessage *reply)
{
	struct notify *n = userdata;
	char **words = NULL;
	int count = 0;

	n->server = ABSENT;
	if (!reply || !dbus_message_get_args(reply, NULL, DBUS_TYPE_ARRAY, DBUS_TYPE_STRING, &words, &count,
					     DBUS_TYPE_INVALID))
		return;
	n->server = THERE;
	free(n->owner);
	n->owner = strdup(dbus_message_get_sender(reply) ? dbus_message_get_sender(reply) : "");
	n->buttons = n->markup = n->persistent = false;
	for (int i = 0; i < count; i++) {
		n->buttons |= !strcmp(words[i], "actions");
		n->markup |= !strcmp(words[i], "body-markup");
		n->persistent |= !strcmp(words[i], "persistence");
	}
	dbus_free_string_array(words);
	notify_kick(n);
}

/* Starts a server that the bus knows how to start. */
static void server_ask(struct notify *n)
{
	DBusMessage *call;

	if (n->server == ASKING)
		return;
	n->asked_us = now_us();
	call = dbus_message_new_method_call(SERVER, SERVER_PATH, SERVER, "GetCapabilities");
	if (call && bus_connection_ask(n->session, call, on_capabilities, n) == 0)
		n->server = ASKING;
	if (call)
		dbus_message_unref(call);
}

static void on_owner(void *userdata, DBusMessage *signal)
{
	struct notify *n = userdata;
	const char *name, *old, *new;

	if (!signal) {
		server_lost(n);
		server_ask(n);
		return;
	}
	if (!dbus_message_is_signal(signal, DBUS_INTERFACE_DBUS, "NameOwnerChanged") ||
	    !dbus_message_has_sender(signal, DBUS_SERVICE_DBUS) ||
	    !dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &old, DBUS_TYPE_STRING, &new,
				   DBUS_TYPE_INVALID) ||
	    strcmp(name, SERVER))
		return;
	if (*old)
		server_lost(n);
	if (*new)
		server_ask(n);
}

static void on_click(struct notify *n, uint32_t id, const char *word)
{
	struct slot *slot = slot_by_id(n, id);
	enum notice_action action = notice_action_find(word);

	if (!slot || slot->wanted)
		return;
	if (!strcmp(word, ACTION_DEFAULT))
		action = slot->notice->actions[0];
	for (size_t i = 0; action && i < NOTICE_ACTIONS_MAX; i++)
		if (slot->notice->actions[i] == action) {
			n->fn(n->userdata, slot->notice, action);
			return;
		}
}

static void on_server(void *userdata, DBusMessage *signal)
{
	struct notify *n = userdata;
	struct slot *slot;
	const char *word;
	uint32_t id, why;

	if (!signal || n->server != THERE || !dbus_message_has_sender(signal, n->owner))
		return;
	if (dbus_message_is_signal(signal, SERVER, "ActionInvoked") &&
	    dbus_message_get_args(signal, NULL, DBUS_TYPE_UINT32, &id, DBUS_TYPE_STRING, &word, DBUS_TYPE_INVALID))
		on_click(n, id, word);
	if (!dbus_message_is_signal(signal, SERVER, "NotificationClosed") ||
	    !dbus_message_get_args(signal, NULL, DBUS_TYPE_UINT32, &id, DBUS_TYPE_UINT32, &why, DBUS_TYPE_INVALID))
		return;
	slot = slot_by_id(n, id);
	if (slot)
		slot->id = 0;
	if (slot && !slot->wanted && !slot->sending)
		slot_clear(slot);
}

int notify_new(struct notify **ret, sd_event *event, struct bus_connection *session, notify_action_fn fn, void *userdata)
{
	_cleanup_(notify_freep) struct notify *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return -ENOMEM;
	n->event = sd_event_ref(event);
	n->session = session;
	n->fn = fn;
	n->userdata = userdata;
	n->tokens = NOTIFY_BURST;
	n->refilled_us = now_us();
	for (size_t i = 0; i < NOTIFY_SLOTS; i++)
		n->slots[i].notify = n;
	r = sd_event_add_time(event, &n->timer, CLOCK_MONOTONIC, 0, 50000, on_timer, n);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(n->timer, SD_EVENT_OFF);
	r = bus_connection_follow(session,
				  "type='signal',sender='" DBUS_SERVICE_DBUS "',member='NameOwnerChanged',arg0='" SERVER
				  "'",
				  on_owner, n);
	if (r >= 0)
		r = bus_connection_follow(session, "type='signal',sender='" SERVER "',interface='" SERVER "'",
					  on_server, n);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(n);
	return 0;
}

struct notify *notify_free(struct notify *n)
{
	if (!n)
		return NULL;
	for (size_t i = 0; i < NOTIFY_SLOTS; i++)
		slot_clear(&n->slots[i]);
	sd_event_source_disable_unref(n->timer);
	sd_event_unref(n->event);
	free(n->owner);
	free(n);
	return NULL;
}
