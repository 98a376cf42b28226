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

/* sysfs counts in sectors of 512 bytes, whatever the disk's are. */
static bool sectors_are(const char *partition, const char *what, uint64_t bytes)
{
	unsigned long long sectors;
	char path[224];
	bool same;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/block/%s/%s", partition, what);
	f = fopen(path, "re");
	if (!f)
		return false;
	same = fscanf(f, "%llu", &sectors) == 1 && bytes % 512 == 0 && sectors == bytes / 512;
	fclose(f);
	return same;
}

bool blockdev_partition_is(const char *disk, unsigned int partition, uint64_t offset, uint64_t size)
{
	char node[128];
	const char *name = node + sizeof("/dev/") - 1;

	blockdev_node(disk, partition, node, sizeof(node));
	return sectors_are(name, "start", offset) && sectors_are(name, "size", size);
}
