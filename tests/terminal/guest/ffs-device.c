// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A USB device played by a program (FunctionFS on dummy_hcd): a bulk-only stick or reader that behaves,
 * or misbehaves in one named way, or an interface of the vendor-specific class ff.
 *
 *   ffs-device DIR MODE [OPTION VALUE]...
 *
 *   --image FILE      what a unit holds; each one more adds a unit. Without: 64 MiB of zeroes
 *   --units N         how many units it says it has; those without an image show the last one's
 *   --face FILE       what unit 0 shows instead from the INQUIRY on that --turn counts (the first is 0).
 *                     Whoever inspects a device asks once; the kernel asks again
 *   --turn N
 *   --at STEP         the fault is at this command, not at the mode's own
 *   --after N         a fault begins at the command that this counts (the first of its kind is 0)
 *   --times N         … and is over after so many
 *   --last LBA        last block that READ CAPACITY reports
 *   --block-size N    bytes of a block that it reports; 4096 is also meant so
 *
 * DIR is where functionfs is mounted. It serves until the functionfs is taken away, and prints one line
 * to stdout for each event: commands, resets, vendor requests.
 *
 * One thread per direction of talk: the main thread answers endpoint 0, the other one plays
 * bulk-only transport. A class reset (BOT 1.0, 3.1) interrupts the second by SIGUSR1 and waits
 * until it has seen it.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

#define PACKET 512
#define DEFAULT_BYTES (64u << 20)
#define DATA_MAX (256u << 10)
#define UNITS_MAX 16

static const struct mode *mode;
static bool vendor;
static uint8_t fault_op;
static unsigned long after;		/* commands of the fault's kind before it begins … */
static unsigned long times = ULONG_MAX; /* … and until it is over */
static int ep0, ep_in, ep_out;
static int images[UNITS_MAX];
static unsigned int n_images, n_units;
static int face = -1;
static unsigned long turn;
static bool has_last;
static uint64_t last_block;
static uint32_t block = 512, said_block = 512; /* bytes, and what it says */
static pthread_t bot_thread;
static bool bot_running;
static atomic_uint resets_wanted, resets_seen;
static uint32_t sense; /* key, ASC, ASCQ of the last failure */

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
	uint8_t unit;
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

static void put_be64(uint8_t *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, 8);
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

static unsigned long inquiries; /* of unit 0 */

/* What the unit shows at this moment, or -1 for zeroes. */
static int unit_image(const struct command *c)
{
	if (c->unit == 0 && face >= 0 && inquiries > turn)
		return face;
	if (!n_images)
		return -1;
	return images[c->unit < n_images ? c->unit : n_images - 1];
}

static uint64_t unit_last(const struct command *c)
{
	int image = unit_image(c);
	uint64_t size = image < 0 ? DEFAULT_BYTES : (uint64_t)lseek(image, 0, SEEK_END);

	return has_last ? last_block : size / block - 1;
}

static void read_blocks(const struct command *c, uint64_t lba, uint32_t blocks)
{
	int image = unit_image(c);
	size_t len = (size_t)blocks * block;

	if (len > sizeof(data))
		len = sizeof(data);
	memset(data, 0, len);
	if (image >= 0 && !is(c, FAULT_ZEROES) && pread(image, data, len, (off_t)lba * block) < 0)
		die("image");
}

static void refuse(struct command *c, uint32_t why)
{
	c->status = 1;
	c->len = 0;
	sense = why;
}

