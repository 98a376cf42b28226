/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of one file, plain or compressed by zstd (which its first bytes tell), read in blocks. What it holds: one
 * buffer, and zstd's window of at most 8 MiB. A file that needs more is damaged or no log of ours.
 */
#pragma once

#include "log/logset.h"

struct logreader;

/* NULL without memory. */
struct logreader *logreader_new(void);
struct logreader *logreader_free(struct logreader *reader);

/* Begins with another file; the descriptor stays the caller's and must stay open while lines are taken. */
void logreader_begin(struct logreader *reader, int fd);

/*
 * 1 and the next line (all but line->file), 0 at the end, negative errno; -EBADMSG: not zstd, damaged, or cut off. With `hold` a line
 * without its newline is not given but kept: after 0 another call looks whether the file has grown.
 */
int logreader_next(struct logreader *reader, struct logset_line *line, bool hold);

/* Bytes taken from files since the reader was made. */
uint64_t logreader_bytes(const struct logreader *reader);
