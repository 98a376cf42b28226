// SPDX-License-Identifier: GPL-2.0-or-later
/* The store: nothing that was promised is lost, nothing is changed, and a damaged file is not believed. */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "exception-story.h"
#include "system/exceptionstore.h"

static char directory[64], path[96];
static uint32_t next_id;

static void clean(void)
{
	static const char *const suffixes[] = { "", "-wal", "-journal", "-shm" };
	char name[128];

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		unlink(name);
	}
}

static struct exceptionstore *fresh(void)
{
	struct exceptionstore *store = NULL;

	clean();
	CU_ASSERT_EQUAL_FATAL(exceptionstore_create(path, &store), 0);
	return store;
}

static int opened(struct exceptionstore **store)
{
	*store = NULL;
	return exceptionstore_open(path, store);
}

/* Takes one event on exception `number` (0: the story's draft is submitted). */
static int act(struct exceptionstore *store, struct story *story, uint32_t number, const char *event,
	       const char *nick)
{
	struct exception_actor actor = story_actor(nick);
	struct exceptionstore_act doing = { .event = &story->event, .actor = &actor, .world = &story->world };

	story->event = (struct exception_event){ .kind = exception_event_find(event), .note = "理由" };
	if (!number)
		return exceptionstore_submit(store, &story->x, &doing, &story->deed);
	return exceptionstore_step(store, number, &doing, &story->x, &story->deed);
}

static void wish(struct story *story, const char *with)
{
	story_begin(story, with);
	story->x.number = 0;
	next_id++;
	memcpy(story->x.grant.id, &next_id, sizeof(next_id));
}

/* A whole life, and the story beside it: what is read must be what was written. */
static void what_was_written_is_read_again(void)
{
	static const char *const life[] = { "approve:sato", "approve:kato", "begin:system", "use:system", "return:ito",
					    "confirm-erased:desk", "close:desk" };
	struct exceptionstore *store = fresh();
	struct exception seen;
	struct story story;

	wish(&story, "access=1 uses=3 quota=1000000 seconds=600 return=1d medium=USB-0012");
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), 0);
	CU_ASSERT_EQUAL(story.x.number, 1);
	for (size_t i = 0; i < ARRAY_SIZE(life); i++) {
		char word[32], *nick;
		uint8_t id[16];

		CU_ASSERT_EQUAL(exceptionstore_get(store, 1, &seen), 0);
		EXPECT(!memcmp(&seen, &story.x, sizeof(seen)), life[i]);
		memcpy(id, seen.grant.id, sizeof(id));
		memset(&seen, 0, sizeof(seen));
		CU_ASSERT_EQUAL(exceptionstore_find_grant(store, id, &seen), 0);
		EXPECT(!memcmp(&seen, &story.x, sizeof(seen)), life[i]);
		/* Also by another daemon. */
		exceptionstore_close(store);
		CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
		snprintf(word, sizeof(word), "%s", life[i]);
		nick = strchr(word, ':');
		*nick++ = '\0';
		story.world.now += 5;
		CU_ASSERT_EQUAL(act(store, &story, 1, word, nick), 0);
	}
	CU_ASSERT_EQUAL(story.x.state, EXCEPTION_CLOSED);
	CU_ASSERT_EQUAL(exceptionstore_get(store, 2, &seen), EXCEPTIONSTORE_E_ABSENT);
	memset(seen.grant.id, 0xee, sizeof(seen.grant.id));
	CU_ASSERT_EQUAL(exceptionstore_find_grant(store, (const uint8_t *)"0123456789abcdef", &seen),
			EXCEPTIONSTORE_E_ABSENT);
	exceptionstore_close(store);
}

