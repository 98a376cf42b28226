// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <string.h>

#include "cli/i18n.h"
#include "core/macro.h"
#include "desk/transition.h"

/* Statuses as a set; ABSENT is a medium that is not in the register. */
#define FROM(status) (1u << (MEDIUM_##status))
#define ABSENT (1u << 8)
#define AT_HAND (FROM(ACTIVE) | FROM(REVOKED))

enum {
	STAYS = -1,  /* the status does not change */
	BEFORE = -2, /* what it was before it was lost */
};

static const struct {
	const char *name;
	const char *text;
	unsigned int from;
	int to;           /* enum medium_status, or STAYS, BEFORE */
	unsigned int why; /* statuses from which a reason is needed, wiped or not */
	unsigned int why_unless_wiped;
} kinds[EVENT_COUNT] = {
	[EVENT_ISSUED] = {"issued", N_("issued"), ABSENT | AT_HAND, MEDIUM_ACTIVE, 0, 0},
	[EVENT_ENROLLED] = {"enrolled", N_("enrolled"), ABSENT | AT_HAND, MEDIUM_ACTIVE, 0, 0},
	[EVENT_IMPORTED] = {"imported", N_("imported"), ABSENT, STAYS, 0, 0},
	[EVENT_LENT] = {"lent", N_("lent"), FROM(ACTIVE), MEDIUM_LENT, 0, 0},
	[EVENT_RETURNED] = {"returned", N_("returned"), FROM(LENT) | FROM(REVOKED), BEFORE, 0, 0},
	[EVENT_LOST] = {"lost", N_("lost"), FROM(LENT) | AT_HAND, MEDIUM_LOST, 0, 0},
	[EVENT_FOUND] = {"found", N_("found"), FROM(LOST), BEFORE, 0, 0},
	[EVENT_REVOKED] = {"revoked", N_("revoked"), FROM(ACTIVE) | FROM(LENT), MEDIUM_REVOKED, 0,
			   0},
	[EVENT_WIPED] = {"wiped", N_("wiped"), AT_HAND, STAYS, 0, 0},
	[EVENT_DISPOSED] = {"disposed", N_("disposed"), AT_HAND | FROM(LOST), MEDIUM_DISPOSED,
			    FROM(LOST), AT_HAND},
	[EVENT_CHANGED] = {"changed", N_("changed"), AT_HAND | FROM(LENT) | FROM(LOST), STAYS, 0,
			   0},
};

static const struct {
	const char *text;
} statuses[] = {
	[MEDIUM_ACTIVE] = {N_("active")},
	[MEDIUM_LENT] = {NC_("status", "lent")},
	[MEDIUM_LOST] = {N_("LOST")},
	[MEDIUM_REVOKED] = {N_("revoked")},
	[MEDIUM_DISPOSED] = {NC_("status", "disposed")},
};

int transition_make(struct transition_state *state, enum event_kind kind, bool has_why,
		    enum medium_status imported)
{
	unsigned int now = state->exists ? 1u << state->status : ABSENT;
	bool was_revoked =
		state->exists && (state->status == MEDIUM_REVOKED ||
				  (state->status == MEDIUM_LOST && state->revoked_before));

	if (!(kinds[kind].from & now))
		return TRANSITION_E_STATUS;
	if (!has_why &&
	    ((kinds[kind].why & now) || (!state->wiped && (kinds[kind].why_unless_wiped & now))))
		return TRANSITION_E_WHY;
	if (kind == EVENT_LENT && state->wiped)
		return TRANSITION_E_WIPED;

	if (kind == EVENT_IMPORTED)
		state->status = imported;
	else if (kinds[kind].to == BEFORE)
		state->status = was_revoked ? MEDIUM_REVOKED : MEDIUM_ACTIVE;
	else if (kinds[kind].to != STAYS)
		state->status = (enum medium_status)kinds[kind].to;
	state->exists = true;
	state->revoked_before = kind != EVENT_ISSUED && kind != EVENT_ENROLLED && was_revoked;
	if (kind == EVENT_WIPED)
		state->wiped = true;
	else if (kind == EVENT_ISSUED || kind == EVENT_ENROLLED)
		state->wiped = false;
	return 0;
}

const char *event_kind_name(enum event_kind kind)
{
	return kinds[kind].name;
}

const char *event_kind_text(enum event_kind kind)
{
	return i18n(kinds[kind].text);
}

bool event_kind_find(const char *name, enum event_kind *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name)) {
			*kind = (enum event_kind)i;
			return true;
		}
	return false;
}

bool status_find(const char *name, enum medium_status *status)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(statuses); i++)
		if (!strcmp(medium_status_name((enum medium_status)i), name)) {
			*status = (enum medium_status)i;
			return true;
		}
	return false;
}

const char *status_text(enum medium_status status)
{
	return i18n(statuses[status].text);
}

const char *transition_advice(const struct transition_state *state, enum event_kind kind)
{
	if (state->exists && kind == EVENT_IMPORTED)
		return _("it is in the register already");
	switch (state->exists ? state->status : MEDIUM_ACTIVE) {
	case MEDIUM_ACTIVE:
		return kind == EVENT_FOUND      ? _("it is not lost")
		       : kind == EVENT_RETURNED ? _("it is not lent")
						: "";
	case MEDIUM_LENT:
		return _("take it back first (return)");
	case MEDIUM_LOST:
		return _("if it has turned up, record that first (found)");
	case MEDIUM_REVOKED:
		return _("what is revoked can be issued anew (issue) or disposed of "
			 "(dispose)");
	case MEDIUM_DISPOSED:
		return _("what is disposed of stays so");
	}
	return "";
}
