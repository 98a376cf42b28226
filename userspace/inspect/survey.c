// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *   first 16384 bytes ─► partition table ─┬─ none ─► the disk ───────┐
 *                                        └─ walk ─► each partition ─┤
 *                                                                   ▼
 *   LUKS2? ─► both copies ─┬─► gap ─┐   BitLocker? ─► its three copies ─┐   else plain
 *   LUKS1? ────────────────┘        └───────────────────────────────────┴─► far places ─► volume
 *   at last the gaps of the table
 *
 * Every step either goes on (true) or has worsened the report's outcome (false).
 */
#include "inspect/survey.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/bitlocker.h"
#include "core/bytes.h"
#include "core/fsmagic.h"
#include "core/luks1.h"
#include "core/luks2.h"
#include "core/macro.h"
#include "core/ptable.h"

#define BLOCK_MAX 4096
/* What is read of every volume first: what the parsers want, a multiple of every block size. */
#define FIRST_LEN 4096
/* … and of every disk: where the table's walk looks first, and LUKS2's first copy of usual size. */
#define DISK_FIRST_LEN ((size_t)16 << 10)
#define MIB ((uint64_t)1 << 20)

_Static_assert(FIRST_LEN == LUKS2_BINARY_LEN && FIRST_LEN == LUKS1_READ_LEN &&
		       FIRST_LEN == BITLOCKER_BOOT_LEN,
	       "one read serves the parsers of all methods");

struct survey {
	const struct survey_disk *disk;
	struct report *report;
	struct report_unit *unit;
	uint8_t number;	    /* of the unit */
	uint16_t partition; /* that is looked at; 0 the whole disk */
	uint64_t size;	    /* of the disk, in bytes */
	bool broken;	    /* something could not be read */
	crypto_generichash_state digest;
	uint8_t first[DISK_FIRST_LEN]; /* of the disk */
	size_t first_len; /* that is known already */
	struct ptable table;
};

/* Ends with where it was and what it was. */
_printf_(3, 4) static bool survey_end(struct survey *s, enum report_outcome outcome,
				      const char *format, ...)
{
	char detail[2 * REPORT_DETAIL_MAX];
	size_t n = 0;
	va_list args;

	if (s->report->n_units > 1)
		n += (size_t)snprintf(detail, sizeof(detail), "unit %u: ", s->number);
	if (s->partition)
		n += (size_t)snprintf(detail + n, sizeof(detail) - n, "partition %u: ",
				      s->partition);
	va_start(args, format);
	vsnprintf(detail + n, sizeof(detail) - n, format, args);
	va_end(args);
	report_worsen(s->report, outcome, detail);
	return false;
}

static bool survey_no_memory(struct survey *s)
{
	s->broken = true;
	return survey_end(s, REPORT_INTERNAL, "no memory");
}

/* --- reading --- */

static void digest_number(struct survey *s, uint64_t value)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	crypto_generichash_update(&s->digest, bytes, sizeof(bytes));
}

/* What a verdict rests on, and what nobody writes who uses the disk. */
static void survey_digest(struct survey *s, uint64_t offset, const uint8_t *data, size_t len)
{
	digest_number(s, offset);
	digest_number(s, len);
	crypto_generichash_update(&s->digest, data, len);
}

/* All reading goes through here, and never beyond the disk. */
static bool survey_read_disk(struct survey *s, uint64_t offset, uint8_t *data, size_t len)
{
	const uint32_t block = s->unit->block_size;
	const char *detail = "";
	int r;

	if (offset > s->size || len > s->size - offset || offset % block || len % block) {
		s->broken = true;
		return survey_end(s, REPORT_DAMAGED, "points beyond the disk");
	}
	r = s->disk->read(s->disk->ctx, offset, data, len, &detail);
	if (r) {
		s->broken = true;
		return survey_end(s, (enum report_outcome)r, "%s", detail);
	}
	s->report->bytes_read += len;
	return true;
}

/* What is known of the disk's beginning is not read again. Not into the digest. */
static bool survey_look(struct survey *s, uint64_t offset, uint8_t *data, size_t len)
{
	size_t known = 0;

	if (offset < s->first_len) {
		known = s->first_len - (size_t)offset;
		if (known > len)
			known = len;
		memcpy(data, s->first + offset, known);
	}
	return known == len || survey_read_disk(s, offset + known, data + known, len - known);
}

static bool survey_read(struct survey *s, uint64_t offset, uint8_t *data, size_t len)
{
	if (!survey_look(s, offset, data, len))
		return false;
	survey_digest(s, offset, data, len);
	return true;
}

/*
 * The same two for bytes that need not lie on blocks: `room` holds 2 * BLOCK_MAX more than len. *data is in it.
 */
