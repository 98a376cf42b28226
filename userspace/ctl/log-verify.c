// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimorictl log verify`: was the event log altered? On the terminal, without the desk's key: hashes, numbers, times,
 * signatures, and what the journal, the running keeper and a given file have seen.
 */
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "ctl/logproof.h"
#include "ctl/logsource.h"
#include "log/logfound.h"

struct check {
	const struct context *context;
	struct logproof proof;
	struct logfound found;
};

/* --- findings ---------------------------------------------------------------------------------- */

static void take_unreadable(void *userdata, const char *file, int error)
{
	struct check *check = userdata;

	logfound_unreadable(&check->found, file, error);
	logsource_unreadable(NULL, file, error);
}

/* --- the answer --------------------------------------------------------------------------------- */

static bool is_well(const struct check *check)
{
	return !check->found.n && !json_object_array_length(check->found.unreadable) && logverify_result(check->proof.verify)->records;
}

static void print_json(const struct check *check)
{
	const struct logverify_result *result = logverify_result(check->proof.verify);
	_cleanup_(json_objectp) struct json_object *object = json_object_new_object();
	char hash[2 * CHAIN_HASH_LEN + 1];
	struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{"records", result->records},
		{"first_seq", result->first_seq},
		{"seq", result->last_seq},
		{"expected_seq", check->proof.expected_seq},
		{"expired_seq", result->expired_seq},
		{"checkpoints", result->checkpoints},
		{"after_checkpoint", result->after_checkpoint},
		{"anchors_journal", check->proof.from_journal},
		{"anchors_file", check->proof.from_file},
		{"anchors_daemon", check->proof.from_daemon},
		{"n_findings", check->found.n},
		{"first_bad", check->found.first_bad},
	};

	if (!object)
		output_no_memory();
	sodium_bin2hex(hash, sizeof(hash), result->last_hash, CHAIN_HASH_LEN);
	json_object_object_add(object, "ok", json_object_new_boolean(is_well(check)));
	json_object_object_add(object, "terminal", json_object_new_string(result->terminal));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		json_object_object_add(object, numbers[i].name, json_object_new_uint64(numbers[i].value));
	json_object_object_add(object, "hash", json_object_new_string(hash));
	json_object_object_add(object, "terminal_key_known", json_object_new_boolean(check->proof.has_key));
	json_object_object_add(object, "findings", json_object_get(check->found.findings));
	json_object_object_add(object, "unreadable", json_object_get(check->found.unreadable));
	output_json(object, JSON_C_TO_STRING_PLAIN);
}

/* How far the answer reaches: what it rests on, and what only the desk can tell. */
static void print_reach(const struct check *check)
{
	const struct logverify_result *result = logverify_result(check->proof.verify);
	uint64_t anchors = logproof_anchors(&check->proof);

	if (result->first_seq > 1)
		printf(_("Records before %llu are not here; the log says that those up to %llu expired.\n"),
		       (unsigned long long)result->first_seq, (unsigned long long)result->expired_seq);
	puts(check->proof.has_key ? _("The signatures were checked with the terminal's own key.") :
			      _("The signatures were checked with the key that the log itself states; --terminal-key takes the terminal's."));
	if (anchors)
		printf(_("Held against %llu records that were seen elsewhere (journal %llu, keeper %s, file %llu).\n"),
		       (unsigned long long)anchors, (unsigned long long)check->proof.from_journal,
		       check->proof.from_daemon ? _("yes") : _("no"), (unsigned long long)check->proof.from_file);
	else
		puts(_("Nothing that was seen elsewhere was there to hold it against."));
	if (check->proof.journal_error)
		printf(_("The journal could not be read: %s\n"), i18n_error(-check->proof.journal_error));
	if (result->after_checkpoint)
		printf(ngettext("The newest record is not covered by a checkpoint yet.\n",
				"The newest %llu records are not covered by a checkpoint yet.\n", result->after_checkpoint),
		       (unsigned long long)result->after_checkpoint);
	puts(_("Whether each record bears its own key only the desk can tell: 'sekimori-desk log verify' on a copy."));
}

static void print_text(const struct check *check)
{
	const struct logverify_result *result = logverify_result(check->proof.verify);
	_cleanup_(freep) char *terminal = output_escape(result->terminal);

	logfound_print_more(&check->found);
	if (check->found.n)
		putchar('\n');
	printf(_("%llu records (%llu to %llu) of %s, %llu signed checkpoints.\n"), (unsigned long long)result->records,
	       (unsigned long long)result->first_seq, (unsigned long long)result->last_seq, *terminal ? terminal : "?",
	       (unsigned long long)result->checkpoints);
	print_reach(check);
	if (!result->records)
		puts(_("There is no record in it: somebody may have emptied it. Tell the help desk."));
	else if (is_well(check) && !logproof_anchors(&check->proof))
		printf(_("The log is whole as far as record %llu; what came after it cannot be known.\n"),
		       (unsigned long long)result->last_seq);
	else if (is_well(check))
		puts(_("The log is whole: nothing was altered, removed or added."));
	else if (!check->found.n)
		puts(_("Not all files could be read, so nothing is certain."));
	if (check->found.first_bad)
		printf(_("THE LOG IS NOT WHOLE. The first bad record is number %llu.\n"), (unsigned long long)check->found.first_bad);
	else if (check->found.n)
		puts(_("THE LOG IS NOT WHOLE."));
	logfound_print_advice(&check->found);
}

int log_verify_run(const struct context *context, const struct command_options *options)
{
	struct check check = {.context = context};
	const struct logcheck how = {.unreadable = take_unreadable, .userdata = &check, .progress = true};
	_cleanup_(logset_closep) struct logset *set = NULL;
	int r;

	logfound_init(&check.found, context->json);
	r = logproof_init(&check.proof, context, options, logfound_take, &check.found);
	if (!r)
		r = logsource_open(&set, context, options, 0);
	if (!r) {
		logproof_run(&check.proof, set, &how);
		if (context->json)
			print_json(&check);
		else
			print_text(&check);
		r = is_well(&check) ? COMMAND_OK : COMMAND_FAILED;
	}
	logfound_deinit(&check.found);
	logproof_deinit(&check.proof);
	return r;
}
