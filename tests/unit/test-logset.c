// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "log/logset.h"
#include "testing.h"

static char dir[] = "/tmp/test-logset-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[2][256];
	static unsigned int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static void file_write(const char *name, const char *mode, const void *data, size_t len)
{
	FILE *f = fopen(path_of(name), mode);

	CU_ASSERT_FATAL(f != NULL);
	CU_ASSERT(fwrite(data, 1, len, f) == len);
	CU_ASSERT(!fclose(f));
}

static void text_write(const char *name, const char *text)
{
	file_write(name, "w", text, strlen(text));
}

static size_t pack(char **out, const char *text, size_t len)
{
	size_t n = ZSTD_compressBound(len);

	*out = malloc(n);
	n = ZSTD_compress(*out, n, text, len, 3);
	CU_ASSERT_FATAL(!ZSTD_isError(n));
	return n;
}

static void packed_write(const char *name, const char *text, size_t cut)
{
	char *packed;
	size_t n = pack(&packed, text, strlen(text));

	file_write(name, "w", packed, n - cut);
	free(packed);
}

static void clear(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s/*", dir);
	if (system(command))
		abort();
}

static struct logset *set_of(const char *path, int64_t since_us)
{
	char *paths[] = {(char *)path};
	struct logset *set = NULL;
	const char *which;

	CU_ASSERT_EQUAL_FATAL(logset_open(&set, paths, 1, since_us, &which), 0);
	return set;
}

/* All lines, each followed by '|', errors as "!ERRNO|". */
static void expect(struct logset *set, const char *want)
{
	struct logset_line line;
	char got[4096] = "";
	int r;

	while ((r = logset_next(set, &line))) {
		size_t n = strlen(got);

		if (r < 0)
			snprintf(got + n, sizeof(got) - n, "!%d|", -r);
		else
			snprintf(got + n, sizeof(got) - n, "%s%.*s%s|", line.first ? "^" : "", (int)line.len, line.text,
				 line.cut ? "~" : "");
	}
	EXPECT(!strcmp(got, want), want);
	if (strcmp(got, want))
		printf("    got %s\n", got);
}

static void expect_path(const char *path, int64_t since_us, const char *want)
{
	struct logset *set = set_of(path, since_us);

	expect(set, want);
	logset_close(set);
}

static void files_come_in_the_order_of_their_numbers(void)
{
	clear();
	text_write("events.jsonl", "f\n");
	text_write("events-20261001T000000Z-000000000100.jsonl", "c\nd\n");
	packed_write("events-20260901T000000Z-000000000001.jsonl.zst", "a\nb\n", 0);
	/* The clock had been set back. */
	text_write("events-20260801T000000Z-000000000200.jsonl", "e\n");
	text_write("events-20260801T000000Z-000000000200.jsonl.tmp", "no\n");
	text_write("events-20261301T000000Z-000000000300.jsonl", "no\n");
	text_write("other.jsonl", "no\n");
	expect_path(dir, 0, "^a|b|^c|d|^e|^f|");
}

static void a_file_that_is_being_compressed_is_read_once(void)
{
	clear();
	text_write("events-20261001T000000Z-000000000001.jsonl", "a\n");
	packed_write("events-20261001T000000Z-000000000001.jsonl.zst", "a\n", 3);
	expect_path(dir, 0, "^a|");
}

static void a_file_compressed_after_it_was_listed_is_found(void)
{
	struct logset *set;

	clear();
	text_write("events-20261001T000000Z-000000000001.jsonl", "a\n");
	set = set_of(dir, 0);
	unlink(path_of("events-20261001T000000Z-000000000001.jsonl"));
	packed_write("events-20261001T000000Z-000000000001.jsonl.zst", "a\n", 0);
	expect(set, "^a|");
	logset_close(set);
}

static void record_write(const char *name, unsigned int seq, const char *time)
{
	char text[256];

	snprintf(text, sizeof(text), "{\"seq\":%u,\"time\":\"%s.000000Z\"}\n", seq, time);
	text_write(name, text);
}

/* Numbers of the first records that come, with "!" where the file's name is another's. */
static void expect_numbers(int64_t since_us, const char *want)
{
	struct logset *set = set_of(dir, since_us);
	struct logset_line line;
	char got[256] = "";

	while (logset_next(set, &line) > 0)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%.1s%s ", line.text + strlen("{\"seq\":"),
			 line.misnamed ? "!" : "");
	EXPECT(!strcmp(got, want), want);
	logset_close(set);
}

