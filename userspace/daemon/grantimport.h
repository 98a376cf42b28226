/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking in a grant file of the help desk (core/grantfile.h): signature, form, terminal, time and single use are right, or nothing
 * happens.
 *
 * The text comes from a stranger's medium, and is read here, as root, without a helper process in between. What stands before it: its size
 * (GRANTFILE_MAX, MINISIGN_FILE_MAX) is asked before anything is looked at; minisign's four lines are read with fixed sizes
 * (core/minisign.h, fuzzed); and only a text with a right signature by a key of the role "grant" is parsed. Whoever can make such a
 * text can grant what he likes anyway. The same readers take root's policy in.
 *
 * The grant's id is stored in the same transaction as the grant: of two imports of one file at once, one is refused.
 */
#pragma once

#include <stddef.h>

#include "core/grantfile.h"
#include "core/trust.h"
#include "daemon/exceptions.h"

/* Beside EXCEPTION_E_… and EXCEPTIONSTORE_E_… of the import. Each is a row of core/reason.c by grantimport_error(). */
enum {
	GRANTIMPORT_E_LARGE = 300,	 /* no right file is that long */
	GRANTIMPORT_E_TRUST = 301,	 /* this terminal trusts no key, or its trust files have errors */
	GRANTIMPORT_E_UNSIGNED = 302,	 /* the signature is none */
	GRANTIMPORT_E_UNKNOWN_KEY = 303, /* … by a key that this terminal does not know */
	GRANTIMPORT_E_ALTERED = 304,	 /* … of another text, or forged */
	GRANTIMPORT_E_ROLE = 305,	 /* … by a key that signs other things */
	GRANTIMPORT_E_FORM = 306,	 /* signed, but no grant; the journal says where */
	GRANTIMPORT_E_TERMINAL = 307,
	GRANTIMPORT_E_NOT_YET = 308,
	GRANTIMPORT_E_EXPIRED = 309,
	GRANTIMPORT_E_USED = 310,
	GRANTIMPORT_E_STORE = 311, /* no exception can be kept now: exceptions_state() says why; nothing was looked at */
};

/*
 * `trust`: a finished set, or NULL where none could be read (rulebook_trust()). `signature` is FILE.minisig. The actor is whoever brought
 * it; the exception stands under his name and is for whom the file says.
 *
 * 0, and *after is the exception, approved; GRANTIMPORT_E_…; EXCEPTION_E_… if the policy forbids it; EXCEPTIONSTORE_E_…; -errno.
 */
int grantimport_take(struct exceptions *exceptions, const struct trust *trust, const char *terminal,
		     const char *text, size_t len, const char *signature, size_t signature_len,
		     const struct exception_actor *actor, struct exception *after);

/* A code of core/reason.h; *detail: a sentence, or "". Also for what exceptions_error() knows. */
const char *grantimport_error(int r, const char **detail);
