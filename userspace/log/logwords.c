// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logwords.h"

#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "core/incident.h"
#include "core/reason.h"
#include "log/logrecord.h"

/* In the order in which they are shown. Without a label the value says it alone. */
static const struct {
	const char *key, *label;
} members[] = {
	{"why", NULL},
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

char *logwords_members(struct json_object *record)
{
	char *all = output_format("%s", "");

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

char *logwords_text(struct json_object *record, const char *key)
{
	const char *raw = output_raw(record, key);
	_cleanup_(freep) char *told = told_text(raw);

	return strcmp(told, raw) ? output_escape(told) : logrecord_text(record, key);
}
