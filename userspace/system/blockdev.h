/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block devices of released media. */
#pragma once

#include <libudev.h>
#include <stdint.h>

/*
 * Number of the logical unit that a SCSI disk is: the last of the four in H:C:T:L. 255, which no unit of a
 * bulk-only device has, if it is not one.
 */
uint8_t blockdev_unit(struct udev_device *disk);
