/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies on one disk: partition table, a header in every partition (or on the whole disk), and
 * the space in between. The disk is behind a function that reads, so that the same survey runs over
 * SCSI on a held device, and over a block device after it was released; both give the same digest
 * for the same disk.
 *
 * The digest holds what the verdict rests on, but nothing that whoever uses a volume writes: a place where
 * there must be no table or superblock may be data. So the same disk is one of the same digest *and* outcome.
 *
 * Nothing is read twice, because a device may answer differently every time.
 *
 * Space that belongs to no volume, and that between LUKS2's keyslots and its data, is looked at where a
 * file system would begin: at its start and wherever a multiple of 1 MiB lies in it. Below
 * FSMAGIC_SPACE_MIN it is of no use to anybody; with more than SURVEY_LOOKS_MAX places to look at it
 * is refused. A LUKS volume itself is looked at where superblocks lie that its parser did not see.

 *
 * A disk that begins with zeros is looked at in more places, as somebody may want to know whether it has been erased: its beginning, its
 * end, and places between that nobody can foresee. If 2% of it held anything, that would be missed once in 170 times; a single
 * small file in the middle of a large disk is likely to be missed.
 */
#pragma once

#include "core/report.h"

#define SURVEY_LOOKS_MAX 16

#define SURVEY_BLANK_FIRST ((size_t)4 << 20) /* bytes: file tables, first files */
#define SURVEY_BLANK_LAST ((size_t)1 << 20)  /* … copies of them */
#define SURVEY_BLANK_PLACES 256		     /* of 4096 bytes; a quarter of a second on a usual stick */
#define SURVEY_BLANK_LEFT_MS 3000	     /* it is given up rather than that less than so much is left for the rest */

struct survey_disk {
	void *ctx;
	/*
	 * Reads len bytes at offset, multiples of the block size that lie within the disk. 0, or an
	 * outcome (enum report_outcome, positive) with *detail set.
	 */
	int (*read)(void *ctx, uint64_t offset, uint8_t *data, size_t len, const char **detail);
	/* Milliseconds until the deadline of all of it. NULL: there is none. */
	uint64_t (*left_ms)(void *ctx);
};

/*
 * Surveys the disk of unit `unit` of the report, whose size is in report->units[unit] already. Adds
 * volumes, table and digest; adds to report->bytes_read. True if all of it was proved; false after
 * report_worsen(), and then with a digest only if everything could be read that was asked for.
 */
bool survey_run(const struct survey_disk *disk, struct report *report, uint8_t unit);
