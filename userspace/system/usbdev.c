// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <limits.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/descriptors.h"
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

/* The bytes of `descriptors`, which libudev cannot give (they are not text). -ENODEV if the device has gone. */
static int read_descriptors(struct udev_device *device, uint8_t *bytes, size_t size, size_t *lenp)
{
	_cleanup_(closep) int fd = -1;
	char path[PATH_MAX];
	size_t len = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/descriptors", udev_device_get_syspath(device));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -ENODEV;
	while (len < size && (n = read(fd, bytes + len, size - len)) != 0) {
		if (n < 0)
			return -ENODEV;
		len += (size_t)n;
	}
	*lenp = len;
	return len ? 0 : -ENODEV;
}

/* USBGuard's hash of a device from its own strings and bytes. */
static void read_hash(struct udev_device *device, const uint8_t *bytes, size_t len, char *out)
{
	const char *product = udev_device_get_sysattr_value(device, "product");
	const char *serial = udev_device_get_sysattr_value(device, "serial");

	descriptors_usbguard_hash(product ? product : "",
				  (uint16_t)attr_number(device, "idVendor", 16),
				  (uint16_t)attr_number(device, "idProduct", 16),
				  serial ? serial : "", bytes, len, out);
}

/*
 * How the port is wired. The device's own link `port` is made only after its interfaces have been announced, so
 * it is looked for below the hub: "2-1" hangs on usb2-port1 of 2-0:1.0, "2-1.4" on 2-1-port4 of 2-1:1.0.
 */
static void read_connect_type(const char *name, char *out, size_t size)
{
	const char *dot = strrchr(name, '.'), *dash = strchr(name, '-');
	_cleanup_(closep) int fd = -1;
	char path[128 + 2 * IDENT_NAME_MAX], text[32];
	ssize_t n;

	if (!dash)
		return;
	if (dot)
		snprintf(path, sizeof(path), "/sys/bus/usb/devices/%.*s:1.0/%.*s-port%s/connect_type",
			 (int)(dot - name), name, (int)(dot - name), name, dot + 1);
	else
		snprintf(path, sizeof(path), "/sys/bus/usb/devices/%.*s-0:1.0/usb%.*s-port%s/connect_type",
			 (int)(dash - name), name, (int)(dash - name), name, dash + 1);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n > 0)
		utf8_copy(out, size, text, (size_t)n);
}

static int read_descriptive(struct udev_device *device, struct ident *ident)
{
	_cleanup_(freep) uint8_t *bytes = malloc(DESCRIPTORS_MAX);
	/* Belongs to the child. */
	struct udev_device *parent =
		udev_device_get_parent_with_subsystem_devtype(device, "usb", "usb_device");
	size_t len;
	int r;

	if (!bytes)
		return -ENOMEM;
	r = read_descriptors(device, bytes, DESCRIPTORS_MAX, &len);
	if (r)
		return r;
	read_hash(device, bytes, len, ident->hash);
	ident->malformed = descriptors_types(bytes, len, ident) < 0;
	/* A parent that goes takes the device along. */
	if (parent && !read_descriptors(parent, bytes, DESCRIPTORS_MAX, &len))
		read_hash(parent, bytes, len, ident->parent_hash);
	return 0;
}

/* The directory of this device in sysfs, which stays this device's whatever takes the name later; or negative errno. */
static int device_directory(const char *name, uint16_t devnum)
{
	_cleanup_(closep) int directory = -1, fd = -1;
	char path[64 + IDENT_NAME_MAX], text[16], expected[16];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s", name);
	directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	fd = openat(directory, "devnum", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -ENODEV;
	text[n] = '\0';
	snprintf(expected, sizeof(expected), "%u\n", devnum);
	return strcmp(text, expected) ? -ENODEV : TAKE_FD(directory);
}

bool usbdev_is_there(const char *name, uint16_t devnum)
{
	_cleanup_(closep) int directory = device_directory(name, devnum);

	return directory >= 0;
}

int usbdev_remove(const char *name, uint16_t devnum)
{
	_cleanup_(closep) int directory = device_directory(name, devnum), fd = -1;

	if (directory < 0)
		return directory;
	fd = openat(directory, "remove", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return -errno;
	return 0;
}

int usbdev_read(struct udev *udev, const char *name, uint16_t busnum, uint16_t devnum,
		struct ident *ident)
{
	_cleanup_(udev_device_unrefp) struct udev_device *device = NULL;
	const char *linked;

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
	read_connect_type(name, ident->connect_type, sizeof(ident->connect_type));
	linked = udev_device_get_sysattr_value(device, "port/connect_type");
	if (!ident->connect_type[0] && linked)
		utf8_copy(ident->connect_type, sizeof(ident->connect_type), linked, strlen(linked));
	return read_descriptive(device, ident);
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
