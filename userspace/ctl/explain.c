// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimorictl explain`: what a policy says of a device. Asks core/decide.h as the daemon does:
 * first without an inspection, then, if a proof is needed and --luks tells what an inspection would
 * find, with it.
 */
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "core/decide.h"
#include "core/luks2.h"
#include "core/reason.h"
#include "ctl/device-line.h"
#include "ctl/explanation.h"
#include "ctl/output.h"
#include "ctl/source.h"
#include "system/alarm.h"

#define DEFAULT_POLICY "/etc/sekimori/policy"
#define CLASS_STORAGE 0x08

struct question {
	const struct command_options *options;
	int64_t civil;
	bool has_report;
	struct report report;
	struct ident *ident;
	struct ident *others[COMMAND_REPEAT_MAX];
	size_t n_others;
};

static int usage(const struct context *context, enum label label)
{
	fprintf(stderr, "sekimorictl: %s\n", label_text(label));
	return COMMAND_USAGE;
}

/* What an inspection that proves this volume reports. False if it is no UUID. */
static bool report_make(struct report *report, const char *luks)
{
	/* As cryptsetup makes them where nothing else is asked for. */
	struct volume volume = { .method = ENCRYPTION_LUKS2,
				 .keyslots = 1,
				 .cipher = "aes-xts-plain64",
				 .kdf = "argon2id" };

	if (!strcmp(luks, "none")) {
		report_init(report, REPORT_PLAIN);
		return true;
	}
	if (strlen(luks) >= sizeof(volume.uuid))
		return false;
	for (size_t i = 0; luks[i]; i++)
		volume.uuid[i] = luks[i] >= 'A' && luks[i] <= 'F' ? (char)(luks[i] + 32) : luks[i];
	report_init(report, REPORT_PROVED);
	report->n_units = 1;
	report->units[0] = (struct report_unit){
		.state = REPORT_UNIT_DISK, .blocks = 1, .block_size = 512, .digest = { 1 } };
	report_add_volume(report, 0, 0, 0, 512, &volume);
	return report_check(report, sizeof(*report), report);
}

static struct ident *read_device(const struct context *context, const char *option,
				 const char *line)
{
	_cleanup_(freep) struct ident *ident = malloc(sizeof(*ident));
	_cleanup_(freep) char *shown = NULL;
	struct rule_error error;

	if (!ident) {
		fprintf(stderr, "sekimorictl: %s\n", _("no memory"));
		return NULL;
	}
	if (device_line_parse(line, ident, &error))
		return TAKE_PTR(ident);
	shown = output_escape(error.message);
	fprintf(stderr, "--%s:1:%u: error: %s\n", option, error.column, shown);
	return NULL;
}

static int read_options(const struct context *context, struct question *question)
{
	const struct command_options *options = question->options;

	if (!options->device)
		return usage(context, LABEL_NEEDS_DEVICE);
	question->civil = alarm_civil_now();
	if (options->at && !civil_parse(options->at, strlen(options->at), false, &question->civil))
		return usage(context, LABEL_BAD_TIME);
	question->has_report = options->luks;
	if (options->luks && !report_make(&question->report, options->luks))
		return usage(context, LABEL_BAD_UUID);
	return COMMAND_OK;
}

static bool read_devices(const struct context *context, struct question *question)
{
	const struct command_options *options = question->options;

	question->ident = read_device(context, "device", options->device);
	if (!question->ident)
		return false;
	for (size_t i = 0; i < options->allowed.n; i++) {
		question->others[i] = read_device(context, "allowed", options->allowed.values[i]);
		if (!question->others[i])
			return false;
		question->n_others++;
	}
	return true;
}

/* The gate holds what the policy does not call harmless. */
static void interfaces_guard(struct explanation *explanation, struct decide_interface *guarded,
			     unsigned int *n)
{
	const struct ident *ident = explanation->ident;

	*n = 0;
	for (unsigned int i = 0; i < ident->n_interfaces; i++) {
		const struct ident_interface *intf = &ident->interfaces[i];

		explanation->judged[i] = -1;
		if (policy_is_harmless(explanation->policy, intf->class))
			continue;
		explanation->judged[i] = (int)*n;
		guarded[(*n)++] = (struct decide_interface){
			.ident = *intf, .storage = intf->class == CLASS_STORAGE};
	}
}

static void answer(const struct question *question, struct explanation *explanation)
{
	const struct command_options *options = question->options;
	struct decide_interface interfaces[IDENT_INTERFACES_MAX];
	struct decide_input input = {
		.ident = question->ident,
		.interfaces = interfaces,
		.policy = explanation->policy,
		.world = {.civil = question->civil,
			  .terminal = options->terminal,
			  .user = options->user,
			  .groups = options->groups.values,
			  .n_groups = options->groups.n,
			  .allowed = (const struct ident *const *)question->others,
			  .n_allowed = question->n_others},
	};

	interfaces_guard(explanation, interfaces, &input.n_interfaces);
	decide(&input, &explanation->result);
	if (explanation->result.device.verdict != DECIDE_PROVE || !question->has_report)
		return;
	input.report = &question->report;
	decide(&input, &explanation->result);
}

int explain_run(const struct context *context, const struct command_options *options)
{
	const char *file = options->policy ? options->policy : DEFAULT_POLICY;
	struct question question = {.options = options};
	struct explanation explanation = {.judged = {0}};
	struct policy *policy = NULL;
	struct context plain = *context;
	struct findings findings;
	struct source source;
	int r = read_options(context, &question);

	if (r)
		return r;
	/* Errors of the policy go to standard error also when the answer would be JSON. */
	plain.json = false;
	r = COMMAND_FAILED;
	if (!source_policy(&source, &plain, file, &findings, &policy)) {
		findings_sum(&findings);
	} else if (read_devices(context, &question)) {
		explanation.policy = policy;
		explanation.source = &source;
		explanation.ident = question.ident;
		answer(&question, &explanation);
		explanation_print(context, &explanation);
		r = COMMAND_OK;
	}
	free(question.ident);
	for (size_t i = 0; i < question.n_others; i++)
		free(question.others[i]);
	policy_free(policy);
	source_deinit(&source);
	findings_deinit(&findings);
	return r;
}
