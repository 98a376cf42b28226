// SPDX-License-Identifier: GPL-2.0-or-later
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "core/mark-text.h"
#include "system/clamd.h"

/* An answer holds a descriptor's number and a signature; clamd's own limit of a command is 1024. */
#define ANSWER_MAX 1024

struct clamd {
	int socket;
	unsigned int timeout_ms;
	uint32_t sent;
	char buffer[ANSWER_MAX];
	size_t used;
};

/* --- the protocol's text ------------------------------------------------------------------- */

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && !memcmp(text + len - n, end, n);
}

/* Digits and ": "; the number of bytes, 0 if it has another form. */
static size_t parse_id(const char *text, size_t len, uint32_t *id)
{
	size_t i = 0;
	uint64_t value = 0;

	while (i < len && i < 10 && text[i] >= '0' && text[i] <= '9')
		value = value * 10 + (uint64_t)(text[i++] - '0');
	if (!i || !value || value > UINT32_MAX || len - i < 2 || memcmp(text + i, ": ", 2))
		return 0;
	*id = (uint32_t)value;
	return i + 2;
}

/* "fd[10]: " */
static size_t parse_subject(const char *text, size_t len)
{
	size_t i = 3;

	if (len < 3 || memcmp(text, "fd[", 3))
		return 0;
	while (i < len && text[i] >= '0' && text[i] <= '9')
		i++;
	return i > 3 && len - i >= 3 && !memcmp(text + i, "]: ", 3) ? i + 3 : 0;
}

bool clamd_parse(const char *text, size_t len, struct clamd_answer *answer)
{
	size_t n = parse_id(text, len, &answer->id), subject;

	if (!n || memchr(text, '\0', len))
		return false;
	text += n;
	len -= n;
	subject = parse_subject(text, len);
	answer->signature[0] = '\0';
	if (subject && len - subject == 2 && !memcmp(text + subject, "OK", 2)) {
		answer->verdict = CLAMD_CLEAN;
		return true;
	}
	if (subject && ends_with(text + subject, len - subject, " FOUND")) {
		answer->verdict = CLAMD_INFECTED;
		len -= strlen(" FOUND");
	} else if (ends_with(text, len, " ERROR")) {
		/* Not every complaint names the descriptor. */
		answer->verdict = CLAMD_ERROR;
		len -= strlen(" ERROR");
	} else {
		return false;
	}
	len -= subject;
	if (len >= sizeof(answer->signature))
		len = sizeof(answer->signature) - 1;
	memcpy(answer->signature, text + subject, len);
	answer->signature[len] = '\0';
	return true;
}

const char *clamd_error(int code)
{
	switch (code) {
	case CLAMD_E_ABSENT:
		return N_("the virus scanner does not run");
	case CLAMD_E_TIMEOUT:
		return N_("the virus scanner did not answer in time");
	case CLAMD_E_ANSWER:
		return N_("the virus scanner gave an answer that is not understood, or hung up");
	}
	return N_("the virus scanner cannot be asked");
}

/* --- the connection ------------------------------------------------------------------------ */

static int send_all(struct clamd *clamd, struct msghdr *message, size_t len)
{
	ssize_t n;

	do
		n = sendmsg(clamd->socket, message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return CLAMD_E_TIMEOUT;
	if (n < 0)
		return errno == EPIPE || errno == ECONNRESET ? CLAMD_E_ANSWER : -errno;
	/* A few bytes on an empty socket go at once or not at all. */
	return (size_t)n == len ? 0 : CLAMD_E_TIMEOUT;
}

static int send_text(struct clamd *clamd, const char *text, size_t len)
{
	struct iovec iov = { .iov_base = (void *)text, .iov_len = len };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	return send_all(clamd, &message, len);
}

int clamd_new(struct clamd **clamdp, const char *path, unsigned int timeout_ms)
{
	_cleanup_(clamd_freep) struct clamd *clamd = calloc(1, sizeof(*clamd));
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = timeout_ms / 1000,
				   .tv_usec = timeout_ms % 1000 * 1000 };
	int r;

	if (!clamd)
		return -ENOMEM;
	clamd->timeout_ms = timeout_ms;
	clamd->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (clamd->socket < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	/* Also for connect(): a listener that accepts nobody has a full queue (unix(7)). */
	if (setsockopt(clamd->socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return -errno;
	if (connect(clamd->socket, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
			return CLAMD_E_ABSENT;
		return errno == EAGAIN ? CLAMD_E_TIMEOUT : -errno;
	}
	r = send_text(clamd, "zIDSESSION", sizeof("zIDSESSION"));
	if (r)
		return r;
	*clamdp = TAKE_PTR(clamd);
	return 0;
}

struct clamd *clamd_free(struct clamd *clamd)
{
	if (!clamd)
		return NULL;
	if (clamd->sent)
		send_text(clamd, "zEND", sizeof("zEND"));
	closep(&clamd->socket);
	free(clamd);
	return NULL;
}

int clamd_send(struct clamd *clamd, int fd, uint32_t *id)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(sizeof(int)) } };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control.space) };
	int r = send_text(clamd, "zFILDES", sizeof("zFILDES"));

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (!r)
		r = send_all(clamd, &message, 1);
	if (!r)
		*id = ++clamd->sent;
	return r;
}

/* Takes one answer out of the buffer; 0, CLAMD_E_ANSWER, or -EAGAIN: not whole yet. */
static int take_answer(struct clamd *clamd, struct clamd_answer *answer)
{
	char *end = memchr(clamd->buffer, '\0', clamd->used);
	size_t len;
	bool good;

	if (!end)
		return clamd->used < sizeof(clamd->buffer) ? -EAGAIN : CLAMD_E_ANSWER;
	len = (size_t)(end - clamd->buffer);
	good = clamd_parse(clamd->buffer, len, answer);
	clamd->used -= len + 1;
	memmove(clamd->buffer, end + 1, clamd->used);
	return good ? 0 : CLAMD_E_ANSWER;
}

int clamd_receive(struct clamd *clamd, struct clamd_answer *answer)
{
	struct pollfd poll_fd = { .fd = clamd->socket, .events = POLLIN };
	int r;

	while ((r = take_answer(clamd, answer)) == -EAGAIN) {
		ssize_t n;

		r = poll(&poll_fd, 1, (int)clamd->timeout_ms);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r ? -errno : CLAMD_E_TIMEOUT;
		n = recv(clamd->socket, clamd->buffer + clamd->used,
			 sizeof(clamd->buffer) - clamd->used, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != ECONNRESET)
			return -errno;
		if (n <= 0)
			return CLAMD_E_ANSWER;
		clamd->used += (size_t)n;
	}
	return r;
}
