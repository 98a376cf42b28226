// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes a BitLocker volume without key material into FILE, a sparse file: what can be made of one without
 * Windows, for the inspector to recognise. Its GUID is BITLOCKER_IMAGE_GUID.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../../unit/bitlocker-image.h"

static int put(int fd, const void *data, size_t len, uint64_t offset)
{
	return pwrite(fd, data, len, (off_t)offset) == (ssize_t)len ? 0 : -1;
}

int main(int argc, char **argv)
{
	static uint8_t boot[BITLOCKER_IMAGE_BOOT], metadata[BITLOCKER_IMAGE_LEN];
	int fd, r;

	if (argc != 2) {
		fputs("usage: bitlocker-make FILE\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)BITLOCKER_IMAGE_SIZE) < 0) {
		perror(argv[1]);
		return 1;
	}
	bitlocker_image_boot(boot);
	bitlocker_image_make(metadata);
	r = put(fd, boot, sizeof(boot), 0);
	for (size_t i = 0; i < 3; i++)
		r |= put(fd, metadata, sizeof(metadata), bitlocker_image_offsets[i]);
	if (r)
		perror(argv[1]);
	return r ? 1 : 0;
}
