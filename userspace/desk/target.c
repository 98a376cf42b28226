// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/target.h"

#include <fcntl.h>
#include <libudev.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cli/i18n.h"
#include "core/text.h"
#include "desk/target-use.h"
#include "system/cryptvolume.h"

#define IMAGE_BLOCK 512
/* udev looks at a disk that has just been closed or plugged in: wait for it. */
#define LOCK_TRIES 50
#define LOCK_PAUSE_US 100000
#define USE_TRIES 10

static void udev_unrefp(struct udev **udev)
{
	udev_unref(*udev);
}

static void udev_device_unrefp(struct udev_device **device)
{
	udev_device_unref(*device);
}

/* --- what it is --- */

/* "1234:abcd" */
static bool parse_id(const char *text, struct target *target)
{
	unsigned int vendor, product;
	int end = 0;

	if (strspn(text, "0123456789abcdefABCDEF:") != strlen(text) || strlen(text) != 9 ||
	    sscanf(text, "%4x:%4x%n", &vendor, &product, &end) != 2 || end != 9)
		return false;
	target->id_vendor = (uint16_t)vendor;
	target->id_product = (uint16_t)product;
	return true;
}

static int identify_said(const struct target_request *request, struct target *target)
{
	if (!request->id || !request->serial)
		return request->write ? TARGET_E_IDENTITY : 0;
	if (!parse_id(request->id, target) || !text_is_safe(request->serial) ||
	    strlen(request->serial) >= sizeof(target->serial) ||
	    (request->product && !text_is_safe(request->product)))
		return TARGET_E_TEXT;
	ident_set_string(target->serial, request->serial);
	snprintf(target->product, sizeof(target->product), "%s",
		 request->product ? request->product : "");
	target->identified = true;
	return 0;
}

static void attr_text(struct udev_device *device, const char *name,
		      char field[static IDENT_STRING_MAX])
{
	const char *value = udev_device_get_sysattr_value(device, name);

	ident_set_string(field, value ? value : "");
}

/* The ids that terminals will see: the USB device's own, whatever the disk's inquiry says. */
static int identify_usb(struct udev_device *usb, const struct target_request *request,
			struct target *target)
{
	const char *vendor = udev_device_get_sysattr_value(usb, "idVendor");
	const char *product = udev_device_get_sysattr_value(usb, "idProduct");
	char maker[IDENT_STRING_MAX], model[IDENT_STRING_MAX];

	if (!vendor || !product)
		return -ENODEV;
	if (request->id || request->serial)
		return TARGET_E_NAMED;
	target->id_vendor = (uint16_t)strtoul(vendor, NULL, 16);
	target->id_product = (uint16_t)strtoul(product, NULL, 16);
	attr_text(usb, "serial", target->serial);
	attr_text(usb, "manufacturer", maker);
	attr_text(usb, "product", model);
	snprintf(target->product, sizeof(target->product), "%s%s%s", maker,
		 *maker && *model ? " " : "", model);
	target->usb = true;
	target->identified = true;
	return request->write && !text_is_safe(target->serial) ? TARGET_E_TEXT : 0;
}

static int identify_disk(const struct target_request *request, struct target *target)
{
	_cleanup_(udev_unrefp) struct udev *udev = udev_new();
	_cleanup_(udev_device_unrefp) struct udev_device *disk = NULL;
	struct udev_device *usb;
	const char *removable;

	if (!udev)
		return -ENOMEM;
	disk = udev_device_new_from_devnum(udev, 'b', target->device);
	if (!disk)
		return -ENODEV;
	if (udev_device_get_devtype(disk) && !strcmp(udev_device_get_devtype(disk), "partition")) {
		struct udev_device *parent = udev_device_get_parent(disk); /* not ours to unref */
		const char *node = parent ? udev_device_get_devnode(parent) : NULL;

		snprintf(target->detail, sizeof(target->detail), "%s", node ? node : "?");
		return TARGET_E_PARTITION;
	}
	usb = udev_device_get_parent_with_subsystem_devtype(disk, "usb", "usb_device");
	if (usb)
		return identify_usb(usb, request, target);
	removable = udev_device_get_sysattr_value(disk, "removable");
	if (request->write && !request->fixed_ok && !(removable && !strcmp(removable, "1")))
		return TARGET_E_FIXED;
	return identify_said(request, target);
}

/* --- opening --- */

