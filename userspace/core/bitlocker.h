/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BitLocker volumes as far as it takes to recognise one: the boot sector's "-FVE-FS-", the GUID
 * that says BitLocker, and the three copies of the FVE metadata it points to, with their checksums
 * (Windows 7 and later). There is no specification by the maker; sources: libbde's "BitLocker Drive
 * Encryption (BDE) format specification"; cryptsetup's reader (BITLK), which will open it; for the
 * checksum and the states, which neither describes, dislocker's metadata.
 *
 * Refused: a volume that is decrypted, or has a clear key (protection suspended), or is being
 * converted. Also BitLocker To Go's form for FAT sticks: in front of the encrypted part it keeps a
 * plain FAT volume, which anybody may write to. The same stick with exFAT or NTFS has no such part.
 *
 * What is proved is that the whole volume is marked as encrypted. Space that had never been used
 * when "used space only" was chosen is not overwritten by Windows; what is written later is
 * encrypted.
 */
#pragma once

#include "core/volume.h"

#define BITLOCKER_BOOT_LEN 4096      /* what is looked at from the volume's first byte */
#define BITLOCKER_METADATA_LEN 65536 /* what one copy of the metadata has reserved */
#define BITLOCKER_COPIES 3

struct bitlocker_boot {
	/* Bytes, multiples of 512; BITLOCKER_METADATA_LEN bytes from each lie in the volume. */
	uint64_t metadata[BITLOCKER_COPIES];
};

/* 0, VOLUME_E_NONE, _VERSION, _HEADER, _CLEAR, _CAPACITY. `size` is that of the volume in bytes. */
int bitlocker_boot_parse(const uint8_t first[static BITLOCKER_BOOT_LEN], uint64_t size,
			 struct bitlocker_boot *boot, char detail[static VOLUME_DETAIL_MAX]);

/*
 * One copy of the metadata: `len` bytes from its offset. 0 and *out (uuid: the volume's GUID in
 * canonical form), or VOLUME_E_NONE, _VERSION, _HEADER, _CHECKSUM, _METADATA, _REQUIREMENT, _CLEAR,
 * _CAPACITY.
 */
int bitlocker_metadata_parse(const uint8_t *data, size_t len, uint64_t size,
			     const struct bitlocker_boot *boot, struct volume *out,
			     char detail[static VOLUME_DETAIL_MAX]);

/* Do two copies, `len` bytes each, that have both been parsed say the same? */
bool bitlocker_copies_equal(const uint8_t *a, const uint8_t *b, size_t len);
