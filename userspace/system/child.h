/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts a helper program with nothing of the daemon's but standard error and the descriptors that
 * it is given. Its arguments say the rest: the environment is fixed, all signals are as a new
 * program expects them, and what the daemon has open is closed to it (everything of ours is
 * close-on-exec).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define CHILD_FD_FIRST 3
#define CHILD_FDS_MAX 4

/*
 * The child finds fds[i] as CHILD_FD_FIRST + i, /dev/null as 0 and 1, and standard error as it is
 * here; -1 leaves its number free. n: at most CHILD_FDS_MAX. The descriptors stay the caller's, who
 * reaps the child, too. env ends with NULL. 0 and *pid, or a negative errno, also where the program
 * cannot be executed.
 */
int child_spawn(pid_t *pid, const char *program, const char *const *argv, const char *const *env,
		const int *fds, size_t n);

/* For a helper that writes text: UTF-8, no language. Static. */
extern const char *const child_env_utf8[];
