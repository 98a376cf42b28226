/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tool says to the person: a translated format, where it is known best. Values may hold anything: the whole
 * line goes out escaped for a terminal.
 */
#pragma once

#include <stdbool.h>

#include "desk/command.h"

#define _printf2_ __attribute__((format(printf, 2, 3)))

/* To standard error, with the tool's name in front. Returns COMMAND_FAILED. */
int message_fail(const struct context *context, const char *format, ...) _printf2_;

/* The same, and points to the help. Returns COMMAND_USAGE. */
int message_usage(const struct context *context, const char *format, ...) _printf2_;

/* Only that pointer, after what was said in other ways. Returns COMMAND_USAGE. */
int message_usage_hint(void);

/* To standard error; nothing failed. */
void message_note(const struct context *context, const char *format, ...) _printf2_;

/* A line to standard output; with --json nothing. */
void message_done(const struct context *context, const char *format, ...) _printf2_;

/*
 * Asks on the terminal for a yes; --yes answers it. False if the answer is another one, or there is
 * no terminal (which is said).
 */
bool message_confirm(const struct context *context, const char *format, ...) _printf2_;
