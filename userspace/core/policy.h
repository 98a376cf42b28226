/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy: what the register says of the media of this fleet. A policy is parsed whole from one
 * text into one immutable object; a text with any error gives no object. The language is described
 * in docs/policy.md; statements and medium attributes are rows of the tables in policy.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lex.h"

/* A policy file larger than this is refused before it is read. 100,000 media need about 15 MB. */
#define POLICY_FILE_MAX (64u << 20)

/* The longest number of a medium in bytes, with its NUL: it is printed on a sticker. */
#define MEDIUM_NUMBER_MAX 64

enum medium_status {
	MEDIUM_ACTIVE,
	MEDIUM_LENT,
	MEDIUM_LOST,
	MEDIUM_REVOKED,
	MEDIUM_DISPOSED,
};

enum medium_encryption {
	MEDIUM_ENCRYPTION_NONE,
	MEDIUM_ENCRYPTION_LUKS2,
};

struct medium {
	const char *number; /* as on its sticker; owned by the policy, as all strings here */
	const char *serial;
	const char *luks_uuid; /* lower case, 8-4-4-4-12 */
	uint16_t id_vendor;
	uint16_t id_product;
	enum medium_encryption encryption;
	enum medium_status status;
	unsigned int line; /* of its statement */
};

struct policy;

/*
 * Parses a text. 0 and *policyp (to be freed by policy_free), or -EINVAL after every error has been
 * reported through `error`, or -ENOMEM. `file` is copied.
 */
int policy_parse(const char *file, const char *text, size_t len, lex_error_fn error, void *userdata,
		 struct policy **policyp);
struct policy *policy_free(struct policy *policy);
DEFINE_CLEANUP(struct policy *, policy_free)

const char *policy_file(const struct policy *policy);
const char *policy_id(const struct policy *policy);	   /* "" if the file has none */
uint64_t policy_version(const struct policy *policy);	   /* 0 if the file has none */
size_t policy_n_media(const struct policy *policy);

/*
 * The media registered under these ids and this serial, in the order of the file: sets *n and returns the
 * first of *n pointers. Several may share them, as whole batches of sticks do. O(log n).
 */
const struct medium *const *policy_find_media(const struct policy *policy, uint16_t id_vendor,
					      uint16_t id_product, const char *serial, size_t *n);
