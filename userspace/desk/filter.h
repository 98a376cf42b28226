/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which media list and export speak of. */
#pragma once

#include "desk/command.h"
#include "desk/register.h"
#include "desk/term.h"

#define FILTER_OPTIONS                                                                             \
	(COMMAND_TAKES(OPTION_STATUS) | COMMAND_TAKES(OPTION_HOLDER) |                             \
	 COMMAND_TAKES(OPTION_CLASS) | COMMAND_TAKES(OPTION_OVERDUE))

struct filter {
	unsigned int statuses; /* a bit each; 0: all */
	const char *holder;    /* part of the name */
	const char *class;
	bool overdue;
	char today[TERM_DATE_MAX];
};

/* 0, or COMMAND_USAGE after saying why. */
int filter_init(struct filter *filter, const struct context *context,
		const struct command_options *options);
bool filter_matches(const struct filter *filter, const struct medium_state *state);
