// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * system/logstore: another desk's key is installed, and each thing that then happens to a file fails in turn, or is the last before
 * the process is killed. All that writes goes through the functions of this file.
 */
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "log-world.h"

#define CHANGE_STEPS_MAX 200

/* How the process that had the trouble ends. */
enum end { STOPPED, KILLED, KILLED_UNSAVED, N_ENDS };

enum trouble { TROUBLE_NONE, TROUBLE_KILL, TROUBLE_ONCE, TROUBLE_LASTING };

static struct {
	enum trouble what;
	unsigned int at, n; /* n: steps since it was set */
} trouble;

static void trouble_set(enum trouble what, unsigned int at)
{
	trouble.what = what;
	trouble.at = at;
	trouble.n = 0;
}

/* Half of the bytes get there before a kill. */
static bool step(int fd, const char *bytes, size_t len, long at)
{
	unsigned int n = trouble.n;

	if (trouble.what == TROUBLE_NONE)
		return false;
	trouble.n++;
	if (trouble.what == TROUBLE_LASTING ? n < trouble.at : n != trouble.at)
		return false;
	if (trouble.what == TROUBLE_KILL) {
		if (len > 1 && at < 0)
			syscall(SYS_write, fd, bytes, len / 2);
		else if (len > 1)
			syscall(SYS_pwrite64, fd, bytes, len / 2, at);
		_exit(9);
	}
	errno = ENOSPC;
	return true;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	return step(fd, bytes, len, -1) ? -1 : syscall(SYS_write, fd, bytes, len);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	return step(fd, bytes, len, at) ? -1 : syscall(SYS_pwrite64, fd, bytes, len, at);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	const struct iovec *last = &parts[n - 1];

	return step(fd, last->iov_base, last->iov_len, -1) ? -1 : syscall(SYS_writev, fd, parts, n);
}

int fsync(int fd)
{
	return step(fd, NULL, 0, 0) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return step(fd, NULL, 0, 0) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t len)
{
	return step(fd, NULL, 0, 0) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return step(from_dir, NULL, 0, 0) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	return step(from_dir, NULL, 0, 0) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list more;
	int mode;

	va_start(more, flags);
	mode = va_arg(more, int);
	va_end(more);
	return (flags & O_CREAT) && step(dir, NULL, 0, 0) ? -1 : (int)syscall(SYS_openat, dir, path, flags, mode);
}

/* --- two desks --- */

static void desks_begin(void)
{
	world_begin();
	reader_desks.n = 2;
	memcpy(reader_desks.public[0], world.desk_public, 32);
	memcpy(reader_desks.secret[0], world.desk_secret, 32);
	start();
	write_some(3);
	stop();
	crypto_box_keypair(world.desk_public, world.desk_secret);
	memcpy(reader_desks.public[1], world.desk_public, 32);
	memcpy(reader_desks.secret[1], world.desk_secret, 32);
}

/* Every record of both logs bears its own key, and the newest is for the desk that is there now. */
static void expect_handed_over(const char *row)
{
	struct logverify_options options = { .unseal = reader_unseal };
	char hex[2 * LOGSTORE_DESK_KEY_LEN + 1];
	const char *findings;

	sodium_bin2hex(hex, sizeof(hex), world.desk_public, sizeof(world.desk_public));
	EXPECT(!strcmp(hex, logstore_sealed_to(world.store)), row);
	EXPECT(!strstr(world.kinds, "lost") && !strstr(world.kinds, "missing") && !strstr(world.kinds, "damaged"), row);
	stop();
	findings = reader_run(world.log, &options);
	if (*findings)
		fprintf(stderr, "%s: %s\n", row, findings);
	EXPECT(!*findings, row);
	EXPECT(!reader_result.keyless && reader_result.macs == reader_result.records, row);
}

static void start_and_write(const char *row)
{
	start();
	EXPECT(!write_one("held"), row);
	EXPECT(!logstore_commit(world.store), row);
}

/* --- the tests --- */