/* What the log knows of is told to the store; the rest is asked for, in the order in which it was done. */
static void a_step_is_untold_until_it_is_told_once(void)
{
	static const struct {
		uint32_t number, step;
		enum exception_event_kind kind;
	} order[] = { { 1, 1, EXCEPTION_REQUEST }, { 2, 1, EXCEPTION_REQUEST }, { 2, 2, EXCEPTION_DENY }, { 1, 2, EXCEPTION_APPROVE } };
	struct exceptionstore *store = fresh();
	struct exception_deed deed;
	struct exception x;
	struct story story;

	CU_ASSERT_EQUAL(exceptionstore_untold(store, &x, &deed), EXCEPTIONSTORE_E_ABSENT);
	wish(&story, "");
	act(store, &story, 0, "request", "ito");
	CU_ASSERT_EQUAL(act(store, &story, 1, "approve", "boss"), EXCEPTION_E_OWN);
	wish(&story, "");
	act(store, &story, 0, "request", "ito");
	CU_ASSERT_EQUAL(act(store, &story, 2, "deny", "sato"), 0);
	CU_ASSERT_EQUAL(act(store, &story, 1, "approve", "sato"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		exceptionstore_close(store);
		CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
		CU_ASSERT_EQUAL(exceptionstore_untold(store, &x, &deed), 0);
		CU_ASSERT_EQUAL(x.number, order[i].number);
		CU_ASSERT_EQUAL(deed.number, order[i].step);
		CU_ASSERT_EQUAL(deed.kind, order[i].kind);
		/* As it was then. */
		CU_ASSERT_EQUAL(x.steps, order[i].step);
		CU_ASSERT_EQUAL(x.state, deed.to);
		CU_ASSERT_EQUAL(exceptionstore_told(store, x.number, deed.number), 0);
	}
	CU_ASSERT_EQUAL(exceptionstore_untold(store, &x, &deed), EXCEPTIONSTORE_E_ABSENT);
	exceptionstore_close(store);
}

struct deeds {
	unsigned int n;
	struct exception_deed last;
};

static int note_deed(void *userdata, const struct exception_deed *deed)
{
	struct deeds *deeds = userdata;

	CU_ASSERT_EQUAL(deed->number, deeds->n + 1);
	CU_ASSERT_TRUE(!deeds->n || deed->from == deeds->last.to);
	deeds->last = *deed;
	deeds->n++;
	return 0;
}

static void each_step_says_who_when_and_from_where(void)
{
	struct exceptionstore *store = fresh();
	struct deeds deeds = { .n = 0 };
	struct story story;

	wish(&story, "");
	act(store, &story, 0, "request", "ito");
	story.world.now += 60;
	CU_ASSERT_EQUAL(act(store, &story, 1, "deny", "sato"), 0);
	CU_ASSERT_EQUAL(exceptionstore_deeds(store, 1, 0, note_deed, &deeds), 0);
	CU_ASSERT_EQUAL(deeds.n, 2);
	CU_ASSERT_EQUAL(deeds.last.kind, EXCEPTION_DENY);
	CU_ASSERT_EQUAL(deeds.last.when, STORY_BEGIN + 60);
	CU_ASSERT_EQUAL(deeds.last.who.uid, 1002);
	CU_ASSERT_STRING_EQUAL(deeds.last.who.name, "sato");
	CU_ASSERT_STRING_EQUAL(deeds.last.session, "c1");
	CU_ASSERT_STRING_EQUAL(deeds.last.note, "理由");
	CU_ASSERT_EQUAL(exceptionstore_deeds(store, 2, 0, note_deed, &deeds), EXCEPTIONSTORE_E_ABSENT);
	exceptionstore_close(store);
}

static int note_number(void *userdata, const struct exception_deed *deed)
{
	char *numbers = userdata;

	sprintf(numbers + strlen(numbers), " %u", deed->number);
	return 0;
}

static void of_very_many_steps_the_newest_come_and_peoples_are_not_pushed_out(void)
{
	struct exceptionstore *store = fresh();
	char numbers[256] = "";
	struct story story;

	wish(&story, "");
	act(store, &story, 0, "request", "ito");
	act(store, &story, 1, "approve", "sato");
	act(store, &story, 1, "approve", "kato");
	act(store, &story, 1, "begin", "system");
	for (int i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(act(store, &story, 1, "use", "system"), 0);
		CU_ASSERT_EQUAL(act(store, &story, 1, "written", "system"), 0);
	}
	CU_ASSERT_EQUAL(act(store, &story, 1, "return", "ito"), 0);
	CU_ASSERT_EQUAL(exceptionstore_deeds(store, 1, 3, note_number, numbers), 0);
	CU_ASSERT_STRING_EQUAL(numbers, " 3 4 10 11 12 13");
	exceptionstore_close(store);
}

static void a_device_that_comes_and_goes_is_let_in_sixty_times_an_hour(void)
{
	struct exceptionstore *store = fresh();
	struct story story;

	for (uint32_t number = 1; number <= 2; number++) {
		wish(&story, "");
		CU_ASSERT_EQUAL(act(store, &story, 0, "import", "system"), 0);
		CU_ASSERT_EQUAL(act(store, &story, number, "begin", "system"), 0);
	}
	for (int i = 0; i < EXCEPTION_USES_HOURLY; i++) {
		CU_ASSERT_EQUAL(act(store, &story, 1, "use", "system"), 0);
		story.world.now++;
	}
	CU_ASSERT_EQUAL(act(store, &story, 1, "use", "system"), EXCEPTION_E_MANY_USES);
	/* Each has its own hour. */
	CU_ASSERT_EQUAL(act(store, &story, 2, "use", "system"), 0);
	story.world.now = STORY_BEGIN + 3600 - 1;
	CU_ASSERT_EQUAL(act(store, &story, 1, "use", "system"), EXCEPTION_E_MANY_USES);
	story.world.now = STORY_BEGIN + 3600;
	CU_ASSERT_EQUAL(act(store, &story, 1, "use", "system"), 0);
	CU_ASSERT_EQUAL(act(store, &story, 1, "use", "system"), EXCEPTION_E_MANY_USES);
	exceptionstore_close(store);
}

static int count_one(void *userdata, const struct exception *x)
{
	(*(unsigned int *)userdata)++;
	return 0;
}

static unsigned int count(struct exceptionstore *store, struct exceptionstore_filter filter)
{
	unsigned int n = 0;

	CU_ASSERT_EQUAL(exceptionstore_list(store, &filter, count_one, &n), 0);
	return n;
}

#define COUNT(store, ...) count(store, (struct exceptionstore_filter){ __VA_ARGS__ })

static void a_refused_step_leaves_nothing_behind(void)
{
	struct exceptionstore *store = fresh();
	struct deeds deeds = { .n = 0 };
	struct story story, again;

	wish(&story, "purpose=");
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), EXCEPTION_E_INCOMPLETE);
	CU_ASSERT_EQUAL(story.x.number, 0);
	CU_ASSERT_EQUAL(COUNT(store, .states = 0), 0);
	wish(&story, "");
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), 0);
	/* A file or a code that comes twice. */
	again = story;
	again.x.state = EXCEPTION_DRAFT;
	CU_ASSERT_EQUAL(act(store, &again, 0, "import", "system"), EXCEPTIONSTORE_E_USED);
	CU_ASSERT_EQUAL(act(store, &story, 1, "approve", "boss"), EXCEPTION_E_OWN);
	CU_ASSERT_EQUAL(act(store, &story, 1, "begin", "system"), EXCEPTION_E_WAITING);
	CU_ASSERT_EQUAL(act(store, &story, 2, "approve", "sato"), EXCEPTIONSTORE_E_ABSENT);
	CU_ASSERT_EQUAL(exceptionstore_deeds(store, 1, 0, note_deed, &deeds), 0);
	CU_ASSERT_EQUAL(deeds.n, 1);
	CU_ASSERT_EQUAL(COUNT(store, .states = 0), 1);
	exceptionstore_close(store);
	CU_ASSERT_EQUAL(opened(&store), 0);
	exceptionstore_close(store);
}

