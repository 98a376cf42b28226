// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimorictl log verify`: was the event log altered? On the terminal, without the desk's key: hashes, numbers, times,
 * signatures, and what the journal, the running keeper and a given file have seen.
 */
#include <errno.h>
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "ctl/loganchors.h"
#include "ctl/logsource.h"
#include "log/logcheck.h"
#include "log/logfinding.h"

/* The verifier takes 100,000; a log of many years has that many checkpoints. */
#define JOURNAL_MAX 50000

/* What a person reads; the rest is counted. */
#define SHOWN_MAX 50
/* What a program gets. */
#define JSON_MAX 10000

struct check {
	const struct context *context;
	struct logverify *verify;
	struct logterminal terminal;
	bool has_key;
	bool own; /* this terminal's log, and no other was asked for */
	uint64_t expected_seq;
	uint64_t from_journal, from_file;
	bool from_daemon;
	int journal_error; /* negative errno */

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
		fflush(stdout);
	}
}

static void take_unreadable(void *userdata, const char *file, int error)
{
	struct check *check = userdata;
	struct json_object *object = json_object_new_object();

	if (!object)
		output_no_memory();
	json_object_object_add(object, "file", json_object_new_string(file));
	json_object_object_add(object, "error", json_object_new_string(strerror(-error)));
	json_object_array_add(check->unreadable, object);
	logsource_unreadable(NULL, file, error);
}

/* --- what it is held against --------------------------------------------------------------------- */

static int usage(const char *option, const char *value, const char *what)
{
	_cleanup_(freep) char *shown = output_escape(value);

	fprintf(stderr, _("sekimorictl: --%s: '%s' %s\n"), option, shown, what);
	return COMMAND_USAGE;
}

static int take_key(struct check *check, const struct command_options *options)
{
	if (options->terminal_key) {
		check->has_key = loganchors_parse_terminal(options->terminal_key, &check->terminal);
		return check->has_key ? COMMAND_OK :
					usage("terminal-key", options->terminal_key,
					      _("is neither 64 hexadecimal digits nor base64 of a key, nor a file that holds one"));
	}
	/* Somebody else's log is not to be held against this terminal's key. */
	check->own = !options->logs.n;
	if (check->own)
		check->has_key = loganchors_read_terminal(check->context, &check->terminal);
	return COMMAND_OK;
}

static void add_anchor(struct check *check, const struct loganchor *anchor)
{
	if (logverify_add_anchor(check->verify, anchor->seq, anchor->hash) == -ENOMEM)
		output_no_memory();
}

static void expect_seq(struct check *check, uint64_t seq)
{
	if (seq > check->expected_seq)
		check->expected_seq = seq;
}

static int take_anchor_file(struct check *check, const char *path)
{
	_cleanup_(freep) char *shown = output_escape(path);
	uint64_t line;
	int r = logcheck_read_anchors(check->verify, path, &line, &check->from_file);

	if (!r)
		return COMMAND_OK;
	if (r == -EINVAL)
		fprintf(stderr, _("sekimorictl: %s:%llu: expected a JSON object with seq and hash (64 hexadecimal digits)\n"), shown,
			(unsigned long long)line);
	else
		fprintf(stderr, "sekimorictl: %s: %s\n", shown, strerror(-r));
	return COMMAND_FAILED;
}

/* Then nothing may be missing in front either, but what retention removed. */
static bool is_directory(const struct command_options *options)
{
	struct stat st;

	return !options->logs.n || (options->logs.n == 1 && !stat(options->logs.values[0], &st) && S_ISDIR(st.st_mode));
}

/* The journal and the keeper know this terminal's log only. What they tell is asked before the log is read: it grows. */
static int check_init(struct check *check, const struct command_options *options)
{
	_cleanup_(freep) struct loganchor *journal = NULL;
	struct logverify_options with = {.finding = take_finding, .userdata = check};
	struct loganchor daemon;
	size_t n = 0;
	int r = take_key(check, options);

	if (r)
		return r;
	if (!options->logs.n) {
		check->journal_error = loganchors_read_journal(check->context, JOURNAL_MAX, &journal, &n);
		check->from_journal = n;
		check->from_daemon = loganchors_ask_daemon(&daemon);
	}
	for (size_t i = 0; i < n; i++)
		expect_seq(check, journal[i].seq);
	if (check->from_daemon)
		expect_seq(check, daemon.seq);
	with.public_key = check->has_key ? check->terminal.public_key : NULL;
	/* Of the first log that is given; the keeper tells the newest one's, which check_newest() looks at. */
	with.id = check->terminal.has_id && !check->own ? check->terminal.id : NULL;
	with.expected_seq = check->expected_seq;
	with.whole = is_directory(options);
	check->verify = logverify_new(&with);
	if (!check->verify)
		output_no_memory();
	for (size_t i = 0; i < n; i++)
		add_anchor(check, &journal[i]);
	if (check->from_daemon)
		add_anchor(check, &daemon);
	return options->anchors ? take_anchor_file(check, options->anchors) : COMMAND_OK;
}

