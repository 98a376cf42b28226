// SPDX-License-Identifier: GPL-2.0-or-later
#include "inspect/block.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/scsi.h"
#include "inspect/survey.h"

/* O_DIRECT wants buffers aligned to the logical block: open(2). */
#define ALIGNMENT SCSI_BLOCK_SIZE_MAX

static int refuse_writes(int fd)
{
	int yes = 1, now = 0;

	if (ioctl(fd, BLKROSET, &yes) < 0 || ioctl(fd, BLKROGET, &now) < 0)
		return -errno;
	return now ? 0 : -EIO;
}

int block_node_open(const char *node, dev_t devnum, bool read_only, int fd)
{
	int opened = open(node, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r;
	struct stat st;

	if (opened < 0)
		return -errno;
	r = fstat(opened, &st) < 0 ? -errno : 0;
	if (!r && (!S_ISBLK(st.st_mode) || st.st_rdev != devnum))
		r = -ENODEV;
	if (!r && read_only)
		r = refuse_writes(opened);
	if (!r && opened != fd && dup2(opened, fd) < 0)
		r = -errno;
	if (opened != fd || r)
		close(opened);
	return r;
}

int block_open(struct block *block, int fd, uint64_t deadline)
{
	int flags, read_only, block_size;

	memset(block, 0, sizeof(*block));
	block->fd = fd;
	block->deadline = deadline;
	if (ioctl(fd, BLKGETSIZE64, &block->size) < 0 || ioctl(fd, BLKSSZGET, &block_size) < 0 ||
	    ioctl(fd, BLKROGET, &read_only) < 0)
		return -errno;
	block->block_size = (uint32_t)block_size;
	block->write_protected = read_only;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_DIRECT) < 0)
		return -errno;
	block->room = aligned_alloc(ALIGNMENT, BLOCK_READ_MAX);
	return block->room ? 0 : -ENOMEM;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int block_fail(struct block *block, enum report_outcome outcome, const char *why)
{
	snprintf(block->detail, sizeof(block->detail), "reading: %s", why);
	return outcome;
}

static int block_read(void *ctx, uint64_t offset, uint8_t *data, size_t len, const char **detail)
{
	struct block *block = ctx;

	*detail = block->detail;
	while (len > 0) {
		const size_t n = len < BLOCK_READ_MAX ? len : BLOCK_READ_MAX;
		ssize_t got;

		if (now_ms() >= block->deadline)
			return block_fail(block, REPORT_TIMEOUT, "no answer before the deadline");
		got = pread(block->fd, block->room, n, (off_t)offset);
		if (got < 0)
			return block_fail(block, REPORT_TRANSPORT, strerror(errno));
		if ((size_t)got != n)
			return block_fail(block, REPORT_BAD_ANSWER, "the disk has become smaller");
		memcpy(data, block->room, n);
		data += n;
		offset += n;
		len -= n;
	}
	return 0;
}

static uint64_t block_left(void *ctx)
{
	const struct block *block = ctx;
	uint64_t now = now_ms();

	return now < block->deadline ? block->deadline - now : 0;
}

void block_run(struct block *block, struct report *report)
{
	const struct survey_disk disk = { .ctx = block, .read = block_read, .left_ms = block_left };
	struct report_unit *unit = &report->units[0];

	report->outcome = REPORT_PROVED;
	report->n_units = 1;
	if (block->size == 0) {
		unit->state = REPORT_UNIT_EMPTY;
	} else if (!scsi_block_size_ok(block->block_size) || block->size > INT64_MAX ||
		   block->size % block->block_size) {
		report_worsen(report, REPORT_BAD_ANSWER, "impossible size");
	} else {
		unit->state = REPORT_UNIT_DISK;
		unit->blocks = block->size / block->block_size;
		unit->block_size = block->block_size;
		unit->write_protected = block->write_protected;
		survey_run(&disk, report, 0);
	}
	report_conclude(report);
}
