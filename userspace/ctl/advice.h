/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is legal in a policy but hardly meant so. Each kind is a row of the table in advice.c. */
#pragma once

#include "ctl/source.h"

/* Tells of everything unwise through findings_warning(). `civil`: now, local time. */
void advice_give(const struct policy *policy, struct source *source, int64_t civil,
		 struct findings *findings);

/* Would the rule let in storage that nobody has proved to be encrypted, under a header that accepts
 * these methods? */
bool advice_storage_unproved(const struct rule *rule, unsigned int accepted);
