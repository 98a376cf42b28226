// SPDX-License-Identifier: GPL-2.0-only
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/usb.h>

#include "attr.h"
#include "gate.h"

static ssize_t authorized_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", to_usb_interface(dev)->authorized);
}

static ssize_t authorized_store(struct device *dev, struct device_attribute *attr, const char *buf,
				size_t count)
{
	gate_refused(to_usb_interface(dev), SEKIMORI_ATTEMPT_AUTHORIZE, NULL);
	return -EPERM;
}

static DEVICE_ATTR_RW(authorized);

/* The kernel's own attribute, found by name among the groups of the interface. */
static const struct attribute *attr_original(struct device *dev)
{
	const struct attribute_group **group;
	struct attribute **attr;

	for (group = dev->groups; group && *group; group++)
		for (attr = (*group)->attrs; attr && *attr; attr++)
			if (!strcmp((*attr)->name, dev_attr_authorized.attr.name))
				return *attr;
	return NULL;
}

void attr_replace(struct usb_interface *intf)
{
	const struct attribute *original = attr_original(&intf->dev);

	if (!original) {
		dev_warn(&intf->dev, "no 'authorized' file to replace\n");
		return;
	}
	/* Waits for writers that are inside the old file; their descriptors are dead afterwards. */
	sysfs_remove_file(&intf->dev.kobj, original);
	if (device_create_file(&intf->dev, &dev_attr_authorized))
		dev_warn(&intf->dev, "cannot make an 'authorized' file; there is none now\n");
}

void attr_restore(struct usb_interface *intf)
{
	const struct attribute *original = attr_original(&intf->dev);

	device_remove_file(&intf->dev, &dev_attr_authorized);
	if (original && sysfs_create_file(&intf->dev.kobj, original))
		dev_warn(&intf->dev, "cannot put the 'authorized' file back\n");
}
