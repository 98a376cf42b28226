// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>

#include "core/inspection.h"
#include "core/macro.h"
#include "system/child.h"
#include "system/helpers.h"
#include "system/inspector.h"

/* The inspector keeps the deadline itself; the daemon's is later, so that a report can still say so. */
#define GRACE_MS 500
/* Timers of the deadline may be late by this, so that wake-ups can be shared. Microseconds. */
#define ACCURACY_US 20000
#define SPARE_ACCURACY_US 100000

struct inspector {
	struct child *child;
	struct inspector_spare *spare; /* it waits there; NULL: it is at work */
	int device_fd;
	int pipe_fd; /* to read from: a pipe, or our end of the spare one's socket */
	sd_event_source *timer;
	bool cancelled;
	bool timed_out;
	inspector_done_fn done;
	void *userdata;
};

struct inspector_spare {
	sd_event *event;
	const char *program;
	struct inspector *waiting;
	sd_event_source *timer; /* to start the next one */
	uint64_t retry_us;	/* when that is, if this one is of no use */
	char said[256];		/* why the last one was of no use: the log has it already */
};

static void spare_lost(struct inspector *inspector, int code, int status);

static void inspector_free(struct inspector *inspector)
{
	child_free(inspector->child);
	sd_event_source_disable_unref(inspector->timer);
	closep(&inspector->device_fd);
	closep(&inspector->pipe_fd);
	free(inspector);
}

/*
 * The child has gone, and with it the only writing end: what it wrote is in the pipe, which holds a
 * whole report. One that was killed in the middle of its write leaves a part; more than a report is
 * none, either.
 */