static void floods_and_missing_reports_are_counted_by_the_store(void)
{
	struct exceptionstore *store = fresh();
	struct story story;
	int r = 0;

	for (int i = 0; i < 5; i++) {
		wish(&story, "");
		CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), 0);
	}
	wish(&story, "");
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), EXCEPTION_E_MANY_WAITING);
	/* Whoever withdraws them and asks again is stopped by the day. */
	for (uint32_t number = 1; number < 40 && !r; number++) {
		CU_ASSERT_EQUAL(act(store, &story, number, "withdraw", "ito"), 0);
		wish(&story, "");
		r = act(store, &story, 0, "request", "ito");
	}
	CU_ASSERT_EQUAL(r, EXCEPTION_E_MANY_TODAY);
	CU_ASSERT_EQUAL(COUNT(store, .states = 0), 20);
	/* Unanswered ones wait until they lapse, not longer. */
	story.world.now += 86399;
	CU_ASSERT_EQUAL(act(store, &story, 20, "lapse", "system"), EXCEPTION_E_EARLY);
	wish(&story, "may-wait=4 may-daily=100");
	story.world.now += 86399;
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), EXCEPTION_E_MANY_WAITING);
	story.world.now += 1;
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "ito"), 0);
	CU_ASSERT_EQUAL(act(store, &story, 21, "withdraw", "ito"), 0);
	/* Others are not. */
	wish(&story, "");
	strcpy(story.x.requester.name, "abe");
	story.x.requester.uid = 1009;
	CU_ASSERT_EQUAL(act(store, &story, 0, "request", "asker"), 0);
	/* Nor is he the day after. */
	wish(&story, "");
	story.world.now += 86400;
	CU_ASSERT_EQUAL(act(store, &story, 0, "emergency", "boss"), 0);
	wish(&story, "");
	story.world.now += 86400;
	CU_ASSERT_EQUAL(act(store, &story, 0, "emergency", "boss"), 0);
	wish(&story, "");
	story.world.now += 86400;
	CU_ASSERT_EQUAL(act(store, &story, 0, "emergency", "boss"), EXCEPTION_E_REPORTS_DUE);
	CU_ASSERT_EQUAL(COUNT(store, .due = EXCEPTION_DUE_REPORT), 2);
	CU_ASSERT_EQUAL(act(store, &story, 23, "report", "ito"), 0);
	wish(&story, "");
	story.world.now += 86400;
	CU_ASSERT_EQUAL(act(store, &story, 0, "emergency", "boss"), 0);
	exceptionstore_close(store);
}

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
		"INSERT INTO clock SELECT 2, now_us, boot_us, boot_id, void_before, resets FROM clock",
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

