// SPDX-License-Identifier: GPL-2.0-or-later
/* system/logrotate, system/logfiles: what becomes of rotated files. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "log-reader.h"
#include "system/logrotate.h"
#include "testing.h"

#define DAY INT64_C(86400000000)
#define FIRST "events-20261101T000000Z-000000000001.jsonl"
#define SECOND "events-20261102T000000Z-000000000003.jsonl"
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char dir_path[64];
static int dir;
static sd_event *event;

static void put(const char *name, const char *text, size_t len)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", dir_path, name);
	reader_write(path, text, len);
}

static void world_begin(void)
{
	strcpy(dir_path, "/tmp/test-logrotate-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir_path));
	dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CU_ASSERT_TRUE_FATAL(sd_event_new(&event) >= 0);
}

static void world_end(void)
{
	char command[128];

	close(dir);
	sd_event_unref(event);
	snprintf(command, sizeof(command), "rm -rf %s", dir_path);
	CU_ASSERT_EQUAL(system(command), 0);
}

static bool is_there(const char *name)
{
	return !faccessat(dir, name, F_OK, 0);
}

static void run_until_gone(const char *name)
{
	RUN_UNTIL(event, !is_there(name));
}

static void rotated_files_are_compressed_one_after_the_other_and_lose_no_byte(void)
{
	struct logrotate *rotate;
	size_t size = 3000000, len;
	char *text = malloc(size), *packed, *back = malloc(size + 1), path[192];
	struct stat st;

	world_begin();
	for (size_t i = 0; i < size; i++)
		text[i] = (char)(i * i % 251);
	put(FIRST, text, size);
	put(SECOND, "{}\n", 3);
	put("events.jsonl", "{}\n", 3);
	put(FIRST ".zst.new", "left by a kill", 14);
	/* Its file was compressed and has expired since. */
	put("events-20251101T000000Z-000000000001.jsonl.zst.new", "left, too", 9);
	put("events-mine.jsonl.zst.new", "another's", 9);
	CU_ASSERT_EQUAL_FATAL(logrotate_new(&rotate, event), 0);
	CU_ASSERT_EQUAL(logrotate_compress(rotate, dir, "events"), 0);
	run_until_gone(SECOND);
	CU_ASSERT_TRUE(is_there(FIRST ".zst") && is_there(SECOND ".zst") && is_there("events.jsonl"));
	CU_ASSERT_FALSE(is_there(FIRST) || is_there(SECOND) || is_there(FIRST ".zst.new"));
	CU_ASSERT_FALSE(is_there("events-20251101T000000Z-000000000001.jsonl.zst.new"));
	CU_ASSERT_TRUE(is_there("events-mine.jsonl.zst.new"));
	snprintf(path, sizeof(path), "%s/%s.zst", dir_path, FIRST);
	CU_ASSERT_TRUE(!stat(path, &st) && (st.st_mode & 0777) == 0640);
	packed = reader_file(path, &len);
	{
		ZSTD_DCtx *context = ZSTD_createDCtx();
		ZSTD_inBuffer in = { packed, len, 0 };
		ZSTD_outBuffer out = { back, size + 1, 0 };

		CU_ASSERT_EQUAL(ZSTD_decompressStream(context, &out, &in), 0);
		CU_ASSERT_TRUE(out.pos == size && !memcmp(back, text, size));
		ZSTD_freeDCtx(context);
	}
	logrotate_free(rotate);
	free(packed);
	free(back);
	free(text);
	world_end();
}

