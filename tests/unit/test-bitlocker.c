// SPDX-License-Identifier: GPL-2.0-or-later
#include "bitlocker-image.h"
#include "core/bitlocker.h"
#include "volume-damage.h"

#define SIZE BITLOCKER_IMAGE_SIZE

static uint8_t first[BITLOCKER_BOOT_LEN];
static uint8_t data[BITLOCKER_METADATA_LEN];
static struct bitlocker_boot boot;

static int parse(uint64_t size)
{
	memcpy(boot.metadata, bitlocker_image_offsets, sizeof(boot.metadata));
	memset(&volume, 0, sizeof(volume));
	return bitlocker_metadata_parse(data, sizeof(data), size, &boot, &volume, detail);
}

static void volume_of_windows_is_taken_and_read(void)
{
	bitlocker_image_boot(first);
	CU_ASSERT_EQUAL(bitlocker_boot_parse(first, SIZE, &boot, detail), 0);
	CU_ASSERT_EQUAL(memcmp(boot.metadata, bitlocker_image_offsets, sizeof(boot.metadata)), 0);
	CU_ASSERT_STRING_EQUAL(detail, "");

	bitlocker_image_make(data);
	CU_ASSERT_EQUAL(parse(SIZE), 0);
	CU_ASSERT_EQUAL(volume.method, ENCRYPTION_BITLOCKER);
	CU_ASSERT_STRING_EQUAL(volume.uuid, BITLOCKER_IMAGE_GUID);
	CU_ASSERT_STRING_EQUAL(volume.cipher, "aes-xts-plain64");
	CU_ASSERT_STRING_EQUAL(volume.kdf, "");
	CU_ASSERT_EQUAL(volume.keyslots, 3);
	CU_ASSERT(!volume.has_mark);
	CU_ASSERT_STRING_EQUAL(detail, "");
}