static bool survey_look_bytes(struct survey *s, uint64_t offset, uint8_t *room, size_t len,
			      const uint8_t **data)
{
	const uint32_t block = s->unit->block_size;
	const size_t before = offset % block;
	const size_t whole = (before + len + block - 1) / block * block;

	*data = room + before;
	return survey_look(s, offset - before, room, whole);
}

static bool survey_read_bytes(struct survey *s, uint64_t offset, uint8_t *room, size_t len,
			      const uint8_t **data)
{
	if (!survey_look_bytes(s, offset, room, len, data))
		return false;
	survey_digest(s, offset, *data, len);
	return true;
}

/* --- space that should be empty --- */

static bool gap_look(struct survey *s, uint64_t offset, uint64_t end, const char *where)
{
	uint8_t room[FSMAGIC_LEN + 2 * BLOCK_MAX];
	const size_t len = end - offset < FSMAGIC_LEN ? (size_t)(end - offset) : FSMAGIC_LEN;
	const uint8_t *data;
	const char *name;

	if (!survey_read_bytes(s, offset, room, len, &data))
		return false;
	name = fsmagic_find(data, len);
	return !name || survey_end(s, REPORT_SLACK, "%s at byte %llu, %s", name,
				   (unsigned long long)offset, where);
}

/* `offset` in bytes from the start of the disk. */
static bool gap_check(struct survey *s, uint64_t offset, uint64_t size, const char *where)
{
	const uint64_t end = offset + size;
	uint64_t last;

	if (size < FSMAGIC_SPACE_MIN)
		return true;
	last = end - FSMAGIC_SPACE_MIN;
	if (last / MIB - offset / MIB + 1 > SURVEY_LOOKS_MAX)
		return survey_end(s, REPORT_SLACK,
				  "%llu bytes at byte %llu, %s, could hide a file system",
				  (unsigned long long)size, (unsigned long long)offset, where);
	for (uint64_t at = offset; at <= last; at = (at / MIB + 1) * MIB)
		if (!gap_look(s, at, end, where))
			return false;
	return true;
}

/* --- volumes --- */

/* What a parser's outcome means for the report. */
static enum report_outcome volume_outcome(int code)
{
	switch (code) {
	case VOLUME_E_NONE:
	case VOLUME_E_CLEAR:
		return REPORT_PLAIN;
	case VOLUME_E_VERSION:
	case VOLUME_E_REQUIREMENT:
		return REPORT_UNKNOWN;
	default:
		return code < 0 ? REPORT_INTERNAL : REPORT_DAMAGED;
	}
}

static bool volume_refused(struct survey *s, const char *method, int code, const char *detail)
{
	return survey_end(s, volume_outcome(code), "%s: %s", method,
			  code < 0 ? strerror(-code) : detail);
}

static bool volume_add(struct survey *s, uint64_t offset, uint64_t size,
		       const struct volume *volume)
{
	return report_add_volume(s->report, s->number, s->partition, offset, size, volume) ||
	       survey_end(s, REPORT_TOO_MANY, "more than %d volumes", REPORT_VOLUMES_MAX);
}

/*
 * Some file systems have their superblock so far from the beginning that it fits among key material or
 * data, which whoever uses the volume writes. Its bytes up to `from` have been seen by the method's
 * parser.
 */
static bool volume_look_far(struct survey *s, uint64_t offset, uint64_t size, uint64_t from)
{
	static const uint32_t places[] = FSMAGIC_FAR;
	uint8_t room[FSMAGIC_FAR_LEN + 2 * BLOCK_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const uint8_t *data;
		const char *name;

		if (places[i] < from || size < places[i] + FSMAGIC_FAR_LEN)
			continue;
		if (!survey_look_bytes(s, offset + places[i], room, FSMAGIC_FAR_LEN, &data))
			return false;
		name = fsmagic_find_far(data, FSMAGIC_FAR_LEN, places[i]);
		if (name)
			return survey_end(s, REPORT_SLACK, "%s inside an encrypted volume", name);
	}
	return true;
}

/* The space between the last keyslot and the data; both in bytes from the start of the volume. */
static bool volume_gap_check(struct survey *s, uint64_t offset, uint64_t from, uint64_t to)
{
	return from >= to || gap_check(s, offset + from, to - from, "between keyslots and data");
}

static bool volume_luks1(struct survey *s, const struct volume *volume, const struct luks1 *luks,
			 uint64_t offset, uint64_t size)
{
	return volume_gap_check(s, offset, luks->keyslots_end, luks->data_offset) &&
	       volume_look_far(s, offset, size, LUKS1_READ_LEN) &&
	       volume_add(s, offset, size, volume);
}

