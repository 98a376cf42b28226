/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a long command is, on standard error: a bar that moves on a terminal, a line for each
 * step, and now and then one within a long step, otherwise. And whether somebody wants it to stop:
 * SIGINT, SIGTERM and SIGHUP are noted between progress_start() and progress_end(), and the command
 * stops where the medium's state can be told.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "desk/command.h"

#define PROGRESS_SIGNALS 3

struct progress {
	const struct context *context;
	bool terminal;
	unsigned int step;
	unsigned int steps;
	const char *text;   /* of the step; NULL before the first */
	unsigned int shown; /* percent */
	time_t said;        /* of the last line without a terminal */
	struct sigaction before[PROGRESS_SIGNALS];
};

void progress_start(struct progress *progress, const struct context *context, unsigned int steps);

/* The step before is done, this one begins. */
void progress_step(struct progress *progress, const char *text);

/* Within a step. */
void progress_show(struct progress *progress, uint64_t done, uint64_t total);

/* All is done, or the step that was under way failed. A second call does nothing. */
void progress_end(struct progress *progress, bool good);

/* Has somebody asked to stop? To be asked between steps, and within long ones. */
bool progress_interrupted(void);
