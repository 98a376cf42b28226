// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "core/macro.h"
#include "core/ptable.h"
#include "table-image.h"
#include "testing.h"

#define MIB ((uint64_t)1 << 20)
#define SIZE (64 * MIB)
#define BLOCKS (SIZE / 512)

static struct disk disk;
static struct ptable table;

static bool gap_is(size_t i, uint64_t first, uint64_t end)
{
	return table.gaps[i].offset == first * table.block &&
	       table.gaps[i].size == (end - first) * table.block;
}

static bool partition_is(size_t i, unsigned int number, uint64_t first, uint64_t count)
{
	return table.partitions[i].number == number &&
	       table.partitions[i].offset == first * table.block &&
	       table.partitions[i].size == count * table.block;
}

/* --- one piece --- */

static void disk_without_a_table_is_one_piece(void)
{
	disk_init(&disk, SIZE, 512);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
	CU_ASSERT_EQUAL(table.kind, PTABLE_NONE);
	CU_ASSERT_EQUAL(table.n_partitions, 0);
	CU_ASSERT_EQUAL(table.n_gaps, 0);
	CU_ASSERT_EQUAL(disk.reads, 2);

	/* A table that divides nothing. */
	disk_entry(&disk, 0, 0, 0, 0, 0);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
	CU_ASSERT_EQUAL(table.kind, PTABLE_NONE);
}

/* A boot sector has code where a table has its entries. */
static void boot_sector_of_a_file_system_is_no_table(void)
{
	uint8_t *first;

	disk_init(&disk, SIZE, 512);
	first = disk_at(&disk, 0);
	memcpy(first, "\xeb\x58\x90MSDOS5.0", 11);
	memset(first + 400, 0x42, 110);
	first[510] = 0x55;
	first[511] = 0xaa;
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
	CU_ASSERT_EQUAL(table.kind, PTABLE_NONE);
}

