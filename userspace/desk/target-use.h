/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses a disk: mounts, swap and mappings of the disk itself, of its partitions, and of whatever
 * is built upon them, however many layers up. An image file is used through a loop device.
 */
#pragma once

#include "desk/target.h"

/* 0, or TARGET_E_SYSTEM, _MOUNTED, _SWAP, _HELD, _LOCKED with target->detail set; or a negative
 * errno. */
int target_use(struct target *target);
