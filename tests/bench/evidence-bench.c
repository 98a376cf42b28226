// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * evidence-bench DIR RECORDS GROUP: appends records of the usual size to a new log in DIR by the code that the daemon uses, and
 * commits each GROUP of them. Prints records per second, and the median and the 99th percentile of what one group took from
 * its first append until it was durable, in microseconds.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "system/logstore.h"

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static _Noreturn void die(const char *what, int r)
{
	fprintf(stderr, "evidence-bench: %s: %s\n", what, strerror(-r));
	exit(1);
}

static void write_record(struct logstore *store, const char *kind, const char *members)
{
	char line[LOGSTORE_LINE_MAX], stamp[40];
	int64_t now = clock_us(CLOCK_REALTIME);
	uint8_t hash[CHAIN_HASH_LEN];
	time_t seconds = (time_t)(now / 1000000);
	struct tm tm;
	int len, r;

	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
	len = snprintf(line, sizeof(line),
		       "{\"seq\":%" PRIu64 ",\"time\":\"%s.%06dZ\",\"boot_us\":%" PRId64
		       ",\"kind\":\"%s\",\"terminal\":\"mado-03\"%s%s}",
		       logstore_next_seq(store), stamp, (int)(now % 1000000), clock_us(CLOCK_BOOTTIME), kind,
		       *members ? "," : "", members);
	if (len < 0 || (size_t)len >= sizeof(line))
		die("record", -EMSGSIZE);
	r = logstore_append(store, now, line, (size_t)len, hash);
	if (r)
		die("append", r);
}

/* What the log itself has to say first: its header. */
static void make_ready(struct logstore *store)
{
	struct json_object *members = NULL;
	const char *kind;
	int r;

	while ((r = logstore_ready(store, &kind, &members)) == LOGSTORE_E_DUE) {
		char inner[LOGSTORE_LINE_MAX];
		const char *json = json_object_to_json_string_ext(members, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

		/* Without its braces. */
		snprintf(inner, sizeof(inner), "%.*s", (int)strlen(json) - 2, json + 1);
		write_record(store, kind, inner);
		json_object_put(members);
		r = logstore_commit(store);
		if (r)
			die("commit", r);
	}
	if (r)
		die("open", r);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static const char members[] =
		"\"device\":\"1-2\",\"bus\":1,\"devnum\":7,\"id\":\"46f4:0001\",\"serial\":\"0000000004D2\",\"manufacturer\":\"Example\","
		"\"product\":\"USB 3.0 16GB\",\"fingerprint\":\"blake2b:00000000000000000000000000000000\",\"interfaces\":\"08:06:50\","
		"\"state\":\"denied\",\"reason\":\"not-registered\",\"decided_by\":\"/etc/sekimori/policy:12\",\"verdict_us\":1234";
	char path[4096], keys[4096];
	struct logstore *store = NULL;
	int64_t *took, begin, whole;
	size_t n, group, groups;
	int r;

	if (argc != 4 || (n = strtoul(argv[2], NULL, 10)) == 0 || (group = strtoul(argv[3], NULL, 10)) == 0) {
		fputs("usage: evidence-bench DIR RECORDS GROUP\n", stderr);
		return 2;
	}
	snprintf(path, sizeof(path), "%s/events.jsonl", argv[1]);
	snprintf(keys, sizeof(keys), "%s/keys", argv[1]);
	groups = (n + group - 1) / group;
	took = calloc(groups, sizeof(*took));
	if (!took || sodium_init() < 0)
		die("begin", -ENOMEM);
	r = logstore_new(&store, path, keys, NULL);
	if (r)
		die(path, r);
	make_ready(store);

	whole = clock_us(CLOCK_MONOTONIC);
	for (size_t g = 0; g < groups; g++) {
		begin = clock_us(CLOCK_MONOTONIC);
		for (size_t i = 0; i < group; i++) {
			make_ready(store);
			write_record(store, "denied", members);
		}
		r = logstore_commit(store);
		if (r)
			die("commit", r);
		took[g] = clock_us(CLOCK_MONOTONIC) - begin;
		/* Off the verdict's path, but not free. */
		r = logstore_save(store);
		if (r)
			die("save", r);
	}
	whole = clock_us(CLOCK_MONOTONIC) - whole;
	qsort(took, groups, sizeof(*took), compare);
	printf("%.0f %" PRId64 " %" PRId64 "\n", (double)(groups * group) * 1e6 / (double)whole, took[groups / 2], took[groups * 99 / 100]);
	logstore_free(store);
	free(took);
	return 0;
}
