// SPDX-License-Identifier: GPL-2.0-or-later
/* core/transfer: the lines between sekimori-transfer and the daemon, and what becomes of many events. */
#include <stdio.h>
#include <string.h>

#include "core/macro.h"
#include "core/transfer.h"
#include "core/utf8.h"
#include "testing.h"

#define S 1000000ull

static struct transfer_event event_of(enum transfer_op op, const char *path)
{
	struct transfer_event event = { .op = op, .time_us = 1790000000000000, .uid = 1001, .pid = 4711 };

	strcpy(event.program, "/usr/bin/cp");
	strcpy(event.path, path);
	return event;
}

static bool same_event(const struct transfer_event *a, const struct transfer_event *b)
{
	return a->op == b->op && a->directory == b->directory && a->name_only == b->name_only &&
	       a->cut == b->cut && a->has_size == b->has_size && a->size == b->size &&
	       a->time_us == b->time_us && a->uid == b->uid && a->pid == b->pid &&
	       !strcmp(a->program, b->program) && !strcmp(a->path, b->path) && !strcmp(a->to, b->to);
}

static void names_of_any_bytes_come_back(void)
{
	char line[TRANSFER_LINE_MAX], every[256];
	struct transfer_report report = { .kind = TRANSFER_FILE }, parsed;
	size_t len;

	for (unsigned int c = 1; c < 256; c++)
		every[c - 1] = (char)c;
	every[255] = '\0';
	report.file = event_of(TRANSFER_RENAME, every);
	strcpy(report.file.to, "住民票\xff\xfe/%41\tx\n");
	report.file.directory = report.file.name_only = report.file.cut = true;
	report.file.has_size = true;
	report.file.size = UINT64_MAX;
	report.file.uid = TRANSFER_UID_UNKNOWN;
	len = transfer_format(&report, line, sizeof(line));
	CU_ASSERT_FATAL(len > 0);
	CU_ASSERT_PTR_EQUAL(memchr(line, '\n', len), line + len - 1);
	CU_ASSERT_EQUAL(transfer_parse(line, len - 1, &parsed), 0);
	CU_ASSERT_EQUAL(parsed.kind, TRANSFER_FILE);
	CU_ASSERT(same_event(&parsed.file, &report.file));
}

static void the_longest_report_fits_its_line(void)
{
	static struct transfer_report report = { .kind = TRANSFER_FILES }, parsed;
	char line[TRANSFER_LINE_MAX];
	struct transfer_summary *files = &report.files;
	size_t len;

	memset(files->first, '\n', sizeof(files->first) - 1);
	memset(files->last, '%', sizeof(files->last) - 1);
	memset(files->program, 1, sizeof(files->program) - 1);
	for (size_t i = 0; i < TRANSFER_OPS; i++)
		files->count[i] = UINT64_MAX;
	files->from_us = files->until_us = files->written = files->read = UINT64_MAX;
	files->uid = TRANSFER_UID_UNKNOWN - 1;
	len = transfer_format(&report, line, sizeof(line));
	CU_ASSERT_FATAL(len > 0);
	CU_ASSERT_EQUAL(transfer_parse(line, len - 1, &parsed), 0);
	CU_ASSERT(!memcmp(&parsed, &report, sizeof(report)));
	CU_ASSERT_EQUAL(transfer_format(&report, line, len - 1), 0);
}

#define GOOD "file\twrite\t-\t5\t1001\t7\t12\t/usr/bin/cp\ta/b\t"

