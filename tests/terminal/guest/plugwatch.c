// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looks at one plug from outside whatever guards the terminal:
 *
 *     plugwatch SECONDS disk                until 4096 bytes of the disk that comes could be read
 *     plugwatch SECONDS record FILE WORD    until a line with WORD has been added to FILE
 *
 * The clock starts with the kernel's own event for the USB device (kobject uevents, netlink(7), group 1) and ends
 * with the read, or with the write to FILE (inotify(7)). One JSON object: what was seen, microseconds, and the
 * `authorized` bits of the device and of its interfaces at the end. "watching" on the error output says that a
 * device may be plugged. Exit status 0 when it came to that, 1 after SECONDS, 2 for a wrong call.
 */
#include <fcntl.h>
#include <glob.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096
#define EVENT_MAX 8192
#define PATH_LEN 512
#define KERNEL_GROUP 1
#define RETRY_US 500 /* a disk that is announced may still be asked for its size */

struct watch {
	const char *file, *word;
	FILE *log;
	int netlink, inotify;
	bool until_disk;
	int64_t started_us, ended_us, deadline_us;
	char device[PATH_LEN];
	char disk[PATH_LEN];
};

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* A property of a uevent: strings one after the other, each with its NUL. */
static const char *event_get(const char *event, size_t len, const char *name)
{
	size_t n = strlen(name);

	for (size_t at = 0; at < len; at += strlen(event + at) + 1)
		if (!strncmp(event + at, name, n) && event[at + n] == '=')
			return event + at + n + 1;
	return "";
}

static void see_event(struct watch *watch, const char *event, size_t len)
{
	const char *action = event_get(event, len, "ACTION");
	const char *subsystem = event_get(event, len, "SUBSYSTEM");
	const char *type = event_get(event, len, "DEVTYPE");

	if (!strcmp(subsystem, "usb") && !strcmp(type, "usb_device") && !watch->started_us &&
	    !strcmp(action, "add")) {
		watch->started_us = now_us();
		snprintf(watch->device, sizeof(watch->device), "/sys%s", event_get(event, len, "DEVPATH"));
	}
	if (!strcmp(subsystem, "block") && !strcmp(type, "disk") && !strcmp(action, "add"))
		snprintf(watch->disk, sizeof(watch->disk), "/dev/%s", event_get(event, len, "DEVNAME"));
}

static void read_events(struct watch *watch)
{
	static char event[EVENT_MAX];
	ssize_t n;

	while ((n = recv(watch->netlink, event, sizeof(event) - 1, MSG_DONTWAIT)) > 0) {
		event[n] = '\0';
		see_event(watch, event, (size_t)n);
	}
}

static bool try_disk(struct watch *watch)
{
	static char block[BLOCK];
	int fd = open(watch->disk, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && read(fd, block, sizeof(block)) == sizeof(block);

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool try_log(struct watch *watch)
{
	char *line = NULL;
	size_t size = 0;
	bool found = false;
	char skipped[EVENT_MAX];

	while (read(watch->inotify, skipped, sizeof(skipped)) > 0)
		;
	clearerr(watch->log);
	while (getline(&line, &size, watch->log) > 0)
		found |= strstr(line, watch->word) != NULL;
	free(line);
	return found && watch->started_us;
}

static int watch_run(struct watch *watch)
{
	while (now_us() < watch->deadline_us) {
		struct pollfd fds[] = { { .fd = watch->netlink, .events = POLLIN },
					{ .fd = watch->inotify, .events = POLLIN } };
		int64_t seen;

		if (!watch->disk[0] || !watch->until_disk)
			poll(fds, 2, 100);
		else
			usleep(RETRY_US);
		seen = now_us();
		read_events(watch);
		if (watch->until_disk ? watch->disk[0] && try_disk(watch) : try_log(watch)) {
			watch->ended_us = watch->until_disk ? now_us() : seen;
			return 0;
		}
	}
	return 1;
}

static void print_bits(const char *pattern, const char *name)
{
	glob_t found = { 0 };

	printf(", \"%s\": \"", name);
	if (!glob(pattern, 0, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++) {
			FILE *f = fopen(found.gl_pathv[i], "re");

			if (f)
				putchar(fgetc(f));
			if (f)
				fclose(f);
		}
	globfree(&found);
	putchar('"');
}

static void watch_print(const struct watch *watch)
{
	char pattern[PATH_LEN + 32];

	printf("{\"us\": %lld, \"disk\": \"%s\"", (long long)(watch->ended_us - watch->started_us), watch->disk);
	snprintf(pattern, sizeof(pattern), "%s/authorized", watch->device);
	print_bits(pattern, "device_authorized");
	snprintf(pattern, sizeof(pattern), "%s/*:*/authorized", watch->device);
	print_bits(pattern, "interfaces_authorized");
	puts("}");
}

static int watch_open(struct watch *watch)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };

	watch->netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->netlink < 0 || watch->inotify < 0 ||
	    bind(watch->netlink, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	if (watch->until_disk)
		return 0;
	watch->log = fopen(watch->file, "re");
	if (!watch->log || fseek(watch->log, 0, SEEK_END) < 0)
		return -1;
	return inotify_add_watch(watch->inotify, watch->file, IN_MODIFY) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct watch watch = { .deadline_us = now_us() };
	int r;

	if (argc == 3 && !strcmp(argv[2], "disk")) {
		watch.until_disk = true;
	} else if (argc == 5 && !strcmp(argv[2], "record")) {
		watch.file = argv[3];
		watch.word = argv[4];
	} else {
		fputs("usage: plugwatch SECONDS disk | record FILE WORD\n", stderr);
		return 2;
	}
	watch.deadline_us += strtoll(argv[1], NULL, 10) * 1000000;
	if (watch_open(&watch) < 0) {
		perror("plugwatch");
		return 1;
	}
	fputs("watching\n", stderr);
	r = watch_run(&watch);
	watch_print(&watch);
	return r;
}