static void disks_of_odd_sizes_are_walked_or_refused(void)
{
	static const struct {
		const char *name;
		uint64_t size;
		uint32_t block;
		int expect;
	} rows[] = {
		{"no block at all", 511, 512, -1},
		{"nothing", 0, 512, -1},
		{"one block", 512, 512, 0},
		{"two blocks", 1024, 512, 0},
		{"one large block", 4096, 4096, 0},
		{"part of a block", 1000, 512, 0},
		{"blocks of nothing", SIZE, 0, -1},
		{"blocks of 3", SIZE, 3, -1},
		{"blocks of 256", SIZE, 256, -1},
		{"blocks of 1536", SIZE, 1536, -1},
		{"blocks of 8192", SIZE, 8192, -1},
		{"blocks of 2^31", SIZE, 1u << 31, -1},
		{"as large as can be said", UINT64_MAX, 512, 0},
		{"as large as can be said, large blocks", UINT64_MAX, 4096, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		disk_init(&disk, rows[i].size, rows[i].block);
		EXPECT(disk_walk(&disk, &table) == rows[i].expect, rows[i].name);
		EXPECT((table.detail[0] != '\0') == (rows[i].expect != 0), rows[i].name);
		EXPECT(table.kind == PTABLE_NONE, rows[i].name);
	}
}

/* --- MBR --- */

static void primary_partitions_are_found_in_order_of_place(void)
{
	disk_init(&disk, SIZE, 512);
	disk_entry(&disk, 0, 0, 0x83, 4096, 1000);
	disk_entry(&disk, 0, 2, 0x07, 2048, 2048);
	disk_entry(&disk, 0, 3, 0x0c, BLOCKS - 1, 1);
	disk_at(&disk, 0)[446] = 0x80;
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
	CU_ASSERT_EQUAL(table.kind, PTABLE_MBR);
	CU_ASSERT_EQUAL(table.n_partitions, 3);
	CU_ASSERT(partition_is(0, 3, 2048, 2048));
	CU_ASSERT(partition_is(1, 1, 4096, 1000));
	CU_ASSERT(partition_is(2, 4, BLOCKS - 1, 1));
	CU_ASSERT_EQUAL(table.n_gaps, 2);
	CU_ASSERT(gap_is(0, 1, 2048));
	CU_ASSERT(gap_is(1, 5096, BLOCKS - 1));
}

static void blocks_of_4096_bytes_are_counted_as_such(void)
{
	disk_init(&disk, SIZE, 4096);
	disk_entry(&disk, 0, 0, 0x83, 256, 1024);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
	CU_ASSERT_EQUAL(table.partitions[0].offset, MIB);
	CU_ASSERT_EQUAL(table.partitions[0].size, 4 * MIB);
}

static void space_beyond_what_an_mbr_can_name_is_a_gap(void)
{
	const uint64_t size = 4 * MIB * MIB;

	disk_init(&disk, size, 512);
	disk_entry(&disk, 0, 0, 0x83, 1, UINT32_MAX);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
	CU_ASSERT(partition_is(0, 1, 1, UINT32_MAX));
	CU_ASSERT_EQUAL(table.n_gaps, 1);
	CU_ASSERT(gap_is(0, 1ull << 32, size / 512));
}

static void mbr_that_lies_is_refused(void)
{
	static const struct {
		const char *name;
		struct {
			uint8_t type;
			uint32_t start, count;
		} entries[4];
	} rows[] = {
		{"overlap", {{0x83, 2048, 100}, {0x83, 2147, 100}}},
		{"twice the same", {{0x83, 2048, 100}, {0x83, 2048, 100}}},
		{"one inside another", {{0x83, 2048, 1000}, {0x83, 2100, 10}}},
		{"over the table", {{0x83, 0, 100}}},
		{"beyond the end", {{0x83, 2048, BLOCKS - 2047}}},
		{"starts at the end", {{0x83, BLOCKS, 1}}},
		{"far beyond the end", {{0x83, UINT32_MAX, UINT32_MAX}}},
		{"of no size", {{0x83, 2048, 0}}},
		{"of no type", {{0, 2048, 100}}},
		{"protective beside another", {{0xee, 1, BLOCKS - 1}, {0x83, 2048, 100}}},
		{"protective without a GPT", {{0xee, 1, BLOCKS - 1}}},
		{"BSD", {{0xa5, 2048, 100}}},
		{"Solaris", {{0xbf, 2048, 100}}},
		{"dynamic disk", {{0x42, 2048, 100}}},
		{"Minix", {{0x81, 2048, 100}}},
		{"two extended ones", {{0x05, 2048, 100}, {0x0f, 4096, 100}}},
		{"extended beyond the end", {{0x05, 2048, BLOCKS - 2047}}},
		{"extended at the end", {{0x85, BLOCKS, 10}}},
		{"primary inside the extended one", {{0x05, 2048, 1000}, {0x83, 3000, 10}}},
		{"extended inside a primary one", {{0x05, 2048, 10}, {0x83, 2000, 1000}}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		disk_init(&disk, SIZE, 512);
		for (unsigned int k = 0; k < 4; k++)
			disk_entry(&disk, 0, k, rows[i].entries[k].type, rows[i].entries[k].start,
				   rows[i].entries[k].count);
		EXPECT(disk_walk(&disk, &table) == -1, rows[i].name);
		EXPECT(table.detail[0] != '\0', rows[i].name);
		EXPECT(table.n_partitions == 0 && table.n_gaps == 0, rows[i].name);
	}
}

/* --- extended partitions --- */

static void logical_partitions_are_numbered_along_the_chain(void)
{
	disk_init(&disk, SIZE, 512);
	disk_entry(&disk, 0, 0, 0x83, 2048, 2048);
	disk_entry(&disk, 0, 1, 0x0f, 8192, 32768);
	/* The second link lies before the third, its partition after: order of the chain counts. */
	disk_entry(&disk, 8192, 0, 0x83, 63, 1000);
	disk_entry(&disk, 8192, 1, 0x05, 20000, 2000);
	disk_entry(&disk, 28192, 0, 0x07, 1, 1999);
	disk_entry(&disk, 28192, 1, 0x05, 10000, 500);
	disk_entry(&disk, 18192, 0, 0x83, 100, 400);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
	CU_ASSERT_EQUAL(table.kind, PTABLE_MBR);
	CU_ASSERT_EQUAL(table.n_partitions, 4);
	CU_ASSERT(partition_is(0, 1, 2048, 2048));
	CU_ASSERT(partition_is(1, 5, 8192 + 63, 1000));
	CU_ASSERT(partition_is(2, 7, 18192 + 100, 400));
	CU_ASSERT(partition_is(3, 6, 28193, 1999));
	CU_ASSERT_EQUAL(table.n_gaps, 7);
	CU_ASSERT(gap_is(0, 1, 2048));
	CU_ASSERT(gap_is(1, 4096, 8192));
	CU_ASSERT(gap_is(2, 8193, 8192 + 63));
	CU_ASSERT(gap_is(5, 18692, 28192));
	CU_ASSERT(gap_is(6, 30192, BLOCKS));
}

static void empty_links_are_taken(void)
{
	disk_init(&disk, SIZE, 512);
	disk_entry(&disk, 0, 0, 0x05, 8192, 8192);
	disk_entry(&disk, 8192, 0, 0, 0, 0);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
	CU_ASSERT_EQUAL(table.n_partitions, 0);
	CU_ASSERT_EQUAL(table.n_gaps, 2);

	disk_entry(&disk, 8192, 0, 0x05, 1000, 1000);
	disk_entry(&disk, 9192, 0, 0x83, 1, 999);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
	CU_ASSERT_EQUAL(table.n_partitions, 1);
	CU_ASSERT(partition_is(0, 5, 9193, 999));
}

static void chain_that_lies_is_refused(void)
{
	static const struct {
		const char *name;
		struct {
			uint64_t lba;
			unsigned int i;
			uint8_t type;
			uint32_t start, count;
		} entries[4];
	} rows[] = {
		{"no table at all", {{0}}},
		{"link to itself", {{8192, 0, 0x83, 1, 10}, {8192, 1, 0x05, 0, 100}}},
		{"link to itself, further on",
		 {{8192, 1, 0x05, 100, 100}, {8292, 0, 0x83, 1, 10}, {8292, 1, 0x05, 100, 100}}},
		{"circle of two",
		 {{8192, 1, 0x05, 100, 50}, {8292, 1, 0x05, 200, 50}, {8392, 1, 0x05, 100, 50}}},
		{"link out of the extended partition", {{8192, 1, 0x05, 8192, 10}}},
		{"link with a size that leaves it", {{8192, 1, 0x05, 100, 8093}}},
		{"link to the far end of the world", {{8192, 1, 0x05, UINT32_MAX, UINT32_MAX}}},
		{"second entry that is no link", {{8192, 1, 0x83, 100, 10}}},
		{"third entry", {{8192, 2, 0x83, 100, 10}}},
		{"fourth entry", {{8192, 3, 0x83, 100, 10}}},
		{"two links", {{8192, 0, 0x05, 100, 10}, {8192, 1, 0x05, 200, 10}}},
		{"logical on its link", {{8192, 0, 0x83, 0, 10}}},
		{"logical out of the extended partition", {{8192, 0, 0x83, 8191, 2}}},
		{"logical behind the extended partition", {{8192, 0, 0x83, 8192, 1}}},
		{"logical over the next link",
		 {{8192, 0, 0x83, 10, 91}, {8192, 1, 0x05, 100, 10}, {8292, 0, 0x83, 1, 9}}},
		{"logical ones that overlap",
		 {{8192, 0, 0x83, 200, 91}, {8192, 1, 0x05, 100, 110}, {8292, 0, 0x83, 1, 109}}},
		{"logical of no size", {{8192, 0, 0x83, 10, 0}}},
		{"logical of type Solaris", {{8192, 0, 0x82, 10, 10}}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		disk_init(&disk, SIZE, 512);
		disk_entry(&disk, 0, 0, 0x05, 8192, 8192);
		for (size_t k = 0; k < 4 && rows[i].entries[k].lba; k++)
			disk_entry(&disk, rows[i].entries[k].lba, rows[i].entries[k].i,
				   rows[i].entries[k].type, rows[i].entries[k].start,
				   rows[i].entries[k].count);
		EXPECT(disk_walk(&disk, &table) == -1, rows[i].name);
		EXPECT(table.n_partitions == 0, rows[i].name);
	}
}

static void chain_without_end_is_refused(void)
{
	disk_init(&disk, SIZE, 512);
	disk_entry(&disk, 0, 0, 0x05, 8192, 8192);
	for (uint32_t i = 0; i < 60; i++)
		disk_entry(&disk, 8192 + 10 * i, 1, 0x05, 10 * (i + 1), 10);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), -1);
	CU_ASSERT_STRING_EQUAL(table.detail, "the chain of logical partitions does not end");
	CU_ASSERT(disk.reads <= PTABLE_EXTENDED_MAX + 1);
}

static void more_partitions_than_can_be_proved_are_refused(void)
{
	for (unsigned int n = PTABLE_PARTITIONS_MAX; n <= PTABLE_PARTITIONS_MAX + 1; n++) {
		disk_init(&disk, SIZE, 512);
		disk_gpt(&disk);
		for (unsigned int i = 0; i < n; i++)
			disk_gpt_add(&disk, 3 * i, 2048 + 10 * i, 2048 + 10 * i + 8);
		disk_gpt(&disk);
		CU_ASSERT_EQUAL(disk_walk(&disk, &table), n > PTABLE_PARTITIONS_MAX ? -1 : 0);
	}
}

/* As many links and partitions as pass, with gaps everywhere. */
static void largest_chain_is_taken_with_all_its_gaps(void)
{
	disk_init(&disk, SIZE, 512);
	disk_entry(&disk, 0, 0, 0x05, 8192, 8192);
	for (uint32_t i = 0; i < PTABLE_EXTENDED_MAX; i++) {
		if (i < PTABLE_PARTITIONS_MAX)
			disk_entry(&disk, 8192 + 10 * i, 0, 0x83, 2, 5);
		if (i + 1 < PTABLE_EXTENDED_MAX)
			disk_entry(&disk, 8192 + 10 * i, 1, 0x05, 10 * (i + 1), 10);
		else
			disk_entry(&disk, 8192 + 10 * i, 0, 0, 0, 0);
	}
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
	CU_ASSERT_EQUAL(table.n_partitions, PTABLE_PARTITIONS_MAX);
	CU_ASSERT_EQUAL(table.n_gaps, 1 + PTABLE_EXTENDED_MAX + PTABLE_PARTITIONS_MAX);
}

/* --- GPT --- */

static void gpt_is_read_with_blocks_of_each_size(void)
{
	static const uint32_t sizes[] = {512, 1024, 2048, 4096};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t last = SIZE / sizes[i] - 1, array;

		disk_init(&disk, SIZE, sizes[i]);
		array = disk_array_blocks(&disk);
		disk_gpt_add(&disk, 4, 1000, 1999);
		disk_gpt_add(&disk, 0, 2000, last - array - 1);
		disk_gpt(&disk);
		CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
		CU_ASSERT_EQUAL(table.kind, PTABLE_GPT);
		CU_ASSERT_EQUAL(table.n_partitions, 2);
		CU_ASSERT(partition_is(0, 5, 1000, 1000));
		CU_ASSERT(partition_is(1, 1, 2000, last - array - 2000));
		CU_ASSERT_EQUAL(table.n_gaps, 1);
		CU_ASSERT(gap_is(0, 2 + array, 1000));
		CU_ASSERT_EQUAL(disk.reads, 4);
	}
}

