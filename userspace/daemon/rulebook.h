/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy in force, and how it came to be so. A new one takes its place whole and durably accepted
 * (system/policystore.h), or not at all: then the old one stays and the reason is kept to be shown.
 *
 *   start   file ──good──► in force          reload   file ──good──► in force instead
 *             └─bad─► last accepted ─good─► in force            └─bad─► nothing changes
 *                            └─bad─► none: nothing is allowed
 */
#pragma once

#include "core/policy.h"
#include "core/settings.h"
#include "system/policystore.h"

#define RULEBOOK_SIGNERS_MAX TRUST_SIGNATURES_MAX

/* The store's message and one line of the file. */
#define RULEBOOK_ERROR_MAX (POLICYSTORE_MESSAGE_MAX + 512)

struct rulebook {
	struct policystore *store;
	struct policy *policy; /* NULL: none, nothing is allowed */
	bool is_signed;
	char *signers[RULEBOOK_SIGNERS_MAX + 1]; /* names, NULL at the end */
	char digest[FLOOR_DIGEST_MAX];
	/* "ok"; "previous": the file was refused, the last accepted one is in force; "missing"; "refused". */
	const char *state;
	const char *outcome;		/* word for the last refusal, "" if there was none */
	char error[RULEBOOK_ERROR_MAX]; /* and what was wrong, "" likewise */
};

/* 0 or -ENOMEM. Reads nothing yet. */
int rulebook_init(struct rulebook *rulebook, const struct settings *settings);
void rulebook_deinit(struct rulebook *rulebook);

/* Takes the policy file, or else the last accepted policy, or none; says which in the state. */
void rulebook_start(struct rulebook *rulebook);

/* Takes the policy file instead of what is in force. False: refused, see `error`. */
bool rulebook_reload(struct rulebook *rulebook);

/* The state as it is now: also "expired" and "not-yet-valid". */
const char *rulebook_state(const struct rulebook *rulebook);

/* Is a policy in force, and now in its time? */
bool rulebook_in_time(const struct rulebook *rulebook);

/*
 * The keys that are trusted now, for other things that are signed (daemon/grantimport.h). NULL: there is none, or its files have errors,
 * which are printed. The caller frees it.
 */
struct trust *rulebook_trust(const struct rulebook *rulebook);

/* Reads and judges the file as a start would, prints what is wrong. 0 or -EINVAL. */
int rulebook_check(const struct settings *settings);
