// SPDX-License-Identifier: GPL-2.0-or-later
/* The store's file: what others do to it, and what kill -9 leaves of it. A damaged one is not believed. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "exceptionstore-world.h"
#include "system/exceptionstore-inside.h"

/* --- what others do to the file ---------------------------------------------------------------- */

static int with_sqlite(const char *sql)
{
	sqlite3 *db;
	int code = sqlite3_open(path, &db);

	if (code == SQLITE_OK)
		code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return code;
}

static void make_some(void)
{
	struct exceptionstore *store = fresh();
	struct grantclock_mark mark = { .now_us = STORY_BEGIN * 1000000, .boot_id = { 1 } };
	struct story story;

	for (int i = 0; i < 3; i++) {
		wish(&story, "approvers=1");
		act(store, &story, 0, "request", "ito");
		CU_ASSERT_EQUAL(act(store, &story, story.x.number, "approve", "sato"), 0);
	}
	CU_ASSERT_EQUAL(exceptionstore_keep_mark(store, &mark), 0);
	exceptionstore_close(store);
}

static void steps_are_only_ever_added(void)
{
	static const char *const rows[] = {
		"UPDATE steps SET to_state = 5",
		"UPDATE exceptions SET person = 'sato'",
		"DELETE FROM steps",
		"DELETE FROM exceptions WHERE number = 3",
		"DELETE FROM clock",
		"UPDATE clock SET now_us = now_us - 1",
		"INSERT OR REPLACE INTO steps SELECT * FROM steps WHERE exception = 1 AND step = 1",
		"INSERT OR REPLACE INTO exceptions SELECT * FROM exceptions WHERE number = 1",
		"INSERT INTO clock SELECT 2, now_us, boot_us, boot_id, void_before, resets, ended FROM clock",
	};
	struct exceptionstore *store;

	make_some();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(with_sqlite(rows[i]) == SQLITE_CONSTRAINT, rows[i]);
	CU_ASSERT_EQUAL(opened(&store), 0);
	CU_ASSERT_EQUAL(COUNT(store, .states = 1u << EXCEPTION_APPROVED), 3);
	exceptionstore_close(store);
}

#define OFF(trigger) "DROP TRIGGER " trigger ";"

