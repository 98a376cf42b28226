/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same survey over a block device that the kernel has made of a disk: for devices that speak no
 * bulk-only transport, and to see that what was released is what was inspected.
 *
 * It reads with O_DIRECT. A read through the page cache could be answered by what somebody's earlier
 * read left there, and BLKFLSBUF would need a privilege and leave pages that are in use. O_DIRECT goes
 * to the disk every time, and disturbs nobody's cache. A read that hangs in the disk's driver cannot be
 * ended by any signal before the driver gives up.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/report.h"

struct block {
	int fd;		     /* not owned */
	uint64_t deadline;   /* milliseconds of CLOCK_MONOTONIC */
	uint64_t size;	     /* bytes */
	uint32_t block_size; /* bytes of a logical block */
	bool write_protected;
	uint8_t *room;	     /* aligned for any device, of BLOCK_READ_MAX bytes */
	char detail[REPORT_DETAIL_MAX];
};

#define BLOCK_READ_MAX ((size_t)64 << 10)

/*
 * Opens a node for reading as descriptor `fd`, if it is the block device of this number, and makes the device
 * refuse writes (BLKROSET, read back) if asked to. Needs to be root. 0 or a negative errno, -ENOMEDIUM for
 * an empty reader.
 */
int block_node_open(const char *node, dev_t devnum, bool read_only, int fd);

/*
 * Asks the device for its size and makes reads direct: what the sandbox would no longer allow. `fd`
 * is a block device opened for reading. Returns 0 or a negative errno; frees nothing, because the
 * process ends with the inspection.
 */
int block_open(struct block *block, int fd, uint64_t deadline);

/* Fills the report with one unit, from outcome to volumes, except elapsed_us; INQUIRY fields stay empty. */
void block_run(struct block *block, struct report *report);
