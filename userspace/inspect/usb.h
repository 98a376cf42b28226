/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bulk-only transport over one usbfs descriptor, by libusb. The descriptor was opened, stripped
 * of privileges (USBDEVFS_DROP_PRIVILEGES) and the interface claimed by the caller of the program;
 * libusb neither enumerates devices nor opens anything.
 */
#pragma once

#include <libusb.h>
#include <stdint.h>

#include "inspect/bot.h"

/* Outcomes of usb_open. */
enum {
	USB_E_NOT_BOT = 1, /* the interface has no bulk-only setting */
	USB_E_FAILED = 2,  /* the device or its descriptors cannot be used */
};

struct usb {
	libusb_device_handle *handle; /* lives as long as the process */
	int fd;                       /* not owned */
	uint8_t interface;
	uint8_t ep_in;
	uint8_t ep_out;
	const char *detail; /* after an outcome: one line of ASCII */
};

/*
 * Takes the context of libusb_init() and the descriptor; checks that the interface is
 * 08/06/50 in the active configuration and finds its bulk endpoints. Returns 0 or an
 * outcome from above.
 */
int usb_open(struct usb *usb, libusb_context *context, int fd, uint8_t interface);

/* Operations for bot_init(); the context is the struct usb. */
extern const struct bot_transport usb_transport;

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t usb_now(void *ctx);
