/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The primary LUKS2 header, read out of bytes that a device wrote: LUKS2 On-Disk Format
 * Specification 1.1 (sections 2 "LUKS2 On-Disk Format", 3 "LUKS2 JSON metadata").
 *
 * Two steps, because the header says its own size: luks2_header_size() looks at the first 4096
 * bytes of the medium, luks2_parse() at the whole header. A header passes only if what it describes
 * is encrypted from the start of the data to the end of the medium. It is stricter than the
 * specification where a lax reading would leave room for a second face: what the specification
 * leaves as padding must be zero, or a partition table or another file system could be put there.
 *
 * Pure: no I/O, no clock; memory is freed before the functions return.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Documented outcomes. Each fills `detail`. */
enum {
	LUKS2_E_NOT_LUKS = 1,    /* no LUKS magic */
	LUKS2_E_VERSION = 2,     /* LUKS, but not version 2 */
	LUKS2_E_HEADER = 3,      /* a field of the binary header cannot be right */
	LUKS2_E_CHECKSUM = 4,    /* the header does not match its checksum */
	LUKS2_E_JSON = 5,        /* the JSON area is not well-formed */
	LUKS2_E_METADATA = 6,    /* well-formed JSON that contradicts itself or the specification */
	LUKS2_E_REQUIREMENT = 7, /* a mandatory requirement, such as a re-encryption under way */
	LUKS2_E_CLEAR = 8,       /* some of the data is not encrypted, or by a null cipher */
	LUKS2_E_CAPACITY = 9,    /* reaches beyond the end of the medium */
};

#define LUKS2_BINARY_LEN 4096             /* bytes of the binary header */
#define LUKS2_SIZE_MIN ((size_t)16 << 10) /* header sizes: specification, table 1 */
#define LUKS2_SIZE_MAX ((size_t)4 << 20)
#define LUKS2_UUID_MAX 40   /* field of the binary header, with its NUL */
#define LUKS2_LABEL_MAX 48  /* likewise */
#define LUKS2_CIPHER_MAX 64 /* longest name taken, with its NUL; dm-crypt's are below 40 */
#define LUKS2_DETAIL_MAX 96 /* one line for the log; may hold bytes the device wrote */

struct luks2 {
	uint64_t seqid;
	uint64_t data_offset;          /* bytes from the start of the medium */
	uint32_t hdr_size;             /* bytes of one header copy */
	uint32_t sector_size;          /* of the encryption, in bytes */
	uint32_t keyslots;             /* number of keyslots */
	uint32_t segments;             /* number of data segments */
	char uuid[LUKS2_UUID_MAX];     /* canonical, lower case */
	char label[LUKS2_LABEL_MAX];   /* as written; may hold any bytes but NUL */
	char cipher[LUKS2_CIPHER_MAX]; /* of every segment, e.g. "aes-xts-plain64" */
};

/* Canonical form of RFC 4122, section 3, in the lower case that the reference implementation
 * writes. */
bool luks2_uuid_ok(const char *uuid);

/*
 * How many bytes from the start of the medium make up the header. Takes the first LUKS2_BINARY_LEN
 * bytes. Returns 0 and sets *size, or LUKS2_E_NOT_LUKS, _VERSION, _HEADER.
 */
int luks2_header_size(const uint8_t first[static LUKS2_BINARY_LEN], size_t *size,
		      char detail[static LUKS2_DETAIL_MAX]);

/*
 * Parses the whole header, `len` bytes as luks2_header_size() said, on a medium of `medium` bytes.
 * Returns 0 and sets *out, an outcome from above, or -ENOMEM.
 */
int luks2_parse(const uint8_t *area, size_t len, uint64_t medium, struct luks2 *out,
		char detail[static LUKS2_DETAIL_MAX]);
