/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A LUKS2 header that lies at the beginning of a disk must not look like a partition table of old.
 * Its checksum may: to the kernel one in seventy is Atari's on disks beyond 2 TiB, fewer on smaller
 * ones (core/oldtable.h), and terminals refuse such a medium. A header that is written anew has
 * another checksum.
 */
#pragma once

#include "desk/target.h"
#include "system/cryptvolume.h"

/* Eight unlucky headers in a row are a disk that destroys what is written, which its survey tells.
 */
#define TARGET_HEADER_TRIES 8

/*
 * Writes the header anew until it looks like nothing else, at most TARGET_HEADER_TRIES times; to be
 * called behind every change of it. `volume` is LUKS2 over the whole target, formatted or loaded.
 * 0 also if it was of no use; cryptvolume.h's outcomes, a negative errno.
 */
int target_header_settle(struct target *target, struct cryptvolume *volume);
