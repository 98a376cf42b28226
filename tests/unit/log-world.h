/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A log store in a directory of its own, written as the daemon does, for tests. */
#pragma once

#include <fcntl.h>
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "log-reader.h"
#include "system/logstate.h"
#include "system/logstore.h"
#include "testing.h"

static struct {
	char dir[64], keys[96], log[96];
	uint8_t desk_public[32], desk_secret[32];
	struct logstore *store;
	char kinds[1024]; /* of what the log said by itself since the last start */
} world;

static int64_t now = INT64_C(1800000000000000);

static _unused_ void world_begin(void)
{
	/* In memory where that is possible: thousands of syncs. */
	strcpy(world.dir, access("/dev/shm", W_OK) ? "/tmp/test-logstore-XXXXXX" : "/dev/shm/test-logstore-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(world.dir));
	snprintf(world.keys, sizeof(world.keys), "%s/keys", world.dir);
	snprintf(world.log, sizeof(world.log), "%s/log", world.dir);
	mkdir(world.log, 0750);
	crypto_box_keypair(world.desk_public, world.desk_secret);
}

static _unused_ const char *log_path(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/events.jsonl", world.log);
	return path;
}

static _unused_ void stop(void)
{
	if (world.store) {
		CU_ASSERT_EQUAL(logstore_commit(world.store), 0);
		CU_ASSERT_EQUAL(logstore_save(world.store), 0);
	}
	world.store = logstore_free(world.store);
}

static _unused_ void crash(void)
{
	world.store = logstore_free(world.store);
}

static _unused_ void world_end(void)
{
	char command[128];

	crash();
	snprintf(command, sizeof(command), "rm -rf %s", world.dir);
	CU_ASSERT_EQUAL(system(command), 0);
}

static _unused_ void start(void)
{
	CU_ASSERT_EQUAL_FATAL(logstore_new(&world.store, log_path(), world.keys, world.desk_public), 0);
	world.kinds[0] = '\0';
}

static _unused_ int put(const char *kind, struct json_object *members)
{
	struct json_object *record = json_object_new_object();
	char line[LOGSTORE_LINE_MAX], time[64];
	uint8_t hash[CHAIN_HASH_LEN];
	time_t seconds = (time_t)(++now / 1000000);
	const char *text;
	struct tm tm;
	int r;

	strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
	sprintf(time + strlen(time), ".%06dZ", (int)(now % 1000000));
	json_object_object_add(record, "seq", json_object_new_uint64(logstore_next_seq(world.store)));
	json_object_object_add(record, "time", json_object_new_string(time));
	json_object_object_add(record, "boot_us", json_object_new_int(1));
	json_object_object_add(record, "kind", json_object_new_string(kind));
	json_object_object_add(record, "terminal", json_object_new_string("T-1"));
	if (members) {
		json_object_object_foreach(members, key, value)
			json_object_object_add(record, key, json_object_get(value));
		json_object_put(members);
	}
	text = json_object_to_json_string_ext(record, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	strcpy(line, text);
	r = logstore_append(world.store, now, line, strlen(line), hash);
	json_object_put(record);
	return r;
}

/* What is due, as the daemon writes it. */
static _unused_ int make_ready(void)
{
	struct json_object *members;
	const char *kind;
	int r;

	while ((r = logstore_ready(world.store, &kind, &members)) == LOGSTORE_E_DUE) {
		struct json_object *why;

		strcat(world.kinds, kind);
		if (json_object_object_get_ex(members, "why", &why))
			sprintf(world.kinds + strlen(world.kinds), ":%s", json_object_get_string(why));
		strcat(world.kinds, " ");
		r = put(kind, members);
		if (!r)
			r = logstore_commit(world.store);
		if (r)
			return r;
	}
	return r;
}

static _unused_ int write_one(const char *kind)
{
	int r = make_ready();

	return r ? r : put(kind, NULL);
}

static _unused_ void write_some(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		CU_ASSERT_EQUAL(write_one("held"), 0);
	CU_ASSERT_EQUAL(logstore_commit(world.store), 0);
}

static _unused_ void checkpoint(void)
{
	struct json_object *members = json_object_new_object();

	CU_ASSERT_EQUAL(make_ready(), 0);
	CU_ASSERT_TRUE(logstore_add_checkpoint(world.store, members));
	CU_ASSERT_EQUAL(put("checkpoint", members), 0);
	CU_ASSERT_EQUAL(logstore_commit(world.store), 0);
}

/* Everything is verified with the first key, unsealed as the desk does. */
static _unused_ const char *verify(void)
{
	return reader_verify(world.log, world.desk_public, world.desk_secret);
}

static _unused_ void expect_clean(const char *row)
{
	const char *findings = verify();

	if (*findings)
		fprintf(stderr, "%s: %s\n", row, findings);
	EXPECT(!*findings, row);
}
