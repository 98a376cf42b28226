/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Once through a log, line by line, verifying it on the way: for what is made of a log. Where a report goes: standard
 * output, or a new file that only its owner may read.
 */
#pragma once

#include "ctl/command.h"
#include "log/logset.h"
#include "report/report.h"

/* 0, or a negative errno that ends the walk. */
typedef int (*logwalk_fn)(void *userdata, const struct logset_line *line);

/*
 * The files that the options name, else this terminal's; what ends before since_us is verified like the rest (as
 * ctl/logproof.h has it), but not handed out. COMMAND_OK, or COMMAND_USAGE or COMMAND_FAILED after saying why; a file that
 * cannot be read is told and leaves check->unreadable. The check is to be freed by logwalk_free() in any case; NULL: the
 * log is only read, because it was verified before.
 */
int logwalk_run(const struct context *context, const struct command_options *options, int64_t since_us,
		logwalk_fn line, void *userdata, struct report_check *check);
void logwalk_free(struct report_check *check);

/* Says on standard error that something is wrong with the log, if so. */
void logwalk_warn(const struct report_check *check);

enum logwalk_format {
	LOGWALK_TEXT,
	LOGWALK_HTML,
	LOGWALK_CSV,
};

/* Of --format; COMMAND_OK or COMMAND_USAGE after saying what there is. */
int logwalk_format(const struct command_options *options, enum logwalk_format *format);

/* Writes to --output, or to standard output. COMMAND_OK or COMMAND_FAILED after saying why. */
int logwalk_write(const struct document *document, enum logwalk_format format, const struct command_options *options);
