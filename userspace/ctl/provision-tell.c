// SPDX-License-Identifier: GPL-2.0-or-later
/* What `sekimorictl provision` says, to people and to programs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "ctl/provision.h"

static _printf_(1, 0) char *format_new(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		output_no_memory();
	return text;
}

int provision_fail(struct provision_job *job, const char *format, ...)
{
	va_list args;

	if (job->error)
		return COMMAND_FAILED;
	va_start(args, format);
	job->error = format_new(format, args);
	va_end(args);
	return COMMAND_FAILED;
}

int provision_fail_errno(struct provision_job *job, const char *path, int r)
{
	return provision_fail(job, "%s: %s", path, i18n_error(-r));
}

void provision_warn(struct provision_job *job, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list args;

	va_start(args, format);
	text = format_new(format, args);
	va_end(args);
	json_object_array_add(job->warnings, json_object_new_string(text));
}

void provision_say_error(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
	_cleanup_(freep) char *shown = output_escape(file), *text = output_escape(message);

	fprintf(stderr, _("%s:%u:%u: error: %s"), shown, line, column, text);
	fputc('\n', stderr);
}

/* --- programs ------------------------------------------------------------------------------------- */

static struct json_object *change_object(const struct provision_item *item)
{
	struct json_object *object = json_object_new_object();
	_cleanup_(freep) char *path = output_format("%s/%s", item->dir, item->name);

	json_object_object_add(object, "what", json_object_new_string(item->what));
	json_object_object_add(object, "path", json_object_new_string(path));
	json_object_object_add(object, "change", json_object_new_string(item->change));
	return object;
}

static void tell_json(const struct provision_job *job, bool ok)
{
	_cleanup_(json_objectp) struct json_object *all = json_object_new_object();
	struct json_object *changes = json_object_new_array();

	for (size_t i = 0; i < job->n_items; i++)
		if (job->items[i].change)
			json_object_array_add(changes, change_object(&job->items[i]));
	json_object_object_add(all, "ok", json_object_new_boolean(ok));
	json_object_object_add(all, "changed", json_object_new_boolean(json_object_array_length(changes) > 0 || job->is_owed));
	json_object_object_add(all, "check", json_object_new_boolean(job->options->check));
	json_object_object_add(all, "changes", changes);
	json_object_object_add(all, "warnings", json_object_get(job->warnings));
	if (job->daemon)
		json_object_object_add(all, "daemon", json_object_new_string(job->daemon));
	if (job->error)
		json_object_object_add(all, "error", json_object_new_string(job->error));
	output_json(all, JSON_C_TO_STRING_PLAIN);
}

/* --- people ------------------------------------------------------------------------------------------ */

/* Words of programs, and what is said of a file that is (or would be) changed so. */
static const struct {
	const char *change, *done, *planned;
} changes_told[] = {
	{ "new", NC_("file", "written"), N_("would be written") },
	{ "replaced", NC_("file", "replaced"), N_("would be replaced") },
	{ "removed", NC_("file", "removed"), N_("would be removed") },
};

static const struct {
	const char *word, *text;
} daemons_told[] = {
	{ "image", N_("Nothing runs here: it takes effect when the terminal starts.") },
	{ "not-running", N_("sekimorid is not running: it takes effect when it starts (systemctl start sekimorid).") },
	{ "reloaded", N_("sekimorid has taken it up.") },
	{ "restarted", N_("sekimorid was restarted and has taken it up.") },
};

static void tell_changes(const struct provision_job *job)
{
	for (size_t i = 0; i < job->n_items; i++) {
		const struct provision_item *item = &job->items[i];
		_cleanup_(freep) char *path = output_format("%s/%s", item->dir, item->name), *shown = output_escape(path);

		for (size_t k = 0; item->change && k < ARRAY_SIZE(changes_told); k++)
			if (!strcmp(changes_told[k].change, item->change))
				printf("%s: %s\n", shown,
				       i18n(job->options->check ? changes_told[k].planned : changes_told[k].done));
	}
	if (!provision_changes(job) && !job->is_owed)
		puts(_("There is nothing to do: all of it is in place."));
	for (size_t i = 0; job->daemon && i < ARRAY_SIZE(daemons_told); i++)
		if (!strcmp(daemons_told[i].word, job->daemon))
			puts(i18n(daemons_told[i].text));
}

static void tell_warnings(const struct provision_job *job)
{
	for (size_t i = 0; i < json_object_array_length(job->warnings); i++) {
		_cleanup_(freep) char *shown =
			output_escape(json_object_get_string(json_object_array_get_idx(job->warnings, i)));

		fprintf(stderr, "sekimorictl: %s %s\n", _("warning:"), shown);
	}
}

int provision_tell(struct provision_job *job, int status)
{
	/* What was done before it failed is said, too. */
	if (job->context->json)
		tell_json(job, status == COMMAND_OK);
	else if (status == COMMAND_OK)
		tell_changes(job);
	tell_warnings(job);
	if (status != COMMAND_OK && job->error) {
		_cleanup_(freep) char *shown = output_escape(job->error);

		fprintf(stderr, "sekimorictl: %s\n", shown);
	}
	if (status == COMMAND_OK && job->options->check && (provision_changes(job) || job->is_owed))
		return COMMAND_FAILED;
	return status;
}
