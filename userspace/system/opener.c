// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <json-c/json_tokener.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "core/macro.h"
#include "system/child.h"
#include "system/opener.h"

/* A line holds a path that progress.c cuts at 1 KiB, written with escapes. */
#define LINE_MAX_BYTES 16384
/* A killed process that has not gone by then waits for a device. */
#define GRACE_US (5 * 1000000ull)
#define ACCURACY_US 20000

struct opener {
	struct child *child;
	int pipe_fd;
	unsigned int idle_ms;
	bool silent; /* no callbacks any more: freed when the child is reaped */
	bool killed;
	sd_event_source *timer;
	sd_event_source *output;
	const struct opener_ops *ops;
	void *userdata;
	size_t used;
	char buffer[LINE_MAX_BYTES];
};

static void opener_free(struct opener *opener)
{
	child_free(opener->child);
	sd_event_source_disable_unref(opener->timer);
	sd_event_source_disable_unref(opener->output);
	closep(&opener->pipe_fd);
	free(opener);
}

static void opener_line(struct opener *opener, const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *line =
		tokener ? json_tokener_parse_ex(tokener, text, (int)len) : NULL;

	if (json_object_is_type(line, json_type_object))
		opener->ops->line(opener->userdata, line);
	json_object_put(line);
	if (tokener)
		json_tokener_free(tokener);
}

static void opener_lines(struct opener *opener)
{
	char *end;

	while ((end = memchr(opener->buffer, '\n', opener->used))) {
		size_t len = (size_t)(end - opener->buffer);

		opener_line(opener, opener->buffer, len);
		opener->used -= len + 1;
		memmove(opener->buffer, end + 1, opener->used);
	}
	/* No line of the helper's is so long. */
	if (opener->used == sizeof(opener->buffer))
		opener->used = 0;
}

/* False at the end of what can be read now. */
static bool opener_read(struct opener *opener)
{
	ssize_t n = read(opener->pipe_fd, opener->buffer + opener->used,
			 sizeof(opener->buffer) - opener->used);

	if (n <= 0)
		return n < 0 && errno == EINTR;
	opener->used += (size_t)n;
	opener_lines(opener);
	return true;
}

static int opener_output(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct opener *opener = userdata;

	if (!opener_read(opener) && revents & (EPOLLHUP | EPOLLERR))
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	if (!opener->killed)
		sd_event_source_set_time_relative(opener->timer, opener->idle_ms * 1000ull);
	return 0;
}

static void opener_end(struct opener *opener, enum opener_end end, const char *detail)
{
	opener->silent = true;
	opener->ops->done(opener->userdata, end, detail);
}

static void opener_exited(void *userdata, int code, int status)
{
	struct opener *opener = userdata;
	char detail[96];

	if (!opener->silent) {
		while (opener_read(opener))
			;
		snprintf(detail, sizeof(detail), "sekimori-open %s %d",
			 code == CLD_EXITED ? "exited with" : "died of signal", status);
		opener_end(opener, code == CLD_EXITED ? OPENER_EXITED : OPENER_KILLED,
			   opener->killed ? "sekimori-open killed at the deadline" : detail);
	}
	opener_free(opener);
}

static int opener_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct opener *opener = userdata;

	if (opener->killed) {
		if (!opener->silent)
			opener_end(opener, OPENER_STUCK,
				   "sekimori-open cannot be killed: a device does not answer");
		return 0;
	}
	opener->killed = true;
	child_kill(opener->child);
	sd_event_source_set_time_relative(opener->timer, GRACE_US);
	sd_event_source_set_enabled(opener->timer, SD_EVENT_ONESHOT);
	return 0;
}

static struct opener *opener_forget(struct opener *opener)
{
	if (opener) {
		opener->silent = true;
		opener->output = sd_event_source_disable_unref(opener->output);
		opener->timer = sd_event_source_disable_unref(opener->timer);
		closep(&opener->pipe_fd);
		opener->pipe_fd = -1;
	}
	return NULL;
}

struct opener *opener_cancel(struct opener *opener)
{
	if (opener)
		child_kill(opener->child);
	return opener_forget(opener);
}

struct opener *opener_leave(struct opener *opener)
{
	if (opener)
		child_leave(opener->child);
	return opener_forget(opener);
}

static int opener_watch(struct opener *opener, sd_event *event)
{
	int r;

	r = sd_event_add_time_relative(event, &opener->timer, CLOCK_BOOTTIME, opener->idle_ms * 1000ull,
				       ACCURACY_US, opener_deadline, opener);
	if (r >= 0)
		r = sd_event_add_io(event, &opener->output, opener->pipe_fd, EPOLLIN, opener_output,
				    opener);
	return r < 0 ? r : 0;
}

int opener_start(struct opener **openerp, sd_event *event, const char *program,
		 const char *const *argv, int secret, int watcher, unsigned int idle_ms,
		 const struct opener_ops *ops, void *userdata)
{
	_cleanup_(closep) int secret_fd = secret >= 0 ? secret :
							open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct opener *opener = calloc(1, sizeof(*opener));
	_cleanup_(closep) int progress = -1;
	int fds[2], r;

	if (!opener || secret_fd < 0 || pipe2(fds, O_CLOEXEC) < 0) {
		r = opener ? -errno : -ENOMEM;
		free(opener);
		return r;
	}
	progress = fds[1];
	opener->pipe_fd = fds[0];
	opener->idle_ms = idle_ms;
	opener->ops = ops;
	opener->userdata = userdata;
	/* Ours alone: the helper waits when the daemon is slow. */
	r = fcntl(opener->pipe_fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	if (!r)
		r = opener_watch(opener, event);
	if (!r)
		r = child_start(&opener->child, event, program, argv, child_env_utf8,
				(const int[]){ secret_fd, progress, watcher }, 3, opener_exited, opener);
	if (r) {
		opener_free(opener);
		return r;
	}
	*openerp = opener;
	return 0;
}
