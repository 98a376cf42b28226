/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes a log's files through the verifier, and shows how far it has come where somebody is waiting. */
#pragma once

#include <stdbool.h>

#include "core/logverify.h"
#include "log/logset.h"

/* A file that could not be read, or is damaged (-EBADMSG), is told; the others are checked. error: negative errno. */
typedef void (*logcheck_unreadable_fn)(void *userdata, const char *file, int error);

/*
 * All lines, and the end. progress: percent on standard error, if that is a terminal. False if a file was unreadable.
 */
bool logcheck_run(struct logset *set, struct logverify *verify, bool progress, logcheck_unreadable_fn unreadable,
		  void *userdata);

/*
 * Records seen elsewhere, for logverify_add_anchor(): JSON lines with "seq" and "hash" (64 hex digits), as journal,
 * D-Bus and `sekimorictl log verify --json` give them; other members are ignored. 0; -ENOENT, -EACCES … ; -EINVAL: *linep
 * is the first line that is none; -E2BIG, -ENOMEM. "-" is standard input.
 */
int logcheck_read_anchors(struct logverify *verify, const char *path, uint64_t *linep, uint64_t *np);