/* The keeper's own header is of the log that it writes now. */
static void check_newest(struct check *check)
{
	const struct logverify_result *result = logverify_result(check->verify);
	const struct logverify_finding finding = {.kind = LOGVERIFY_FOREIGN,
						  .file = "",
						  .from = result->first_seq,
						  .to = result->last_seq,
						  .detail = N_("it is not the log that this terminal's keeper writes")};

	if (check->own && check->terminal.has_id && result->records &&
	    memcmp(result->id, check->terminal.id, CHAIN_ID_LEN))
		take_finding(check, &finding);
}

/* --- the answer --------------------------------------------------------------------------------- */

static bool is_well(const struct check *check)
{
	return !check->n && !json_object_array_length(check->unreadable) && logverify_result(check->verify)->records;
}

static void print_json(const struct check *check)
{
	const struct logverify_result *result = logverify_result(check->verify);
	_cleanup_(json_objectp) struct json_object *object = json_object_new_object();
	char hash[2 * CHAIN_HASH_LEN + 1];
	struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{"records", result->records},
		{"first_seq", result->first_seq},
		{"seq", result->last_seq},
		{"expected_seq", check->expected_seq},
		{"expired_seq", result->expired_seq},
		{"checkpoints", result->checkpoints},
		{"after_checkpoint", result->after_checkpoint},
		{"anchors_journal", check->from_journal},
		{"anchors_file", check->from_file},
		{"anchors_daemon", check->from_daemon},
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
	json_object_object_add(object, "terminal_key_known", json_object_new_boolean(check->has_key));
	json_object_object_add(object, "findings", json_object_get(check->findings));
	json_object_object_add(object, "unreadable", json_object_get(check->unreadable));
	output_json(object, JSON_C_TO_STRING_PLAIN);
}

/* How far the answer reaches: what it rests on, and what only the desk can tell. */
static void print_reach(const struct check *check)
{
	const struct logverify_result *result = logverify_result(check->verify);
	uint64_t anchors = check->from_journal + check->from_file + check->from_daemon;

	if (result->first_seq > 1)
		printf(_("Records before %llu are not here; the log says that those up to %llu expired.\n"),
		       (unsigned long long)result->first_seq, (unsigned long long)result->expired_seq);
	puts(check->has_key ? _("The signatures were checked with the terminal's own key.") :
			      _("The signatures were checked with the key that the log itself states; --terminal-key takes the terminal's."));
	if (anchors)
		printf(_("Held against %llu records that were seen elsewhere (journal %llu, keeper %s, file %llu).\n"),
		       (unsigned long long)anchors, (unsigned long long)check->from_journal,
		       check->from_daemon ? _("yes") : _("no"), (unsigned long long)check->from_file);
	else
		puts(_("Nothing that was seen elsewhere was there to hold it against."));
	if (check->journal_error)
		printf(_("The journal could not be read: %s\n"), strerror(-check->journal_error));
	if (result->after_checkpoint)
		printf(ngettext("The newest record is not covered by a checkpoint yet.\n",
				"The newest %llu records are not covered by a checkpoint yet.\n", result->after_checkpoint),
		       (unsigned long long)result->after_checkpoint);
	puts(_("Whether each record bears its own key only the desk can tell: 'sekimori-desk log verify' on a copy."));
}

static void print_text(const struct check *check)
{
	const struct logverify_result *result = logverify_result(check->verify);
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
	_cleanup_(logset_closep) struct logset *set = NULL;
	int r;

	if (sodium_init() < 0)
		output_no_memory();
	check.findings = array_new();
	check.unreadable = array_new();
	r = check_init(&check, options);
	if (!r)
		r = logsource_open(&set, context, options, 0);
	if (!r) {
		logcheck_run(set, check.verify, true, take_unreadable, &check);
		check_newest(&check);
		if (context->json)
			print_json(&check);
		else
			print_text(&check);
		r = is_well(&check) ? COMMAND_OK : COMMAND_FAILED;
	}
	json_object_put(check.findings);
	json_object_put(check.unreadable);
	logverify_free(check.verify);
	return r;
}