static void ciphers_have_their_names(void)
{
	static const struct {
		unsigned int method;
		const char *name;
	} rows[] = {
		{0x8000, "aes-cbc-elephant"}, {0x8001, "aes-cbc-elephant"},
		{0x8002, "aes-cbc-eboiv"},    {0x8003, "aes-cbc-eboiv"},
		{0x8004, "aes-xts-plain64"},  {0x8005, "aes-xts-plain64"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bitlocker_image_make(data);
		bitlocker_put(data + 100, rows[i].method, 2);
		bitlocker_image_seal(data);
		EXPECT(parse(SIZE) == 0, rows[i].name);
		EXPECT(strcmp(volume.cipher, rows[i].name) == 0, rows[i].name);
	}
}

static void boot_sector_that_lies_is_refused(void)
{
	static const struct damage rows[] = {
		{"NTFS", 3, 8, "NTFS    ", VOLUME_E_NONE},
		{"FAT of another time", 3, 8, "MSWIN4.1", VOLUME_E_NONE},
		{"Windows Vista", 0, 3, "\xeb\x52\x90", VOLUME_E_VERSION},
		{"another jump", 0, 3, "\xe9\0\0", VOLUME_E_HEADER},
		{"no boot signature", 510, 2, "\0\0", VOLUME_E_HEADER},
		{"conversion under way", 160, 2, "\x3b\x4d", VOLUME_E_VERSION},
		{"metadata at the beginning", 176, 8, "\0\0\0\0\0\0\0\0", VOLUME_E_CAPACITY},
		{"metadata not on a sector", 176, 1, "\1", VOLUME_E_CAPACITY},
		{"metadata beyond the end", 192, 8, "\0\0\0\x10\0\0\0\0", VOLUME_E_CAPACITY},
		{"metadata over the end", 192, 4, "\0\x02\xff\x0f", VOLUME_E_CAPACITY},
		{"metadata at the end", 192, 4, "\0\0\xff\x0f", 0},
		{"metadata near 2^64", 192, 8, "\0\xfe\xff\xff\xff\xff\xff\xff", VOLUME_E_CAPACITY},
		{"metadata in one place", 184, 4, "\0\0\0\2", VOLUME_E_CAPACITY},
		{"metadata that overlaps", 184, 4, "\0\xfe\0\2", VOLUME_E_CAPACITY},
		{"ext4 behind the boot sector", 1024, 60,
		 "\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\0\0"
		 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x53\xef\0\0",
		 VOLUME_E_HEADER},
		{"FAT in the same sector", 14, 3, "\x20\0\2", VOLUME_E_HEADER},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bitlocker_image_boot(first);
		damage_apply(&rows[i], first);
		damage_expect(&rows[i], bitlocker_boot_parse(first, SIZE, &boot, detail));
	}
	bitlocker_image_boot(first);
	CU_ASSERT_EQUAL(bitlocker_boot_parse(first, 0, &boot, detail), VOLUME_E_CAPACITY);
	CU_ASSERT_EQUAL(bitlocker_boot_parse(first, 65536, &boot, detail), VOLUME_E_CAPACITY);
	CU_ASSERT_EQUAL(bitlocker_boot_parse(first, UINT64_MAX, &boot, detail), 0);
}

static void plain_volume_in_front_is_refused(void)
{
	bitlocker_image_boot(first);
	memcpy(first + 424, first + 160, 16);
	memcpy(first + 3, "MSWIN4.1", 8);
	CU_ASSERT_EQUAL(bitlocker_boot_parse(first, SIZE, &boot, detail), VOLUME_E_CLEAR);
	CU_ASSERT_STRING_EQUAL(detail, "BitLocker To Go with a plain FAT volume");
}

static void metadata_that_lies_is_refused(void)
{
	static const struct damage rows[] = {
		{"signature", 0, 1, "x", VOLUME_E_NONE},
		{"of Windows Vista", 10, 1, "\1", VOLUME_E_VERSION},
		{"too small", 8, 2, "\6\0", VOLUME_E_HEADER},
		{"too large", 8, 2, "\xff\xff", VOLUME_E_HEADER},
		{"of no size", 8, 2, "\0\0", VOLUME_E_HEADER},
		{"decrypted", 12, 4, "\1\0\1\0", VOLUME_E_CLEAR},
		{"being encrypted", 12, 2, "\2\0", VOLUME_E_REQUIREMENT},
		{"conversion paused", 12, 4, "\5\0\1\0", VOLUME_E_REQUIREMENT},
		{"about to be decrypted", 14, 2, "\1\0", VOLUME_E_REQUIREMENT},
		{"encrypted beyond the end", 16, 4, "\1\0\0\x10", VOLUME_E_CAPACITY},
		{"encrypted to the end", 16, 4, "\0\0\0\x10", 0},
		{"not encrypted to the end", 16, 4, "\0\0\xff\x0f", VOLUME_E_CLEAR},
		{"nothing encrypted", 16, 8, "\0\0\0\0\0\0\0\0", VOLUME_E_CLEAR},
		{"another place", 40, 1, "\1", VOLUME_E_METADATA},
		{"another place of the beginning", 57, 1, "\2", VOLUME_E_METADATA},
		{"entries of no size", 64, 4, "\0\0\0\0", VOLUME_E_METADATA},
		{"entries of any size", 64, 4, "\xff\xff\xff\xff", VOLUME_E_METADATA},
		{"both sizes", 64, 16, "\xff\xff\xff\xff\1\0\0\0\x30\0\0\0\xff\xff\xff\xff",
		 VOLUME_E_METADATA},
		{"entries of another version", 68, 1, "\2", VOLUME_E_VERSION},
		{"header of the entries", 72, 1, "\x31", VOLUME_E_METADATA},
		{"not encrypted at all", 100, 2, "\0\0", VOLUME_E_REQUIREMENT},
		{"method of keys", 100, 2, "\3\x20", VOLUME_E_REQUIREMENT},
		{"unknown method", 100, 2, "\6\x80", VOLUME_E_REQUIREMENT},
		{"entry cut off", 112, 2, "\4\0", VOLUME_E_METADATA},
		{"entry of any size", 112, 2, "\xff\xff", VOLUME_E_METADATA},
		{"entries end early", 112, 2, "\0\0", VOLUME_E_METADATA},
		{"clear key", 126 + 8 + 26, 2, "\0\0", VOLUME_E_CLEAR},
		{"protector that is none", 126 + 4, 2, "\7\0", VOLUME_E_METADATA},
		{"protector too short", 126, 2, "\x20\0", VOLUME_E_METADATA},
		{"key in the clear in a protector", 126 + 8 + 28 + 4, 2, "\1\0", VOLUME_E_CLEAR},
		{"protector in a protector", 126 + 8 + 28 + 2, 2, "\2\0", VOLUME_E_METADATA},
		{"entry of a protector cut off", 126 + 8 + 28, 2, "\xff\0", VOLUME_E_METADATA},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bitlocker_image_make(data);
		damage_apply(&rows[i], data);
		bitlocker_image_seal(data);
		damage_expect_volume(&rows[i], parse(SIZE));
	}
}

static void further_entries_are_looked_at(void)
{
	static const struct {
		const char *name;
		unsigned int type, value;
		const char *bytes;
		size_t len;
		int expect;
	} rows[] = {
		{"unknown", 0x42, 0x42, "abcd", 4, 0},
		{"key in the clear", 0x42, 1, "\0\0\0\0key", 7, VOLUME_E_CLEAR},
		{"volume's key in the clear", 3, 0, "key", 3, VOLUME_E_CLEAR},
		{"backup of the volume's key", 0x0b, 5, "key", 3, 0},
		{"protector of another type", 0x42, 8, "abcd", 4, VOLUME_E_METADATA},
		{"a second beginning", 15, 15, "\0\0\1\2\0\0\0\0\0\x20\0\0\0\0\0\0", 16,
		 VOLUME_E_METADATA},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t *end = bitlocker_image_make(data);

		end = bitlocker_entry(end, rows[i].type, rows[i].value, rows[i].bytes, rows[i].len);
		bitlocker_image_close(data, end);
		EXPECT(parse(SIZE) == rows[i].expect, rows[i].name);
	}
}

/* The last entry is the one about the volume's beginning: 24 bytes. */
static void beginning_of_the_volume_must_be_small_and_inside(void)
{
	static const struct {
		const char *name;
		uint64_t offset, size;
		int expect;
	} rows[] = {
		{"as Windows does it", 33 << 20, 8192, 0},
		{"room for a file system", 33 << 20, 65536, VOLUME_E_CLEAR},
		{"of no size", 33 << 20, 0, VOLUME_E_METADATA},
		{"of odd size", 33 << 20, 8193, VOLUME_E_METADATA},
		{"over itself", 4096, 8192, VOLUME_E_CAPACITY},
		{"beyond the end", SIZE - 4096, 8192, VOLUME_E_CAPACITY},
		{"near 2^64", UINT64_MAX - 511, 8192, VOLUME_E_CAPACITY},
		{"of very large size", 33 << 20, UINT64_MAX - 511, VOLUME_E_CLEAR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t *end = bitlocker_image_make(data);

		bitlocker_put(data + 56, rows[i].offset, 8);
		bitlocker_put(end - 16, rows[i].offset, 8);
		bitlocker_put(end - 8, rows[i].size, 8);
		bitlocker_image_seal(data);
		EXPECT(parse(SIZE) == rows[i].expect, rows[i].name);
	}
	bitlocker_image_close(data, bitlocker_image_make(data) - 24);
	CU_ASSERT_EQUAL(parse(SIZE), VOLUME_E_METADATA);
}

static void one_flipped_bit_is_refused(void)
{
	size_t len = (size_t)(bitlocker_image_make(data) - data);

	for (size_t i = 0; i < len; i++) {
		data[i] ^= 1;
		CU_ASSERT_NOT_EQUAL(parse(SIZE), 0);
		data[i] ^= 1;
	}
	CU_ASSERT_EQUAL(parse(SIZE), 0);
}

static void metadata_cut_anywhere_is_refused(void)
{
	size_t len = (size_t)(bitlocker_image_make(data) - data);

	memcpy(boot.metadata, bitlocker_image_offsets, sizeof(boot.metadata));
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, data, cut);
		CU_ASSERT_NOT_EQUAL(
			bitlocker_metadata_parse(copy, cut, SIZE, &boot, &volume, detail), 0);
		free(copy);
	}
}

