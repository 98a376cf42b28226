// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/macro.h"
#include "core/utf8.h"
#include "system/usbdev.h"

/* USB_DEVICE_MAJOR; minors count 128 devices a bus. */
#define USB_NODE_MAJOR 189

static void udev_device_unrefp(struct udev_device **device)
{
	udev_device_unref(*device);
}

/* The kernel's own formatting of numbers: nothing here is free text from the device. */
static unsigned int attr_number(struct udev_device *device, const char *name, int base)
{
	const char *value = udev_device_get_sysattr_value(device, name);

	return value ? (unsigned int)strtoul(value, NULL, base) : 0;
}

static void attr_string(struct udev_device *device, const char *name, char *field)
{
	const char *value = udev_device_get_sysattr_value(device, name);

	ident_set_string(field, value ? value : "");
}

int usbdev_read(struct udev *udev, const char *name, uint16_t busnum, uint16_t devnum,
		struct ident *ident)
{
	_cleanup_(udev_device_unrefp) struct udev_device *device = NULL;
	const char *type;

	memset(ident, 0, sizeof(*ident));
	device = udev_device_new_from_subsystem_sysname(udev, "usb", name);
	if (!device || attr_number(device, "busnum", 10) != busnum ||
	    attr_number(device, "devnum", 10) != devnum)
		return -ENODEV;

	snprintf(ident->name, sizeof(ident->name), "%s", name);
	ident->busnum = busnum;
	ident->devnum = devnum;
	ident->id_vendor = (uint16_t)attr_number(device, "idVendor", 16);
	ident->id_product = (uint16_t)attr_number(device, "idProduct", 16);
	ident->bcd_device = (uint16_t)attr_number(device, "bcdDevice", 16);
	attr_string(device, "serial", ident->serial);
	attr_string(device, "manufacturer", ident->manufacturer);
	attr_string(device, "product", ident->product);
	type = udev_device_get_sysattr_value(device, "port/connect_type");
	if (type)
		utf8_copy(ident->connect_type, sizeof(ident->connect_type), type, strlen(type));
	return 0;
}

int usbdev_open_for_inspection(uint16_t busnum, uint16_t devnum, uint8_t number)
{
	_cleanup_(closep) int fd = -1;
	unsigned int claim = number;
	uint32_t mask;
	struct stat st;
	char path[64];

	if (number >= 32 || !busnum || !devnum)
		return -EINVAL;
	mask = 1u << number;
	snprintf(path, sizeof(path), "/dev/bus/usb/%03u/%03u", busnum, devnum);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) ||
	    st.st_rdev != makedev(USB_NODE_MAJOR, (busnum - 1) * 128u + devnum - 1u))
		return -ENODEV;
	if (ioctl(fd, USBDEVFS_CLAIMINTERFACE, &claim) < 0 ||
	    ioctl(fd, USBDEVFS_DROP_PRIVILEGES, &mask) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int usbdev_name_of_interface(const char *interface, char name[static IDENT_NAME_MAX])
{
	const char *colon = strchr(interface, ':');
	size_t len = colon ? (size_t)(colon - interface) : 0;

	if (!len || len >= IDENT_NAME_MAX)
		return -EINVAL;
	memcpy(name, interface, len);
	name[len] = '\0';
	return 0;
}
