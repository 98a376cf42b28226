/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a log is held against on the terminal, the same for all that verify one: the terminal's key and the log's id as the
 * keeper laid them down (or --terminal-key), and records that the journal, the running keeper and --anchors have seen.
 * A log that --log names is another's: of this terminal nothing is held against it.
 */
#pragma once

#include "ctl/command.h"
#include "ctl/loganchors.h"
#include "log/logcheck.h"

struct logproof {
	struct logverify *verify;
	struct logterminal terminal;
	bool has_key;
	bool own; /* this terminal's log, and no other key was given */
	uint64_t expected_seq;
	uint64_t from_journal, from_file;
	bool from_daemon;
	int journal_error; /* negative errno */
	uint64_t findings; /* told so far */

	logverify_fn finding;
	void *userdata;
};

/*
 * Before the log is opened: it grows. `finding` gets what is found. COMMAND_OK, or COMMAND_USAGE or COMMAND_FAILED after
 * saying why. Free with logproof_deinit() in any case.
 */
int logproof_init(struct logproof *proof, const struct context *context, const struct command_options *options,
		  logverify_fn finding, void *userdata);
void logproof_deinit(struct logproof *proof);

/* Takes the whole log through it; of `how` the members verify and finding are not looked at. 0, or what how->line returned. */
int logproof_run(struct logproof *proof, struct logset *set, const struct logcheck *how);

/* How many records were seen elsewhere. */
uint64_t logproof_anchors(const struct logproof *proof);
