/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store of exceptions in a directory of the test's own, at `path`, and what tests do with it. */
#pragma once

#include <unistd.h>

#include "exception-story.h"
#include "system/exceptionstore.h"

static char directory[64], path[96];
static uint32_t next_id;

static void clean(void)
{
	static const char *const suffixes[] = { "",	 "-wal",     "-journal",     "-shm",
						".new", ".new-wal", ".new-journal", ".new-shm" };
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

static int store_testing_run(const char *suite_name, const struct test *tests, size_t n)
{
	int r;

	/* In memory where that is to be had: kill -9 takes nothing from a tmpfs, and ten thousand times the disk is slow. */
	strcpy(directory, "/dev/shm/exceptionstore.XXXXXX");
	if (!mkdtemp(directory)) {
		strcpy(directory, "/tmp/exceptionstore.XXXXXX");
		if (!mkdtemp(directory))
			return 1;
	}
	snprintf(path, sizeof(path), "%s/store", directory);
	r = testing_run(suite_name, tests, n);
	clean();
	rmdir(directory);
	return r;
}
