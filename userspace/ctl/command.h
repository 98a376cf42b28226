/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekimorictl's commands: a table in sekimorictl.c, from which the help comes. A command lives in a
 * file of its name.
 */
#pragma once

#include <stdbool.h>

/* Exit statuses of the tool. */
enum {
	COMMAND_OK = 0,
	COMMAND_FAILED = 1, /* refused, failed, or something is wrong with the barrier */
	COMMAND_USAGE = 2,
};

struct context {
	bool json;
	bool japanese;    /* the reader's language, from the environment */
	bool colour;      /* standard output is a terminal and NO_COLOR is not set */
	const char *root; /* directory that stands for "/" where sysfs is read; "" normally */
};

/* Options of single commands. */
struct command_options {
	bool all;
	unsigned long count; /* 0: no end */
};

int status_run(const struct context *context, const struct command_options *options);
int list_run(const struct context *context, const struct command_options *options);
int watch_run(const struct context *context, const struct command_options *options);
