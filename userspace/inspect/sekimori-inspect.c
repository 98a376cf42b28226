// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sekimori-inspect: finds out what a held USB mass-storage device is while no kernel driver has it,
 * or with --block what lies on a disk that the kernel has made of one.
 *
 * Run by sekimorid, once per inspection. It is given a USB device as descriptor 3 (usbfs, opened for
 * reading and writing, stripped of privileges, interface claimed), or opens a block device by itself,
 * and writes one struct report to descriptor 4 (a pipe or socket). Not a byte of the device is looked
 * at before the sandbox is closed. With --wait it is started before there is a device, and receives it
 * in the sandbox (core/inspection.h).
 *
 * Exit status: 0 a report with an outcome was written, or with --wait the other end was closed before a
 * device came, and there is none; 1 it failed (with a report of outcome "internal", if that could still
 * be written); 2 usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <time.h>

#include "cli/i18n.h"
#include "core/macro.h"
#include "core/mark-text.h"
#include "core/report.h"
#include "inspect/block.h"
#include "inspect/probe.h"
#include "inspect/sandbox.h"
#include "inspect/usb.h"
#include "inspect/waiting.h"

#define DEADLINE_MS 8000
#define DEADLINE_MIN_MS 100
#define DEADLINE_MAX_MS 60000
/* If the program should miss its own deadline by this much, the kernel ends it. */
#define GRACE_MS 1000
#define USB_MAJOR 189 /* /dev/bus/usb: Linux's admin-guide/devices.txt */

struct options {
	const char *block; /* node, or NULL */
	dev_t devnum;	   /* that it must be */
	bool read_only;
	char *wait; /* the argument, or NULL */
	uint8_t interface;
	unsigned int deadline_ms;
};

static const char usage[] = N_(
	"Usage: sekimori-inspect --interface N [--deadline MS]\n"
	"       sekimori-inspect --block NODE --devnum MAJOR:MINOR [--read-only] [--deadline MS]\n"
	"       sekimori-inspect --wait\n"
	"\n"
	"Asks a USB mass-storage device what it is, and looks whether all of it is encrypted. "
	"sekimorid\n"
	"starts it with the opened USB device as descriptor 3 and a pipe for the report as "
	"descriptor 4;\n"
	"it is of no use by hand.\n"
	"\n"
	"  --interface N   descriptor 3 is a USB device; number of the claimed interface, 0 to "
	"255\n"
	"  --block NODE    what to look at instead is this block device\n"
	"  --devnum M:N    its number: the node must still be that device\n"
	"  --read-only     make it refuse writes first\n"
	"  --wait          descriptor 4 is a socket: the USB device and its interface come by it "
	"later\n"
	"  --deadline MS   time for all of it in milliseconds, 100 to 60000 (default 8000)\n"
	"  --help          this text\n"
	"  --version       the version\n");

/* Only here a person reads; the daemon is told in English. The format is marked with N_(). */
_printf_(1, 2) static int usage_fail(const char *format, ...)
{
	va_list args;

	i18n_init();
	fputs("sekimori-inspect: ", stderr);
	va_start(args, format);
	vfprintf(stderr, _(format), args);
	va_end(args);
	fputc('\n', stderr);
	fprintf(stderr, _("Try '%s --help'.\n"), "sekimori-inspect");
	return 2;
}

static bool number_parse(const char *text, unsigned long min, unsigned long max, unsigned long *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoul(text, &end, 10);
	return !errno && !*end && *out >= min && *out <= max;
}

static bool devnum_parse(char *text, dev_t *out)
{
	char *colon = strchr(text, ':');
	unsigned long major, minor;
	bool ok;

	if (!colon)
		return false;
	*colon = '\0';
	ok = number_parse(text, 1, 4095, &major) && number_parse(colon + 1, 0, (1 << 20) - 1, &minor);
	*colon = ':';
	if (ok)
		*out = makedev((unsigned int)major, (unsigned int)minor);
	return ok;
}

