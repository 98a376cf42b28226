// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logwords.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "core/exception.h"
#include "core/incident.h"
#include "core/reason.h"
#include "log/logrecord.h"

/* In the order in which they are shown. Without a label the value says it alone. */
static const struct {
	const char *key, *label;
} members[] = {
	{"why", NULL},
	{"what", NULL},
	{"attempt", NULL},
	{"type", NULL},
	{"number", N_("number")},
	{"method", N_("called")},
	{"object", N_("object")},
	{"result", N_("result")},
	{"state", N_("state")},
	{"interface", N_("interface")},
	{"program", N_("program")},
	{"path", N_("file")},
	{"from", N_("from")},
	{"count", N_("count")},
	{"volume", N_("volume")},
	{"disk", N_("disk")},
	{"policy", N_("policy")},
	{"policy_version", N_("policy version")},
	{"version", N_("version")},
	{"first_seq", N_("first record")},
	{"last_seq", N_("last record")},
};

/* Codes that docs/evidence.md lists. What is not known stands as it is: the tool may be older than the daemon. */
static const struct {
	const char *key, *code, *text;
} words[] = {
	{"why", "first", N_("the terminal's first log")},
	{"why", "key-state-lost", N_("the log's keys were gone")},
	{"why", "desk-key", N_("another key of the desk was installed")},
	{"why", "rotated", N_("the file before it was full or old")},
	{"why", "file-missing", N_("the file that was being written was gone")},
	{"why", "policy", N_("the policy forbids it")},
	{"why", "time", N_("the permitted time is over")},
	{"why", "clock", N_("the clock was set")},
	{"why", "session", N_("somebody else is in front of the terminal")},
	{"why", "exception", N_("an exception began or ended")},
	{"why", "others", N_("another device went")},
	{"why", "medium-changed", N_("the medium was exchanged")},
	{"why", "released by somebody else", N_("somebody else had released it")},
	{"what", "voided", N_("grants that were running are over: nobody knows how much time has passed")},
	{"what", "back", N_("the clock is behind the time that grants live by")},
	{"what", "reset", N_("an administrator has set the clock of exceptions back to the wall clock")},
	{"why", "drill", N_("the drill has ended")},
	{"why", "setting", N_("the settings of this terminal")},
	{"attempt", "bind", N_("binding a driver")},
	{"attempt", "authorize", N_("authorising the device")},
	{"attempt", "claim", N_("claiming an interface")},
	{"attempt", "unload", N_("unloading the module")},
	{"result", "ok", N_("ok")},
	{"result", "warn", N_("warning")},
	{"result", "fail", N_("fault")},
	{"result", "done", N_("done")},
	{"result", "refused", N_("refused")},
	{"result", "failed", N_("failed")},
	{"state", "ok", N_("in force")},
	{"state", "missing", N_("missing")},
	{"state", "refused", N_("refused")},
	{"state", "previous", N_("the previous one is in force")},
	{"state", "expired", N_("expired")},
	{"state", "not-yet-valid", N_("not valid yet")},
	{"state", "held", N_("held")},
	{"state", "inspecting", N_("inspecting")},
	{"state", "denied", N_("denied")},
	{"state", "would-deny", N_("would be denied")},
	{"state", "allowed", N_("allowed")},
	{"state", "kept", N_("kept")},
	{"state", "passed", N_("passed")},
	{"state", "removed", N_("removed")},
};

const char *logwords_word(const char *key, const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].key, key) && !strcmp(words[i].code, code))
			return i18n(words[i].text);
	if (!strcmp(key, "why") && reason_find(code))
		return i18n(reason_text(code));
	if (!strcmp(key, "type") && incident_type_text(code) != code)
		return i18n(incident_type_text(code));
	return NULL;
}

/* A step, or a challenge by telephone before there is an exception. */
static bool is_of_exception(struct json_object *record)
{
	return json_object_object_get_ex(record, "exception", NULL) || json_object_object_get_ex(record, "challenge", NULL);
}

char *logwords_members(struct json_object *record)
{
	char *all = output_format("%s", "");

	/* They have words of their own, below. */
	if (is_of_exception(record))
		return all;
	/* A sentence, not a word. */
	if (!strcmp(output_raw(record, "kind"), "exception-store")) {
		free(all);
		return logwords_text(record, "state");
	}
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		_cleanup_(freep) char *value = logrecord_text(record, members[i].key), *before = NULL;
		const char *word = logwords_word(members[i].key, output_raw(record, members[i].key));
		const char *label = members[i].label ? i18n(members[i].label) : "";

		if (!*value)
			continue;
		before = all;
		all = output_format("%s%s%s%s%s", before, *before ? ", " : "", label, *label ? ": " : "", word ? word : value);
	}
	return all;
}

/* Of a record of an exception, in the order in which they are shown. */
static const struct {
	const char *key, *label;
} exception_members[] = {
	{"exception", NC_("log", "exception")}, {"person", NC_("log", "for")},	 {"purpose", NC_("log", "purpose")}, {"form", NC_("log", "form")},
	{"begin", NC_("log", "from")},		{"end", NC_("log", "until")},	 {"until", NC_("log", "asked until")}, {"bytes", NC_("log", "bytes")},
	{"challenge", NC_("log", "code")},
	{"to", NC_("log", "now")},		{"note", NC_("log", "note")},
};

/* Moments are seconds since the epoch there. */
static char *exception_value(struct json_object *record, const char *key)
{
	struct json_object *value = json_object_object_get(record, key);
	char text[sizeof("2026-11-21 08:30")];
	unsigned int state;
	time_t seconds;
	struct tm tm;

	if (!strcmp(key, "to")) {
		state = exception_state_find(output_raw(record, key));
		return state < N_EXCEPTION_STATES ? output_format("%s", i18n(exception_state_text(state))) :
						    logrecord_text(record, key);
	}
	if (!json_object_is_type(value, json_type_int) ||
	    (strcmp(key, "begin") && strcmp(key, "end") && strcmp(key, "until")))
		return logrecord_text(record, key);
	seconds = (time_t)json_object_get_int64(value);
	if (!seconds || !localtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm))
		return output_format("%s", "");
	return output_format("%s", text);
}

char *logwords_exception(struct json_object *record)
{
	char *all = output_format("%s", "");

	if (!is_of_exception(record))
		return all;
	for (size_t i = 0; i < ARRAY_SIZE(exception_members); i++) {
		_cleanup_(freep) char *value = exception_value(record, exception_members[i].key), *before = NULL;

		if (!*value)
			continue;
		before = all;
		all = output_format("%s%s%s: %s", before, *before ? ", " : "", i18n(exception_members[i].label), value);
	}
	return all;
}

char *logwords_text(struct json_object *record, const char *key)
{
	const char *raw = output_raw(record, key);
	_cleanup_(freep) char *told = told_text(raw);

	return strcmp(told, raw) ? output_escape(told) : logrecord_text(record, key);
}
