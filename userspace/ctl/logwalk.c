// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/logwalk.h"

#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "ctl/logproof.h"
#include "ctl/logsource.h"
#include "ctl/newfile.h"
#include "log/logfinding.h"

struct walk {
	struct report_check *check;
	logwalk_fn take;
	void *userdata;
};

static void found(void *userdata, const struct logverify_finding *finding)
{
	struct report_check *check = userdata;

	if (check->n < REPORT_FINDINGS_MAX)
		check->findings[check->n++] = (struct report_finding){ .kind = finding->kind,
								       .from = finding->from,
								       .to = finding->to,
								       .text = logfinding_sentence(finding) };
}

static void take_unreadable(void *userdata, const char *file, int error)
{
	struct walk *walk = userdata;

	logsource_unreadable(NULL, file, error);
	if (walk->check)
		walk->check->unreadable = true;
}

/* What is made of the log rests on its newer files; whether it is whole only all of them together tell. */
static int take_line(void *userdata, const struct logset_line *line)
{
	struct walk *walk = userdata;

	return line->early ? 0 : walk->take(walk->userdata, line);
}

static void run(struct logset *set, struct logproof *proof, struct walk *walk)
{
	const struct logcheck how = { .unreadable = take_unreadable, .line = take_line, .userdata = walk };

	if (walk->check)
		logset_give_early(set);
	if (walk->check ? logproof_run(proof, set, &how) : logcheck_run(set, &how))
		output_no_memory();
	if (walk->check) {
		walk->check->result = *logverify_result(proof->verify);
		walk->check->result.findings = proof->findings;
	}
}

int logwalk_run(const struct context *context, const struct command_options *options, int64_t since_us,
		logwalk_fn take, void *userdata, struct report_check *check)
{
	struct walk walk = { .check = check, .take = take, .userdata = userdata };
	_cleanup_(logset_closep) struct logset *set = NULL;
	struct logproof proof = { .verify = NULL };
	int r = COMMAND_OK;

	if (check) {
		*check = (struct report_check){ .n = 0 };
		r = logproof_init(&proof, context, options, found, check);
	}
	if (r == COMMAND_OK)
		r = logsource_open(&set, context, options, since_us);
	if (r == COMMAND_OK)
		run(set, &proof, &walk);
	logproof_deinit(&proof);
	return r;
}

void logwalk_warn(const struct report_check *check)
{
	if (check->result.findings)
		fputs(_("sekimorictl: something is wrong with the log: 'sekimorictl log verify' says what to do.\n"), stderr);
}

void logwalk_free(struct report_check *check)
{
	for (size_t i = 0; i < check->n; i++)
		free(check->findings[i].text);
}

int logwalk_format(const struct command_options *options, enum logwalk_format *format)
{
	static const char *const names[] = { "text", "html", "csv" };
	_cleanup_(freep) char *shown = NULL;

	*format = LOGWALK_TEXT;
	if (!options->format)
		return COMMAND_OK;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(options->format, names[i])) {
			*format = (enum logwalk_format)i;
			return COMMAND_OK;
		}
	}
	shown = output_escape(options->format);
	fprintf(stderr, _("sekimorictl: --format: '%s' is no format; there are text, html and csv\n"), shown);
	return COMMAND_USAGE;
}

int logwalk_write(const struct document *document, enum logwalk_format format, const struct command_options *options)
{
	int r = newfile_begin(options->output);

	if (r != COMMAND_OK)
		return r;
	switch (format) {
	case LOGWALK_TEXT:
		document_write_text(document, stdout);
		break;
	case LOGWALK_HTML:
		document_write_html(document, stdout);
		break;
	case LOGWALK_CSV:
		document_write_csv(document, stdout);
		break;
	}
	return newfile_end(options->output, COMMAND_OK);
}
