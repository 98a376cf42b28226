/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the records of temporary exceptions come to: how often what was done in the month, and each exception that took a step in
 * it or of which something is owed at its end, as the records up to then tell of it. Takes the records in order, also those from
 * before the month. One whose life was over before the month is forgotten; of the others EXCEPTIONS_KEPT_MAX are kept, what comes
 * beyond is counted.
 *
 * What is owed is asked of core/exception.h, so that report, list and daemon say the same.
 */
#pragma once

#include "core/exception.h"
#include "report/tally-inside.h"

#define EXCEPTIONS_KEPT_MAX 4096

/* values[] of `people` and `forms`. */
enum {
	EXCEPTIONS_ASKED, EXCEPTIONS_GRANTED, /* approved, or taken in from the help desk */
	EXCEPTIONS_DENIED, /* or lapsed */
	EXCEPTIONS_EMERGENCIES, EXCEPTIONS_USES, EXCEPTIONS_WRITTEN, /* bytes */
	EXCEPTIONS_STEPS, /* all together */
};

struct tally_exception {
	struct exception what; /* times in seconds; `changed` is that of its newest record */
	bool inside;	       /* took a step in the month */
	bool two_approvers;    /* two people granted it */
	unsigned int due;      /* EXCEPTION_DUE_…, at the end */
	int64_t extend_until;  /* an extension that some have approved, and how many */
	unsigned int extend_approvals;
};

struct tally_exceptions {
	/* Of the month. Approvals and denials are those of requests: an extension's are counted apart. */
	uint64_t events[N_EXCEPTION_EVENTS];
	uint64_t first_approvals, extensions_approved, extensions_denied;
	uint64_t refused, phone_asked, phone_refused, clock_faults, store_faults;
	uint64_t granted_by_two;
	struct counts *people, *forms;

	struct tally_exception **list; /* in the order in which they came up */
	size_t n;
	uint64_t beyond; /* exceptions that were not kept */

	/* At the month's end, or now if that is earlier. */
	uint64_t waiting, in_force, unreported, overdue, unreturned, unerased;
	uint64_t reports_overdue, returns_overdue, erasures_overdue;
	uint64_t with_return; /* that took a step in the month and name a day of return */
};

struct tally_exceptions *tally_exceptions_new(void); /* NULL without memory */
struct tally_exceptions *tally_exceptions_free(struct tally_exceptions *exceptions);

/* A record of any kind from before the month's end; those that have nothing to do with exceptions are passed over. 0 or -ENOMEM. */
int tally_exceptions_add(struct tally_exceptions *exceptions, const struct record *record);

/* There are no more records: what is owed at that moment. */
void tally_exceptions_end(struct tally_exceptions *exceptions, int64_t us);
