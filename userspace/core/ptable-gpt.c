// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/bytes.h"
#include "core/crc32.h"
#include "core/ptable-inside.h"

/* UEFI 2.10, table 5-5: the header. */
#define HEADER_LEN 92
#define OFF_REVISION 8
#define OFF_HEADER_LEN 12
#define OFF_CRC 16
#define OFF_RESERVED 20
#define OFF_MY_LBA 24
#define OFF_ALTERNATE 32
#define OFF_FIRST 40
#define OFF_LAST 48
#define OFF_GUID 56
#define OFF_ARRAY 72
#define OFF_ENTRIES 80
#define OFF_ENTRY_LEN 84
#define OFF_ARRAY_CRC 88
#define REVISION_1 0x00010000

/* Table 5-6: an entry. */
#define ENTRY_LEN 128
#define OFF_TYPE 0
#define OFF_START 32
#define OFF_END 40

bool ptable_gpt_magic(const uint8_t *block)
{
	return memcmp(block, "EFI PART", 8) == 0;
}

/* Blocks that the array takes. */
static uint64_t array_blocks(const struct ptable *table, uint32_t entries)
{
	return ((uint64_t)entries * ENTRY_LEN + table->block - 1) / table->block;
}

/* What must be right in either header; `here` and `other` are the blocks of this one and the other.
 */
static bool header_read(struct ptable *table, const uint8_t *block, uint64_t here, uint64_t other,
			struct ptable_header *header)
{
	struct bytes b = {.data = block, .len = table->block};
	uint8_t copy[HEADER_LEN];

	if (bytes_u32_le(&b, OFF_REVISION) != REVISION_1 ||
	    bytes_u32_le(&b, OFF_HEADER_LEN) != HEADER_LEN || bytes_u32_le(&b, OFF_RESERVED) ||
	    !bytes_zero(block + HEADER_LEN, table->block - HEADER_LEN)) {
		ptable_refuse(table, "a GPT header of an unknown form");
		return false;
	}
	memcpy(copy, block, sizeof(copy));
	memset(copy + OFF_CRC, 0, 4);
	if (bytes_u32_le(&b, OFF_CRC) != crc32_sum(copy, sizeof(copy))) {
		ptable_refuse(table, "a GPT header with a wrong checksum");
		return false;
	}
	if (bytes_u64_le(&b, OFF_MY_LBA) != here || bytes_u64_le(&b, OFF_ALTERNATE) != other) {
		ptable_refuse(table, "a GPT header that belongs elsewhere");
		return false;
	}
	*header = (struct ptable_header){
		.first = bytes_u64_le(&b, OFF_FIRST),
		.last = bytes_u64_le(&b, OFF_LAST),
		.array = bytes_u64_le(&b, OFF_ARRAY),
		.entries = bytes_u32_le(&b, OFF_ENTRIES),
		.array_crc = bytes_u32_le(&b, OFF_ARRAY_CRC),
	};
	memcpy(header->guid, block + OFF_GUID, sizeof(header->guid));
	if (!header->entries || header->entries > PTABLE_ENTRIES_MAX ||
	    bytes_u32_le(&b, OFF_ENTRY_LEN) != ENTRY_LEN) {
		ptable_refuse(table, "a GPT of a size that no common tool writes");
		return false;
	}
	return true;
}

void ptable_gpt_header_feed(struct ptable *table, const uint8_t *data)
{
	struct ptable_header *h = &table->walk.header;
	uint64_t last = ptable_blocks(table) - 1, count;

	if (!header_read(table, data, 1, last, h))
		return;
	count = array_blocks(table, h->entries);
	/* Header, array, partitions, backup array, backup header, in this order. */
	if (h->array < 2 || h->first < h->array || h->first - h->array < count ||
	    h->first > h->last || h->last >= last || last - h->last <= count) {
		ptable_refuse(table, "the parts of the GPT overlap or leave the disk");
		return;
	}
	if (!ptable_use(table, 0, 2) || !ptable_use(table, h->array, count))
		return;
	ptable_want(table, STEP_GPT_ARRAY, h->array, count);
}

static void entry_feed(struct ptable *table, const uint8_t *entry, unsigned int number)
{
	struct bytes b = {.data = entry, .len = ENTRY_LEN};
	uint64_t start = bytes_u64_le(&b, OFF_START), end = bytes_u64_le(&b, OFF_END);

	if (bytes_zero(entry + OFF_TYPE, 16))
		return;
	if (start > end || start < table->walk.header.first || end > table->walk.header.last)
		ptable_refuse(table, "partition %u lies outside the usable blocks", number);
	else
		ptable_add(table, start, end - start + 1, number);
}

void ptable_gpt_array_feed(struct ptable *table, const uint8_t *data)
{
	struct ptable_walk *walk = &table->walk;
	size_t len = (size_t)walk->header.entries * ENTRY_LEN;

	if (crc32_sum(data, len) != walk->header.array_crc) {
		ptable_refuse(table, "the GPT's entries do not match their checksum");
		return;
	}
	memcpy(walk->array, data, len);
	for (unsigned int i = 0; i < walk->header.entries; i++) {
		entry_feed(table, data + (size_t)i * ENTRY_LEN, i + 1);
		if (walk->step == STEP_REFUSED)
			return;
	}
	ptable_want(table, STEP_GPT_BACKUP, ptable_blocks(table) - 1, 1);
}

void ptable_gpt_backup_feed(struct ptable *table, const uint8_t *data)
{
	const struct ptable_header *h = &table->walk.header;
	uint64_t last = ptable_blocks(table) - 1, count = array_blocks(table, h->entries);
	struct ptable_header backup;

	if (!ptable_gpt_magic(data)) {
		ptable_refuse(table, "the backup GPT is missing");
		return;
	}
	if (!header_read(table, data, last, 1, &backup))
		return;
	if (backup.first != h->first || backup.last != h->last || backup.entries != h->entries ||
	    backup.array_crc != h->array_crc || memcmp(backup.guid, h->guid, sizeof(h->guid))) {
		ptable_refuse(table, "the two GPT headers differ");
		return;
	}
	if (backup.array <= h->last || backup.array >= last || last - backup.array < count) {
		ptable_refuse(table, "the parts of the GPT overlap or leave the disk");
		return;
	}
	if (!ptable_use(table, backup.array, count) || !ptable_use(table, last, 1))
		return;
	ptable_want(table, STEP_BACKUP_ARRAY, backup.array, count);
}

void ptable_gpt_backup_array_feed(struct ptable *table, const uint8_t *data)
{
	if (memcmp(data, table->walk.array, (size_t)table->walk.header.entries * ENTRY_LEN)) {
		ptable_refuse(table, "the entries of the two GPTs differ");
		return;
	}
	ptable_complete(table);
}
