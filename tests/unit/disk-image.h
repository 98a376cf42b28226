/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks of any size for tests: what was put on them is there, the rest is zeroes. With builders for
 * partition tables and volumes.
 */
#pragma once

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "luks2-image.h"

#define DISK_PIECES 80
#define MIB ((uint64_t)1 << 20)

struct disk {
	uint64_t size;
	uint32_t block;
	struct {
		uint64_t offset;
		size_t len;
		uint8_t *data;
	} pieces[DISK_PIECES];
	size_t n_pieces;
};

static inline void disk_clear(struct disk *disk)
{
	for (size_t i = 0; i < disk->n_pieces; i++)
		free(disk->pieces[i].data);
	disk->n_pieces = 0;
}

static inline void disk_make(struct disk *disk, uint64_t size, uint32_t block)
{
	disk_clear(disk);
	disk->size = size;
	disk->block = block;
}

/* Zeroed bytes of the disk to be written on; what is put later lies over what was put before. */
static inline uint8_t *disk_put(struct disk *disk, uint64_t offset, size_t len)
{
	assert(disk->n_pieces < DISK_PIECES && offset <= disk->size && len <= disk->size - offset);
	disk->pieces[disk->n_pieces].offset = offset;
	disk->pieces[disk->n_pieces].len = len;
	disk->pieces[disk->n_pieces].data = calloc(1, len);
	return disk->pieces[disk->n_pieces++].data;
}

static inline void disk_read(const struct disk *disk, uint64_t offset, uint8_t *out, size_t len)
{
	memset(out, 0, len);
	for (size_t i = 0; i < disk->n_pieces; i++) {
		uint64_t start = disk->pieces[i].offset, end = start + disk->pieces[i].len;
		uint64_t from = start > offset ? start : offset;
		uint64_t to = end < offset + len ? end : offset + len;

		if (from < to)
			memcpy(out + (from - offset), disk->pieces[i].data + (from - start),
			       (size_t)(to - from));
	}
}

static inline void image_put_le(uint8_t *p, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

/* --- volumes --- */

/* Both headers of a LUKS2 volume from `offset` on; its UUID ends in these two digits. */
static inline uint8_t *disk_luks2(struct disk *disk, uint64_t offset, unsigned int number)
{
	uint8_t *area = disk_put(disk, offset, 2 * IMAGE_HEADER);

	image_make(area, IMAGE_HEADER, image_json);
	snprintf((char *)area + 168 + 34, 3, "%02x", number & 0xff);
	image_twin(area, IMAGE_HEADER);
	return area;
}

/* The magic of an ext file system (its superblock lies at byte 1024). */
static inline void disk_ext(struct disk *disk, uint64_t offset)
{
	uint8_t *super = disk_put(disk, offset + 1024, 1024);

	image_put_le(super, 16, 4);	     /* inodes */
	image_put_le(super + 4, 64, 4);	     /* blocks */
	image_put_le(super + 24, 0, 4);	     /* 1 KiB blocks */
	image_put_le(super + 32, 8192, 4);   /* blocks per group */
	image_put_le(super + 40, 16, 4);     /* inodes per group */
	image_put_le(super + 56, 0xef53, 2); /* magic */
	image_put_le(super + 58, 1, 2);	     /* clean */
	image_put_le(super + 76, 1, 4);	     /* revision */
	image_put_le(super + 88, 128, 2);    /* bytes of an inode */
}

/* --- partition tables --- */

/* An MBR, or a link of an extended chain, without entries yet. */
static inline uint8_t *disk_mbr(struct disk *disk, uint64_t offset)
{
	uint8_t *sector = disk_put(disk, offset, disk->block);

	sector[510] = 0x55;
	sector[511] = 0xaa;
	return sector;
}

/* Offsets in bytes; start is counted from wherever this kind of entry counts. */
static inline void disk_mbr_entry(const struct disk *disk, uint8_t *sector, unsigned int i,
				  uint8_t type, uint64_t start, uint64_t size)
{
	uint8_t *entry = sector + 446 + 16 * i;

	memcpy(entry + 1, "\xfe\xff\xff", 3);
	entry[4] = type;
	memcpy(entry + 5, "\xfe\xff\xff", 3);
	image_put_le(entry + 8, start / disk->block, 4);
	image_put_le(entry + 12, size / disk->block, 4);
}

/* CRC-32 of ISO 3309, as UEFI wants it. */
static inline uint32_t image_crc32(const uint8_t *data, size_t len)
{
	uint32_t crc = ~0u;

	while (len--) {
		crc ^= *data++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

#define GPT_ENTRIES 128
#define GPT_ARRAY (GPT_ENTRIES * 128)

struct disk_part {
	uint64_t offset; /* bytes */
	uint64_t size;
};

static inline void disk_gpt_header(struct disk *disk, const uint8_t *array, uint64_t own,
				   uint64_t other, uint64_t entries)
{
	const uint64_t array_blocks = GPT_ARRAY / disk->block, last = disk->size / disk->block - 1;
	uint8_t *header = disk_put(disk, own * disk->block, disk->block);

	memcpy(header, "EFI PART\0\0\1\0", 12);
	image_put_le(header + 12, 92, 4);
	image_put_le(header + 24, own, 8);
	image_put_le(header + 32, other, 8);
	image_put_le(header + 40, 2 + array_blocks, 8);
	image_put_le(header + 48, last - 1 - array_blocks, 8);
	memset(header + 56, 0x11, 16);
	image_put_le(header + 72, entries, 8);
	image_put_le(header + 80, GPT_ENTRIES, 4);
	image_put_le(header + 84, 128, 4);
	image_put_le(header + 88, image_crc32(array, GPT_ARRAY), 4);
	image_put_le(header + 16, image_crc32(header, 92), 4);
}

static inline void disk_gpt(struct disk *disk, const struct disk_part *parts, size_t n)
{
	const uint64_t array_blocks = GPT_ARRAY / disk->block, last = disk->size / disk->block - 1;
	uint8_t *sector = disk_mbr(disk, 0);
	uint8_t *first = disk_put(disk, 2 * disk->block, GPT_ARRAY);
	uint8_t *second = disk_put(disk, (last - array_blocks) * disk->block, GPT_ARRAY);

	/* The whole disk, or as much of it as 32 bits say: UEFI 2.10, 5.2.3. */
	disk_mbr_entry(disk, sector, 0, 0xee, disk->block, 0);
	memcpy(sector + 447, "\x00\x02\x00", 3);
	image_put_le(sector + 446 + 12, last < UINT32_MAX ? last : UINT32_MAX, 4);
	for (size_t i = 0; i < n; i++) {
		uint8_t *entry = first + 128 * i;

		memcpy(entry, "\xaf\x3d\xc6\x0f\x83\x84\x72\x47\x8e\x79\x3d\x69\xd8\x47\x7d\xe4", 16);
		memset(entry + 16, (int)(0x21 + i), 16);
		image_put_le(entry + 32, parts[i].offset / disk->block, 8);
		image_put_le(entry + 40, (parts[i].offset + parts[i].size) / disk->block - 1, 8);
	}
	memcpy(second, first, GPT_ARRAY);
	disk_gpt_header(disk, first, 1, last, 2);
	disk_gpt_header(disk, first, last, 1, last - array_blocks);
}
