// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A USB device played by a program (FunctionFS on dummy_hcd): a bulk-only stick that behaves, or
 * misbehaves in one named way, or an interface of the vendor-specific class ff.
 *
 *   ffs-device DIR MODE [--image FILE] [--after N]
 *
 * DIR is where functionfs is mounted. It serves FILE (or 64 MiB of zeroes) until the functionfs is
 * taken away, and prints one line to stdout for each event: commands, resets, vendor requests.
 * A fault begins at the command that --after N counts (the first of its kind is 0).
 *
 * One thread per direction of talk: the main thread answers endpoint 0, the other one plays
 * bulk-only transport. A class reset (BOT 1.0, 3.1) interrupts the second by SIGUSR1 and waits
 * until it has seen it.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usb/functionfs.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ffs-modes.h"

#define BLOCK 512
#define DEFAULT_BYTES (64u << 20)
#define DATA_MAX (256u << 10)

static const struct mode *mode;
static bool vendor;
static unsigned int after; /* commands of the mode's kind before the fault begins */
static int ep0, ep_in, ep_out, image = -1;
static uint64_t image_blocks = DEFAULT_BYTES / BLOCK;
static pthread_t bot_thread;
static bool bot_running;
static atomic_uint resets_wanted, resets_seen;
static uint8_t sense[3];

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void die(const char *what)
{
	fprintf(stderr, "ffs-device: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- descriptors: linux/usb/functionfs.h ------------------------------------------------------ */

struct endpoints {
	struct usb_interface_descriptor interface;
	struct usb_endpoint_descriptor_no_audio in, out;
} __attribute__((packed));

static struct endpoints endpoints_make(uint16_t packet)
{
	struct endpoints e = {
		.interface = {.bLength = sizeof(e.interface),
			      .bDescriptorType = USB_DT_INTERFACE,
			      .bNumEndpoints = 2,
			      .bInterfaceClass = vendor ? 0xff : 0x08,
			      .bInterfaceSubClass = vendor ? 0xff : 0x06,
			      .bInterfaceProtocol = vendor ? 0xff : 0x50,
			      .iInterface = 1},
		.in = {.bLength = sizeof(e.in),
		       .bDescriptorType = USB_DT_ENDPOINT,
		       .bEndpointAddress = 1 | USB_DIR_IN,
		       .bmAttributes = USB_ENDPOINT_XFER_BULK,
		       .wMaxPacketSize = htole16(packet)},
	};

	e.out = e.in;
	e.out.bEndpointAddress = 2 | USB_DIR_OUT;
	return e;
}

static void descriptors_write(void)
{
	struct {
		struct usb_functionfs_descs_head_v2 head;
		__le32 full_count, high_count;
		struct endpoints full, high;
	} __attribute__((packed)) descriptors = {
		.head = {.magic = htole32(FUNCTIONFS_DESCRIPTORS_MAGIC_V2),
			 .length = htole32(sizeof(descriptors)),
			 .flags = htole32(FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC |
					  (vendor ? FUNCTIONFS_ALL_CTRL_RECIP : 0))},
		.full_count = htole32(3),
		.high_count = htole32(3),
		.full = endpoints_make(64),
		.high = endpoints_make(512),
	};
	struct {
		struct usb_functionfs_strings_head head;
		__le16 language;
		char text[sizeof("played device")];
	} __attribute__((packed)) strings = {
		.head = {.magic = htole32(FUNCTIONFS_STRINGS_MAGIC),
			 .length = htole32(sizeof(strings)),
			 .str_count = htole32(1),
			 .lang_count = htole32(1)},
		.language = htole16(0x0409),
		.text = "played device",
	};

	if (write(ep0, &descriptors, sizeof(descriptors)) < 0)
		die("descriptors");
	if (write(ep0, &strings, sizeof(strings)) < 0)
		die("strings");
}

/* --- bulk-only transport -----------------------------------------------------------------------
 */

struct command {
	uint32_t tag, expect;
	uint8_t cdb[16];
	bool faulty;
	uint8_t status;
	size_t len; /* of the answer */
};

static uint8_t data[DATA_MAX];

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0];
}

static void put_be32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, 4);
}

/* FunctionFS halts an endpoint when it is used the wrong way round. */
static void halt_in(void)
{
	char c;

	while (read(ep_in, &c, 1) < 0 && errno == EAGAIN)
		usleep(1000);
}

static void halt_out(void)
{
	while (write(ep_out, "", 1) < 0 && errno == EAGAIN)
		usleep(1000);
}

static bool reset_pending(void)
{
	return resets_seen != resets_wanted;
}

static void wait_for_reset(void)
{
	while (!reset_pending())
		usleep(20000);
}

