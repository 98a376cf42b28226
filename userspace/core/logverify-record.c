// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <sodium.h>
#include <string.h>

#include "core/civil.h"
#include "core/logverify-inside.h"

/* Members of a record stand in one order: the kind lies within so many bytes of its beginning. */
#define FRONT 256
/* json-c takes an int; a record of ours is far shorter. */
#define LINE_MAX_READ (1u << 20)
/* Deeper than every record of ours. */
#define RECORD_DEPTH 16

static const struct {
	const char *name;
	enum record_kind kind;
} special_kinds[] = {
	{"checkpoint", RECORD_CHECKPOINT},   {"clock-reversed", RECORD_CLOCK},
	{"clock-set", RECORD_CLOCK},         {"log-begun", RECORD_BEGUN},
	{"log-continued", RECORD_CONTINUED}, {"log-damaged", RECORD_DAMAGED},
	{"log-expired", RECORD_EXPIRED},     {"log-handover", RECORD_HANDOVER},
	{"log-recovered", RECORD_RECOVERED},
};

static const char *after(const char *at, const char *end, const char *text)
{
	size_t len = strlen(text);

	return at && (size_t)(end - at) >= len && !memcmp(at, text, len) ? at + len : NULL;
}

/* Behind `text`, which is looked for from `at` on. */
static const char *behind(const char *at, const char *end, const char *text)
{
	const char *p = at ? memmem(at, (size_t)(end - at), text, strlen(text)) : NULL;

	return p ? p + strlen(text) : NULL;
}

static enum record_kind kind_of(const char *at, const char *end)
{
	size_t len;

	if (!at || at == end || (*at != 'c' && *at != 'l'))
		return RECORD_PLAIN;
	for (size_t i = 0; i < sizeof(special_kinds) / sizeof(special_kinds[0]); i++) {
		len = strlen(special_kinds[i].name);
		if ((size_t)(end - at) > len && !memcmp(at, special_kinds[i].name, len) &&
		    at[len] == '"')
			return special_kinds[i].kind;
	}
	return RECORD_PLAIN;
}

void record_look(struct record *record, const char *text, size_t len)
{
	const char *end = text + record->line.body_len,
		   *front = text + FRONT < end ? text + FRONT : end;
	const char *at = text + strlen("{\"seq\":"), *kind, *time;

	while (at < end && *at >= '0' && *at <= '9')
		at++;
	record->len = len;
	record->terminal = NULL;
	time = after(at, end, ",\"time\":\"");
	record->time =
		time && end - time > RECORD_TIME_LEN && time[RECORD_TIME_LEN] == '"' ? time : NULL;
	kind = record->time ? after(time + RECORD_TIME_LEN, end, "\",\"boot_us\":") : NULL;
	while (kind && kind < end && *kind >= '0' && *kind <= '9')
		kind++;
	kind = after(kind, end, ",\"kind\":\"");
	if (!kind)
		kind = behind(at, front, ",\"kind\":\"");
	record->kind = kind_of(kind, end);
}

/* "2026-11-21T08:30:00" of it: UTC, taken as it stands. */
static int64_t parse_time(const char *text)
{
	int64_t time;

	return civil_parse(text, CIVIL_TEXT_MAX - 1, false, &time) ? time : 0;
}

int64_t record_time(const struct record *record)
{
	return record->time ? parse_time(record->time) : 0;
}

void record_find_terminal(struct record *record)
{
	const char *end = record->line.body + record->line.body_len, *p;

	record->terminal = behind(record->line.body, end, ",\"terminal\":\"");
	if (!record->terminal)
		return;
	for (p = record->terminal; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	if (p < end)
		record->terminal_len = (size_t)(p - record->terminal);
	else
		record->terminal = NULL;
}

/* --- the members of special records --------------------------------------------------------- */

static const char *text_member(struct json_object *object, const char *name, size_t *len)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	*len = (size_t)json_object_get_string_len(value);
	return json_object_get_string(value);
}

static bool hex_member(struct json_object *object, const char *name, uint8_t *out, size_t size)
{
	size_t len, got;
	const char *text = text_member(object, name, &len);

	return text && len == 2 * size && !sodium_hex2bin(out, size, text, len, NULL, &got, NULL) &&
	       got == size;
}

static bool base64_member(struct json_object *object, const char *name, uint8_t *out, size_t size,
			  size_t *got)
{
	size_t len;
	const char *text = text_member(object, name, &len), *end;

	return text &&
	       !sodium_base642bin(out, size, text, len, NULL, got, &end,
				  sodium_base64_VARIANT_ORIGINAL) &&
	       end == text + len;
}

