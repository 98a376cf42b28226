/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A decision and all that it was made from, told to people and to programs. */
#pragma once

#include "core/decide.h"
#include "ctl/source.h"

struct explanation {
	const struct policy *policy;
	struct source *source; /* its text */
	const struct ident *ident;
	struct decide_result result;
	/* For each interface of ident: its place in result.interfaces, -1 if it is not guarded. */
	int judged[IDENT_INTERFACES_MAX];
};

/* To standard output. */
void explanation_print(const struct context *context, struct explanation *explanation);