static void another_desk_gets_a_log_that_the_old_one_hands_over_to(void)
{
	desks_begin();
	start();
	write_some(3);
	CU_ASSERT_STRING_EQUAL(world.kinds, "log-handover log-begun:desk-key ");
	CU_ASSERT_EQUAL(logstore_durable(world.store)->seq, 9);
	expect_handed_over("two desks");
	start_and_write("again");
	CU_ASSERT_STRING_EQUAL(world.kinds, "");
	expect_handed_over("again");
	world_end();
}

/* The daemon has something else to say in between: that the clock has gone back. */
static void a_record_in_between_is_handed_over_after(void)
{
	struct json_object *members;
	const char *kind;

	desks_begin();
	start();
	CU_ASSERT_EQUAL(logstore_ready(world.store, &kind, &members), LOGSTORE_E_DUE);
	CU_ASSERT_STRING_EQUAL(kind, "log-handover");
	CU_ASSERT_EQUAL(put(kind, members), 0);
	CU_ASSERT_EQUAL(put("clock-reversed", NULL), 0);
	write_some(1);
	CU_ASSERT_STRING_EQUAL(world.kinds, "log-handover log-begun:desk-key ");
	expect_handed_over("a record between");
	world_end();
}

static void killed_at_any_step_it_has_one_desk_or_the_other(void)
{
	unsigned int at;
	int status = 1;

	for (at = 0; status && at < CHANGE_STEPS_MAX; at++) {
		char row[32];
		pid_t child;

		snprintf(row, sizeof(row), "killed at step %u", at);
		desks_begin();
		child = fork();
		CU_ASSERT_FATAL(child >= 0);
		if (!child) {
			trouble_set(TROUBLE_KILL, at);
			start();
			if (!write_one("held") && !logstore_commit(world.store) && !logstore_save(world.store))
				_exit(0);
			_exit(1);
		}
		CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
		EXPECT(WIFEXITED(status) && (WEXITSTATUS(status) == 9 || !status), row);
		now += 1000; /* the child's records */
		start_and_write(row);
		stop();
		/* If a cut line was to be told of first, it is done now. */
		start_and_write(row);
		expect_handed_over(row);
		start_and_write(row);
		EXPECT(!*world.kinds, row);
		expect_handed_over(row);
		world_end();
	}
	CU_ASSERT(at > 15 && at < CHANGE_STEPS_MAX);
}

static void whatever_step_fails_the_log_goes_on(void)
{
	for (enum trouble what = TROUBLE_ONCE; what <= TROUBLE_LASTING; what++) {
		for (enum end end = 0; end < N_ENDS; end++) {
			bool reached = true;

			for (unsigned int at = 0; reached && at < CHANGE_STEPS_MAX; at++) {
				char row[64];

				snprintf(row, sizeof(row), "step %u fails, %d, %d", at, (int)what, (int)end);
				desks_begin();
				start();
				trouble_set(what, at);
				for (unsigned int i = 0; i < 4; i++)
					if (!write_one("held"))
						logstore_commit(world.store);
				if (end != KILLED_UNSAVED)
					logstore_save(world.store);
				reached = trouble.n > at;
				trouble_set(TROUBLE_NONE, 0);
				if (end != STOPPED) {
					crash();
				} else {
					EXPECT(!write_one("held") && !logstore_commit(world.store), row);
					stop();
				}
				start_and_write(row);
				expect_handed_over(row);
				start_and_write(row);
				EXPECT(!*world.kinds, row);
				expect_handed_over(row);
				world_end();
			}
			CU_ASSERT_FALSE(reached);
		}
	}
}

static const struct test tests[] = {
	TEST(another_desk_gets_a_log_that_the_old_one_hands_over_to),
	TEST(a_record_in_between_is_handed_over_after),
	TEST(killed_at_any_step_it_has_one_desk_or_the_other),
	TEST(whatever_step_fails_the_log_goes_on),
};

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	umask(027);
	return testing_run("log for another desk", tests, ARRAY_SIZE(tests));
}
