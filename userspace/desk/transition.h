/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may happen to a medium, as a table in transition.c:
 *
 *                        issued, enrolled, imported
 *                                  │
 *               found,             ▼          lent
 *            ┌────────────────► ACTIVE ◄─────────────► LENT
 *            │                  │    ▲   returned       │
 *            │             lost │    │ issued,          │
 *            ▼◄─────────────────┘    │ enrolled         │
 *          LOST ◄────────────────────┼──────── lost ────┤
 *            │ ▲                     │                  │
 *      found │ │ lost              REVOKED ◄── revoked ─┘ (also from ACTIVE)
 *  (if it    └─┴──────────────────►  │  ▲
 *  was so)                           │  └─ returned: the revoked stick came back
 *                                    ▼
 *         disposed: from ACTIVE or REVOKED once it is wiped, else with a reason; from LOST with a reason.
 *         DISPOSED has no way out.
 *
 * wiped: from ACTIVE or REVOKED, which it stays. changed: anywhere but in DISPOSED.
 */
#pragma once

#include <stdbool.h>

#include "core/medium.h"

/* Kinds of events. The words in the database are in transition.c. */
enum event_kind {
	EVENT_ISSUED,   /* formatted and marked by this desk */
	EVENT_ENROLLED, /* taken in as it is */
	EVENT_IMPORTED, /* from a table */
	EVENT_LENT,
	EVENT_RETURNED,
	EVENT_LOST,
	EVENT_FOUND,
	EVENT_REVOKED,
	EVENT_WIPED,
	EVENT_DISPOSED,
	EVENT_CHANGED, /* a correction, or a longer term */
	EVENT_COUNT,
};

enum {
	TRANSITION_E_STATUS = 1, /* not from this status */
	TRANSITION_E_WHY = 2,    /* only with a reason */
	TRANSITION_E_WIPED = 3,  /* there is nothing on it: issue it anew first */
};

/* What a transition depends on. */
struct transition_state {
	bool exists;
	enum medium_status status;
	bool wiped;          /* and nothing was put on it since */
	bool revoked_before; /* LOST: it was revoked when it went */
};

/*
 * 0 and *state moved on, or TRANSITION_E_… and *state untouched. EVENT_IMPORTED takes the status
 * from the table.
 */
int transition_make(struct transition_state *state, enum event_kind kind, bool has_why,
		    enum medium_status imported);

const char *event_kind_name(enum event_kind kind); /* "issued", … */
const char *event_kind_text(enum event_kind kind);
bool event_kind_find(const char *name, enum event_kind *kind);

bool status_find(const char *name, enum medium_status *status); /* names: medium_status_name() */
const char *status_text(enum medium_status status);

/* What can be done about TRANSITION_E_STATUS: a sentence. */
const char *transition_advice(const struct transition_state *state, enum event_kind kind);
