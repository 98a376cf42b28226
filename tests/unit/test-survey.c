// SPDX-License-Identifier: GPL-2.0-or-later
/* What lies on a disk, read from disks in memory. What the parsers refuse is in their own tests. */
#include <string.h>

#include "survey-world.h"
#include "testing.h"

static void digest_take(uint8_t out[static REPORT_DIGEST_SIZE])
{
	survey();
	memcpy(out, report.units[0].digest, REPORT_DIGEST_SIZE);
}

static bool digest_is(const uint8_t digest[static REPORT_DIGEST_SIZE])
{
	survey();
	return !memcmp(report.units[0].digest, digest, REPORT_DIGEST_SIZE);
}

/* --- disks --- */

/* One primary partition, and three in an extended one, each behind its own table. */
static void logical_make(uint32_t block)
{
	const uint64_t extended = 21 * MIB;
	uint8_t *sector;

	disk_make(&disk, 85 * MIB, block);
	sector = disk_mbr(&disk, 0);
	disk_mbr_entry(&disk, sector, 0, 0x83, MIB, 20 * MIB);
	disk_luks2(&disk, MIB, 0x11);
	disk_mbr_entry(&disk, sector, 1, 0x05, extended, 63 * MIB);
	for (unsigned int i = 0; i < 3; i++) {
		sector = disk_mbr(&disk, extended + 21 * i * MIB);
		disk_mbr_entry(&disk, sector, 0, 0x83, MIB, 20 * MIB);
		if (i < 2)
			disk_mbr_entry(&disk, sector, 1, 0x05, 21 * (i + 1) * MIB, 21 * MIB);
		disk_luks2(&disk, extended + (21 * i + 1) * MIB, 0x12 + i);
	}
}

static void gpt_make(uint32_t block)
{
	struct disk_part parts[4];

	disk_make(&disk, 82 * MIB, block);
	for (unsigned int i = 0; i < 4; i++)
		parts[i] = (struct disk_part){(1 + 20 * i) * MIB, 20 * MIB};
	disk_gpt(&disk, parts, 4);
	for (unsigned int i = 0; i < 4; i++)
		disk_luks2(&disk, parts[i].offset, 0x11 + i);
}

/* --- proofs --- */

static void whole_disk_costs_little(void)
{
	whole_make();
	CU_ASSERT_EQUAL(survey(), REPORT_PROVED);
	/* Two reads for both headers; the last block, where no second table may be; two far places. */
	CU_ASSERT_EQUAL(played.reads, 5);
	CU_ASSERT_EQUAL(report.bytes_read, 32768 + 3 * 512);
	CU_ASSERT_EQUAL(played.twice, 0);
	CU_ASSERT_EQUAL(report.units[0].table, PTABLE_NONE);
	CU_ASSERT_EQUAL(report.n_volumes, 1);
	CU_ASSERT_EQUAL(report.volumes[0].partition, 0);
	CU_ASSERT_EQUAL(report.volumes[0].offset, 0);
	CU_ASSERT_EQUAL(report.volumes[0].size, 64 * MIB);
	CU_ASSERT_STRING_EQUAL(report.volumes[0].uuid + 34, "11");
	CU_ASSERT_STRING_EQUAL(report.volumes[0].kdf, "argon2id");
}

