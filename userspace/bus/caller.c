// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "bus/caller.h"
#include "core/macro.h"
#include "core/utf8.h"

/* proc(5): the start time is the 22nd field, the 20th after the program's name in parentheses. */
#define STAT_START_FIELD 20
#define STAT_MAX 1024

/* proc(5), loginuid: so it reads where nobody has logged in. */
#define LOGIN_UNSET UINT32_MAX

struct credentials {
	dbus_uint32_t uid;
	bool has_uid;
	dbus_uint32_t pid;
	int pidfd;
};

static void credential_read(struct credentials *found, const char *name, DBusMessageIter *value)
{
	int type = dbus_message_iter_get_arg_type(value);

	if (type == DBUS_TYPE_UINT32 && !strcmp(name, "UnixUserID")) {
		dbus_message_iter_get_basic(value, &found->uid);
		found->has_uid = true;
	} else if (type == DBUS_TYPE_UINT32 && !strcmp(name, "ProcessID")) {
		dbus_message_iter_get_basic(value, &found->pid);
	} else if (type == DBUS_TYPE_UNIX_FD && !strcmp(name, "ProcessFD") && found->pidfd < 0) {
		/* libdbus gives us a duplicate. */
		dbus_message_iter_get_basic(value, &found->pidfd);
	}
}

static void credentials_read(struct credentials *found, DBusMessage *answer)
{
	DBusMessageIter args, dict, entry, value;

	*found = (struct credentials){ .pidfd = -1 };
	if (!dbus_message_has_signature(answer, "a{sv}"))
		return;
	dbus_message_iter_init(answer, &args);
	for (dbus_message_iter_recurse(&args, &dict);
	     dbus_message_iter_get_arg_type(&dict) == DBUS_TYPE_DICT_ENTRY;
	     dbus_message_iter_next(&dict)) {
		const char *name;

		dbus_message_iter_recurse(&dict, &entry);
		dbus_message_iter_get_basic(&entry, &name);
		dbus_message_iter_next(&entry);
		dbus_message_iter_recurse(&entry, &value);
		credential_read(found, name, &value);
	}
}

/* Microseconds since the boot; UINT64_MAX if it cannot be told. */
static uint64_t process_started(int dir)
{
	_cleanup_(closep) int fd = openat(dir, "stat", O_RDONLY | O_CLOEXEC);
	long ticks = sysconf(_SC_CLK_TCK);
	char text[STAT_MAX];
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	char *at;

	if (n <= 0 || ticks <= 0)
		return UINT64_MAX;
	text[n] = '\0';
	/* The name may hold anything, also parentheses and blanks. */
	at = strrchr(text, ')');
	for (int field = 0; at && field < STAT_START_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) * (1000000u / (uint64_t)ticks) : UINT64_MAX;
}

enum proof {
	PROOF_NONE,  /* another process has the number */
	PROOF_WEAK,  /* it may be another's: root's */
	PROOF_GOOD,
};

/* Is what we have opened the process that called? */
static enum proof process_prove(int dir, const struct credentials *found, uint64_t received_us)
{
	struct stat st;

	/* EPERM: it lives, and is another user's, whom we have no right to kill. ESRCH: it has gone. */
	if (found->pidfd >= 0)
		return pidfd_send_signal(found->pidfd, 0, NULL, 0) == 0 || errno == EPERM ? PROOF_GOOD : PROOF_NONE;
	if (fstat(dir, &st) < 0 || process_started(dir) > received_us)
		return PROOF_NONE;
	if (st.st_uid == found->uid)
		return PROOF_GOOD;
	/* Of a program that may not be traced the directory is root's. */
	return st.st_uid == 0 ? PROOF_WEAK : PROOF_NONE;
}

static void login_read(struct bus_caller *caller, int dir)
{
	_cleanup_(closep) int fd = openat(dir, "loginuid", O_RDONLY | O_CLOEXEC);
	char text[sizeof("4294967295")];
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	unsigned long login;
	char *end;

	if (n <= 0)
		return;
	text[n] = '\0';
	login = strtoul(text, &end, 10);
	if (*end || end == text || login > UINT32_MAX)
		return;
	caller->has_login = login == LOGIN_UNSET ? BUS_LOGIN_NONE : BUS_LOGIN_SET;
	caller->login = (uid_t)login;
}

static void process_read(struct bus_caller *caller, const struct credentials *found,
			 uint64_t received_us)
{
	_cleanup_(closep) int dir = -1;
	_cleanup_(freep) char *session = NULL;
	char path[sizeof("/proc/") + 10], program[BUS_PROGRAM_MAX];
	enum proof proof;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u", found->pid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	proof = dir < 0 ? PROOF_NONE : process_prove(dir, found, received_us);
	if (proof == PROOF_NONE)
		return;
	/* By the directory, which reads nothing of another process that has its number since. */
	if (proof == PROOF_GOOD)
		login_read(caller, dir);
	sd_pid_get_session((pid_t)found->pid, &session);
	/* Last: what the directory still answers for was alive when its session was asked for by number. */
	n = readlinkat(dir, "exe", program, sizeof(program));
	if (n <= 0)
		return;
	utf8_copy(caller->program, sizeof(caller->program), program, (size_t)n);
	if (session && strlen(session) < sizeof(caller->session))
		strcpy(caller->session, session);
}

bool bus_caller_read(struct bus_caller *caller, DBusMessage *credentials, uint64_t received_us)
{
	struct credentials found;

	*caller = (struct bus_caller){ .uid = (uid_t)-1, .login = (uid_t)-1 };
	credentials_read(&found, credentials);
	if (found.has_uid) {
		caller->uid = found.uid;
		caller->pid = (pid_t)found.pid;
		if (found.pid)
			process_read(caller, &found, received_us);
	}
	closep(&found.pidfd);
	return found.has_uid;
}
