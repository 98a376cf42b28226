/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy as it lies on the disk: its bytes, and those of the signature files beside it,
 * POLICY.minisig and POLICY.*.minisig in the order of their names. Read once, then judged, parsed
 * and copied from memory, so that what is checked is what is used.
 */
#pragma once

#include <stddef.h>

#include "core/floor.h"
#include "core/trust.h"

enum {
	POLICYFILES_E_ABSENT = 1,     /* there is no such file */
	POLICYFILES_E_UNSAFE = 2,     /* not a regular file, not root's, or writable by others */
	POLICYFILES_E_LARGE = 3,      /* above POLICY_FILE_MAX or MINISIGN_FILE_MAX */
	POLICYFILES_E_UNSAFE_DIR = 4, /* the directory is not root's, or writable by others */
	POLICYFILES_E_MANY = 5,       /* more than TRUST_SIGNATURES_MAX signature files */
};

struct policyfiles {
	char *text;
	size_t len;
	size_t n_signatures;
	char *names[TRUST_SIGNATURES_MAX]; /* of signature files, without directory */
	struct trust_signature signatures[TRUST_SIGNATURES_MAX];
	char *culprit; /* path that the last positive code is about */
};

/* All members are malloc'ed and belong to the structure; zero it to start. Can be called twice. */
void policyfiles_deinit(struct policyfiles *files);

/* Reads the policy alone. 0, POLICYFILES_E_…, negative errno. */
int policyfiles_read_text(struct policyfiles *files, const char *path);

/* Adds one signature file, or all that lie beside a policy. 0, POLICYFILES_E_…, negative errno. */
int policyfiles_read_signature(struct policyfiles *files, const char *path);
int policyfiles_read_signatures(struct policyfiles *files, const char *policy_path);

/* One digest over the policy and its signatures in their order. */
void policyfiles_seal(const struct policyfiles *files, char out[static FLOOR_DIGEST_MAX]);

/* What a positive code means, as the end of a sentence that begins with the culprit. */
const char *policyfiles_error(int code);
