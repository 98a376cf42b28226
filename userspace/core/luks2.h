/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LUKS2 header, read out of bytes that a device wrote: LUKS2 On-Disk Format Specification 1.1
 * (sections 2 "LUKS2 On-Disk Format", 3 "LUKS2 JSON metadata"). Both copies are looked at: a reader
 * that finds the first one damaged would take the second.
 *
 * Two steps, because the header says its own size: luks2_header_size() looks at the first 4096
 * bytes of the volume, luks2_parse() at both copies. A header passes only if what it describes
 * is encrypted from the start of the data to the end of the volume. It is stricter than the
 * specification where a lax reading would leave room for a second face: what the specification
 * leaves as padding must be zero, or a partition table or another file system could be put there.
 * The copies must be both valid, and say the same but for what differs by design (magic, offset,
 * salt, checksum).
 *
 * Pure: no I/O, no clock; memory is freed before the functions return.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/volume.h"

#define LUKS2_BINARY_LEN 4096             /* bytes of the binary header */
#define LUKS2_SIZE_MIN ((size_t)16 << 10) /* of one copy: specification, table 1 */
#define LUKS2_SIZE_MAX ((size_t)4 << 20)

/* What only LUKS2 has. */
struct luks2 {
	uint64_t seqid;
	uint64_t data_offset;  /* bytes from the start of the volume */
	uint64_t keyslots_end; /* … of the first byte behind the keyslots' area; nothing between */
	uint32_t hdr_size;     /* bytes of one header copy */
	uint32_t sector_size;  /* of the encryption, in bytes */
	uint32_t segments;     /* number of data segments */
};

/* Canonical form of RFC 4122, section 3, in the lower case that the reference implementation
 * writes. */
bool luks2_uuid_ok(const char *uuid);

/*
 * How many bytes one copy has; the second follows on the first. Takes the first LUKS2_BINARY_LEN
 * bytes. Returns 0 and sets *size, or VOLUME_E_NONE, _VERSION (also LUKS1), _HEADER.
 */
int luks2_header_size(const uint8_t first[static LUKS2_BINARY_LEN], size_t *size,
		      char detail[static VOLUME_DETAIL_MAX]);

/*
 * Parses both copies, `len` bytes each as luks2_header_size() said, of a volume of `size` bytes.
 * `second` holds the bytes that follow on the first copy's. Of the second, the JSON area must equal
 * the first's byte by byte. Returns 0 and sets *out and *more, an outcome of core/volume.h, or
 * -ENOMEM.
 */
int luks2_parse(const uint8_t *first, const uint8_t *second, size_t len, uint64_t size,
		struct volume *out, struct luks2 *more, char detail[static VOLUME_DETAIL_MAX]);
