/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program of the system's that is run to its end, with bytes for its standard input and from its standard output. */
#pragma once

#include <stddef.h>

#define PROGRAM_OUTPUT_MAX 65536

/*
 * argv[0] is a path. `in` may be NULL. *outp (may be NULL, then its output goes nowhere) is malloc'd, with a NUL behind. Its
 * exit status, or negative errno; -EPROTO for one that was killed, -EFBIG for too much output. Neither input nor output ever
 * lies in a file of a file system.
 */
int program_run(const char *const *argv, const void *in, size_t in_len, char **outp, size_t *out_len);