static void execute(struct command *c)
{
	static const uint8_t inquiry[36] = "\0\x80\x06\x02\x1f\0\0\0PLAYED  DEVICE          1.00";
	uint64_t last = unit_last(c);

	memset(data, 0, PACKET);
	c->len = c->expect;
	switch (c->cdb[0]) {
	case 0x00:
		break;
	case 0x03:
		data[0] = 0x70;
		data[2] = (uint8_t)(sense >> 16);
		data[7] = 10;
		data[12] = (uint8_t)(sense >> 8);
		data[13] = (uint8_t)sense;
		sense = 0;
		break;
	case 0x12:
		memcpy(data, inquiry, sizeof(inquiry));
		inquiries += c->unit == 0;
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
		put_be32(data, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
		put_be32(data + 4, said_block);
		break;
	case 0x9e:
		put_be64(data, last);
		put_be32(data + 8, said_block);
		break;
	case 0x28:
		read_blocks(c, be32(c->cdb + 2), c->cdb[7] << 8 | c->cdb[8]);
		break;
	case 0x88:
		read_blocks(c, (uint64_t)be32(c->cdb + 2) << 32 | be32(c->cdb + 6),
			    be32(c->cdb + 10));
		break;
	default:
		refuse(c, 0x052000);
	}
	if (is(c, FAULT_CHECK))
		refuse(c, mode->sense);
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
		len += PACKET;
	if (len && write(ep_in, data, len) < 0)
		return false;
	if (is(c, FAULT_DIE)) {
		say("dies");
		_exit(0);
	}
	/* Where the length is less than asked for and ends with a packet, only a halt ends the
	 * data. */
	if (c->len < c->expect && (c->len % PACKET == 0 || is(c, FAULT_STALL_DATA)))
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
	if (write(ep_in, csw, is(c, FAULT_SHORT_CSW) ? sizeof(csw) / 2 : sizeof(csw)) < 0 && errno != EINTR)
		say("status: %s", strerror(errno));
}

/* BOT 1.0, 6.6.1: what a device does that does not like a command at all. */
static void halt_until_reset(void)
{
	while (!reset_pending()) {
		halt_in();
		halt_out();
		usleep(5000);
	}
}

static void serve_command(const uint8_t *cbw)
{
	struct command c = {.tag = le32(cbw + 4), .expect = le32(cbw + 8), .unit = cbw[13] & 0x0f};
	static unsigned long count;

	memcpy(c.cdb, cbw + 15, sizeof(c.cdb));
	if (fault_op == OP_ANY || fault_op == c.cdb[0]) {
		c.faulty = count >= after && count - after < times;
		count++;
	}
	say("command %02x", c.cdb[0]);

	if (is(&c, FAULT_HALT)) {
		halt_until_reset();
		return;
	}

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
	static uint8_t more;
	uint8_t units = (uint8_t)(n_units - 1);
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
		if (mode->fault == FAULT_MORE_UNITS)
			units = (uint8_t)(units + more++);
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
	fputs("usage: ffs-device DIR MODE [--image FILE]... [--units N] [--face FILE --turn N] [--at STEP]\n"
	      "       [--after N] [--times N] [--last LBA] [--block-size N]\nmodes:\n",
	      stderr);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		fprintf(stderr, "  %-16s %s\n", modes[i].name, modes[i].about);
	fputs("steps:", stderr);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		fprintf(stderr, " %s", steps[i].name);
	fputs("\n", stderr);
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

static int image_open(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	return fd;
}

static bool step_find(const char *name)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(name, steps[i].name) == 0) {
			fault_op = steps[i].op;
			return true;
		}
	return false;
}

static bool option_take(const char *name, const char *value)
{
	unsigned long long number = strtoull(value, NULL, 0);

	if (strcmp(name, "--image") == 0 && n_images < UNITS_MAX)
		images[n_images++] = image_open(value);
	else if (strcmp(name, "--face") == 0)
		face = image_open(value);
	else if (strcmp(name, "--units") == 0)
		n_units = (unsigned int)number;
	else if (strcmp(name, "--turn") == 0)
		turn = number;
	else if (strcmp(name, "--after") == 0)
		after = number;
	else if (strcmp(name, "--times") == 0)
		times = number;
	else if (strcmp(name, "--last") == 0)
		has_last = true, last_block = number;
	else if (strcmp(name, "--block-size") == 0)
		said_block = (uint32_t)number;
	else
		return strcmp(name, "--at") == 0 && step_find(value);
	return true;
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
	fault_op = mode->op;
	for (int i = 3; i < argc; i += 2)
		if (i + 1 == argc || !option_take(argv[i], argv[i + 1]))
			return usage();
	if (said_block == 4096)
		block = said_block;
	if (!n_units)
		n_units = n_images ? n_images : 1;

	sigaction(SIGUSR1, &action, NULL);
	ep0 = endpoint_open(argv[1], "ep0");
	descriptors_write();
	ep_in = endpoint_open(argv[1], "ep1");
	ep_out = endpoint_open(argv[1], "ep2");
	say("ready");
	control_run();
	return 0;
}