static void what_no_helper_of_ours_writes_is_refused(void)
{
	static const struct {
		const char *line;
		bool good;
	} rows[] = {
		{ GOOD, true },
		{ "overflow", true },
		{ "end\t0", true },
		{ "watching\tlimited", true },
		{ "failed\tno%20room", true },
		{ "file\tread\tdnc\t5\t-\t7\t-\t\ta\t", true },
		{ "", false },
		{ "noise", false },
		{ "{\"kind\":\"allowed\"}", false },
		{ GOOD "\t", false },			       /* a field too many */
		{ "file\twrite\t-\t5\t1001\t7\t12\tcp\ta", false }, /* … and one too few */
		{ "end", false },
		{ "end\t0\t0", false },
		{ "end\t", false },
		{ "end\t00", false },
		{ "end\t-1", false },
		{ "end\t+1", false },
		{ "end\t 1", false },
		{ "end\t1x", false },
		{ "end\t18446744073709551616", false },
		{ "end\t99999999999999999999999999", false },
		{ "watching\tall", false },
		{ "file\tattrib\t-\t5\t1001\t7\t-\tchmod\ta\t", true },
		{ "file\tmove\t-\t5\t1001\t7\t12\tcp\ta\t", false },
		{ "file\twrite\tx\t5\t1001\t7\t12\tcp\ta\t", false },
		{ "file\twrite\tcd\t5\t1001\t7\t12\tcp\ta\t", false },
		{ "file\twrite\tdd\t5\t1001\t7\t12\tcp\ta\t", false },
		{ "file\twrite\t\t5\t1001\t7\t12\tcp\ta\t", false },
		{ "file\twrite\t-\t5\t4294967295\t7\t12\tcp\ta\t", false },
		{ "file\twrite\t-\t5\t1001\t2147483648\t12\tcp\ta\t", false },
		{ "failed\ta b", false },  /* a blank is escaped */
		{ "failed\ta\x1b[2J", false },
		{ "failed\ta%", false },
		{ "failed\ta%4", false },
		{ "failed\ta%0a", false }, /* capitals */
		{ "failed\ta%GG", false },
		{ "failed\ta%00b", false },
		{ "failed\ta%41", false }, /* 'A' is not escaped */
	};
	struct transfer_report report;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(transfer_parse(rows[i].line, strlen(rows[i].line), &report) ==
			       (rows[i].good ? 0 : -EINVAL),
		       rows[i].line);
	CU_ASSERT_EQUAL(transfer_parse("end\t1\0", 6, &report), -EINVAL);
}

static void text_that_is_too_long_is_refused(void)
{
	char line[TRANSFER_LINE_MAX + 64] = "failed\t";
	struct transfer_report report;

	memset(line + 7, 'a', TRANSFER_WORDS_MAX - 1);
	CU_ASSERT_EQUAL(transfer_parse(line, 7 + TRANSFER_WORDS_MAX - 1, &report), 0);
	line[7 + TRANSFER_WORDS_MAX - 1] = 'a';
	CU_ASSERT_EQUAL(transfer_parse(line, 7 + TRANSFER_WORDS_MAX, &report), -EINVAL);
	memset(line + 7, 'a', sizeof(line) - 8);
	CU_ASSERT_EQUAL(transfer_parse(line, sizeof(line) - 1, &report), -EINVAL);
}

/* Every line that one changed byte makes of a good one is refused or written back as the same line. */
static void a_changed_byte_never_means_two_things(void)
{
	static const char good[] = GOOD;
	char line[sizeof(good)], again[TRANSFER_LINE_MAX];
	unsigned int taken = 0;

	for (size_t at = 0; at < sizeof(good) - 1; at++)
		for (unsigned int c = 0; c < 256; c++) {
			struct transfer_report report;
			size_t len;

			memcpy(line, good, sizeof(good));
			line[at] = (char)c;
			if (transfer_parse(line, sizeof(good) - 1, &report))
				continue;
			taken++;
			len = transfer_format(&report, again, sizeof(again));
			EXPECT(len == sizeof(good) && !memcmp(again, line, len - 1), line);
		}
	CU_ASSERT(taken > 100);
}

static void a_long_path_keeps_its_end(void)
{
	char out[TRANSFER_PATH_MAX], path[5000] = "";

	CU_ASSERT(!transfer_set_path(out, "a/b"));
	CU_ASSERT_STRING_EQUAL(out, "a/b");
	while (strlen(path) < 4000)
		strcat(path, "税務課/");
	strcat(path, "名簿.csv");
	CU_ASSERT(transfer_set_path(out, path));
	CU_ASSERT(utf8_valid(out, strlen(out)));
	CU_ASSERT(strlen(out) > 900);
	CU_ASSERT_STRING_EQUAL(out + strlen(out) - strlen("名簿.csv"), "名簿.csv");
	/* Each byte of this is six in a record. */
	memset(path, 1, 1000);
	path[1000] = '\0';
	CU_ASSERT(transfer_set_path(out, path));
	CU_ASSERT(strlen(out) * 6 <= 4600 && strlen(out) > 700);
}

/* --- bursts --- */

struct told {
	unsigned int files, summaries, losses;
	uint64_t counted, written;
	struct transfer_summary last;
};

static void tell(void *userdata, const struct transfer_report *report)
{
	struct told *told = userdata;

	if (report->kind == TRANSFER_FILE) {
		told->files++;
		return;
	}
	if (report->kind == TRANSFER_OVERFLOW) {
		told->losses++;
		return;
	}
	CU_ASSERT_EQUAL_FATAL(report->kind, TRANSFER_FILES);
	told->summaries++;
	told->last = report->files;
	for (size_t i = 0; i < TRANSFER_OPS; i++)
		told->counted += report->files.count[i];
	told->written += report->files.written;
}

