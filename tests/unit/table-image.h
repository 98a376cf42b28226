/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk of any size for tests, of which only the blocks that were written take memory: MBR,
 * extended chains, GPT, and a walk over its partition table that sees to it that nothing is asked
 * for that is not there.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32.h"
#include "core/ptable.h"

#define DISK_BLOCKS_MAX 160
#ifndef DISK_GPT_ENTRIES
#define DISK_GPT_ENTRIES 128
#endif

struct disk {
	uint64_t size;  /* bytes */
	uint32_t block; /* bytes */
	struct {
		uint64_t lba;
		uint8_t data[4096];
	} blocks[DISK_BLOCKS_MAX];
	size_t n_blocks;
	unsigned int reads; /* of the last walk */
	uint64_t bytes_read;
};

static inline void disk_init(struct disk *disk, uint64_t size, uint32_t block)
{
	disk->size = size;
	disk->block = block;
	disk->n_blocks = 0;
}

static inline uint64_t disk_last(const struct disk *disk)
{
	return disk->size / disk->block - 1;
}

/* A block to write into; zeroes at first. */
static inline uint8_t *disk_at(struct disk *disk, uint64_t lba)
{
	for (size_t i = 0; i < disk->n_blocks; i++)
		if (disk->blocks[i].lba == lba)
			return disk->blocks[i].data;
	assert(disk->n_blocks < DISK_BLOCKS_MAX && lba <= disk_last(disk));
	disk->blocks[disk->n_blocks].lba = lba;
	memset(disk->blocks[disk->n_blocks].data, 0, sizeof(disk->blocks[0].data));
	return disk->blocks[disk->n_blocks++].data;
}

static inline void disk_read(const struct disk *disk, uint64_t offset, uint8_t *data, size_t len)
{
	memset(data, 0, len);
	for (size_t i = 0; i < disk->n_blocks; i++) {
		uint64_t at = disk->blocks[i].lba * disk->block;

		if (at >= offset && at - offset < len)
			memcpy(data + (at - offset), disk->blocks[i].data, disk->block);
	}
}

/* 0 or -1, as ptable_next() says in the end. */
static inline int disk_walk(struct disk *disk, struct ptable *table)
{
	static uint8_t data[PTABLE_READ_MAX];
	uint64_t offset;
	size_t len;
	int want;

	disk->reads = 0;
	disk->bytes_read = 0;
	ptable_start(table, disk->size, disk->block);
	while ((want = ptable_next(table, &offset, &len)) > 0) {
		if (len == 0 || len > sizeof(data) || len % disk->block || offset % disk->block ||
		    offset > disk->size || len > disk->size - offset ||
		    ++disk->reads > PTABLE_EXTENDED_MAX + 8)
			abort();
		disk->bytes_read += len;
		disk_read(disk, offset, data, len);
		ptable_feed(table, data);
	}
	return want;
}

static inline void disk_put_le(uint8_t *p, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++, value >>= 8)
		p[i] = (uint8_t)value;
}

/* Entry `i` of the table in block `lba`, which gets its signature. */
static inline void disk_entry(struct disk *disk, uint64_t lba, unsigned int i, uint8_t type,
			      uint32_t start, uint32_t count)
{
	uint8_t *sector = disk_at(disk, lba), *entry = sector + 446 + 16 * i;

	entry[4] = type;
	disk_put_le(entry + 8, start, 4);
	disk_put_le(entry + 12, count, 4);
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

static inline uint64_t disk_array_blocks(const struct disk *disk)
{
	return DISK_GPT_ENTRIES * 128 / disk->block;
}

/* The i-th entry of the primary array, from block 2 on. */
static inline uint8_t *disk_gpt_entry(struct disk *disk, unsigned int i)
{
	uint32_t per_block = disk->block / 128;

	return disk_at(disk, 2 + i / per_block) + 128 * (i % per_block);
}

static inline void disk_gpt_add(struct disk *disk, unsigned int i, uint64_t first, uint64_t last)
{
	uint8_t *entry = disk_gpt_entry(disk, i);

	memset(entry, 0x11, 16);
	memset(entry + 16, (int)i + 1, 16);
	disk_put_le(entry + 32, first, 8);
	disk_put_le(entry + 40, last, 8);
}

/* Makes one header's checksum right. */
static inline void disk_gpt_seal(struct disk *disk, uint64_t lba)
{
	uint8_t *header = disk_at(disk, lba);

	disk_put_le(header + 16, 0, 4);
	disk_put_le(header + 16, crc32_sum(header, 92), 4);
}

/*
 * Writes protective MBR, both headers and the backup array to what the primary array holds. Call
 * again after disk_gpt_add().
 */
static inline void disk_gpt(struct disk *disk)
{
	const uint64_t last = disk_last(disk), array = disk_array_blocks(disk);
	static uint8_t entries[DISK_GPT_ENTRIES * 128];

	disk_entry(disk, 0, 0, 0xee, 1, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
	disk_read(disk, 2 * (uint64_t)disk->block, entries, sizeof(entries));
	for (uint64_t i = 0; i < array; i++)
		memcpy(disk_at(disk, last - array + i), entries + i * disk->block, disk->block);
	for (int copy = 0; copy < 2; copy++) {
		uint8_t *header = disk_at(disk, copy ? last : 1);

		memcpy(header, "EFI PART\0\0\1\0\x5c\0\0\0", 16);
		disk_put_le(header + 24, copy ? last : 1, 8);
		disk_put_le(header + 32, copy ? 1 : last, 8);
		disk_put_le(header + 40, 2 + array, 8);
		disk_put_le(header + 48, last - array - 1, 8);
		memset(header + 56, 0x77, 16);
		disk_put_le(header + 72, copy ? last - array : 2, 8);
		disk_put_le(header + 80, DISK_GPT_ENTRIES, 4);
		disk_put_le(header + 84, 128, 4);
		disk_put_le(header + 88, crc32_sum(entries, sizeof(entries)), 4);
		disk_gpt_seal(disk, copy ? last : 1);
	}
}
