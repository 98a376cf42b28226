/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal's telephone key (core/terminalkey.h) as it lies on this terminal: the file that `telephone-key` in sekimorid.conf names, or
 * the credential sekimori.telephone (daemon/secret.h). It is read when it is needed, so that a renewed one counts at once,
 * and judged by its descriptor: a plain file of root's (or the caller's own user's) that nobody else may even read.
 */
#pragma once

#include "core/macro.h"
#include "core/terminalkey.h"

enum {
	PHONEKEY_E_ABSENT = 1,
	PHONEKEY_E_UNSAFE = 2,	/* not a plain file, or not root's alone */
	PHONEKEY_E_DAMAGED = 3, /* no such key; printed (to the journal) */
	PHONEKEY_E_OTHER = 4,	/* another terminal's */
	PHONEKEY_E_UNOPENED = 5, /* the credential is there, and could not be opened */
};

/* In memory that is not swapped or dumped. */
struct terminalkey *phonekey_free(struct terminalkey *key);
DEFINE_CLEANUP(struct terminalkey *, phonekey_free)

/* `path`: "" for the credential. 0, PHONEKEY_E_…, -errno. */
int phonekey_load(const char *path, const char *terminal, struct terminalkey **keyp);
