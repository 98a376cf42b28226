// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "core/macro.h"
#include "system/blockdev.h"

int blockdev_set_read_only(struct udev_device *device, int read_only)
{
	_cleanup_(closep) int fd = -1;
	const char *node = udev_device_get_devnode(device);
	struct stat st;
	int now = -1;

	if (!node)
		return -ENODEV;
	fd = open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISBLK(st.st_mode) || st.st_rdev != udev_device_get_devnum(device))
		return -ENODEV;
	if (ioctl(fd, BLKROSET, &read_only) < 0 || ioctl(fd, BLKROGET, &now) < 0)
		return -errno;
	return !!now == !!read_only ? 0 : -EIO;
}