static void every_partition_is_proved(void)
{
	static const struct {
		const char *name;
		void (*make)(uint32_t block);
		enum ptable_kind kind;
		unsigned int numbers[4];
	} rows[] = {
		{"MBR", mbr_make, PTABLE_MBR, {1, 2, 3, 4}},
		{"extended", logical_make, PTABLE_MBR, {1, 5, 6, 7}},
		{"GPT", gpt_make, PTABLE_GPT, {1, 2, 3, 4}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (uint32_t block = 512; block <= 4096; block *= 2) {
			rows[i].make(block);
			EXPECT(survey() == REPORT_PROVED, rows[i].name);
			EXPECT(report.units[0].table == rows[i].kind, rows[i].name);
			EXPECT(report.n_volumes == 4, rows[i].name);
			/* A device may answer differently every time. */
			EXPECT(played.twice == 0, rows[i].name);
			for (unsigned int k = 0; k < 4; k++) {
				EXPECT(report.volumes[k].partition == rows[i].numbers[k],
				       rows[i].name);
				EXPECT(report.volumes[k].uuid[35] == (char)('1' + k), rows[i].name);
				EXPECT(report.volumes[k].size == 20 * MIB, rows[i].name);
			}
		}
	}
}

static void partition_may_begin_at_any_block(void)
{
	uint8_t *sector;

	disk_make(&disk, 64 * MIB, 512);
	sector = disk_mbr(&disk, 0);
	disk_mbr_entry(&disk, sector, 0, 0x83, 63 * 512, 64 * MIB - 63 * 512);
	disk_luks2(&disk, 63 * 512, 0x11);
	CU_ASSERT_EQUAL(survey(), REPORT_PROVED);
	CU_ASSERT_EQUAL(report.volumes[0].offset, 63 * 512);
}

/* --- BitLocker --- */

static const uint64_t bitlocker_copies[BITLOCKER_COPIES] = {2 * MIB, 7 * MIB + 512, 12 * MIB};

static void bitlocker_make(uint32_t block)
{
	uint8_t *first;

	disk_make(&disk, 64 * MIB, block);
	first = disk_put(&disk, 0, 512);
	memcpy(first, PLAYED_MAGIC, sizeof(PLAYED_MAGIC));
	memcpy(first + 32, bitlocker_copies, sizeof(bitlocker_copies));
	for (size_t i = 0; i < BITLOCKER_COPIES; i++)
		disk_put(&disk, bitlocker_copies[i], BITLOCKER_METADATA_LEN);
}

static void all_copies_of_bitlockers_metadata_must_agree(void)
{
	for (uint32_t block = 512; block <= 4096; block *= 2) {
		bitlocker_make(block);
		CU_ASSERT_EQUAL(survey(), REPORT_PROVED);
		CU_ASSERT_EQUAL(report.volumes[0].method, ENCRYPTION_BITLOCKER);
		for (size_t i = 1; i <= BITLOCKER_COPIES; i++) {
			bitlocker_make(block);
			disk.pieces[i].data[BITLOCKER_METADATA_LEN - 1] = 1;
			CU_ASSERT_EQUAL(survey(), REPORT_DAMAGED);
			CU_ASSERT_STRING_EQUAL(report.detail,
					       "bitlocker: the copies of the metadata differ");
			bitlocker_make(block);
			disk.pieces[i].data[0] = VOLUME_E_CLEAR;
			CU_ASSERT_EQUAL(survey(), REPORT_PLAIN);
			CU_ASSERT_STRING_EQUAL(report.detail, "bitlocker: played");
		}
	}
}

/* --- refusals --- */

static void plain_disk_says_what_it_looks_like(void)
{
	disk_make(&disk, 64 * MIB, 512);
	CU_ASSERT_EQUAL(survey(), REPORT_PLAIN);
	CU_ASSERT_STRING_EQUAL(report.detail, "not encrypted: starts with zeroes");
	disk_put(&disk, 0, 512)[100] = 1;
	CU_ASSERT_EQUAL(survey(), REPORT_PLAIN);
	CU_ASSERT_STRING_EQUAL(report.detail, "not encrypted: starts with unknown data");
	disk_make(&disk, 64 * MIB, 512);
	disk_ext(&disk, 0);
	CU_ASSERT_EQUAL(survey(), REPORT_PLAIN);
	CU_ASSERT_STRING_EQUAL(report.detail, "not encrypted: ext");
}

static void erased_disk_is_told_from_one_that_only_begins_with_zeros(void)
{
	static const struct {
		uint64_t size, at, len;
		bool blank;
	} rows[] = {
		{ 64 * MIB, 0, 0, true },
		{ 4 * MIB, 0, 0, true },
		{ 64 * MIB, 20000, 1, false }, /* behind what every survey reads */
		{ 64 * MIB, 4 * MIB - 1, 1, false },
		{ 64 * MIB, 63 * MIB, 1, false },
		{ 64 * MIB, 64 * MIB - 1, 1, false },
		{ 6 * MIB, 4 * MIB + MIB / 2, 1, false }, /* a small one is read whole */
		/* The likelihood that this is missed is one in 10^150. */
		{ 64 * MIB, 8 * MIB, 48 * MIB, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		disk_make(&disk, rows[i].size, 512);
		if (rows[i].len)
			memset(disk_put(&disk, rows[i].at, rows[i].len), 1, rows[i].len);
		CU_ASSERT_EQUAL(survey(), REPORT_PLAIN);
		CU_ASSERT_EQUAL(report.units[0].blank, rows[i].blank);
	}
}

static uint64_t little_left(void *ctx)
{
	return SURVEY_BLANK_LEFT_MS - 1;
}

/* The verdict must not wait for what only tells whether it was erased. */
static void a_slow_disk_is_not_called_erased(void)
{
	const struct survey_disk slow = { .read = play_read, .left_ms = little_left };

	disk_make(&disk, 64 * MIB, 512);
	CU_ASSERT_EQUAL(survey(), REPORT_PLAIN);
	CU_ASSERT_TRUE(report.units[0].blank);
	played.reads = 0;
	report.units[0].blank = 0;
	CU_ASSERT_FALSE(survey_run(&slow, &report, 0));
	CU_ASSERT_EQUAL(report.outcome, REPORT_PLAIN);
	CU_ASSERT_FALSE(report.units[0].blank);
	CU_ASSERT_TRUE(played.reads < 10);
}

static void one_plain_partition_spoils_the_disk(void)
{
	static void (*const makes[])(uint32_t block) = {mbr_make, gpt_make};

	for (size_t i = 0; i < ARRAY_SIZE(makes); i++) {
		makes[i](512);
		memset(disk_put(&disk, 41 * MIB, 4096), 0, 4096);
		disk_ext(&disk, 41 * MIB);
		CU_ASSERT_EQUAL(survey(), REPORT_PLAIN);
		CU_ASSERT_STRING_EQUAL(report.detail, "partition 3: not encrypted: ext");
		CU_ASSERT_EQUAL(report.n_volumes, 0);
	}
}

static void partition_without_room_for_a_header_is_plain(void)
{
	uint8_t *sector;

	disk_make(&disk, 64 * MIB, 512);
	sector = disk_mbr(&disk, 0);
	disk_mbr_entry(&disk, sector, 0, 0x83, MIB, 3584);
	CU_ASSERT_EQUAL(survey(), REPORT_PLAIN);
	CU_ASSERT_STRING_EQUAL(report.detail, "partition 1: not encrypted: too small for it");
}

/* A header may not be completed by what lies behind its partition. */
static void headers_must_lie_in_their_partition(void)
{
	uint8_t *sector;

	disk_make(&disk, 64 * MIB, 512);
	sector = disk_mbr(&disk, 0);
	disk_mbr_entry(&disk, sector, 0, 0x83, MIB, 32768 - 512);
	disk_luks2(&disk, MIB, 0x11);
	CU_ASSERT_EQUAL(survey(), REPORT_DAMAGED);
	CU_ASSERT_STRING_EQUAL(report.detail,
			       "partition 1: luks2: the headers are larger than the volume");
	CU_ASSERT_EQUAL(played.last, MIB);
}

static void what_a_parser_says_becomes_the_outcome(void)
{
	static const struct {
		const char *find;
		const char *replace;
		enum report_outcome expect;
	} rows[] = {
		{"\"encryption\":\"aes-xts-plain64\",\"sector_size\"",
		 "\"encryption\":\"cipher_null-ecb\",\"sector_size\"", REPORT_PLAIN},
		{"\"type\":\"crypt\"", "\"type\":\"linear\"", REPORT_PLAIN},
		{"\"config\":{", "\"config\":{\"requirements\":{\"mandatory\":[\"x\"]},",
		 REPORT_UNKNOWN},
		{"\"offset\":\"16777216\",\"size\":\"dynamic\"",
		 "\"offset\":\"16777216\",\"size\":\"1073741824\"", REPORT_DAMAGED},
		{"\"tokens\":{}", "\"tokens\":{\"0\":{\"type\":\"sekimori\",\"keyslots\":[]}}",
		 REPORT_DAMAGED},
		{"\"config\":{", "\"config\":", REPORT_DAMAGED},
	};
	char json[IMAGE_HEADER];
	uint8_t *area;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		whole_make();
		image_json_with(json, sizeof(json), rows[i].find, rows[i].replace);
		image_make(disk.pieces[0].data, IMAGE_HEADER, json);
		EXPECT(survey() == rows[i].expect, rows[i].replace);
	}
	whole_make();
	area = disk.pieces[0].data;
	area[IMAGE_HEADER + 5000] ^= 1;
	CU_ASSERT_EQUAL(survey(), REPORT_DAMAGED);
	area[7] = 9;
	CU_ASSERT_EQUAL(survey(), REPORT_UNKNOWN);
}

static void table_without_partitions_is_plain(void)
{
	disk_make(&disk, 64 * MIB, 512);
	disk_gpt(&disk, NULL, 0);
	CU_ASSERT_EQUAL(survey(), REPORT_PLAIN);
}

static void contradictory_table_is_refused(void)
{
	mbr_make(512);
	disk_mbr_entry(&disk, disk.pieces[0].data, 3, 0x83, 60 * MIB, 20 * MIB);
	CU_ASSERT_EQUAL(survey(), REPORT_TABLE);
	CU_ASSERT(report.detail[0] != '\0');
	gpt_make(512);
	disk_put(&disk, 82 * MIB - 512, 512);
	CU_ASSERT_EQUAL(survey(), REPORT_TABLE);
}

static void more_partitions_than_the_report_holds_are_too_many(void)
{
	struct disk_part parts[REPORT_VOLUMES_MAX + 1];

	for (size_t n = REPORT_VOLUMES_MAX; n <= ARRAY_SIZE(parts); n++) {
		disk_make(&disk, 64 * MIB, 512);
		for (size_t i = 0; i < n; i++)
			parts[i] = (struct disk_part){(1 + 3 * i) * MIB, 3 * MIB};
		disk_gpt(&disk, parts, n);
		CU_ASSERT_EQUAL(survey(),
				n == REPORT_VOLUMES_MAX ? REPORT_PLAIN : REPORT_TOO_MANY);
	}
}

static void disk_of_a_few_blocks_is_no_disk(void)
{
	disk_make(&disk, 3584, 512);
	CU_ASSERT_EQUAL(survey(), REPORT_BAD_ANSWER);
	CU_ASSERT_EQUAL(played.reads, 0);
	disk_make(&disk, 4096, 4096);
	CU_ASSERT_EQUAL(survey(), REPORT_PLAIN);
}

static void failed_read_ends_it_without_a_digest(void)
{
	static const uint8_t zero[REPORT_DIGEST_SIZE];
	unsigned int reads;

	gpt_make(512);
	survey();
	reads = played.reads;
	for (unsigned int at = 1; at <= reads; at++) {
		memset(&played, 0, sizeof(played));
		played.fail_at = at;
		played.outcome = REPORT_TIMEOUT;
		EXPECT(survey_more() == REPORT_TIMEOUT, report.detail);
		CU_ASSERT_EQUAL(played.reads, at);
		CU_ASSERT_PTR_NOT_NULL(strstr(report.detail, "played"));
		CU_ASSERT_EQUAL(memcmp(report.units[0].digest, zero, sizeof(zero)), 0);
	}
}

/* Whatever lies there, and however it changes: a report, within the disk. survey() checks both. */
static void any_bytes_end_in_a_report(void)
{
	static void (*const makes[])(uint32_t block) = {mbr_make, logical_make, gpt_make,
							bitlocker_make};
	uint32_t state = 1;

	for (unsigned int round = 0; round < 400; round++) {
		makes[round % ARRAY_SIZE(makes)](512u << (round / 4 % 4));
		for (unsigned int i = noise_next(&state) % 8; i > 0; i--) {
			size_t k = noise_next(&state) % disk.n_pieces;

			disk.pieces[k].data[noise_next(&state) % disk.pieces[k].len] =
				(uint8_t)noise_next(&state);
		}
		survey();
	}
}

/* Headers have checksums, and none is read twice. */
static void device_that_answers_differently_gains_nothing(void)
{
	for (uint32_t seed = 1; seed <= 50; seed++) {
		whole_make();
		memset(&played, 0, sizeof(played));
		played.noise = seed;
		CU_ASSERT_NOT_EQUAL(survey_more(), REPORT_PROVED);
	}
}

/* --- the digest --- */

static void digest_is_of_all_that_was_looked_at(void)
{
	uint8_t digest[REPORT_DIGEST_SIZE];

	whole_make();
	digest_take(digest);
	CU_ASSERT_TRUE(digest_is(digest));
	/* Data is not looked at. */
	disk_put(&disk, 20 * MIB, 512)[0] = 1;
	CU_ASSERT_TRUE(digest_is(digest));
	for (size_t i = 0; i < 2 * IMAGE_HEADER; i += 37) {
		disk.pieces[0].data[i] ^= 1;
		CU_ASSERT_FALSE(digest_is(digest));
		disk.pieces[0].data[i] ^= 1;
	}
	disk.size += 512;
	CU_ASSERT_FALSE(digest_is(digest));
	disk.size -= 512;
	disk.block = 1024;
	CU_ASSERT_FALSE(digest_is(digest));
}

static void digest_holds_tables_and_gaps(void)
{
	uint8_t digest[REPORT_DIGEST_SIZE];
	static const uint64_t places[] = {440, 512 + 60, 1024 + 16, 82 * MIB - 512 + 72,
					  17408 + 100, 81 * MIB + 8};

	gpt_make(512);
	digest_take(digest);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		gpt_make(512);
		for (size_t k = 0; k < disk.n_pieces; k++) {
			uint64_t start = disk.pieces[k].offset;

			if (places[i] >= start && places[i] < start + disk.pieces[k].len)
				disk.pieces[k].data[places[i] - start] ^= 1;
		}
		if (i >= 4)
			disk_put(&disk, places[i], 1)[0] = 1;
		CU_ASSERT_FALSE(digest_is(digest));
	}
}

