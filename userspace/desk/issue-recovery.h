/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recovery passphrases, kept with the event that made them: sealed (libsodium's crypto_box_seal) to
 *the media key, whose Ed25519 key serves as an X25519 one. So the register may be read, backed up
 *and exported by everybody at the desk, and only who knows the media key's passphrase opens a
 *medium. The event's detail has
 *
 *	"recovery": {"key": "<id of the media key>", "sealed": "<base 64>"}
 */
#pragma once

#include <json-c/json.h>
#include <stdint.h>

#include "desk/issue-passphrase.h"
#include "desk/keys.h"

/* malloc'd object; NULL without memory or for a key that is none. */
struct json_object *issue_recovery_seal(const char *passphrase, const struct signing_key *key);

enum {
	ISSUE_RECOVERY_E_NONE = 1, /* the event's detail has none */
	ISSUE_RECOVERY_E_KEY = 2,  /* sealed to another key */
	ISSUE_RECOVERY_E_FORM = 3, /* damaged */
};

/* From the text of an event's detail. */
int issue_recovery_open(const char *detail, const struct signing_key *key,
			char passphrase[static ISSUE_RECOVERY_MAX]);
