// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimorictl log verify`: was the event log altered? On the terminal, without the desk's key: hashes, numbers, times,
 * signatures, and what the journal, the running keeper and a given file have seen.
 */
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "ctl/logproof.h"
#include "ctl/logsource.h"
#include "log/logfinding.h"

/* What a person reads; the rest is counted. */
#define SHOWN_MAX 50
/* What a program gets. */
#define JSON_MAX 10000

struct check {
	const struct context *context;
	struct logproof proof;

	uint64_t n;
	bool kinds[N_LOGVERIFY_KINDS];
	uint64_t first_bad; /* lowest number that a finding names; 0: none does */
	struct json_object *findings, *unreadable;
};

static struct json_object *array_new(void)
{
	struct json_object *array = json_object_new_array();

	if (!array)
		output_no_memory();
	return array;
}

/* --- findings ---------------------------------------------------------------------------------- */

static void take_finding(void *userdata, const struct logverify_finding *finding)
{
	struct check *check = userdata;

	check->kinds[finding->kind] = true;
	if (finding->from && (!check->first_bad || finding->from < check->first_bad))
		check->first_bad = finding->from;
	check->n++;
	if (check->context->json) {
		if (check->n <= JSON_MAX)
			json_object_array_add(check->findings, logfinding_json(finding));
	} else if (check->n <= SHOWN_MAX) {
		_cleanup_(freep) char *sentence = logfinding_sentence(finding);

		puts(sentence);
		output_flush();
	}
}

static void take_unreadable(void *userdata, const char *file, int error)
{
	struct check *check = userdata;
	struct json_object *object = json_object_new_object();

	if (!object)
		output_no_memory();
	json_object_object_add(object, "file", json_object_new_string(file));
	json_object_object_add(object, "error", json_object_new_string(strerrordesc_np(-error)));
	json_object_array_add(check->unreadable, object);
	logsource_unreadable(NULL, file, error);
}

/* --- the answer --------------------------------------------------------------------------------- */

static bool is_well(const struct check *check)
{
	return !check->n && !json_object_array_length(check->unreadable) && logverify_result(check->proof.verify)->records;
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
		{"n_findings", check->n},
		{"first_bad", check->first_bad},
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
	json_object_object_add(object, "findings", json_object_get(check->findings));
	json_object_object_add(object, "unreadable", json_object_get(check->unreadable));
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

	if (check->n > SHOWN_MAX)
		printf(_("… and %llu more\n"), (unsigned long long)(check->n - SHOWN_MAX));
	if (check->n)
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
	else if (!check->n)
		puts(_("Not all files could be read, so nothing is certain."));
	if (check->first_bad)
		printf(_("THE LOG IS NOT WHOLE. The first bad record is number %llu.\n"), (unsigned long long)check->first_bad);
	else if (check->n)
		puts(_("THE LOG IS NOT WHOLE."));
	for (unsigned int kind = 0; kind < N_LOGVERIFY_KINDS; kind++) {
		bool said = false;

		/* Several kinds may call for the same. */
		for (unsigned int before = 0; before < kind; before++)
			said |= check->kinds[before] && logfinding_advice(before) == logfinding_advice(kind);
		if (check->kinds[kind] && !said)
			printf("  - %s\n", logfinding_advice(kind));
	}
}

int log_verify_run(const struct context *context, const struct command_options *options)
{
	struct check check = {.context = context};
	const struct logcheck how = {.unreadable = take_unreadable, .userdata = &check, .progress = true};
	_cleanup_(logset_closep) struct logset *set = NULL;
	int r;

	check.findings = array_new();
	check.unreadable = array_new();
	r = logproof_init(&check.proof, context, options, take_finding, &check);
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
	json_object_put(check.findings);
	json_object_put(check.unreadable);
	logproof_deinit(&check.proof);
	return r;
}
