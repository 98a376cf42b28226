// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>

#include "core/macro.h"
#include "system/helpers.h"
#include "system/uevents.h"

static int monitor_listen(struct udev_monitor *monitor, const char *subsystem, const char *devtype)
{
	_cleanup_(closep) int fd = -1;
	int r = udev_monitor_filter_add_match_subsystem_devtype(monitor, subsystem, devtype);

	if (r >= 0)
		r = udev_monitor_enable_receiving(monitor);
	if (r < 0 || !helpers_stand())
		return r;
	/* libudev knows no monitor over a socket that somebody else has made; so that one takes the place of its own. It has been
	 * given the same filter, and libudev still looks at each message's sender. */
	fd = helpers_udev(subsystem, devtype);
	if (fd < 0)
		return fd;
	return dup3(fd, udev_monitor_get_fd(monitor), O_CLOEXEC) < 0 ? -errno : 0;
}

int uevents_new(struct udev_monitor **monitorp, struct udev *udev, const char *subsystem, const char *devtype)
{
	struct udev_monitor *monitor = udev_monitor_new_from_netlink(udev, "udev");
	int r = monitor ? monitor_listen(monitor, subsystem, devtype) : -ENOMEM;

	if (r < 0) {
		udev_monitor_unref(monitor);
		return r;
	}
	*monitorp = monitor;
	return 0;
}
