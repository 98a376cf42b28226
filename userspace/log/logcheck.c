// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logcheck.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/i18n.h"

/* An anchor has two members; what the journal gives has a few dozen. */
#define ANCHOR_DEPTH 4

#define LINES_PER_LOOK 4096
#define SHOW_EVERY_MS 200

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void show_progress(const struct logset *set, int64_t *shown)
{
	uint64_t total = logset_bytes_total(set), read = logset_bytes_read(set);
	int64_t now = now_ms();

	if (!total || now - *shown < SHOW_EVERY_MS)
		return;
	*shown = now;
	if (read > total)
		read = total;
	fprintf(stderr, "\r%3" PRIu64 " %%", read * 100 / total);
	fflush(stderr);
}

static void tell_misnamed(const struct logcheck *check, const char *file)
{
	const struct logverify_finding finding = {.kind = LOGVERIFY_MISNAMED, .file = file, .detail = ""};

	if (check->finding)
		check->finding(check->finding_userdata, &finding);
}

static void tell_emptied(const struct logcheck *check)
{
	uint64_t next = logverify_result(check->verify)->last_seq + 1;
	const struct logverify_finding finding = {.kind = LOGVERIFY_TRUNCATED,
						  .file = "events.jsonl",
						  .from = next,
						  .to = next,
						  .detail = N_("the newest file is empty, and older ones are there")};

	if (check->finding)
		check->finding(check->finding_userdata, &finding);
}

int logcheck_run(struct logset *set, const struct logcheck *check)
{
	bool progress = check->progress && isatty(STDERR_FILENO);
	struct logset_line line;
	int64_t shown = now_ms();
	uint64_t n = 0;
	int r;

	while ((r = logset_next(set, &line))) {
		if (r < 0) {
			check->unreadable(check->userdata, logset_file(set), r);
			continue;
		}
		if (line.misnamed)
			tell_misnamed(check, line.file);
		if (check->verify)
			logverify_line(check->verify, line.file, line.number, line.text, line.len, line.cut);
		r = check->line ? check->line(check->userdata, &line) : 0;
		if (r)
			break;
		if (progress && !(++n % LINES_PER_LOOK))
			show_progress(set, &shown);
	}
	if (check->verify)
		logverify_end(check->verify);
	if (check->verify && logset_newest(set) == LOGSET_NEWEST_EMPTIED)
		tell_emptied(check);
	if (progress)
		fputs("\r     \r", stderr);
	return r;
}

/* --- anchors --------------------------------------------------------------------------------- */

static bool anchor_parse(const struct logset_line *line, struct json_tokener *tokener, uint64_t *seq,
			 uint8_t hash[static CHAIN_HASH_LEN])
{
	struct json_object *object, *member;
	bool good = false;
	size_t len;

	json_tokener_reset(tokener);
	object = json_tokener_parse_ex(tokener, line->text, (int)line->len);
	if (json_tokener_get_error(tokener) == json_tokener_success && json_object_is_type(object, json_type_object) &&
	    json_object_object_get_ex(object, "seq", &member) && json_object_is_type(member, json_type_int) &&
	    json_object_get_int64(member) > 0) {
		*seq = json_object_get_uint64(member);
		good = json_object_object_get_ex(object, "hash", &member) &&
		       json_object_is_type(member, json_type_string) &&
		       json_object_get_string_len(member) == 2 * CHAIN_HASH_LEN &&
		       !sodium_hex2bin(hash, CHAIN_HASH_LEN, json_object_get_string(member), 2 * CHAIN_HASH_LEN, NULL,
				       &len, NULL) &&
		       len == CHAIN_HASH_LEN;
	}
	json_object_put(object);
	return good;
}

static bool is_blank(const struct logset_line *line)
{
	for (size_t i = 0; i < line->len; i++)
		if (!strchr(" \t\r", line->text[i]))
			return false;
	return true;
}

int logcheck_read_anchors(struct logverify *verify, const char *path, uint64_t *linep, uint64_t *np)
{
	_cleanup_(logset_closep) struct logset *set = NULL;
	char *paths[] = {(char *)path};
	struct json_tokener *tokener;
	struct logset_line line;
	const char *bad;
	int r = logset_open(&set, paths, 1, 0, &bad);

	*linep = *np = 0;
	if (r)
		return r;
	tokener = json_tokener_new_ex(ANCHOR_DEPTH);
	if (!tokener)
		return -ENOMEM;
	while ((r = logset_next(set, &line)) > 0) {
		uint8_t hash[CHAIN_HASH_LEN];
		uint64_t seq;

		if (is_blank(&line))
			continue;
		*linep = line.number;
		if (!anchor_parse(&line, tokener, &seq, hash)) {
			r = -EINVAL;
			break;
		}
		r = logverify_add_anchor(verify, seq, hash);
		if (r)
			break;
		++*np;
	}
	json_tokener_free(tokener);
	return !r && !*np ? -ENODATA : r;
}
