// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "system/blockdev.h"

#define CLASS_DIR "/sys/class/block"

#define UNIT_NONE 255
#define TYPE_NONE 255

/* block/partitions/msdos.c: an extended partition shows no more than room for a boot loader. */
#define EXTENDED_SECTORS 8
#define PRIMARY_MAX 4

/* --- where it hangs --- */

/* "2-1:1.0" after "2-1": the interface of a device. */
static bool is_interface_of(const char *part, size_t len, const char *device, size_t device_len)
{
	return device_len && len > device_len && part[device_len] == ':' &&
	       !memcmp(part, device, device_len);
}

bool blockdev_hangs_on(const char *path, const char *usb)
{
	const char *before = NULL, *found = NULL;
	size_t before_len = 0, found_len = 0;

	/* The last one: a host may hang on a USB device, too. */
	while (*path) {
		size_t len = strcspn(path, "/");

		if (is_interface_of(path, len, before, before_len)) {
			found = before;
			found_len = before_len;
		}
		before = path;
		before_len = len;
		path += len + (path[len] == '/');
	}
	return found && strlen(usb) == found_len && !memcmp(usb, found, found_len);
}

/* The directory that a disk's own `block` is in: the SCSI device's. Returns its length, 0 if there is none. */
static size_t parent_of_disk(const char *path)
{
	const char *name = strrchr(path, '/');
	const size_t tail = sizeof("/block") - 1;

	if (!name || name - path < (ptrdiff_t)tail || memcmp(name - tail, "/block", tail))
		return 0;
	return (size_t)(name - path) - tail;
}

/* Of the directory with this length, the last of the four numbers of a SCSI device. */
static bool scsi_unit(const char *path, size_t len, unsigned long long *unit)
{
	char name[64];
	size_t start = len;
	int end = 0;

	while (start && path[start - 1] != '/')
		start--;
	if (len - start >= sizeof(name))
		return false;
	memcpy(name, path + start, len - start);
	name[len - start] = '\0';
	return sscanf(name, "%*u:%*u:%*u:%llu%n", unit, &end) == 1 && end && !name[end];
}

uint8_t blockdev_unit(const char *path)
{
	unsigned long long unit;

	if (!scsi_unit(path, parent_of_disk(path), &unit) || unit >= UNIT_NONE)
		return UNIT_NONE;
	return (uint8_t)unit;
}

uint8_t blockdev_type(const char *path)
{
	size_t len = parent_of_disk(path);
	unsigned long long unit;
	unsigned int value;
	char file[PATH_MAX];
	bool ok;
	FILE *f;

	if (!scsi_unit(path, len, &unit) ||
	    snprintf(file, sizeof(file), "%.*s/type", (int)len, path) >= (int)sizeof(file))
		return TYPE_NONE;
	f = fopen(file, "re");
	if (!f)
		return TYPE_NONE;
	ok = fscanf(f, "%u", &value) == 1 && value < TYPE_NONE;
	fclose(f);
	return ok ? (uint8_t)value : TYPE_NONE;
}

/* --- which there are --- */

static bool read_devnum(const char *path, dev_t *devnum)
{
	unsigned int major, minor;
	char file[PATH_MAX];
	bool ok;
	FILE *f;

	if (snprintf(file, sizeof(file), "%s/dev", path) >= (int)sizeof(file))
		return false;
	f = fopen(file, "re");
	if (!f)
		return false;
	ok = fscanf(f, "%u:%u", &major, &minor) == 2;
	fclose(f);
	if (ok)
		*devnum = makedev(major, minor);
	return ok;
}

/* udev writes its record of a device when its rules have run: libudev's udev_device_get_is_initialized(). */
static bool udev_knows(dev_t devnum)
{
	char record[64];

	snprintf(record, sizeof(record), "/run/udev/data/b%u:%u", major(devnum), minor(devnum));
	return !access(record, F_OK);
}

void blockdev_find(const char *usb, blockdev_fn fn, void *userdata)
{
	DIR *dir = opendir(CLASS_DIR);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char link[PATH_MAX], path[PATH_MAX];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);
		struct blockdev disk = { .path = path };
		const char *devices;

		if (n <= 0)
			continue;
		link[n] = '\0';
		devices = strstr(link, "/devices/");
		if (!devices || !parent_of_disk(devices) || !blockdev_hangs_on(devices, usb) ||
		    snprintf(path, sizeof(path), "/sys%s", devices) >= (int)sizeof(path))
			continue;
		disk.name = strrchr(path, '/') + 1;
		if (read_devnum(path, &disk.devnum) && udev_knows(disk.devnum))
			fn(userdata, &disk);
	}
	if (dir)
		closedir(dir);
}

/* --- what it holds --- */

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
