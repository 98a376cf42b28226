// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "core/fsmagic.h"
#include "core/macro.h"
#include "testing.h"

static uint8_t data[FSMAGIC_LONG_LEN];

struct part {
	size_t offset;
	const char *bytes;
	size_t len;
};

/* What the tools write at the places that matter. */
static const struct {
	const char *name;
	struct part parts[4];
} rows[] = {
	{"luks", {{0, "LUKS\xba\xbe\0\2", 8}}},
	{"luks", {{16384, "SKUL\xba\xbe\0\2", 8}}},
	{"bitlocker", {{0, "\xeb\x58\x90-FVE-FS-", 11}}},
	{"bitlocker",
	 {{0, "\xeb\x58\x90MSWIN4.1", 11},
	  {424, "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01", 16}}},
	{"ntfs", {{0, "\xeb\x52\x90NTFS    \0\2\x08\0\0\0\0\0\0\0\xf8", 22}, {510, "\x55\xaa", 2}}},
	{"exfat",
	 {{0,
	   "\xeb\x76\x90"
	   "EXFAT   ",
	   11},
	  {510, "\x55\xaa", 2}}},
	/* FAT12, FAT16 and FAT32 of mkfs.fat; one by a camera that forgot the signature */
	{"fat",
	 {{0, "\xeb\x3c\x90mkfs.fat\0\2\4\1\0\2\0\2\0\x08\xf8\2\0", 24},
	  {54, "FAT12   ", 8},
	  {510, "\x55\xaa", 2}}},
	{"fat",
	 {{0, "\xeb\x3c\x90mkfs.fat\0\2\4\4\0\2\0\2\0\0\xf8\x80\0", 24},
	  {54, "FAT16   ", 8},
	  {510, "\x55\xaa", 2}}},
	{"fat",
	 {{0, "\xeb\x58\x90mkfs.fat\0\2\x08\x20\0\2\0\0\0\0\xf8\0\0", 24},
	  {82, "FAT32   ", 8},
	  {510, "\x55\xaa", 2}}},
	{"fat", {{0, "\0\0\0        \0\x10\x20\1\0\1\0\0\0\0\xf0\0\0", 24}}},
	{"ext",
	 {{1024, "\0\x40\0\0\0\0\1\0\xcd\x0c\0\0", 12},
	  {1024 + 24, "\2\0\0\0", 4},
	  {1024 + 56, "\x53\xef\1\0", 4},
	  {1024 + 76, "\1\0\0\0", 4}}},
	{"xfs", {{0, "XFSB\0\0\x10\0", 8}}},
	{"btrfs", {{65536 + 64, "_BHRfS_M", 8}}},
	{"f2fs", {{1024, "\x10\x20\xf5\xf2\1\0\x0f\0", 8}}},
	{"hfsplus", {{1024, "H+\0\4", 4}}},
	{"hfsplus", {{1024, "HX\0\5", 4}}},
	{"hfs", {{1024, "BD", 2}, {1024 + 18, "\x10\0\0\0\x10\0", 6}}},
	{"apfs", {{32, "NXSB\0\x10\0\0", 8}}},
	{"iso9660", {{32768, "\1CD001\1", 7}}},
	{"udf", {{32768, "\0BEA01\1", 7}}},
	{"squashfs", {{0, "hsqs", 4}}},
	{"erofs", {{1024, "\xe2\xe1\xf5\xe0", 4}}},
	{"jfs", {{32768, "JFS1", 4}}},
	{"reiserfs", {{65536 + 52, "ReIsEr2Fs", 9}}},
	{"minix", {{1024, "\x60\x05\xa0\x0f\1\0\1\0\x31\0\0\0\0\x1c\x08\x10\x8f\x13", 18}}},
	{"swap", {{4086, "SWAPSPACE2", 10}}},
	{"lvm2", {{512, "LABELONE\1\0\0\0\0\0\0\0", 16}}},
	{"md", {{0, "\xfc\x4e\x2b\xa9\1\0\0\0", 8}}},
	{"md", {{4096, "\xfc\x4e\x2b\xa9\1\0\0\0", 8}}},
	{"zfs", {{16384, "\1\1\0\0\0\0\0\0\0\0\0\1\0\0\0\x24\0\0\0\x20\0\0\0\7version", 31}}},
	{"gpt", {{512, "EFI PART", 8}}},
	{"gpt", {{4096, "EFI PART", 8}}},
	{"mbr", {{446, "\x80\0\0\0\x0c\0\0\0\0\x08\0\0\0\0\1\0", 16}, {510, "\x55\xaa", 2}}},
};

