/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of a provisioning (core/provision.h) as one file, which is signed as a policy is: FILE.minisig or
 * FILE.*.minisig beside it (docs/signing.md). A line, then each part as its line, its bytes and a line feed:
 *
 *	sekimori-provisioning 1
 *	part NAME LENGTH
 *	…
 *
 * Names go up in the order of their bytes, so that one set of parts has one form and none stands twice. LENGTH is decimal
 * without leading zeros. Secrets are in it in their sealed form only. At most PROVISIONFILE_MAX bytes.
 */
#pragma once

#include <stddef.h>

#include "core/policy.h"
#include "core/provision.h"

#define PROVISIONFILE_MAX POLICY_FILE_MAX
/* Trust files, signatures, and one of each other. */
#define PROVISIONFILE_PARTS_MAX 96

enum {
	PROVISIONFILE_E_FORM = 1,  /* not such a file, or cut off */
	PROVISIONFILE_E_NAME = 2,  /* a part that a signed file cannot have */
	PROVISIONFILE_E_ORDER = 3, /* out of order, or twice */
	PROVISIONFILE_E_LARGE = 4, /* a part, or the whole, is longer than it may be */
	PROVISIONFILE_E_MANY = 5,  /* too many parts */
};

struct provisionfile_part {
	char name[PROVISION_NAME_MAX];
	enum provision_part part;
	const char *data; /* into the text that was read; not owned */
	size_t len;
};

struct provisionfile {
	size_t n;
	struct provisionfile_part parts[PROVISIONFILE_PARTS_MAX];
};

/* Reads all of it: 0, or one of the codes; *file is then undefined. */
int provisionfile_parse(struct provisionfile *file, const char *text, size_t len);

/* Adds a part before it is written; `data` stays the caller's. The same codes. */
int provisionfile_add(struct provisionfile *file, const char *name, const char *data, size_t len);

/* The text, malloc'd; sorts the parts. 0, PROVISIONFILE_E_LARGE, -ENOMEM. */
int provisionfile_format(struct provisionfile *file, char **textp, size_t *len);

/* What a positive code means, marked for translation: the end of a sentence that begins with the file. */
const char *provisionfile_error(int code);
