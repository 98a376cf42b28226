// SPDX-License-Identifier: GPL-2.0-or-later
#include "inspect/usb.h"

#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include "core/macro.h"

/* USB Mass Storage Class Specification Overview 1.4, sections 2 and 3. */
#define SUBCLASS_SCSI 0x06
#define PROTOCOL_BULK_ONLY 0x50
#define PROTOCOL_UAS 0x62

/* BOT 1.0, 3.1 and 3.2 */
#define REQUEST_RESET 0xff
#define REQUEST_GET_MAX_LUN 0xfe

static void libusb_free_config_descriptorp(struct libusb_config_descriptor **config)
{
	libusb_free_config_descriptor(*config);
}

static int usb_refuse(struct usb *usb, int code, const char *detail)
{
	usb->detail = detail;
	return code;
}

static const struct libusb_interface *interface_find(const struct libusb_config_descriptor *config,
						     uint8_t number)
{
	for (int i = 0; i < config->bNumInterfaces; i++) {
		const struct libusb_interface *interface = &config->interface[i];

		if (interface->num_altsetting > 0 &&
		    interface->altsetting[0].bInterfaceNumber == number)
			return interface;
	}
	return NULL;
}

/* BOT 1.0, 4.4: one bulk endpoint each way; others are ignored. */
static int endpoints_find(struct usb *usb, const struct libusb_interface_descriptor *setting)
{
	usb->ep_in = 0;
	usb->ep_out = 0;
	for (int i = 0; i < setting->bNumEndpoints; i++) {
		const struct libusb_endpoint_descriptor *ep = &setting->endpoint[i];
		uint8_t *which =
			ep->bEndpointAddress & LIBUSB_ENDPOINT_IN ? &usb->ep_in : &usb->ep_out;

		if ((ep->bmAttributes & LIBUSB_TRANSFER_TYPE_MASK) == LIBUSB_TRANSFER_TYPE_BULK &&
		    ep->wMaxPacketSize > 0 && !*which)
			*which = ep->bEndpointAddress;
	}
	if (!usb->ep_in || !usb->ep_out)
		return usb_refuse(usb, USB_E_FAILED, "bulk-only interface without bulk endpoints");
	return 0;
}

/*
 * Only setting 0 counts: a held interface is there, because no driver has ever chosen another, and
 * it is the one that usb-storage will use. UAS 1.0, 5.2 puts bulk-only there, too.
 */
static int setting_check(struct usb *usb, const struct libusb_interface *interface)
{
	for (int i = 0; i < interface->num_altsetting; i++) {
		const struct libusb_interface_descriptor *setting = &interface->altsetting[i];

		if (setting->bAlternateSetting != 0)
			continue;
		if (setting->bInterfaceClass != LIBUSB_CLASS_MASS_STORAGE ||
		    setting->bInterfaceSubClass != SUBCLASS_SCSI)
			break;
		if (setting->bInterfaceProtocol == PROTOCOL_BULK_ONLY)
			return endpoints_find(usb, setting);
		if (setting->bInterfaceProtocol == PROTOCOL_UAS)
			return usb_refuse(usb, USB_E_NOT_BOT, "speaks UAS only");
		break;
	}
	return usb_refuse(usb, USB_E_NOT_BOT, "is no SCSI bulk-only interface (08/06/50)");
}

int usb_open(struct usb *usb, libusb_context *context, int fd, uint8_t interface)
{
	_cleanup_(libusb_free_config_descriptorp) struct libusb_config_descriptor *config = NULL;
	const struct libusb_interface *found;
	int r;

	*usb = (struct usb){.fd = fd, .interface = interface, .detail = ""};
	if (libusb_wrap_sys_device(context, fd, &usb->handle))
		return usb_refuse(usb, USB_E_FAILED, "the device cannot be read by usbfs");
	if (libusb_get_active_config_descriptor(libusb_get_device(usb->handle), &config))
		return usb_refuse(usb, USB_E_FAILED, "no usable configuration descriptor");
	found = interface_find(config, interface);
	if (!found)
		return usb_refuse(usb, USB_E_FAILED, "no such interface in the configuration");
	r = setting_check(usb, found);
	if (r)
		return r;

	/* Claimed already; this only tells libusb. */
	if (libusb_claim_interface(usb->handle, interface))
		return usb_refuse(usb, USB_E_FAILED, "the interface cannot be claimed");
	return 0;
}

