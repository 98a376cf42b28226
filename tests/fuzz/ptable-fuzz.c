// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Partition tables. The input is a list of what is done to an empty disk: entries, a GPT with right
 * checksums, bytes anywhere. Whatever comes out: either nothing, or partitions and gaps that
 * together with the tables are the disk, once.
 */
#define DISK_GPT_ENTRIES 32 /* fewer are faster */
#include "table-image.h"
#include "medium.h"

static struct disk disk;
static struct ptable table;

static uint64_t input_lba(struct input *in)
{
	uint64_t last = disk_last(&disk), value = input_number(in, 1);

	if (value < 128)
		return value <= last ? value : last;
	if (value < 192)
		return last - (value - 128 <= last ? value - 128 : last);
	return input_number(in, 4) % (last + 1);
}

/* The blocks that one step may touch at most. */
static bool has_room(void)
{
	return disk.n_blocks + 2 * 34 < DISK_BLOCKS_MAX;
}

static void step(struct input *in)
{
	uint64_t lba;
	size_t at, len;
	const uint8_t *bytes;

	switch (input_number(in, 1) % 5) {
	case 0: /* an entry of an MBR or a link */
		lba = input_lba(in);
		at = (size_t)input_number(in, 1);
		disk_entry(&disk, lba, at % 4, (uint8_t)input_number(in, 1),
			   (uint32_t)input_number(in, 4), (uint32_t)input_number(in, 4));
		break;
	case 1: /* a partition of a GPT */
		at = (size_t)input_number(in, 1) % DISK_GPT_ENTRIES;
		lba = input_number(in, 4);
		disk_gpt_add(&disk, (unsigned int)at, lba, lba + input_number(in, 4));
		break;
	case 2: /* the rest of it */
		disk_gpt(&disk);
		break;
	case 3: /* bytes */
		lba = input_lba(in);
		at = (size_t)input_number(in, 2) % disk.block;
		bytes = input_bytes(in, input_number(in, 1) % 64, &len);
		memcpy(disk_at(&disk, lba) + at, bytes,
		       len < disk.block - at ? len : disk.block - at);
		break;
	default: /* a header's checksum */
		disk_gpt_seal(&disk, input_number(in, 1) & 1 ? disk_last(&disk) : 1);
	}
}

static bool apart(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a + a_size <= b || b + b_size <= a;
}

static void area_must(uint64_t offset, uint64_t size)
{
	must(size >= table.block && size % table.block == 0 && offset % table.block == 0,
	     "not whole blocks");
	must(offset < table.size && size <= table.size - offset, "leaves the disk");
}

static void partitions_must(void)
{
	for (size_t i = 0; i < table.n_partitions; i++) {
		const struct ptable_partition *a = &table.partitions[i];

		area_must(a->offset, a->size);
		must(a->offset >= table.block, "over the table");
		must(a->number >= 1 && a->number <= PTABLE_ENTRIES_MAX, "number");
		for (size_t k = 0; k < i; k++) {
			const struct ptable_partition *b = &table.partitions[k];

			must(b->offset + b->size <= a->offset, "order or overlap of partitions");
			must(b->number != a->number, "one number twice");
		}
		for (size_t k = 0; k < table.n_gaps; k++)
			must(apart(a->offset, a->size, table.gaps[k].offset, table.gaps[k].size),
			     "a gap in a partition");
	}
}

static void gaps_must(void)
{
	for (size_t i = 0; i < table.n_gaps; i++) {
		area_must(table.gaps[i].offset, table.gaps[i].size);
		must(table.gaps[i].offset >= table.block, "a gap over the table");
		must(!i || table.gaps[i - 1].offset + table.gaps[i - 1].size < table.gaps[i].offset,
		     "order of gaps");
	}
}

/* What no partition and no gap holds is a table: few blocks. */
static void sum_must(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < table.n_partitions; i++)
		sum += table.partitions[i].size;
	for (size_t i = 0; i < table.n_gaps; i++)
		sum += table.gaps[i].size;
	must(sum <= table.size && table.size - sum <= 2 * PTABLE_READ_MAX + 40 * table.block,
	     "space that belongs to nothing");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t sizes[] = {1 << 20, 64 << 20, 3ull << 40, UINT64_MAX, 40 << 10};
	struct input in = {data, size};
	unsigned int how = (unsigned int)input_number(&in, 1);
	int r;

	disk_init(&disk, sizes[how / 4 % 5], 512u << how % 4);
	while (in.len && has_room())
		step(&in);
	r = disk_walk(&disk, &table);
	must(!r == !table.detail[0], "refused without a word, or accepted with one");
	must(memchr(table.detail, 0, sizeof(table.detail)), "the detail does not end");
	must(table.n_partitions <= PTABLE_PARTITIONS_MAX && table.n_gaps <= PTABLE_GAPS_MAX,
	     "number");
	if (r || table.kind == PTABLE_NONE) {
		must(!table.n_partitions && !table.n_gaps, "partitions without a table");
		return 0;
	}
	partitions_must();
	gaps_must();
	sum_must();
	return 0;
}