static bool is(const struct command *c, enum fault fault)
{
	return c->faulty && mode->fault == fault;
}

static void read_blocks(const struct command *c, uint32_t lba, uint32_t blocks)
{
	size_t len = (size_t)blocks * BLOCK;

	if (len > sizeof(data))
		len = sizeof(data);
	memset(data, 0, len);
	if (image >= 0 && !is(c, FAULT_ZEROES) && pread(image, data, len, (off_t)lba * BLOCK) < 0)
		die("image");
	if (is(c, FAULT_LYING_LUKS) && lba == 0)
		memcpy(data, "LUKS\xba\xbe\0\x02\0\0\0\x01\0\0\0\0", 16);
}

static void execute(struct command *c)
{
	static const uint8_t inquiry[36] = "\0\x80\x06\x02\x1f\0\0\0PLAYED  DEVICE          1.00";
	uint32_t last = (uint32_t)(image_blocks - 1);

	memset(data, 0, 512);
	c->len = c->expect;
	switch (c->cdb[0]) {
	case 0x00:
		c->status = is(c, FAULT_NO_MEDIUM);
		memcpy(sense, c->status ? "\x02\x3a\0" : "\0\0\0", 3);
		break;
	case 0x03:
		data[0] = 0x70;
		data[2] = sense[0];
		data[7] = 10;
		data[12] = sense[1];
		data[13] = sense[2];
		break;
	case 0x12:
		memcpy(data, inquiry, sizeof(inquiry));
		break;
	case 0x1a:
		data[0] = 3;
		c->len = c->expect < 4 ? c->expect : 4;
		break;
	case 0x1b: /* START STOP UNIT */
	case 0x1e: /* PREVENT ALLOW MEDIUM REMOVAL */
		c->len = 0;
		break;
	case 0x25:
		put_be32(data, is(c, FAULT_CAPACITY) ? UINT32_MAX : last);
		put_be32(data + 4, BLOCK);
		break;
	case 0x9e:
		memset(data, 0xff, 8);
		put_be32(data + 8, BLOCK);
		break;
	case 0x28:
		read_blocks(c, be32(c->cdb + 2), c->cdb[7] << 8 | c->cdb[8]);
		break;
	default:
		c->status = 1;
		c->len = 0;
		memcpy(sense, "\x05\x20\0", 3);
	}
	if (c->len > sizeof(data))
		c->len = sizeof(data);
	if (is(c, FAULT_SHORT) || is(c, FAULT_STALL_DATA) || is(c, FAULT_DIE))
		c->len /= 2;
}

/* False: interrupted by a reset. */
static bool send_data(const struct command *c)
{
	size_t len = c->len;

	if (is(c, FAULT_LONG))
		len += BLOCK;
	if (len && write(ep_in, data, len) < 0)
		return false;
	if (is(c, FAULT_DIE)) {
		say("dies");
		_exit(0);
	}
	/* Where the length is less than asked for and ends with a packet, only a halt ends the
	 * data. */
	if (c->len < c->expect && (c->len % BLOCK == 0 || is(c, FAULT_STALL_DATA)))
		halt_in();
	return true;
}

static void send_status(const struct command *c)
{
	uint8_t csw[13] = "USBS";
	uint32_t tag = htole32(c->tag), residue = htole32(c->expect - (uint32_t)c->len);

	if (is(c, FAULT_STALL_CSW) || is(c, FAULT_STALL_CSW_TWICE))
		halt_in();
	if (is(c, FAULT_STALL_CSW_TWICE)) {
		usleep(300000);
		halt_in();
	}
	if (is(c, FAULT_BAD_TAG))
		tag = ~tag;
	if (is(c, FAULT_BAD_SIGNATURE))
		csw[0] = 'X';
	if (is(c, FAULT_BIG_RESIDUE))
		residue = 0xffffffff;
	memcpy(csw + 4, &tag, 4);
	memcpy(csw + 8, &residue, 4);
	csw[12] = is(c, FAULT_PHASE_ERROR) ? 2 : c->status;
	if (write(ep_in, csw, sizeof(csw)) < 0 && errno != EINTR)
		say("status: %s", strerror(errno));
}

static void serve_command(const uint8_t *cbw)
{
	struct command c = {.tag = le32(cbw + 4), .expect = le32(cbw + 8)};
	static unsigned int count;

	memcpy(c.cdb, cbw + 15, sizeof(c.cdb));
	if (mode->op == OP_ANY || mode->op == c.cdb[0])
		c.faulty = count++ >= after;
	say("command %02x", c.cdb[0]);

	if (is(&c, FAULT_NEVER_DATA) && c.expect) {
		wait_for_reset();
		return;
	}
	execute(&c);
	if (c.expect && !send_data(&c))
		return;
	if (is(&c, FAULT_NEVER_CSW))
		wait_for_reset();
	else
		send_status(&c);
}