static bool inspector_report(struct inspector *inspector, struct report *report)
{
	uint8_t buffer[sizeof(*report) + 1];
	size_t len = 0;

	while (len < sizeof(buffer)) {
		ssize_t n = read(inspector->pipe_fd, buffer + len, sizeof(buffer) - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return report_check(buffer, len, report);
}

/* A process that owns many pipes gets smaller ones: pipe(7), pipe-user-pages-soft. */
static int pipe_make(int fds[static 2])
{
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	if (fcntl(fds[1], F_GETPIPE_SZ) >= (int)sizeof(struct report) ||
	    fcntl(fds[1], F_SETPIPE_SZ, (int)sizeof(struct report)) >= 0)
		return 0;

	int r = -errno;

	close(fds[0]);
	close(fds[1]);
	return r;
}

static void inspector_exited(void *userdata, int code, int status)
{
	struct inspector *inspector = userdata;
	struct report report;
	char detail[96] = "";
	enum inspector_end end;

	if (inspector->spare)
		spare_lost(inspector, code, status);
	if (inspector->cancelled || inspector->spare) {
		inspector_free(inspector);
		return;
	}
	if (inspector_report(inspector, &report)) {
		end = INSPECTOR_REPORTED;
	} else if (inspector->timed_out) {
		end = INSPECTOR_TIMEOUT;
		snprintf(detail, sizeof(detail), "inspector killed at the deadline");
	} else {
		end = INSPECTOR_FAILED;
		snprintf(detail, sizeof(detail), "inspector %s %d without a valid report",
			 code == CLD_EXITED ? "exited with" : "died of signal", status);
	}
	/* Before the verdict: our claim must be off the interface when drivers are tried. */
	closep(&inspector->device_fd);
	inspector->device_fd = -1;
	inspector->done(inspector->userdata, end, end == INSPECTOR_REPORTED ? &report : NULL,
			detail);
	inspector_free(inspector);
}

static int inspector_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct inspector *inspector = userdata;

	inspector->timed_out = true;
	child_kill(inspector->child);
	return 0;
}

struct inspector *inspector_cancel(struct inspector *inspector)
{
	if (inspector) {
		inspector->cancelled = true;
		child_kill(inspector->child);
		closep(&inspector->device_fd);
		inspector->device_fd = -1;
	}
	return NULL;
}

/* Without a descriptor (-1) the child opens the device by itself. */
static int inspector_run(struct inspector **inspectorp, sd_event *event, const char *program,
			 int device_fd, const char *const *argv, unsigned int deadline_ms,
			 inspector_done_fn done, void *userdata)
{
	static const char *const no_env[] = { NULL };
	struct inspector *inspector;
	int pipe_fds[2], r;

	inspector = calloc(1, sizeof(*inspector));
	r = inspector ? pipe_make(pipe_fds) : -ENOMEM;
	if (r) {
		free(inspector);
		closep(&device_fd);
		return r;
	}
	*inspector = (struct inspector){ .device_fd = device_fd,
					 .pipe_fd = pipe_fds[0],
					 .done = done,
					 .userdata = userdata };
	r = sd_event_add_time_relative(event, &inspector->timer, CLOCK_BOOTTIME, (deadline_ms + GRACE_MS) * 1000ull,
				       ACCURACY_US, inspector_deadline, inspector);
	if (r >= 0)
		r = child_start(&inspector->child, event, program, argv, no_env, (const int[]){ device_fd, pipe_fds[1] }, 2,
				inspector_exited, inspector);
	close(pipe_fds[1]);
	if (r < 0) {
		inspector_free(inspector);
		return r;
	}
	*inspectorp = inspector;
	return 0;
}

/* --- the spare one --------------------------------------------------------------------------------- */

static int spare_start(sd_event_source *source, uint64_t usec, void *userdata);

/* Without the timer each inspection starts its own. */
static void spare_plan(struct inspector_spare *spare, uint64_t usec)
{
	int r;

	if (spare->timer) {
		r = sd_event_source_set_time_relative(spare->timer, usec);
		if (r >= 0)
			r = sd_event_source_set_enabled(spare->timer, SD_EVENT_ONESHOT);
	} else {
		r = sd_event_add_time_relative(spare->event, &spare->timer, CLOCK_BOOTTIME, usec, SPARE_ACCURACY_US, spare_start,
					       spare);
	}
	if (r < 0 && r != -ESTALE)
		fprintf(stderr, SD_WARNING "no inspector is started ahead: %s\n", strerror(-r));
}

/*
 * What kept one from waiting will mostly keep the next one, too: a system that lacks something does not heal. So the log gets it once,
 * not every time, and the next one comes ever later.
 */
_printf_(2, 3) static void spare_retry(struct inspector_spare *spare, const char *format, ...)
{
	char why[sizeof(spare->said)];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	if (strcmp(spare->said, why)) {
		strcpy(spare->said, why);
		fprintf(stderr,
			SD_WARNING "%s; until one waits again every device has its own started, which takes longer; tried in %" PRIu64
				   " s, then ever later\n",
			why, spare->retry_us / 1000000);
	}
	spare_plan(spare, spare->retry_us);
	spare->retry_us = spare->retry_us < INSPECTOR_SPARE_RETRY_MAX_US / 2 ? 2 * spare->retry_us : INSPECTOR_SPARE_RETRY_MAX_US;
}

/* It says by its report what it lacks; one that was killed has written none. */
static void spare_lost(struct inspector *inspector, int code, int status)
{
	struct inspector_spare *spare = inspector->spare;
	struct report report;
	bool told = inspector_report(inspector, &report) && report.outcome == REPORT_INTERNAL;

	spare->waiting = NULL;
	spare_retry(spare, "the inspector that waited for a device has %s %d%s%s", code == CLD_EXITED ? "exited with" : "died of signal",
		    status, told ? ": " : "", told ? report.detail : "");
}

/* It waits in recvmsg(2); only our end does not block. */
static int socket_make(int fds[static 2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0)
		return 0;

	int r = -errno;

	close(fds[0]);
	close(fds[1]);
	return r;
}

static int spare_run(struct inspector_spare *spare)
{
	static const char *const no_env[] = { NULL }, *const argv[] = { "sekimori-inspect", "--wait", NULL };
	struct inspector *inspector = calloc(1, sizeof(*inspector));
	int fds[2], r = inspector ? socket_make(fds) : -ENOMEM;

	if (r) {
		free(inspector);
		return r;
	}
	*inspector = (struct inspector){ .spare = spare, .device_fd = -1, .pipe_fd = fds[0] };
	r = child_start(&inspector->child, spare->event, spare->program, argv, no_env, (const int[]){ -1, fds[1] }, 2,
			inspector_exited, inspector);
	close(fds[1]);
	if (r < 0)
		inspector_free(inspector);
	else
		spare->waiting = inspector;
	return r;
}

static int spare_start(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct inspector_spare *spare = userdata;
	int r = spare->waiting ? 0 : spare_run(spare);

	if (r < 0)
		spare_retry(spare, "no inspector can be started ahead: %s", strerror(-r));
	return 0;
}

int inspector_spare_new(struct inspector_spare **sparep, sd_event *event, const char *program)
{
	struct inspector_spare *spare = calloc(1, sizeof(*spare));

	if (!spare)
		return -ENOMEM;
	*spare = (struct inspector_spare){ .event = sd_event_ref(event), .program = program, .retry_us = INSPECTOR_SPARE_RETRY_US };
	spare_plan(spare, INSPECTOR_SPARE_US);
	*sparep = spare;
	return 0;
}

struct inspector_spare *inspector_spare_free(struct inspector_spare *spare)
{
	if (spare) {
		if (spare->waiting) {
			child_kill(spare->waiting->child);
			inspector_free(spare->waiting);
		}
		sd_event_source_disable_unref(spare->timer);
		sd_event_unref(spare->event);
		free(spare);
	}
	return NULL;
}

bool inspector_spare_waits(const struct inspector_spare *spare)
{
	return spare->waiting;
}

/* False: there is none, or it is of no use; then usb_fd is still the caller's. */
static bool spare_use(struct inspector **inspectorp, struct inspector_spare *spare, int usb_fd, uint8_t number,
		      unsigned int deadline_ms, inspector_done_fn done, void *userdata)
{
	const struct inspection order = { .deadline_ms = deadline_ms, .interface = number };
	struct inspector *inspector = spare->waiting;
	int r;

	/* One that died has its time to wait already. */
	if (!inspector)
		return false;
	r = sd_event_add_time_relative(spare->event, &inspector->timer, CLOCK_BOOTTIME, (deadline_ms + GRACE_MS) * 1000ull,
				       ACCURACY_US, inspector_deadline, inspector);
	if (r >= 0)
		r = helpers_send(inspector->pipe_fd, &order, sizeof(order), &usb_fd, 1);
	if (r < 0) {
		/* It is dead, and not reaped yet, or might as well be: spare_lost() will see to it. */
		inspector->timer = sd_event_source_disable_unref(inspector->timer);
		child_kill(inspector->child);
		return false;
	}
	spare->waiting = NULL;
	spare->retry_us = INSPECTOR_SPARE_RETRY_US;
	spare->said[0] = '\0';
	spare_plan(spare, INSPECTOR_SPARE_US);
	inspector->spare = NULL;
	inspector->device_fd = usb_fd;
	inspector->done = done;
	inspector->userdata = userdata;
	*inspectorp = inspector;
	return true;
}

/* --- starting -------------------------------------------------------------------------------------- */

int inspector_start(struct inspector **inspectorp, struct inspector_spare *spare, sd_event *event, const char *program,
		    int usb_fd, uint8_t number, unsigned int deadline_ms, inspector_done_fn done, void *userdata)
{
	char interface[8], deadline[16];
	const char *const argv[] = { "sekimori-inspect", "--interface", interface, "--deadline", deadline, NULL };

	if (spare && spare_use(inspectorp, spare, usb_fd, number, deadline_ms, done, userdata))
		return 0;
	snprintf(interface, sizeof(interface), "%u", number);
	snprintf(deadline, sizeof(deadline), "%u", deadline_ms);
	return inspector_run(inspectorp, event, program, usb_fd, argv, deadline_ms, done, userdata);
}

int inspector_start_block(struct inspector **inspectorp, sd_event *event, const char *program,
			  const char *node, dev_t devnum, bool read_only, unsigned int deadline_ms,
			  inspector_done_fn done, void *userdata)
{
	char deadline[16], number[32];
	const char *const argv[] = { "sekimori-inspect", "--block", node, "--devnum", number, "--deadline", deadline,
				     read_only ? "--read-only" : NULL, NULL };

	snprintf(number, sizeof(number), "%u:%u", major(devnum), minor(devnum));
	snprintf(deadline, sizeof(deadline), "%u", deadline_ms);
	return inspector_run(inspectorp, event, program, -1, argv, deadline_ms, done, userdata);
}