static void what_a_person_does_is_told_one_by_one(void)
{
	static struct transfer_burst burst;
	struct transfer_event event = event_of(TRANSFER_WRITE, "a");
	struct told told = { 0 };

	for (unsigned int i = 0; i < TRANSFER_PURSE_MAX; i++)
		transfer_burst_add(&burst, &event, 100 * S + i * S / 100, tell, &told);
	for (unsigned int i = 1; i <= 500; i++)
		transfer_burst_add(&burst, &event, 100 * S + i * S, tell, &told);
	CU_ASSERT_EQUAL(told.files, TRANSFER_PURSE_MAX + 500);
	CU_ASSERT_EQUAL(told.summaries, 0);
	CU_ASSERT_EQUAL(transfer_burst_due(&burst), UINT64_MAX);
}

/* An hour of as much as may be told at once, and of as many programs as are told apart: with each, two records a second are the most. */
static void nobody_fills_the_log_by_never_resting(void)
{
	static const struct {
		unsigned int per_second, programs;
	} rows[] = { { 45, 1 }, { 45, 20 }, { 3, 8 }, { 500, 20 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct transfer_burst burst = { 0 };
		unsigned int events = 3600 * rows[i].per_second;
		struct told told = { 0 };
		uint64_t now = 0;

		for (unsigned int n = 0; n < events; n++) {
			struct transfer_event event = event_of(TRANSFER_CREATE, "a");

			/* All at the beginning of a second, and a rest that looks like an end. */
			now = 100 * S + n / rows[i].per_second * S + n % rows[i].per_second;
			snprintf(event.program, sizeof(event.program), "/p%u", n % rows[i].programs);
			transfer_burst_add(&burst, &event, now, tell, &told);
		}
		transfer_burst_flush(&burst, tell, &told);
		CU_ASSERT_EQUAL(told.files + told.counted, events);
		EXPECT(told.files + told.summaries < 2 * 3600, "too many records");
	}
}

static void losses_are_told_at_once_and_then_now_and_again(void)
{
	static struct transfer_burst burst;
	struct told told = { 0 };

	transfer_burst_lost(&burst, 5, tell, &told);
	CU_ASSERT_EQUAL(told.losses, 1);
	CU_ASSERT_EQUAL(transfer_burst_due(&burst), UINT64_MAX);
	for (unsigned int i = 1; i < 1000; i++)
		transfer_burst_lost(&burst, 5 + i, tell, &told);
	CU_ASSERT_EQUAL(told.losses, 1);
	CU_ASSERT_EQUAL_FATAL(transfer_burst_due(&burst), 5 + TRANSFER_SUMMARY_US);
	transfer_burst_tick(&burst, 5 + TRANSFER_SUMMARY_US, tell, &told);
	CU_ASSERT_EQUAL(told.losses, 2);
	/* The last one is not kept back at the end. */
	transfer_burst_lost(&burst, 6 + TRANSFER_SUMMARY_US, tell, &told);
	transfer_burst_flush(&burst, tell, &told);
	transfer_burst_flush(&burst, tell, &told);
	CU_ASSERT_EQUAL(told.losses, 3);
}

static void a_burst_is_counted_to_the_last_event(void)
{
	static struct transfer_burst burst;
	struct told told = { 0 };
	char name[16];

	for (unsigned int i = 0; i < 5000; i++) {
		struct transfer_event event;

		snprintf(name, sizeof(name), "f%u", i);
		event = event_of(i % 2 ? TRANSFER_WRITE : TRANSFER_CREATE, name);
		event.has_size = i % 2;
		event.size = 10;
		transfer_burst_add(&burst, &event, 5 * S + i * 100, tell, &told);
	}
	CU_ASSERT_EQUAL(told.files, TRANSFER_PURSE_MAX);
	CU_ASSERT_EQUAL(told.summaries, 0);
	/* Nothing more comes: it is over one quiet second later, without another event. */
	CU_ASSERT_EQUAL(transfer_burst_due(&burst), 6 * S + 499900);
	transfer_burst_tick(&burst, 6 * S + 400000, tell, &told);
	CU_ASSERT_EQUAL(told.summaries, 0);
	transfer_burst_tick(&burst, 6 * S + 499900, tell, &told);
	transfer_burst_tick(&burst, 8 * S, tell, &told);
	CU_ASSERT_EQUAL(told.summaries, 1);
	CU_ASSERT_EQUAL(told.files + told.counted, 5000);
	CU_ASSERT_EQUAL(told.written, (5000 - TRANSFER_PURSE_MAX) / 2 * 10);
	CU_ASSERT_STRING_EQUAL(told.last.first, "f50");
	CU_ASSERT_STRING_EQUAL(told.last.last, "f4999");
	CU_ASSERT_EQUAL(told.last.uid, 1001);
	CU_ASSERT_STRING_EQUAL(told.last.program, "/usr/bin/cp");
	CU_ASSERT_EQUAL(transfer_burst_due(&burst), UINT64_MAX);
}

static void a_burst_that_lasts_is_told_every_ten_seconds(void)
{
	static struct transfer_burst burst;
	struct transfer_event event = event_of(TRANSFER_READ, "a");
	struct told told = { 0 };

	for (unsigned int i = 0; i < 60 * 100; i++)
		transfer_burst_add(&burst, &event, 100 * S + i * S / 100, tell, &told);
	CU_ASSERT(told.summaries >= 4 && told.summaries <= 6);
	transfer_burst_flush(&burst, tell, &told);
	CU_ASSERT_EQUAL(told.files + told.counted, 6000);
}

static void users_and_programs_are_told_apart(void)
{
	static struct transfer_burst burst;
	struct told told = { 0 };

	for (unsigned int i = 0; i < 1000; i++) {
		struct transfer_event event = event_of(TRANSFER_DELETE, "a");

		event.uid = i % 2 ? 1001 : 0;
		transfer_burst_add(&burst, &event, 5 * S + i, tell, &told);
	}
	transfer_burst_flush(&burst, tell, &told);
	CU_ASSERT_EQUAL(told.summaries, 2);
	CU_ASSERT_EQUAL(told.last.uid, 1001);
	CU_ASSERT_EQUAL(told.last.count[TRANSFER_DELETE], 475);
}

static void many_programs_do_not_flood_the_log(void)
{
	static struct transfer_burst burst;
	struct told told = { 0 };

	for (unsigned int i = 0; i < 1000; i++) {
		struct transfer_event event = event_of(TRANSFER_DELETE, "a");

		event.uid = 1000 + i % 100;
		snprintf(event.program, sizeof(event.program), "/tmp/p%u", i);
		transfer_burst_add(&burst, &event, 5 * S + i, tell, &told);
	}
	transfer_burst_flush(&burst, tell, &told);
	CU_ASSERT_EQUAL(told.summaries, TRANSFER_SUMMARIES);
	CU_ASSERT_EQUAL(told.files + told.counted, 1000);
	/* The one for all others names neither of them. */
	CU_ASSERT_EQUAL(told.last.uid, TRANSFER_UID_UNKNOWN);
	CU_ASSERT_STRING_EQUAL(told.last.program, "");
	CU_ASSERT_EQUAL(told.last.count[TRANSFER_DELETE], 1000 - TRANSFER_PURSE_MAX - 7);
}

static void sums_do_not_wrap(void)
{
	static struct transfer_burst burst;
	struct transfer_event event = event_of(TRANSFER_WRITE, "a");
	struct told told = { 0 };

	event.has_size = true;
	event.size = UINT64_MAX / 2;
	for (unsigned int i = 0; i < TRANSFER_PURSE_MAX + 5; i++)
		transfer_burst_add(&burst, &event, 5 * S, tell, &told);
	transfer_burst_flush(&burst, tell, &told);
	CU_ASSERT_EQUAL(told.last.written, UINT64_MAX);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(names_of_any_bytes_come_back),
		TEST(the_longest_report_fits_its_line),
		TEST(what_no_helper_of_ours_writes_is_refused),
		TEST(text_that_is_too_long_is_refused),
		TEST(a_changed_byte_never_means_two_things),
		TEST(a_long_path_keeps_its_end),
		TEST(what_a_person_does_is_told_one_by_one),
		TEST(nobody_fills_the_log_by_never_resting),
		TEST(losses_are_told_at_once_and_then_now_and_again),
		TEST(a_burst_is_counted_to_the_last_event),
		TEST(a_burst_that_lasts_is_told_every_ten_seconds),
		TEST(users_and_programs_are_told_apart),
		TEST(many_programs_do_not_flood_the_log),
		TEST(sums_do_not_wrap),
	};

	return testing_run("transfer", tests, ARRAY_SIZE(tests));
}
