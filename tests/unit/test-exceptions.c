// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/exceptions: exceptions at work, with clocks that the test moves, a log that may refuse, and a store that may break. */
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "daemon/exceptions.h"
#include "exception-story.h"
#include "system/exceptionstore-inside.h"

#define US INT64_C(1000000)
#define MINUTE 60
#define HOUR 3600
#define DAY 86400
#define PRINT "blake2b:00112233445566778899aabbccddeeff"
#define LOG_MAX 65536

static struct {
	char dir[64], path[128];
	sd_event *event;
	struct exceptions *exceptions;
	/* What its clocks show. */
	int64_t wall_us;
	uint64_t boot_us;
	uint8_t boot;
	bool real_clocks;
	/* What it says. */
	struct exception_rules rules;
	bool no_policy, log_refuses, dies_at_record;
	/* What it heard. */
	char kinds[LOG_MAX];	     /* " exception-request exception-begin" */
	struct json_object *newest; /* record */
	unsigned int records, late, changes, states, steps, warnings;
	uint32_t warned_seconds;
} world;

/* --- the daemon around it ------------------------------------------------------------------------ */

static int record(void *userdata, const char *kind, struct json_object *extra)
{
	struct json_object *late;
	size_t len = strlen(world.kinds);

	if (world.dies_at_record)
		kill(getpid(), SIGKILL);
	if (world.log_refuses) {
		json_object_put(extra);
		return -ENOSPC;
	}
	CU_ASSERT_PTR_NOT_NULL(extra);
	/* Without the "exception-" that all have. */
	if (len < sizeof(world.kinds) - 64)
		snprintf(world.kinds + len, sizeof(world.kinds) - len, " %s", strchr(kind, '-') + 1);
	if (json_object_object_get_ex(extra, "late", &late) && json_object_get_boolean(late))
		world.late++;
	world.records++;
	json_object_put(world.newest);
	world.newest = extra;
	return 0;
}

static const struct exception_rules *rules(void *userdata)
{
	return world.no_policy ? NULL : &world.rules;
}

static void changed(void *userdata)
{
	world.changes++;
}

static void stepped(void *userdata, const struct exception *after, const struct exception_deed *deed)
{
	CU_ASSERT_EQUAL(after->state, deed->to);
	CU_ASSERT_EQUAL(after->steps, deed->number);
	world.steps++;
}

static void warned(void *userdata, const struct exception *exception, uint32_t seconds)
{
	world.warnings++;
	world.warned_seconds = seconds;
}

static void state(void *userdata)
{
	world.states++;
}

static void read_clocks(void *userdata, struct grantclock_reading *reading)
{
	/* Never twice the same, as real ones: SQLite writes nothing where nothing is new. */
	world.wall_us++;
	world.boot_us++;
	*reading = (struct grantclock_reading){ .wall_us = world.wall_us, .boot_us = world.boot_us };
	memset(reading->boot_id, world.boot, sizeof(reading->boot_id));
}

static void start(void)
{
	static const struct exceptions_ops ops = {
		.record = record, .rules = rules, .changed = changed, .stepped = stepped, .warned = warned, .state = state
	};
	struct exceptions_setup setup = { .path = world.path, .terminal = "ZEI-014", .retry_ms = 10 };

	CU_ASSERT_TRUE_FATAL(sd_event_new(&world.event) >= 0);
	setup.event = world.event;
	setup.read_clocks = world.real_clocks ? NULL : read_clocks;
	CU_ASSERT_EQUAL_FATAL(exceptions_new(&world.exceptions, &setup, &ops, NULL), 0);
}

static void stop(void)
{
	world.exceptions = exceptions_free(world.exceptions);
	world.event = sd_event_unref(world.event);
}

/* Until the loop has nothing to do. */
static void pump(void)
{
	for (int i = 0; i < 10000 && sd_event_run(world.event, 0) > 0; i++)
		;
}

static void forget_records(void)
{
	world.kinds[0] = '\0';
	world.records = world.late = 0;
}

/* Each comparison begins anew. */
#define EXPECT_RECORDS(expected)                                                                   \
	do {                                                                                       \
		EXPECT(!strcmp(world.kinds, expected), world.kinds);                               \
		forget_records();                                                                  \
	} while (0)

static const char *member(const char *key)
{
	struct json_object *value;

	if (!world.newest || !json_object_object_get_ex(world.newest, key, &value))
		return "";
	return json_object_get_string(value);
}

