// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logfilter.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/civil.h"
#include "log/logrecord.h"

#define SECOND_US INT64_C(1000000)

/* --- the cheap look -------------------------------------------------------------------------- */

static bool line_has(const struct logset_line *line, const char *text, size_t len)
{
	return memmem(line->text, line->len, text, len);
}

/* Can the record hold this string, or number? A line with escapes may hold anything: the parsed record must tell. */
static bool may_hold(const struct logset_line *line, bool escapes, const char *text)
{
	return !text || escapes || line_has(line, text, strlen(text));
}

static bool may_be_of_kind(const struct logset_line *line, bool escapes, const char *const *kinds)
{
	if (!*kinds || escapes)
		return true;
	for (; *kinds; kinds++)
		if (may_hold(line, escapes, *kinds))
			return true;
	return false;
}

static bool in_period(const struct logfilter *filter, int64_t us)
{
	return us >= filter->since_us && (!filter->until_us || us < filter->until_us);
}

static bool may_match(const struct logfilter *filter, const struct logset_line *line)
{
	bool escapes;
	uint64_t seq;
	int64_t us;

	if (line->cut || line->too_long)
		return false;
	if ((filter->since_us || filter->until_us) && logrecord_begin(line->text, line->len, &seq, &us) &&
	    !in_period(filter, us))
		return false;
	escapes = memchr(line->text, '\\', line->len);
	return may_be_of_kind(line, escapes, filter->kinds) && may_hold(line, escapes, filter->person) &&
	       may_hold(line, escapes, filter->medium) && may_hold(line, escapes, filter->device) &&
	       may_hold(line, escapes, filter->terminal) && may_hold(line, escapes, filter->reason);
}

/* --- the record ------------------------------------------------------------------------------- */

static bool member_is(struct json_object *record, const char *key, const char *want)
{
	struct json_object *value;

	if (!json_object_object_get_ex(record, key, &value))
		return false;
	if (json_object_is_type(value, json_type_string))
		return (size_t)json_object_get_string_len(value) == strlen(want) &&
		       !strcmp(json_object_get_string(value), want);
	return json_object_is_type(value, json_type_int) && !strcmp(json_object_get_string(value), want);
}

static bool any_member_is(struct json_object *record, const char *const *keys, const char *want)
{
	for (; *keys; keys++)
		if (member_is(record, *keys, want))
			return true;
	return false;
}

/* One of the judged interfaces. */
static bool any_verdict_is(struct json_object *record, const char *key, const char *want)
{
	struct json_object *list;

	if (!json_object_object_get_ex(record, "verdicts", &list) || !json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (member_is(json_object_array_get_idx(list, i), key, want))
			return true;
	return false;
}

static bool kind_is_wanted(const struct logfilter *filter, struct json_object *record)
{
	if (!filter->kinds[0])
		return true;
	for (const char *const *kind = filter->kinds; *kind; kind++)
		if (member_is(record, "kind", *kind))
			return true;
	return false;
}

static bool matches(const struct logfilter *filter, struct json_object *record)
{
	static const char *const person[] = {"user",	"uid", "holder", "person", "person_uid", "requester", "requester_uid",
					     "by",	"by_uid", NULL};
	static const char *const device[] = {"device", "id", "serial", "fingerprint", NULL};
	int64_t us;

	if ((filter->since_us || filter->until_us) && (!logrecord_time(record, &us) || !in_period(filter, us)))
		return false;
	return kind_is_wanted(filter, record) && (!filter->person || any_member_is(record, person, filter->person)) &&
	       (!filter->device || any_member_is(record, device, filter->device)) &&
	       (!filter->medium || member_is(record, "medium", filter->medium)) &&
	       (!filter->terminal || member_is(record, "terminal", filter->terminal)) &&
	       (!filter->reason || member_is(record, "reason", filter->reason) ||
		any_verdict_is(record, "reason", filter->reason)) &&
	       (!filter->verdict || !strcmp(logrecord_verdict(record), filter->verdict) ||
		any_verdict_is(record, "verdict", filter->verdict));
}

bool logfilter_is_empty(const struct logfilter *filter)
{
	return !filter->person && !filter->medium && !filter->device && !filter->terminal && !filter->verdict &&
	       !filter->reason && !filter->kinds[0] && !filter->since_us && !filter->until_us;
}

struct json_object *logfilter_match(const struct logfilter *filter, const struct logset_line *line)
{
	struct json_object *record = may_match(filter, line) ? logrecord_parse(line->text, line->len) : NULL;

	if (record && !matches(filter, record)) {
		json_object_put(record);
		return NULL;
	}
	return record;
}

/* --- moments ----------------------------------------------------------------------------------- */

/* Local time; days may lie outside their month. */
static int64_t moment(const struct tm *from, int days)
{
	struct tm tm = *from;

	tm.tm_mday += days;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * SECOND_US;
}

static bool word_parse(const char *text, int64_t now_us, bool end, int64_t *us)
{
	time_t now = (time_t)(now_us / SECOND_US);
	bool yesterday = !strcmp(text, "yesterday");
	struct tm tm;

	if (!strcmp(text, "now")) {
		*us = now_us;
		return true;
	}
	if (!yesterday && strcmp(text, "today"))
		return false;
	localtime_r(&now, &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	*us = moment(&tm, end - yesterday);
	return true;
}

/* -7d */
static bool ago_parse(const char *text, int64_t now_us, int64_t *us)
{
	static const char units[] = "smhdw";
	static const int64_t seconds[] = {1, 60, 3600, 86400, 7 * 86400};
	size_t digits = *text ? strspn(text + 1, "0123456789") : 0;
	const char *unit;
	int64_t back;

	if (*text != '-' || !digits || digits > 6 || !text[1 + digits] || text[2 + digits])
		return false;
	unit = strchr(units, text[1 + digits]);
	if (!unit)
		return false;
	back = strtol(text + 1, NULL, 10) * seconds[unit - units] * SECOND_US;
	/* Nothing of ours is older than the epoch; 0 would say "no limit". */
	*us = back < now_us ? now_us - back : 1;
	return true;
}

bool logfilter_moment_parse(const char *text, int64_t now_us, bool end, int64_t *us)
{
	size_t len = strlen(text);
	int64_t civil;
	time_t fields;
	struct tm tm;

	if (word_parse(text, now_us, end, us) || ago_parse(text, now_us, us))
		return true;
	if (!civil_parse(text, len, false, &civil))
		return false;
	fields = (time_t)civil;
	gmtime_r(&fields, &tm);
	*us = moment(&tm, end && len == strlen("2026-11-01"));
	if (end && len == strlen("2026-11-01T08:30"))
		*us += 60 * SECOND_US;
	return *us > 0;
}
