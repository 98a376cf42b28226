// SPDX-License-Identifier: GPL-2.0-or-later
#include "system/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "core/macro.h"
#include "system/helpers.h"

struct child {
	pid_t pid;	/* of our own; 0: it is sekimori-helpers' */
	int connection; /* … and this one is about it; -1 */
	sd_event_source *source;
	child_exited_fn exited;
	void *userdata;
};

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

/* --- its life ---------------------------------------------------------------------------------- */

static int own_exited(sd_event_source *source, const siginfo_t *si, void *userdata)
{
	struct child *child = userdata;

	/* Another process may have its number from now on. */
	child->pid = 0;
	child->exited(child->userdata, si->si_code, si->si_status);
	return 0;
}

/* Whoever started it is gone, and has ended it so. */
static void far_lost(struct child *child)
{
	child->exited(child->userdata, CLD_KILLED, SIGKILL);
}

static int far_told(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct child *child = userdata;
	struct helpers_ended ended;
	size_t none = 0;
	int r = helpers_receive(fd, &ended, sizeof(ended), NULL, &none);

	if (r == -EAGAIN)
		return 0;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	if (r == sizeof(ended) && ended.kind == HELPERS_ENDED)
		child->exited(child->userdata, ended.code, ended.status);
	else
		far_lost(child);
	return 0;
}

static int child_start_far(struct child *child, sd_event *event, const char *program, const char *const *argv,
			   const int *fds, size_t n)
{
	child->connection = helpers_run(program, argv, fds, n);
	return child->connection < 0 ? child->connection :
				       sd_event_add_io(event, &child->source, child->connection, EPOLLIN,
						       far_told, child);
}

static int child_start_own(struct child *child, sd_event *event, const char *program, const char *const *argv,
			   const char *const *env, const int *fds, size_t n)
{
	int r = child_spawn(&child->pid, program, argv, env, fds, n);

	if (r)
		return r;
	r = sd_event_add_child(event, &child->source, child->pid, WEXITED, own_exited, child);
	if (r < 0) {
		kill(child->pid, SIGKILL);
		/* Watched or not, it has to be reaped; before it has done anything that could hang. */
		waitpid(child->pid, NULL, 0);
	}
	return r;
}

int child_start(struct child **childp, sd_event *event, const char *program, const char *const *argv,
		const char *const *env, const int *fds, size_t n, child_exited_fn exited, void *userdata)
{
	struct child *child = calloc(1, sizeof(*child));
	int r;

	if (!child)
		return -ENOMEM;
	*child = (struct child){.connection = -1, .exited = exited, .userdata = userdata};
	r = helpers_stand() ? child_start_far(child, event, program, argv, fds, n) :
			      child_start_own(child, event, program, argv, env, fds, n);
	if (r < 0) {
		child_free(child);
		return r;
	}
	*childp = child;
	return 0;
}

static void far_say(const struct child *child, enum helpers_kind what)
{
	const uint8_t kind = (uint8_t)what;

	/* Not even to be sent: the connection is gone, and the program with it. */
	helpers_send(child->connection, &kind, 1, NULL, 0);
}

void child_kill(struct child *child)
{
	if (child->pid)
		kill(child->pid, SIGKILL);
	else if (child->connection >= 0)
		far_say(child, HELPERS_KILL);
}

void child_leave(struct child *child)
{
	if (child->connection >= 0)
		far_say(child, HELPERS_LEAVE);
}

struct child *child_free(struct child *child)
{
	if (child) {
		sd_event_source_disable_unref(child->source);
		closep(&child->connection);
		free(child);
	}
	return NULL;
}
