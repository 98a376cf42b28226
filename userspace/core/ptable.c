// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/fsmagic.h"
#include "core/oldtable.h"
#include "core/ptable-inside.h"

void ptable_refuse(struct ptable *table, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(table->detail, sizeof(table->detail), format, args);
	va_end(args);
	table->walk.step = STEP_REFUSED;
	table->n_partitions = 0;
	table->n_gaps = 0;
}

void ptable_want(struct ptable *table, unsigned int step, uint64_t first, uint64_t count)
{
	table->walk.step = step;
	table->walk.offset = first * table->block;
	table->walk.len = (size_t)count * table->block;
}

/* --- areas ------------------------------------------------------------------------------------ */

static bool on_disk(const struct ptable *table, uint64_t first, uint64_t count)
{
	uint64_t blocks = ptable_blocks(table);

	return count > 0 && first < blocks && count <= blocks - first;
}

bool ptable_add(struct ptable *table, uint64_t first, uint64_t count, unsigned int number)
{
	if (!on_disk(table, first, count)) {
		ptable_refuse(table, "partition %u reaches beyond the end of the disk", number);
		return false;
	}
	if (table->n_partitions == PTABLE_PARTITIONS_MAX) {
		ptable_refuse(table, "more than %d partitions", PTABLE_PARTITIONS_MAX);
		table->too_many = true;
		return false;
	}
	table->partitions[table->n_partitions++] = (struct ptable_partition){
		.offset = first * table->block,
		.size = count * table->block,
		.number = number,
	};
	return true;
}

bool ptable_use(struct ptable *table, uint64_t first, uint64_t count)
{
	struct ptable_walk *walk = &table->walk;

	if (!on_disk(table, first, count) || walk->n_used == ARRAY_SIZE(walk->used)) {
		ptable_refuse(table, "a partition table reaches beyond the end of the disk");
		return false;
	}
	walk->used[walk->n_used++] = (struct ptable_gap){
		.offset = first * table->block,
		.size = count * table->block,
	};
	return true;
}

static int compare_partitions(const void *a, const void *b)
{
	const struct ptable_partition *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int compare_areas(const void *a, const void *b)
{
	const struct ptable_gap *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Everything sorted in one row: each area must begin where the one before has ended, or later. */
void ptable_complete(struct ptable *table)
{
	struct ptable_gap areas[PTABLE_GAPS_MAX + PTABLE_PARTITIONS_MAX];
	size_t n = table->walk.n_used;
	uint64_t end = 0;

	memcpy(areas, table->walk.used, n * sizeof(*areas));
	for (size_t i = 0; i < table->n_partitions; i++)
		areas[n++] =
			(struct ptable_gap){table->partitions[i].offset, table->partitions[i].size};
	qsort(areas, n, sizeof(*areas), compare_areas);
	qsort(table->partitions, table->n_partitions, sizeof(*table->partitions),
	      compare_partitions);
	table->n_gaps = 0;
	for (size_t i = 0; i <= n; i++) {
		uint64_t begin = i < n ? areas[i].offset : table->size;

		if (begin < end) {
			ptable_refuse(table, "partitions or tables overlap");
			return;
		}
		if (begin > end) {
			if (table->n_gaps == PTABLE_GAPS_MAX) {
				ptable_refuse(table, "too many gaps");
				return;
			}
			table->gaps[table->n_gaps++] = (struct ptable_gap){end, begin - end};
		}
		if (i < n)
			end = areas[i].offset + areas[i].size;
	}
	table->walk.step = STEP_DONE;
}

/* --- the walk --------------------------------------------------------------------------------- */

void ptable_start(struct ptable *table, uint64_t size, uint32_t block)
{
	uint64_t count;

	memset(table, 0, sizeof(*table));
	if (block != 512 && block != 1024 && block != 2048 && block != 4096) {
		ptable_refuse(table, "blocks of %u bytes", block);
		return;
	}
	table->block = block;
	table->size = size - size % block;
	if (!table->size) {
		ptable_refuse(table, "the disk has no block");
		return;
	}
	count = OLDTABLE_LEN / block;
	ptable_want(table, STEP_FIRST, 0,
		    count < ptable_blocks(table) ? count : ptable_blocks(table));
}

int ptable_next(struct ptable *table, uint64_t *offset, size_t *len)
{
	if (table->walk.step == STEP_REFUSED)
		return -1;
	if (table->walk.step == STEP_DONE)
		return 0;
	*offset = table->walk.offset;
	*len = table->walk.len;
	return 1;
}

bool ptable_in_table(const struct ptable *table)
{
	return table->walk.step != STEP_NO_BACKUP;
}

void ptable_finish(struct ptable *table)
{
	if (ptable_blocks(table) < 2)
		table->walk.step = STEP_DONE;
	else
		ptable_want(table, STEP_NO_BACKUP, ptable_blocks(table) - 1, 1);
}

static void first_feed(struct ptable *table, const uint8_t *data)
{
	size_t len = table->walk.len;
	const char *name;

	ptable_mbr_feed(table, data, len);
	if (table->walk.step == STEP_REFUSED)
		return;
	name = oldtable_find(data, len, table->size, table->block, table->kind == PTABLE_NONE);
	if (name) {
		ptable_refuse(table, "the kernel would find a partition table of kind \"%s\"",
			      name);
		return;
	}
	if (table->kind == PTABLE_NONE)
		return;
	name = fsmagic_find(data, len);
	if (name && !fsmagic_is_table(name))
		ptable_refuse(table, "a partition table and \"%s\" in one place", name);
}

static void no_backup_feed(struct ptable *table, const uint8_t *data)
{
	if (ptable_gpt_magic(data))
		ptable_refuse(table, "a backup GPT header without a GPT");
	else if (table->kind == PTABLE_NONE)
		table->walk.step = STEP_DONE;
	else
		ptable_complete(table);
}

void ptable_feed(struct ptable *table, const uint8_t *data)
{
	switch (table->walk.step) {
	case STEP_FIRST:
		first_feed(table, data);
		break;
	case STEP_EXTENDED:
		ptable_extended_feed(table, data);
		break;
	case STEP_GPT_ARRAY:
		ptable_gpt_array_feed(table, data);
		break;
	case STEP_GPT_BACKUP:
		ptable_gpt_backup_feed(table, data);
		break;
	case STEP_BACKUP_ARRAY:
		ptable_gpt_backup_array_feed(table, data);
		break;
	case STEP_NO_BACKUP:
		no_backup_feed(table, data);
		break;
	}
}
