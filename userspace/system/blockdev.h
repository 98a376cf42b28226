/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block devices of released media. */
#pragma once

#include <libudev.h>

/*
 * Makes a block device (disk or partition) refuse writes, or take them again (BLKROSET). 0 after it has been
 * read back, or a negative errno.
 */
int blockdev_set_read_only(struct udev_device *device, int read_only);
