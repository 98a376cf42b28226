/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sekimori-inspect may still do once it talks to a device: use the descriptors it has, up to
 * SANDBOX_FD_LAST, and its own memory. No user, no capability, no file, no process, no network. A
 * system call outside the list ends the process.
 */
#pragma once

#define SANDBOX_FD_DEVICE 3 /* usbfs descriptor, or block device */
#define SANDBOX_FD_REPORT 4 /* where the report goes */
/* libusb_init() opens two more, an event and a timer descriptor; after that nothing is opened. */
#define SANDBOX_FD_LAST 6

enum sandbox_device {
	SANDBOX_USB,	     /* what libusb needs to talk to a device */
	SANDBOX_USB_WAITING, /* the same, and to receive that device first */
	SANDBOX_BLOCK,	     /* pread() */
};

/*
 * Enters the sandbox, as root, after libusb_init() or block_open(). There is no way back. Returns 0;
 * or a negative errno and the name of the step that failed in *step: then the process must end.
 */
int sandbox_enter(enum sandbox_device device, const char **step);
