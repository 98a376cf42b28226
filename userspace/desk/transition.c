// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <string.h>

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
	const char *en;
	const char *ja;
	unsigned int from;
	int to;           /* enum medium_status, or STAYS, BEFORE */
	unsigned int why; /* statuses from which a reason is needed, wiped or not */
	unsigned int why_unless_wiped;
} kinds[EVENT_COUNT] = {
	[EVENT_ISSUED] = {"issued", "issued", "発行", ABSENT | AT_HAND, MEDIUM_ACTIVE, 0, 0},
	[EVENT_ENROLLED] = {"enrolled", "enrolled", "登録", ABSENT | AT_HAND, MEDIUM_ACTIVE, 0, 0},
	[EVENT_IMPORTED] = {"imported", "imported", "取込み", ABSENT, STAYS, 0, 0},
	[EVENT_LENT] = {"lent", "lent", "貸出し", FROM(ACTIVE), MEDIUM_LENT, 0, 0},
	[EVENT_RETURNED] = {"returned", "returned", "返却", FROM(LENT) | FROM(REVOKED), BEFORE, 0,
			    0},
	[EVENT_LOST] = {"lost", "lost", "紛失", FROM(LENT) | AT_HAND, MEDIUM_LOST, 0, 0},
	[EVENT_FOUND] = {"found", "found", "発見", FROM(LOST), BEFORE, 0, 0},
	[EVENT_REVOKED] = {"revoked", "revoked", "失効", FROM(ACTIVE) | FROM(LENT), MEDIUM_REVOKED,
			   0, 0},
	[EVENT_WIPED] = {"wiped", "wiped", "消去", AT_HAND, STAYS, 0, 0},
	[EVENT_DISPOSED] = {"disposed", "disposed", "廃棄", AT_HAND | FROM(LOST), MEDIUM_DISPOSED,
			    FROM(LOST), AT_HAND},
	[EVENT_CHANGED] = {"changed", "changed", "変更", AT_HAND | FROM(LENT) | FROM(LOST), STAYS,
			   0, 0},
};

static const struct {
	const char *en;
	const char *ja;
} statuses[] = {
	[MEDIUM_ACTIVE] = {"active", "在庫"},       [MEDIUM_LENT] = {"lent", "貸出中"},
	[MEDIUM_LOST] = {"LOST", "紛失"},           [MEDIUM_REVOKED] = {"revoked", "失効"},
	[MEDIUM_DISPOSED] = {"disposed", "廃棄済"},
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

const char *event_kind_text(enum event_kind kind, bool japanese)
{
	return japanese ? kinds[kind].ja : kinds[kind].en;
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

const char *status_text(enum medium_status status, bool japanese)
{
	return japanese ? statuses[status].ja : statuses[status].en;
}

const char *transition_advice(const struct transition_state *state, enum event_kind kind,
			      bool japanese)
{
	if (state->exists && kind == EVENT_IMPORTED)
		return japanese ? "すでに台帳にあります" : "it is in the register already";
	switch (state->exists ? state->status : MEDIUM_ACTIVE) {
	case MEDIUM_ACTIVE:
		return kind == EVENT_FOUND ? (japanese ? "紛失になっていません" : "it is not lost")
		       : kind == EVENT_RETURNED
			       ? (japanese ? "貸し出されていません" : "it is not lent")
			       : "";
	case MEDIUM_LENT:
		return japanese ? "先に返却(return)してください" : "take it back first (return)";
	case MEDIUM_LOST:
		return japanese ? "見つかったのなら先に発見(found)を記録してください"
				: "if it has turned up, record that first (found)";
	case MEDIUM_REVOKED:
		return japanese ? "失効したものは、発行し直す(issue)か廃棄(dispose)するかです"
				: "what is revoked can be issued anew (issue) or disposed of "
				  "(dispose)";
	case MEDIUM_DISPOSED:
		return japanese ? "廃棄したものは元に戻せません" : "what is disposed of stays so";
	}
	return "";
}