/* --- the clock ------------------------------------------------------------------------------------ */

static void the_mark_goes_forward_only(void)
{
	struct exceptionstore *store = fresh();
	struct grantclock_mark mark = { .now_us = 1000, .boot_us = 5, .boot_id = { 1, 2, [15] = 9 } }, seen;
	struct story story;

	CU_ASSERT_EQUAL(exceptionstore_mark(store, &seen), EXCEPTIONSTORE_E_ABSENT);
	CU_ASSERT_EQUAL(exceptionstore_keep_mark(store, &mark), 0);
	CU_ASSERT_EQUAL(exceptionstore_mark(store, &seen), 0);
	CU_ASSERT_EQUAL(memcmp(&mark, &seen, sizeof(mark)), 0);
	mark.now_us = 999;
	CU_ASSERT_EQUAL(exceptionstore_keep_mark(store, &mark), EXCEPTIONSTORE_E_CLOCK);
	mark.now_us = 2000;
	mark.void_before = 77;
	CU_ASSERT_EQUAL(exceptionstore_keep_mark(store, &mark), 0);
	exceptionstore_close(store);
	CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
	CU_ASSERT_EQUAL(exceptionstore_mark(store, &seen), 0);
	CU_ASSERT_EQUAL(memcmp(&mark, &seen, sizeof(mark)), 0);

	/* Back only by a reset, and not while something is in force. */
	wish(&story, "emergency=3h");
	CU_ASSERT_EQUAL(act(store, &story, 0, "emergency", "boss"), 0);
	mark.now_us = 500;
	mark.resets = 1;
	CU_ASSERT_EQUAL(exceptionstore_keep_mark(store, &mark), EXCEPTIONSTORE_E_LIVE);
	CU_ASSERT_EQUAL(act(store, &story, 1, "revoke", "sato"), 0);
	CU_ASSERT_EQUAL(exceptionstore_keep_mark(store, &mark), 0);
	CU_ASSERT_EQUAL(exceptionstore_mark(store, &seen), 0);
	CU_ASSERT_EQUAL(seen.now_us, 500);
	exceptionstore_close(store);
}

static void the_mark_is_kept_with_the_step_or_not_at_all(void)
{
	struct exceptionstore *store = fresh();
	struct grantclock_mark mark = { .now_us = 1000 }, seen;
	struct exception_actor ito = story_actor("ito");
	struct exceptionstore_act doing;
	struct exception x;
	struct story story;

	wish(&story, "");
	story.event = (struct exception_event){ .kind = EXCEPTION_REQUEST };
	doing = (struct exceptionstore_act){ &story.event, &ito, &story.world, &mark };
	CU_ASSERT_EQUAL(exceptionstore_submit(store, &story.x, &doing, NULL), 0);
	CU_ASSERT_EQUAL(exceptionstore_mark(store, &seen), 0);
	CU_ASSERT_EQUAL(seen.now_us, 1000);
	/* A mark that goes back takes the step with it. */
	mark.now_us = 1;
	story.event.kind = EXCEPTION_WITHDRAW;
	CU_ASSERT_EQUAL(exceptionstore_step(store, 1, &doing, NULL, NULL), EXCEPTIONSTORE_E_CLOCK);
	CU_ASSERT_EQUAL(exceptionstore_get(store, 1, &x), 0);
	CU_ASSERT_EQUAL(x.state, EXCEPTION_REQUESTED);
	exceptionstore_close(store);
}

/* --- many ---------------------------------------------------------------------------------------- */

