/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rooms of ptable.h share: ptable.c (walk, areas, gaps), ptable-mbr.c, ptable-gpt.c. */
#pragma once

#include "core/macro.h"
#include "core/ptable.h"

enum {
	STEP_REFUSED,
	STEP_DONE,
	STEP_FIRST,        /* the beginning of the disk */
	STEP_EXTENDED,     /* a link of the extended chain */
	STEP_GPT_ARRAY,    /* the primary array */
	STEP_GPT_BACKUP,   /* the header in the last block */
	STEP_BACKUP_ARRAY, /* the array that it names */
	STEP_NO_BACKUP,    /* the last block, where no GPT header may be */
};

/* Number of blocks of the disk. */
static inline uint64_t ptable_blocks(const struct ptable *table)
{
	return table->size / table->block;
}

_printf_(2, 3) void ptable_refuse(struct ptable *table, const char *format, ...);

/* What is fed next: `count` blocks from `first`, which lie on the disk. */
void ptable_want(struct ptable *table, unsigned int step, uint64_t first, uint64_t count);

/* Nothing more is needed but a look at the last block. */
void ptable_finish(struct ptable *table);

/* The walk is over: sorts partitions, computes gaps; refuses overlaps. */
void ptable_complete(struct ptable *table);

/* These two refuse what does not lie on the disk or is too much; the places are in blocks. */
bool ptable_add(struct ptable *table, uint64_t first, uint64_t count, unsigned int number);
bool ptable_use(struct ptable *table, uint64_t first, uint64_t count);

/* Does the first sector name partitions, or protect a GPT? Sets the kind and what comes next. */
void ptable_mbr_feed(struct ptable *table, const uint8_t *data, size_t len);
void ptable_extended_feed(struct ptable *table, const uint8_t *data);

/* Is there a GPT header's magic number? */
bool ptable_gpt_magic(const uint8_t *block);

/* `data`: as many bytes as were asked for; primary header, its array, backup header, its array. */
void ptable_gpt_header_feed(struct ptable *table, const uint8_t *data);
void ptable_gpt_array_feed(struct ptable *table, const uint8_t *data);
void ptable_gpt_backup_feed(struct ptable *table, const uint8_t *data);
void ptable_gpt_backup_array_feed(struct ptable *table, const uint8_t *data);