static void files_that_end_long_before_are_skipped(void)
{
	static const struct {
		const char *since, *want;
		int64_t us;
	} rows[] = {
		{"nothing", "1 2 3 ", 0},
		{"within the first", "1 2 3 ", INT64_C(1788300000000000)},	  /* 2026-09-02 */
		{"an hour after the second began", "1 2 3 ", INT64_C(1790816400000000)},
		{"days after it", "2 3 ", INT64_C(1791100800000000)},		 /* 2026-10-04 */
	};

	clear();
	record_write("events-20260901T000000Z-000000000001.jsonl", 1, "2026-09-01T00:00:00");
	record_write("events-20261001T000000Z-000000000002.jsonl", 2, "2026-10-01T00:00:00");
	record_write("events.jsonl", 3, "2026-11-01T00:00:00");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_numbers(rows[i].us, rows[i].want);
}

/* Nobody may hide records by the name of a file, and no dead battery by a wrong year. */
static void no_file_is_skipped_where_times_contradict_each_other(void)
{
	static const int64_t november = INT64_C(1793836800000000); /* 2026-11-05 */

	clear();
	record_write("events-20261001T000000Z-000000000001.jsonl", 1, "2026-10-01T00:00:00");
	record_write("events-20000101T000000Z-000000000002.jsonl", 2, "2000-01-01T00:00:00");
	record_write("events-20261103T000000Z-000000000003.jsonl", 3, "2026-11-03T00:00:00");
	record_write("events.jsonl", 4, "2026-11-06T00:00:00");
	expect_numbers(november, "1 2 3 4 ");

	/* The clock has no time again, in the newest file. */
	clear();
	record_write("events-20260801T000000Z-000000000001.jsonl", 1, "2026-08-01T00:00:00");
	record_write("events-20260901T000000Z-000000000002.jsonl", 2, "2026-09-01T00:00:00");
	record_write("events.jsonl", 3, "2000-01-01T00:00:00");
	expect_numbers(november, "1 2 3 ");

	/* Renamed: what the first record says counts, and the name is told. */
	clear();
	record_write("events-20261001T000000Z-000000000001.jsonl", 1, "2026-10-01T00:00:00");
	record_write("events-20261101T000000Z-000000000002.jsonl", 2, "2026-11-06T00:00:00");
	record_write("events.jsonl", 3, "2026-11-07T00:00:00");
	expect_numbers(november, "1 2! 3 ");
	clear();
	record_write("events-20261001T000000Z-000000000001.jsonl", 1, "2026-10-01T00:00:00");
	record_write("events-20261106T000000Z-000000000007.jsonl", 2, "2026-11-06T00:00:00");
	record_write("events.jsonl", 3, "2026-11-07T00:00:00");
	expect_numbers(november, "1 2! 3 ");

	/* What cannot be dated. */
	clear();
	record_write("events-20260801T000000Z-000000000001.jsonl", 1, "2026-08-01T00:00:00");
	record_write("events-20260901T000000Z-000000000002.jsonl", 2, "2026-09-01T00:00:00");
	text_write("events.jsonl", "");
	expect_numbers(november, "1 2 ");
}

