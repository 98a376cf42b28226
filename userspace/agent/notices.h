/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent says, and when it has something to say: from what sekimorid told (docs/dbus.md, as JSON) to a title, a text
 * and what can be done about it. Pure: no bus, no clock.
 *
 * One notice per thing: of two with the same key the later one takes the earlier one's place on the screen. Title and text
 * are plain text and safe to show (agent/words.h); only who shows them knows whether they have to be written as markup.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/macro.h"

#define NOTICE_ACTIONS_MAX 2

/* Desktop Notifications Specification 1.2, "Urgency Levels". */
enum notice_urgency {
	NOTICE_LOW = 0,
	NOTICE_NORMAL = 1,
	NOTICE_CRITICAL = 2,
};

/* What a notice offers. Each opens a form, or asks for a passphrase: none does anything by one click. */
enum notice_action {
	NOTICE_NOTHING = 0,
	NOTICE_APPLY,
	NOTICE_EXTEND,
	NOTICE_APPROVE,
	NOTICE_DENY,
	NOTICE_OPEN,
	N_NOTICE_ACTIONS,
};

struct notice {
	char *key;
	char *title;
	char *body;
	const char *icon; /* freedesktop.org Icon Naming Specification */
	enum notice_urgency urgency;
	enum notice_action actions[NOTICE_ACTIONS_MAX]; /* up to the first NOTICE_NOTHING */
	char *object;					/* path of the device or volume, or NULL */
	char *subject;					/* its name in words, for the form, or NULL */
	char *argument;					/* what sekimorictl calls it: a port, a node, a number; or NULL */
	uint32_t number;				/* of the exception, or 0 */
	int64_t until; /* the extension that was shown; 0: it was the request itself */
};

struct notice *notice_free(struct notice *notice);
DEFINE_CLEANUP(struct notice *, notice_free);

/* The word of an action on the bus, and on its button. */
const char *notice_action_name(enum notice_action action);
const char *notice_action_text(enum notice_action action);

/* NOTICE_NOTHING: no such word. */
enum notice_action notice_action_find(const char *name);

/* The command of sekimorictl that does the same, and all of it, for where there are no buttons; malloc'd. */
const char *notice_action_command(enum notice_action action);
char *notice_command(const struct notice *notice, enum notice_action action);

/*
 * All are malloc'd; NULL: there is nothing to say of that. `now` in seconds since the epoch.
 */

/* A device was refused (record of DeviceDenied). contact: whom to ask, may be empty. */
struct notice *notice_blocked(const char *path, struct json_object *record, const char *contact);

/* It would have been refused, and a drill lets it in (record of DeviceWouldBeDenied). */
struct notice *notice_would_block(const char *path, struct json_object *record, const char *contact);

/* Was it by this Grant that a device was let in (record of DeviceAllowed)? Everybody's are there to be seen. */
bool notice_is_by(struct json_object *record, struct json_object *grant);

/* A device was let in by this Grant; NULL: the grant is not known, which says less. */
struct notice *notice_released(struct json_object *record, struct json_object *grant, int64_t now);

/* It was let in and is taken back, or it turned into something else (DeviceRevoked, DeviceTampered). */
struct notice *notice_taken_back(struct json_object *record, bool tampered, const char *contact);

/* A Volume that waits for its passphrase; medium may be empty. */
struct notice *notice_locked(const char *path, struct json_object *volume, const char *medium);

/* It is open at that place. */
struct notice *notice_opened(const char *path, const char *place);

/*
 * One's own exception, as it is now. before: its state at the last look, NULL: it was not there. approvals: how many it
 * had then. note: what was said with the last step, may be empty.
 */
struct notice *notice_step(const char *before, unsigned int approvals, struct json_object *exception, const char *note,
			   int64_t now);

/* It ends in so many seconds. exception: NULL if it is not known. */
struct notice *notice_ending(uint32_t number, unsigned int seconds, struct json_object *exception);

/* Something is owed for one's own exception, and overdue. */
struct notice *notice_overdue(struct json_object *exception);

/* For approvers: one that waits, or so many; and by which keys they are closed (the first malloc'd). */
#define NOTICE_MANY_WAITING_KEY "approve:many"
char *notice_waiting_key(uint32_t number);
struct notice *notice_waiting(struct json_object *exception, int64_t now);
struct notice *notice_many_waiting(unsigned int count);

/*
 * What was asked for with `action` was refused: error is what the daemon said (a reason code, perhaps with a detail). The
 * text is malloc'd, not empty and safe to show.
 * The notice offers the same once more where that makes sense.
 */
char *notice_refusal_text(const char *error);
struct notice *notice_refused(enum notice_action action, const struct notice *of, const char *error);