static void *bot_run(void *arg)
{
	uint8_t cbw[512];

	(void)arg;
	for (;;) {
		ssize_t n;

		resets_seen = resets_wanted;
		if (mode->fault == FAULT_STALL_CBW)
			halt_out();
		n = read(ep_out, cbw, sizeof(cbw));
		if (n < 0 && (errno == ESHUTDOWN || errno == ENODEV || errno == EBADF))
			usleep(20000); /* not configured, until the host comes back */
		if (n == 31 && memcmp(cbw, "USBC", 4) == 0 && mode->fault != FAULT_STALL_CBW)
			serve_command(cbw);
	}
	return NULL;
}

/* --- endpoint 0 --------------------------------------------------------------------------------
 */

static void interrupt_ignore(int signal)
{
	(void)signal;
}

static void bot_reset(void)
{
	say("reset");
	resets_wanted++;
	for (int i = 0; i < 200 && reset_pending(); i++) {
		pthread_kill(bot_thread, SIGUSR1);
		usleep(2000);
	}
}

static void control_stall(const struct usb_ctrlrequest *setup)
{
	char c;
	ssize_t r = setup->bRequestType & USB_DIR_IN ? read(ep0, &c, 1) : write(ep0, "", 1);

	(void)r; /* EL2HLT: that is how it says that it has stalled */
}

static void control_answer(const struct usb_ctrlrequest *setup)
{
	static const char marker[] = "sekimori-ff";
	const uint16_t length = le16toh(setup->wLength);
	const uint8_t type = setup->bRequestType & USB_TYPE_MASK;
	uint8_t units = mode->fault == FAULT_MANY_UNITS ? 3 : 0;
	char sink[4096];
	ssize_t r = 0;

	say("request %02x %02x", setup->bRequestType, setup->bRequest);
	while (mode->fault == FAULT_DEAF)
		pause();
	if (vendor && type == USB_TYPE_VENDOR) {
		if (setup->bRequestType & USB_DIR_IN)
			r = write(ep0, marker, length < sizeof(marker) ? length : sizeof(marker));
		else
			r = read(ep0, sink, length < sizeof(sink) ? length : sizeof(sink));
	} else if (!vendor && setup->bRequestType == 0xa1 && setup->bRequest == 0xfe) {
		r = write(ep0, &units, 1);
	} else if (!vendor && setup->bRequestType == 0x21 && setup->bRequest == 0xff) {
		bot_reset();
		r = read(ep0, sink, 0);
	} else {
		control_stall(setup);
	}
	if (r < 0)
		say("request: %s", strerror(errno));
}

static void control_run(void)
{
	struct usb_functionfs_event event;

	for (;;) {
		ssize_t n = read(ep0, &event, sizeof(event));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < (ssize_t)sizeof(event))
			return;
		if (event.type == FUNCTIONFS_SETUP)
			control_answer(&event.u.setup);
		else if (event.type == FUNCTIONFS_UNBIND)
			return;
		if (event.type == FUNCTIONFS_ENABLE && !vendor && !bot_running) {
			bot_running = true;
			if (pthread_create(&bot_thread, NULL, bot_run, NULL))
				die("thread");
		}
	}
}

/* --- command line ------------------------------------------------------------------------------
 */

static int usage(void)
{
	fputs("usage: ffs-device DIR MODE [--image FILE] [--after N]\nmodes:\n", stderr);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		fprintf(stderr, "  %-16s %s\n", modes[i].name, modes[i].about);
	return 2;
}

static int endpoint_open(const char *dir, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR);
	if (fd < 0)
		die(path);
	return fd;
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = interrupt_ignore};

	for (size_t i = 0; argc > 2 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(argv[2], modes[i].name) == 0)
			mode = &modes[i];
	if (!mode)
		return usage();
	vendor = mode->fault == FAULT_VENDOR;
	for (int i = 3; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--image") == 0) {
			image = open(argv[i + 1], O_RDONLY);
			if (image < 0)
				die(argv[i + 1]);
			image_blocks = (uint64_t)lseek(image, 0, SEEK_END) / BLOCK;
		} else if (i + 1 < argc && strcmp(argv[i], "--after") == 0) {
			after = (unsigned int)strtoul(argv[i + 1], NULL, 10);
		} else {
			return usage();
		}
	}

	sigaction(SIGUSR1, &action, NULL);
	ep0 = endpoint_open(argv[1], "ep0");
	descriptors_write();
	ep_in = endpoint_open(argv[1], "ep1");
	ep_out = endpoint_open(argv[1], "ep2");
	say("ready");
	control_run();
	return 0;
}