static void skipped_files_are_handed_out_marked_to_those_who_want_all(void)
{
	struct logset *set;
	struct logset_line line;

	clear();
	record_write("events-20260901T000000Z-000000000001.jsonl", 1, "2026-09-01T00:00:00");
	record_write("events-20261001T000000Z-000000000002.jsonl", 2, "2026-10-01T00:00:00");
	record_write("events.jsonl", 3, "2026-11-01T00:00:00");
	set = set_of(dir, INT64_C(1793836800000000));
	logset_give_early(set);
	CU_ASSERT_EQUAL_FATAL(logset_next(set, &line), 1);
	CU_ASSERT(line.early && line.first);
	CU_ASSERT_EQUAL_FATAL(logset_next(set, &line), 1);
	CU_ASSERT(!line.early);
	CU_ASSERT_EQUAL(logset_next(set, &line), 1);
	CU_ASSERT_EQUAL(logset_next(set, &line), 0);
	CU_ASSERT_EQUAL(logset_newest(set), LOGSET_NEWEST_THERE);
	logset_close(set);
}

static void the_newest_file_is_missed(void)
{
	struct logset_line line;
	struct logset *set;

	clear();
	record_write("events-20260901T000000Z-000000000001.jsonl", 1, "2026-09-01T00:00:00");
	set = set_of(dir, 0);
	while (logset_next(set, &line) > 0)
		;
	CU_ASSERT_EQUAL(logset_newest(set), LOGSET_NEWEST_MISSING);
	logset_close(set);
	text_write("events.jsonl", "");
	set = set_of(dir, 0);
	while (logset_next(set, &line) > 0)
		;
	CU_ASSERT_EQUAL(logset_newest(set), LOGSET_NEWEST_EMPTIED);
	logset_close(set);
}

static void odd_ends_are_told(void)
{
	clear();
	text_write("a", "one\n\ntwo");
	expect_path(path_of("a"), 0, "^one||two~|");
	text_write("empty", "");
	expect_path(path_of("empty"), 0, "");
	file_write("nul", "w", "x\0y\n", 4);
	expect_path(path_of("nul"), 0, "^x|");
	text_write("magic", "\x28\xb5");
	expect_path(path_of("magic"), 0, "^\x28\xb5~|");
}

static void a_damaged_compressed_file_is_an_error_and_the_next_one_is_read(void)
{
	char *packed;
	size_t n;

	clear();
	packed_write("events-20260901T000000Z-000000000001.jsonl.zst", "a\nb\n", 1);
	text_write("events.jsonl", "c\n");
	expect_path(dir, 0, "^a|!74|^c|");

	n = pack(&packed, "some text\n", 10);
	packed[6] ^= 0x40;
	file_write("bits", "w", packed, n);
	free(packed);
	expect_path(path_of("bits"), 0, "!74|");
	/* Two frames, one behind the other, are one text; rubbish behind is none. */
	packed_write("two", "a\n", 0);
	n = pack(&packed, "b\n", 2);
	file_write("two", "a", packed, n);
	free(packed);
	expect_path(path_of("two"), 0, "^a|b|");
	file_write("two", "a", "rubbish", 7);
	expect_path(path_of("two"), 0, "^a|b|!74|");
}

/* Lines around every limit, plain and compressed: number, length, mark. */
static void long_lines_are_given_in_part(void)
{
	static const size_t lens[] = {0, 1, LOGSET_LINE_MAX - 1, LOGSET_LINE_MAX, LOGSET_LINE_MAX + 1, 5000000, 7};
	size_t total = 0, at = 0, n;
	char *text, *packed;

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++)
		total += lens[i] + 1;
	text = malloc(total);
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		memset(text + at, 'a' + (int)i, lens[i]);
		at += lens[i];
		text[at++] = '\n';
	}
	clear();
	file_write("plain", "w", text, total);
	n = pack(&packed, text, total);
	file_write("packed", "w", packed, n);
	for (unsigned int turn = 0; turn < 2; turn++) {
		struct logset *set = set_of(path_of(turn ? "packed" : "plain"), 0);
		struct logset_line line;

		for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
			bool too_long = lens[i] > LOGSET_LINE_MAX;

			CU_ASSERT_EQUAL_FATAL(logset_next(set, &line), 1);
			CU_ASSERT_EQUAL(line.number, i + 1);
			CU_ASSERT_EQUAL(line.len, too_long ? LOGSET_LINE_MAX : lens[i]);
			CU_ASSERT_EQUAL(line.too_long, too_long);
			CU_ASSERT(!line.len || (line.text[0] == 'a' + (int)i && line.text[line.len - 1] == 'a' + (int)i));
		}
		CU_ASSERT_EQUAL(logset_next(set, &line), 0);
		CU_ASSERT_EQUAL(logset_bytes_read(set), logset_bytes_total(set));
		logset_close(set);
	}
	free(packed);
	free(text);
}