static void gpt_of_a_disk_over_2_tib_is_read(void)
{
	const uint64_t size = 20 * MIB * MIB, last = size / 512 - 1;

	disk_init(&disk, size, 512);
	disk_gpt_add(&disk, 0, 2048, last - 33);
	disk_gpt(&disk);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
	CU_ASSERT_EQUAL(table.partitions[0].size, (last - 33 - 2047) * 512);

	disk_init(&disk, UINT64_MAX, 512);
	disk_gpt_add(&disk, 0, 2048, UINT64_MAX / 512 - 100);
	disk_gpt(&disk);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
	CU_ASSERT_EQUAL(table.n_gaps, 2);
}

static void gpt_header_that_lies_is_refused(void)
{
	static const struct {
		const char *name;
		size_t offset;
		size_t len;
		uint64_t value;
	} rows[] = {
		{"magic", 0, 1, 'e'},
		{"revision", 8, 4, 0x20000},
		{"header size", 12, 4, 96},
		{"header size 0", 12, 4, 0},
		{"reserved", 20, 4, 1},
		{"place", 24, 8, 2},
		{"the other's place", 32, 8, 100},
		{"the other's place beyond the disk", 32, 8, UINT64_MAX},
		{"first usable over the array", 40, 8, 33},
		{"first usable behind the last", 40, 8, BLOCKS - 33},
		{"first usable near 2^64", 40, 8, UINT64_MAX},
		{"last usable over the backup", 48, 8, BLOCKS - 33},
		{"last usable beyond the disk", 48, 8, BLOCKS},
		{"last usable near 2^64", 48, 8, UINT64_MAX},
		{"disk's GUID", 56, 1, 0x78},
		{"array over the header", 72, 8, 1},
		{"array over partitions", 72, 8, 3},
		{"array near 2^64", 72, 8, UINT64_MAX},
		{"no entries", 80, 4, 0},
		{"too many entries", 80, 4, 129},
		{"very many entries", 80, 4, UINT32_MAX},
		{"large entries", 84, 4, 256},
		{"entries of no size", 84, 4, 0},
		{"checksum of the entries", 88, 4, 1},
		{"something behind the header", 92, 1, 1},
		{"something at the block's end", 511, 1, 1},
	};

	for (int copy = 0; copy < 2; copy++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			uint64_t lba = copy ? BLOCKS - 1 : 1;

			disk_init(&disk, SIZE, 512);
			disk_gpt_add(&disk, 0, 2048, 4095);
			disk_gpt(&disk);
			CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
			disk_put_le(disk_at(&disk, lba) + rows[i].offset, rows[i].value,
				    rows[i].len);
			disk_gpt_seal(&disk, lba);
			EXPECT(disk_walk(&disk, &table) == -1, rows[i].name);
			EXPECT(table.detail[0] != '\0', rows[i].name);
		}
}

