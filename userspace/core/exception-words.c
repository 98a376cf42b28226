// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/exception.h"
#include "core/macro.h"
#include "core/mark-text.h"

struct word {
	const char *name;
	const char *text;
};

static const struct word states[N_EXCEPTION_STATES] = {
	[EXCEPTION_DRAFT] = { "draft", NC_("exception", "draft") },
	[EXCEPTION_REQUESTED] = { "requested", NC_("exception", "waiting for approval") },
	[EXCEPTION_APPROVED] = { "approved", NC_("exception", "approved") },
	[EXCEPTION_DENIED] = { "denied", NC_("exception", "denied") },
	[EXCEPTION_LAPSED] = { "lapsed", NC_("exception", "lapsed") },
	[EXCEPTION_LIVE] = { "live", NC_("exception", "in force") },
	[EXCEPTION_USED_UP] = { "used-up", NC_("exception", "used up") },
	[EXCEPTION_EXPIRED] = { "expired", NC_("exception", "expired") },
	[EXCEPTION_REVOKED] = { "revoked", NC_("exception", "revoked") },
	[EXCEPTION_RETURNED] = { "returned", NC_("exception", "returned") },
	[EXCEPTION_ERASE_CONFIRMED] = { "erase-confirmed", NC_("exception", "erasure confirmed") },
	[EXCEPTION_CLOSED] = { "closed", NC_("exception", "closed") },
};

static const struct word events[N_EXCEPTION_EVENTS] = {
	[EXCEPTION_REQUEST] = { "request", NC_("exception", "was requested") },
	[EXCEPTION_EMERGENCY] = { "emergency", NC_("exception", "was declared an emergency") },
	[EXCEPTION_IMPORT] = { "import", NC_("exception", "was granted by the help desk") },
	[EXCEPTION_WITHDRAW] = { "withdraw", NC_("exception", "was withdrawn") },
	[EXCEPTION_APPROVE] = { "approve", NC_("exception", "was given an approval") },
	[EXCEPTION_DENY] = { "deny", NC_("exception", "was denied") },
	[EXCEPTION_LAPSE] = { "lapse", NC_("exception", "lapsed because nobody answered") },
	[EXCEPTION_BEGIN] = { "begin", NC_("exception", "came into force") },
	[EXCEPTION_USE] = { "use", NC_("exception", "let the device in") },
	[EXCEPTION_WRITTEN] = { "written", NC_("exception", "data was written to the medium") },
	[EXCEPTION_USE_UP] = { "use-up", NC_("exception", "was used up") },
	[EXCEPTION_EXPIRE] = { "expire", NC_("exception", "expired") },
	[EXCEPTION_REVOKE] = { "revoke", NC_("exception", "was revoked") },
	[EXCEPTION_EXTEND] = { "extend", NC_("exception", "an extension was requested") },
	[EXCEPTION_RETURN] = { "return", NC_("exception", "the medium was returned") },
	[EXCEPTION_CONFIRM_ERASED] = { "confirm-erased", NC_("exception", "the erasure was confirmed") },
	[EXCEPTION_REPORT] = { "report", NC_("exception", "the report was filed") },
	[EXCEPTION_CLOSE] = { "close", NC_("exception", "was closed") },
};

static const char *const reasons[N_EXCEPTION_ERRORS] = {
	[EXCEPTION_E_DRAFT] = "exception-draft",
	[EXCEPTION_E_WAITING] = "exception-waiting",
	[EXCEPTION_E_APPROVED] = "exception-approved",
	[EXCEPTION_E_DENIED] = "exception-denied",
	[EXCEPTION_E_LAPSED] = "exception-lapsed",
	[EXCEPTION_E_LIVE] = "exception-live",
	[EXCEPTION_E_ENDED] = "exception-ended",
	[EXCEPTION_E_CLOSED] = "exception-closed",
	[EXCEPTION_E_ROLE] = "exception-role",
	[EXCEPTION_E_UNKNOWN] = "exception-unknown-person",
	[EXCEPTION_E_OWN] = "exception-own",
	[EXCEPTION_E_TWICE] = "exception-approved-twice",
	[EXCEPTION_E_OTHER] = "exception-other-extension",
	[EXCEPTION_E_INCOMPLETE] = "exception-incomplete",
	[EXCEPTION_E_TERMINAL] = "exception-terminal",
	[EXCEPTION_E_PERIOD] = "exception-period",
	[EXCEPTION_E_TOO_LONG] = "exception-too-long",
	[EXCEPTION_E_MARCH] = "exception-past-march",
	[EXCEPTION_E_NOTE] = "exception-note",
	[EXCEPTION_E_MANY_WAITING] = "exception-many-waiting",
	[EXCEPTION_E_MANY_TODAY] = "exception-many-today",
	[EXCEPTION_E_NO_EMERGENCY] = "exception-no-emergency",
	[EXCEPTION_E_REPORTS_DUE] = "exception-reports-due",
	[EXCEPTION_E_NOT_EMERGENCY] = "exception-not-emergency",
	[EXCEPTION_E_REPORTED] = "exception-reported",
	[EXCEPTION_E_EARLY] = "exception-early",
	[EXCEPTION_E_USED_UP] = "exception-used-up",
	[EXCEPTION_E_USES_LEFT] = "exception-uses-left",
	[EXCEPTION_E_NO_EXTENSION] = "exception-no-extension",
	[EXCEPTION_E_REPORT_DUE] = "exception-report-due",
	[EXCEPTION_E_ERASURE_DUE] = "exception-erasure-due",
	[EXCEPTION_E_NO_POLICY] = "exception-no-policy",
	[EXCEPTION_E_MANY_USES] = "exception-many-uses",
};

static unsigned int find(const struct word *words, unsigned int n, const char *name)
{
	unsigned int i = 0;

	while (i < n && strcmp(words[i].name, name))
		i++;
	return i;
}

const char *exception_state_name(unsigned int state)
{
	return state < N_EXCEPTION_STATES ? states[state].name : NULL;
}

const char *exception_state_text(unsigned int state)
{
	return state < N_EXCEPTION_STATES ? states[state].text : NULL;
}

const char *exception_event_name(unsigned int kind)
{
	return kind < N_EXCEPTION_EVENTS ? events[kind].name : NULL;
}

const char *exception_event_text(unsigned int kind)
{
	return kind < N_EXCEPTION_EVENTS ? events[kind].text : NULL;
}

const char *exception_reason(int error)
{
	return error > 0 && error < N_EXCEPTION_ERRORS ? reasons[error] : NULL;
}

unsigned int exception_state_find(const char *name)
{
	return find(states, N_EXCEPTION_STATES, name);
}

unsigned int exception_event_find(const char *name)
{
	return find(events, N_EXCEPTION_EVENTS, name);
}
