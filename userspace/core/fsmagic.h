/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does something that a computer would take for a file system (or a volume of another kind) begin
 * here? For space that should hold nothing: gaps of a partition table, the space around an
 * encrypted volume. A table of well-known magic numbers, not a proof of the contrary: what has its
 * magic number at the end (older md arrays, ZFS's last labels) or does not begin here is not seen.
 * Random bytes are taken for something less often than once in ten million times, zeroes never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes from a possible beginning that hold the magic numbers of most: ext, FAT, NTFS, XFS, … */
#define FSMAGIC_LEN 8192
/* … and all of them: btrfs, ISO 9660 and UDF, JFS, ReiserFS, UFS, GFS2, ZFS. */
#define FSMAGIC_LONG_LEN 73728
/* Smaller than this no file system is of any use: what is not worth looking at. */
#define FSMAGIC_SPACE_MIN (64u << 10)

/*
 * The name of what begins at `data` ("ext", "fat", "exfat", "ntfs", "xfs", "btrfs", "iso9660",
 * "luks", …), NULL for nothing. Partition tables come last: "mbr" or "gpt" says that nothing else
 * was found.
 */
const char *fsmagic_find(const uint8_t *data, size_t len);

/* The same, but passes over what has the name `beside`. */
const char *fsmagic_find_beside(const uint8_t *data, size_t len, const char *beside);

/*
 * Some magic numbers lie so far from the beginning that a look at each alone is cheaper than at all
 * bytes up to it: these places have as many bytes each as FSMAGIC_FAR_LEN. `data` is what lies
 * `offset` bytes behind a possible beginning.
 */
#define FSMAGIC_FAR                                                                                \
	{                                                                                          \
		32768, 65536                                                                       \
	}
#define FSMAGIC_FAR_LEN 512
const char *fsmagic_find_far(const uint8_t *data, size_t len, size_t offset);

/* Is this name one of a partition table? */
bool fsmagic_is_table(const char *name);