static bool volume_luks2(struct survey *s, const uint8_t *first, size_t len, uint64_t offset,
			 uint64_t size)
{
	_cleanup_(freep) uint8_t *copies = NULL;
	char detail[VOLUME_DETAIL_MAX] = "";
	struct volume volume;
	struct luks2 luks;
	int r;

	if (2 * len > size)
		return survey_end(s, REPORT_DAMAGED, "luks2: the headers are larger than the volume");
	copies = malloc(2 * len);
	if (!copies)
		return survey_no_memory(s);
	memcpy(copies, first, FIRST_LEN);
	if (!survey_read(s, offset + FIRST_LEN, copies + FIRST_LEN, 2 * len - FIRST_LEN))
		return false;
	r = luks2_parse(copies, copies + len, len, size, &volume, &luks, detail);
	if (r)
		return volume_refused(s, "luks2", r, detail);
	return volume_gap_check(s, offset, luks.keyslots_end, luks.data_offset) &&
	       volume_look_far(s, offset, size, 2 * len) && volume_add(s, offset, size, &volume);
}

/* Readers take the first copy that is valid; so all must be, and say the same. */
static bool volume_bitlocker(struct survey *s, const struct bitlocker_boot *boot, uint64_t offset,
			     uint64_t size)
{
	const size_t len = BITLOCKER_METADATA_LEN, room_len = len + 2 * BLOCK_MAX;
	_cleanup_(freep) uint8_t *rooms = malloc(2 * room_len);
	char detail[VOLUME_DETAIL_MAX] = "";
	const uint8_t *copy, *first = NULL;
	struct volume volume;
	int r;

	if (!rooms)
		return survey_no_memory(s);
	for (size_t i = 0; i < BITLOCKER_COPIES; i++) {
		if (!survey_read_bytes(s, offset + boot->metadata[i],
				       first ? rooms + room_len : rooms, len, &copy))
			return false;
		r = bitlocker_metadata_parse(copy, len, size, boot, &volume, detail);
		if (r)
			return volume_refused(s, "bitlocker", r, detail);
		if (first && !bitlocker_copies_equal(first, copy, len))
			return survey_end(s, REPORT_DAMAGED,
					  "bitlocker: the copies of the metadata differ");
		first = first ? first : copy;
	}
	return volume_look_far(s, offset, size, BITLOCKER_BOOT_LEN) &&
	       volume_add(s, offset, size, &volume);
}

/* What it looks like, for the person who reads the log. */
static bool volume_plain(struct survey *s, const uint8_t *first)
{
	const char *name = fsmagic_find(first, FIRST_LEN);

	if (name)
		return survey_end(s, REPORT_PLAIN, "not encrypted: %s", name);
	return survey_end(s, REPORT_PLAIN, "not encrypted: starts with %s",
			  bytes_zero(first, FIRST_LEN) ? "zeroes" : "unknown data");
}

static bool volume_survey(struct survey *s, uint64_t offset, uint64_t size)
{
	uint8_t first[FIRST_LEN];
	char detail[VOLUME_DETAIL_MAX] = "";
	struct bitlocker_boot boot;
	struct volume volume;
	struct luks1 luks1;
	size_t len;
	int r;

	if (size < FIRST_LEN)
		return survey_end(s, REPORT_PLAIN, "not encrypted: too small for it");
	if (!survey_read(s, offset, first, sizeof(first)))
		return false;
	r = luks2_header_size(first, &len, detail);
	if (!r)
		return volume_luks2(s, first, len, offset, size);
	if (r != VOLUME_E_NONE && r != VOLUME_E_VERSION)
		return volume_refused(s, "luks2", r, detail);

	r = luks1_parse(first, size, &volume, &luks1, detail);
	if (!r)
		return volume_luks1(s, &volume, &luks1, offset, size);
	if (r != VOLUME_E_NONE)
		return volume_refused(s, "luks", r, detail);

	r = bitlocker_boot_parse(first, size, &boot, detail);
	if (!r)
		return volume_bitlocker(s, &boot, offset, size);
	if (r != VOLUME_E_NONE)
		return volume_refused(s, "bitlocker", r, detail);
	return volume_plain(s, first);
}

/* --- a disk without anything --- */

#define BLANK_READ ((size_t)64 << 10)

/* Nothing but zeros there? What cannot be read is no zero. It is not part of the verdict, so neither of the digest. */
static bool blank_area(struct survey *s, uint64_t offset, uint64_t len, uint8_t *data)
{
	const char *detail;

	while (len) {
		size_t n = len < BLANK_READ ? (size_t)len : BLANK_READ;

		if (s->disk->left_ms && s->disk->left_ms(s->disk->ctx) < SURVEY_BLANK_LEFT_MS)
			return false;
		if (s->disk->read(s->disk->ctx, offset, data, n, &detail))
			return false;
		s->report->bytes_read += n;
		if (!bytes_zero(data, n))
			return false;
		offset += n;
		len -= n;
	}
	return true;
}