static void one_flipped_bit_of_a_gpt_is_refused(void)
{
	static const uint64_t lbas[] = {1, 2, 33, BLOCKS - 33, BLOCKS - 2, BLOCKS - 1};

	disk_init(&disk, SIZE, 512);
	disk_gpt_add(&disk, 0, 2048, 4095);
	disk_gpt(&disk);
	for (size_t i = 0; i < ARRAY_SIZE(lbas); i++)
		for (size_t at = 0; at < 512; at += 3) {
			disk_at(&disk, lbas[i])[at] ^= 0x10;
			CU_ASSERT_EQUAL(disk_walk(&disk, &table), -1);
			disk_at(&disk, lbas[i])[at] ^= 0x10;
		}
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
}

static void gpt_entries_that_lie_are_refused(void)
{
	static const struct {
		const char *name;
		uint64_t first[2], last[2];
	} rows[] = {
		{"ends before it starts", {3000}, {2999}},
		{"over the table", {33}, {3000}},
		{"over the backup", {3000}, {BLOCKS - 33}},
		{"beyond the disk", {BLOCKS}, {BLOCKS + 10}},
		{"near 2^64", {UINT64_MAX - 1}, {UINT64_MAX}},
		{"all that can be said", {0}, {UINT64_MAX}},
		{"overlap by a block", {3000, 3999}, {3999, 5000}},
		{"one inside another", {3000, 3500}, {3999, 3600}},
		{"twice the same", {3000, 3000}, {3999, 3999}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		disk_init(&disk, SIZE, 512);
		disk_gpt_add(&disk, 0, rows[i].first[0], rows[i].last[0]);
		if (rows[i].first[1])
			disk_gpt_add(&disk, 9, rows[i].first[1], rows[i].last[1]);
		disk_gpt(&disk);
		EXPECT(disk_walk(&disk, &table) == -1, rows[i].name);
	}
}

static void arrays_that_differ_are_refused(void)
{
	disk_init(&disk, SIZE, 512);
	disk_gpt_add(&disk, 0, 2048, 4095);
	disk_gpt(&disk);
	disk_at(&disk, BLOCKS - 33)[60] ^= 1;
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), -1);
	CU_ASSERT_STRING_EQUAL(table.detail, "the entries of the two GPTs differ");
}