static void fill(size_t row)
{
	memset(data, 0, sizeof(data));
	for (size_t k = 0; k < 4 && rows[row].parts[k].bytes; k++)
		memcpy(data + rows[row].parts[k].offset, rows[row].parts[k].bytes,
		       rows[row].parts[k].len);
}

static void beginnings_are_known_by_name(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *name;

		fill(i);
		name = fsmagic_find(data, sizeof(data));
		EXPECT(name && strcmp(name, rows[i].name) == 0, rows[i].name);
		EXPECT(!fsmagic_find_beside(data, sizeof(data), rows[i].name), rows[i].name);
	}
}

/* A sanitizer watches over the end. */
static void short_memory_is_never_left(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fill(i);
		for (size_t len = 0; len < 9000; len += len < 1200 ? 1 : 211) {
			uint8_t *copy = malloc(len ? len : 1);

			memcpy(copy, data, len);
			(void)fsmagic_find(copy, len);
			free(copy);
		}
	}
}

static void zeroes_are_nothing(void)
{
	memset(data, 0, sizeof(data));
	for (size_t len = 0; len <= sizeof(data); len += 512)
		CU_ASSERT_PTR_NULL(fsmagic_find(data, len));
	memset(data, 0xff, sizeof(data));
	CU_ASSERT_PTR_NULL(fsmagic_find(data, sizeof(data)));
}

static void random_bytes_are_nothing(void)
{
	uint64_t state = 88172645463325252u;

	for (int round = 0; round < 20000; round++) {
		for (size_t i = 0; i < FSMAGIC_LEN; i += 8) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			memcpy(data + i, &state, 8);
		}
		CU_ASSERT_PTR_NULL_FATAL(fsmagic_find(data, FSMAGIC_LEN));
	}
}

/* Short magic numbers alone are not enough. */
static void what_only_resembles_a_file_system_is_nothing(void)
{
	static const struct part parts[] = {
		{1024 + 56, "\x53\xef", 2}, {1024, "BD", 2},    {1024, "H+\0\1", 4},
		{1024 + 16, "\x7f\x13", 2}, {0, "XFSB", 4},     {32, "NXSB", 4},
		{0, "DOS\x20", 4},          {0, "MSWIN4.1", 8}, {510, "\x55\xaa", 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		memset(data, 0, sizeof(data));
		memcpy(data + parts[i].offset, parts[i].bytes, parts[i].len);
		EXPECT(!fsmagic_find(data, sizeof(data)), parts[i].bytes);
	}
}

static void tables_are_told_from_what_lies_around_them(void)
{
	CU_ASSERT_TRUE(fsmagic_is_table("mbr"));
	CU_ASSERT_TRUE(fsmagic_is_table("gpt"));
	CU_ASSERT_FALSE(fsmagic_is_table("ext"));
	fill(ARRAY_SIZE(rows) - 1);
	memcpy(data + 512, "EFI PART", 8);
	memcpy(data + 1024, "\x10\x20\xf5\xf2", 4);
	CU_ASSERT_STRING_EQUAL(fsmagic_find(data, sizeof(data)), "f2fs");
}

/* One look at a sector finds what a look at everything would. */
static void far_magic_numbers_are_found_by_themselves(void)
{
	static const uint32_t places[] = FSMAGIC_FAR;
	static const char *const names[] = {"btrfs", "iso9660", "udf", "jfs", "reiserfs"};
	size_t found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			if (strcmp(rows[i].name, names[k]) != 0)
				continue;
			fill(i);
			for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
				const char *name = fsmagic_find_far(data + places[p],
								    FSMAGIC_FAR_LEN, places[p]);

				EXPECT(!name || strcmp(name, names[k]) == 0, names[k]);
				found += name != NULL;
			}
		}
	CU_ASSERT_EQUAL(found, ARRAY_SIZE(names));
}

static const struct test tests[] = {
	TEST(beginnings_are_known_by_name),
	TEST(short_memory_is_never_left),
	TEST(zeroes_are_nothing),
	TEST(random_bytes_are_nothing),
	TEST(what_only_resembles_a_file_system_is_nothing),
	TEST(tables_are_told_from_what_lies_around_them),
	TEST(far_magic_numbers_are_found_by_themselves),
};

int main(void)
{
	return testing_run("fsmagic", tests, ARRAY_SIZE(tests));
}
