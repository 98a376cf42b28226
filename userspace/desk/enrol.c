// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimori-desk enrol DEVICE`: a medium that is encrypted already enters the register. It must
 * pass the survey that terminals make. Of a device that encrypts by itself nothing can be seen:
 * then the entry rests on what the clerk says (--method hardware).
 */
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "desk/commands.h"
#include "desk/issue-request.h"
#include "desk/keys.h"
#include "desk/message.h"
#include "desk/target-header.h"
#include "desk/target-say.h"
#include "desk/target-survey.h"
#include "system/cryptvolume.h"

struct enrolment {
	const struct context *context;
	const struct command_options *options;
	struct desk desk;
	struct target *target;
	struct issue_request request;
	struct report report;
	unsigned int method;
	bool mark;
};

static int read_options(struct enrolment *enrolment)
{
	const char *method = command_option(enrolment->options, OPTION_METHOD);

	enrolment->mark = command_option(enrolment->options, OPTION_MARK);
	enrolment->method = method ? encryption_find(method, strlen(method)) : 0;
	if (method && !enrolment->method)
		return message_usage(enrolment->context, _("--method takes %s"),
				     i18n(ENCRYPTION_WORDS));
	return 0;
}

/* Its volume, as a terminal finds it; one and only one, because the register keeps one. */
static int prove(struct enrolment *enrolment)
{
	const struct context *context = enrolment->context;
	const struct report *report = &enrolment->report;
	const char *path = enrolment->target->path;
	_cleanup_(freep) char *detail = NULL;

	target_survey(enrolment->target, &enrolment->report);
	detail = told_text(report->detail);
	if (report->outcome != REPORT_PROVED)
		return message_fail(context, _("%s is %s (%s): terminals will refuse it"), path,
				    target_survey_text(report->outcome), detail);
	if (report->n_volumes != 1)
		return message_fail(context, _("%s holds %u volumes; a medium has one"), path,
				    report->n_volumes);
	if (enrolment->method && enrolment->method != report->volumes[0].method)
		return message_fail(context, _("%s is encrypted by %s"), path,
				    encryption_name(report->volumes[0].method));
	enrolment->method = report->volumes[0].method;
	record_set(&enrolment->request.sets, FIELD_LUKS_UUID, report->volumes[0].uuid);
	return 0;
}

static int look(struct enrolment *enrolment)
{
	int r;

	if (enrolment->method != ENCRYPTION_HARDWARE && (r = prove(enrolment)))
		return r;
	record_set(&enrolment->request.sets, FIELD_ENCRYPTION, encryption_name(enrolment->method));
	/* A mark of an earlier entry is no longer the register's. */
	if (enrolment->request.known)
		record_set(&enrolment->request.sets, FIELD_MARK, "");
	if (enrolment->method == ENCRYPTION_HARDWARE && enrolment->request.known)
		record_set(&enrolment->request.sets, FIELD_LUKS_UUID, "");
	if (!enrolment->mark)
		return 0;
	if (enrolment->method != ENCRYPTION_LUKS2 || enrolment->report.volumes[0].partition)
		return message_fail(enrolment->context,
				    _("a mark can be written only to LUKS2 over the whole disk"));
	if (!issue_request_markable(enrolment->target, &enrolment->request))
		return message_fail(
			enrolment->context,
			_("a mark cannot hold the number or serial number of this medium"));
	return 0;
}

static int confirm(const struct enrolment *enrolment)
{
	const struct context *context = enrolment->context;

	target_say_contents(context, enrolment->target, stderr);
	if (enrolment->method == ENCRYPTION_HARDWARE)
		message_note(
			context,
			_("that it encrypts is taken on your word: nothing of it can be seen"));
	if (message_confirm(context, _("Enter it as %s?"), enrolment->request.number))
		return 0;
	return message_fail(context, _("nothing was done"));
}

/* --- marking --- */

static int write_mark(struct enrolment *enrolment, const struct mark *mark)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	int r;

	if ((r = target_share(enrolment->target)) ||
	    (r = cryptvolume_new(enrolment->target->node, &volume)) ||
	    (r = cryptvolume_load(volume)) || (r = cryptvolume_mark_set(volume, mark)) ||
	    (r = target_header_settle(enrolment->target, volume)))
		return message_fail(enrolment->context, _("%s: the mark cannot be written: %s"),
				    enrolment->target->path,
				    volume && *cryptvolume_message(volume)
					    ? cryptvolume_message(volume)
				    : r > 0 ? i18n(cryptvolume_error(r))
					    : i18n_error(-r));
	return 0;
}

static int check_mark(struct enrolment *enrolment, const struct mark *mark)
{
	const struct report_volume *volume = &enrolment->report.volumes[0];

	target_survey(enrolment->target, &enrolment->report);
	if (enrolment->report.outcome == REPORT_PROVED && volume->has_mark &&
	    !memcmp(&volume->mark, mark, sizeof(*mark)))
		return 0;
	return message_fail(enrolment->context, _("%s: the mark was not kept as it was written"),
			    enrolment->target->path);
}

static int make_mark(struct enrolment *enrolment)
{
	const struct report_volume *volume = &enrolment->report.volumes[0];
	struct signing_key key = {0};
	char json[MARK_JSON_MAX];
	struct mark mark;
	int r = issue_request_mark(enrolment->context, &enrolment->request, enrolment->target,
				   volume->uuid, volume->binding, &mark);

	if (r || (r = keys_open(enrolment->context, &enrolment->desk, KEYS_MEDIA, &key)))
		return r;
	mark_sign(&mark, key.id, key.secret);
	signing_key_close(&key);
	if ((r = write_mark(enrolment, &mark)) || (r = check_mark(enrolment, &mark)))
		return r;
	mark_format(&mark, json);
	record_set(&enrolment->request.sets, FIELD_MARK, json);
	return 0;
}

static int run(struct enrolment *enrolment)
{
	const struct context *context = enrolment->context;
	int r;

	if ((r = read_options(enrolment)) || (r = desk_open(context, &enrolment->desk)) ||
	    (r = target_say_open(context, enrolment->options,
				 enrolment->mark ? TARGET_SAY_WRITE : TARGET_SAY_ENROL,
				 &enrolment->target)) ||
	    (r = issue_request_read(context, enrolment->options, &enrolment->desk,
				    enrolment->target, EVENT_ENROLLED, &enrolment->request)) ||
	    (r = look(enrolment)) || (r = confirm(enrolment)) ||
	    (enrolment->mark && (r = make_mark(enrolment))) ||
	    (r = issue_request_enter(context, &enrolment->desk, &enrolment->request, EVENT_ENROLLED,
				     NULL, NULL)))
		return r;
	if (context->json) {
		_cleanup_(json_objectp) struct json_object *root = json_object_new_object();

		json_object_object_add(root, "number",
				       json_object_new_string(enrolment->request.number));
		json_object_object_add(root, "encryption",
				       json_object_new_string(encryption_name(enrolment->method)));
		output_json(root, JSON_C_TO_STRING_PLAIN);
	}
	message_done(context, _("%s is entered, until %s"), enrolment->request.number,
		     record_get(&enrolment->request.sets, FIELD_UNTIL));
	return COMMAND_OK;
}

int enrol_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(freep) struct enrolment *enrolment = calloc(1, sizeof(*enrolment));
	int r;

	if (!enrolment)
		output_no_memory();
	enrolment->context = context;
	enrolment->options = options;
	enrolment->request.number_lock = -1;
	r = run(enrolment);
	target_close(enrolment->target);
	issue_request_deinit(&enrolment->request);
	desk_close(&enrolment->desk);
	return r;
}
