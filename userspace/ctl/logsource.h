/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which log the `log` commands read, which records of it, and how they come out: from the tool's options. */
#pragma once

#include <stdbool.h>

#include "ctl/command.h"
#include "log/logfilter.h"
#include "log/logset.h"
#include "log/logwriter.h"

/* This terminal's directory of logs, as its configuration says, below context->root. Static. */
const char *logsource_directory(const struct context *context);

/* What was given, else the terminal's. COMMAND_OK, or COMMAND_FAILED after saying what is wrong and what to do. */
int logsource_open(struct logset **setp, const struct context *context, const struct command_options *options,
		   int64_t since_us);

/* Says that a file could not be read; a logcheck_unreadable_fn. */
void logsource_unreadable(void *userdata, const char *file, int error);

struct logsource_filter {
	struct logfilter filter;
	char *kinds; /* what filter.kinds point into */
};

/* COMMAND_OK, or COMMAND_USAGE after saying what is wrong. Free with logsource_filter_deinit() in any case. */
int logsource_filter_init(struct logsource_filter *filter, const struct command_options *options);
void logsource_filter_deinit(struct logsource_filter *filter);

/* --format and --json, and what standard output is. COMMAND_OK or COMMAND_USAGE. */
int logsource_writer_init(struct logwriter *writer, const struct context *context,
			  const struct command_options *options, enum logwriter_format otherwise);
