// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "system/child.h"
#include "system/transferwatch.h"

/* What could not be recorded is tried again; a full disk is not made room on faster. */
#define AGAIN_US 1000000u
#define AGAIN_ACCURACY_US 100000u
/* Records of files wait for the gate's events: a verdict is more urgent. */
#define PRIORITY 100

struct transferwatch {
	struct child *child;
	int pipe_fd, socket_fd;
	bool silent;  /* no callbacks any more: freed when the child is reaped */
	bool exited;  /* but something it said could not be taken yet */
	bool waiting; /* until `again` */
	bool senseless;
	sd_event_source *output, *again;
	const struct transferwatch_ops *ops;
	void *userdata;
	char detail[96];
	size_t used;
	char buffer[2 * TRANSFER_LINE_MAX];
};

static void watch_destroy(struct transferwatch *watch)
{
	child_free(watch->child);
	sd_event_source_disable_unref(watch->output);
	sd_event_source_disable_unref(watch->again);
	closep(&watch->pipe_fd);
	closep(&watch->socket_fd);
	free(watch);
}

static void watch_wait(struct transferwatch *watch)
{
	watch->waiting = true;
	sd_event_source_set_enabled(watch->output, SD_EVENT_OFF);
	sd_event_source_set_time_relative(watch->again, AGAIN_US);
	sd_event_source_set_enabled(watch->again, SD_EVENT_ONESHOT);
}

/* Whatever it is now, it is not our program any more, or our program is not right. */
static void watch_distrust(struct transferwatch *watch)
{
	watch->senseless = true;
	watch->used = 0;
	sd_event_source_set_enabled(watch->output, SD_EVENT_OFF);
	child_kill(watch->child);
}

static void watch_lines(struct transferwatch *watch)
{
	struct transfer_report report;
	char *end;

	while (!watch->waiting && (end = memchr(watch->buffer, '\n', watch->used))) {
		size_t len = (size_t)(end - watch->buffer);

		if (transfer_parse(watch->buffer, len, &report)) {
			watch_distrust(watch);
			return;
		}
		if (watch->ops->report(watch->userdata, &report) < 0) {
			watch_wait(watch);
			return;
		}
		watch->used -= len + 1;
		memmove(watch->buffer, end + 1, watch->used);
	}
	if (watch->used == sizeof(watch->buffer))
		watch_distrust(watch);
}

/* False at the end of what can be read now. */
static bool watch_read(struct transferwatch *watch)
{
	ssize_t n;

	if (watch->waiting || watch->senseless)
		return false;
	n = read(watch->pipe_fd, watch->buffer + watch->used, sizeof(watch->buffer) - watch->used);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	watch->used += (size_t)n;
	watch_lines(watch);
	return true;
}

bool transferwatch_waits(const struct transferwatch *watch)
{
	return watch->waiting;
}

void transferwatch_read(struct transferwatch *watch)
{
	while (watch_read(watch))
		;
}

static int watch_output(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct transferwatch *watch = userdata;

	if (!watch_read(watch) && revents & (EPOLLHUP | EPOLLERR))
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

static void watch_end(struct transferwatch *watch)
{
	void (*gone)(void *userdata, const char *detail) = watch->ops->gone;
	void *userdata = watch->userdata;
	char detail[sizeof(watch->detail)];

	memcpy(detail, watch->detail, sizeof(detail));
	watch_destroy(watch);
	gone(userdata, detail);
}

static int watch_again(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct transferwatch *watch = userdata;

	watch->waiting = false;
	watch_lines(watch);
	if (watch->exited)
		transferwatch_read(watch);
	if (watch->exited && !watch->waiting)
		watch_end(watch);
	else if (!watch->waiting)
		sd_event_source_set_enabled(watch->output, SD_EVENT_ON);
	return 0;
}

static void watch_exited(void *userdata, int code, int status)
{
	struct transferwatch *watch = userdata;

	if (watch->silent) {
		watch_destroy(watch);
		return;
	}
	transferwatch_read(watch);
	snprintf(watch->detail, sizeof(watch->detail), "sekimori-transfer %s %d",
		 watch->senseless   ? "said what makes no sense, ended by" :
		 code == CLD_EXITED ? "exited with" :
				      "died of signal",
		 status);
	watch->exited = true;
	if (!watch->waiting)
		watch_end(watch);
}

struct transferwatch *transferwatch_free(struct transferwatch *watch)
{
	if (!watch)
		return NULL;
	if (watch->exited) {
		watch_destroy(watch);
		return NULL;
	}
	/* It may hang in the kernel, on a device that does not answer: reaped whenever that is over. */
	watch->silent = true;
	child_kill(watch->child);
	watch->output = sd_event_source_disable_unref(watch->output);
	watch->again = sd_event_source_disable_unref(watch->again);
	closep(&watch->pipe_fd);
	closep(&watch->socket_fd);
	watch->pipe_fd = watch->socket_fd = -1;
	return NULL;
}

int transferwatch_socket(const struct transferwatch *watch)
{
	return watch->socket_fd;
}

static int watch_follow(struct transferwatch *watch, sd_event *event)
{
	int r;

	r = sd_event_add_time_relative(event, &watch->again, CLOCK_BOOTTIME, AGAIN_US, AGAIN_ACCURACY_US,
				       watch_again, watch);
	if (r >= 0)
		r = sd_event_source_set_enabled(watch->again, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_io(event, &watch->output, watch->pipe_fd, EPOLLIN, watch_output,
				    watch);
	if (r >= 0)
		r = sd_event_source_set_priority(watch->output, PRIORITY);
	return r < 0 ? r : 0;
}

int transferwatch_start(struct transferwatch **watchp, sd_event *event, const char *program,
			const char *const *argv, const struct transferwatch_ops *ops, void *userdata)
{
	struct transferwatch *watch = calloc(1, sizeof(*watch));
	_cleanup_(closep) int theirs = -1, end = -1;
	int fds[2], r;

	if (!watch)
		return -ENOMEM;
	watch->pipe_fd = watch->socket_fd = -1;
	watch->ops = ops;
	watch->userdata = userdata;
	r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
	if (!r) {
		watch->socket_fd = fds[0];
		theirs = fds[1];
		r = pipe2(fds, O_CLOEXEC) < 0 ? -errno : 0;
	}
	if (!r) {
		watch->pipe_fd = fds[0];
		end = fds[1];
		/* Ours alone: the child waits when the daemon is slow. */
		r = fcntl(watch->pipe_fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	}
	if (!r)
		r = watch_follow(watch, event);
	if (!r)
		r = child_start(&watch->child, event, program, argv, child_env_utf8, (const int[]){ theirs, end }, 2,
				watch_exited, watch);
	if (r) {
		watch_destroy(watch);
		return r;
	}
	*watchp = watch;
	return 0;
}