static void what_is_not_as_it_was_left_is_not_believed(void)
{
	static const struct {
		const char *sql;
		int expected;
	} rows[] = {
		{ "SELECT 1", 0 },
		{ OFF("steps_kept"), EXCEPTIONSTORE_E_DAMAGED },
		/* The same words in another order, as a VACUUM or another SQLite may leave them. */
		{ OFF("steps_kept") "CREATE TRIGGER steps_kept BEFORE UPDATE ON steps BEGIN"
		  " SELECT raise(ABORT, 'steps are never changed'); END;", 0 },
		{ OFF("steps_kept") "CREATE TRIGGER steps_kept BEFORE UPDATE ON steps BEGIN"
		  " SELECT raise(IGNORE); END;", EXCEPTIONSTORE_E_DAMAGED },
		{ "DROP INDEX steps_time", EXCEPTIONSTORE_E_DAMAGED },
		{ "CREATE TABLE more (a)", EXCEPTIONSTORE_E_DAMAGED },
		{ "CREATE TRIGGER more AFTER INSERT ON steps BEGIN DELETE FROM clock; END", EXCEPTIONSTORE_E_DAMAGED },
		{ "PRAGMA application_id = 1", EXCEPTIONSTORE_E_DAMAGED },
		{ "PRAGMA user_version = 0", EXCEPTIONSTORE_E_DAMAGED },
		{ "PRAGMA user_version = 2", EXCEPTIONSTORE_E_SCHEMA },
		/* The trigger is put back, so that only the row tells. */
		{ "PRAGMA writable_schema = ON; CREATE TEMP TABLE t AS SELECT sql FROM sqlite_schema WHERE name = 'steps_kept';"
		  OFF("steps_kept") "UPDATE steps SET by_name = 'kato' WHERE exception = 2 AND step = 2;"
		  "CREATE TRIGGER steps_kept BEFORE UPDATE ON steps BEGIN"
		  " SELECT raise(ABORT, 'steps are never changed'); END;", EXCEPTIONSTORE_E_DAMAGED },
		{ OFF("steps_stay") "DELETE FROM steps WHERE exception = 3 AND step = 1;"
		  "CREATE TRIGGER steps_stay BEFORE DELETE ON steps BEGIN"
		  " SELECT raise(ABORT, 'steps are never deleted'); END;", EXCEPTIONSTORE_E_DAMAGED },
		{ OFF("steps_stay") "DELETE FROM steps WHERE exception = 2;"
		  "CREATE TRIGGER steps_stay BEFORE DELETE ON steps BEGIN"
		  " SELECT raise(ABORT, 'steps are never deleted'); END;", EXCEPTIONSTORE_E_DAMAGED },
		{ OFF("exceptions_stay") "DELETE FROM exceptions WHERE number = 1;"
		  "CREATE TRIGGER exceptions_stay BEFORE DELETE ON exceptions BEGIN"
		  " SELECT raise(ABORT, 'exceptions are never deleted'); END;", EXCEPTIONSTORE_E_DAMAGED },
		{ OFF("exceptions_kept") "UPDATE exceptions SET access = 1 WHERE number = 1;"
		  "CREATE TRIGGER exceptions_kept BEFORE UPDATE ON exceptions BEGIN"
		  " SELECT raise(ABORT, 'exceptions are never changed'); END;", EXCEPTIONSTORE_E_DAMAGED },
		{ OFF("exceptions_kept") "UPDATE exceptions SET terminal = hex(zeroblob(200)) WHERE number = 1;"
		  "CREATE TRIGGER exceptions_kept BEFORE UPDATE ON exceptions BEGIN"
		  " SELECT raise(ABORT, 'exceptions are never changed'); END;", EXCEPTIONSTORE_E_DAMAGED },
		{ "UPDATE clock SET now_us = 9223372036854775807", EXCEPTIONSTORE_E_DAMAGED },
		{ "UPDATE untold SET step = 9 WHERE exception = 1 AND step = 1", EXCEPTIONSTORE_E_DAMAGED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exceptionstore *store;

		make_some();
		EXPECT(with_sqlite(rows[i].sql) == SQLITE_OK, rows[i].sql);
		EXPECT(opened(&store) == rows[i].expected, rows[i].sql);
		EXPECT(!store == !!rows[i].expected, rows[i].sql);
		exceptionstore_close(store);
		EXPECT(!rows[i].expected || exceptionstore_error(rows[i].expected), rows[i].sql);
	}
}

/* A change of the schema changes the digest: this says to what. */
static void the_digest_is_that_of_a_new_store(void)
{
	uint8_t digest[EXCEPTIONSTORE_DIGEST_SIZE];
	char is[2 * sizeof(digest) + 1], should[2 * sizeof(digest) + 1];
	struct exceptionstore *store = fresh();

	CU_ASSERT_EQUAL(exceptionstore_schema_digest(store, digest), 0);
	sodium_bin2hex(should, sizeof(should), digest, sizeof(digest));
	sodium_bin2hex(is, sizeof(is), exceptionstore_digest, sizeof(exceptionstore_digest));
	EXPECT(!strcmp(is, should), should);
	/* Whatever the digest says. */
	CU_ASSERT_EQUAL(exceptionstore_compare_schema(store), 0);
	exceptionstore_close(store);
	CU_ASSERT_EQUAL(with_sqlite("CREATE TABLE more (a)"), SQLITE_OK);
	CU_ASSERT_EQUAL_FATAL(exceptionstore_connect(path, &store), 0);
	CU_ASSERT_EQUAL(exceptionstore_schema_digest(store, digest), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(digest, exceptionstore_digest, sizeof(digest)), 0);
	CU_ASSERT_EQUAL(exceptionstore_compare_schema(store), EXCEPTIONSTORE_E_DAMAGED);
	exceptionstore_close(store);
}

/* Does it open? Then it tells what was written. */
static bool tells(const struct exception before[3])
{
	struct exceptionstore *store;
	struct exception after;

	if (opened(&store))
		return false;
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_TRUE(!exceptionstore_get(store, i + 1, &after) &&
			       !memcmp(&before[i], &after, sizeof(after)));
	exceptionstore_close(store);
	return true;
}

/* Any byte of the file: it opens and tells what was written, or does not open; it is never believed to say something else. */
static void a_damaged_byte_never_changes_what_is_told(void)
{
	struct exception before[3];
	struct exceptionstore *store;
	unsigned int refused = 0;
	struct stat st;
	uint8_t *whole;
	int fd;

	make_some();
	CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(exceptionstore_get(store, i + 1, &before[i]), 0);
	exceptionstore_close(store);
	fd = open(path, O_RDWR | O_CLOEXEC);
	CU_ASSERT_TRUE_FATAL(fd >= 0 && !fstat(fd, &st));
	whole = malloc((size_t)st.st_size);
	CU_ASSERT_EQUAL(pread(fd, whole, (size_t)st.st_size, 0), st.st_size);
	srandom(6);
	for (int i = 0; i < 400; i++) {
		off_t at = random() % st.st_size;
		uint8_t byte = whole[at] ^ (uint8_t)(1 + random() % 255);

		CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, at), 1);
		refused += !tells(before);
		CU_ASSERT_EQUAL(ftruncate(fd, 0), 0);
		CU_ASSERT_EQUAL(pwrite(fd, whole, (size_t)st.st_size, 0), st.st_size);
	}
	CU_ASSERT_TRUE(refused > 50);
	/* Cut short, at a page's boundary and elsewhere (SQLite reads zeros behind the end, which may be what was there); and empty. */
	for (off_t size = st.st_size - 1; size >= 0; size -= 4096 / 3) {
		CU_ASSERT_EQUAL(ftruncate(fd, size), 0);
		CU_ASSERT_TRUE(!tells(before) || size > st.st_size - 4096);
		CU_ASSERT_EQUAL(pwrite(fd, whole, (size_t)st.st_size, 0), st.st_size);
	}
	CU_ASSERT_EQUAL(ftruncate(fd, 0), 0);
	CU_ASSERT_EQUAL(opened(&store), EXCEPTIONSTORE_E_DAMAGED);
	close(fd);
	free(whole);
}

