// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/wipe-area.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sodium.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)
/* Written out this often, so that the progress is the device's and not the memory's. */
#define SYNC_EVERY ((uint64_t)64 << 20)

void wipe_area_pick_key(struct wipe_area *area)
{
	randombytes_buf(area->key, sizeof(area->key));
}

void wipe_area_forget(struct wipe_area *area)
{
	sodium_memzero(area->key, sizeof(area->key));
}

static void fill(const struct wipe_area *area, uint64_t offset, enum wipe_filling filling,
		 uint8_t *out, size_t len)
{
	if (filling == WIPE_RANDOM)
		wipe_pattern(area->key, offset, out, len);
	else
		memset(out, 0, len);
}

static int moved_on(const struct wipe_area *area, uint64_t done, uint64_t size)
{
	if (area->progress)
		progress_show(area->progress, done, size);
	return progress_interrupted() ? -EINTR : 0;
}

int wipe_area_write(struct wipe_area *area, uint64_t offset, uint64_t size,
		    enum wipe_filling filling)
{
	_cleanup_(freep) uint8_t *data = malloc(CHUNK);
	int r = 0;

	if (!data)
		return -ENOMEM;
	for (uint64_t done = 0; !r && done < size;) {
		size_t len = size - done < CHUNK ? (size_t)(size - done) : CHUNK;

		fill(area, offset + done, filling, data, len);
		r = target_write(area->target, offset + done, data, len);
		done += len;
		if (!r && (done % SYNC_EVERY == 0 || done == size) &&
		    fdatasync(area->target->fd) < 0)
			r = -errno;
		if (!r)
			r = moved_on(area, done, size);
	}
	return r;
}

int wipe_area_verify(struct wipe_area *area, uint64_t offset, uint64_t size,
		     enum wipe_filling filling, uint64_t *at)
{
	_cleanup_(freep) uint8_t *found = malloc(CHUNK), *wanted = malloc(CHUNK);
	int r = found && wanted ? 0 : -ENOMEM;

	for (uint64_t done = 0; !r && done < size;) {
		size_t len = size - done < CHUNK ? (size_t)(size - done) : CHUNK;

		fill(area, offset + done, filling, wanted, len);
		*at = offset + done;
		r = target_read(area->target, *at, found, len);
		if (!r && memcmp(found, wanted, len))
			r = -EILSEQ;
		done += len;
		if (!r)
			r = moved_on(area, done, size);
	}
	return r;
}

int wipe_area_discard(struct wipe_area *area, uint64_t offset, uint64_t size)
{
	uint64_t range[2] = {offset, size};
	int fd = area->target->fd, r;

	if (area->target->image)
		r = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
			      (off_t)size);
	else
		r = ioctl(fd, BLKSECDISCARD, range) == 0 ? 0 : ioctl(fd, BLKDISCARD, range);
	return r < 0 ? -EOPNOTSUPP : 0;
}
