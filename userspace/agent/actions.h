/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What follows a click on a notice: a form or the question for a passphrase, then the call to the daemon, then a notice of
 * how it went. A form that is cancelled leaves nothing. Approvers see all of a request, as it is then, before they can
 * say anything. Where no window can be opened, a terminal's with sekimorictl is.
 */
#pragma once

#include "agent/barrier.h"
#include "agent/notify.h"

/* Forms at one time; for one thing there is only one. */
#define ACTIONS_MAX 4

struct actions;

/* What it is given must outlive it, but barrier, which is freed first: its answers come then. */
int actions_new(struct actions **ret, sd_event *event, struct barrier *barrier, struct notify *notify);
struct actions *actions_free(struct actions *actions);
DEFINE_CLEANUP(struct actions *, actions_free);

/* A notify_action_fn's work. The notice is borrowed. */
void actions_begin(struct actions *actions, const struct notice *notice, enum notice_action action);