/* Whoever uses a volume writes its data, also where a table or a file system is looked for. */
static void data_that_changes_is_no_part_of_the_digest(void)
{
	static const uint64_t places[] = {64 * MIB - 512, 64 * MIB - 1, 65536 + 64 + 8, 20 * MIB};
	uint8_t digest[REPORT_DIGEST_SIZE];

	whole_make();
	digest_take(digest);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		whole_make();
		disk_put(&disk, places[i], 1)[0] = 0x5a;
		CU_ASSERT_TRUE(digest_is(digest));
	}
	mbr_make(512);
	digest_take(digest);
	disk_put(&disk, 81 * MIB - 512, 512)[0] = 0x5a;
	CU_ASSERT_TRUE(digest_is(digest));
	bitlocker_make(512);
	digest_take(digest);
	disk_put(&disk, BITLOCKER_BOOT_LEN + 5000, 1)[0] = 0x5a;
	CU_ASSERT_TRUE(digest_is(digest));
	CU_ASSERT_EQUAL(report.outcome, REPORT_PROVED);
}

static void digest_does_not_depend_on_the_unit(void)
{
	const struct survey_disk reader = {.read = play_read};
	uint8_t digest[REPORT_DIGEST_SIZE];

	gpt_make(512);
	digest_take(digest);
	memset(&played, 0, sizeof(played));
	report_init(&report, REPORT_PROVED);
	report.n_units = 3;
	report.units[2].state = REPORT_UNIT_DISK;
	report.units[2].blocks = disk.size / disk.block;
	report.units[2].block_size = disk.block;
	CU_ASSERT_TRUE(survey_run(&reader, &report, 2));
	CU_ASSERT_EQUAL(memcmp(report.units[2].digest, digest, sizeof(digest)), 0);
	CU_ASSERT_EQUAL(report.volumes[3].unit, 2);
}

