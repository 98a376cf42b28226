// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "system/blockdev.h"

#define UNIT_NONE 255

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

void blockdev_node(const char *disk, unsigned int partition, char *out, size_t size)
{
	size_t len = strlen(disk);

	if (!partition)
		snprintf(out, size, "/dev/%s", disk);
	else
		snprintf(out, size, "/dev/%s%s%u", disk,
			 len && isdigit((unsigned char)disk[len - 1]) ? "p" : "", partition);
}

size_t blockdev_partitions(const char *disk, unsigned int *numbers, size_t max)
{
	char node[128], path[192];
	size_t n = 0;

	/* The kernel gives disks of this kind at most 255. */
	for (unsigned int number = 1; number < 256 && n < max; number++) {
		blockdev_node(disk, number, node, sizeof(node));
		snprintf(path, sizeof(path), "/sys/class/block/%s", node + sizeof("/dev/") - 1);
		if (!access(path, F_OK))
			numbers[n++] = number;
	}
	return n;
}

/* sysfs counts in sectors of 512 bytes, whatever the disk's are. UINT64_MAX if it cannot be read. */
static uint64_t partition_attribute(const char *disk, unsigned int partition, const char *what)
{
	unsigned long long sectors;
	char node[128], path[224];
	bool ok;
	FILE *f;

	blockdev_node(disk, partition, node, sizeof(node));
	snprintf(path, sizeof(path), "/sys/class/block/%s/%s", node + sizeof("/dev/") - 1, what);
	f = fopen(path, "re");
	if (!f)
		return UINT64_MAX;
	ok = fscanf(f, "%llu", &sectors) == 1 && sectors < UINT64_MAX / 512;
	fclose(f);
	return ok ? sectors * 512 : UINT64_MAX;
}

uint64_t blockdev_partition_size(const char *disk, unsigned int partition)
{
	return partition_attribute(disk, partition, "size");
}

bool blockdev_partition_is(const char *disk, unsigned int partition, uint64_t offset, uint64_t size)
{
	return partition_attribute(disk, partition, "start") == offset &&
	       partition_attribute(disk, partition, "size") == size;
}