static void following_goes_on_over_rotation(void)
{
	struct logset *set;

	clear();
	text_write("events.jsonl", "{\"seq\":1,\n{\"seq\":2,");
	set = set_of(dir, 0);
	logset_follow(set);
	expect(set, "^{\"seq\":1,|");
	expect(set, "");
	file_write("events.jsonl", "a", "}\n", 2);
	expect(set, "{\"seq\":2,}|");
	file_write("events.jsonl", "a", "{\"seq\":3}\n", 10);
	/* Twice rotated, and the first already compressed, before we look again. */
	unlink(path_of("events.jsonl"));
	packed_write("events-20260901T000000Z-000000000001.jsonl.zst", "{\"seq\":1,\n{\"seq\":2,}\n{\"seq\":3}\n", 0);
	text_write("events-20260901T000001Z-000000000004.jsonl", "{\"seq\":4}\n");
	text_write("events.jsonl", "{\"seq\":5}\n");
	expect(set, "{\"seq\":3}|^{\"seq\":4}|^{\"seq\":5}|");
	file_write("events.jsonl", "a", "{\"seq\":6}\n", 10);
	expect(set, "{\"seq\":6}|");
	/* Gone, and another in its place. */
	unlink(path_of("events.jsonl"));
	expect(set, "");
	text_write("events.jsonl", "{\"seq\":7}\n");
	expect(set, "^{\"seq\":7}|");
	logset_close(set);
}

static void what_cannot_be_opened_is_named(void)
{
	char *paths[] = {(char *)dir, (char *)"/nonexistent/log"};
	struct logset *set = NULL;
	const char *which;

	clear();
	CU_ASSERT_EQUAL(logset_open(&set, paths, 1, 0, &which), -ENOENT);
	CU_ASSERT_STRING_EQUAL(which, dir);
	text_write("events.jsonl", "a\n");
	CU_ASSERT_EQUAL(logset_open(&set, paths, 2, 0, &which), -ENOENT);
	CU_ASSERT_STRING_EQUAL(which, "/nonexistent/log");
	CU_ASSERT_PTR_NULL(set);
}

static const struct test tests[] = {
	TEST(files_come_in_the_order_of_their_numbers),
	TEST(a_file_that_is_being_compressed_is_read_once),
	TEST(a_file_compressed_after_it_was_listed_is_found),
	TEST(files_that_end_long_before_are_skipped),
	TEST(no_file_is_skipped_where_times_contradict_each_other),
	TEST(skipped_files_are_handed_out_marked_to_those_who_want_all),
	TEST(the_newest_file_is_missed),
	TEST(odd_ends_are_told),
	TEST(a_damaged_compressed_file_is_an_error_and_the_next_one_is_read),
	TEST(long_lines_are_given_in_part),
	TEST(following_goes_on_over_rotation),
	TEST(what_cannot_be_opened_is_named),
};

int main(void)
{
	int r;

	if (!mkdtemp(dir))
		return 1;
	r = testing_run("logset", tests, ARRAY_SIZE(tests));
	clear();
	rmdir(dir);
	return r;
}
