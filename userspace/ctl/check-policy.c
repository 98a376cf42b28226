// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl check-policy`: every error of a policy file, and what is unwise in it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/civil.h"
#include "ctl/advice.h"
#include "ctl/output.h"
#include "ctl/source.h"
#include "system/alarm.h"

#define STATUSES (MEDIUM_DISPOSED + 1)
#define LABEL_WIDTH 16

struct summary {
	const struct policy *policy;
	char from[CIVIL_TEXT_MAX];
	char until[CIVIL_TEXT_MAX];
	uint64_t media[STATUSES];
};

static void summary_init(struct summary *summary, const struct policy *policy)
{
	*summary = (struct summary){.policy = policy};
	if (policy_valid_from(policy))
		civil_format(policy_valid_from(policy), summary->from);
	if (policy_valid_until(policy))
		civil_format(policy_valid_until(policy), summary->until);
	for (size_t i = 0; i < policy_n_media(policy); i++)
		summary->media[policy_medium(policy, i)->status]++;
}

/* Names of the accepted methods, with blanks between them. */
static void encryption_text(const struct policy *policy, char *out, size_t size)
{
	unsigned int methods = policy_header(policy)->encryption;
	size_t used = 0;

	out[0] = '\0';
	for (unsigned int bit = 1; bit < ENCRYPTION_OPTIONAL && used < size; bit <<= 1)
		if (methods & bit)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? " " : "",
						 encryption_name(bit));
}

/* --- for people ---------------------------------------------------------------------------- */

static void print_title(const struct context *context, enum label label)
{
	const char *title = label_text(label);

	fputs(title, stdout);
	output_pad(title, LABEL_WIDTH);
}

static void print_summary(const struct context *context, const struct summary *summary,
			  const struct findings *findings)
{
	const struct policy *policy = summary->policy;
	_cleanup_(freep) char *id = output_escape(policy_id(policy));
	char encryption[64];

	printf("%s: %s\n", findings->file, label_text(LABEL_NO_ERRORS));
	print_title(context, LABEL_POLICY);
	printf("%s\n", *id ? id : "-");
	print_title(context, LABEL_VERSION);
	if (policy_version(policy))
		printf("%" PRIu64 "\n", policy_version(policy));
	else
		puts("-");
	print_title(context, LABEL_VALID);
	if (summary->from[0] || summary->until[0])
		printf("%s - %s\n", summary->from[0] ? summary->from : "..",
		       summary->until[0] ? summary->until : "..");
	else
		puts(label_text(LABEL_ALWAYS));
	print_title(context, LABEL_MEDIA);
	printf("%zu", policy_n_media(policy));
	for (unsigned int s = 0, n = 0; s < STATUSES; s++)
		if (summary->media[s])
			printf("%s%s %" PRIu64, n++ ? ", " : " (",
			       medium_status_name((enum medium_status)s), summary->media[s]);
	puts(policy_n_media(policy) ? ")" : "");
	print_title(context, LABEL_RULES);
	printf("%zu\n", policy_n_rules(policy));
	encryption_text(policy, encryption, sizeof(encryption));
	print_title(context, LABEL_ENCRYPTION);
	puts(encryption[0] ? encryption : "-");
	print_title(context, LABEL_SIZE);
	printf("%zu KiB\n", (policy_size(policy) + 1023) / 1024);
	if (findings->n_warnings) {
		print_title(context, LABEL_WARNINGS);
		printf("%zu\n", findings->n_warnings);
	}
}

/* --- for programs -------------------------------------------------------------------------- */

static struct json_object *moment_or_null(const char *text)
{
	return *text ? json_object_new_string(text) : NULL;
}

static void add_summary(struct json_object *all, const struct summary *summary)
{
	const struct policy *policy = summary->policy;
	struct json_object *status = json_object_new_object();
	struct json_object *methods = json_object_new_array();
	unsigned int accepted = policy_header(policy)->encryption;

	for (unsigned int s = 0; s < STATUSES; s++)
		json_object_object_add(status, medium_status_name((enum medium_status)s),
				       json_object_new_uint64(summary->media[s]));
	for (unsigned int bit = 1; bit < ENCRYPTION_OPTIONAL; bit <<= 1)
		if (accepted & bit)
			json_object_array_add(methods,
					      json_object_new_string(encryption_name(bit)));
	json_object_object_add(all, "policy", json_object_new_string(policy_id(policy)));
	json_object_object_add(all, "version", json_object_new_uint64(policy_version(policy)));
	json_object_object_add(all, "valid_from", moment_or_null(summary->from));
	json_object_object_add(all, "valid_until", moment_or_null(summary->until));
	json_object_object_add(all, "media", json_object_new_uint64(policy_n_media(policy)));
	json_object_object_add(all, "media_by_status", status);
	json_object_object_add(all, "rules", json_object_new_uint64(policy_n_rules(policy)));
	json_object_object_add(all, "encryption", methods);
	json_object_object_add(all, "size", json_object_new_uint64(policy_size(policy)));
}

static void print_json(const char *file, const struct summary *summary,
		       const struct findings *findings)
{
	_cleanup_(json_objectp) struct json_object *all = json_object_new_object();

	json_object_object_add(all, "file", json_object_new_string(file));
	json_object_object_add(all, "ok", json_object_new_boolean(!!summary));
	json_object_object_add(all, "errors", json_object_get(findings->errors));
	json_object_object_add(all, "n_errors", json_object_new_uint64(findings->n_errors));
	json_object_object_add(all, "warnings", json_object_get(findings->warnings));
	json_object_object_add(all, "n_warnings", json_object_new_uint64(findings->n_warnings));
	if (summary)
		add_summary(all, summary);
	output_json(all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

int check_policy_run(const struct context *context, const struct command_options *options)
{
	const char *file = options->arguments[0];
	struct policy *policy;
	struct findings findings;
	struct source source;
	struct summary summary;
	bool ok = source_policy(&source, context, file, &findings, &policy);

	if (ok) {
		advice_give(policy, &source, alarm_civil_now(), &findings);
		summary_init(&summary, policy);
	}
	if (context->json && source.text)
		print_json(file, ok ? &summary : NULL, &findings);
	else if (ok)
		print_summary(context, &summary, &findings);
	else
		findings_sum(&findings);
	policy_free(policy);
	source_deinit(&source);
	findings_deinit(&findings);
	return ok ? COMMAND_OK : COMMAND_FAILED;
}