static void gpt_needs_its_protective_mbr_and_nothing_else(void)
{
	static const struct {
		const char *name;
		unsigned int i;
		uint8_t type;
		uint32_t start, count;
		int expect;
	} rows[] = {
		{"hybrid", 1, 0x83, 2048, 100, -1},
		{"hybrid in place of the protective entry", 0, 0x83, 2048, 100, -1},
		{"two protective entries", 1, 0xee, 1, BLOCKS - 1, -1},
		{"starts later", 0, 0xee, 2, BLOCKS - 2, -1},
		{"ends earlier", 0, 0xee, 1, 1000, -1},
		{"all that can be said", 0, 0xee, 1, UINT32_MAX, 0},
		{"half empty entry", 3, 0, 1, 0, -1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		disk_init(&disk, SIZE, 512);
		disk_gpt(&disk);
		disk_entry(&disk, 0, rows[i].i, rows[i].type, rows[i].start, rows[i].count);
		EXPECT(disk_walk(&disk, &table) == rows[i].expect, rows[i].name);
	}
	disk_init(&disk, SIZE, 512);
	disk_gpt(&disk);
	memset(disk_at(&disk, 0), 0, 512);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), -1);
	CU_ASSERT_STRING_EQUAL(table.detail, "a GPT without a protective MBR");
}

