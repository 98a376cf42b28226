/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does something that a computer would take for a file system (or a volume of another kind) begin here? For
 * space that should hold nothing: gaps of a partition table, the space around an encrypted volume. A
 * table of well-known magic numbers, not a proof of the contrary.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bytes from a possible beginning that hold all magic numbers that are known but btrfs's and ISO 9660's. */
#define FSMAGIC_LEN 8192
/* … and all of them. */
#define FSMAGIC_LONG_LEN 73728
/* Smaller than this no file system is of any use: what is not worth looking at. */
#define FSMAGIC_SPACE_MIN (64u << 10)

/* The name of what begins at `data` ("ext", "fat", "exfat", "ntfs", "xfs", "btrfs", "iso9660", "luks", …), NULL for nothing. */
const char *fsmagic_find(const uint8_t *data, size_t len);