static const struct test tests[] = {
	TEST(whole_disk_costs_little),
	TEST(every_partition_is_proved),
	TEST(partition_may_begin_at_any_block),
	TEST(all_copies_of_bitlockers_metadata_must_agree),
	TEST(plain_disk_says_what_it_looks_like),
	TEST(erased_disk_is_told_from_one_that_only_begins_with_zeros),
	TEST(a_slow_disk_is_not_called_erased),
	TEST(one_plain_partition_spoils_the_disk),
	TEST(partition_without_room_for_a_header_is_plain),
	TEST(headers_must_lie_in_their_partition),
	TEST(what_a_parser_says_becomes_the_outcome),
	TEST(table_without_partitions_is_plain),
	TEST(contradictory_table_is_refused),
	TEST(more_partitions_than_the_report_holds_are_too_many),
	TEST(disk_of_a_few_blocks_is_no_disk),
	TEST(failed_read_ends_it_without_a_digest),
	TEST(any_bytes_end_in_a_report),
	TEST(device_that_answers_differently_gains_nothing),
	TEST(digest_is_of_all_that_was_looked_at),
	TEST(digest_holds_tables_and_gaps),
	TEST(data_that_changes_is_no_part_of_the_digest),
	TEST(digest_does_not_depend_on_the_unit),
};

int main(void)
{
	return testing_run("survey", tests, ARRAY_SIZE(tests));
}
