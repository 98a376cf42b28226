/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LUKS1 header: LUKS On-Disk Format Specification 1.2.3, section 2. One binary header of 592
 * bytes without a checksum; big-endian. As strict as luks2.h: what nothing uses must be zero, up to
 * LUKS1_READ_LEN, where the first key material may begin. A volume whose data lies elsewhere (a
 * detached header) is refused.
 *
 * Pure.
 */
#pragma once

#include "core/volume.h"

#define LUKS1_READ_LEN 4096 /* what is looked at from the volume's first byte */

/* What only LUKS1 has. Bytes from the start of the volume; between the two nothing is used. */
struct luks1 {
	uint64_t keyslots_end; /* first byte behind all key material */
	uint64_t data_offset;
};

/*
 * `size` is that of the volume in bytes. 0, *out and *more, or VOLUME_E_NONE, _VERSION, _HEADER,
 * _METADATA, _CLEAR, _CAPACITY.
 */
int luks1_parse(const uint8_t first[static LUKS1_READ_LEN], uint64_t size, struct volume *out,
		struct luks1 *more, char detail[static VOLUME_DETAIL_MAX]);
