/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A helper program with nothing of the daemon's but standard error and the descriptors that
 * it is given. Its arguments say the rest: the environment is fixed, all signals are as a new
 * program expects them, and what the daemon has open is closed to it (everything of ours is
 * close-on-exec).
 *
 * Where sekimori-helpers stands (system/helpers.h) it is started there, with the rights of that service
 * and none of the daemon's; else it is a child of the daemon's.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#define CHILD_FD_FIRST 3
#define CHILD_FDS_MAX 4

struct child;

/* It has ended: si_code and si_status of waitid(2). Once; the child is to be freed, in the call or after it. */
typedef void (*child_exited_fn)(void *userdata, int code, int status);

/*
 * The program finds fds[i] as CHILD_FD_FIRST + i, /dev/null as 0 and 1, and standard error as it is
 * here; -1 leaves its number free. n: at most CHILD_FDS_MAX. The descriptors stay the caller's. env ends with NULL.
 * SIGCHLD must be blocked. 0, or a negative errno. A helper of sekimori-helpers that cannot be executed ends with status 127.
 */
int child_start(struct child **childp, sd_event *event, const char *program, const char *const *argv,
		const char *const *env, const int *fds, size_t n, child_exited_fn exited, void *userdata);

/* SIGKILL; what it ends with is told as ever. */
void child_kill(struct child *child);

/* It goes on when the daemon ends. Else it ends with it where sekimori-helpers has started it. */
void child_leave(struct child *child);

/* After its end. NULL is ok; returns NULL. */
struct child *child_free(struct child *child);

/* The first half alone: starts it as a child of ours, whom the caller reaps. 0 and *pid, or a negative errno, also where the
 * program cannot be executed. */
int child_spawn(pid_t *pid, const char *program, const char *const *argv, const char *const *env,
		const int *fds, size_t n);

/* For a helper that writes text: UTF-8, no language. Static. */
extern const char *const child_env_utf8[];
