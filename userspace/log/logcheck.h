/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes a log's files through the verifier, and shows how far it has come where somebody is waiting. */
#pragma once

#include <stdbool.h>

#include "core/logverify.h"
#include "log/logset.h"

struct logcheck {
	struct logverify *verify; /* NULL: the log is only read */
	/* What the verifier cannot see, because it stands in no line: told like the verifier's own. */
	logverify_fn finding;
	void *finding_userdata;
	/* A file that could not be read, or is damaged (-EBADMSG); the others are checked. error: negative errno. */
	void (*unreadable)(void *userdata, const char *file, int error);
	/* NULL, or takes each line once it is verified; other than 0 ends the walk. */
	int (*line)(void *userdata, const struct logset_line *line);
	void *userdata;
	bool progress; /* percent on standard error, if that is a terminal */
};

/* All lines, and the end. 0, or what `line` returned. */
int logcheck_run(struct logset *set, const struct logcheck *check);

/*
 * Records seen elsewhere, for logverify_add_anchor(): JSON lines with "seq" and "hash" (64 hex digits), as journal,
 * D-Bus and `sekimorictl log verify --json` give them; other members are ignored. 0; -ENOENT, -EACCES … ; -EINVAL: *linep
 * is the first line that is none; -ENODATA: there is none in it; -E2BIG, -ENOMEM. "-" is standard input.
 */
int logcheck_read_anchors(struct logverify *verify, const char *path, uint64_t *linep, uint64_t *np);