static void world_begin(void)
{
	struct story story;

	memset(&world, 0, sizeof(world));
	story_begin(&story, NULL);
	world.rules = story.rules;
	world.wall_us = STORY_BEGIN * US;
	world.boot_us = 100 * US;
	world.boot = 1;
	strcpy(world.dir, access("/dev/shm", W_OK) ? "/tmp/test-exceptions-XXXXXX" : "/dev/shm/test-exceptions-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(world.dir));
	snprintf(world.path, sizeof(world.path), "%s/lib/exceptions/exceptions.db", world.dir);
	setenv("TZ", "JST-9", 1);
	start();
	pump();
}

static void world_end(void)
{
	char command[128];

	stop();
	json_object_put(world.newest);
	snprintf(command, sizeof(command), "rm -rf %s", world.dir);
	CU_ASSERT_EQUAL(system(command), 0);
}

static void advance(int64_t seconds)
{
	world.wall_us += seconds * US;
	world.boot_us += (uint64_t)(seconds * US);
	exceptions_clock_set(world.exceptions);
	pump();
}

/* --- what people do ------------------------------------------------------------------------------ */

static int submit(const char *nick, enum exception_event_kind kind, const char *with, struct exception *after)
{
	struct exception_actor actor = story_actor(nick);
	struct story story;
	int r;

	story_begin(&story, with);
	memset(story.x.grant.id, 0, sizeof(story.x.grant.id));
	r = exceptions_submit(world.exceptions, kind, &story.x.grant, story.x.period, NULL, &actor, after);
	pump();
	return r;
}

static int step(uint32_t number, const char *nick, enum exception_event_kind kind)
{
	struct exception_event event = { .kind = kind, .note = "理由" };
	struct exception_actor actor = story_actor(nick);
	struct exception after;
	int r = exceptions_step(world.exceptions, number, &event, &actor, &after);

	pump();
	return r;
}

static const char *state_of(uint32_t number)
{
	struct exception x;

	return exceptions_get(world.exceptions, number, &x) ? "" : exception_state_name(x.state);
}

/* A live one of ito's, which two have approved; its number. */
static uint32_t grant(const char *with)
{
	struct exception x;

	CU_ASSERT_EQUAL_FATAL(submit("ito", EXCEPTION_REQUEST, with, &x), 0);
	CU_ASSERT_EQUAL(step(x.number, "sato", EXCEPTION_APPROVE), 0);
	CU_ASSERT_EQUAL(step(x.number, "kato", EXCEPTION_APPROVE), 0);
	return x.number;
}

/* How many grants speak of the story's device now. */
static size_t in_force(void)
{
	const struct grantset *set = exceptions_grants(world.exceptions);
	size_t n = 0;

	if (set)
		grantset_by_fingerprint(set, PRINT, &n);
	return n;
}

/* Its disk has this size. */
static int use_disk(uint32_t number, uint64_t size)
{
	struct exception x;
	uint32_t found = 0;
	int r;

	CU_ASSERT_EQUAL_FATAL(exceptions_get(world.exceptions, number, &x), 0);
	r = exceptions_use(world.exceptions, x.grant.id, size, &found);
	pump();
	return r;
}

static int use(uint32_t number)
{
	return use_disk(number, 0);
}

#define EXPECT_STATE(number, expected) EXPECT(!strcmp(state_of(number), expected), state_of(number))

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

/* --- time ---------------------------------------------------------------------------------------- */

static void it_begins_when_it_should_warns_twice_and_ends_at_its_deadline(void)
{
	world_begin();
	/* From 09:10 on, for two hours. */
	grant("begin=10m");
	EXPECT_STATE(1, "approved");
	CU_ASSERT_EQUAL(in_force(), 0);
	CU_ASSERT_EQUAL(use(1), EXCEPTION_E_APPROVED);
	advance(10 * MINUTE - 1);
	EXPECT_STATE(1, "approved");
	advance(1);
	EXPECT_STATE(1, "live");
	CU_ASSERT_EQUAL(in_force(), 1);
	EXPECT_RECORDS(" request approve approve refused begin");
	advance(2 * HOUR - 15 * MINUTE - 1);
	CU_ASSERT_EQUAL(world.warnings, 0);
	advance(1);
	CU_ASSERT_EQUAL(world.warnings, 1);
	CU_ASSERT_EQUAL(world.warned_seconds, 15 * MINUTE);
	advance(MINUTE);
	CU_ASSERT_EQUAL(world.warnings, 1);
	/* Another daemon knows what was warned of. */
	stop();
	start();
	pump();
	CU_ASSERT_EQUAL(world.warnings, 1);
	advance(9 * MINUTE);
	CU_ASSERT_EQUAL(world.warnings, 2);
	CU_ASSERT_EQUAL(world.warned_seconds, 5 * MINUTE);
	EXPECT_RECORDS(" warned warned");
	advance(5 * MINUTE - 1);
	CU_ASSERT_EQUAL(world.warnings, 2);
	CU_ASSERT_EQUAL(in_force(), 1);
	CU_ASSERT_EQUAL(exceptions_seconds_left(world.exceptions, exceptions_find_open(world.exceptions, 1)), 1);
	advance(1);
	CU_ASSERT_EQUAL(in_force(), 0);
	EXPECT_STATE(1, "expired");
	EXPECT_RECORDS(" expire");
	world_end();
}

static void the_clock_that_people_set_neither_lengthens_nor_revives_it(void)
{
	world_begin();
	grant("");
	CU_ASSERT_EQUAL(use(1), 0);
	forget_records();
	advance(HOUR);
	world.wall_us -= DAY * US;
	advance(0);
	CU_ASSERT_STRING_EQUAL(member("what"), "back");
	CU_ASSERT_STRING_EQUAL(member("seconds_behind"), "86400");
	advance(10);
	EXPECT_RECORDS(" clock");
	CU_ASSERT_EQUAL(in_force(), 1);
	/* Asleep past its end, with a clock that is a day behind. */
	advance(HOUR - 10);
	EXPECT_STATE(1, "expired");
	/* Put right, and then set a day ahead: it ends by that, and putting it right again brings nothing back. */
	world.wall_us += DAY * US;
	advance(0);
	grant("");
	CU_ASSERT_EQUAL(in_force(), 1);
	world.wall_us += DAY * US;
	advance(0);
	EXPECT_STATE(2, "expired");
	world.wall_us -= DAY * US;
	advance(0);
	CU_ASSERT_EQUAL(in_force(), 0);
	EXPECT_RECORDS(" expire request approve approve begin expire clock");
	world_end();
}

static void reboot(int64_t wall_us)
{
	stop();
	world.boot++;
	world.boot_us = 5 * US;
	world.wall_us = wall_us;
	start();
	pump();
}

static void a_reboot_costs_time_and_a_clock_that_is_reset_ends_everything(void)
{
	world_begin();
	grant("");
	advance(HOUR);
	reboot(world.wall_us + 10 * MINUTE * US);
	CU_ASSERT_EQUAL(in_force(), 1);
	CU_ASSERT_EQUAL(exceptions_seconds_left(world.exceptions, exceptions_find_open(world.exceptions, 1)), 50 * MINUTE);
	/* Nothing was wrong with that. */
	EXPECT_RECORDS(" request approve approve begin");
	/* A clock that stood still meanwhile still has cost a minute. */
	reboot(world.wall_us);
	CU_ASSERT_EQUAL(exceptions_seconds_left(world.exceptions, exceptions_find_open(world.exceptions, 1)), 49 * MINUTE);
	reboot(0);
	CU_ASSERT_EQUAL(in_force(), 0);
	EXPECT_STATE(1, "expired");
	EXPECT_RECORDS(" clock expire");
	/* What is granted now is in force, and the clock may come right. */
	grant("");
	CU_ASSERT_EQUAL(in_force(), 1);
	CU_ASSERT_TRUE(exceptions_now(world.exceptions) > STORY_BEGIN + 70 * MINUTE);
	/* Off past the end. */
	reboot((STORY_BEGIN + 4 * HOUR) * US);
	CU_ASSERT_EQUAL(in_force(), 0);
	EXPECT_STATE(2, "expired");
	world_end();
}

static void an_extension_is_warned_of_anew_and_an_unanswered_request_lapses(void)
{
	struct exception_event event = { .kind = EXCEPTION_EXTEND, .until = STORY_BEGIN + 3 * HOUR };
	struct exception_actor ito = story_actor("ito"), sato = story_actor("sato"), kato = story_actor("kato");
	struct exception x;

	world_begin();
	grant("");
	CU_ASSERT_EQUAL(submit("ito", EXCEPTION_REQUEST, "", &x), 0);
	CU_ASSERT_EQUAL(exceptions_counts(world.exceptions).waiting, 1);
	CU_ASSERT_EQUAL(exceptions_counts(world.exceptions).live, 1);
	advance(110 * MINUTE);
	CU_ASSERT_EQUAL(world.warned_seconds, 10 * MINUTE);
	CU_ASSERT_EQUAL(exceptions_step(world.exceptions, 1, &event, &ito, &x), 0);
	event.kind = EXCEPTION_APPROVE;
	CU_ASSERT_EQUAL(exceptions_step(world.exceptions, 1, &event, &sato, &x), 0);
	CU_ASSERT_EQUAL(exceptions_step(world.exceptions, 1, &event, &kato, &x), 0);
	CU_ASSERT_EQUAL(x.grant.not_after, STORY_BEGIN + 3 * HOUR);
	advance(10 * MINUTE);
	CU_ASSERT_EQUAL(world.warnings, 1);
	CU_ASSERT_EQUAL(in_force(), 1);
	advance(45 * MINUTE);
	CU_ASSERT_EQUAL(world.warnings, 2);
	CU_ASSERT_EQUAL(world.warned_seconds, 15 * MINUTE);
	advance(DAY - 165 * MINUTE - 1);
	EXPECT_STATE(2, "requested");
	EXPECT_STATE(1, "expired");
	advance(1);
	EXPECT_STATE(2, "lapsed");
	CU_ASSERT_PTR_NULL(exceptions_find_open(world.exceptions, 2));
	/* It was never used, so it owes nothing, and is closed a day later with whatever comes next. */
	advance(DAY - 2);
	EXPECT_STATE(1, "expired");
	advance(1);
	EXPECT_STATE(1, "closed");
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

/* --- the real clocks, and many ------------------------------------------------------------------- */

static double seconds(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void the_loop_wakes_at_the_end_and_at_nothing_else(void)
{
	struct exception x;
	double late;

	world_begin();
	stop();
	world.real_clocks = true;
	start();
	pump();
	CU_ASSERT_EQUAL(submit("ito", EXCEPTION_REQUEST, "", NULL), 0);
	/* Somebody waits for an answer; nothing is to be done until it lapses. */
	CU_ASSERT_EQUAL(sd_event_run(world.event, 300000), 0);
	CU_ASSERT_EQUAL(submit("boss", EXCEPTION_EMERGENCY, "period=1", &x), 0);
	/* Once for the end, once to tell of it. Nobody asks what is in force meanwhile: on a busy machine that may be after the end. */
	CU_ASSERT_TRUE(sd_event_run(world.event, TESTING_PATIENCE_S * 1000000ULL) > 0);
	late = seconds(CLOCK_REALTIME) - (double)x.grant.not_after;
	/* No later than a busy machine lets it be. */
	EXPECT(late >= 0 && late < 20, "late");
	EXPECT_STATE(2, "expired");
	pump();
	CU_ASSERT_EQUAL(in_force(), 0);
	CU_ASSERT_EQUAL(sd_event_run(world.event, 300000), 0);
	world_end();
}

/* --- many of them, without waiting for each: rows like the first one, with digests of their own --- */

static void id_of(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	uint8_t id[16] = { 0xee };
	int number = sqlite3_value_int(argv[0]);

	memcpy(id + 4, &number, sizeof(number));
	sqlite3_result_blob(context, id, sizeof(id), SQLITE_TRANSIENT);
}

/* sum_of(number, step): of the exception, or of its first step. */
static void sum_of(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct exceptionstore_row row = *(const struct exceptionstore_row *)sqlite3_user_data(context);
	uint8_t nothing[EXCEPTIONSTORE_SUM_SIZE] = { 0 }, sum[EXCEPTIONSTORE_SUM_SIZE], next[EXCEPTIONSTORE_SUM_SIZE];
	int number = sqlite3_value_int(argv[0]);

	row.x.number = (uint32_t)number;
	memset(row.x.grant.id, 0, sizeof(row.x.grant.id));
	row.x.grant.id[0] = 0xee;
	memcpy(row.x.grant.id + 4, &number, sizeof(number));
	exceptionstore_sum(&exceptionstore_exceptions, &row, nothing, sum);
	exceptionstore_sum(&exceptionstore_steps, &row, sum, next);
	sqlite3_result_blob(context, sqlite3_value_int(argv[1]) ? next : sum, sizeof(sum), SQLITE_TRANSIENT);
}

/* "INSERT … SELECT n, …": `first` stands in the place of the first columns, of which there are so many. */
static int multiply(struct exceptionstore *store, const struct table *table, const char *first, size_t n_first,
		    unsigned int n, int step)
{
	char *sql = sqlite3_mprintf("WITH RECURSIVE c(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM c WHERE n < %u)"
				    " INSERT INTO %s SELECT %s",
				    n, table->name, first);
	int r;

	for (size_t i = n_first; i < table->n; i++)
		sql = sqlite3_mprintf("%z, t.%s", sql, table->columns[i].name);
	sql = sqlite3_mprintf("%z, sum_of(c.n, %d) FROM c, %s t WHERE t.%s = 1 ORDER BY c.n", sql, step, table->name,
			      table->columns[0].name);
	r = exceptionstore_run(store, sql);
	sqlite3_free(sql);
	return r;
}

static void fill(unsigned int n)
{
	struct exceptionstore *store = NULL;
	struct exception_actor ito = story_actor("ito");
	struct exceptionstore_row row = { .wish_seconds = 0 };
	struct exceptionstore_act act = { .actor = &ito };
	struct story story;

	story_begin(&story, "");
	act.event = &story.event;
	act.world = &story.world;
	CU_ASSERT_EQUAL_FATAL(exceptionstore_open(world.path, &store), 0);
	CU_ASSERT_EQUAL_FATAL(exceptionstore_submit(store, &story.x, &act, &row.deed), 0);
	CU_ASSERT_EQUAL(exceptionstore_told(store, 1, 1), 0);
	row.x = story.x;
	sqlite3_create_function(store->db, "id_of", 1, SQLITE_UTF8, NULL, id_of, NULL, NULL);
	sqlite3_create_function(store->db, "sum_of", 2, SQLITE_UTF8, &row, sum_of, NULL, NULL);
	CU_ASSERT_EQUAL_FATAL(multiply(store, &exceptionstore_exceptions, "c.n, id_of(c.n)", 2, n, 0), 0);
	CU_ASSERT_EQUAL_FATAL(multiply(store, &exceptionstore_steps, "c.n", 1, n, 1), 0);
	exceptionstore_close(store);
}

static void thousands_are_opened_quickly_and_lapse_without_being_in_the_way(void)
{
	enum { N = 10000 };
	double begin;
	size_t n;

	world_begin();
	stop();
	fill(N);
	world.rules.waiting = world.rules.daily = 2 * N;
	begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
	start();
	pump();
	begin = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
	printf(" (%d: opened in %.0f ms)", N, begin * 1e3);
	CU_ASSERT_TRUE(begin < 3);
	CU_ASSERT_EQUAL(exceptions_counts(world.exceptions).waiting, N);
	grant("");
	CU_ASSERT_EQUAL(in_force(), 1);
	forget_records();
	/* All of them are overdue, and so is the end of the one that is in force: that comes first. */
	world.wall_us += DAY * US;
	world.boot_us += DAY * US;
	exceptions_clock_set(world.exceptions);
	CU_ASSERT_EQUAL(strncmp(world.kinds, " expire lapse ", 14), 0);
	exceptions_open(world.exceptions, &n);
	CU_ASSERT_TRUE(n > N - 100);
	for (int i = 0; i < 50; i++)
		CU_ASSERT_TRUE(sd_event_run(world.event, 0) > 0);
	CU_ASSERT_TRUE(exceptions_counts(world.exceptions).waiting < N - 300);
	CU_ASSERT_EQUAL(in_force(), 0);
	world_end();
}

static const struct test tests[] = {
	TEST(two_approvals_put_it_in_force_and_each_step_is_recorded),
	TEST(it_begins_when_it_should_warns_twice_and_ends_at_its_deadline),
	TEST(the_clock_that_people_set_neither_lengthens_nor_revives_it),
	TEST(a_reboot_costs_time_and_a_clock_that_is_reset_ends_everything),
	TEST(an_extension_is_warned_of_anew_and_an_unanswered_request_lapses),
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
	TEST(the_loop_wakes_at_the_end_and_at_nothing_else),
	TEST(thousands_are_opened_quickly_and_lapse_without_being_in_the_way),
};

int main(void)
{
	return testing_run("exceptions", tests, ARRAY_SIZE(tests));
}
