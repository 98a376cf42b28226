// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Speaks to /dev/sekimori by hand. Prints "ok" or the name of the error for each verdict.
 *
 *   gatectl events                         the events that are waiting, a line each
 *   gatectl verdict KIND COOKIE [FLAGS]    one verdict; then the events of the next half second
 *   gatectl harmless CC[,CC…]              replaces the harmless list
 *   gatectl garbage                        malformed verdicts of every sort; the number taken
 *   gatectl hold-open SECONDS              keeps the device open
 *   gatectl inspect-and-die COOKIE         asks for an inspection and is killed by its own hand
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/sekimori.h>

static int fd;

static void print_events(int timeout_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	struct sekimori_event e;

	while (poll(&pollfd, 1, timeout_ms) == 1 && read(fd, &e, sizeof(e)) == sizeof(e))
		printf("kind=%u cookie=%llu state=%u cause=%u attempt=%u flags=%u class=%02x "
		       "name=%s driver=%s comm=%s seq=%llu\n",
		       e.kind, (unsigned long long)e.cookie, e.state, e.cause, e.attempt, e.flags,
		       e.ifclass, e.name, e.driver, e.comm, (unsigned long long)e.seq);
}

static int send(const struct sekimori_verdict *verdict)
{
	ssize_t n = write(fd, verdict, sizeof(*verdict));

	puts(n == sizeof(*verdict) ? "ok" : strerrorname_np(errno));
	return n != sizeof(*verdict);
}

static struct sekimori_verdict verdict(int kind, unsigned long long cookie, unsigned int flags)
{
	return (struct sekimori_verdict){ .size = sizeof(struct sekimori_verdict),
					  .version = SEKIMORI_ABI_VERSION,
					  .kind = (__u16)kind,
					  .cookie = cookie,
					  .flags = flags };
}

/* Everything here is wrong in one place; none may be taken. */
static int garbage(void)
{
	unsigned char noise[256];
	unsigned int taken = 0;
	struct sekimori_verdict v;

	srand(1);
	for (int i = 0; i < 20000; i++) {
		size_t len = (size_t)rand() % sizeof(noise);

		for (size_t k = 0; k < len; k++)
			noise[k] = (unsigned char)rand();
		taken += write(fd, noise, len) >= 0;
	}
	for (size_t len = 0; len < 2 * sizeof(v); len++) {
		unsigned char two[2 * sizeof(v)] = { 0 };

		v = verdict(SEKIMORI_VERDICT_RESYNC, 0, 0);
		memcpy(two, &v, sizeof(v));
		memcpy(two + sizeof(v), &v, sizeof(v));
		if (len != sizeof(v))
			taken += write(fd, two, len) >= 0;
	}
	for (unsigned int bit = 0; bit < sizeof(v) * 8; bit++) {
		v = verdict(SEKIMORI_VERDICT_RESYNC, 0, 0);
		((unsigned char *)&v)[bit / 8] ^= (unsigned char)(1u << bit % 8);
		taken += write(fd, &v, sizeof(v)) >= 0;
	}
	for (int kind = 0; kind < 70; kind++) {
		v = verdict(kind, 1ull << 40, 0);
		taken += write(fd, &v, sizeof(v)) >= 0;
		v = verdict(kind, 0, 0x80000000u);
		taken += write(fd, &v, sizeof(v)) >= 0;
	}
	printf("taken %u\n", taken);
	return taken != 0;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	struct sekimori_verdict v;
	int r;

	fd = open("/dev/" SEKIMORI_DEVICE_NAME, O_RDWR);
	if (fd < 0) {
		puts(strerrorname_np(errno));
		return 1;
	}
	if (!strcmp(command, "events")) {
		print_events(200);
		return 0;
	}
	if (!strcmp(command, "verdict") && argc >= 4) {
		v = verdict(atoi(argv[2]), strtoull(argv[3], NULL, 0),
			    argc > 4 ? (unsigned int)atoi(argv[4]) : 0);
		r = send(&v);
		print_events(500);
		return r;
	}
	if (!strcmp(command, "harmless") && argc == 3) {
		v = verdict(SEKIMORI_VERDICT_SET_HARMLESS, 0, 0);
		for (char *class = strtok(argv[2], ","); class; class = strtok(NULL, ",")) {
			unsigned long c = strtoul(class, NULL, 16) & 0xff;

			v.harmless[c / 8] |= (__u8)(1u << c % 8);
		}
		r = send(&v);
		print_events(500);
		return r;
	}
	if (!strcmp(command, "garbage"))
		return garbage();
	if (!strcmp(command, "hold-open") && argc == 3) {
		sleep((unsigned int)atoi(argv[2]));
		return 0;
	}
	if (!strcmp(command, "inspect-and-die") && argc == 3) {
		v = verdict(SEKIMORI_VERDICT_INSPECT, strtoull(argv[2], NULL, 0), 0);
		send(&v);
		fflush(stdout);
		kill(getpid(), SIGKILL);
	}
	return 2;
}
