// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "system/blockdev.h"

#define UNIT_NONE 255
#define TYPE_NONE 255

/* block/partitions/msdos.c: an extended partition shows no more than room for a boot loader. */
#define EXTENDED_SECTORS 8
#define PRIMARY_MAX 4

uint8_t blockdev_unit(struct udev_device *disk)
{
	struct udev_device *scsi =
		udev_device_get_parent_with_subsystem_devtype(disk, "scsi", "scsi_device");
	const char *name = scsi ? udev_device_get_sysname(scsi) : NULL;
	unsigned long long unit;

	if (!name || sscanf(name, "%*u:%*u:%*u:%llu", &unit) != 1 || unit >= UNIT_NONE)
		return UNIT_NONE;
	return (uint8_t)unit;
}

uint8_t blockdev_type(struct udev_device *disk)
{
	struct udev_device *scsi =
		udev_device_get_parent_with_subsystem_devtype(disk, "scsi", "scsi_device");
	const char *type = scsi ? udev_device_get_sysattr_value(scsi, "type") : NULL;
	unsigned int value;

	return type && sscanf(type, "%u", &value) == 1 && value < TYPE_NONE ? (uint8_t)value :
									      TYPE_NONE;
}

void blockdev_node(const char *disk, unsigned int partition, char *out, size_t size)
{
	size_t len = strlen(disk);

	if (!partition)
		snprintf(out, size, "/dev/%s", disk);
	else
		snprintf(out, size, "/dev/%s%s%u", disk,
			 len && isdigit((unsigned char)disk[len - 1]) ? "p" : "", partition);
}

/* Of a partition's attribute in sysfs; false if there is none. */
static bool read_number(const char *partition, const char *what, unsigned long long *value)
{
	char path[224];
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/block/%s/%s", partition, what);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fscanf(f, "%llu", value) == 1;
	fclose(f);
	return ok;
}

/* Documentation/ABI/stable/sysfs-block, stat: the seventh is sectors written, of 512 bytes whatever the disk's own are. */
int blockdev_written(const char *disk, uint64_t *bytes)
{
	unsigned long long sectors;
	char path[224];
	int r = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/block/%s/stat", disk);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (fscanf(f, "%*u %*u %*u %*u %*u %*u %llu", &sectors) != 1)
		r = -ENODEV;
	fclose(f);
	if (!r)
		*bytes = sectors * 512;
	return r;
}

size_t blockdev_partitions(const char *disk, unsigned int *numbers, size_t max)
{
	const char *name;
	char node[128];
	size_t n = 0;

	/* The kernel gives disks of this kind at most 255. */
	for (unsigned int number = 1; number < 256 && n < max; number++) {
		unsigned long long sectors;

		blockdev_node(disk, number, node, sizeof(node));
		name = node + sizeof("/dev/") - 1;
		if (read_number(name, "size", &sectors) &&
		    (number > PRIMARY_MAX || sectors > EXTENDED_SECTORS))
			numbers[n++] = number;
	}
	return n;
}

/* sysfs counts in sectors of 512 bytes, whatever the disk's are. */
static bool sectors_are(const char *partition, const char *what, uint64_t bytes)
{
	unsigned long long sectors;

	return read_number(partition, what, &sectors) && bytes % 512 == 0 && sectors == bytes / 512;
}

bool blockdev_partition_is(const char *disk, unsigned int partition, uint64_t offset, uint64_t size)
{
	char node[128];
	const char *name = node + sizeof("/dev/") - 1;

	blockdev_node(disk, partition, node, sizeof(node));
	return sectors_are(name, "start", offset) && sectors_are(name, "size", size);
}