static int measure(struct target *target)
{
	struct stat st;
	int block = 0;

	if (target->image) {
		if (fstat(target->fd, &st) < 0)
			return -errno;
		target->size = (uint64_t)st.st_size;
		target->block = IMAGE_BLOCK;
		return 0;
	}
	if (ioctl(target->fd, BLKGETSIZE64, &target->size) < 0 ||
	    ioctl(target->fd, BLKSSZGET, &block) < 0)
		return -errno;
	target->block = (uint32_t)block;
	return 0;
}

/* udev looks at disks with a shared lock, and is soon done; an exclusive one is another desk's. */
static bool only_looked_at(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return false;
	flock(fd, LOCK_UN);
	return true;
}

/* Kept on an open file of its own, so that it outlasts every other. */
static int lock(struct target *target)
{
	_cleanup_(closep) int fd =
		open(target->node, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	const struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fd < 0)
		return -errno;
	for (unsigned int i = 0;; i++) {
		int r = target->image ? fcntl(fd, F_OFD_SETLK, &all) : flock(fd, LOCK_EX | LOCK_NB);

		if (r == 0)
			break;
		if (errno != EWOULDBLOCK && errno != EACCES)
			return -errno;
		if (target->image || i == LOCK_TRIES || !only_looked_at(fd))
			return TARGET_E_LOCKED;
		usleep(LOCK_PAUSE_US);
	}
	target->lock = TAKE_FD(fd);
	return 0;
}

static int open_exclusively(struct target *target)
{
	int read_only = 0;

	target->fd =
		open(target->node, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (target->image ? 0 : O_EXCL));
	if (target->fd < 0) {
		if (errno == ENOMEDIUM)
			return TARGET_E_EMPTY;
		if (errno == EBUSY)
			return TARGET_E_BUSY;
		return errno == EROFS || errno == EACCES ? TARGET_E_READ_ONLY : -errno;
	}
	if (!target->image && (ioctl(target->fd, BLKROGET, &read_only) < 0 || read_only))
		return TARGET_E_READ_ONLY;
	return 0;
}

static int claim(struct target *target)
{
	int r = lock(target);

	if (r == -ENOMEDIUM)
		return TARGET_E_EMPTY;
	if (r == -EROFS || r == -EACCES)
		return TARGET_E_READ_ONLY;
	if (r)
		return r;
	/* Under the lock nobody but a dead desk can have left it. */
	r = cryptvolume_deactivate(target->mapping);
	if (r) {
		snprintf(target->detail, sizeof(target->detail), "/dev/mapper/%s", target->mapping);
		return r < 0 ? r : TARGET_E_HELD;
	}
	/* A loop device goes a moment after its mapping. */
	for (unsigned int i = 0;
	     (r = target_use(target)) == TARGET_E_HELD && target->image && i < USE_TRIES; i++)
		usleep(LOCK_PAUSE_US);
	return r ? r : open_exclusively(target);
}

