/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Partition tables that Debian's kernel reads beside MBR and GPT (Acorn ICS, SGI, AIX, Windows'
 * dynamic disks, OSF, Sun, Amiga, Atari, Macintosh, Ultrix, Karma; block/partitions/ of Linux 6.1).
 * Sticks have none of them, but some need so little that they fit into an encryption header, and
 * the kernel would show partitions where a parser of the header saw none.
 *
 * Atari's has no magic number: the checksum in a LUKS2 header of a large disk is taken for one
 * every now and then. Such a disk is refused as well, because the kernel does make partitions of
 * it; sekimori-desk writes such a header anew (another salt), which helps.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OLDTABLE_LEN 16384 /* bytes from the disk's first that hold all of them */

/*
 * The name of the one that the kernel would take the beginning of a disk of `size` bytes for, or
 * NULL. `data` may be shorter than OLDTABLE_LEN on a small disk. With `alone`, there is no MBR or
 * GPT, which the kernel prefers to some of them.
 */
const char *oldtable_find(const uint8_t *data, size_t len, uint64_t size, uint32_t block,
			  bool alone);
