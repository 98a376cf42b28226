// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs sekimori-inspect as the daemon does, without the daemon, and prints the report:
 *
 *   inspect-by-hand PROGRAM /dev/bus/usb/BBB/DDD INTERFACE [OPTION...]
 *   inspect-by-hand PROGRAM /dev/sdX --block [OPTION...]
 *
 * A driver that has the interface is taken off it first. Prints one "name=value" a line, those of units
 * and volumes as "unit0.name=value", "volume0.name=value"; exits with the program's status, or 3 if it
 * was killed, 4 without a well-formed report.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/report.h"

static void die(const char *what)
{
	fprintf(stderr, "inspect-by-hand: %s: %s\n", what, strerror(errno));
	exit(5);
}

static int device_open(const char *path, unsigned int interface)
{
	struct usbdevfs_ioctl disconnect = {.ifno = (int)interface,
					    .ioctl_code = USBDEVFS_DISCONNECT};
	unsigned int mask = 1u << interface;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(path);
	ioctl(fd, USBDEVFS_IOCTL, &disconnect);
	if (ioctl(fd, USBDEVFS_DROP_PRIVILEGES, &mask) < 0)
		die("drop privileges");
	if (ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface) < 0)
		die("claim");
	return fd;
}

static void devnum_print(const char *path, char *out, size_t size)
{
	struct stat st;

	if (stat(path, &st) < 0)
		die(path);
	snprintf(out, size, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
}

static void unit_print(const struct report_unit *u, unsigned int i)
{
	static const char *const states[] = {"unknown", "empty", "disk", "other"};
	static const char *const tables[] = {"none", "mbr", "gpt"};

	printf("unit%u.state=%s\nunit%u.type=%u\n", i, states[u->state], i, u->type);
	printf("unit%u.vendor=%s\nunit%u.product=%s\nunit%u.revision=%s\n", i, u->vendor, i,
	       u->product, i, u->revision);
	printf("unit%u.blocks=%llu\nunit%u.block_size=%u\nunit%u.write_protected=%u\n", i,
	       (unsigned long long)u->blocks, i, u->block_size, i, u->write_protected);
	printf("unit%u.table=%s\nunit%u.digest=", i, tables[u->table], i);
	for (size_t k = 0; k < sizeof(u->digest); k++)
		printf("%02x", u->digest[k]);
	putchar('\n');
}

static void volume_print(const struct report_volume *v, unsigned int i)
{
	printf("volume%u.unit=%u\nvolume%u.partition=%u\n", i, v->unit, i, v->partition);
	printf("volume%u.offset=%llu\nvolume%u.size=%llu\n", i, (unsigned long long)v->offset, i,
	       (unsigned long long)v->size);
	printf("volume%u.method=%s\nvolume%u.uuid=%s\nvolume%u.label=%s\n", i,
	       encryption_name(v->method), i, v->uuid, i, v->label);
	printf("volume%u.cipher=%s\nvolume%u.kdf=%s\nvolume%u.keyslots=%u\n", i, v->cipher, i,
	       v->kdf, i, v->keyslots);
	printf("volume%u.mark=%s\n", i, v->has_mark ? v->mark.number : "");
}

static void report_print(const struct report *r)
{
	printf("outcome=%s\ndetail=%s\nunits=%u\nvolumes=%u\n", report_outcome_name(r->outcome),
	       r->detail, r->n_units, r->n_volumes);
	printf("commands=%u\nbytes_read=%llu\nelapsed_us=%llu\n", r->commands,
	       (unsigned long long)r->bytes_read, (unsigned long long)r->elapsed_us);
	for (unsigned int i = 0; i < r->n_units; i++)
		unit_print(&r->units[i], i);
	for (unsigned int i = 0; i < r->n_volumes; i++)
		volume_print(&r->volumes[i], i);
}

int main(int argc, char **argv)
{
	char *args[16] = {"sekimori-inspect"};
	char number[32];
	char *env[] = {NULL};
	char buf[sizeof(struct report) + 1];
	struct timespec start, end;
	struct rusage usage;
	struct report report;
	int device, low, pipes[2], status, n_args = 1;
	ssize_t n;

	if (argc < 4 || argc > 10) {
		fputs("usage: inspect-by-hand PROGRAM NODE INTERFACE|--block [OPTION...]\n", stderr);
		return 2;
	}
	if (!strcmp(argv[3], "--block")) {
		device = -1;
		devnum_print(argv[2], number, sizeof(number));
		args[n_args++] = "--block";
		args[n_args++] = argv[2];
		args[n_args++] = "--devnum";
		args[n_args++] = number;
	} else {
		device = device_open(argv[2], (unsigned int)atoi(argv[3]));
		args[n_args++] = "--interface";
		args[n_args++] = argv[3];
	}
	for (int i = 4; i < argc; i++)
		args[n_args++] = argv[i];
	if (pipe2(pipes, O_CLOEXEC) < 0)
		die("pipe");
	/* Out of the way of the numbers that dup2() is going to give out. */
	if (device >= 0)
		device = fcntl(device, F_DUPFD_CLOEXEC, 10);
	low = pipes[1];
	pipes[1] = fcntl(low, F_DUPFD_CLOEXEC, 10);
	close(low);

	clock_gettime(CLOCK_MONOTONIC, &start);
	if (fork() == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		if (device >= 0)
			dup2(device, 3);
		dup2(pipes[1], 4);
		execve(argv[1], args, env);
		die(argv[1]);
	}
	close(pipes[1]);
	n = 0;
	for (ssize_t r; n < (ssize_t)sizeof(buf); n += r) {
		r = read(pipes[0], buf + n, sizeof(buf) - (size_t)n);
		if (r <= 0)
			break;
	}
	if (wait4(-1, &status, 0, &usage) < 0)
		die("wait");
	clock_gettime(CLOCK_MONOTONIC, &end);

	printf("status=%d\nsignal=%d\nmaxrss_kib=%ld\ntotal_us=%lld\n",
	       WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0, usage.ru_maxrss,
	       (end.tv_sec - start.tv_sec) * 1000000LL + (end.tv_nsec - start.tv_nsec) / 1000);
	if (!report_check(buf, (size_t)n, &report)) {
		printf("report=%zd bytes\n", n);
		return WIFSIGNALED(status) ? 3 : 4;
	}
	report_print(&report);
	return WIFSIGNALED(status) ? 3 : WEXITSTATUS(status);
}
