/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LUKS1 header: LUKS On-Disk Format Specification 1.2.3, section 2. One binary header of 592
 * bytes without a checksum; big-endian. As strict as luks2.h: what nothing uses must be zero.
 *
 * Pure. The caller gives the whole header area from the start of the volume to the payload's
 * first byte only as far as LUKS1_READ_LEN.
 */
#pragma once

#include "core/volume.h"

#define LUKS1_READ_LEN 4096 /* what is looked at from the volume's first byte; covers the 592 bytes */

/*
 * `size` is that of the volume in bytes. 0 and *out, or VOLUME_E_NONE, _VERSION, _HEADER, _CLEAR,
 * _CAPACITY.
 */
int luks1_parse(const uint8_t first[static LUKS1_READ_LEN], uint64_t size, struct volume *out,
		char detail[static VOLUME_DETAIL_MAX]);
