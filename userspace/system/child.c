// SPDX-License-Identifier: GPL-2.0-or-later
#include "system/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#include "core/macro.h"

/* Above every number that a child gets a descriptor under. */
#define HIGH 10

const char *const child_env_utf8[] = {"LANG=C.UTF-8", NULL};

static void fds_close(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		closep(&fds[i]);
}

/* The descriptors may already have the numbers that the child wants, so they are moved out of the
 * way. 0 or negative errno; the copies are close-on-exec, what dup2 makes of them in the child is
 * not. */
static int fds_raise(const int *fds, size_t n, int *high)
{
	for (size_t i = 0; i < n; i++) {
		high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, HIGH);
		if (fds[i] >= 0 && high[i] < 0) {
			int r = -errno;

			fds_close(high, i);
			return r;
		}
	}
	return 0;
}

int child_spawn(pid_t *pid, const char *program, const char *const *argv, const char *const *env,
		const int *fds, size_t n)
{
	posix_spawn_file_actions_t actions;
	int high[CHILD_FDS_MAX], r;
	posix_spawnattr_t attr;
	sigset_t none, defaults;

	r = n > CHILD_FDS_MAX ? -EINVAL : fds_raise(fds, n, high);
	if (r)
		return r;
	sigemptyset(&none);
	sigfillset(&defaults);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, 0, 1);
	for (size_t i = 0; i < n; i++)
		if (high[i] >= 0)
			posix_spawn_file_actions_adddup2(&actions, high[i],
							 CHILD_FD_FIRST + (int)i);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = -posix_spawn(pid, program, &actions, &attr, (char *const *)argv, (char *const *)env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	fds_close(high, n);
	return r;
}
