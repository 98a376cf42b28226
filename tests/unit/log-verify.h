/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A verifier over logs that tests damage: a long one, `ours`, and a `small` one that a test writes itself. What it finds
 * stands in `found`.
 */
#pragma once

#include "core/macro.h"
#include "log-text.h"

#define RECORDS 1000

static struct log_text log_of_ours;
static const struct log_text *const ours = &log_of_ours;
static struct found found;

static _unused_ struct logverify *verifier_of(uint64_t expected, bool keys, bool whole)
{
	static struct logverify_options options;
	struct logverify *verify;

	options = (struct logverify_options){
		.public_key = keys ? ours->public_key : NULL,
		.first_key = keys ? ours->first_key : NULL,
		.id = keys ? ours->id : NULL,
		.expected_seq = expected,
		.whole = whole,
		.finding = found_take,
		.userdata = &found,
	};
	verify = logverify_new(&options);
	CU_ASSERT_PTR_NOT_NULL_FATAL(verify);
	found.n = 0;
	return verify;
}

static _unused_ struct logverify *verifier(uint64_t expected, bool keys)
{
	return verifier_of(expected, keys, false);
}

static _unused_ void feed(struct logverify *verify, size_t number, const char *line)
{
	logverify_line(verify, "events.jsonl", number, line, strlen(line), false);
}

/* Lines of a file, the last perhaps without its newline. */
static _unused_ void feed_text(struct logverify *verify, const char *text, size_t len)
{
	for (const char *end = text + len; text < end;) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)((newline ? newline : end) - text);

		logverify_line(verify, "events.jsonl", 1, text, line, !newline);
		text += line + 1;
	}
}

static _unused_ void finish(struct logverify *verify)
{
	logverify_end(verify);
	logverify_free(verify);
}

static _unused_ bool found_is(enum logverify_kind kind, uint64_t from, uint64_t to)
{
	return found.n == 1 && found.list[0].kind == kind && found.list[0].from == from &&
	       found.list[0].to == to;
}

static _unused_ void show(const char *what, size_t a, size_t b)
{
	printf("\n%s %zu %zu: %zu findings", what, a, b, found.n);
	for (size_t i = 0; i < found.n && i < 4; i++)
		printf("; %s %" PRIu64 "..%" PRIu64 " %s", logverify_kind_name(found.list[i].kind),
		       found.list[i].from, found.list[i].to, i ? "" : found.detail);
	printf("\n");
}

/* One finding of this kind and range, or the case is shown and fails. */
#define EXPECT_FOUND(kind, from, to, what, a, b)                                                   \
	do {                                                                                       \
		bool as_expected = found_is(kind, from, to);                                       \
		if (!as_expected)                                                                  \
			show(what, a, b);                                                          \
		EXPECT(as_expected, what);                                                         \
	} while (0)

/* Runs over the log with the lines in another order; order[i] is an index into ours->lines. */
static _unused_ void run_order(const size_t *order, size_t n, bool keys)
{
	struct logverify *verify = verifier(RECORDS, keys);

	for (size_t i = 0; i < n; i++)
		feed(verify, i + 1, ours->lines[order[i]]);
	finish(verify);
}

static _unused_ void run_lines(const char *const *lines, size_t n, uint64_t expected, bool keys)
{
	struct logverify *verify = verifier(expected, keys);

	for (size_t i = 0; i < n; i++)
		feed(verify, i + 1, lines[i]);
	finish(verify);
}

/* Ten records, to go on with. */
static struct log_text small;

static _unused_ void small_begin(void)
{
	log_free(&small);
	log_init(&small, "terminal-1", 1);
	log_header(&small, "log-begun", "first", 1);
	for (int i = 0; i < 9; i++)
		log_deny(&small);
}

static int verify_testing_run(const char *suite_name, const struct test *tests, size_t n)
{
	int status;

	if (sodium_init() < 0)
		return 1;
	log_make(&log_of_ours, "terminal-1", 1, RECORDS);
	status = testing_run(suite_name, tests, n);
	log_free(&log_of_ours);
	log_free(&small);
	return status;
}
