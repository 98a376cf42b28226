// SPDX-License-Identifier: GPL-2.0-or-later
/* What an inspector that waits takes for an order: a child in its place, with its descriptors, and orders of all kinds. */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/macro.h"
#include "inspect/sandbox.h"
#include "inspect/waiting.h"
#include "system/helpers.h"
#include "testing.h"

/* Exit statuses of the child; any other is an errno. */
#define WRONG_SETUP 200
#define WRONG_ORDER 201
#define WRONG_DEVICE 202

static const struct inspection order = {.deadline_ms = 8000, .interface = 255};

struct receipt {
	const char *name;
	size_t len; /* bytes that are sent, of an order and of more behind it; 0 on a stream: none, and the end */
	size_t n;   /* descriptors with them */
	int type;   /* of socket */
	bool taken; /* number 3 is not free */
	bool unlimited;
	int expected;
};

static const struct receipt receipts[] = {
	{"an order", sizeof(order), 1, SOCK_STREAM, false, false, 0},
	{"the same, message by message", sizeof(order), 1, SOCK_SEQPACKET, false, false, 0},
	{"more behind it is not read", sizeof(order) + 8, 1, SOCK_STREAM, false, false, 0},
	{"one message of more", sizeof(order) + 1, 1, SOCK_SEQPACKET, false, false, EBADMSG},
	{"less", sizeof(order) - 1, 1, SOCK_STREAM, false, false, EBADMSG},
	{"a single byte", 1, 1, SOCK_STREAM, false, false, EBADMSG},
	{"no device", sizeof(order), 0, SOCK_STREAM, false, false, EBADMSG},
	{"two devices", sizeof(order), 2, SOCK_STREAM, false, false, EBADMSG},
	{"three devices", sizeof(order), 3, SOCK_STREAM, false, false, EBADMSG},
	{"two devices, and room for them", sizeof(order), 2, SOCK_STREAM, false, true, EBADMSG},
	{"no room for a device", sizeof(order), 1, SOCK_STREAM, true, false, EBADMSG},
	{"another number than the device's", sizeof(order), 1, SOCK_STREAM, true, true, EBADMSG},
	{"nothing, message by message", 0, 0, SOCK_SEQPACKET, false, false, ECANCELED},
	{"nobody sends any more", 0, 0, SOCK_STREAM, false, false, ECANCELED},
};

/* 5 and 6 are what libusb opens meanwhile, and nothing lies beyond them. */
static bool descriptors_set(int socket, const struct receipt *row)
{
	const struct rlimit limit = {SANDBOX_FD_LAST + 1, SANDBOX_FD_LAST + 1};

	if (dup2(socket, SANDBOX_FD_REPORT) < 0 || close_range(SANDBOX_FD_REPORT + 1, ~0U, 0) < 0 || waiting_begin() < 0)
		return false;
	for (int fd = SANDBOX_FD_REPORT + 1; fd <= SANDBOX_FD_LAST; fd++)
		if (open("/dev/null", O_RDONLY) != fd)
			return false;
	if (!row->taken)
		waiting_ready();
	return row->unlimited || setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static int child_receive(int socket, const struct receipt *row)
{
	struct inspection got;
	struct stat st, full;
	int r;

	if (!descriptors_set(socket, row) || stat("/dev/full", &full) < 0)
		return WRONG_SETUP;
	r = waiting_receive(&got);
	if (r < 0)
		return -r;
	if (memcmp(&got, &order, sizeof(order)) != 0)
		return WRONG_ORDER;
	return fstat(SANDBOX_FD_DEVICE, &st) == 0 && st.st_rdev == full.st_rdev ? 0 : WRONG_DEVICE;
}

/* Numbers that a child's setup does not meet. */
static int fd_raise(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 20);

	close(fd);
	return high;
}

static int status_of(pid_t pid)
{
	int status = 0;

	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void receipt_run(const struct receipt *row)
{
	uint8_t bytes[sizeof(order) + 8] = {0};
	int fds[2], devices[3], r = 0;
	pid_t pid;

	memcpy(bytes, &order, sizeof(order));
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, row->type | SOCK_CLOEXEC, 0, fds), 0);
	fds[0] = fd_raise(fds[0]);
	fds[1] = fd_raise(fds[1]);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		devices[i] = fd_raise(open("/dev/full", O_RDONLY | O_CLOEXEC));
	pid = fork();
	CU_ASSERT_FATAL(pid >= 0);
	if (!pid)
		_exit(child_receive(fds[1], row));
	close(fds[1]);
	if (row->len || row->type == SOCK_SEQPACKET)
		r = helpers_send(fds[0], bytes, row->len, devices, row->n);
	EXPECT(r == 0, row->name);
	close(fds[0]);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		close(devices[i]);
	r = status_of(pid);
	if (r != row->expected)
		printf("\n    %s: %d\n", row->name, r);
	EXPECT(r == row->expected, row->name);
}

static void only_a_whole_order_with_one_device_is_taken(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(receipts); i++)
		receipt_run(&receipts[i]);
}

/* What libusb opens would be taken for the device. */
static void the_devices_number_is_kept_or_it_does_not_begin(void)
{
	pid_t pid = fork();

	CU_ASSERT_FATAL(pid >= 0);
	if (!pid) {
		close(SANDBOX_FD_DEVICE);
		if (waiting_begin() || fcntl(SANDBOX_FD_DEVICE, F_GETFD) != FD_CLOEXEC)
			_exit(1);
		waiting_ready();
		if (fcntl(SANDBOX_FD_DEVICE, F_GETFD) >= 0)
			_exit(2);
		close(STDIN_FILENO);
		_exit(waiting_begin() == -EBADF ? 0 : 3);
	}
	CU_ASSERT_EQUAL(status_of(pid), 0);
}

static const struct test tests[] = {
	TEST(only_a_whole_order_with_one_device_is_taken),
	TEST(the_devices_number_is_kept_or_it_does_not_begin),
};

int main(void)
{
	return testing_run("waiting", tests, ARRAY_SIZE(tests));
}
