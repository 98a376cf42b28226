// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <limits.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Numbers and words of the kernel's; a device's strings, 127 characters at most (linux/usb.h, MAX_USB_STRING_SIZE). */
#define NUMBER_TEXT_MAX 32
#define STRING_TEXT_MAX 512

/* The directory of this device in sysfs, which stays this device's whatever takes the name later; or negative errno. */
static int device_directory(const char *name, uint16_t devnum);

/* Of a file that holds one line; without its end. Length, -ENOENT if there is no such file, or -ENODEV. */
static ssize_t read_line(int directory, const char *file, char *text, size_t size)
{
	_cleanup_(closep) int fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -ENODEV;
	/* A terminal that goes to sleep wakes whoever waits. */
	do
		n = read(fd, text, size - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -ENODEV;
	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	return n;
}

/* The kernel's own formatting of numbers: nothing here is free text from the device. */
static uint16_t read_number(int directory, const char *file, int base)
{
	char text[NUMBER_TEXT_MAX];

	return read_line(directory, file, text, sizeof(text)) > 0 ? (uint16_t)strtoul(text, NULL, base) : 0;
}

/* A device without this string has no such file. 0, or -ENODEV: none is not the same as one that could not be read. */
static int read_string(int directory, const char *file, char text[static STRING_TEXT_MAX])
{
	ssize_t n = read_line(directory, file, text, STRING_TEXT_MAX);

	if (n < 0)
		text[0] = '\0';
	return n < 0 && n != -ENOENT ? (int)n : 0;
}

/* The bytes of `descriptors`. -ENODEV if the device has gone, or is none: only USB devices have this file. */
static int read_descriptors(int directory, uint8_t *bytes, size_t size, size_t *lenp)
{
	_cleanup_(closep) int fd = openat(directory, "descriptors", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = 0;
	ssize_t n;

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

/* USBGuard's hash of a device of these strings, from its own bytes. -ENODEV if it is none, or has gone. Allocates nothing: inquiry.h. */
static int hash_device(int directory, const char *product, const char *serial, char *out)
{
	uint8_t bytes[DESCRIPTORS_MAX];
	size_t len;
	int r = read_descriptors(directory, bytes, sizeof(bytes), &len);

	if (!r)
		descriptors_usbguard_hash(product, read_number(directory, "idVendor", 16),
					  read_number(directory, "idProduct", 16), serial, bytes, len, out);
	return r;
}

static int read_hash(int directory, char *out)
{
	char product[STRING_TEXT_MAX], serial[STRING_TEXT_MAX];
	int r = read_string(directory, "product", product);

	if (!r)
		r = read_string(directory, "serial", serial);
	return r ? r : hash_device(directory, product, serial, out);
}

/*
 * How the port is wired. The device's own link `port` is made only after its interfaces have been announced, so
 * it is looked for below the hub: "2-1" hangs on usb2-port1 of 2-0:1.0, "2-1.4" on 2-1-port4 of 2-1:1.0.
 */
static void read_connect_type(int directory, const char *name, char *out, size_t size)
{
	const char *dot = strrchr(name, '.'), *dash = strchr(name, '-');
	char path[128 + 2 * IDENT_NAME_MAX], text[NUMBER_TEXT_MAX];
	ssize_t n;

	if (!dash)
		return;
	if (dot)
		snprintf(path, sizeof(path), "/sys/bus/usb/devices/%.*s:1.0/%.*s-port%s/connect_type",
			 (int)(dot - name), name, (int)(dot - name), name, dot + 1);
	else
		snprintf(path, sizeof(path), "/sys/bus/usb/devices/%.*s-0:1.0/usb%.*s-port%s/connect_type",
			 (int)(dash - name), name, (int)(dash - name), name, dash + 1);
	n = read_line(AT_FDCWD, path, text, sizeof(text));
	if (n <= 0)
		n = read_line(directory, "port/connect_type", text, sizeof(text));
	if (n > 0)
		utf8_copy(out, size, text, (size_t)n);
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

static int device_open(const char *name, uint16_t busnum, uint16_t devnum)
{
	_cleanup_(closep) int directory = device_directory(name, devnum);

	if (directory < 0)
		return directory;
	return read_number(directory, "busnum", 10) == busnum ? TAKE_FD(directory) : -ENODEV;
}

int usbdev_read(const char *name, uint16_t busnum, uint16_t devnum, struct ident *ident)
{
	_cleanup_(closep) int directory = device_open(name, busnum, devnum);
	_cleanup_(freep) uint8_t *bytes = NULL;
	size_t len;
	int r;

	memset(ident, 0, sizeof(*ident));
	if (directory < 0)
		return directory;
	bytes = malloc(DESCRIPTORS_MAX);
	if (!bytes)
		return -ENOMEM;
	snprintf(ident->name, sizeof(ident->name), "%s", name);
	ident->busnum = busnum;
	ident->devnum = devnum;
	ident->id_vendor = read_number(directory, "idVendor", 16);
	ident->id_product = read_number(directory, "idProduct", 16);
	ident->bcd_device = read_number(directory, "bcdDevice", 16);
	read_connect_type(directory, name, ident->connect_type, sizeof(ident->connect_type));
	r = read_descriptors(directory, bytes, DESCRIPTORS_MAX, &len);
	if (!r)
		ident->malformed = descriptors_types(bytes, len, ident) < 0;
	return r;
}

int usbdev_read_strings(const char *name, uint16_t busnum, uint16_t devnum, struct usbdev_strings *strings)
{
	_cleanup_(closep) int directory = device_open(name, busnum, devnum), parent = -1;
	char product[STRING_TEXT_MAX], serial[STRING_TEXT_MAX], manufacturer[STRING_TEXT_MAX];
	int r;

	memset(strings, 0, sizeof(*strings));
	if (directory < 0)
		return directory;
	r = read_string(directory, "serial", serial);
	if (!r)
		r = read_string(directory, "manufacturer", manufacturer);
	if (!r)
		r = read_string(directory, "product", product);
	if (!r)
		r = hash_device(directory, product, serial, strings->hash);
	if (r)
		return r;
	ident_set_string(strings->serial, serial);
	ident_set_string(strings->manufacturer, manufacturer);
	ident_set_string(strings->product, product);
	/* A parent that goes takes the device along; a root hub's is no USB device. */
	parent = openat(directory, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0)
		read_hash(parent, strings->parent_hash);
	/* A file that is missing may be a device that went meanwhile. */
	return usbdev_is_there(name, devnum) ? 0 : -ENODEV;
}

void usbdev_put_strings(struct ident *ident, const struct usbdev_strings *strings)
{
	memcpy(ident->serial, strings->serial, sizeof(ident->serial));
	memcpy(ident->manufacturer, strings->manufacturer, sizeof(ident->manufacturer));
	memcpy(ident->product, strings->product, sizeof(ident->product));
	memcpy(ident->hash, strings->hash, sizeof(ident->hash));
	memcpy(ident->parent_hash, strings->parent_hash, sizeof(ident->parent_hash));
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
