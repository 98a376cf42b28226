// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimori-desk inspect DEVICE`: what a terminal would find on it, and what the register says.
 * Exit status 1 if a terminal would refuse it as not encrypted, or its mark does not hold.
 */
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "desk/commands.h"
#include "desk/message.h"
#include "desk/target-find.h"
#include "desk/target-mark.h"
#include "desk/target-say.h"
#include "desk/target-survey.h"

struct inspection {
	const struct context *context;
	const struct command_options *options;
	struct desk desk;
	struct target *target;
	struct report report;
	int marks[REPORT_VOLUMES_MAX]; /* outcome of each volume's mark */
	bool known;
	struct medium_state medium;
};

static int look(struct inspection *inspection)
{
	const char *uuid = "";
	int r;

	target_survey(inspection->target, &inspection->report);
	for (size_t i = 0; i < inspection->report.n_volumes; i++) {
		const struct report_volume *volume = &inspection->report.volumes[i];

		r = target_mark_check(inspection->context, &inspection->desk, inspection->target,
				      volume, &inspection->marks[i]);
		if (r)
			return r;
		if (!*uuid)
			uuid = volume->uuid;
	}
	r = target_find(inspection->context, inspection->options, &inspection->desk,
			inspection->target, uuid, &inspection->medium);
	inspection->known = !r;
	return r == TARGET_FIND_NONE ? 0 : r;
}

static int status_of(const struct inspection *inspection)
{
	if (inspection->report.outcome != REPORT_PROVED)
		return COMMAND_FAILED;
	for (size_t i = 0; i < inspection->report.n_volumes; i++)
		if (inspection->marks[i] && inspection->marks[i] != TARGET_MARK_NONE)
			return COMMAND_FAILED;
	return COMMAND_OK;
}

/* --- for programs --- */

static struct json_object *volume_json(const struct report_volume *volume, int mark)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "partition", json_object_new_int(volume->partition));
	json_object_object_add(object, "method",
			       json_object_new_string(encryption_name(volume->method)));
	json_object_object_add(object, "uuid", json_object_new_string(volume->uuid));
	json_object_object_add(object, "label", json_object_new_string(volume->label));
	json_object_object_add(object, "cipher", json_object_new_string(volume->cipher));
	json_object_object_add(object, "kdf", json_object_new_string(volume->kdf));
	json_object_object_add(object, "keyslots", json_object_new_int64(volume->keyslots));
	json_object_object_add(object, "mark", json_object_new_string(target_mark_word(mark)));
	if (volume->has_mark)
		json_object_object_add(object, "marked_number",
				       json_object_new_string(volume->mark.number));
	return object;
}

static void print_json(const struct inspection *inspection)
{
	_cleanup_(json_objectp) struct json_object *root = json_object_new_object();
	struct json_object *volumes = json_object_new_array(), *entry;

	json_object_object_add(
		root, "outcome",
		json_object_new_string(report_outcome_name(inspection->report.outcome)));
	json_object_object_add(root, "detail", json_object_new_string(inspection->report.detail));
	json_object_object_add(root, "size", json_object_new_uint64(inspection->target->size));
	for (size_t i = 0; i < inspection->report.n_volumes; i++)
		json_object_array_add(
			volumes, volume_json(&inspection->report.volumes[i], inspection->marks[i]));
	json_object_object_add(root, "volumes", volumes);
	if (inspection->known) {
		entry = json_object_new_object();
		for (unsigned int i = 0; i < FIELD_COUNT; i++)
			json_object_object_add(
				entry, field_rows[i].name,
				json_object_new_string(record_get(&inspection->medium.record, i)));
		json_object_object_add(root, "register", entry);
	}
	output_json(root, JSON_C_TO_STRING_PLAIN);
}

/* --- for people --- */

static void print_volume(const struct context *context, const struct report_volume *volume,
			 int mark)
{
	_cleanup_(freep) char *label = output_escape(volume->label),
			      *number = output_escape(volume->mark.number);

	printf("  %s %s  %s  %s  %s %u  %s\n", encryption_name(volume->method), volume->uuid,
	       volume->cipher, volume->kdf, _("keyslots"), volume->keyslots, label);
	printf("  %s: %s", _("mark"), target_mark_text(mark));
	if (volume->has_mark)
		/* Translators: number, first and last day. */
		printf(_("  (%s, %s to %s)"), number, volume->mark.issued, volume->mark.until);
	putchar('\n');
}

static void print_entry(const struct inspection *inspection)
{
	static const enum field shown[] = {FIELD_NUMBER, FIELD_CLASS, FIELD_CONTENT,
					   FIELD_HOLDER, FIELD_PLACE, FIELD_UNTIL};

	if (!inspection->known) {
		puts(_("not in the register"));
		return;
	}
	puts(_("in the register:"));
	printf("  %s: %s\n", i18n(field_rows[FIELD_STATUS].text),
	       status_text(inspection->medium.transition.status));
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		_cleanup_(freep) char *value =
			output_escape(record_get(&inspection->medium.record, shown[i]));
		const struct field_row *row = &field_rows[shown[i]];

		if (*value)
			printf("  %s: %s\n", i18n(row->text), value);
	}
}

static void print(const struct inspection *inspection)
{
	const struct context *context = inspection->context;
	_cleanup_(freep) char *detail = told_shown(inspection->report.detail);

	target_say_contents(context, inspection->target, stdout);
	printf("%s%s%s\n", target_survey_text(inspection->report.outcome), *detail ? ": " : "",
	       detail);
	for (size_t i = 0; i < inspection->report.n_volumes; i++)
		print_volume(context, &inspection->report.volumes[i], inspection->marks[i]);
	print_entry(inspection);
}

static int run(struct inspection *inspection)
{
	int r;

	if ((r = desk_open(inspection->context, &inspection->desk)) ||
	    (r = target_say_open(inspection->context, inspection->options, TARGET_SAY_LOOK,
				 &inspection->target)) ||
	    (r = look(inspection)))
		return r;
	if (inspection->context->json)
		print_json(inspection);
	else
		print(inspection);
	return status_of(inspection);
}

int inspect_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(freep) struct inspection *inspection = calloc(1, sizeof(*inspection));
	int r;

	if (!inspection)
		output_no_memory();
	inspection->context = context;
	inspection->options = options;
	r = run(inspection);
	target_close(inspection->target);
	medium_state_deinit(&inspection->medium);
	desk_close(&inspection->desk);
	return r;
}
