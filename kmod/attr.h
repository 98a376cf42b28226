/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The `authorized` file of a guarded interface in sysfs. The kernel's own file lets root open the
 * interface to usbfs, and nothing is called on that way that could say no. So for a guarded
 * interface the file is replaced by one of ours, which reads the same, refuses every write with EPERM
 * and reports it.
 */
#ifndef _SEKIMORI_ATTR_H
#define _SEKIMORI_ATTR_H

struct usb_interface;

/*
 * Puts our file in place. The caller holds the lock of the USB device (so that the interface cannot
 * be deleted meanwhile) and not that of the interface (a writer in the old file may be waiting for
 * it, and is waited for). If our file cannot be made, there is none: the interface stays shut.
 */
void attr_replace(struct usb_interface *intf);

/* Puts the kernel's file back, for the unloading of the module. Same locks. */
void attr_restore(struct usb_interface *intf);

#endif
