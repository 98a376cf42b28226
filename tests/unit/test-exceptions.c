// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/exceptions: steps and uses, and what goes wrong with the log, the store and the disk. */
#include <fcntl.h>
#include <sodium.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "exceptions-world.h"

/* --- a life -------------------------------------------------------------------------------------- */

static void two_approvals_put_it_in_force_and_each_step_is_recorded(void)
{
	struct exception x;
	struct stat st;
	char dir[128];

	world_begin();
	CU_ASSERT_STRING_EQUAL(exceptions_state(world.exceptions), "ok");
	snprintf(dir, sizeof(dir), "%s/lib/exceptions", world.dir);
	CU_ASSERT_EQUAL(stat(dir, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0700);
	CU_ASSERT_EQUAL(submit("ito", EXCEPTION_REQUEST, "access=1 return=1d data=III", &x), 0);
	CU_ASSERT_EQUAL(x.number, 1);
	CU_ASSERT_FALSE(sodium_is_zero(x.grant.id, sizeof(x.grant.id)));
	CU_ASSERT_STRING_EQUAL(member("purpose"), "提出データの受け取り");
	CU_ASSERT_STRING_EQUAL(member("access"), "rw");
	CU_ASSERT_STRING_EQUAL(member("requester"), "ito");
	CU_ASSERT_STRING_EQUAL(member("terminal"), "ZEI-014");
	CU_ASSERT_EQUAL(step(1, "ito", EXCEPTION_APPROVE), EXCEPTION_E_ROLE);
	CU_ASSERT_STRING_EQUAL(member("reason"), "exception-role");
	CU_ASSERT_STRING_EQUAL(member("by"), "ito");
	CU_ASSERT_EQUAL(step(1, "sato", EXCEPTION_APPROVE), 0);
	CU_ASSERT_EQUAL(step(1, "sato", EXCEPTION_APPROVE), EXCEPTION_E_TWICE);
	CU_ASSERT_EQUAL(in_force(), 0);
	CU_ASSERT_EQUAL(world.changes, 0);
	CU_ASSERT_EQUAL(step(1, "kato", EXCEPTION_APPROVE), 0);
	CU_ASSERT_EQUAL(in_force(), 1);
	CU_ASSERT_EQUAL(world.changes, 1);
	/* Of two that come at once, the later one is told what the earlier one did. */
	CU_ASSERT_EQUAL(step(1, "boss", EXCEPTION_WITHDRAW), EXCEPTION_E_LIVE);
	EXPECT_RECORDS(" request refused approve refused approve begin refused");
	CU_ASSERT_EQUAL(use_disk(1, 1 << 30), 0);
	CU_ASSERT_STRING_EQUAL(member("size"), "1073741824");
	CU_ASSERT_EQUAL(step(1, "ito", EXCEPTION_RETURN), 0);
	CU_ASSERT_EQUAL(in_force(), 0);
	CU_ASSERT_EQUAL(world.changes, 2);
	CU_ASSERT_EQUAL(use(1), EXCEPTION_E_ENDED);
	CU_ASSERT_EQUAL(step(1, "sato", EXCEPTION_CLOSE), EXCEPTION_E_ERASURE_DUE);
	exceptions_seen_empty(world.exceptions, "blake2b:ffffffffffffffffffffffffffffffff", 1 << 30, "zeros");
	EXPECT_STATE(1, "returned");
	exceptions_seen_empty(world.exceptions, PRINT, 1 << 30, "zeros");
	CU_ASSERT_STRING_EQUAL(member("note"), "zeros");
	CU_ASSERT_STRING_EQUAL(member("by"), "");
	EXPECT_STATE(1, "erase-confirmed");
	CU_ASSERT_EQUAL(step(1, "desk", EXCEPTION_CLOSE), 0);
	EXPECT_RECORDS(" use return refused refused confirm-erased close");
	CU_ASSERT_PTR_NULL(exceptions_find_open(world.exceptions, 1));
	CU_ASSERT_EQUAL(world.steps, 8);
	world_end();
}

/* The daemon is ready before the store is read, and what comes in between must not be let in, ended or lost. */
static void before_the_store_is_read_nothing_is_granted_or_taken(void)
{
	struct exception x;
	uint32_t number;

	world_begin();
	CU_ASSERT_EQUAL(submit("ito", EXCEPTION_REQUEST, "access=1 uses=2 return=1d", &x), 0);
	CU_ASSERT_EQUAL(step(1, "sato", EXCEPTION_APPROVE), 0);
	CU_ASSERT_EQUAL(step(1, "kato", EXCEPTION_APPROVE), 0);
	CU_ASSERT_EQUAL(use_disk(1, 1 << 30), 0);
	CU_ASSERT_EQUAL(in_force(), 1);
	stop();
	forget_records();
	create();
	CU_ASSERT_EQUAL(in_force(), 0);
	CU_ASSERT_NOT_EQUAL(exceptions_use(world.exceptions, x.grant.id, 1 << 30, &number), 0);
	CU_ASSERT_NOT_EQUAL(step(1, "ito", EXCEPTION_RETURN), 0);
	exceptions_unused(world.exceptions, 1);
	exceptions_clock_set(world.exceptions);
	pump();
	begin();
	CU_ASSERT_EQUAL(in_force(), 1);
	pump();
	CU_ASSERT_EQUAL(in_force(), 1);
	EXPECT_STATE(1, "live");
	/* What was due while nobody looked is done at once, before anybody could ask. */
	stop();
	forget_records();
	world.wall_us += 2 * 86400 * (int64_t)US;
	world.boot_us += 2 * 86400 * (uint64_t)US;
	create();
	EXPECT_RECORDS("");
	begin();
	CU_ASSERT_EQUAL(in_force(), 0);
	EXPECT(strstr(world.kinds, " expire") != NULL, world.kinds);
	world_end();
}

/* Whoever begins them may not be ready to hear of them, also where the loop has run before. */
static void what_the_beginning_finds_is_told_with_the_turn_after_it(void)
{
	world_begin();
	grant("");
	stop();
	world.wall_us += 110 * MINUTE * US;
	world.boot_us += 110 * MINUTE * (uint64_t)US;
	world.states = world.changes = world.steps = world.warnings = 0;
	create();
	exceptions_clock_set(world.exceptions);
	pump();
	begin();
	CU_ASSERT_EQUAL(world.states + world.changes + world.steps + world.warnings, 0);
	pump();
	CU_ASSERT_EQUAL(world.warnings, 1);
	/* The same of a step that was due. */
	stop();
	world.wall_us += DAY * US;
	world.boot_us += DAY * (uint64_t)US;
	forget_records();
	create();
	pump();
	begin();
	EXPECT(strstr(world.kinds, " expire") != NULL, world.kinds);
	CU_ASSERT_EQUAL(world.steps, 0);
	world_end();
}

static void without_a_policy_nothing_is_granted_but_things_end(void)
{
	struct exception x;

	world_begin();
	grant("");
	CU_ASSERT_EQUAL(submit("ito", EXCEPTION_REQUEST, "", &x), 0);
	world.no_policy = true;
	exceptions_policy_changed(world.exceptions);
	CU_ASSERT_EQUAL(submit("ito", EXCEPTION_REQUEST, "", NULL), EXCEPTION_E_NO_POLICY);
	CU_ASSERT_STRING_EQUAL(member("reason"), "exception-no-policy");
	CU_ASSERT_EQUAL(submit("boss", EXCEPTION_EMERGENCY, "", NULL), EXCEPTION_E_NO_POLICY);
	CU_ASSERT_EQUAL(submit("system", EXCEPTION_IMPORT, "", NULL), EXCEPTION_E_NO_POLICY);
	CU_ASSERT_EQUAL(step(2, "sato", EXCEPTION_APPROVE), EXCEPTION_E_NO_POLICY);
	CU_ASSERT_EQUAL(in_force(), 1);
	advance(2 * HOUR);
	EXPECT_STATE(1, "expired");
	advance(2 * DAY);
	EXPECT_STATE(2, "requested");
	world.no_policy = false;
	exceptions_policy_changed(world.exceptions);
	EXPECT_STATE(2, "lapsed");
	world_end();
}

/* --- use ----------------------------------------------------------------------------------------- */

static bool has_used_up(void)
{
	size_t n;
	const struct grantset_entry *entries = grantset_by_fingerprint(exceptions_grants(world.exceptions), PRINT, &n);

	return n && entries[0].used_up;
}

static void uses_and_bytes_are_counted_also_by_the_next_daemon(void)
{
	world_begin();
	grant("uses=2");
	CU_ASSERT_EQUAL(use(1), 0);
	CU_ASSERT_FALSE(has_used_up());
	forget_records();
	exceptions_unused(world.exceptions, 1);
	EXPECT_STATE(1, "live");
	EXPECT_RECORDS("");
	CU_ASSERT_EQUAL(use(1), 0);
	/* It stays in force for the device that is in, and for that alone. */
	CU_ASSERT_TRUE(has_used_up());
	CU_ASSERT_EQUAL(use(1), EXCEPTION_E_USED_UP);
	/* Killed while the device was in. */
	stop();
	start();
	pump();
	EXPECT_STATE(1, "live");
	CU_ASSERT_TRUE(has_used_up());
	exceptions_unused(world.exceptions, 1);
	EXPECT_STATE(1, "used-up");
	pump();
	CU_ASSERT_EQUAL(in_force(), 0);
	forget_records();

	grant("access=1 quota=1000");
	CU_ASSERT_EQUAL(exceptions_bytes_left(world.exceptions, 2), 1000);
	CU_ASSERT_EQUAL(use(2), 0);
	exceptions_written(world.exceptions, 2, 600);
	CU_ASSERT_STRING_EQUAL(member("bytes"), "600");
	CU_ASSERT_EQUAL(exceptions_bytes_left(world.exceptions, 2), 400);
	exceptions_written(world.exceptions, 2, 0);
	stop();
	start();
	world.changes = 0;
	exceptions_written(world.exceptions, 2, 500);
	EXPECT_STATE(2, "used-up");
	pump();
	CU_ASSERT_EQUAL(in_force(), 0);
	CU_ASSERT_EQUAL(world.changes, 1);
	/* What was told only afterwards is known as well. */
	exceptions_written(world.exceptions, 2, 11);
	EXPECT_RECORDS(" request approve approve begin use written written use-up written");
	world_end();
}

static void emergencies_and_imports_are_in_force_at_once_and_once(void)
{
	struct exception_actor system = story_actor("system");
	struct exception x;
	struct story story;

	world_begin();
	CU_ASSERT_EQUAL(submit("boss", EXCEPTION_EMERGENCY, "period=0", &x), 0);
	CU_ASSERT_EQUAL(x.state, EXCEPTION_LIVE);
	CU_ASSERT_EQUAL(exceptions_counts(world.exceptions).unreported, 1);
	CU_ASSERT_EQUAL(in_force(), 1);
	story_begin(&story, "medium=USB-0012 print=");
	CU_ASSERT_EQUAL(exceptions_has_grant(world.exceptions, story.x.grant.id), 0);
	CU_ASSERT_EQUAL(exceptions_submit(world.exceptions, EXCEPTION_IMPORT, &story.x.grant, 600, NULL, &system, &x), 0);
	CU_ASSERT_EQUAL(x.state, EXCEPTION_LIVE);
	CU_ASSERT_STRING_EQUAL(x.requester.name, "ito");
	CU_ASSERT_EQUAL(exceptions_has_grant(world.exceptions, story.x.grant.id), EXCEPTIONSTORE_E_USED);
	CU_ASSERT_EQUAL(exceptions_submit(world.exceptions, EXCEPTION_IMPORT, &story.x.grant, 600, NULL, &system, &x),
			EXCEPTIONSTORE_E_USED);
	CU_ASSERT_STRING_EQUAL(member("reason"), "exception-grant-used");
	EXPECT_RECORDS(" emergency import begin refused");
	advance(4 * HOUR);
	EXPECT_STATE(1, "expired");
	/* Its report is due, so it stays. */
	advance(2 * DAY);
	EXPECT_STATE(1, "expired");
	EXPECT_STATE(2, "closed");
	CU_ASSERT_EQUAL(exceptions_counts(world.exceptions).overdue, 1);
	CU_ASSERT_EQUAL(step(1, "ito", EXCEPTION_REPORT), 0);
	CU_ASSERT_EQUAL(exceptions_counts(world.exceptions).overdue, 0);
	world_end();
}

static void a_flood_of_refusals_is_counted_not_written(void)
{
	world_begin();
	for (int i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(submit("ito", EXCEPTION_REQUEST, "purpose=", NULL), EXCEPTION_E_INCOMPLETE);
	CU_ASSERT_EQUAL(world.records, 10);
	world.exceptions = exceptions_free(world.exceptions);
	CU_ASSERT_EQUAL(world.records, 11);
	CU_ASSERT_STRING_EQUAL(member("count"), "190");
	CU_ASSERT_STRING_EQUAL(member("by"), "ito");
	world_end();
}

/* An exception that has ended after uses of disks of these sizes; 0: not known. */
static uint32_t ended(const char *with, uint64_t first, uint64_t second)
{
	uint32_t number = grant(with);

	CU_ASSERT_EQUAL(use_disk(number, first), 0);
	CU_ASSERT_EQUAL(use_disk(number, second), 0);
	CU_ASSERT_EQUAL(step(number, "ito", EXCEPTION_RETURN), 0);
	return number;
}

static void only_the_disk_that_was_used_is_seen_empty_and_what_matters_most_is_for_people(void)
{
	static const struct {
		const char *with;
		uint64_t first, second, seen;
		bool person, confirmed;
	} rows[] = {
		{ "data=III", 64, 64, 64, false, true },
		{ "data=III", 64, 0, 64, false, true },
		{ "data=", 0, 64, 64, false, true },
		/* Another stick of the same serial number; what has no size; a reader with two cards. */
		{ "data=III", 64, 64, 128, false, false },
		{ "data=III", 0, 0, 64, false, false },
		{ "data=III", 0, 0, 0, false, false },
		{ "data=III", 64, 128, 128, false, false },
		/* A device that answers zeros and keeps what it has. */
		{ "data=I", 64, 64, 64, false, false },
		{ "data=II", 64, 64, 64, false, false },
		{ "data=III", 64, 64, 64, true, false },
		{ "data=", 64, 64, 64, true, false },
		/* Bound to a mark, which an empty medium has not. */
		{ "data=III print= medium=ZEI-001", 64, 64, 64, false, false },
	};

	world_begin();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t number = ended(rows[i].with, rows[i].first, rows[i].second);
		char name[64];

		snprintf(name, sizeof(name), "%zu %s", i, rows[i].with);
		world.rules.erasure_by_person = rows[i].person;
		/* Of one whose uses knew other sizes, looking is not in vain: they may come yet. */
		EXPECT(exceptions_await_empty(world.exceptions, PRINT, 0) || !rows[i].confirmed, name);
		CU_ASSERT_FALSE(exceptions_await_empty(world.exceptions, PRINT, number));
		exceptions_seen_empty(world.exceptions, PRINT, rows[i].seen, "zeros");
		pump();
		EXPECT(!strcmp(state_of(number), rows[i].confirmed ? "erase-confirmed" : "returned"), name);
		world.rules.erasure_by_person = false;
		if (!rows[i].confirmed)
			CU_ASSERT_EQUAL(step(number, "desk", EXCEPTION_CONFIRM_ERASED), 0);
	}
	world_end();
}

/* --- what goes wrong ----------------------------------------------------------------------------- */

static void a_step_whose_record_a_crash_prevented_is_recorded_late(void)
{
	int status = 0;
	pid_t child;

	world_begin();
	grant("begin=10m");
	stop();
	forget_records();
	child = fork();
	if (!child) {
		start();
		world.dies_at_record = true;
		step(1, "sato", EXCEPTION_REVOKE);
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_TRUE(WIFSIGNALED(status));
	/* Its clocks went on. */
	world.wall_us += US;
	world.boot_us += US;
	start();
	pump();
	EXPECT_STATE(1, "revoked");
	CU_ASSERT_EQUAL(world.late, 1);
	CU_ASSERT_STRING_EQUAL(member("by"), "sato");
	CU_ASSERT_STRING_EQUAL(member("at"), "1780272000");
	EXPECT_RECORDS(" revoke");
	/* And once. */
	stop();
	start();
	EXPECT_RECORDS("");
	world_end();
}

static void what_a_full_log_does_not_take_is_told_in_its_order(void)
{
	world_begin();
	world.log_refuses = true;
	grant("");
	CU_ASSERT_EQUAL(step(1, "sato", EXCEPTION_BEGIN), EXCEPTION_E_LIVE);
	CU_ASSERT_EQUAL(world.records, 0);
	/* Another daemon knows. */
	stop();
	start();
	CU_ASSERT_EQUAL(step(1, "ito", EXCEPTION_RETURN), 0);
	world.log_refuses = false;
	CU_ASSERT_EQUAL(step(1, "sato", EXCEPTION_CLOSE), 0);
	CU_ASSERT_EQUAL(world.late, 5);
	EXPECT_RECORDS(" request approve approve begin return close");
	/* By itself, when nothing else happens. */
	world.log_refuses = true;
	grant("");
	CU_ASSERT_EQUAL(step(1, "sato", EXCEPTION_CLOSE), EXCEPTION_E_CLOSED);
	world.log_refuses = false;
	RUN_UNTIL(world.event, world.records == 5);
	pump();
	EXPECT_RECORDS(" request approve approve begin refused");
	world_end();
}

static void refusals_that_a_full_log_does_not_take_push_nothing_out_and_are_counted(void)
{
	struct timespec wait = { .tv_nsec = 30000000 };

	world_begin();
	grant("");
	forget_records();
	world.log_refuses = true;
	for (int i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(step(1, "ito", EXCEPTION_APPROVE), EXCEPTION_E_ROLE);
	CU_ASSERT_EQUAL(step(1, "sato", EXCEPTION_BEGIN), EXCEPTION_E_LIVE);
	advance(2 * HOUR - 10 * MINUTE);
	CU_ASSERT_EQUAL(world.records, 0);
	world.log_refuses = false;
	nanosleep(&wait, NULL);
	pump();
	/* The warning first; then one of each person. */
	EXPECT_RECORDS(" warned refused refused");
	CU_ASSERT_STRING_EQUAL(member("by"), "sato");
	CU_ASSERT_STRING_EQUAL(member("count"), "1");
	/* What comes then is one by one again. */
	CU_ASSERT_EQUAL(step(1, "sato", EXCEPTION_BEGIN), EXCEPTION_E_LIVE);
	CU_ASSERT_STRING_EQUAL(member("count"), "");
	forget_records();
	world.log_refuses = true;
	for (int i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(step(1, "ito", EXCEPTION_APPROVE), EXCEPTION_E_ROLE);
	world.log_refuses = false;
	stop();
	EXPECT_RECORDS(" refused");
	CU_ASSERT_STRING_EQUAL(member("count"), "8");
	CU_ASSERT_STRING_EQUAL(member("by"), "ito");
	start();
	world_end();
}

static void wait_for_state(bool ok)
{
	RUN_UNTIL(world.event, ok == !strcmp(exceptions_state(world.exceptions), "ok"));
	pump();
	CU_ASSERT_EQUAL(ok, !strcmp(exceptions_state(world.exceptions), "ok"));
}

static void overwrite(const char *path, off_t where, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY);

	CU_ASSERT_EQUAL(pwrite(fd, data, len, where), (ssize_t)len);
	close(fd);
}

static void a_store_that_is_damaged_or_busy_puts_nothing_in_force_until_it_is_well(void)
{
	char good[16], command[512];
	sqlite3 *other = NULL;
	int fd;

	world_begin();
	grant("");
	stop();
	forget_records();
	fd = open(world.path, O_RDONLY);
	CU_ASSERT_EQUAL(read(fd, good, sizeof(good)), (ssize_t)sizeof(good));
	close(fd);
	overwrite(world.path, 0, "no SQLite at all", sizeof(good));
	world.states = 0;
	start();
	CU_ASSERT_EQUAL(world.states, 0);
	pump();
	CU_ASSERT_EQUAL(world.states, 1);
	EXPECT(strstr(exceptions_state(world.exceptions), "damaged"), exceptions_state(world.exceptions));
	CU_ASSERT_PTR_NULL(exceptions_grants(world.exceptions));
	CU_ASSERT_EQUAL(submit("ito", EXCEPTION_REQUEST, "", NULL), EXCEPTIONSTORE_E_DAMAGED);
	CU_ASSERT_STRING_EQUAL(member("reason"), "exception-store");
	CU_ASSERT_EQUAL(step(1, "sato", EXCEPTION_REVOKE), EXCEPTIONSTORE_E_DAMAGED);
	CU_ASSERT_EQUAL(exceptions_has_grant(world.exceptions, (const uint8_t *)"0123456789abcdef"), EXCEPTIONSTORE_E_DAMAGED);
	sd_event_run(world.event, 50000);
	EXPECT_RECORDS(" store refused refused");
	/* Nobody has touched it. */
	overwrite(world.path, 0, good, sizeof(good));
	wait_for_state(true);
	CU_ASSERT_EQUAL(in_force(), 1);
	EXPECT_RECORDS(" store");
	stop();

	CU_ASSERT_EQUAL(sqlite3_open(world.path, &other), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	start();
	pump();
	EXPECT(strstr(exceptions_state(world.exceptions), "Another program"), exceptions_state(world.exceptions));
	CU_ASSERT_EQUAL(in_force(), 0);
	sqlite3_close(other);
	wait_for_state(true);
	CU_ASSERT_EQUAL(in_force(), 1);
	/* Moved away: a new one is begun, and nothing of the old one is in force. */
	stop();
	snprintf(command, sizeof(command), "mv %s %s.old && mkdir %s", world.path, world.path, world.path);
	CU_ASSERT_EQUAL(system(command), 0);
	start();
	CU_ASSERT_EQUAL(in_force(), 0);
	EXPECT(strstr(exceptions_state(world.exceptions), "plain file"), exceptions_state(world.exceptions));
	CU_ASSERT_EQUAL(rmdir(world.path), 0);
	wait_for_state(true);
	EXPECT_STATE(1, "");
	CU_ASSERT_EQUAL(grant(""), 1);
	world_end();
}

static void a_disk_that_is_full_ends_what_is_in_force_until_it_can_be_written(void)
{
	struct rlimit unlimited, none;
	uint32_t number;
	uint8_t id[16];

	world_begin();
	grant("access=1 quota=1000");
	CU_ASSERT_EQUAL(in_force(), 1);
	forget_records();
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &unlimited);
	none = unlimited;
	none.rlim_cur = 1;
	setrlimit(RLIMIT_FSIZE, &none);
	world.changes = 0;
	memcpy(id, exceptions_find_open(world.exceptions, 1)->grant.id, sizeof(id));
	CU_ASSERT_NOT_EQUAL(exceptions_use(world.exceptions, id, 0, &number), 0);
	/* At once, not only when the loop comes round to telling of it. */
	CU_ASSERT_EQUAL(in_force(), 0);
	pump();
	CU_ASSERT_EQUAL(world.changes, 1);
	EXPECT(strstr(exceptions_state(world.exceptions), "cannot be used"), exceptions_state(world.exceptions));
	sd_event_run(world.event, 50000);
	CU_ASSERT_EQUAL(in_force(), 0);
	/* What the device, which has to go now, has written already is not forgotten. */
	exceptions_written(world.exceptions, 1, 400);
	exceptions_written(world.exceptions, 1, 100);
	setrlimit(RLIMIT_FSIZE, &unlimited);
	wait_for_state(true);
	CU_ASSERT_EQUAL(in_force(), 1);
	CU_ASSERT_EQUAL(exceptions_bytes_left(world.exceptions, 1), 500);
	CU_ASSERT_EQUAL(use(1), 0);
	EXPECT_RECORDS(" store refused store written written use");
	world_end();
}

static const struct test tests[] = {
	TEST(two_approvals_put_it_in_force_and_each_step_is_recorded),
	TEST(before_the_store_is_read_nothing_is_granted_or_taken),
	TEST(what_the_beginning_finds_is_told_with_the_turn_after_it),
	TEST(without_a_policy_nothing_is_granted_but_things_end),
	TEST(uses_and_bytes_are_counted_also_by_the_next_daemon),
	TEST(emergencies_and_imports_are_in_force_at_once_and_once),
	TEST(a_flood_of_refusals_is_counted_not_written),
	TEST(only_the_disk_that_was_used_is_seen_empty_and_what_matters_most_is_for_people),
	TEST(a_step_whose_record_a_crash_prevented_is_recorded_late),
	TEST(refusals_that_a_full_log_does_not_take_push_nothing_out_and_are_counted),
	TEST(what_a_full_log_does_not_take_is_told_in_its_order),
	TEST(a_store_that_is_damaged_or_busy_puts_nothing_in_force_until_it_is_well),
	TEST(a_disk_that_is_full_ends_what_is_in_force_until_it_can_be_written),
};

int main(void)
{
	return testing_run("exceptions", tests, ARRAY_SIZE(tests));
}