/* Places by chance: who knew them could leave everything between. */
static bool blank_places(struct survey *s, uint64_t from, uint64_t to, uint8_t *data)
{
	const uint64_t n = (to - from) / BLOCK_MAX;

	for (unsigned int i = 0; i < SURVEY_BLANK_PLACES; i++) {
		uint64_t place;

		randombytes_buf(&place, sizeof(place));
		if (!blank_area(s, from + place % n * BLOCK_MAX, BLOCK_MAX, data))
			return false;
	}
	return true;
}

/* A small disk is read whole. Sizes are cut to what any block size divides. */
static bool disk_is_blank(struct survey *s)
{
	_cleanup_(freep) uint8_t *data = NULL;
	const uint64_t size = s->size / BLOCK_MAX * BLOCK_MAX;
	const uint64_t all = SURVEY_BLANK_FIRST + SURVEY_BLANK_LAST + SURVEY_BLANK_PLACES * BLOCK_MAX;

	if (s->table.kind != PTABLE_NONE || !bytes_zero(s->first, s->first_len))
		return false;
	data = malloc(BLANK_READ);
	if (!data)
		return false;
	if (size <= all)
		return blank_area(s, s->first_len, s->size - s->first_len, data);
	return blank_area(s, s->first_len, SURVEY_BLANK_FIRST - s->first_len, data) &&
	       blank_area(s, size - SURVEY_BLANK_LAST, s->size - (size - SURVEY_BLANK_LAST), data) &&
	       blank_places(s, SURVEY_BLANK_FIRST, size - SURVEY_BLANK_LAST, data);
}

/* --- the disk --- */

static bool table_walk(struct survey *s)
{
	_cleanup_(freep) uint8_t *data = malloc(PTABLE_READ_MAX);
	uint64_t offset;
	size_t len;
	int want;

	if (!data)
		return survey_no_memory(s);
	ptable_start(&s->table, s->size, s->unit->block_size);
	while ((want = ptable_next(&s->table, &offset, &len)) > 0) {
		bool table = ptable_in_table(&s->table);

		if (!survey_look(s, offset, data, len))
			return false;
		ptable_feed(&s->table, data);
		/* Where there is no table, there may be a volume's data. */
		if (table && s->table.kind != PTABLE_NONE)
			survey_digest(s, offset, data, len);
	}
	if (want < 0)
		return survey_end(s, s->table.too_many ? REPORT_TOO_MANY : REPORT_TABLE, "%s",
				  s->table.detail);
	s->unit->table = (uint8_t)s->table.kind;
	return true;
}

static bool disk_survey(struct survey *s)
{
	const struct ptable *table = &s->table;
	size_t first_len;

	if (s->size < FIRST_LEN) {
		s->broken = true;
		return survey_end(s, REPORT_BAD_ANSWER, "%llu bytes in all",
				  (unsigned long long)s->size);
	}
	first_len = s->size < DISK_FIRST_LEN ? (size_t)s->size : DISK_FIRST_LEN;
	if (!survey_read_disk(s, 0, s->first, first_len))
		return false;
	s->first_len = first_len;
	if (!table_walk(s))
		return false;
	s->unit->blank = disk_is_blank(s);
	if (table->kind == PTABLE_NONE)
		return volume_survey(s, 0, s->size);

	if (!table->n_partitions)
		return survey_end(s, REPORT_PLAIN, "not encrypted: a partition table without partitions");
	for (size_t i = 0; i < table->n_partitions; i++) {
		s->partition = (uint16_t)table->partitions[i].number;
		if (!volume_survey(s, table->partitions[i].offset, table->partitions[i].size))
			return false;
	}
	s->partition = 0;
	for (size_t i = 0; i < table->n_gaps; i++)
		if (!gap_check(s, table->gaps[i].offset, table->gaps[i].size, "in no partition"))
			return false;
	return true;
}

bool survey_run(const struct survey_disk *disk, struct report *report, uint8_t unit)
{
	struct report_unit *u = &report->units[unit];
	struct survey s = {
		.disk = disk,
		.report = report,
		.unit = u,
		.number = unit,
		.size = u->blocks * u->block_size,
	};
	bool proved;

	crypto_generichash_init(&s.digest, NULL, 0, sizeof(u->digest));
	digest_number(&s, u->blocks);
	digest_number(&s, u->block_size);
	proved = disk_survey(&s);
	if (!s.broken)
		crypto_generichash_final(&s.digest, u->digest, sizeof(u->digest));
	return proved;
}
