/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A terminal without a network, for the tests of telephone codes and grant files: a directory, a store of exceptions in it, and a clock
 * that the test moves. `restart` is what a killed daemon's successor does.
 */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/macro.h"
#include "daemon/exceptions.h"
#include "testing.h"

#define TERMINAL "ZEI-014"
/* 2026-11-21T08:46:23Z */
#define BEGIN INT64_C(1795250783)

struct offline {
	char dir[64];
	int64_t now;
	int64_t back; /* seconds that the wall clock was put back */
	int64_t booted; /* 1000 s after the start of the boot clock */
	uint8_t boot;
	sd_event *event;
	struct exceptions *exceptions;
	struct exception_rules rules;
	bool no_policy;
	bool kill_at_rules;   /* this process ends when the engine next asks for the policy: nothing is stored yet */
	unsigned int records; /* of the kind below */
	char kind[64];	      /* of the last record, and its text */
	char record[4096];
	int record_error;
};

static inline char *offline_path(const struct offline *o, const char *name)
{
	static char paths[4][128];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, 128, "%s/%s", o->dir, name);
	return path;
}

static inline int offline_record(void *userdata, const char *kind, struct json_object *extra)
{
	struct offline *o = userdata;

	snprintf(o->kind, sizeof(o->kind), "%s", kind);
	snprintf(o->record, sizeof(o->record), "%s", json_object_to_json_string_ext(extra, JSON_C_TO_STRING_PLAIN));
	o->records++;
	json_object_put(extra);
	return o->record_error;
}

static inline int offline_engine_record(void *userdata, const char *kind, struct json_object *extra)
{
	json_object_put(extra);
	return 0;
}

static inline const struct exception_rules *offline_rules(void *userdata)
{
	struct offline *o = userdata;

	if (o->kill_at_rules)
		raise(SIGKILL);
	return o->no_policy ? NULL : &o->rules;
}

static inline void offline_changed(void *userdata)
{
}

static inline void offline_stepped(void *userdata, const struct exception *after, const struct exception_deed *deed)
{
}

static inline void offline_warned(void *userdata, const struct exception *exception, uint32_t seconds)
{
}

static inline void offline_clocks(void *userdata, struct grantclock_reading *reading)
{
	struct offline *o = userdata;

	*reading = (struct grantclock_reading){ .wall_us = (o->now - o->back) * 1000000,
						.boot_us = (uint64_t)(o->now - o->booted + 1000) * 1000000,
						.boot_id = { o->boot } };
}

/* Whatever is wrong with the store. */
static inline void offline_open(struct offline *o)
{
	static const struct exceptions_ops ops = { .record = offline_engine_record,
						   .rules = offline_rules,
						   .changed = offline_changed,
						   .stepped = offline_stepped,
						   .warned = offline_warned,
						   .state = offline_changed };
	char path[128];
	const struct exceptions_setup setup = { .event = o->event,
						.path = path,
						.terminal = TERMINAL,
						.read_clocks = offline_clocks };

	snprintf(path, sizeof(path), "%s", offline_path(o, "state/exceptions.db"));
	CU_ASSERT_EQUAL_FATAL(exceptions_new(&o->exceptions, &setup, &ops, o), 0);
	CU_ASSERT_EQUAL_FATAL(exceptions_begin(o->exceptions), 0);
}

static inline void offline_start(struct offline *o)
{
	offline_open(o);
	CU_ASSERT_STRING_EQUAL_FATAL(exceptions_state(o->exceptions), "ok");
}

static inline void offline_stop(struct offline *o)
{
	o->exceptions = exceptions_free(o->exceptions);
}

/* Is the store a file that cannot be read? The good one is beside it. Between offline_stop() and offline_open(). */
static inline void offline_damage(struct offline *o, bool damaged)
{
	const char *store = offline_path(o, "state/exceptions.db"), *aside = offline_path(o, "good.db");
	int fd;

	CU_ASSERT_FATAL(!rename(damaged ? store : aside, damaged ? aside : store));
	if (!damaged)
		return;
	fd = open(store, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CU_ASSERT_FATAL(fd >= 0 && write(fd, "no SQLite", 9) == 9);
	close(fd);
}

/* Between offline_stop() and offline_start(). */
static inline void offline_reboot(struct offline *o)
{
	o->booted = o->now;
	o->boot++;
}

static inline void offline_init(struct offline *o)
{
	*o = (struct offline){ .dir = "/tmp/offline-XXXXXX",
			       .now = BEGIN,
			       .booted = BEGIN,
			       .boot = 1,
			       .rules = { .approvers = 2,
					  .period_seconds = 86400,
					  .lapse_seconds = 86400,
					  .waiting = 5,
					  .daily = 20 } };
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(o->dir));
	CU_ASSERT_FATAL(sd_event_new(&o->event) >= 0);
	offline_start(o);
}

static inline void offline_deinit(struct offline *o)
{
	const char *const command[] = { "rm", "-rf", o->dir, NULL };
	pid_t pid;

	offline_stop(o);
	sd_event_unref(o->event);
	pid = fork();
	if (!pid) {
		execvp("rm", (char *const *)command);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static inline void offline_write(const struct offline *o, const char *name, const char *text, mode_t mode)
{
	int fd = open(offline_path(o, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	CU_ASSERT_FATAL(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !fchmod(fd, mode));
	close(fd);
}

static inline struct exception_actor offline_actor(uint32_t uid, const char *name)
{
	struct exception_actor actor = { .who.uid = uid, .session = "c2", .roles = EXCEPTION_ROLE_ASK };

	snprintf(actor.who.name, sizeof(actor.who.name), "%s", name);
	return actor;
}
