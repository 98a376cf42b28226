// SPDX-License-Identifier: GPL-2.0-or-later
/* The disks of a released device: shown on D-Bus, and made read-only where that is all that was granted. */
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/session.h"
#include "system/blockdev.h"

static void add_disk(struct session *session, const char *disk)
{
	struct device *device = &session->device;

	for (unsigned int i = 0; i < device->n_blocks; i++)
		if (!strcmp(device->blocks[i], disk))
			return;
	if (device->n_blocks == DEVICE_BLOCKS_MAX || strlen(disk) >= DEVICE_BLOCK_NAME_MAX)
		return;
	strcpy(device->blocks[device->n_blocks++], disk);
	session_show(session);
}

void session_block_appeared(struct session *session, struct udev_device *block)
{
	const char *type = udev_device_get_devtype(block);
	const char *name = udev_device_get_sysname(block);
	int r;

	if (type && !strcmp(type, "disk"))
		add_disk(session, name);
	if (session->device.access != ACCESS_RO || session->device.state != DEVICE_ALLOWED)
		return;
	r = blockdev_set_read_only(block, true);
	if (!r || r == -ENODEV || r == -ENOENT || r == -ENXIO || r == -ENOMEDIUM)
		return;
	fprintf(stderr, SD_ERR "%s cannot be made read-only: %s; it is taken back\n", name,
		strerror(-r));
	session->refused = "read-only-failed";
	session_revoke(session, "read-only-failed");
}

bool session_remove_disk(struct session *session, const char *disk)
{
	struct device *device = &session->device;

	for (unsigned int i = 0; i < device->n_blocks; i++) {
		if (strcmp(device->blocks[i], disk))
			continue;
		memmove(device->blocks[i], device->blocks[i + 1],
			(device->n_blocks - i - 1) * sizeof(device->blocks[0]));
		device->n_blocks--;
		session_show(session);
		return true;
	}
	return false;
}

void session_find_disks(struct session *session)
{
	struct udev *udev = session->manager->udev;
	struct udev_device *usb =
		udev_device_new_from_subsystem_sysname(udev, "usb", session->device.ident.name);
	struct udev_enumerate *enumerate = udev_enumerate_new(udev);
	struct udev_list_entry *entry;

	if (usb && enumerate && udev_enumerate_add_match_parent(enumerate, usb) >= 0 &&
	    udev_enumerate_add_match_subsystem(enumerate, "block") >= 0 &&
	    udev_enumerate_scan_devices(enumerate) >= 0)
		udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(enumerate)) {
			struct udev_device *block = udev_device_new_from_syspath(
				udev, udev_list_entry_get_name(entry));

			if (block)
				session_block_appeared(session, block);
			udev_device_unref(block);
		}
	udev_enumerate_unref(enumerate);
	udev_device_unref(usb);
}
