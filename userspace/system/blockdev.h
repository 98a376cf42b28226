/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block devices of released media. */
#pragma once

#include <libudev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Number of the logical unit that a SCSI disk is: the last of the four in H:C:T:L. 255, which no unit of a
 * bulk-only device has, if it is not one.
 */
uint8_t blockdev_unit(struct udev_device *disk);

/* Its SCSI peripheral device type, as the kernel was told; 255 if it is no SCSI disk. */
uint8_t blockdev_type(struct udev_device *disk);

/* Path of the node of a disk ("sda") or of a partition of it, as the kernel names them: sda1, mmcblk0p1. */
void blockdev_node(const char *disk, unsigned int partition, char *out, size_t size);

/* Bytes that have been sent to a disk since it appeared. 0, or a negative errno: it has gone. */
int blockdev_written(const char *disk, uint64_t *bytes);

/* Does this partition of the disk lie there? Bytes. */
bool blockdev_partition_is(const char *disk, unsigned int partition, uint64_t offset, uint64_t size);

/*
 * Numbers of the partitions that the kernel has found on a disk, at most `max`; returns how many. Without the entry of an
 * extended partition, for which the kernel makes one of a block or two.
 */
size_t blockdev_partitions(const char *disk, unsigned int *numbers, size_t max);
