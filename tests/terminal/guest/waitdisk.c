// SPDX-License-Identifier: GPL-2.0-or-later
/* Waits until the first block of DEVICE can be read, at most SECONDS. Exit status 0 when it could. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char block[512];

	if (argc != 3)
		return 2;
	for (int i = 0; i < atoi(argv[2]) * 1000; i++) {
		int fd = open(argv[1], O_RDONLY);

		if (fd >= 0 && read(fd, block, sizeof(block)) == sizeof(block))
			return 0;
		if (fd >= 0)
			close(fd);
		usleep(1000);
	}
	return 1;
}
