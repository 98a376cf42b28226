/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is guarded. An interface is harmless when every one of its alternate settings has a class on
 * the harmless list: a driver may switch between settings, so the worst of them counts.
 * Everything else is guarded.
 */
#ifndef _SEKIMORI_GUARD_H
#define _SEKIMORI_GUARD_H

#include <linux/types.h>

struct usb_interface;

/* One bit for each of the 256 interface classes. */
#define GUARD_BYTES 32

/* Parses "03,09,0b" into the list. -EINVAL on anything but two-digit hexadecimal classes. */
int guard_init(const char *list);

/* True when no alternate setting can do harm. Callable from any context. */
bool guard_harmless(const struct usb_interface *intf);

/* True when some alternate setting is of mass-storage class. */
bool guard_storage_class(const struct usb_interface *intf);

/* True for a driver that makes a disk of an interface, whatever class the interface claims. */
bool guard_storage_driver(const char *name);

/* Replaces the list. With tighten_only, a list with a class that is not on it now is -EPERM. */
int guard_replace(const u8 list[GUARD_BYTES], bool tighten_only);

/* The list as "03,09,0b\n". Returns its length. */
ssize_t guard_show(char *page);

#endif
