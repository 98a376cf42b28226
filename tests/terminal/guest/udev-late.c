// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keeps udev's message on a disk that is added, and sends it once more when told to, as a busy udevd would that comes
 * to it late.
 *
 *   udev-late NAME    says "kept" when it has it; a line of standard input sends it, and it says "sent"
 */
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UDEV_GROUP 2 /* libudev's; 1 is the kernel's */
#define MESSAGE_MAX 8192

static bool message_has(const char *message, size_t len, const char *property)
{
	size_t size = strlen(property) + 1;

	for (size_t at = 0; at + size <= len; at++)
		if (!memcmp(message + at, property, size))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = UDEV_GROUP };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	static char message[MESSAGE_MAX];
	char name[64], line[16];
	ssize_t n;

	if (argc != 2 || fd < 0 || bind(fd, (struct sockaddr *)&group, sizeof(group)) < 0)
		return 1;
	snprintf(name, sizeof(name), "DEVNAME=/dev/%s", argv[1]);
	do
		n = recv(fd, message, sizeof(message), 0);
	while (n > 0 && !(message_has(message, (size_t)n, "ACTION=add") && message_has(message, (size_t)n, name)));
	if (n <= 0)
		return 1;
	puts("kept");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	if (sendto(fd, message, (size_t)n, 0, (struct sockaddr *)&group, sizeof(group)) != n)
		return 1;
	puts("sent");
	return 0;
}
