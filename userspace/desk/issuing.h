/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies that this desk has written: their versions in the register, and their signature files.
 */
#pragma once

#include "desk/keys.h"
#include "desk/register.h"

/* Keys that sign one policy. */
#define ISSUING_KEYS_MAX 16

struct issuing_keys {
	char *names[ISSUING_KEYS_MAX];
	struct signing_key keys[ISSUING_KEYS_MAX];
	size_t n;
};

/*
 * Opens the keys of --sign, asking for their passphrases. Only policy keys sign policies. 0, or an
 * exit status.
 */
int issuing_keys_open(const struct context *context, const struct command_options *options,
		      const struct desk *desk, struct issuing_keys *keys);
void issuing_keys_close(struct issuing_keys *keys);

/*
 * Writes PATH.minisig for one key, PATH.NAME.minisig for each of several, or always with `named`.
 */
int issuing_sign(const struct context *context, const struct issuing_keys *keys, const char *path,
		 const void *data, size_t len, const char *comment, bool named);

/* The highest version written so far; 0 for none. */
int issuing_last(struct media_register *reg, uint64_t *version);

/* Notes one, between begin and commit. */
int issuing_note(struct media_register *reg, uint64_t version, const void *data, size_t len,
		 size_t n_media, const struct issuing_keys *keys, const char *by, const char *why);
