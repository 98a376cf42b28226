/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A desk in the making: it is built beside its place, and put there in one step when it is whole.
 * What is given up before leaves nothing behind.
 */
#pragma once

#include "desk/command.h"

struct desktree {
	char *path; /* of the finished desk */
	char *temporary;
	int dir;
	int keys;
};

/*
 * Starts one for context->directory, which must not exist or be empty: with the directories keys
 * and trust in it. 0, or COMMAND_FAILED after saying why. desktree_close() in any case; it removes
 * what was not put in place.
 */
int desktree_start(const struct context *context, struct desktree *tree);
int desktree_place(const struct context *context, struct desktree *tree);
void desktree_close(struct desktree *tree);
