/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices of released media.
 *
 * Nothing here waits for a device. While the kernel takes a disk away, and flushes it first, it holds the locks of all
 * that the disk hangs on, for a minute and more if the device does not answer; who reads `uevent` of one of those waits
 * (drivers/base/core.c, uevent_show), and libudev reads it for each parent that it is asked for. So a disk's place is
 * taken from its path, and of attributes only those are read that lock nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct blockdev {
	const char *path; /* in sysfs: "/sys/devices/…/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sda" */
	const char *name; /* its end */
	dev_t devnum;
	bool medium_changed; /* the kernel says so */
};

typedef void (*blockdev_fn)(void *userdata, const struct blockdev *disk);

/* Does the path in sysfs lead through an interface of the USB device with this name ("2-1") and of no other after it? */
bool blockdev_hangs_on(const char *path, const char *usb);

/* Calls fn for each disk (no partition) of the USB device with this name that udev has dealt with. */
void blockdev_find(const char *usb, blockdev_fn fn, void *userdata);

/*
 * Number of the logical unit that the SCSI disk with this path is: the last of the four in H:C:T:L. 255, which no unit
 * of a bulk-only device has, if it is not one.
 */
uint8_t blockdev_unit(const char *path);

/* Its SCSI peripheral device type, as the kernel was told; 255 if it is no SCSI disk. */
uint8_t blockdev_type(const char *path);

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
