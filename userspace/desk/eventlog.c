// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/eventlog.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/civil.h"
#include "core/macro.h"
#include "core/text.h"

/* A record has arrays of objects in it, no deeper. */
#define DEPTH_MAX 8
#define LINE_MAX_LEN (1u << 20)

DEFINE_CLEANUP(struct json_object *, json_object_put)

static void json_tokener_freep(struct json_tokener **tok)
{
	if (*tok)
		json_tokener_free(*tok);
}

static bool take_text(struct json_object *record, const char *name, char *out, size_t size)
{
	struct json_object *value;
	const char *text;

	if (!json_object_object_get_ex(record, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return false;
	text = json_object_get_string(value);
	if (strlen(text) != (size_t)json_object_get_string_len(value) || strlen(text) >= size ||
	    !text_is_safe(text))
		return false;
	snprintf(out, size, "%s", text);
	return true;
}

/* "2026-11-21T08:30:00.123456Z" to the second. */
static bool take_time(struct json_object *record, char out[static REGISTER_TIME_MAX])
{
	char text[64];
	int64_t civil;

	if (!take_text(record, "time", text, sizeof(text)) || strlen(text) < 20 ||
	    text[strlen(text) - 1] != 'Z' || (text[19] != 'Z' && text[19] != '.') ||
	    !civil_parse(text, 19, false, &civil))
		return false;
	snprintf(out, REGISTER_TIME_MAX, "%.19sZ", text);
	return true;
}

/* 1: it is one; 0: another record; -1: not to be read. */
static int read_record(struct json_object *record, const char *latest,
		       struct eventlog_sighting *out)
{
	static const char *const kinds[] = {"allowed", "released", "resumed"};
	struct json_object *value;
	char kind[32];
	bool there = false;

	if (!json_object_is_type(record, json_type_object) ||
	    !take_text(record, "kind", kind, sizeof(kind)))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		there |= !strcmp(kind, kinds[i]);
	if (!there || !json_object_object_get_ex(record, "medium", &value))
		return 0;
	if (!take_text(record, "medium", out->number, sizeof(out->number)) ||
	    !take_time(record, out->sighting.time) || strcmp(out->sighting.time, latest) > 0 ||
	    !take_text(record, "terminal", out->sighting.terminal, sizeof(out->sighting.terminal)))
		return -1;
	return *out->number ? 1 : 0;
}

int eventlog_next(struct eventlog *log, const char *latest, struct eventlog_sighting *out)
{
	while (log->pos < log->len) {
		_cleanup_(json_tokener_freep) struct json_tokener *tok =
			json_tokener_new_ex(DEPTH_MAX);
		_cleanup_(json_object_putp) struct json_object *record = NULL;
		const char *line = log->text + log->pos;
		const char *end = memchr(line, '\n', log->len - log->pos);
		size_t len = end ? (size_t)(end - line) : log->len - log->pos;
		int r = -1;

		log->line++;
		log->pos += len + !!end;
		if (!len)
			continue;
		if (tok && len < LINE_MAX_LEN) {
			json_tokener_set_flags(tok,
					       JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
			record = json_tokener_parse_ex(tok, line, (int)len);
			r = record ? read_record(record, latest, out) : -1;
		}
		if (r > 0)
			return 1;
		if (r < 0 && !log->n_bad++)
			log->bad_line = log->line;
	}
	return 0;
}
