/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the daemon, or the bus before it, did not do something: said in the reader's language, with what to do. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>

#include "ctl/command.h"

/* Both malloc'd, NULL: not known. Ended by refusal_deinit(). */
struct refusal {
	char *why;   /* "CODE", "CODE: DETAIL" (core/reason.h), or a sentence in English */
	char *error; /* name of the D-Bus error */
};

void refusal_deinit(struct refusal *refusal);

/* Is it for want of authority: might somebody else, or he after a password? */
bool refusal_is_denial(const struct refusal *refusal);

/* Is there no such thing (any more)? */
bool refusal_is_absence(const struct refusal *refusal);

/*
 * Says it on standard error, "sekimorictl: WHAT REASON"; as JSON {"ok": false, "reason": CODE, "error": …} on standard output. Always
 * COMMAND_FAILED. `what` is translated and safe: "request 12 was not approved:".
 */
int refusal_tell(const struct context *context, const char *what, const struct refusal *refusal);

/* "CODE: DETAIL" as a sentence and its detail, translated and safe; what is no code of ours as it is. malloc'd, never NULL. */
char *refusal_words(const char *why);
