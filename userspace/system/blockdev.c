// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

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
