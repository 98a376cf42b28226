// SPDX-License-Identifier: GPL-2.0-or-later
/* system/blockdev: what a disk's path in sysfs says of it. */
#include "core/macro.h"
#include "system/blockdev.h"
#include "testing.h"

#define PCI "/sys/devices/pci0000:00/0000:00:14.0/"
#define DISK "/host6/target6:0:0/6:0:0:3/block/sda"

static void disk_hangs_on_the_device_whose_interface_it_is_below(void)
{
	static const struct {
		const char *path, *usb;
		bool yes;
	} rows[] = {
		{ PCI "usb2/2-1/2-1:1.0" DISK, "2-1", true },
		{ PCI "usb2/2-1/2-1:1.0" DISK, "2-10", false },
		{ PCI "usb2/2-10/2-10:1.0" DISK, "2-1", false },
		{ PCI "usb2/2-1/2-1:1.0" DISK, "usb2", false },
		{ PCI "usb2/2-1/2-1:1.0" DISK, "", false },
		/* behind a hub */
		{ PCI "usb2/2-1/2-1.4/2-1.4:1.0" DISK, "2-1.4", true },
		{ PCI "usb2/2-1/2-1.4/2-1.4:1.0" DISK, "2-1", false },
		/* a host on a device */
		{ PCI "usb2/2-1/2-1:1.0/hcd/usb5/5-3/5-3:1.0" DISK, "5-3", true },
		{ PCI "usb2/2-1/2-1:1.0/hcd/usb5/5-3/5-3:1.0" DISK, "2-1", false },
		{ PCI "ata1/host0/target0:0:0/0:0:0:0/block/sda", "2-1", false },
		{ "", "", false },
		{ "/", "2-1", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT(blockdev_hangs_on(rows[i].path, rows[i].usb) == rows[i].yes, rows[i].path);
}

static void unit_is_the_last_number_of_the_scsi_device(void)
{
	CU_ASSERT_EQUAL(blockdev_unit(PCI "usb2/2-1/2-1:1.0" DISK), 3);
	CU_ASSERT_EQUAL(blockdev_unit("/sys/devices/x/6:0:0:254/block/sda"), 254);
	CU_ASSERT_EQUAL(blockdev_unit("/sys/devices/x/6:0:0:255/block/sda"), 255);
	CU_ASSERT_EQUAL(blockdev_unit("/sys/devices/x/6:0:0:18446744073709551615/block/sda"), 255);
	CU_ASSERT_EQUAL(blockdev_unit("/sys/devices/x/6:0:0:1x/block/sda"), 255);
	CU_ASSERT_EQUAL(blockdev_unit("/sys/devices/x/6:0:0/block/sda"), 255);
	/* a partition */
	CU_ASSERT_EQUAL(blockdev_unit("/sys/devices/x/6:0:0:1/block/sda/sda1"), 255);
	CU_ASSERT_EQUAL(blockdev_unit("/sys/devices/virtual/block/loop0"), 255);
	CU_ASSERT_EQUAL(blockdev_unit(""), 255);
	CU_ASSERT_EQUAL(blockdev_type("/sys/devices/virtual/block/loop0"), 255);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(disk_hangs_on_the_device_whose_interface_it_is_below),
		TEST(unit_is_the_last_number_of_the_scsi_device),
	};

	return testing_run("blockdev", tests, ARRAY_SIZE(tests));
}