static bool number_member(struct json_object *object, const char *name, uint64_t *out)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_int))
		return false;
	*out = json_object_get_uint64(value);
	return true;
}

static int64_t time_member(struct json_object *object, const char *name)
{
	size_t len;
	const char *text = text_member(object, name, &len);

	return text && len == RECORD_TIME_LEN ? parse_time(text) : 0;
}

static bool read_header(struct json_object *object, uint64_t seq, struct statement *out)
{
	struct logverify_header *header = &out->header;
	size_t len;
	const char *text = text_member(object, "sealed_to", &len);

	if (!text || (len && len != sizeof(header->sealed_to) - 1) || strlen(text) != len)
		return false;
	memcpy(header->sealed_to, text, len + 1);
	text = text_member(object, "why", &len);
	out->missing = text && !strcmp(text, "file-missing");
	out->new_desk = text && !strcmp(text, "desk-key");
	return hex_member(object, "log", header->id, sizeof(header->id)) &&
	       number_member(object, "log_first", &header->first_seq) && header->first_seq &&
	       header->first_seq <= seq &&
	       hex_member(object, "previous", out->previous, CHAIN_HASH_LEN) &&
	       base64_member(object, "public", header->public_key, sizeof(header->public_key),
			     &len) &&
	       len == sizeof(header->public_key) &&
	       base64_member(object, "sealed", header->sealed, sizeof(header->sealed),
			     &header->sealed_len);
}

static bool read_members(struct json_object *object, const struct record *record,
			 struct statement *out)
{
	size_t len;
	const char *terminal = text_member(object, "terminal", &len);

	if (terminal && len < sizeof(out->terminal) && strlen(terminal) == len)
		memcpy(out->terminal, terminal, len + 1);
	switch (record->kind) {
	case RECORD_BEGUN:
	case RECORD_CONTINUED:
		return read_header(object, record->line.seq, out);
	case RECORD_CHECKPOINT:
		return hex_member(object, "log", out->header.id, sizeof(out->header.id)) &&
		       number_member(object, "at", &out->at) &&
		       hex_member(object, "head", out->head, sizeof(out->head)) &&
		       base64_member(object, "signature", out->signature, sizeof(out->signature),
				     &len) &&
		       len == sizeof(out->signature);
	case RECORD_RECOVERED:
		/* Nothing was cut: it tells only of what could not be written. */
		return !number_member(object, "torn_bytes", &out->torn_bytes) || !out->torn_bytes ||
		       hex_member(object, "torn_hash", out->torn_hash, sizeof(out->torn_hash));
	case RECORD_DAMAGED:
		return number_member(object, "expected_seq", &out->expected_seq) &&
		       hex_member(object, "expected_hash", out->previous, sizeof(out->previous));
	case RECORD_HANDOVER:
		return hex_member(object, "next_log", out->header.id, sizeof(out->header.id)) &&
		       hex_member(object, "sealed_hash", out->sealed_hash,
				  sizeof(out->sealed_hash));
	case RECORD_EXPIRED:
		/* Those of the first versions do not say how old the file was. */
		out->newest = time_member(object, "newest");
		number_member(object, "first_seq", &out->first_seq);
		number_member(object, "retention_days", &out->retention_days);
		return number_member(object, "last_seq", &out->last_seq);
	case RECORD_CLOCK:
		number_member(object, "ahead_s", &out->ahead);
		out->earlier = time_member(object, "earlier_than");
		return true;
	default:
		return true;
	}
}

bool record_read(const struct record *record, struct statement *out)
{
	struct json_tokener *tokener = json_tokener_new_ex(RECORD_DEPTH);
	struct json_object *object;
	bool good;

	memset(out, 0, sizeof(*out));
	if (!tokener || record->len > LINE_MAX_READ) {
		if (tokener)
			json_tokener_free(tokener);
		return false;
	}
	object = json_tokener_parse_ex(tokener, record->line.body, (int)record->len);
	good = json_object_is_type(object, json_type_object) && read_members(object, record, out);
	json_object_put(object);
	json_tokener_free(tokener);
	return good;
}

bool logverify_header_parse(struct logverify_header *out, const char *line, size_t len)
{
	struct statement statement;
	struct record record;

	if (!chain_line_parse(&record.line, line, len))
		return false;
	record_look(&record, line, len);
	if ((record.kind != RECORD_BEGUN && record.kind != RECORD_CONTINUED) ||
	    !record_read(&record, &statement))
		return false;
	*out = statement.header;
	return true;
}
