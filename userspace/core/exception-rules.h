/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a policy says of exceptions: how long, how many, and who. Its header's statements fill it in (docs/policy.md);
 * core/exception.h obeys it. The lists of names lie in the policy's arena and live as long as the policy.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What counts where a policy says nothing. */
#define EXCEPTION_PERIOD_DEFAULT (7u * 86400)
#define EXCEPTION_LAPSE_DEFAULT (3u * 86400)
#define EXCEPTION_WAITING_DEFAULT 5
#define EXCEPTION_DAILY_DEFAULT 20
#define EXCEPTION_REPORTS_DEFAULT 1

/* Who may do something: "user" or "@group", as a medium's holders are written. */
struct exception_who {
	bool said; /* else the policy leaves it to polkit alone, and emergencies to nobody */
	unsigned int n;
	const struct text *const *names;
};

struct exception_rules {
	unsigned int approvers;		/* that a request and an extension need: 1 or 2 */
	uint32_t period_seconds;	/* from begin to end, at most */
	uint32_t lapse_seconds;		/* after which an unanswered request can no longer be approved */
	uint32_t emergency_seconds;	/* an emergency lasts at most; 0: there are none */
	unsigned int emergency_reports; /* so many missing reports keep the next emergency back */
	unsigned int waiting;		/* requests that one person may have waiting */
	unsigned int daily;		/* requests, emergencies and extensions of one person in 24 hours */
	bool past_march;		/* may last beyond the end of the fiscal year */
	bool erasure_by_person;		/* always; otherwise of data of class I and II */
	struct exception_who ask;
	struct exception_who approve;
	struct exception_who emergency;
};

enum exception_word {
	EXCEPTION_WORD_NO,
	EXCEPTION_WORD_YES,
	EXCEPTION_WORD_UNSAID,
};

/* Does the list name this user, or one of the groups that the user is in? */
enum exception_word exception_who_has(const struct exception_who *who, const char *user,
				      const char *const *groups, size_t n_groups);
