// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/logproof.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/i18n.h"
#include "cli/output.h"

/* The verifier takes 100,000; a log of many years has that many checkpoints. */
#define JOURNAL_MAX 50000

static void tell(void *userdata, const struct logverify_finding *finding)
{
	struct logproof *proof = userdata;

	proof->findings++;
	proof->finding(proof->userdata, finding);
}

static int usage(const char *option, const char *value, const char *what)
{
	_cleanup_(freep) char *shown = output_escape(value);

	fprintf(stderr, _("sekimorictl: --%s: '%s' %s\n"), option, shown, what);
	return COMMAND_USAGE;
}

static int take_key(struct logproof *proof, const struct context *context, const struct command_options *options)
{
	if (options->terminal_key) {
		proof->has_key = loganchors_parse_terminal(options->terminal_key, &proof->terminal);
		return proof->has_key ? COMMAND_OK :
					usage("terminal-key", options->terminal_key,
					      _("is neither 64 hexadecimal digits nor base64 of a key, nor a file that holds one"));
	}
	/* Somebody else's log is not to be held against this terminal's key. */
	proof->own = !options->logs.n;
	if (proof->own)
		proof->has_key = loganchors_read_terminal(context, &proof->terminal);
	return COMMAND_OK;
}

static void add_anchor(struct logproof *proof, const struct loganchor *anchor)
{
	if (logverify_add_anchor(proof->verify, anchor->seq, anchor->hash) == -ENOMEM)
		output_no_memory();
}

static void expect_seq(struct logproof *proof, uint64_t seq)
{
	if (seq > proof->expected_seq)
		proof->expected_seq = seq;
}

static int take_anchor_file(struct logproof *proof, const char *path)
{
	_cleanup_(freep) char *shown = output_escape(path);
	uint64_t line;
	int r = logcheck_read_anchors(proof->verify, path, &line, &proof->from_file);

	if (!r)
		return COMMAND_OK;
	if (r == -EINVAL)
		fprintf(stderr, _("sekimorictl: %s:%llu: expected a JSON object with seq and hash (64 hexadecimal digits)\n"), shown,
			(unsigned long long)line);
	else if (r == -ENODATA)
		fprintf(stderr, _("sekimorictl: %s: there is no record in it to hold the log against\n"), shown);
	else
		fprintf(stderr, "sekimorictl: %s: %s\n", shown, i18n_error(-r));
	return COMMAND_FAILED;
}

/* Then nothing may be missing in front either, but what retention removed. */
static bool is_directory(const struct command_options *options)
{
	struct stat st;

	return !options->logs.n || (options->logs.n == 1 && !stat(options->logs.values[0], &st) && S_ISDIR(st.st_mode));
}

int logproof_init(struct logproof *proof, const struct context *context, const struct command_options *options,
		  logverify_fn finding, void *userdata)
{
	_cleanup_(freep) struct loganchor *journal = NULL;
	struct logverify_options with = {.finding = tell, .userdata = proof};
	struct loganchor daemon;
	size_t n = 0;
	int r;

	*proof = (struct logproof){.finding = finding, .userdata = userdata};
	if (sodium_init() < 0)
		output_no_memory();
	r = take_key(proof, context, options);
	if (r)
		return r;
	/* The journal and the keeper know this terminal's log only. */
	if (!options->logs.n) {
		proof->journal_error = loganchors_read_journal(context, JOURNAL_MAX, &journal, &n);
		proof->from_journal = n;
		proof->from_daemon = loganchors_ask_daemon(&daemon);
	}
	for (size_t i = 0; i < n; i++)
		expect_seq(proof, journal[i].seq);
	if (proof->from_daemon)
		expect_seq(proof, daemon.seq);
	with.public_key = proof->has_key ? proof->terminal.public_key : NULL;
	with.id = proof->terminal.has_id ? proof->terminal.id : NULL;
	with.sealed = proof->terminal.has_sealed ? proof->terminal.sealed : NULL;
	with.sealed_len = proof->terminal.sealed_len;
	with.expected_seq = proof->expected_seq;
	with.whole = is_directory(options);
	proof->verify = logverify_new(&with);
	if (!proof->verify)
		output_no_memory();
	for (size_t i = 0; i < n; i++)
		add_anchor(proof, &journal[i]);
	if (proof->from_daemon)
		add_anchor(proof, &daemon);
	return options->anchors ? take_anchor_file(proof, options->anchors) : COMMAND_OK;
}

void logproof_deinit(struct logproof *proof)
{
	proof->verify = logverify_free(proof->verify);
}

/* The keeper's own header is of the log that it writes now. */
static void check_newest(struct logproof *proof)
{
	const struct logverify_result *result = logverify_result(proof->verify);
	const struct logverify_finding finding = {.kind = LOGVERIFY_FOREIGN,
						  .file = "",
						  .from = result->first_seq,
						  .to = result->last_seq,
						  .detail = N_("it is not the log that this terminal's keeper writes")};

	if (proof->own && proof->terminal.has_id && result->records &&
	    memcmp(result->id, proof->terminal.id, CHAIN_ID_LEN))
		tell(proof, &finding);
}

/* Whoever empties or replaces the log removes what would tell that, too. */
static void check_traces(struct logproof *proof, const struct logset *set)
{
	const struct logverify_result *result = logverify_result(proof->verify);
	const struct logverify_finding no_header = {
		.kind = LOGVERIFY_NO_HEADER, .file = LOGANCHORS_HEADER, .detail = ""};
	const struct logverify_finding missing = {.kind = LOGVERIFY_TRUNCATED,
						  .file = "",
						  .from = result->last_seq + 1,
						  .to = result->last_seq + 1,
						  .detail = N_("the newest file, events.jsonl, is not there")};

	if (proof->own && logset_newest(set) == LOGSET_NEWEST_MISSING)
		tell(proof, &missing);
	if (proof->own && !proof->terminal.has_id)
		tell(proof, &no_header);
}

int logproof_run(struct logproof *proof, struct logset *set, const struct logcheck *how)
{
	struct logcheck check = *how;
	int r;

	check.verify = proof->verify;
	check.finding = tell;
	check.finding_userdata = proof;
	r = logcheck_run(set, &check);
	check_newest(proof);
	check_traces(proof, set);
	return r;
}

uint64_t logproof_anchors(const struct logproof *proof)
{
	return proof->from_journal + proof->from_file + proof->from_daemon;
}
