// SPDX-License-Identifier: GPL-2.0-or-later
/* File systems where no encrypted volume is: between partitions, and inside a volume beside its data. */
#include <stdio.h>
#include <string.h>

#include "survey-world.h"
#include "testing.h"

/* One partition from 1 MiB on, `tail` bytes left behind it. */
static void tail_make(uint64_t tail)
{
	uint8_t *sector;

	disk_make(&disk, 41 * MIB + tail, 512);
	sector = disk_mbr(&disk, 0);
	disk_mbr_entry(&disk, sector, 0, 0x83, MIB, 40 * MIB);
	disk_luks2(&disk, MIB, 0x11);
}

static void file_system_in_a_gap_is_found(void)
{
	static const uint64_t places[] = {0, MIB, 2 * MIB, 9 * MIB};
	char expect[REPORT_DETAIL_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		tail_make(10 * MIB);
		CU_ASSERT_EQUAL(survey(), REPORT_PROVED);
		disk_ext(&disk, 41 * MIB + places[i]);
		CU_ASSERT_EQUAL(survey(), REPORT_SLACK);
		snprintf(expect, sizeof(expect), "ext at byte %llu, in no partition",
			 (unsigned long long)(41 * MIB + places[i]));
		CU_ASSERT_STRING_EQUAL(report.detail, expect);
	}
	/* In front of the partition, behind the table. */
	tail_make(0);
	disk_ext(&disk, 512);
	CU_ASSERT_EQUAL(survey(), REPORT_SLACK);
	CU_ASSERT_STRING_EQUAL(report.detail, "ext at byte 512, in no partition");
}

static void gap_that_begins_off_the_grid_is_looked_at_on_it_too(void)
{
	uint8_t *sector;

	disk_make(&disk, 64 * MIB, 512);
	sector = disk_mbr(&disk, 0);
	disk_mbr_entry(&disk, sector, 0, 0x83, 63 * 512, 54 * MIB + 512);
	disk_luks2(&disk, 63 * 512, 0x11);
	CU_ASSERT_EQUAL(survey(), REPORT_PROVED);
	disk_ext(&disk, 63 * MIB);
	CU_ASSERT_EQUAL(survey(), REPORT_SLACK);
}

static void small_gaps_are_no_place_for_anything(void)
{
	unsigned int reads;

	tail_make(0);
	CU_ASSERT_EQUAL(survey(), REPORT_PROVED);
	reads = played.reads;
	tail_make(FSMAGIC_SPACE_MIN - 512);
	disk_ext(&disk, 41 * MIB);
	CU_ASSERT_EQUAL(survey(), REPORT_PROVED);
	CU_ASSERT_EQUAL(played.reads, reads);
	tail_make(FSMAGIC_SPACE_MIN);
	disk_ext(&disk, 41 * MIB);
	CU_ASSERT_EQUAL(survey(), REPORT_SLACK);
	CU_ASSERT_EQUAL(played.reads, reads + 1);
}

static void gap_with_too_many_places_is_refused(void)
{
	unsigned int reads;

	tail_make(16 * MIB);
	CU_ASSERT_EQUAL(survey(), REPORT_PROVED);
	reads = played.reads;
	tail_make(16 * MIB + FSMAGIC_SPACE_MIN);
	CU_ASSERT_EQUAL(survey(), REPORT_SLACK);
	CU_ASSERT_STRING_EQUAL(report.detail, "16842752 bytes at byte 42991616, in no partition, "
					      "could hide a file system");
	CU_ASSERT_EQUAL(played.reads, reads - 16);
}

/* Space between the last keyslot and the data, where a second face would be out of the way. */
static void space_behind_the_keyslots_is_looked_at(void)
{
	static const uint64_t places[] = {294912, MIB, 15 * MIB};
	char json[IMAGE_HEADER];

	image_json_with(json, sizeof(json), "\"keyslots_size\":\"16744448\"",
			"\"keyslots_size\":\"262144\"");
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		whole_make();
		image_make(disk.pieces[0].data, IMAGE_HEADER, json);
		CU_ASSERT_EQUAL(survey(), REPORT_PROVED);
		CU_ASSERT_EQUAL(played.reads, 5 + 16);
		disk_ext(&disk, places[i]);
		CU_ASSERT_EQUAL(survey(), REPORT_SLACK);
		CU_ASSERT_PTR_NOT_NULL(strstr(report.detail, "between keyslots and data"));
	}
}

/* A superblock among key material, that a reader which knows it would prefer. */
static void superblock_inside_a_volume_is_found(void)
{
	mbr_make(512);
	memcpy(disk_put(&disk, 21 * MIB + 32768 + 1, 5), "CD001", 5);
	CU_ASSERT_EQUAL(survey(), REPORT_SLACK);
	CU_ASSERT_STRING_EQUAL(report.detail, "partition 2: iso9660 inside an encrypted volume");
	whole_make();
	memcpy(disk_put(&disk, 65536 + 64, 8), "_BHRfS_M", 8);
	CU_ASSERT_EQUAL(survey(), REPORT_SLACK);
	CU_ASSERT_STRING_EQUAL(report.detail, "btrfs inside an encrypted volume");
}

static const struct test tests[] = {
	TEST(file_system_in_a_gap_is_found),
	TEST(gap_that_begins_off_the_grid_is_looked_at_on_it_too),
	TEST(small_gaps_are_no_place_for_anything),
	TEST(gap_with_too_many_places_is_refused),
	TEST(space_behind_the_keyslots_is_looked_at),
	TEST(superblock_inside_a_volume_is_found),
};

int main(void)
{
	return testing_run("survey-slack", tests, ARRAY_SIZE(tests));
}
