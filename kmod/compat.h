/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between kernel headers; the only place for conditional code. The floor is 6.1. */
#ifndef _SEKIMORI_COMPAT_H
#define _SEKIMORI_COMPAT_H

#include <linux/usb.h>

/* The USB bus type, by way of a registered driver (see Kbuild). */
static inline struct bus_type *compat_usb_bus(struct usb_driver *driver)
{
#ifdef SEKIMORI_HAVE_USBDRV_WRAP
	return driver->drvwrap.driver.bus;
#else
	return driver->driver.bus;
#endif
}

#endif
