/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of decide() share: decide.c, and decide-grant.c for temporary exceptions. */
#pragma once

#include "core/decide.h"
#include "core/proof.h"

struct judge {
	const struct decide_input *input;
	struct decide_result *result;
	unsigned int n_storage;
	/* Of each interface: why what came nearest to letting it in did not, told instead of "not registered". */
	const char *near[IDENT_INTERFACES_MAX];
};

bool decide_is_storage(const struct decide_interface *intf);

/* Are all its settings of classes that this policy (NULL: the gate's own list) does not guard? */
bool decide_is_harmless(const struct judge *judge, const struct policy *policy,
			const struct decide_interface *intf);

void decide_near(struct judge *judge, unsigned int i, const char *reason);
void decide_recheck_at(struct judge *judge, int64_t when);

/* Its reason is NULL if the report proves one of these methods, and "" if there is none yet. */
struct proof decide_proof_of(struct judge *judge, unsigned int methods, const struct medium *medium);

/*
 * What the live grants say: judges the interfaces that one of them speaks of and marks them in `done`. The policy is in its time, and
 * the medium is not known to be lost.
 */
void decide_by_grants(struct judge *judge, bool *done);
