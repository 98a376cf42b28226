/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The desk's secrets: the Ed25519 keys that sign policies and marks, in minisign's own file format,
 * so that `minisign -S -s` and `-V -p` take the same files; and the organisation's secret, from
 * which media keys are derived (core/orgkey.h). Each lies in DESK/keys under a passphrase, mode
 * 0600:
 *
 *	NAME.key NAME.pub name: "media", "grant", or "policy-" and a number; whose it is stands in
 *	the register
 *	organisation.sealed  as in sealed.h, purpose "organisation secret"
 *	telephone.sealed  the same for the secret behind the terminals' keys (core/terminalkey.h),
 *	purpose "telephone secret"; made by the first `terminal add`
 *	desk-log.sealed, desk-log.pub  see below; made by `log keygen`
 *
 * Opened secrets lie in sodium_malloc() memory and are wiped by their free functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mark.h"
#include "core/minisign.h"
#include "core/orgkey.h"
#include "core/terminalkey.h"
#include "desk/command.h"
#include "desk/desk.h"

#define KEYS_NAME_MAX 32 /* with NUL: of the files */
#define KEYS_MEDIA "media"
#define KEYS_GRANT "grant"
#define KEYS_ROLE_MEDIA "media"
#define KEYS_ROLE_POLICY "policy"

/* A signing key, opened. */
struct signing_key {
	uint8_t id[MINISIGN_ID_SIZE];
	uint8_t key[MINISIGN_KEY_SIZE]; /* public */
	uint8_t *secret;                /* MARK_SECRET_SIZE bytes */
};

void signing_key_close(struct signing_key *key);

/*
 * Opens the key NAME (KEYS_MEDIA for marks), asking for its passphrase. 0, or COMMAND_FAILED after
 * saying why. For marks: mark_sign(&mark, key.id, key.secret).
 */
int keys_open(const struct context *context, const struct desk *desk, const char *name,
	      struct signing_key *key);

/* The organisation's secret, ORGKEY_SECRET_SIZE bytes; to be freed by sodium_free(). The same. */
int keys_open_organisation(const struct context *context, const struct desk *desk,
			   uint8_t **secretp);

/* The same, to be handed out: that it was, and where to, is in the register before it is out. */
int keys_take_organisation(const struct context *context, struct desk *desk, const char *where, uint8_t **secretp);

/* --- the secret behind the terminals' keys --------------------------------------------------- */

/* The secret, TERMINALKEY_SECRET_SIZE bytes; to be freed by sodium_free(). 0, or COMMAND_FAILED after saying why. */
int keys_open_telephone(const struct context *context, const struct desk *desk, uint8_t **secretp);
bool keys_has_telephone(const struct desk *desk);

/* Makes it where there is none, asking for a new passphrase. The same. */
int keys_make_telephone(const struct context *context, const struct desk *desk, bool quick);

/* --- the event log's key ----------------------------------------------------------------------- */

/*
 * The X25519 key to which terminals seal their log's first key (docs/evidence.md):
 *
 *	desk-log.sealed	the secret, as in sealed.h, purpose "event log secret"
 *	desk-log.pub	the public key, one line of 64 hexadecimal digits: what terminals get
 */
#define KEYS_LOG_SIZE 32
#define KEYS_LOG_PUBLIC "desk-log.pub"

/* Makes both; never over one that is there. 0, or COMMAND_FAILED after saying why. */
int keys_make_log(const struct context *context, const struct desk *desk, bool quick,
		  uint8_t public_key[static KEYS_LOG_SIZE]);

/* Asks for the passphrase. *secretp: to be freed by sodium_free(). The same. */
int keys_open_log(const struct context *context, const struct desk *desk,
		  uint8_t public_key[static KEYS_LOG_SIZE], uint8_t **secretp);

/* --- making them, for init ------------------------------------------------------------------- */

/*
 * Writes a fresh key, and a fresh secret of the organisation, into the directory `keys`, asking for
 * new passphrases. `who` is whose key it is. *public_key: "RW…", malloc'd. 0, or COMMAND_FAILED
 * after saying why.
 */
int keys_make(const struct context *context, int keys, const char *name, const char *who,
	      bool quick, char **public_key);
int keys_make_organisation(const struct context *context, int keys, bool quick);

/*
 * Writes trust/sekimori-desk.trust below `dir` from the register's signers: what terminals get.
 * Media keys have their own role, and since a `require` stands there they do not count for
 * policies.
 */
int keys_write_trust(const struct context *context, int dir, struct media_register *reg);
