/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The passphrase, read from descriptor 3 into memory that is never swapped or dumped and is wiped when freed
 * (sodium_malloc).
 */
#pragma once

#include <stddef.h>

#include "core/macro.h"

#define SECRET_MAX 512

struct secret;

enum {
	SECRET_E_EMPTY = 1,
	SECRET_E_LONG = 2,
	SECRET_E_TIMEOUT = 3,
	SECRET_E_SIZE = 4, /* not the organisation's: it has another length */
};

/*
 * Reads to the end of the file. organisation_uuid: what is read is the organisation's secret, and the result the
 * passphrase of the volume with that UUID (core/orgkey.h).
 */
int secret_read(struct secret **secretp, const char *organisation_uuid);
struct secret *secret_free(struct secret *secret);
DEFINE_CLEANUP(struct secret *, secret_free)

const char *secret_text(const struct secret *secret);
size_t secret_len(const struct secret *secret);

const char *secret_error(int code);
