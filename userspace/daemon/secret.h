/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's secrets: "organisation" and "telephone". They are credentials (systemd.exec(5)) of units of their own,
 * sekimori-credential@NAME.service, so that one that this machine cannot open does not keep the daemon from starting. The daemon's
 * unit shows it what they have opened, as directories NAME below SECRET_VARIABLE, as it was at the daemon's start:
 *
 *	NAME/sekimori.NAME    from /etc/credstore.encrypted
 *	NAME/plain            from /etc/credstore; the other one counts if both are there
 */
#pragma once

#include <stddef.h>

#define SECRET_VARIABLE "SEKIMORI_SECRETS"

enum secret {
	SECRET_ORGANISATION,
	SECRET_TELEPHONE,
	N_SECRETS,
};

enum {
	SECRET_E_ABSENT = 1,   /* this terminal has none */
	SECRET_E_UNOPENED = 2, /* one lies in a store, and was not opened when the daemon started */
};

/* "organisation" */
const char *secret_name(enum secret secret);

/* The file with the secret in the clear: *pathp is malloc'd. 0, SECRET_E_…, -ENOMEM. */
int secret_find(enum secret secret, char **pathp);

/* The same below `dir` (NULL: nothing was opened for us), with stores of the caller's, NULL at the end. */
int secret_find_in(const char *dir, const char *const *stores, enum secret secret, char **pathp);
