/* SPDX-License-Identifier: GPL-2.0-or-later */
/* USB devices as libudev and sysfs show them. */
#pragma once

#include <libudev.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/ident.h"

/*
 * Reads the identity of the USB device with this sysfs name ("1-2"). -ENODEV if it is not there or is
 * another device by now (busnum and devnum say which one is meant). `interfaces` is left out: the gate
 * tells of them. Descriptors that are not whole, or too many, set ident->malformed.
 */
int usbdev_read(struct udev *udev, const char *name, uint16_t busnum, uint16_t devnum,
		struct ident *ident);

/*
 * Takes the device logically away (its `remove` file), as long as it is still this one. It comes back when
 * it is plugged anew. -ENODEV if it is gone already.
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

/* Is this very device still plugged in? */
bool usbdev_is_there(const char *name, uint16_t devnum);
