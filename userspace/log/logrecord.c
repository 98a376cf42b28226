// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logrecord.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "core/civil.h"
#include "core/text.h"

/* Kinds that let something in, and those that keep it out (docs/evidence.md). */
static const struct {
	const char *kind, *verdict;
} verdicts[] = {
	{"allowed", "allow"},	     {"released", "allow"},	 {"resumed", "allow"}, {"volume-opening", "allow"},
	{"volume-opened", "allow"},  {"denied", "block"},	 {"revoked", "block"}, {"refused", "block"},
	{"volume-refused", "block"},
};

/*
 * json-c takes more than JSON (RFC 8259), also when it is told to be strict: 'a', NaN, comments. Since a record is handed on as it
 * stands, outside of strings only what JSON has may stand.
 */
static bool has_json_tokens(const char *line, size_t len)
{
	static const char *const words[] = {"true", "false", "null"};
	bool string = false;

	for (size_t i = 0; i < len; i++) {
		size_t word = 0;

		if (string && line[i] == '\\') {
			i++;
		} else if (line[i] == '"') {
			string = !string;
		} else if (!string && !(line[i] && strchr("{}[]:,0123456789+-.eE \t", line[i]))) {
			for (size_t w = 0; w < ARRAY_SIZE(words); w++)
				if (len - i >= strlen(words[w]) && !memcmp(line + i, words[w], strlen(words[w])))
					word = strlen(words[w]);
			if (!word)
				return false;
			i += word - 1;
		}
	}
	return !string;
}

struct json_object *logrecord_parse(const char *line, size_t len)
{
	struct json_tokener *tokener;
	struct json_object *record;

	if (len < 2 || line[0] != '{' || line[len - 1] != '}' || len > INT32_MAX || !has_json_tokens(line, len))
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

bool logrecord_time_parse(const char *text, size_t len, int64_t *us)
{
	static const size_t whole = sizeof("2026-11-21T08:30:00") - 1;
	int64_t seconds, micro = 0;

	if (len != whole + sizeof(".123456Z") - 1 || text[whole] != '.' || text[len - 1] != 'Z' ||
	    !civil_parse(text, whole, false, &seconds))
		return false;
	for (size_t i = whole + 1; i < len - 1; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		micro = micro * 10 + (text[i] - '0');
	}
	*us = seconds * 1000000 + micro;
	return true;
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
	       logrecord_time_parse(line + at + sizeof(second) - 1, time_len, us);
}

bool logrecord_time(struct json_object *record, int64_t *us)
{
	const char *text = output_raw(record, "time");

	return logrecord_time_parse(text, strlen(text), us);
}

const char *logrecord_verdict(struct json_object *record)
{
	const char *kind = output_raw(record, "kind");

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (!strcmp(kind, verdicts[i].kind))
			return verdicts[i].verdict;
	return "";
}
