// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locking: guard_lock (a spinlock, taken with interrupts off, inside gate.c's lock or alone) covers
 * `harmless`. Nothing is called while it is held.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/ctype.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/usb.h>

#include "guard.h"

static DEFINE_SPINLOCK(guard_lock);
static u8 harmless[GUARD_BYTES]; /* guard_lock */

/*
 * Drivers that end in a block device. ums-* are usb-storage's sub-drivers for odd hardware; the last
 * three are card readers that appear as an MMC host and not as a SCSI disk.
 */
static const char *const storage_drivers[] = { "usb-storage", "uas",	"ums-",
					       "rtsx_usb",    "vub300", "ushc" };

static bool list_has(const u8 *list, u8 class)
{
	return list[class / 8] & (1u << (class % 8));
}

int guard_init(const char *list)
{
	const char *p = list;

	while (*p && *p != '\n') {
		int hi, lo;

		if (!isxdigit(p[0]) || !isxdigit(p[1]))
			return -EINVAL;
		hi = hex_to_bin(p[0]);
		lo = hex_to_bin(p[1]);
		harmless[(hi << 4 | lo) / 8] |= 1u << (lo % 8);
		p += 2;
		if (*p == ',' && p[1])
			p++;
		else if (*p && *p != '\n')
			return -EINVAL;
	}
	return 0;
}

bool guard_harmless(const struct usb_interface *intf)
{
	unsigned long flags;
	unsigned int i;
	bool ok = intf->num_altsetting > 0;

	spin_lock_irqsave(&guard_lock, flags);
	for (i = 0; i < intf->num_altsetting; i++)
		ok &= list_has(harmless, intf->altsetting[i].desc.bInterfaceClass);
	spin_unlock_irqrestore(&guard_lock, flags);
	return ok;
}

bool guard_storage_class(const struct usb_interface *intf)
{
	unsigned int i;

	for (i = 0; i < intf->num_altsetting; i++)
		if (intf->altsetting[i].desc.bInterfaceClass == USB_CLASS_MASS_STORAGE)
			return true;
	return false;
}

bool guard_storage_driver(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(storage_drivers); i++) {
		size_t len = strlen(storage_drivers[i]);

		if (storage_drivers[i][len - 1] == '-' ? !strncmp(name, storage_drivers[i], len) :
							 !strcmp(name, storage_drivers[i]))
			return true;
	}
	return false;
}

int guard_replace(const u8 list[GUARD_BYTES], bool tighten_only)
{
	unsigned long flags;
	int ret = 0;
	int i;

	spin_lock_irqsave(&guard_lock, flags);
	for (i = 0; tighten_only && i < GUARD_BYTES; i++)
		if (list[i] & ~harmless[i])
			ret = -EPERM;
	if (!ret)
		memcpy(harmless, list, GUARD_BYTES);
	spin_unlock_irqrestore(&guard_lock, flags);
	return ret;
}

ssize_t guard_show(char *page)
{
	unsigned long flags;
	u8 list[GUARD_BYTES];
	ssize_t len = 0;
	int class;

	spin_lock_irqsave(&guard_lock, flags);
	memcpy(list, harmless, sizeof(list));
	spin_unlock_irqrestore(&guard_lock, flags);

	for (class = 0; class < 256; class++)
		if (list_has(list, class))
			len += sysfs_emit_at(page, len, "%s%02x", len ? "," : "", class);
	len += sysfs_emit_at(page, len, "\n");
	return len;
}