/* Returns -1 to go on, or the exit status. */
static int options_parse(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{"interface", required_argument, NULL, 'i'},
		{"block", required_argument, NULL, 'b'},
		{"devnum", required_argument, NULL, 'n'},
		{"read-only", no_argument, NULL, 'r'},
		{"wait", no_argument, NULL, 'w'},
		{"deadline", required_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{},
	};
	bool have_interface = false;
	unsigned long value;
	int c;

	options->deadline_ms = DEADLINE_MS;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'i':
			if (!number_parse(optarg, 0, UINT8_MAX, &value))
				return usage_fail(
					N_("--interface takes a number from 0 to 255, not "
					   "\"%s\""),
					optarg);
			options->interface = (uint8_t)value;
			have_interface = true;
			break;
		case 'b':
			options->block = optarg;
			break;
		case 'n':
			if (!devnum_parse(optarg, &options->devnum))
				return usage_fail(N_("--devnum takes MAJOR:MINOR, not \"%s\""),
						  optarg);
			break;
		case 'r':
			options->read_only = true;
			break;
		case 'w':
			options->wait = argv[optind - 1];
			break;
		case 'd':
			if (!number_parse(optarg, DEADLINE_MIN_MS, DEADLINE_MAX_MS, &value))
				return usage_fail(N_("--deadline takes milliseconds from %d to %d, "
						     "not \"%s\""),
						  DEADLINE_MIN_MS, DEADLINE_MAX_MS, optarg);
			options->deadline_ms = (unsigned int)value;
			break;
		case 'h':
			i18n_init();
			fputs(_(usage), stdout);
			return fflush(stdout) ? 1 : 0;
		case 'v':
			puts("sekimori-inspect " SEKIMORI_VERSION);
			return fflush(stdout) ? 1 : 0;
		default:
			return usage_fail(N_("unknown option, or one without its value: \"%s\""),
					  argv[optind - 1]);
		}
	}
	if (optind < argc)
		return usage_fail(N_("\"%s\" is too much"), argv[optind]);
	if (have_interface + !!options->block + !!options->wait != 1)
		return usage_fail(N_("one of --interface, --block and --wait, please"));
	if (options->block && !options->devnum)
		return usage_fail(N_("--block needs --devnum"));
	if (options->wait && argc > 2)
		return usage_fail(N_("--wait takes no other option"));
	return -1;
}

static bool device_is_usb(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && major(st->st_rdev) == USB_MAJOR;
}

/* Returns -1 to go on, or the exit status. */
static int descriptors_check(const struct options *options)
{
	const bool given = !options->block && !options->wait;
	struct stat st;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fstat(fd, &st) < 0)
			return usage_fail(N_("descriptor %d is closed"), fd);
	if (given && (fstat(SANDBOX_FD_DEVICE, &st) < 0 || !device_is_usb(&st)))
		return usage_fail(N_("descriptor %d is no opened USB device"), SANDBOX_FD_DEVICE);
	if (fstat(SANDBOX_FD_REPORT, &st) < 0 || !((S_ISFIFO(st.st_mode) && !options->wait) || S_ISSOCK(st.st_mode)))
		return usage_fail(N_("descriptor %d is no pipe or socket"), SANDBOX_FD_REPORT);
	if (close_range(SANDBOX_FD_REPORT + 1, ~0U, 0) < 0)
		return usage_fail(N_("closing other descriptors: %s"), strerror(errno));
	return -1;
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Returns the exit status. */
static int report_send(struct report *report, uint64_t start_us)
{
	const uint8_t *at = (const uint8_t *)report;

	report->elapsed_us = now_us() - start_us;
	/* Whoever reads slowly gets it in pieces; a full pipe that does not block ends it. */
	for (size_t left = sizeof(*report); left > 0;) {
		ssize_t n = write(SANDBOX_FD_REPORT, at, left);

		if (n <= 0)
			return 1;
		at += n;
		left -= (size_t)n;
	}
	return report->outcome == REPORT_INTERNAL ? 1 : 0;
}

_printf_(3, 4) static int internal_send(struct report *report, uint64_t start_us,
					const char *format, ...)
{
	char detail[REPORT_DETAIL_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	report->outcome = REPORT_INTERNAL;
	report_set_text(report->detail, sizeof(report->detail), detail, true);
	return report_send(report, start_us);
}

static int deadline_arm(unsigned int ms)
{
	struct itimerval timer = {
		.it_value = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000},
	};

	return setitimer(ITIMER_REAL, &timer, NULL) < 0 ? -errno : 0;
}

/* Each of these returns 0, or the exit status after it could not get as far as the device. */

