/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a log file, also of a compressed one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Room for the longest record of ours and a cut one behind it. */
#define LOGEND_MAX 65536

/*
 * Reads up to LOGEND_MAX bytes from the file's end into `out`. A packed file is unpacked on the way, in little memory; where it is
 * damaged, what could be read ends there. Negative errno.
 */
int logend_read(int dir, const char *name, bool packed, char *out, size_t *lenp);
