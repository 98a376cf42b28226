// SPDX-License-Identifier: GPL-2.0-or-later
#include "inspect/waiting.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "core/macro.h"
#include "inspect/sandbox.h"

int waiting_begin(void)
{
	int fd;

	close(SANDBOX_FD_DEVICE);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fd == SANDBOX_FD_DEVICE ? 0 : -EBADF;
}

void waiting_ready(void)
{
	close(SANDBOX_FD_DEVICE);
}

/* The one descriptor that came, or -1. The limit of descriptors has no room for a second one. */
static int descriptor_of(struct msghdr *message)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int waiting_receive(struct inspection *inspection)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = inspection, .iov_len = sizeof(*inspection) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.space,
				  .msg_controllen = sizeof(control.space) };
	ssize_t n;

	do
		n = recvmsg(SANDBOX_FD_REPORT, &message, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ECANCELED;
	if (n != (ssize_t)sizeof(*inspection) || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    descriptor_of(&message) != SANDBOX_FD_DEVICE)
		return -EBADMSG;
	return 0;
}
