/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is what an inspection found good enough? A pure function of the report, the methods that are asked
 * for, and the demands that the policy's header makes of every proof: ciphers, key derivation, the mark.
 */
#pragma once

#include "core/ident.h"
#include "core/medium.h"
#include "core/policy.h"
#include "core/report.h"

struct proof_input {
	const struct report *report;
	const struct ident *ident;
	const struct policy *policy;
	const struct medium *medium; /* that it should be, or NULL for any */
	unsigned int methods;	     /* ENCRYPTION_… that will do */
	int64_t civil;		     /* now */
};

struct proof {
	const char *reason; /* why it is not: a code of core/reason.h; NULL: it is proved */
	const char *method; /* the word of what was proved; "" if nothing was */
	int64_t recheck;    /* civil seconds: when time alone changes the answer; INT64_MAX never */
};

struct proof proof_judge(const struct proof_input *input);

/* Could this volume be the medium's? By UUID; of one that encrypts in hardware nothing more is known. */
bool proof_is_volume_of(const struct report *report, const struct medium *medium);

/* Is there something that a plug or a key on the device may change without plugging it anew: no medium, or locked? */
bool proof_may_come(const char *reason);

/* Does some volume that was proved bear a mark with this number, verified by a key of the policy, here and now? */
bool proof_bears_mark(const struct proof_input *input, const char *number);
