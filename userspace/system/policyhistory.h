/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this terminal remembers of policies: a copy of each that was accepted, and the floor
 * (core/floor.h). In a directory of root's that everybody may read:
 *
 *	N.policy N.k.minisig   copies, numbered from 1; k from 1
 *	index.jsonl            one JSON object a line: n, accepted_at (RFC 3339, UTC), id, version,
 *	                       digest (BLAKE2b-256), signed, signatures (their number), signers
 *	floor                  which entry is the newest; the last to be written
 *
 * A step that was not finished leaves files that the floor does not know yet: they are not read,
 * and the next step replaces them. The first floor (entry 0) is written before the first copy;
 * copies without a floor therefore mean that the floor was lost.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/floor.h"
#include "core/macro.h"
#include "system/policyfiles.h"

enum {
	POLICYHISTORY_E_NONE = 1,    /* nothing was accepted here yet */
	POLICYHISTORY_E_UNSAFE = 2,  /* the directory or a file in it may be written by others */
	POLICYHISTORY_E_DAMAGED = 3, /* floor or copies are lost or not as they were written */
};

/* YYYY-MM-DDTHH:MM:SSZ and a NUL. */
#define POLICYHISTORY_TIME_MAX 24

struct policyhistory_entry {
	uint64_t n;
	char accepted_at[POLICYHISTORY_TIME_MAX];
	char *id;
	uint64_t version;
	char digest[FLOOR_DIGEST_MAX];
	bool is_signed;
	unsigned int n_signatures;
	char **signers;
	size_t n_signers;
};

/*
 * The floor. 0; POLICYHISTORY_E_NONE with *floor initialised, also when there is no directory;
 * POLICYHISTORY_E_UNSAFE, _DAMAGED; negative errno.
 */
int policyhistory_floor(const char *dir, struct floor *floor);

/* Reads the floor's copy into *files (zeroed). 0, POLICYHISTORY_E_…, negative errno. */
int policyhistory_read(const char *dir, const struct floor *floor, struct policyfiles *files);

/*
 * Takes the lock that every change is made under; makes the directory. The lock ends when the
 * descriptor is closed. 0, POLICYHISTORY_E_UNSAFE, negative errno.
 */
int policyhistory_lock(const char *dir, int *lockp);

/*
 * Records a policy as accepted, durably: copies, index, floor, in this order. *floor is the present
 * one, read under the lock, and the new one afterwards. `entry` says id, version, digest,
 * is_signed and signers; the rest is filled in. Negative errno: the old floor still stands.
 */
int policyhistory_add(const char *dir, int lock, const struct policyfiles *files,
		      struct policyhistory_entry *entry, struct floor *floor);

/*
 * All entries up to the floor's, oldest first. Needs no privilege. *entries is malloc'ed; lines of
 * the index that cannot be read are left out. 0, POLICYHISTORY_E_UNSAFE, negative errno.
 */
int policyhistory_list(const char *dir, struct policyhistory_entry **entries, size_t *n);
void policyhistory_free_entries(struct policyhistory_entry *entries, size_t n);

/* Path of entry n's copy, malloc'ed; the file may have been removed by hand. 0 or -ENOMEM. */
int policyhistory_path(const char *dir, uint64_t n, char **pathp);
