/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's secrets: "organisation" and "telephone". They are credentials (systemd.exec(5)), as they were at the daemon's start:
 *
 *	$SEKIMORI_SECRETS/NAME/sekimori.NAME    from /etc/credstore.encrypted, opened by sekimori-credential@NAME.service, so that one
 *	                                        that this machine cannot open does not keep the daemon from starting
 *	$CREDENTIALS_DIRECTORY/sekimori.NAME    from /etc/credstore; the sealed one counts if both are there, also one that
 *	                                        cannot be opened: an old one in the clear does not take its place unseen
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
	SECRET_E_UNOPENED = 2, /* a sealed one lies in the store, and was not opened when the daemon started */
};

/* "organisation" */
const char *secret_name(enum secret secret);

/* The file with the secret in the clear: *pathp is malloc'd. 0, SECRET_E_…, -ENOMEM. */
int secret_find(enum secret secret, char **pathp);

/* Where to look. NULL: nothing was opened for us, or loaded. */
struct secret_places {
	const char *opened, *loaded;
	const char *store; /* of sealed ones */
};
int secret_find_in(const struct secret_places *places, enum secret secret, char **pathp);
