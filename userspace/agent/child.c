// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "agent/child.h"

extern char **environ;

struct child {
	struct child_setup setup;
	pid_t pid; /* 0: it has been waited for */
	int fd;	   /* a socket: one descriptor for both directions, and no SIGPIPE */
	size_t len;
	int status;
	bool ended, closed; /* the process; its output */
	sd_event_source *input;
	sd_event_source *exit;
};

/*
 * The environment for a program that shows windows. Where the user's locale is not installed (a small image), such a
 * program would fall back to "C", in which it cannot even read its arguments; gettext's LANGUAGE goes on saying which
 * language it is (cli/i18n.h). The strings are the environment's own but for that one; NULL: no memory.
 */
static char **windows_environment(void)
{
	static char utf8[] = "LC_ALL=C.UTF-8";
	size_t n = 0, to = 0;
	char **copy;

	while (environ[n])
		n++;
	copy = calloc(n + 2, sizeof(*copy));
	if (!copy)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "LC_ALL=", strlen("LC_ALL=")))
			copy[to++] = environ[i];
	copy[to] = utf8;
	return copy;
}

/* `fd`: standard input and output of the program; -1: /dev/null. */
static int spawn(pid_t *pid, char *const *argv, char *const *environment, int fd)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r)
		goto out;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	for (int to = STDIN_FILENO; !r && to <= STDOUT_FILENO; to++)
		r = fd < 0 ? posix_spawn_file_actions_addopen(&actions, to, "/dev/null", O_RDWR, 0) :
			     posix_spawn_file_actions_adddup2(&actions, fd, to);
	if (!r)
		r = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
out:
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Over when the process has ended and all that it wrote is read. */
static void child_finish(struct child *child)
{
	if (child->ended && child->closed)
		child->setup.end(child->setup.userdata, child->status, child->len);
}

/* False: there is nothing more for now. */
static bool child_read(struct child *child)
{
	char *at = child->setup.buffer + child->len;
	ssize_t n = read(child->fd, at, child->setup.size - child->len);
	size_t done;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		child->closed = true;
		return false;
	}
	child->len += (size_t)n;
	done = child->setup.data ? child->setup.data(child->setup.userdata, child->len) : 0;
	memmove(child->setup.buffer, child->setup.buffer + done, child->len - done);
	child->len -= done;
	if (child->len == child->setup.size) {
		child->status = -EMSGSIZE;
		child->closed = true;
		if (child->pid)
			kill(child->pid, SIGKILL);
	}
	return !child->closed;
}

static int on_input(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct child *child = userdata;

	child_read(child);
	if (child->closed)
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	child_finish(child);
	return 0;
}

static int on_exit_status(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct child *child = userdata;

	child->pid = 0;
	child->ended = true;
	if (!child->status)
		child->status = info->si_code == CLD_EXITED ? info->si_status : -EINTR;
	/* What it has left behind may hold the other end open: only what is there by now is its. */
	while (!child->closed && child_read(child))
		;
	child->closed = true;
	sd_event_source_set_enabled(child->input, SD_EVENT_OFF);
	child_finish(child);
	return 0;
}

int child_new(struct child **ret, sd_event *event, const struct child_setup *setup)
{
	_cleanup_(child_freep) struct child *child = calloc(1, sizeof(*child));
	_cleanup_(freep) char **windows = NULL;
	_cleanup_(closep) int theirs = -1;
	locale_t installed;
	int pair[2], r;

	if (!child)
		return -ENOMEM;
	child->setup = *setup;
	child->fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	child->fd = pair[0];
	theirs = pair[1];
	fcntl(child->fd, F_SETFL, O_NONBLOCK);
	installed = newlocale(LC_ALL_MASK, "", NULL);
	if (!installed)
		windows = windows_environment();
	else
		freelocale(installed);
	r = spawn(&child->pid, setup->argv, windows ? windows : environ, theirs);
	if (r < 0)
		return r;
	r = sd_event_add_io(event, &child->input, child->fd, EPOLLIN, on_input, child);
	if (r >= 0)
		r = sd_event_add_child(event, &child->exit, child->pid, WEXITED, on_exit_status, child);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(child);
	return 0;
}

struct child *child_free(struct child *child)
{
	if (!child)
		return NULL;
	sd_event_source_disable_unref(child->input);
	sd_event_source_disable_unref(child->exit);
	if (child->pid > 0) {
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
	}
	if (child->fd >= 0)
		close(child->fd);
	free(child);
	return NULL;
}

bool child_write(struct child *child, const char *text, size_t len)
{
	return send(child->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

static int on_started_end(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	/* The last reference. */
	return sd_event_source_set_floating(source, 0);
}

int child_start(sd_event *event, char *const *argv)
{
	sd_event_source *source;
	pid_t pid;
	int r = spawn(&pid, argv, environ, -1);

	if (r < 0)
		return r;
	/* Only so that it does not stay as a zombie. The loop owns the source. */
	r = sd_event_add_child(event, &source, pid, WEXITED, on_started_end, NULL);
	if (r < 0)
		return r;
	r = sd_event_source_set_floating(source, 1);
	sd_event_source_unref(source);
	return r < 0 ? r : 0;
}
