// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "core/macro.h"
#include "system/handover.h"

/* Marking a file system waits for nothing but a turn of the processor. */
#define GIVE_MS 10000

#define WATCH 'w'
#define STANDS '+'
#define REFUSED '-'
#define CLOSE 'c'
#define ENDED 'e'

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

/* A message, NUL-terminated; 0 at the end. */
static ssize_t receive(int socket, char *text, size_t size, int64_t until_ms)
{
	struct pollfd poll_fd = { .fd = socket, .events = POLLIN };
	ssize_t n;
	int r;

	do {
		int64_t left = until_ms - now_ms();

		r = poll(&poll_fd, 1, left > 0 ? (int)left : 0);
	} while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r ? -errno : -ETIMEDOUT;
	n = recv(socket, text, size - 1, MSG_DONTWAIT);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	text[n] = '\0';
	return n;
}

int handover_give(int socket, int dir, const char *mount, char words[static HANDOVER_WORDS_MAX])
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char text[HANDOVER_MOUNT_MAX + 1], answer[HANDOVER_WORDS_MAX + 1];
	struct iovec iov = { .iov_base = text };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.space,
				  .msg_controllen = sizeof(control.space) };
	ssize_t n;

	words[0] = '\0';
	n = snprintf(text, sizeof(text), "%c%s", WATCH, mount);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -ENAMETOOLONG;
	iov.iov_len = (size_t)n;
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &dir, sizeof(dir));
	if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
		return -errno;
	n = receive(socket, answer, sizeof(answer), now_ms() + GIVE_MS);
	if (n < 0)
		return (int)n;
	if (n && answer[0] == STANDS)
		return 0;
	if (!n || answer[0] != REFUSED)
		return -EPIPE;
	snprintf(words, HANDOVER_WORDS_MAX, "%s", answer + 1);
	return HANDOVER_E_REFUSED;
}

/* The one descriptor of a message; others are closed. */
static int take_descriptor(struct msghdr *message)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t n = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS ?
				   (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) :
				   0;

		for (size_t i = 0; i < n; i++) {
			int got;

			memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			closep(&fd);
			fd = got;
		}
	}
	return fd;
}

int handover_take(int socket, int *dir, char mount[static HANDOVER_MOUNT_MAX])
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char text[HANDOVER_MOUNT_MAX + 1];
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.space,
				  .msg_controllen = sizeof(control.space) };
	ssize_t n;

	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!n)
		return HANDOVER_E_CLOSE;
	text[n] = '\0';
	*dir = take_descriptor(&message);
	if (text[0] == CLOSE) {
		closep(dir);
		return HANDOVER_E_CLOSE;
	}
	if (text[0] != WATCH || *dir < 0) {
		closep(dir);
		return -EBADMSG;
	}
	snprintf(mount, HANDOVER_MOUNT_MAX, "%s", text + 1);
	return 0;
}

void handover_answer(int socket, const char *words)
{
	char text[HANDOVER_WORDS_MAX + 1];
	int n = snprintf(text, sizeof(text), "%c%s", words ? REFUSED : STANDS, words ? words : "");

	if (n > 0)
		send(socket, text, strlen(text), MSG_NOSIGNAL);
}

int handover_asked(int socket)
{
	char c = 0;
	ssize_t n = recv(socket, &c, 1, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : HANDOVER_E_CLOSE;
	return !n || c == CLOSE ? HANDOVER_E_CLOSE : 0;
}

void handover_let_go(int socket)
{
	const char c = ENDED;

	send(socket, &c, 1, MSG_NOSIGNAL);
}

int handover_close(int socket, unsigned int timeout_ms)
{
	int64_t until = now_ms() + timeout_ms;
	char text[HANDOVER_WORDS_MAX + 1];
	const char c = CLOSE;
	ssize_t n;

	if (send(socket, &c, 1, MSG_NOSIGNAL) < 0)
		return 0;
	/* What an open that was killed has not read may come before. */
	do
		n = receive(socket, text, sizeof(text), until);
	while (n > 0 && text[0] != ENDED);
	return n == -ETIMEDOUT ? -ETIMEDOUT : 0;
}