static void backup_gpt_alone_is_refused(void)
{
	static uint8_t backup[512];

	disk_init(&disk, SIZE, 512);
	disk_gpt(&disk);
	memcpy(backup, disk_at(&disk, BLOCKS - 1), 512);
	disk_init(&disk, SIZE, 512);
	memcpy(disk_at(&disk, BLOCKS - 1), backup, 512);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), -1);
	CU_ASSERT_STRING_EQUAL(table.detail, "a backup GPT header without a GPT");

	disk_entry(&disk, 0, 0, 0x83, 2048, 2048);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), -1);
	disk_entry(&disk, 0, 0, 0xee, 1, BLOCKS - 1);
	CU_ASSERT_EQUAL(disk_walk(&disk, &table), -1);
	CU_ASSERT_STRING_EQUAL(table.detail, "a protective MBR without a GPT");
}

/* --- a second face --- */

static void file_system_around_a_table_is_refused(void)
{
	static const struct {
		const char *name;
		uint64_t lba;
		size_t offset;
		const char *bytes;
		size_t len;
	} rows[] = {
		{"LUKS", 0, 0, "LUKS\xba\xbe", 6},     {"NTFS", 0, 3, "NTFS    ", 8},
		{"BitLocker", 0, 3, "-FVE-FS-", 8},    {"F2FS", 2, 0, "\x10\x20\xf5\xf2", 4},
		{"swap", 7, 502, "SWAPSPACE2", 10},    {"LVM", 1, 0, "LABELONE", 8},
		{"dynamic disk", 6, 0, "PRIVHEAD", 8}, {"SGI", 0, 0, "\x0b\xe5\xa9\x41", 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		disk_init(&disk, SIZE, 512);
		disk_entry(&disk, 0, 0, 0x83, 2048, 2048);
		CU_ASSERT_EQUAL(disk_walk(&disk, &table), 0);
		memcpy(disk_at(&disk, rows[i].lba) + rows[i].offset, rows[i].bytes, rows[i].len);
		EXPECT(disk_walk(&disk, &table) == -1, rows[i].name);
	}
}

/* Each fits into an encryption header or the key material behind it. */
static void tables_of_other_machines_are_refused(void)
{
	static const struct {
		const char *name;
		struct {
			size_t offset;
			const char *bytes;
			size_t len;
		} parts[3];
	} rows[] = {
		{"amiga", {{7680, "RDSK", 4}}},
		{"amiga", {{0, "RDSK", 4}}},
		{"atari", {{0x1c6 + 12, "\1LNX\0\0\0\x10\0\0\1\0", 12}}},
		{"atari",
		 {{0x1c6 + 36, "\x81\xc4z9\0\0\0\0\xff\xff\xff\xff", 12},
		  {0x1c6 + 40, "\0\0\0\2", 4}}},
		{"mac", {{0, "ER", 2}}},
		{"ultrix", {{16312, "\x57\x29\x03\0\1\0\0\0", 8}}},
		{"karma", {{510, "\x56\xab", 2}, {274, "\x4d", 1}, {282, "\1", 1}}},
		{"osf", {{64, "\x57\x45\x56\x82", 4}, {196, "\x57\x45\x56\x82", 4}}},
		{"sun", {{508, "\xda\xbe\xda\xbe", 4}}},
		{"acorn", {{508, "\x74\x72\x61\x50", 4}}},
		{"acorn", {{0, "\1\2", 2}, {508, "\x77\x72\x61\x50", 4}}},
		{"sgi", {{0, "\x0b\xe5\xa9\x41", 4}}},
		{"ldm", {{3072, "PRIVHEAD", 8}}},
	};
	char expect[PTABLE_DETAIL_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		disk_init(&disk, SIZE, 512);
		for (size_t k = 0; k < 3 && rows[i].parts[k].bytes; k++)
			memcpy(disk_at(&disk, rows[i].parts[k].offset / 512) +
				       rows[i].parts[k].offset % 512,
			       rows[i].parts[k].bytes, rows[i].parts[k].len);
		EXPECT(disk_walk(&disk, &table) == -1, rows[i].name);
		snprintf(expect, sizeof(expect),
			 "the kernel would find a partition table of kind \"%s\"", rows[i].name);
		EXPECT(strcmp(table.detail, expect) == 0, rows[i].name);
	}
}

static void what_only_resembles_another_table_is_taken(void)
{
	static const struct {
		const char *name;
		uint32_t block;
		size_t offset;
		const char *bytes;
		size_t len;
	} rows[] = {
		{"Atari's flag missing", 512, 0x1c6, "\2LNX\0\0\0\x10\0\0\1\0", 12},
		{"Atari's letters missing", 512, 0x1c6, "\1L-X\0\0\0\x10\0\0\1\0", 12},
		{"Atari's start beyond the disk", 512, 0x1c6, "\1LNX\x10\0\0\x10\0\0\1\0", 12},
		{"Atari's size beyond the disk", 512, 0x1c6, "\1LNX\0\0\0\x10\x10\0\1\0", 12},
		{"Atari with large blocks", 4096, 0x1c6, "\1LNX\0\0\0\x10\0\0\1\0", 12},
		{"Amiga in sector 16", 4096, 8192, "RDSK", 4},
		{"Amiga between sectors", 4096, 8, "RDSK", 4},
		{"Karma without a partition", 512, 510, "\x56\xab", 2},
		{"Sun with a wrong sum", 512, 508, "\xda\xbe\0\0", 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		disk_init(&disk, SIZE, rows[i].block);
		memcpy(disk_at(&disk, rows[i].offset / rows[i].block) +
			       rows[i].offset % rows[i].block,
		       rows[i].bytes, rows[i].len);
		EXPECT(disk_walk(&disk, &table) == 0, rows[i].name);
	}
}

static void crc32_is_that_of_the_standard(void)
{
	CU_ASSERT_EQUAL(crc32_sum((const uint8_t *)"123456789", 9), 0xcbf43926);
	CU_ASSERT_EQUAL(crc32_sum((const uint8_t *)"", 0), 0);
}

static const struct test tests[] = {
	TEST(disk_without_a_table_is_one_piece),
	TEST(boot_sector_of_a_file_system_is_no_table),
	TEST(disks_of_odd_sizes_are_walked_or_refused),
	TEST(primary_partitions_are_found_in_order_of_place),
	TEST(blocks_of_4096_bytes_are_counted_as_such),
	TEST(space_beyond_what_an_mbr_can_name_is_a_gap),
	TEST(mbr_that_lies_is_refused),
	TEST(logical_partitions_are_numbered_along_the_chain),
	TEST(empty_links_are_taken),
	TEST(chain_that_lies_is_refused),
	TEST(chain_without_end_is_refused),
	TEST(more_partitions_than_can_be_proved_are_refused),
	TEST(largest_chain_is_taken_with_all_its_gaps),
	TEST(gpt_is_read_with_blocks_of_each_size),
	TEST(gpt_of_a_disk_over_2_tib_is_read),
	TEST(gpt_header_that_lies_is_refused),
	TEST(one_flipped_bit_of_a_gpt_is_refused),
	TEST(gpt_entries_that_lie_are_refused),
	TEST(arrays_that_differ_are_refused),
	TEST(gpt_needs_its_protective_mbr_and_nothing_else),
	TEST(backup_gpt_alone_is_refused),
	TEST(file_system_around_a_table_is_refused),
	TEST(tables_of_other_machines_are_refused),
	TEST(what_only_resembles_another_table_is_taken),
	TEST(crc32_is_that_of_the_standard),
};

int main(void)
{
	return testing_run("ptable", tests, ARRAY_SIZE(tests));
}
