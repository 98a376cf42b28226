/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions at work in a world of a test's own, `world`: clocks that the test moves, a log that may refuse, and a store that may break.
 * What it heard of them stands in `world` as well.
 */
#pragma once

#include <json-c/json.h>
#include <signal.h>
#include <unistd.h>

#include "daemon/exceptions.h"
#include "exception-story.h"

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

/* Until begin() the store has not been looked at. */
static void create(void)
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

static void begin(void)
{
	CU_ASSERT_EQUAL_FATAL(exceptions_begin(world.exceptions), 0);
}

static void start(void)
{
	create();
	begin();
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
