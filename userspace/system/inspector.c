// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "core/macro.h"
#include "system/inspector.h"

/* The inspector keeps the deadline itself; the daemon's is later, so that a report can still say so. */
#define GRACE_MS 500
/* Timers of the deadline may be late by this, so that wake-ups can be shared. Microseconds. */
#define ACCURACY_US 20000

struct inspector {
	pid_t pid;
	int usb_fd;
	int pipe_fd;
	sd_event_source *child;
	sd_event_source *timer;
	bool cancelled;
	bool timed_out;
	inspector_done_fn done;
	void *userdata;
};

static void inspector_free(struct inspector *inspector)
{
	sd_event_source_unref(inspector->child);
	sd_event_source_unref(inspector->timer);
	closep(&inspector->usb_fd);
	closep(&inspector->pipe_fd);
	free(inspector);
}

/* The report is one atomic pipe write: it is there whole or not at all when the child has gone. */
static bool inspector_report(struct inspector *inspector, struct report *report)
{
	uint8_t buffer[sizeof(*report) + 1];
	ssize_t n = read(inspector->pipe_fd, buffer, sizeof(buffer));

	return n > 0 && report_check(buffer, (size_t)n, report);
}

static int inspector_exited(sd_event_source *source, const siginfo_t *si, void *userdata)
{
	struct inspector *inspector = userdata;
	struct report report;
	char detail[96] = "";
	enum inspector_end end;

	if (inspector->cancelled) {
		inspector_free(inspector);
		return 0;
	}
	if (inspector_report(inspector, &report)) {
		end = INSPECTOR_REPORTED;
	} else if (inspector->timed_out) {
		end = INSPECTOR_TIMEOUT;
		snprintf(detail, sizeof(detail), "inspector killed at the deadline");
	} else {
		end = INSPECTOR_FAILED;
		snprintf(detail, sizeof(detail), "inspector %s %d without a valid report",
			 si->si_code == CLD_EXITED ? "exited with" : "died of signal",
			 si->si_status);
	}
	/* Before the verdict: our claim must be off the interface when drivers are tried. */
	closep(&inspector->usb_fd);
	inspector->usb_fd = -1;
	inspector->done(inspector->userdata, end, end == INSPECTOR_REPORTED ? &report : NULL,
			detail);
	inspector_free(inspector);
	return 0;
}

static int inspector_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct inspector *inspector = userdata;

	inspector->timed_out = true;
	kill(inspector->pid, SIGKILL);
	return 0;
}

struct inspector *inspector_cancel(struct inspector *inspector)
{
	if (inspector) {
		inspector->cancelled = true;
		kill(inspector->pid, SIGKILL);
		closep(&inspector->usb_fd);
		inspector->usb_fd = -1;
	}
	return NULL;
}

/*
 * The descriptors may already have the numbers that the child wants, so they are moved out of the
 * way first. dup2 in the child clears close-on-exec.
 */
static int inspector_spawn(pid_t *pid, const char *program, int usb_fd, int report_fd,
			   uint8_t number, unsigned int deadline_ms)
{
	char interface[8], deadline[16];
	char *argv[] = { (char *)"sekimori-inspect", (char *)"--interface", interface,
			 (char *)"--deadline",	     deadline,		    NULL };
	char *envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	int r, usb_high, report_high;

	snprintf(interface, sizeof(interface), "%u", number);
	snprintf(deadline, sizeof(deadline), "%u", deadline_ms);
	usb_high = fcntl(usb_fd, F_DUPFD_CLOEXEC, 10);
	report_high = fcntl(report_fd, F_DUPFD_CLOEXEC, 10);
	if (usb_high < 0 || report_high < 0) {
		r = -errno;
		closep(&usb_high);
		closep(&report_high);
		return r;
	}

	sigemptyset(&none);
	sigfillset(&defaults);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, 0, 1);
	posix_spawn_file_actions_adddup2(&actions, usb_high, 3);
	posix_spawn_file_actions_adddup2(&actions, report_high, 4);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = -posix_spawn(pid, program, &actions, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	close(usb_high);
	close(report_high);
	return r;
}

int inspector_start(struct inspector **inspectorp, sd_event *event, const char *program, int usb_fd,
		    uint8_t number, unsigned int deadline_ms, inspector_done_fn done,
		    void *userdata)
{
	struct inspector *inspector;
	int pipe_fds[2], r;

	inspector = calloc(1, sizeof(*inspector));
	if (!inspector || pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		r = inspector ? -errno : -ENOMEM;
		free(inspector);
		close(usb_fd);
		return r;
	}
	*inspector = (struct inspector){ .usb_fd = usb_fd,
					 .pipe_fd = pipe_fds[0],
					 .done = done,
					 .userdata = userdata };
	r = inspector_spawn(&inspector->pid, program, usb_fd, pipe_fds[1], number, deadline_ms);
	close(pipe_fds[1]);
	if (r)
		goto err;
	r = sd_event_add_child(event, &inspector->child, inspector->pid, WEXITED, inspector_exited,
			       inspector);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &inspector->timer, CLOCK_BOOTTIME,
					       (deadline_ms + GRACE_MS) * 1000ull, ACCURACY_US,
					       inspector_deadline, inspector);
	if (r < 0) {
		kill(inspector->pid, SIGKILL);
		/* Watched or not, it has to be reaped; it dies at once. */
		waitpid(inspector->pid, NULL, 0);
		goto err;
	}
	*inspectorp = inspector;
	return 0;
err:
	inspector_free(inspector);
	return r;
}
