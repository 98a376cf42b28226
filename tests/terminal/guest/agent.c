// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hand of the test inside the guest: takes requests on a virtio-serial port, one after the
 * other, and answers each. It is linked statically and keeps no state.
 *
 * request  = op:u8 timeout_ms:u32 len:u32 plen:u32 path[plen] data[len]   (little endian)
 * answer   = 'A' status:i32 outlen:u32 errlen:u32 out err
 *
 *   'x'  run data with /bin/sh -c; status is the exit status, 128+N for signal N, 124 after the
 *        timeout (its process group is killed). Output goes to memory files, so a background
 *        process that keeps them open does not hold up the answer.
 *   'r'  read the file path; status 0 or -errno.
 *   'w'  write data to the file path (created, truncated); status 0 or -errno.
 *   'e'  does path exist (lstat)? status 1 or 0.
 *   'l'  the names in the directory path, a line each, without . and ..; status 0 or -errno.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_HEAD 13
#define DATA_MAX (64u << 20)

static void fail(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void port_read(int fd, void *buf, size_t n)
{
	unsigned char *p = buf;

	while (n > 0) {
		ssize_t r = read(fd, p, n);

		if (r < 0 && errno != EINTR && errno != EAGAIN)
			fail("read");
		if (r <= 0) { /* 0: the host has not opened its side yet */
			struct pollfd pfd = { .fd = fd, .events = POLLIN };

			if (r == 0)
				usleep(10000);
			poll(&pfd, 1, 1000);
			continue;
		}
		p += r;
		n -= (size_t)r;
	}
}

static void port_write(int fd, const void *buf, size_t n)
{
	const unsigned char *p = buf;

	while (n > 0) {
		ssize_t r = write(fd, p, n);

		if (r < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			fail("write");
		}
		p += r;
		n -= (size_t)r;
	}
}

static uint32_t u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Reads all of fd from its start. sysfs and procfs files have no useful size. */
static unsigned char *slurp(int fd, size_t *len)
{
	size_t cap = 65536, n = 0;
	unsigned char *buf = malloc(cap);

	for (;;) {
		ssize_t r;

		if (!buf)
			fail("malloc");
		r = read(fd, buf + n, cap - n);
		if (r < 0) {
			int e = errno;

			free(buf);
			errno = e;
			return NULL;
		}
		if (r == 0)
			break;
		n += (size_t)r;
		if (n == cap)
			buf = realloc(buf, cap *= 2);
	}
	*len = n;
	return buf;
}

static void answer(int port, int status, const void *out, size_t outlen, const void *err, size_t errlen)
{
	unsigned char head[13] = { 'A' };
	uint32_t v[3] = { (uint32_t)status, (uint32_t)outlen, (uint32_t)errlen };

	memcpy(head + 1, v, sizeof v); /* the guest is x86: little endian */
	port_write(port, head, sizeof head);
	port_write(port, out, outlen);
	port_write(port, err, errlen);
}

static int wait_child(pid_t pid, uint32_t timeout_ms)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status;
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };
	int late = poll(&pfd, 1, (int)timeout_ms) == 0;

	close(pidfd);
	if (late)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (late)
		return 124;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void op_run(int port, const char *script, uint32_t timeout_ms)
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC), status;
	size_t outlen = 0, errlen = 0;
	unsigned char *o, *e;
	pid_t pid = vfork();

	if (pid == 0) {
		setsid();
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(out, 1);
		dup2(err, 2);
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	if (pid < 0)
		fail("vfork");
	status = wait_child(pid, timeout_ms);
	lseek(out, 0, SEEK_SET);
	lseek(err, 0, SEEK_SET);
	o = slurp(out, &outlen);
	e = slurp(err, &errlen);
	answer(port, status, o, outlen, e, errlen);
	free(o);
	free(e);
	close(out);
	close(err);
}

static void op_read(int port, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	unsigned char *buf = fd < 0 ? NULL : slurp(fd, &len);

	answer(port, buf ? 0 : -errno, buf, len, NULL, 0);
	free(buf);
	if (fd >= 0)
		close(fd);
}

static void op_write(int port, const char *path, const unsigned char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), status = 0;
	size_t n = 0;

	if (fd < 0)
		status = -errno;
	/* A sysfs attribute takes its value in one write, also an empty one. */
	do {
		ssize_t r = fd < 0 ? 0 : write(fd, data + n, len - n);

		if (r < 0)
			status = -errno;
		else
			n += (size_t)r;
	} while (fd >= 0 && status == 0 && n < len);
	if (fd >= 0 && close(fd) < 0 && status == 0)
		status = -errno;
	answer(port, status, NULL, 0, NULL, 0);
}

static void op_list(int port, const char *path)
{
	struct dirent **entries;
	char *out = NULL;
	size_t len = 0;
	int n = scandir(path, &entries, NULL, alphasort), status = n < 0 ? -errno : 0;
	FILE *stream = open_memstream(&out, &len);

	if (!stream)
		fail("malloc");
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (strcmp(name, ".") && strcmp(name, ".."))
			fprintf(stream, "%s\n", name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	if (fclose(stream))
		fail("malloc");
	answer(port, status, out, len, NULL, 0);
	free(out);
}

int main(int argc, char **argv)
{
	int port = open(argc > 1 ? argv[1] : "/dev/virtio-ports/sekimori.agent", O_RDWR | O_CLOEXEC);

	if (port < 0)
		fail("open");
	answer(port, 0, "ready", 5, NULL, 0);
	for (;;) {
		unsigned char head[REQUEST_HEAD];
		uint32_t len, plen;
		char *path, *data;
		struct stat st;

		port_read(port, head, sizeof head);
		len = u32(head + 5);
		plen = u32(head + 9);
		if (len > DATA_MAX || plen > DATA_MAX) {
			errno = EPROTO;
			fail("request");
		}
		path = calloc(1, plen + 1);
		data = calloc(1, (size_t)len + 1);
		if (!path || !data)
			fail("malloc");
		port_read(port, path, plen);
		port_read(port, data, len);
		switch (head[0]) {
		case 'x':
			op_run(port, data, u32(head + 1));
			break;
		case 'r':
			op_read(port, path);
			break;
		case 'w':
			op_write(port, path, (unsigned char *)data, len);
			break;
		case 'l':
			op_list(port, path);
			break;
		case 'e':
			answer(port, lstat(path, &st) == 0, NULL, 0, NULL, 0);
			break;
		default:
			errno = EPROTO;
			fail("request");
		}
		free(path);
		free(data);
	}
}
