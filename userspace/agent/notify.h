/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notices on the screen: a client of org.freedesktop.Notifications (Desktop Notifications Specification 1.2).
 *
 * A server may be missing, come later, and go at any time: what is to be shown waits for it for some minutes, the latest of
 * each key. Its capabilities decide how a text is written (markup or not), and whether what can be done is a button or the
 * name of a command. Nothing floods: one key is shown anew once a second at most, and all together NOTIFY_BURST at once, then
 * one in NOTIFY_INTERVAL_US; what comes faster takes the place of what waits under its key.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/notices.h"
#include "bus/connection.h"

#define NOTIFY_BURST 12
#define NOTIFY_INTERVAL_US 2000000ULL

/* Keys at one time; the one shown longest ago goes from the screen for a new one. */
#define NOTIFY_SLOTS 64

struct notify;

/* Somebody clicked. The notice is borrowed for the call. */
typedef void (*notify_action_fn)(void *userdata, const struct notice *notice, enum notice_action action);

/* session: the session bus; event and it must outlive the client. */
int notify_new(struct notify **ret, sd_event *event, struct bus_connection *session, notify_action_fn fn,
	       void *userdata);
struct notify *notify_free(struct notify *notify);
DEFINE_CLEANUP(struct notify *, notify_free);

/* Takes the notice; NULL shows nothing. */
void notify_show(struct notify *notify, struct notice *notice);

/* Takes it off the screen, if it is there, or as soon as the server has put it there. */
void notify_close(struct notify *notify, const char *key);

/* Is it on the screen, or waiting to be? */
bool notify_shown(struct notify *notify, const char *key);
