/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Partition tables out of bytes that a device wrote: MBR with extended partitions, and GPT (UEFI 2.10,
 * section 5). The walk asks for sectors as it needs them, and the caller feeds them, so that nothing
 * here reads anything:
 *
 *	ptable_start(&table, size, block_size);
 *	while ((want = ptable_next(&table, &offset, &len)) > 0)
 *		… read `len` bytes at `offset` … ptable_feed(&table, data);
 *	want == 0: done; want < 0: refused, ptable_detail() says why
 *
 * Stricter than the kernel's reader, so that there is no second way to read the same disk: partitions may
 * not overlap, leave the disk or hide in one another; extended partitions are a chain without a cycle;
 * a GPT needs its protective MBR, both headers and both arrays with right CRCs and equal contents, and
 * an MBR that names nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PTABLE_PARTITIONS_MAX 16 /* used ones; more is refused */
#define PTABLE_ENTRIES_MAX 128	 /* of a GPT's array, of 128 bytes each: what the standard tools write */
#define PTABLE_EXTENDED_MAX 32	 /* links of an extended chain */
#define PTABLE_READ_MAX (PTABLE_ENTRIES_MAX * 128)
#define PTABLE_DETAIL_MAX 96

enum ptable_kind {
	PTABLE_NONE, /* no table: the disk is one piece */
	PTABLE_MBR,
	PTABLE_GPT,
};

struct ptable_partition {
	uint64_t offset; /* bytes */
	uint64_t size;	 /* bytes, at least one block */
	unsigned int number; /* as the kernel counts: 1 to 4, logical ones from 5; GPT entry + 1 */
};

/* An area of the disk that no partition and no table covers. */
struct ptable_gap {
	uint64_t offset;
	uint64_t size;
};

#define PTABLE_GAPS_MAX (PTABLE_PARTITIONS_MAX + PTABLE_EXTENDED_MAX + 4)

struct ptable {
	enum ptable_kind kind;
	struct ptable_partition partitions[PTABLE_PARTITIONS_MAX]; /* by offset, when done */
	size_t n_partitions;
	struct ptable_gap gaps[PTABLE_GAPS_MAX]; /* by offset, when done; all areas of at least one block */
	size_t n_gaps;
	/* The rest is the walk's own. */
	uint64_t size;
	uint32_t block;
	char detail[PTABLE_DETAIL_MAX];
	struct ptable_walk {
		unsigned int step;
		uint64_t offset;
		size_t len;
		uint64_t chain_start, chain_end, chain_next; /* extended partition, bytes */
		unsigned int links;
		unsigned int next_logical;
		uint8_t header[512];	 /* the primary GPT header */
		uint8_t entries[PTABLE_READ_MAX]; /* … and its array */
		struct ptable_gap used[PTABLE_GAPS_MAX]; /* tables' own areas */
		size_t n_used;
	} walk;
};

/* `size` of the disk in bytes, `block` bytes of a logical block (512 to 4096). The first sector is asked for first. */
void ptable_start(struct ptable *table, uint64_t size, uint32_t block);

/*
 * 1: feed the `*len` bytes (a multiple of the block size, at most PTABLE_READ_MAX) at `*offset` next.
 * 0: done, the table is complete. -1: refused for table->detail.
 */
int ptable_next(struct ptable *table, uint64_t *offset, size_t *len);
void ptable_feed(struct ptable *table, const uint8_t *data);
