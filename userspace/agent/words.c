// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/words.h"
#include "cli/i18n.h"
#include "core/device-class-name.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

int64_t words_number(struct json_object *object, const char *key)
{
	return json_object_get_int64(json_object_object_get(object, key));
}

size_t words_count(struct json_object *object, const char *key)
{
	struct json_object *list = json_object_object_get(object, key);

	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

bool words_contain(struct json_object *object, const char *key, const char *word)
{
	struct json_object *list = json_object_object_get(object, key);

	for (size_t i = 0; i < words_count(object, key); i++) {
		const char *item = json_object_get_string(json_object_array_get_idx(list, i));

		if (item && !strcmp(item, word))
			return true;
	}
	return false;
}

char *words_member(struct json_object *object, const char *key, size_t columns)
{
	char *text = output_member(object, key);

	output_cut(text, columns);
	return text;
}

static bool same_day(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_yday == b->tm_yday;
}

char *words_moment(int64_t moment, int64_t now)
{
	time_t then = moment, today = now;
	struct tm at, here;

	if (!localtime_r(&then, &at) || !localtime_r(&today, &here))
		return output_format("%lld", (long long)moment);
	if (same_day(&at, &here))
		return output_format("%02d:%02d", at.tm_hour, at.tm_min);
	if (!i18n_is_japanese())
		return output_format("%04d-%02d-%02d %02d:%02d", at.tm_year + 1900, at.tm_mon + 1, at.tm_mday,
				     at.tm_hour, at.tm_min);
	if (at.tm_year == here.tm_year)
		return output_format("%d月%d日 %02d:%02d", at.tm_mon + 1, at.tm_mday, at.tm_hour, at.tm_min);
	return output_format("%d年%d月%d日 %02d:%02d", at.tm_year + 1900, at.tm_mon + 1, at.tm_mday, at.tm_hour,
			     at.tm_min);
}

char *words_length(int64_t seconds)
{
	int64_t minutes = seconds > 0 ? (seconds + MINUTE - 1) / MINUTE : 0;
	long long hours = minutes / 60, rest = minutes % 60;

	if (seconds > 2 * DAY)
		return output_format(_("%lld days"), (long long)((seconds + DAY - 1) / DAY));
	if (hours && rest)
		return output_format(_("%lld h %lld min"), hours, rest);
	if (hours)
		return output_format(_("%lld h"), hours);
	return output_format(_("%lld min"), rest);
}

char *words_device(struct json_object *record)
{
	_cleanup_(freep) char *product = words_member(record, "product", WORDS_NAME_COLUMNS);
	_cleanup_(freep) char *maker = words_member(record, "manufacturer", WORDS_NAME_COLUMNS);
	_cleanup_(freep) char *medium = words_member(record, "medium", WORDS_NAME_COLUMNS);
	_cleanup_(freep) char *id = words_member(record, "id", WORDS_NAME_COLUMNS);

	if (*medium && *product)
		return output_format(_("medium %s (%s)"), medium, product);
	if (*medium)
		return output_format(_("medium %s"), medium);
	if (*product && *maker)
		return output_format("%s (%s)", product, maker);
	if (*product || *maker)
		return strdup(*product ? product : maker);
	return output_format(_("a device without a name (%s)"), id);
}

const char *words_access(const char *access)
{
	return !strcmp(access, "rw") ? _("read and write") : _("read-only");
}

char *words_subject(struct json_object *exception)
{
	_cleanup_(freep) char *medium = words_member(exception, "medium", WORDS_NAME_COLUMNS);
	enum device_class class = DEVICE_CLASS_UNKNOWN;

	if (*medium)
		return output_format(_("medium %s"), medium);
	device_class_find(output_raw(exception, "class"), &class);
	return output_format("%s", i18n(device_class_text(class)));
}

/* --- all of a request ----------------------------------------------------------------------- */

static void line_put(FILE *out, const char *label, const char *value)
{
	if (*value)
		fprintf(out, i18n_is_japanese() ? "%s：%s\n" : "%s: %s\n", label, value);
}

static void member_put(FILE *out, const char *label, struct json_object *exception, const char *key)
{
	_cleanup_(freep) char *value = output_member(exception, key);

	line_put(out, label, value);
}

static void moment_put(FILE *out, const char *label, struct json_object *exception, const char *key, int64_t now)
{
	int64_t moment = words_number(exception, key);
	_cleanup_(freep) char *value = words_moment(moment, now);

	if (moment)
		line_put(out, label, value);
}

static void period_put(FILE *out, struct json_object *exception, int64_t now)
{
	int64_t period = words_number(exception, "period");
	_cleanup_(freep) char *length = words_length(period);

	moment_put(out, _("From"), exception, "begin", now);
	moment_put(out, _("Until"), exception, "end", now);
	if (period)
		line_put(out, _("How long"), length);
	moment_put(out, _("Extension asked for until"), exception, "extend-until", now);
}

static void amounts_put(FILE *out, struct json_object *exception)
{
	long long uses = words_number(exception, "uses"), quota = words_number(exception, "write-quota");
	_cleanup_(freep) char *times = output_format("%lld", uses);
	_cleanup_(freep) char *bytes = output_format(_("%lld bytes"), quota);

	line_put(out, _("Uses"), uses ? times : _("any number"));
	if (!strcmp(output_raw(exception, "access"), "rw"))
		line_put(out, _("May write"), quota ? bytes : _("any amount"));
	if (json_object_get_boolean(json_object_object_get(exception, "encrypted-only")))
		line_put(out, _("Only if encrypted"), _("yes"));
}

char *words_request(struct json_object *exception, int64_t now)
{
	_cleanup_(freep) char *subject = words_subject(exception);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		output_no_memory();
	member_put(out, _("For whom"), exception, "person");
	if (strcmp(output_raw(exception, "person"), output_raw(exception, "requester")))
		member_put(out, _("Asked for by"), exception, "requester");
	member_put(out, _("Terminal"), exception, "terminal");
	line_put(out, _("Device"), subject);
	member_put(out, _("Fingerprint"), exception, "fingerprint");
	line_put(out, _("What it allows"), words_access(output_raw(exception, "access")));
	period_put(out, exception, now);
	amounts_put(out, exception);
	member_put(out, _("Purpose"), exception, "purpose");
	member_put(out, _("Class of the data"), exception, "data-class");
	member_put(out, _("Form"), exception, "form");
	moment_put(out, _("Medium back by"), exception, "return-by", now);
	if (fclose(out))
		output_no_memory();
	text[size ? size - 1 : 0] = '\0';
	return text;
}
