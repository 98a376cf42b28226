// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/macro.h"
#include "system/child.h"
#include "system/helpers.h"

#define UDEV_WAIT_MS 5000
#define CLOCK_WAIT_MS 100

const struct helpers_program helpers_programs[] = {
	{"/usr/libexec/sekimori/sekimori-inspect", false},
	{"/usr/libexec/sekimori/sekimori-open", true},
	{"/usr/libexec/sekimori/sekimori-transfer", true},
};
const size_t n_helpers_programs = ARRAY_SIZE(helpers_programs);

static const char *helpers_path(void)
{
	const char *path = getenv(HELPERS_VARIABLE);

	return path && *path ? path : NULL;
}

bool helpers_stand(void)
{
	return helpers_path();
}

static int helpers_connect(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = helpers_path();
	_cleanup_(closep) int fd = -1;

	if (!path || strlen(path) >= sizeof(address.sun_path))
		return path ? -ENAMETOOLONG : -ENOENT;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int helpers_send(int socket, const void *bytes, size_t len, const int *fds, size_t n)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(CHILD_FDS_MAX * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)bytes, .iov_len = len};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n > CHILD_FDS_MAX)
		return -EINVAL;
	if (n) {
		message.msg_control = control.space;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, n * sizeof(int));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void take_descriptors(struct msghdr *message, int *fds, size_t *n, size_t room)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t got = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS ?
				     (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) :
				     0;

		for (size_t i = 0; i < got; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (*n < room)
				fds[(*n)++] = fd;
			else
				close(fd);
		}
	}
}

int helpers_receive(int socket, void *bytes, size_t size, int *fds, size_t *n)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(CHILD_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = bytes, .iov_len = size};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control.space,
				 .msg_controllen = sizeof(control.space)};
	size_t room = *n;
	ssize_t len;

	*n = 0;
	do
		len = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return errno == ECONNRESET ? 0 : -errno;
	take_descriptors(&message, fds, n, room);
	if (!(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return (int)len;
	while (*n)
		close(fds[--*n]);
	return -EMSGSIZE;
}

int helpers_run(const char *program, const char *const *argv, const int *fds, size_t n)
{
	uint8_t message[HELPERS_MESSAGE_MAX] = {HELPERS_RUN};
	_cleanup_(closep) int connection = -1;
	int given[CHILD_FDS_MAX], r;
	size_t len = 3, number = 0, n_given = 0;

	while (number < n_helpers_programs && strcmp(helpers_programs[number].path, program))
		number++;
	if (number == n_helpers_programs)
		return -EPERM;
	message[1] = (uint8_t)number;
	for (size_t i = 0; i < n; i++) {
		if (fds[i] < 0)
			continue;
		message[2] |= (uint8_t)(1u << i);
		given[n_given++] = fds[i];
	}
	for (size_t i = 0; argv[i]; i++) {
		size_t size = strlen(argv[i]) + 1;

		if (size > sizeof(message) - len || i == HELPERS_ARGS_MAX)
			return -E2BIG;
		memcpy(message + len, argv[i], size);
		len += size;
	}
	connection = helpers_connect();
	r = connection < 0 ? connection : helpers_send(connection, message, len, given, n_given);
	return r < 0 ? r : TAKE_FD(connection);
}

static int wait_for(int connection, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = connection, .events = POLLIN};
	int r;

	do
		r = poll(&poll_fd, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r ? 0 : -ETIMEDOUT;
}

int helpers_udev(const char *subsystem, const char *devtype)
{
	_cleanup_(closep) int connection = helpers_connect();
	union {
		uint8_t kind;
		struct helpers_ended ended;
	} answer;
	char order[128] = {HELPERS_UDEV};
	size_t first = strlen(subsystem) + 1, second = strlen(devtype ? devtype : "") + 1, n = 1;
	int fd = -1, r;

	if (connection < 0)
		return connection;
	if (1 + first + second > sizeof(order))
		return -EINVAL;
	memcpy(order + 1, subsystem, first);
	memcpy(order + 1 + first, devtype ? devtype : "", second);
	r = helpers_send(connection, order, 1 + first + second, NULL, 0);
	if (!r)
		r = wait_for(connection, UDEV_WAIT_MS);
	if (!r)
		r = helpers_receive(connection, &answer, sizeof(answer), &fd, &n);
	if (r < 0)
		return r;
	if (r == 1 && answer.kind == HELPERS_UDEV && n == 1)
		return fd;
	if (n)
		close(fd);
	return r == sizeof(answer.ended) && answer.kind == HELPERS_ENDED && answer.ended.status < 0 ?
		       answer.ended.status :
		       -EPROTO;
}

/* The one connection on which the clock is asked for, the question that may be on its way there, and what was said last. */
static struct {
	int connection;
	bool asked, known, synchronised;
	uint64_t asked_us;
} clock_asked = {.connection = -1};

static uint64_t boottime_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* A late answer is not to be taken for that to the next question. */
static void clock_forget(void)
{
	closep(&clock_asked.connection);
	clock_asked.connection = -1;
	clock_asked.asked = clock_asked.known = false;
}

static bool clock_is_fresh(void)
{
	return (clock_asked.asked || clock_asked.known) && boottime_us() - clock_asked.asked_us < HELPERS_CLOCK_FRESH_US;
}

static int clock_send(void)
{
	uint8_t kind = HELPERS_CLOCK;
	int r;

	if (clock_asked.connection < 0)
		clock_asked.connection = helpers_connect();
	r = clock_asked.connection < 0 ? clock_asked.connection :
					 helpers_send(clock_asked.connection, &kind, 1, NULL, 0);
	if (r) {
		clock_forget();
		return r;
	}
	clock_asked.asked = true;
	clock_asked.known = false;
	clock_asked.asked_us = boottime_us();
	return 0;
}

static int clock_take(void)
{
	uint8_t kind;
	size_t none = 0;
	int r = wait_for(clock_asked.connection, CLOCK_WAIT_MS);

	if (!r)
		r = helpers_receive(clock_asked.connection, &kind, 1, NULL, &none);
	if (r != 1) {
		clock_forget();
		return r < 0 ? r : -EPROTO;
	}
	clock_asked.asked = false;
	clock_asked.known = true;
	clock_asked.synchronised = kind == HELPERS_YES;
	return 0;
}

void helpers_clock_ask(void)
{
	if (!clock_asked.asked && !clock_is_fresh())
		clock_send();
}

bool helpers_clock_is_synchronised(void)
{
	/* What was asked too long ago is only taken off the connection. */
	if (clock_asked.asked && !clock_is_fresh())
		clock_take();
	if (!clock_is_fresh() && clock_send())
		return false;
	if (clock_asked.asked && clock_take())
		return false;
	return clock_asked.synchronised;
}
