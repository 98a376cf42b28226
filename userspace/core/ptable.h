/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Partition tables out of bytes that a device wrote: MBR with extended partitions, and GPT
 *(UEFI 2.10, section 5). The walk asks for areas as it needs them, and the caller feeds them, so
 *that nothing here reads anything:
 *
 *	ptable_start(&table, size, block_size);
 *	while ((want = ptable_next(&table, &offset, &len)) > 0)
 *		… read `len` bytes at `offset` … ptable_feed(&table, data);
 *	want == 0: done; want < 0: refused, table.detail says why
 *
 * Stricter than the kernel's reader, so that there is no second way to read the same disk:
 *partitions may not overlap, leave the disk or hide in one another; extended partitions are a chain
 *without a cycle; a GPT needs its protective MBR, both headers and both arrays with right CRCs and
 *equal contents, and an MBR that names nothing else; without that MBR, there must be no GPT header
 *at either place. Partition types in which the kernel looks for a further table (BSD, Minix,
 *Solaris, UnixWare, dynamic disks) are refused, and so are the tables of oldtable.h. What begins
 *like a file system or an encrypted volume and has a table with partitions, too, is refused.
 *
 * PTABLE_NONE means that the disk is one piece, a volume that begins at its first byte. The boot
 *sectors of FAT, exFAT, NTFS and BitLocker end with 55 aa as an MBR does. It is decided as the
 *kernel does (block/partitions/msdos.c): an entry with a boot indicator other than 00 or 80 means
 *that there is no table. An MBR without an entry in use is none either, because it divides nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PTABLE_PARTITIONS_MAX 16 /* used ones; more is refused */
#define PTABLE_ENTRIES_MAX                                                                         \
	128 /* of a GPT's array, of 128 bytes each: what the standard tools write */
#define PTABLE_EXTENDED_MAX 32 /* links of an extended chain */
#define PTABLE_READ_MAX (PTABLE_ENTRIES_MAX * 128)
#define PTABLE_DETAIL_MAX 96

enum ptable_kind {
	PTABLE_NONE, /* no table: the disk is one piece */
	PTABLE_MBR,
	PTABLE_GPT,
};

struct ptable_partition {
	uint64_t offset;     /* bytes */
	uint64_t size;       /* bytes, at least one block */
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
	/* By offset, when done; all areas of at least one block. None with PTABLE_NONE. */
	struct ptable_gap gaps[PTABLE_GAPS_MAX];
	size_t n_gaps;
	uint64_t size; /* of the disk in bytes, whole blocks */
	uint32_t block;
	char detail[PTABLE_DETAIL_MAX]; /* one line of English, when refused */
	bool too_many; /* refused because there are more partitions than have room here */
	/* The rest is the walk's own. */
	struct ptable_walk {
		unsigned int step;
		uint64_t offset; /* what is wanted next */
		size_t len;
		uint64_t chain_start, chain_end; /* the extended partition, in blocks */
		unsigned int links;
		unsigned int next_logical;
		struct ptable_header {
			uint64_t first, last; /* blocks that partitions may use */
			uint64_t array;       /* first block of the array */
			uint32_t entries;
			uint32_t array_crc;
			uint8_t guid[16];
		} header;                                /* the primary GPT's */
		uint8_t array[PTABLE_READ_MAX];          /* … and its entries */
		struct ptable_gap used[PTABLE_GAPS_MAX]; /* the tables' own areas */
		size_t n_used;
	} walk;
};

/*
 * `size` of the disk in bytes, `block` bytes of a logical block: 512, 1024, 2048 or 4096. What is
 * asked for first begins at the first byte.
 */
void ptable_start(struct ptable *table, uint64_t size, uint32_t block);

/*
 * 1: feed the `*len` bytes (a multiple of the block size, at most PTABLE_READ_MAX) at `*offset`
 * next. 0: done, the table is complete. -1: refused for table->detail.
 */
int ptable_next(struct ptable *table, uint64_t *offset, size_t *len);

/* The bytes that were asked for, all of them. */
void ptable_feed(struct ptable *table, const uint8_t *data);

/* Is what ptable_next() asks for the place of a table? Else it is one where there must be none. */
bool ptable_in_table(const struct ptable *table);
