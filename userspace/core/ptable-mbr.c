// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/bytes.h"
#include "core/ptable-inside.h"

#define MBR_LEN 512
#define OFF_ENTRIES 446
#define ENTRY_LEN 16
#define TYPE_PROTECTIVE 0xee

struct entry {
	uint8_t boot;
	uint8_t type;
	uint32_t start; /* blocks */
	uint32_t count;
	bool zero; /* no bit of it is set */
};

static struct entry entry_read(const uint8_t *sector, size_t i)
{
	struct bytes b = {.data = sector, .len = MBR_LEN};
	size_t at = OFF_ENTRIES + i * ENTRY_LEN;

	return (struct entry){
		.boot = bytes_u8(&b, at),
		.type = bytes_u8(&b, at + 4),
		.start = bytes_u32_le(&b, at + 8),
		.count = bytes_u32_le(&b, at + 12),
		.zero = bytes_zero(sector + at, ENTRY_LEN),
	};
}

static bool has_signature(const uint8_t *sector)
{
	return sector[510] == 0x55 && sector[511] == 0xaa;
}

static bool is_extended(const struct entry *e)
{
	return e->type == 0x05 || e->type == 0x0f || e->type == 0x85;
}

/* The kernel looks for a further table inside: msdos.c's `subtypes`, and ldm.c. */
static bool is_nested(const struct entry *e)
{
	static const uint8_t types[] = {
		0x42, /* Windows dynamic disk */
		0x63, /* UnixWare */
		0x81, /* Minix */
		0x82, /* Solaris, and Linux swap, which is no encrypted volume either */
		0xa5, /* FreeBSD */
		0xa6, /* OpenBSD */
		0xa9, /* NetBSD */
		0xbf, /* Solaris */
	};

	return memchr(types, e->type, sizeof(types));
}

/* Checks what any entry in use must be, extended or not. */
static bool entry_ok(struct ptable *table, const struct entry *e)
{
	if (e->boot != 0 && e->boot != 0x80)
		ptable_refuse(table, "an entry of the partition table has a bad boot indicator");
	else if (!e->type || !e->start || !e->count)
		ptable_refuse(table, "an entry of the partition table is half empty");
	else if (e->type == TYPE_PROTECTIVE)
		ptable_refuse(table, "a protective entry beside others");
	else if (is_nested(e))
		ptable_refuse(table, "partition type %02x holds a table of its own", e->type);
	else
		return true;
	return false;
}

/* A GPT's: one entry from block 1 to the end, or as far as the field reaches; UEFI 2.10, 5.2.3. */
static void protective_feed(struct ptable *table, const struct entry entries[4],
			    const uint8_t *data, size_t len)
{
	uint64_t rest = ptable_blocks(table) - 1;
	const struct entry *found = NULL;

	for (size_t i = 0; i < 4; i++) {
		if (entries[i].zero)
			continue;
		if (found || entries[i].type != TYPE_PROTECTIVE) {
			ptable_refuse(table, "the MBR names partitions beside a GPT");
			return;
		}
		found = &entries[i];
	}
	if (found->start != 1 || (found->count != rest && found->count != UINT32_MAX)) {
		ptable_refuse(table, "the protective MBR does not cover the disk");
		return;
	}
	if (len < 2 * (size_t)table->block || !ptable_gpt_magic(data + table->block)) {
		ptable_refuse(table, "a protective MBR without a GPT");
		return;
	}
	table->kind = PTABLE_GPT;
	ptable_gpt_header_feed(table, data + table->block);
}