static int usb_outcome(int error)
{
	switch (error) {
	case LIBUSB_SUCCESS:
		return 0;
	case LIBUSB_ERROR_PIPE:
		return BOT_E_STALL;
	case LIBUSB_ERROR_TIMEOUT:
		return BOT_E_TIMEOUT;
	case LIBUSB_ERROR_NO_DEVICE:
		return BOT_E_GONE;
	case LIBUSB_ERROR_OVERFLOW:
		return BOT_E_OVERFLOW;
	case LIBUSB_ERROR_NO_MEM:
		return -ENOMEM;
	default:
		return BOT_E_IO;
	}
}

static int usb_bulk(struct usb *usb, uint8_t endpoint, uint8_t *data, size_t len, size_t *done,
		    unsigned int ms)
{
	int n = 0;
	int r = libusb_bulk_transfer(usb->handle, endpoint, data, (int)len, &n, ms);

	*done = (size_t)n;
	return usb_outcome(r);
}

static int usb_bulk_out(void *ctx, const uint8_t *data, size_t len, size_t *done, unsigned int ms)
{
	struct usb *usb = ctx;

	return usb_bulk(usb, usb->ep_out, (uint8_t *)data, len, done, ms);
}

static int usb_bulk_in(void *ctx, uint8_t *data, size_t len, size_t *done, unsigned int ms)
{
	struct usb *usb = ctx;

	return usb_bulk(usb, usb->ep_in, data, len, done, ms);
}

/*
 * USBDEVFS_CLEAR_HALT waits up to 5 s inside the kernel, deaf to deadlines and signals. So its two
 * halves are done one by one: the request as a transfer of our own, then the host's data toggle.
 */
static int usb_clear_halt(struct usb *usb, unsigned int endpoint, unsigned int ms)
{
	int r = libusb_control_transfer(usb->handle,
					LIBUSB_ENDPOINT_OUT | LIBUSB_RECIPIENT_ENDPOINT,
					LIBUSB_REQUEST_CLEAR_FEATURE, 0 /* ENDPOINT_HALT */,
					(uint16_t)endpoint, NULL, 0, ms);

	if (r < 0)
		return usb_outcome(r);
	if (ioctl(usb->fd, USBDEVFS_RESETEP, &endpoint) < 0)
		return errno == ENODEV ? BOT_E_GONE : BOT_E_IO;
	return 0;
}

static int usb_clear_halt_out(void *ctx, unsigned int ms)
{
	struct usb *usb = ctx;

	return usb_clear_halt(usb, usb->ep_out, ms);
}

static int usb_clear_halt_in(void *ctx, unsigned int ms)
{
	struct usb *usb = ctx;

	return usb_clear_halt(usb, usb->ep_in, ms);
}

static int usb_reset(void *ctx, unsigned int ms)
{
	struct usb *usb = ctx;
	int r = libusb_control_transfer(usb->handle,
					LIBUSB_ENDPOINT_OUT | LIBUSB_REQUEST_TYPE_CLASS |
						LIBUSB_RECIPIENT_INTERFACE,
					REQUEST_RESET, 0, usb->interface, NULL, 0, ms);

	return r < 0 ? usb_outcome(r) : 0;
}

static int usb_get_max_lun(void *ctx, uint8_t *max_lun, unsigned int ms)
{
	struct usb *usb = ctx;
	int r = libusb_control_transfer(usb->handle,
					LIBUSB_ENDPOINT_IN | LIBUSB_REQUEST_TYPE_CLASS |
						LIBUSB_RECIPIENT_INTERFACE,
					REQUEST_GET_MAX_LUN, 0, usb->interface, max_lun, 1, ms);

	if (r < 0)
		return usb_outcome(r);
	return r == 1 ? 0 : BOT_E_IO;
}

uint64_t usb_now(void *ctx)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void usb_sleep(void *ctx, unsigned int ms)
{
	poll(NULL, 0, (int)ms);
}

const struct bot_transport usb_transport = {
	.bulk_out = usb_bulk_out,
	.bulk_in = usb_bulk_in,
	.clear_halt_out = usb_clear_halt_out,
	.clear_halt_in = usb_clear_halt_in,
	.reset = usb_reset,
	.get_max_lun = usb_get_max_lun,
	.now = usb_now,
	.sleep = usb_sleep,
};
