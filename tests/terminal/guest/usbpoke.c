// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pokes at a USB device through usbfs, with nothing between it and the kernel, as any program could.
 * Prints "ok" or the name of the error, and exits 0 if the kernel let it.
 *
 *   usbpoke BUS DEV open            open the node read-write
 *   usbpoke BUS DEV claim IF        claim an interface
 *   usbpoke BUS DEV bulk IF EP      claim it and send 31 bytes to an OUT endpoint
 *   usbpoke BUS DEV vendor          a vendor request on endpoint 0
 *   usbpoke BUS DEV reset           reset the device
 *   usbpoke BUS DEV connect IF      let drivers probe the interface
 *   usbpoke BUS DEV config N        set a configuration
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int finish(int r)
{
	puts(r < 0 ? strerrorname_np(errno) : "ok");
	return r < 0;
}

int main(int argc, char **argv)
{
	unsigned char data[64] = { 0 };
	unsigned int number = argc > 4 ? (unsigned int)atoi(argv[4]) : 0;
	char path[64];
	int fd;

	if (argc < 4)
		return 2;
	snprintf(path, sizeof(path), "/dev/bus/usb/%03d/%03d", atoi(argv[1]), atoi(argv[2]));
	fd = open(path, O_RDWR);
	if (fd < 0 || !strcmp(argv[3], "open"))
		return finish(fd);
	if (!strcmp(argv[3], "claim"))
		return finish(ioctl(fd, USBDEVFS_CLAIMINTERFACE, &number));
	if (!strcmp(argv[3], "bulk")) {
		struct usbdevfs_bulktransfer bulk = {
			.ep = argc > 5 ? (unsigned int)atoi(argv[5]) : 2,
			.len = 31,
			.timeout = 1000,
			.data = data,
		};

		return finish(ioctl(fd, USBDEVFS_BULK, &bulk));
	}
	if (!strcmp(argv[3], "vendor")) {
		struct usbdevfs_ctrltransfer control = {
			.bRequestType = 0xc0,
			.bRequest = 1,
			.wLength = sizeof(data),
			.timeout = 1000,
			.data = data,
		};

		return finish(ioctl(fd, USBDEVFS_CONTROL, &control));
	}
	if (!strcmp(argv[3], "reset"))
		return finish(ioctl(fd, USBDEVFS_RESET, NULL));
	if (!strcmp(argv[3], "connect")) {
		struct usbdevfs_ioctl command = { .ifno = (int)number,
						  .ioctl_code = USBDEVFS_CONNECT };

		return finish(ioctl(fd, USBDEVFS_IOCTL, &command));
	}
	if (!strcmp(argv[3], "config"))
		return finish(ioctl(fd, USBDEVFS_SETCONFIGURATION, &number));
	return 2;
}
