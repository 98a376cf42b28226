/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file system inside a medium, made by its own tool (mkfs.exfat, mkfs.ext4). exFAT is what
 * other systems read as well; it knows no owners. ext4 gets a root directory that everybody may
 * write, because a medium's user has another number on each terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum filesystem {
	FILESYSTEM_EXFAT,
	FILESYSTEM_EXT4,
	FILESYSTEM_COUNT,
};

enum {
	FILESYSTEM_E_TOOL = 1,    /* the tool is not installed */
	FILESYSTEM_E_FAILED = 2,  /* it failed: its last words are in detail */
	FILESYSTEM_E_OTHER = 3,   /* something else was found */
	FILESYSTEM_E_STOPPED = 4, /* by a signal: progress_interrupted() */
};

#define FILESYSTEM_DETAIL_MAX 256
#define FILESYSTEM_LABEL_MAX 12

bool filesystem_find(const char *name, enum filesystem *kind);
const char *filesystem_name(enum filesystem kind);

/* Labels: 1 to 11 of A-Z a-z 0-9 - _ . which each of them takes. */
bool filesystem_label_ok(const char *label);

/* `label` may be "". */
int filesystem_make(enum filesystem kind, const char *node, const char *label,
		    char detail[static FILESYSTEM_DETAIL_MAX]);

/* Is it there, with this label? 0, FILESYSTEM_E_OTHER or a negative errno. */
int filesystem_check(enum filesystem kind, const char *node, const char *label);
