/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What udev tells of devices, once it has done with them, also to a daemon in a network namespace of its own. */
#pragma once

#include <libudev.h>

/*
 * A monitor that receives what udev tells of a subsystem and devtype (NULL: any); the caller's to unref. 0 or a negative errno. Where
 * sekimori-helpers stands its socket is made there (system/helpers.h), which may take seconds when the system starts.
 */
int uevents_new(struct udev_monitor **monitorp, struct udev *udev, const char *subsystem, const char *devtype);