static double seconds(void)
{
	struct timespec ts;

	/* Of this process: others may be busy. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int stop_at_once(void *userdata, const struct exception *x)
{
	return -ECANCELED;
}

static void ten_thousand_are_listed_and_asked_for(void)
{
	enum { N = 10000 };
	struct exceptionstore *store = fresh();
	unsigned int n = 0;
	struct exceptionstore_filter all = { .states = 0 };
	double begin;
	struct story story;

	for (unsigned int i = 0; i < N; i++) {
		wish(&story, "approvers=1 may-wait=20000 may-daily=20000");
		story.world.now = STORY_BEGIN + i * 3600;
		story.x.requester.uid = 5000 + i % 100;
		snprintf(story.x.requester.name, sizeof(story.x.requester.name), "user%u", i % 100);
		memcpy(story.x.grant.person, story.x.requester.name, sizeof(story.x.grant.person));
		story.x.grant.uid = story.x.requester.uid;
		story.event = (struct exception_event){ .kind = EXCEPTION_REQUEST };
		struct exception_actor actor = { .who = story.x.requester, .roles = EXCEPTION_ROLE_ASK };
		struct exceptionstore_act doing = { .event = &story.event, .actor = &actor, .world = &story.world };
		int r = exceptionstore_submit(store, &story.x, &doing, NULL);

		CU_ASSERT_EQUAL_FATAL(r, 0);
		if (i % 10 == 3)
			CU_ASSERT_EQUAL_FATAL(act(store, &story, story.x.number, "approve", "sato"), 0);
	}
	exceptionstore_close(store);
	begin = seconds();
	CU_ASSERT_EQUAL_FATAL(opened(&store), 0);
	printf(" (10,000: opened and checked in %.0f ms", (seconds() - begin) * 1e3);
	begin = seconds();
	CU_ASSERT_EQUAL(COUNT(store, .states = 0), N);
	printf(", listed in %.0f ms", (seconds() - begin) * 1e3);
	begin = seconds();
	CU_ASSERT_EQUAL(COUNT(store, .states = 1u << EXCEPTION_APPROVED), N / 10);
	CU_ASSERT_EQUAL(COUNT(store, .states = 1u << EXCEPTION_APPROVED | 1u << EXCEPTION_REQUESTED), N);
	CU_ASSERT_EQUAL(COUNT(store, .states = 1u << EXCEPTION_LIVE), 0);
	CU_ASSERT_EQUAL(COUNT(store, .person = "user7"), N / 100);
	CU_ASSERT_EQUAL(COUNT(store, .person = "user"), 0);
	CU_ASSERT_EQUAL(COUNT(store, .after = N - 5), 5);
	CU_ASSERT_EQUAL(COUNT(store, .after = 100, .limit = 50), 50);
	CU_ASSERT_EQUAL(COUNT(store, .from = STORY_BEGIN + 3600, .until = STORY_BEGIN + 4 * 3600), 3);
	CU_ASSERT_TRUE(seconds() - begin < 10);
	CU_ASSERT_EQUAL(exceptionstore_list(store, &all, stop_at_once, &n), -ECANCELED);
	begin = seconds();
	CU_ASSERT_EQUAL(act(store, &story, N - 1, "approve", "sato"), 0);
	printf(", a step in %.1f ms) ", (seconds() - begin) * 1e3);
	/* A request among ten thousand is as quick as the disk. */
	CU_ASSERT_TRUE(seconds() - begin < 2);
	exceptionstore_close(store);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(what_was_written_is_read_again),
		TEST(a_step_is_untold_until_it_is_told_once),
	TEST(each_step_says_who_when_and_from_where),
		TEST(of_very_many_steps_the_newest_come_and_peoples_are_not_pushed_out),
		TEST(a_device_that_comes_and_goes_is_let_in_sixty_times_an_hour),
		TEST(a_refused_step_leaves_nothing_behind),
		TEST(floods_and_missing_reports_are_counted_by_the_store),
		TEST(steps_are_only_ever_added),
		TEST(what_is_not_as_it_was_left_is_not_believed),
		TEST(a_damaged_byte_never_changes_what_is_told),
		TEST(files_that_are_not_ours_alone_are_refused),
		TEST(kill_9_loses_nothing_that_was_promised),
		TEST(the_mark_goes_forward_only),
		TEST(the_mark_is_kept_with_the_step_or_not_at_all),
		TEST(ten_thousand_are_listed_and_asked_for),
	};
	int r;

	/* In memory where that is to be had: kill -9 takes nothing from a tmpfs, and ten thousand times the disk is slow. */
	strcpy(directory, "/dev/shm/exceptionstore.XXXXXX");
	if (!mkdtemp(directory)) {
		strcpy(directory, "/tmp/exceptionstore.XXXXXX");
		if (!mkdtemp(directory))
			return 1;
	}
	snprintf(path, sizeof(path), "%s/store", directory);
	r = testing_run("exceptionstore", tests, ARRAY_SIZE(tests));
	clean();
	rmdir(directory);
	return r;
}
