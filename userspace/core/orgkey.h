/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The organisation's key of a medium: derived from a secret that the help desk and the terminals share
 * and from the volume's UUID, so that the medium opens inside the organisation only, and one
 * medium's key says nothing of another's. HKDF-SHA-256 (RFC 5869): salt is the UUID's 36 characters,
 * info is "sekimori medium key 1".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ORGKEY_SECRET_SIZE 32
/* The passphrase of the keyslot: 64 lower-case hexadecimal digits of the 32 derived bytes, and a NUL. */
#define ORGKEY_PASSPHRASE_MAX 65

/* The caller wipes both. `uuid` is canonical, in lower case. */
void orgkey_passphrase(const uint8_t secret[static ORGKEY_SECRET_SIZE], const char *uuid,
		       char out[static ORGKEY_PASSPHRASE_MAX]);

/* HKDF itself (RFC 5869, 2.2 and 2.3) with up to 255 * 32 bytes of output. */
void orgkey_hkdf(const uint8_t *secret, size_t secret_len, const uint8_t *salt, size_t salt_len,
		 const uint8_t *info, size_t info_len, uint8_t *out, size_t out_len);