static int usb_begin(libusb_context **context, enum sandbox_device device, struct report *report, uint64_t start_us)
{
	const char *step;
	int r;

	r = libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
	if (!r)
		r = libusb_init(context);
	if (r)
		return internal_send(report, start_us, "libusb: %s", libusb_strerror(r));
	r = sandbox_enter(device, &step);
	return r < 0 ? internal_send(report, start_us, "sandbox, %s: %s", step, strerror(-r)) : 0;
}

static void usb_look(libusb_context *context, struct report *report, const struct options *options, uint64_t start_us)
{
	struct usb usb;
	struct bot bot;
	int r;

	r = usb_open(&usb, context, SANDBOX_FD_DEVICE, options->interface);
	if (r) {
		report->outcome = REPORT_TRANSPORT;
		report_set_text(report->detail, sizeof(report->detail), usb.detail, true);
		return;
	}
	bot_init(&bot, &usb_transport, &usb, start_us / 1000 + options->deadline_ms);
	probe_run(&bot, report);
}

static int usb_inspect(struct report *report, const struct options *options, uint64_t start_us)
{
	libusb_context *context = NULL;
	int r = usb_begin(&context, SANDBOX_USB, report, start_us);

	if (!r)
		usb_look(context, report, options, start_us);
	return r;
}

/* What ps shows tells one that waits from one that is at work. */
static void argument_change(char *wait)
{
	static const char at_work[] = "--work";

	if (strlen(wait) == strlen(at_work))
		memcpy(wait, at_work, sizeof(at_work));
}

/* Its time begins with the device. What fails before is told, too: the daemon's log says it (system/inspector.c). */
static int usb_wait(struct report *report, struct options *options, uint64_t *start_us)
{
	libusb_context *context = NULL;
	struct inspection inspection;
	int r = waiting_begin();

	if (r < 0)
		return internal_send(report, *start_us, "descriptor %d: %s", SANDBOX_FD_DEVICE, strerror(-r));
	r = usb_begin(&context, SANDBOX_USB_WAITING, report, *start_us);
	if (r)
		return r;
	waiting_ready();
	r = waiting_receive(&inspection);
	if (r == -ECANCELED)
		_exit(0);
	if (r < 0)
		return internal_send(report, *start_us, "order: %s", strerror(-r));
	*start_us = now_us();
	options->interface = inspection.interface;
	options->deadline_ms = inspection.deadline_ms;
	r = deadline_arm(options->deadline_ms + GRACE_MS);
	if (r < 0)
		return internal_send(report, *start_us, "timer: %s", strerror(-r));
	argument_change(options->wait);
	usb_look(context, report, options, *start_us);
	return 0;
}

static int block_inspect(struct report *report, const struct options *options, uint64_t start_us)
{
	struct block block;
	const char *step;
	int r;

	r = block_node_open(options->block, options->devnum, options->read_only, SANDBOX_FD_DEVICE);
	if (r == -ENOMEDIUM) {
		report->n_units = 1;
		report->units[0].state = REPORT_UNIT_EMPTY;
		report->outcome = REPORT_PROVED;
		report_conclude(report);
		return 0;
	}
	if (r < 0)
		return internal_send(report, start_us, "%s: %s", options->block, strerror(-r));
	r = block_open(&block, SANDBOX_FD_DEVICE, start_us / 1000 + options->deadline_ms);
	if (r < 0)
		return internal_send(report, start_us, "block device: %s", strerror(-r));
	r = sandbox_enter(SANDBOX_BLOCK, &step);
	if (r < 0)
		return internal_send(report, start_us, "sandbox, %s: %s", step, strerror(-r));
	block_run(&block, report);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t start_us = now_us();
	struct options options = {0};
	struct report report;
	int r;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return 1;
	r = options_parse(&options, argc, argv);
	if (r < 0)
		r = descriptors_check(&options);
	if (r >= 0)
		return r;

	report_init(&report, REPORT_INTERNAL);
	r = options.wait ? 0 : deadline_arm(options.deadline_ms + GRACE_MS);
	if (r < 0)
		return internal_send(&report, start_us, "timer: %s", strerror(-r));
	r = options.wait  ? usb_wait(&report, &options, &start_us) :
	    options.block ? block_inspect(&report, &options, start_us) :
			    usb_inspect(&report, &options, start_us);
	if (!r)
		r = report_send(&report, start_us);
	/* Straight to the end: libusb_exit() would make calls that are no longer allowed. */
	_exit(r);
}