static int look(struct target *target)
{
	target->fd = open(target->node, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (target->fd < 0)
		return errno == ENOMEDIUM ? TARGET_E_EMPTY : -errno;
	return 0;
}

static int find(const struct target_request *request, struct target *target)
{
	struct stat st;

	target->path = strdup(request->path);
	if (!target->path)
		return -ENOMEM;
	target->node = realpath(request->path, NULL);
	if (!target->node)
		return errno == ENOENT || errno == ENOTDIR ? TARGET_E_ABSENT : -errno;
	if (stat(target->node, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode)) {
		target->image = true;
		target->device = st.st_dev;
		target->inode = st.st_ino;
		snprintf(target->mapping, sizeof(target->mapping), "sekimori-desk-f%x-%jx",
			 (unsigned int)st.st_dev, (uintmax_t)st.st_ino);
		return identify_said(request, target);
	}
	if (!S_ISBLK(st.st_mode))
		return TARGET_E_KIND;
	target->device = st.st_rdev;
	snprintf(target->mapping, sizeof(target->mapping), "sekimori-desk-b%u-%u",
		 major(st.st_rdev), minor(st.st_rdev));
	return identify_disk(request, target);
}

/* The node may have become another device's between finding and opening. */
static int same(const struct target *target)
{
	struct stat st;

	if (fstat(target->fd, &st) < 0)
		return -errno;
	if (target->image)
		return S_ISREG(st.st_mode) && st.st_dev == target->device &&
				       st.st_ino == target->inode
			       ? 0
			       : -ENODEV;
	return S_ISBLK(st.st_mode) && st.st_rdev == target->device ? 0 : -ENODEV;
}

static int open_steps(const struct target_request *request, struct target *target)
{
	int r;

	if ((r = find(request, target)) || (r = request->write ? claim(target) : look(target)) ||
	    (r = same(target)) || (r = measure(target)))
		return r;
	if (!target->size)
		return request->empty_ok && !request->write ? 0 : TARGET_E_EMPTY;
	if (target->size % target->block || (request->write && target->size < TARGET_SIZE_MIN))
		return TARGET_E_SIZE;
	return 0;
}

int target_open(const struct target_request *request, struct target **targetp,
		char detail[static TARGET_DETAIL_MAX])
{
	_cleanup_(target_closep) struct target *target = calloc(1, sizeof(*target));
	int r;

	detail[0] = '\0';
	if (!target)
		return -ENOMEM;
	target->fd = target->lock = -1;
	r = open_steps(request, target);
	if (r) {
		memcpy(detail, target->detail, TARGET_DETAIL_MAX);
		return r;
	}
	*targetp = TAKE_PTR(target);
	return 0;
}

struct target *target_close(struct target *target)
{
	if (!target)
		return NULL;
	if (target->fd >= 0)
		close(target->fd);
	/* Only with the lock: else it may be another desk's. */
	if (target->lock >= 0) {
		cryptvolume_deactivate(target->mapping);
		close(target->lock);
	}
	free(target->path);
	free(target->node);
	free(target);
	return NULL;
}

int target_share(struct target *target)
{
	int fd;

	if (target->image)
		return 0;
	fd = open(target->node, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	close(target->fd);
	target->fd = fd;
	return same(target);
}

int target_exclude(struct target *target)
{
	int r;

	if (target->image)
		return 0;
	close(target->fd);
	target->fd = -1;
	r = target_use(target);
	return r ? r : (r = open_exclusively(target)) ? r : same(target);
}

/* --- reading and writing --- */

int target_flush(struct target *target)
{
	if (fsync(target->fd) < 0)
		return -errno;
	if (!target->image && ioctl(target->fd, BLKFLSBUF, 0) < 0)
		return -errno;
	if (posix_fadvise(target->fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
		return -EIO;
	return 0;
}

int target_read(const struct target *target, uint64_t offset, void *data, size_t len)
{
	uint8_t *at = data;

	while (len) {
		ssize_t n = pread(target->fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int target_write(const struct target *target, uint64_t offset, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len) {
		ssize_t n = pwrite(target->fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* --- what is said --- */

static const struct {
	int code;
	const char *text;
} errors[] = {
	{TARGET_E_ABSENT, N_("there is no such device or file")},
	{TARGET_E_KIND, N_("it is neither a disk nor an image file")},
	{TARGET_E_PARTITION, N_("it is a partition; name the whole disk")},
	{TARGET_E_SYSTEM, N_("the running system is on it")},
	{TARGET_E_MOUNTED, N_("it is mounted; unmount it first")},
	{TARGET_E_SWAP, N_("it is in use as swap")},
	{TARGET_E_HELD, N_("it is in use; close what uses it first")},
	{TARGET_E_BUSY, N_("another program has it for itself")},
	{TARGET_E_LOCKED, N_("another sekimori-desk is working on it")},
	{TARGET_E_FIXED, N_("it is built in, not removable; --force-fixed if it is really meant")},
	{TARGET_E_READ_ONLY, N_("it cannot be written; look for a write-protect switch")},
	{TARGET_E_SIZE, N_("its size is not one of a medium: at least 32 MiB, and whole blocks")},
	{TARGET_E_EMPTY, N_("there is no medium in it")},
	{TARGET_E_IDENTITY,
	 N_("it is not on USB; say --id VVVV:PPPP and --serial of what it stands for")},
	{TARGET_E_NAMED, N_("it is a USB device and says its own id and serial number")},
	{TARGET_E_TEXT,
	 N_("its id, serial number or product name is not one that can be written down")},
	{-ENODEV, N_("the device has gone")},
	{-EACCES, N_("not permitted; run it as root")},
	{-EPERM, N_("not permitted; run it as root")},
};

const char *target_error(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].code == code)
			return i18n(errors[i].text);
	return code < 0 ? i18n_error(-code) : "?";
}