static void files_that_are_not_ours_alone_are_refused(void)
{
	struct exceptionstore *store, *second;
	char other[128];

	clean();
	CU_ASSERT_EQUAL(opened(&store), EXCEPTIONSTORE_E_ABSENT);
	make_some();
	chmod(path, 0620);
	CU_ASSERT_EQUAL(opened(&store), EXCEPTIONSTORE_E_UNSAFE);
	chmod(path, 0602);
	CU_ASSERT_EQUAL(opened(&store), EXCEPTIONSTORE_E_UNSAFE);
	chmod(path, 0600);
	snprintf(other, sizeof(other), "%s.other", path);
	rename(path, other);
	CU_ASSERT_EQUAL(symlink(other, path), 0);
	CU_ASSERT_EQUAL(opened(&store), EXCEPTIONSTORE_E_UNSAFE);
	unlink(path);
	rename(other, path);
	CU_ASSERT_EQUAL(exceptionstore_create(path, &store), -EEXIST);
	/* One at a time. */
	CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
	CU_ASSERT_EQUAL(opened(&second), EXCEPTIONSTORE_E_BUSY);
	exceptionstore_close(store);
	CU_ASSERT_EQUAL(opened(&store), 0);
	exceptionstore_close(store);
}

/* --- kill -9 ------------------------------------------------------------------------------------ */

/* Steps as fast as it can, and says each number of exception and steps when they have been promised. */
static void child(int out)
{
	struct exceptionstore *store;
	struct story story;

	if (exceptionstore_open(path, &store))
		_exit(2);
	for (;;) {
		uint32_t told[2];

		wish(&story, "approvers=1 may-wait=1000000 may-daily=1000000");
		next_id = (uint32_t)random();
		memcpy(story.x.grant.id + 4, &next_id, sizeof(next_id));
		if (act(store, &story, 0, "request", "ito"))
			_exit(3);
		for (int step = 0;; step++) {
			static const char *const steps[][2] = { { "approve", "sato" }, { "begin", "system" },
								{ "use", "system" }, { "revoke", "sato" } };

			told[0] = story.x.number;
			told[1] = story.x.steps;
			if (write(out, told, sizeof(told)) != sizeof(told))
				_exit(4);
			if (step == ARRAY_SIZE(steps))
				break;
			if (act(store, &story, story.x.number, steps[step][0], steps[step][1]))
				_exit(5);
		}
	}
}

static int add_steps(void *userdata, const struct exception *x)
{
	*(uint64_t *)userdata += x->steps;
	return 0;
}

