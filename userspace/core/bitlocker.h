/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BitLocker volumes as far as it takes to recognise one: the boot sector's "-FVE-FS-", the GUID that
 * says BitLocker, and the three copies of the FVE metadata it points to, with their checksums.
 * There is no specification by the maker; sources: libbde's "BitLocker Drive Encryption (BDE) format
 * specification", and cryptsetup's reader (BITLK), which will open it.
 *
 * Refused: a volume that is decrypted, or has a clear key (protection suspended), or is being converted.
 */
#pragma once

#include "core/volume.h"

#define BITLOCKER_BOOT_LEN 4096	     /* what is looked at from the volume's first byte */
#define BITLOCKER_METADATA_LEN 65536 /* most that one copy of the metadata takes */
#define BITLOCKER_COPIES 3

struct bitlocker_boot {
	uint64_t metadata[BITLOCKER_COPIES]; /* offsets in the volume, bytes, multiples of 512 */
};

/* 0, VOLUME_E_NONE, _VERSION, _HEADER, _CAPACITY. `size` is that of the volume in bytes. */
int bitlocker_boot_parse(const uint8_t first[static BITLOCKER_BOOT_LEN], uint64_t size,
			 struct bitlocker_boot *boot, char detail[static VOLUME_DETAIL_MAX]);

/*
 * One copy of the metadata: `len` bytes from its offset. 0 and *out (uuid: the volume's GUID in canonical form), or an
 * outcome.
 */
int bitlocker_metadata_parse(const uint8_t *data, size_t len, uint64_t size,
			     const struct bitlocker_boot *boot, struct volume *out,
			     char detail[static VOLUME_DETAIL_MAX]);
