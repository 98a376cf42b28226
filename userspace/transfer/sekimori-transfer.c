// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sekimori-transfer: sees what happens to the files of one open volume. Started by sekimorid, as root; one run, one volume.
 * Descriptor 3: the socket of system/handover.h. Descriptor 4: a pipe for the lines of core/transfer.h. It gives up
 * what it does not need as soon as it watches, and ends when it is told to, or when nobody listens any more. A process of
 * its own, because looking at a file may wait for its device.
 *
 *	sekimori-transfer [--reads]                                the volume comes through the socket
 *	sekimori-transfer [--reads] --mount DIRECTORY --source DEVICE    it is open already
 */
#include <fcntl.h>
#include <getopt.h>
#include <linux/mount.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "cli/i18n.h"
#include "core/macro.h"
#include "core/transfer.h"
#include "system/handover.h"
#include "system/mounts.h"
#include "transfer/confine.h"
#include "transfer/fan.h"

#define SOCKET_FD 3
#define PIPE_FD 4
#define USAGE 2
/* What is taken at the end, at most: as much as the kernel's queue holds, four times. Somebody may still write. */
#define LAST_EVENTS 65536

struct watcher {
	struct fan fan;
	struct transfer_burst burst;
	bool unheard; /* the daemon has gone */
};

struct line {
	bool help;
	bool version;
	bool reads;
	const char *mount;
	const char *source;
};

/* --- reports ----------------------------------------------------------------------------------- */

static void report_send(void *userdata, const struct transfer_report *report)
{
	struct watcher *watcher = userdata;
	char line[TRANSFER_LINE_MAX];
	size_t len = transfer_format(report, line, sizeof(line)), done = 0;

	while (done < len && !watcher->unheard) {
		ssize_t n = write(PIPE_FD, line + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		watcher->unheard = n <= 0;
		done += n > 0 ? (size_t)n : 0;
	}
}

static void event_take(void *userdata, const struct transfer_event *event, uint64_t now_us)
{
	struct watcher *watcher = userdata;

	transfer_burst_add(&watcher->burst, event, now_us, report_send, watcher);
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
}

static void overflow_take(void *userdata)
{
	struct watcher *watcher = userdata;

	transfer_burst_lost(&watcher->burst, now_us(), report_send, watcher);
}

static const struct fan_ops fan_ops = { .event = event_take, .overflow = overflow_take };

/* --- watching ---------------------------------------------------------------------------------- */

/* Until the burst that goes on may be over; -1: there is none. */
static int time_left(const struct watcher *watcher)
{
	uint64_t due = transfer_burst_due(&watcher->burst), now = now_us();

	if (due == UINT64_MAX)
		return -1;
	return due <= now ? 0 : (int)((due - now) / 1000 + 1);
}

/* 0 when it is told to end, or a negative errno. */
static int watch(struct watcher *watcher)
{
	while (!watcher->unheard) {
		struct pollfd fds[] = { { .fd = watcher->fan.fd, .events = POLLIN },
					{ .fd = SOCKET_FD, .events = POLLIN },
					{ .fd = PIPE_FD } };
		int r = poll(fds, ARRAY_SIZE(fds), time_left(watcher));

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0 && fds[0].revents)
			r = fan_read(&watcher->fan, &fan_ops, watcher);
		if (r < 0)
			return r;
		transfer_burst_tick(&watcher->burst, now_us(), report_send, watcher);
		if (fds[2].revents & POLLERR)
			return -EPIPE;
		if (fds[1].revents && handover_asked(SOCKET_FD))
			return 0;
	}
	return -EPIPE;
}

static void finish(struct watcher *watcher)
{
	uint64_t until = watcher->fan.events + LAST_EVENTS;

	while (watcher->fan.events < until && fan_read(&watcher->fan, &fan_ops, watcher) > 0)
		;
	transfer_burst_flush(&watcher->burst, report_send, watcher);
	report_send(watcher, &(struct transfer_report){ .kind = TRANSFER_END,
							.events = watcher->fan.events });
	fan_close(&watcher->fan);
	handover_let_go(SOCKET_FD);
}

/* --- beginning --------------------------------------------------------------------------------- */