static void kill_9_loses_nothing_that_was_promised(void)
{
	struct exceptionstore *store = fresh();
	uint64_t promised = 0, all, last = 0;

	exceptionstore_close(store);
	srandom((unsigned int)getpid());
	for (int round = 0; round < 12; round++) {
		struct exceptionstore_filter filter = { .states = 0 };
		struct timespec wait = { .tv_nsec = 1000000 * (5 + random() % 150) };
		uint32_t told[2];
		struct exception x;
		int pipes[2], status;
		pid_t pid;

		CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
		pid = fork();
		if (!pid) {
			close(pipes[0]);
			srandom((unsigned int)getpid());
			child(pipes[1]);
		}
		close(pipes[1]);
		/* Some time after its first step, however busy the machine is. */
		CU_ASSERT_EQUAL(read(pipes[0], told, sizeof(told)), sizeof(told));
		promised++;
		nanosleep(&wait, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		CU_ASSERT_TRUE(WIFSIGNALED(status));
		CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
		while (read(pipes[0], told, sizeof(told)) == sizeof(told)) {
			promised++;
			CU_ASSERT_EQUAL(exceptionstore_get(store, told[0], &x), 0);
			CU_ASSERT_TRUE(x.steps >= told[1]);
		}
		close(pipes[0]);
		all = 0;
		CU_ASSERT_EQUAL(exceptionstore_list(store, &filter, add_steps, &all), 0);
		/* Each kill may have come between the promise and its telling. */
		CU_ASSERT_TRUE(all >= promised && all <= promised + (uint64_t)round + 1);
		CU_ASSERT_TRUE(all >= last);
		last = all;
		exceptionstore_close(store);
	}
	CU_ASSERT_TRUE(promised > 12);
}

/* Goes on to its next system call, `n` times, and is killed before that. False: it ended first. */
static bool killed_before(pid_t pid, unsigned int n)
{
	int status;

	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	for (unsigned int i = 0; i < n && !WIFEXITED(status); i++) {
		CU_ASSERT_EQUAL_FATAL(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	}
	if (WIFEXITED(status)) {
		CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
		return false;
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return true;
}

/* Wherever a kill comes while the store is made: there is none yet and it can be made, or it is there and sound. */
static void kill_9_while_it_is_created_leaves_all_or_nothing(void)
{
	struct exceptionstore *store;
	bool killed = true;
	unsigned int n, absent = 0, whole = 0;

	/* Odd, so that it comes before some calls and after others. */
	for (n = 0; killed; n += 7) {
		pid_t pid;
		int r;

		clean();
		pid = fork();
		if (!pid) {
			ptrace(PTRACE_TRACEME, 0, NULL, NULL);
			raise(SIGSTOP);
			_exit(exceptionstore_create(path, &store) ? 1 : 0);
		}
		killed = killed_before(pid, n);
		r = opened(&store);
		if (r == EXCEPTIONSTORE_E_ABSENT) {
			absent++;
			CU_ASSERT_EQUAL_FATAL(exceptionstore_create(path, &store), 0);
		} else {
			whole++;
			CU_ASSERT_EQUAL_FATAL(r, 0);
		}
		exceptionstore_close(store);
	}
	/* Before and after: it was looked at all along. */
	CU_ASSERT_TRUE(absent > 20 && whole > 1);
}

static void other_process(int go, int out)
{
	struct exceptionstore *store = NULL;
	char byte;
	int r;

	if (read(go, &byte, 1) != 1)
		_exit(1);
	r = exceptionstore_open(path, &store);
	_exit(write(out, &r, sizeof(r)) != sizeof(r));
}

static void a_new_one_keeps_other_processes_out(void)
{
	struct exceptionstore *store;
	int go[2], out[2], r = 0, status;
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL(pipe(go), 0);
	CU_ASSERT_EQUAL_FATAL(pipe(out), 0);
	/* Before it is made, so that it knows nothing of it. */
	pid = fork();
	if (!pid)
		other_process(go[0], out[1]);
	store = fresh();
	CU_ASSERT_EQUAL(write(go[1], "", 1), 1);
	CU_ASSERT_EQUAL(read(out[0], &r, sizeof(r)), sizeof(r));
	CU_ASSERT_EQUAL(r, EXCEPTIONSTORE_E_BUSY);
	waitpid(pid, &status, 0);
	exceptionstore_close(store);
	for (size_t i = 0; i < 2; i++) {
		close(go[i]);
		close(out[i]);
	}
}

/* One that is moved away after a crash leaves its log behind: that is not for the next one. */
static void a_new_one_takes_nothing_of_one_that_was_moved_away(void)
{
	char log[128], kept[128], other[128];
	struct exceptionstore *store;
	struct exception seen;
	struct story story;

	make_some();
	snprintf(other, sizeof(other), "%s.other", path);
	snprintf(log, sizeof(log), "%s-wal", path);
	snprintf(kept, sizeof(kept), "%s.log", path);
	CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
	wish(&story, "");
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), 0);
	/* As kill -9 leaves it. */
	CU_ASSERT_EQUAL(link(log, kept), 0);
	exceptionstore_close(store);
	rename(path, other);
	rename(kept, log);
	CU_ASSERT_EQUAL_FATAL(exceptionstore_create(path, &store), 0);
	exceptionstore_close(store);
	CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
	CU_ASSERT_EQUAL(exceptionstore_get(store, 1, &seen), EXCEPTIONSTORE_E_ABSENT);
	exceptionstore_close(store);
	unlink(other);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(steps_are_only_ever_added),
		TEST(what_is_not_as_it_was_left_is_not_believed),
		TEST(the_digest_is_that_of_a_new_store),
		TEST(a_damaged_byte_never_changes_what_is_told),
		TEST(files_that_are_not_ours_alone_are_refused),
		TEST(kill_9_loses_nothing_that_was_promised),
		TEST(kill_9_while_it_is_created_leaves_all_or_nothing),
		TEST(a_new_one_keeps_other_processes_out),
		TEST(a_new_one_takes_nothing_of_one_that_was_moved_away),
	};

	return store_testing_run("exceptionstore-file", tests, ARRAY_SIZE(tests));
}