static void primaries_feed(struct ptable *table, const struct entry entries[4])
{
	const struct entry *extended = NULL;

	table->kind = PTABLE_MBR;
	table->walk.next_logical = 5;
	if (!ptable_use(table, 0, 1))
		return;
	for (unsigned int i = 0; i < 4; i++) {
		const struct entry *e = &entries[i];

		if (e->zero)
			continue;
		if (!entry_ok(table, e))
			return;
		if (!is_extended(e)) {
			if (!ptable_add(table, e->start, e->count, i + 1))
				return;
		} else if (extended) {
			ptable_refuse(table, "two extended partitions");
			return;
		} else {
			extended = e;
		}
	}
	if (!extended) {
		ptable_finish(table);
		return;
	}
	if (extended->start >= ptable_blocks(table) ||
	    extended->count > ptable_blocks(table) - extended->start) {
		ptable_refuse(table, "the extended partition reaches beyond the end of the disk");
		return;
	}
	table->walk.chain_start = extended->start;
	table->walk.chain_end = (uint64_t)extended->start + extended->count;
	/* What is inside is accounted for by itself; a primary one there would hide in it. */
	for (size_t i = 0; i < table->n_partitions; i++) {
		uint64_t first = table->partitions[i].offset / table->block;
		uint64_t count = table->partitions[i].size / table->block;

		if (first < table->walk.chain_end && table->walk.chain_start < first + count) {
			ptable_refuse(table, "a primary partition inside the extended one");
			return;
		}
	}
	ptable_want(table, STEP_EXTENDED, extended->start, 1);
}

void ptable_mbr_feed(struct ptable *table, const uint8_t *data, size_t len)
{
	bool gpt = len >= 2 * (size_t)table->block && ptable_gpt_magic(data + table->block);
	bool is_table = has_signature(data), used = false, protective = false;
	struct entry entries[4];

	for (size_t i = 0; i < 4; i++) {
		entries[i] = entry_read(data, i);
		if (entries[i].boot != 0 && entries[i].boot != 0x80)
			is_table = false;
		if (!entries[i].zero)
			used = true;
		if (entries[i].type == TYPE_PROTECTIVE)
			protective = true;
	}
	if (is_table && protective)
		protective_feed(table, entries, data, len);
	else if (gpt)
		ptable_refuse(table, "a GPT without a protective MBR");
	else if (is_table && used)
		primaries_feed(table, entries);
	else
		ptable_finish(table);
}

/* --- extended partitions ---------------------------------------------------------------------- */

/*
 * One link: a table whose first entry is a logical partition, counted from this link, and whose
 * second one is the next link, counted from the first one. That the links are different ones
 * follows from their areas not overlapping, which is checked in the end; their number is limited.
 */
void ptable_extended_feed(struct ptable *table, const uint8_t *data)
{
	struct ptable_walk *walk = &table->walk;
	uint64_t here = walk->offset / table->block, room = walk->chain_end - here;
	struct entry logical = entry_read(data, 0), next = entry_read(data, 1);

	if (!has_signature(data)) {
		ptable_refuse(table, "an extended partition without a table");
		return;
	}
	if (!entry_read(data, 2).zero || !entry_read(data, 3).zero) {
		ptable_refuse(table, "a table in an extended partition has too many entries");
		return;
	}
	if (!ptable_use(table, here, 1))
		return;
	/* An empty link may have its pointer in front. */
	if (!logical.zero && is_extended(&logical) && next.zero) {
		next = logical;
		logical = (struct entry){.zero = true};
	}
	if (!logical.zero) {
		if (!entry_ok(table, &logical))
			return;
		if (is_extended(&logical) || logical.start >= room ||
		    logical.count > room - logical.start) {
			ptable_refuse(table, "a logical partition leaves the extended one");
			return;
		}
		if (!ptable_add(table, here + logical.start, logical.count, walk->next_logical++))
			return;
	}
	if (next.zero) {
		ptable_finish(table);
		return;
	}
	if (!entry_ok(table, &next))
		return;
	room = walk->chain_end - walk->chain_start;
	if (!is_extended(&next) || next.start >= room || next.count > room - next.start) {
		ptable_refuse(table, "the chain of logical partitions leaves the extended one");
		return;
	}
	if (++walk->links >= PTABLE_EXTENDED_MAX) {
		ptable_refuse(table, "the chain of logical partitions does not end");
		return;
	}
	ptable_want(table, STEP_EXTENDED, walk->chain_start + next.start, 1);
}
