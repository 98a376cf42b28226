/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a backup holds, before it is sealed (sealed.h, purpose "desk backup"):
 *
 *	"SEKIDESK", version 1 (u32 LE, as all numbers), number of files (u32); for each: length of
 *	its name (u16), mode (u16), length (u64), name, bytes
 *
 * Names are register.db, keys/NAME, trust/NAME; a NAME is of letters, digits, '-', '_' and '.', and
 * begins with none of the dots.
 *
 * Pure. What is read was sealed by whoever knew the passphrase, and is checked all the same.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_FILES_MAX 256
#define ARCHIVE_NAME_MAX 64 /* with NUL */

struct archive_file {
	char name[ARCHIVE_NAME_MAX];
	uint16_t mode;
	const uint8_t *data; /* not owned */
	size_t len;
};

struct archive {
	struct archive_file files[ARCHIVE_FILES_MAX];
	size_t n;
};

enum {
	ARCHIVE_E_FORM = 1, /* not such bytes */
};

/* The bytes of an archive, malloc'd; -ENOMEM. */
int archive_pack(const struct archive *archive, uint8_t **datap, size_t *len);

/* Fills *archive with views into `data`. */
int archive_unpack(const uint8_t *data, size_t len, struct archive *archive);
