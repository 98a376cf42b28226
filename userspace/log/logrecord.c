// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logrecord.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "core/civil.h"
#include "core/text.h"
#include "log/logjson.h"

/* Kinds that let something in, and those that keep it out (docs/evidence.md). */
static const struct {
	const char *kind, *verdict;
} verdicts[] = {
	{"allowed", "allow"},	     {"released", "allow"},	 {"resumed", "allow"}, {"volume-opening", "allow"},
	{"volume-opened", "allow"},  {"denied", "block"},	 {"would-deny", "would-block"},	 {"revoked", "block"}, {"refused", "block"},
	{"volume-refused", "block"}, {"road-closed", "block"},	 {"road-would-close", "would-block"},
};

struct json_object *logrecord_parse(const char *line, size_t len)
{
	struct json_tokener *tokener;
	struct json_object *record;

	if (len > INT32_MAX || !logjson_is_object(line, len))
		return NULL;
	tokener = json_tokener_new_ex(LOGRECORD_DEPTH);
	if (!tokener)
		output_no_memory();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	record = json_tokener_parse_ex(tokener, line, (int)len);
	if (json_tokener_get_error(tokener) != json_tokener_success || json_tokener_get_parse_end(tokener) != len ||
	    !json_object_is_type(record, json_type_object)) {
		json_object_put(record);
		record = NULL;
	}
	json_tokener_free(tokener);
	return record;
}

/* A NUL within a string, which only a forged record has, is shown as the byte that it is. */
static char *text_with_nul(const char *text, size_t len)
{
	char *out = malloc(TEXT_ESCAPED_MAX(len) + 4 * len), *p = out;

	if (!out)
		output_no_memory();
	for (size_t at = 0; at <= len; at += strlen(text + at) + 1) {
		if (at)
			p = stpcpy(p, "\\x00");
		text_escape_terminal(p, TEXT_ESCAPED_MAX(strlen(text + at)), text + at);
		p += strlen(p);
	}
	return out;
}

char *logrecord_text(struct json_object *record, const char *key)
{
	struct json_object *value = NULL;
	const char *text;
	size_t len;

	if (!json_object_object_get_ex(record, key, &value) || !value)
		return output_escape("");
	if (json_object_is_type(value, json_type_string)) {
		len = (size_t)json_object_get_string_len(value);
		return text_with_nul(json_object_get_string(value), len);
	}
	text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		output_no_memory();
	return output_escape(text);
}

bool logrecord_begin(const char *line, size_t len, uint64_t *seq, int64_t *us)
{
	static const char first[] = "{\"seq\":", second[] = ",\"time\":\"";
	static const size_t time_len = sizeof("2026-11-21T08:30:00.123456Z") - 1;
	size_t at = sizeof(first) - 1;

	*seq = 0;
	if (len < at || memcmp(line, first, at))
		return false;
	for (; at < len && line[at] >= '0' && line[at] <= '9'; at++)
		*seq = *seq * 10 + (uint64_t)(line[at] - '0');
	return len - at >= sizeof(second) - 1 + time_len && !memcmp(line + at, second, sizeof(second) - 1) &&
	       civil_parse_moment(line + at + sizeof(second) - 1, time_len, us);
}

bool logrecord_time(struct json_object *record, int64_t *us)
{
	const char *text = output_raw(record, "time");

	return civil_parse_moment(text, strlen(text), us);
}

const char *logrecord_verdict(struct json_object *record)
{
	const char *kind = output_raw(record, "kind");

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (!strcmp(kind, verdicts[i].kind))
			return verdicts[i].verdict;
	return "";
}
