/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the desk is called and who signs for it: kept in the register, the last word counts. */
#pragma once

#include "desk/register.h"

#define SETTING_ORGANISATION "organisation"
#define SETTING_RETURN_TO "return-to"
#define SETTING_REQUIRE "require" /* how many policy signers terminals ask for */
#define SETTING_ORGANISATION_EXPORTED "organisation-key-exported" /* to which file, last */

/* The value, malloc'd; "" if it was never set. Between begin and commit, setting_set(). */
int setting_get(struct media_register *reg, const char *name, char **valuep);
int setting_set(struct media_register *reg, const char *name, const char *value, const char *by);

struct signer {
	const char *file; /* in DESK/keys, without ending */
	const char *role; /* "policy" or "media", as in trust.d */
	const char *name;
	const char *public_key; /* "RW…" */
};

int signer_add(struct media_register *reg, const struct signer *signer, const char *by);

/* Each signer, by the files' names. Stops at the first value other than 0 and returns it. */
typedef int (*signer_fn)(void *userdata, const struct signer *signer);
int signer_each(struct media_register *reg, signer_fn each, void *userdata);
