/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB devices as sysfs shows them.
 *
 * The kernel holds a device's lock for as long as its drivers take to come and go: for a minute and more if the device
 * does not answer. Of its files in sysfs some wait for that lock (drivers/usb/core/sysfs.c): `uevent`, the three
 * strings, whatever is of the active configuration (bNumInterfaces, bConfigurationValue, …), and all that can be written.
 * While a device is being pulled out, its hub's lock is held, too. So the daemon's loop calls what may wait only by an
 * inquiry (system/inquiry.h) or an errand (system/errand.h); each function says if it may. libudev reads `uevent` of whatever it is asked about that did
 * not come with an event, and is not used for that.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/ident.h"

/* What is told of a device only as long as its lock is free. */
struct usbdev_strings {
	char serial[IDENT_STRING_MAX];
	char manufacturer[IDENT_STRING_MAX];
	char product[IDENT_STRING_MAX];
	char hash[IDENT_HASH_MAX];
	char parent_hash[IDENT_HASH_MAX];
};

/*
 * Reads the identity of the USB device with this sysfs name ("1-2") but for its strings and hashes. Does not wait.
 * -ENODEV if it is not there or is another device by now (busnum and devnum say which one is meant). `interfaces` is left
 * out: the gate tells of them. Descriptors that are not whole, or too many, set ident->malformed.
 */
int usbdev_read(const char *name, uint16_t busnum, uint16_t devnum, struct ident *ident);

/* Reads the rest. May wait for the device, and for its hub: for an inquiry. -ENODEV as above. */
int usbdev_read_strings(const char *name, uint16_t busnum, uint16_t devnum, struct usbdev_strings *strings);

/* Puts it where it belongs. */
void usbdev_put_strings(struct ident *ident, const struct usbdev_strings *strings);

/*
 * Takes the device logically away (its `remove` file), as long as it is still this one. It comes back when
 * it is plugged anew. May wait for the device, and cannot be killed: for an errand. -ENODEV if it is gone already.
 */
int usbdev_remove(const char *name, uint16_t devnum);

/*
 * Opens the device's usbfs node read-write and makes sure that it is this device's. For the
 * inspector: privileges of the descriptor are dropped to interface `number`, which is claimed.
 * Returns the descriptor (close-on-exec) or a negative errno.
 */
int usbdev_open_for_inspection(uint16_t busnum, uint16_t devnum, uint8_t number);

/* Cuts "1-2.3:1.0" to "1-2.3". 0, or -EINVAL if it is not an interface's name. */
int usbdev_name_of_interface(const char *interface, char name[static IDENT_NAME_MAX]);

/* Is this very device still plugged in? Does not wait. */
bool usbdev_is_there(const char *name, uint16_t devnum);