static void the_oldest_is_found_with_how_old_it_is(void)
{
	static const char second[] = "{\"seq\":3,\"time\":\"2026-11-03T00:00:00.000000Z\",\"previous\":\"" HASH
				    "\"}\n{\"seq\":4}\n";
	struct logrotate_expired old = { .name = NULL };
	struct logfiles_name name;
	int64_t begin, current;
	struct logrotate *rotate;
	char packed[512];
	size_t len;

	world_begin();
	CU_ASSERT_EQUAL_FATAL(logrotate_new(&rotate, event), 0);
	CU_ASSERT_TRUE_FATAL(logfiles_parse(&name, "events", SECOND));
	begin = name.time_us;
	current = begin + 10 * DAY;
	put(FIRST ".zst", "anything", 8);
	len = ZSTD_compress(packed, sizeof(packed), second, sizeof(second) - 1, 3);
	put(SECOND ".zst", packed, len);
	put("events.jsonl", "{\"seq\":9,\"previous\":\"x\"}\n", 25);
	CU_ASSERT_EQUAL_FATAL(logrotate_find_oldest(dir, "events", "events.jsonl", current, 9, &old), 1);
	/* As its record says: the file's name, which anybody can change, would make it a day older. */
	CU_ASSERT_EQUAL(old.newest_us, begin + DAY);
	CU_ASSERT_STRING_EQUAL(old.name, FIRST ".zst");
	CU_ASSERT_TRUE(old.first_seq == 1 && old.last_seq == 2);
	CU_ASSERT_STRING_EQUAL(old.last_hash, HASH);
	CU_ASSERT_EQUAL(logrotate_remove(rotate, dir, old.name), 0);
	free(old.name);
	/* The current file's header is no hash here: the record then has none. */
	CU_ASSERT_EQUAL_FATAL(logrotate_find_oldest(dir, "events", "events.jsonl", current, 9, &old), 1);
	CU_ASSERT_EQUAL(old.newest_us, current);
	CU_ASSERT_TRUE(old.first_seq == 3 && old.last_seq == 8);
	CU_ASSERT_STRING_EQUAL(old.last_hash, "");
	CU_ASSERT_EQUAL(logrotate_remove(rotate, dir, old.name), 0);
	free(old.name);
	CU_ASSERT_EQUAL(logrotate_find_oldest(dir, "events", "events.jsonl", current, 9, &old), 0);
	CU_ASSERT_TRUE(is_there("events.jsonl"));
	logrotate_free(rotate);
	world_end();
}

static void what_is_removed_while_it_is_compressed_does_not_come_back(void)
{
	struct logrotate *rotate;
	const size_t size = 4u << 20;
	char *text = malloc(size);

	randombytes_buf(text, size);
	world_begin();
	put(FIRST, text, size);
	put(SECOND, "{}\n", 3);
	put("events.jsonl", "{}\n", 3);
	CU_ASSERT_EQUAL_FATAL(logrotate_new(&rotate, event), 0);
	CU_ASSERT_EQUAL(logrotate_compress(rotate, dir, "events"), 0);
	CU_ASSERT_EQUAL(logrotate_remove(rotate, dir, FIRST), 0);
	CU_ASSERT_FALSE(is_there(FIRST) || is_there(FIRST ".zst"));
	CU_ASSERT_EQUAL(logrotate_compress(rotate, dir, "events"), 0);
	run_until_gone(SECOND);
	CU_ASSERT_TRUE(is_there(SECOND ".zst"));
	CU_ASSERT_FALSE(is_there(FIRST) || is_there(FIRST ".zst") || is_there(FIRST ".zst.new"));
	/* And a child that was ended before it removed the plain one has left both. */
	put(FIRST, text, size);
	put(FIRST ".zst", text, size);
	CU_ASSERT_EQUAL(logrotate_remove(rotate, dir, FIRST), 0);
	CU_ASSERT_FALSE(is_there(FIRST) || is_there(FIRST ".zst"));
	logrotate_free(rotate);
	free(text);
	world_end();
}

static void only_names_of_rotated_files_are_taken_for_such(void)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
		{ FIRST, true },
		{ FIRST ".zst", true },
		{ "events-20261101T000000Z-1234567890123456789.jsonl", true },
		{ "events.jsonl", false },
		{ "unsealed-" FIRST, false },
		{ FIRST ".zst.new", false },
		{ "events-20261101T000000Z-000000000001", false },
		{ "events-20261301T000000Z-000000000001.jsonl", false },
		{ "events-20261101T000000-000000000001.jsonl", false },
		{ "events-20261101T000000Z-00000000001.jsonl", false },
		{ "events-20261101T000000Z-99999999999999999999.jsonl", false },
		{ "events-20261101T000000Z-00000000000x.jsonl", false },
		{ "events-", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct logfiles_name parsed;

		EXPECT(logfiles_parse(&parsed, "events", rows[i].name) == rows[i].good, rows[i].name);
	}
}

static const struct test tests[] = {
	TEST(rotated_files_are_compressed_one_after_the_other_and_lose_no_byte),
	TEST(the_oldest_is_found_with_how_old_it_is),
	TEST(what_is_removed_while_it_is_compressed_does_not_come_back),
	TEST(only_names_of_rotated_files_are_taken_for_such),
};

int main(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	umask(027);
	return testing_run("log rotation", tests, ARRAY_SIZE(tests));
}