/* A directory of our own on a volume that is open: of another mount, or it would keep that one busy. */
static int open_mounted(const struct line *line)
{
	_cleanup_(closep) int clone = -1, dir = -1;
	struct stat st, source;
	int r = mounts_join_host();

	if (r)
		return r;
	clone = (int)syscall(SYS_open_tree, AT_FDCWD, line->mount,
			     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (clone < 0)
		return -errno;
	dir = openat(clone, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0 || stat(line->source, &source) < 0)
		return -errno;
	/* Where it was something else may be by now. */
	if (!S_ISBLK(source.st_mode) || st.st_dev != source.st_rdev)
		return -ENODEV;
	return TAKE_FD(dir);
}

static int begin(struct watcher *watcher, const struct line *line, char words[static TRANSFER_WORDS_MAX])
{
	char mount[HANDOVER_MOUNT_MAX];
	const char *step = "mount";
	int dir = -1, r = 0;

	if (line->mount) {
		dir = open_mounted(line);
		r = dir < 0 ? dir : 0;
		snprintf(mount, sizeof(mount), "%s", line->mount);
	} else {
		r = handover_take(SOCKET_FD, &dir, mount);
	}
	if (r > 0)
		return r;
	if (!r) {
		step = "fanotify";
		r = fan_open(&watcher->fan, dir, mount, line->reads);
	}
	if (!r)
		r = confine_enter(&step);
	if (r)
		snprintf(words, TRANSFER_WORDS_MAX, "sekimori-transfer cannot watch (%s): %s", step,
			 strerror(-r));
	return r;
}

static bool take_line(struct line *line, int argc, char **argv)
{
	static const struct option options[] = { { "reads", no_argument, NULL, 'r' },
						 { "mount", required_argument, NULL, 'm' },
						 { "source", required_argument, NULL, 's' },
						 { "help", no_argument, NULL, 'h' },
						 { "version", no_argument, NULL, 'v' },
						 { NULL, 0, NULL, 0 } };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		switch (option) {
		case 'r':
			line->reads = true;
			break;
		case 'm':
			line->mount = optarg;
			break;
		case 's':
			line->source = optarg;
			break;
		case 'h':
			line->help = true;
			break;
		case 'v':
			line->version = true;
			break;
		default:
			return false;
		}
	if (line->help || line->version)
		return true;
	return optind == argc && !line->mount == !line->source &&
	       (!line->mount || strlen(line->mount) < HANDOVER_MOUNT_MAX) &&
	       fcntl(SOCKET_FD, F_SETFD, FD_CLOEXEC) >= 0 && fcntl(PIPE_FD, F_SETFD, FD_CLOEXEC) >= 0;
}

static void print_usage(FILE *out)
{
	i18n_init();
	fputs(_("Usage: sekimori-transfer [--reads] [--mount DIRECTORY --source DEVICE]\n"
		"       sekimori-transfer --help | --version\n\n"
		"sekimorid starts it, with a socket as descriptor 3 and a pipe as 4; it is of no use by hand.\n"),
	      out);
}

static int usage(void)
{
	i18n_init();
	fprintf(stderr, "sekimori-transfer: %s", _("wrong use\n"));
	print_usage(stderr);
	return USAGE;
}

int main(int argc, char **argv)
{
	static struct watcher watcher;
	struct transfer_report report = { .kind = TRANSFER_FAILED };
	struct line line = { 0 };
	int r;

	if (!take_line(&line, argc, argv)) {
		return usage();
	}
	if (line.help) {
		print_usage(stdout);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (line.version) {
		puts("sekimori-transfer " SEKIMORI_VERSION);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	signal(SIGPIPE, SIG_IGN);
	watcher.fan.fd = watcher.fan.root = -1;
	r = begin(&watcher, &line, report.words);
	if (r < 0) {
		report_send(&watcher, &report);
		handover_answer(SOCKET_FD, report.words);
		return EXIT_FAILURE;
	}
	if (!r) {
		report_send(&watcher, &(struct transfer_report){ .kind = TRANSFER_WATCHING,
								 .limited = watcher.fan.limited });
		if (!line.mount)
			handover_answer(SOCKET_FD, NULL);
		r = watch(&watcher);
		if (r < 0) {
			/* Of the watching; what was seen is told, and that it ends so early. */
			transfer_burst_flush(&watcher.burst, report_send, &watcher);
			snprintf(report.words, sizeof(report.words), "sekimori-transfer: %s", strerror(-r));
			report_send(&watcher, &report);
			return EXIT_FAILURE;
		}
	}
	finish(&watcher);
	return EXIT_SUCCESS;
}
