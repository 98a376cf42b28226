/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manifest: what `make install` laid down. Text that `b2sum --check` reads too (lines with #
 * are its comments), two lines for each file:
 *
 *	# sekimori-manifest 1
 *	# 0755 program /usr/sbin/sekimorid
 *	HEX  /usr/sbin/sekimorid
 *
 * mode in octal; kind `program`, `module`, `rule` (whatever steers the system: units, rules, bus,
 * polkit), `text`, or `conf`, which an administrator may edit; HEX is BLAKE2b-256 (b2sum -l 256).
 * The comment line stands before its file's. Paths are absolute, without "." and ".." parts, blanks
 * or control characters.
 *
 * Pure: the text is the caller's, and so are the answers' pointers into it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_DIGEST_LEN 32
#define MANIFEST_PATH_MAX 256
/* More than we install; bounds what a forged one can cost. */
#define MANIFEST_FILES_MAX 512

struct manifest_file {
	char path[MANIFEST_PATH_MAX];
	unsigned int mode; /* permission bits */
	bool conf;         /* may be changed by the administrator */
	uint8_t digest[MANIFEST_DIGEST_LEN];
};

struct manifest {
	struct manifest_file *files;
	size_t n;
};

/* 0; -EBADMSG with *line (from 1) of what is wrong; -E2BIG; -ENOMEM. */
int manifest_parse(struct manifest *manifest, const char *text, size_t len, unsigned int *line);
void manifest_free(struct manifest *manifest);
