// SPDX-License-Identifier: GPL-2.0-or-later
/* bus/caller: whose login is believed, by what the bus says of a caller and what stands in /proc by then. */
#include <dbus/dbus.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/caller.h"
#include "core/macro.h"
#include "testing.h"

#define NOW UINT64_MAX - 1 /* everything was started before */
#define SOMEBODY 12345

static void add(DBusMessageIter *dict, const char *name, int type, const char *signature, const void *value)
{
	DBusMessageIter entry, variant;

	dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &name);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, signature, &variant);
	dbus_message_iter_append_basic(&variant, type, value);
	dbus_message_iter_close_container(&entry, &variant);
	dbus_message_iter_close_container(dict, &entry);
}

/* What is read of a process that the bus says is this user's. pidfd: -1, as of a bus that hands out none. */
static struct bus_caller read_caller(uid_t uid, pid_t pid, int pidfd, uint64_t received_us)
{
	DBusMessage *message = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);
	dbus_uint32_t user = uid, process = (dbus_uint32_t)pid;
	DBusMessageIter args, dict;
	struct bus_caller caller;

	dbus_message_iter_init_append(message, &args);
	dbus_message_iter_open_container(&args, DBUS_TYPE_ARRAY, "{sv}", &dict);
	add(&dict, "UnixUserID", DBUS_TYPE_UINT32, "u", &user);
	add(&dict, "ProcessID", DBUS_TYPE_UINT32, "u", &process);
	if (pidfd >= 0)
		add(&dict, "ProcessFD", DBUS_TYPE_UNIX_FD, "h", &pidfd);
	dbus_message_iter_close_container(&args, &dict);
	CU_ASSERT(bus_caller_read(&caller, message, received_us));
	CU_ASSERT(caller.uid == uid && caller.pid == pid);
	dbus_message_unref(message);
	return caller;
}

/* A process that has written this login, and waits; *pidfd is its. It ends by process_end(). */
static pid_t process_begin(const char *login, int *pidfd)
{
	int ready[2];
	char byte;
	pid_t pid;

	CU_ASSERT_FATAL(pipe(ready) == 0);
	pid = fork();
	if (!pid) {
		FILE *file = fopen("/proc/self/loginuid", "we");

		if (file) {
			fputs(login, file);
			fclose(file);
		}
		if (write(ready[1], "", 1) < 0)
			_exit(1);
		pause();
		_exit(0);
	}
	CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	*pidfd = pidfd_open(pid, 0);
	return pid;
}

static void process_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool knows_nothing(const struct bus_caller *caller)
{
	return caller->has_login == BUS_LOGIN_UNKNOWN && caller->login == (uid_t)-1 && !caller->program[0] &&
	       !caller->session[0];
}

static bool login_is(pid_t pid, const char *wanted)
{
	char path[64], text[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/loginuid", pid);
	file = fopen(path, "re");
	if (file && !fgets(text, sizeof(text), file))
		text[0] = '\0';
	if (file)
		fclose(file);
	return !strcmp(text, wanted);
}

static void the_login_of_a_living_caller_is_read_and_unset_is_nobody(void)
{
	struct bus_caller caller;
	int pidfd;
	pid_t pid = process_begin("12345", &pidfd);

	/* Where logins are kept, and may be written: who has none may, without a privilege. */
	if (login_is(pid, "12345"))
		for (int fd = -1; fd <= pidfd; fd += pidfd + 1) {
			caller = read_caller(getuid(), pid, fd, NOW);
			CU_ASSERT(caller.has_login == BUS_LOGIN_SET && caller.login == SOMEBODY && caller.program[0]);
		}
	process_end(pid);
	close(pidfd);
	pid = process_begin("4294967295", &pidfd);
	if (login_is(pid, "4294967295")) {
		caller = read_caller(getuid(), pid, -1, NOW);
		CU_ASSERT(caller.has_login == BUS_LOGIN_NONE && caller.login == (uid_t)-1 && caller.program[0]);
	}
	process_end(pid);
	close(pidfd);
}

static void of_a_caller_that_has_gone_nothing_is_known(void)
{
	struct bus_caller caller;
	int pidfd;
	pid_t pid = process_begin("12345", &pidfd);

	/* Started after the call: another process has the number since. */
	caller = read_caller(getuid(), pid, -1, 0);
	CU_ASSERT(knows_nothing(&caller));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	caller = read_caller(getuid(), pid, -1, NOW);
	CU_ASSERT(knows_nothing(&caller));
	/* The number is another's by now (ours), but the descriptor is the caller's. */
	caller = read_caller(getuid(), getpid(), pidfd, NOW);
	CU_ASSERT(knows_nothing(&caller));
	close(pidfd);
}

static void without_a_pidfd_no_login_is_taken_from_a_process_that_is_another_s(void)
{
	struct bus_caller caller = read_caller(SOMEBODY, getpid(), -1, NOW);

	/* Root's may be the caller's own, which may not be traced: good for the record, and nothing else. */
	CU_ASSERT(caller.has_login == BUS_LOGIN_UNKNOWN && caller.login == (uid_t)-1);
	CU_ASSERT(getuid() ? knows_nothing(&caller) : caller.program[0]);
}

/* Runs as somebody who may not kill process 1, which is root's; true if it was read all the same. */
static bool foreign_caller_is_read(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct bus_caller caller;
		int pidfd;

		if (!getuid() && setuid(SOMEBODY) < 0)
			_exit(2);
		pidfd = pidfd_open(1, 0);
		if (pidfd < 0 || !pidfd_send_signal(pidfd, 0, NULL, 0) || errno != EPERM)
			_exit(3);
		caller = read_caller(0, 1, pidfd, NOW);
		_exit(caller.has_login == BUS_LOGIN_UNKNOWN);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static void a_caller_that_we_may_not_kill_is_alive(void)
{
	/* Where logins are kept. */
	if (!access("/proc/1/loginuid", R_OK))
		CU_ASSERT_TRUE(foreign_caller_is_read());
}

int main(void)
{
	static const struct test tests[] = {
		TEST(the_login_of_a_living_caller_is_read_and_unset_is_nobody),
		TEST(of_a_caller_that_has_gone_nothing_is_known),
		TEST(a_caller_that_we_may_not_kill_is_alive),
		TEST(without_a_pidfd_no_login_is_taken_from_a_process_that_is_another_s),
	};

	return testing_run("caller", tests, ARRAY_SIZE(tests));
}
