// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logfinding.h"

#include <inttypes.h>

#include "cli/i18n.h"
#include "cli/output.h"

#define ADVICE_TAMPERED \
	N_("Somebody with root's rights wrote into the log. Keep the files as they are, copy them with their times, and tell the help desk and " \
	   "the security officer. What the journal and the desk have seen of these records tells what stood there.")

static const struct {
	const char *what;
	const char *advice;
} rows[N_LOGVERIFY_KINDS] = {
	[LOGVERIFY_ALTERED] = {N_("its text is not what was sealed"), ADVICE_TAMPERED},
	[LOGVERIFY_REMOVED] = {N_("missing from the log"), ADVICE_TAMPERED},
	[LOGVERIFY_REORDERED] = {N_("stands later than its number says"), ADVICE_TAMPERED},
	[LOGVERIFY_DUPLICATED] = {N_("stands there a second time"), ADVICE_TAMPERED},
	[LOGVERIFY_TRUNCATED] = {
		N_("the log ends too early"),
		N_("Records at the end were cut off, or the newest file is missing. Look whether a copy or a backup has them; "
		   "if not, tell the help desk and the security officer.")},
	[LOGVERIFY_FOREIGN] = {
		N_("is of another terminal, or of another log of this one"),
		N_("Check that only files of one terminal were given. If they lay like this on the terminal, somebody put them "
		   "there: tell the help desk and the security officer.")},
	[LOGVERIFY_CLOCK_REVERSED] = {
		N_("is earlier than the record before it, and no record says that the clock was set"),
		N_("Do not trust the times around it. The terminal records every setting of its clock, so somebody may have "
		   "written these records later: tell the help desk.")},
	[LOGVERIFY_FORGED] = {
		N_("does not bear the key that this record had: it was written later"),
		ADVICE_TAMPERED},
	[LOGVERIFY_BAD_SIGNATURE] = {
		N_("the signature of this checkpoint is not the terminal's"),
		N_("Check that the public key is this terminal's (it changes when the terminal is set up anew). If it is, somebody "
		   "wrote the log anew: tell the help desk and the security officer.")},
	[LOGVERIFY_ANCHOR] = {
		N_("is another one than was seen when it was written"),
		N_("The log from here to the next checkpoint that agrees was written anew. Keep the files and the journal, and tell the "
		   "help desk and the security officer.")},
	[LOGVERIFY_BEGUN_ANEW] = {
		N_("the log was begun anew here, with other keys"),
		N_("Was the terminal set up anew, or its disk replaced, at that time? If not, somebody removed the keys or the log: tell "
		   "the help desk and the security officer.")},
	[LOGVERIFY_NOT_A_RECORD] = {
		N_("this line is no record"),
		N_("Somebody wrote into the file, or the disk is failing (look for errors in the kernel's log). Keep the files and tell "
		   "the help desk.")},
	[LOGVERIFY_MISNAMED] = {
		N_("the name of this file says another number or time than its first record"),
		N_("The keeper names a file by its first record, so somebody has renamed it. Keep the files as they are and tell the "
		   "help desk.")},
	[LOGVERIFY_NO_HEADER] = {
		N_("this is gone, by which the terminal knows its log again"),
		N_("The keeper lays it down when it begins a log, and never removes it: somebody did, perhaps with the log itself. Tell the help "
		   "desk and the security officer. If a copy of it was kept, --terminal-key takes that.")},
};

/* Does a finding of this kind speak of records, and not of a place? */
static bool has_records(const struct logverify_finding *finding)
{
	return finding->from && finding->kind != LOGVERIFY_NOT_A_RECORD;
}

char *logfinding_sentence(const struct logverify_finding *finding)
{
	_cleanup_(freep) char *file = output_escape(finding->file ? finding->file : "");
	_cleanup_(freep) char *place = NULL, *records = NULL, *detail = NULL;

	if (*file && finding->line)
		place = output_format("%s:%" PRIu64 ": ", file, finding->line);
	else if (*file)
		place = output_format("%s: ", file);
	if (has_records(finding) && finding->to > finding->from)
		records = output_format(_("records %llu to %llu: "), (unsigned long long)finding->from,
					(unsigned long long)finding->to);
	else if (has_records(finding))
		records = output_format(_("record %llu: "), (unsigned long long)finding->from);
	if (finding->detail && *finding->detail) {
		_cleanup_(freep) char *safe = output_escape(i18n(finding->detail));

		detail = output_format(" (%s)", safe);
	}
	return output_format("%s%s%s%s", place ? place : "", records ? records : "", _(rows[finding->kind].what),
			     detail ? detail : "");
}

const char *logfinding_advice(enum logverify_kind kind)
{
	return _(rows[kind].advice);
}

struct json_object *logfinding_json(const struct logverify_finding *finding)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		output_no_memory();
	json_object_object_add(object, "kind", json_object_new_string(logverify_kind_name(finding->kind)));
	json_object_object_add(object, "file", json_object_new_string(finding->file ? finding->file : ""));
	json_object_object_add(object, "line", json_object_new_uint64(finding->line));
	json_object_object_add(object, "from", json_object_new_uint64(finding->from));
	json_object_object_add(object, "to", json_object_new_uint64(finding->to));
	json_object_object_add(object, "detail", json_object_new_string(finding->detail ? finding->detail : ""));
	return object;
}