static void copies_are_compared_as_far_as_the_checksum_covers_them(void)
{
	static uint8_t other[BITLOCKER_METADATA_LEN];

	bitlocker_image_make(data);
	memcpy(other, data, sizeof(other));
	CU_ASSERT_TRUE(bitlocker_copies_equal(data, other, sizeof(data)));
	other[sizeof(other) - 1] = 1;
	CU_ASSERT_TRUE(bitlocker_copies_equal(data, other, sizeof(data)));
	other[104] ^= 1;
	CU_ASSERT_FALSE(bitlocker_copies_equal(data, other, sizeof(data)));
	CU_ASSERT_FALSE(bitlocker_copies_equal(data, data, 64));
}

static const struct test tests[] = {
	TEST(volume_of_windows_is_taken_and_read),
	TEST(ciphers_have_their_names),
	TEST(boot_sector_that_lies_is_refused),
	TEST(plain_volume_in_front_is_refused),
	TEST(metadata_that_lies_is_refused),
	TEST(further_entries_are_looked_at),
	TEST(beginning_of_the_volume_must_be_small_and_inside),
	TEST(one_flipped_bit_is_refused),
	TEST(metadata_cut_anywhere_is_refused),
	TEST(copies_are_compared_as_far_as_the_checksum_covers_them),
};

int main(void)
{
	return testing_run("bitlocker", tests, ARRAY_SIZE(tests));
}
