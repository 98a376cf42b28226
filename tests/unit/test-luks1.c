// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/luks1.h"
#include "luks1-image.h"
#include "volume-damage.h"

#define SLOT(i) (208 + 48 * (size_t)(i))

static uint8_t image[LUKS1_READ_LEN];
static struct luks1 luks;

static int parse(uint64_t size)
{
	memset(&volume, 0, sizeof(volume));
	memset(&luks, 0, sizeof(luks));
	return luks1_parse(image, size, &volume, &luks, detail);
}

static void header_of_cryptsetup_is_taken_and_read(void)
{
	uint8_t digest[20], salt[32], binding[MARK_BINDING_SIZE];

	luks1_image_make(image);
	CU_ASSERT_EQUAL(parse(LUKS1_IMAGE_MEDIUM), 0);
	CU_ASSERT_EQUAL(volume.method, ENCRYPTION_LUKS1);
	CU_ASSERT_STRING_EQUAL(volume.uuid, LUKS1_IMAGE_UUID);
	CU_ASSERT_STRING_EQUAL(volume.cipher, "aes-xts-plain64");
	CU_ASSERT_STRING_EQUAL(volume.kdf, "pbkdf2");
	CU_ASSERT_STRING_EQUAL(volume.label, "");
	CU_ASSERT_EQUAL(volume.keyslots, 1);
	CU_ASSERT(!volume.has_mark);
	CU_ASSERT_EQUAL(luks.data_offset, 4096 * 512);
	CU_ASSERT_EQUAL(luks.keyslots_end, (8 + 504 * 7) * 512 + 256000);
	CU_ASSERT_STRING_EQUAL(detail, "");

	memset(digest, 0x33, sizeof(digest));
	memset(salt, 0x44, sizeof(salt));
	mark_binding(salt, sizeof(salt), digest, sizeof(digest), binding);
	CU_ASSERT_EQUAL(memcmp(volume.binding, binding, sizeof(binding)), 0);
}

static void every_slot_can_be_in_use(void)
{
	luks1_image_make(image);
	for (int i = 0; i < 8; i++) {
		luks1_put(image + SLOT(i), 0xac71f3);
		luks1_put(image + SLOT(i) + 4, UINT32_MAX);
		memset(image + SLOT(i) + 8, i, 32);
	}
	CU_ASSERT_EQUAL(parse(LUKS1_IMAGE_MEDIUM), 0);
	CU_ASSERT_EQUAL(volume.keyslots, 8);
}

static void other_magic_and_versions_are_told_apart(void)
{
	luks1_image_make(image);
	image[5] = 0xbf;
	CU_ASSERT_EQUAL(parse(LUKS1_IMAGE_MEDIUM), VOLUME_E_NONE);
	luks1_image_make(image);
	image[7] = 2;
	CU_ASSERT_EQUAL(parse(LUKS1_IMAGE_MEDIUM), VOLUME_E_VERSION);
	image[7] = 0;
	CU_ASSERT_EQUAL(parse(LUKS1_IMAGE_MEDIUM), VOLUME_E_VERSION);
	memset(image, 0, sizeof(image));
	CU_ASSERT_EQUAL(parse(LUKS1_IMAGE_MEDIUM), VOLUME_E_NONE);
}

static void header_that_lies_is_refused(void)
{
	static const struct damage rows[] = {
		{"no cipher", 8, 3, "\0\0\0", VOLUME_E_HEADER},
		{"null cipher", 8, 12, "cipher_null", VOLUME_E_CLEAR},
		{"null mode", 40, 12, "null\0\0\0\0\0\0\0\0", VOLUME_E_CLEAR},
		{"cipher of other characters", 8, 3, "a\x1b[", VOLUME_E_CLEAR},
		{"something behind the cipher", 30, 1, "x", VOLUME_E_HEADER},
		{"something behind the mode", 71, 1, "x", VOLUME_E_HEADER},
		{"no hash", 72, 6, "\0\0\0\0\0\0", VOLUME_E_HEADER},
		{"endless hash", 72, 32, "sha256sha256sha256sha256sha256sh", VOLUME_E_HEADER},
		{"data elsewhere", 104, 4, "\0\0\0\0", VOLUME_E_METADATA},
		{"data over the key slots", 104, 4, "\0\0\x0f\xc3", VOLUME_E_METADATA},
		{"data right behind the key slots", 104, 4, "\0\0\x0f\xc4", 0},
		{"data at the end", 104, 4, "\0\1\0\0", VOLUME_E_CAPACITY},
		{"data far beyond the end", 104, 4, "\xff\xff\xff\xff", VOLUME_E_CAPACITY},
		{"room before the data", 104, 4, "\0\0\x90\0", VOLUME_E_CLEAR},
		{"short key", 108, 4, "\0\0\0\x0f", VOLUME_E_HEADER},
		{"long key", 108, 4, "\0\0\1\0", VOLUME_E_HEADER},
		{"very long key", 108, 4, "\xff\xff\xff\xff", VOLUME_E_HEADER},
		{"key slots too small for the key", 108, 4, "\0\0\0\x60", VOLUME_E_METADATA},
		{"no iterations of the digest", 164, 4, "\0\0\0\0", VOLUME_E_HEADER},
		{"UUID in upper case", 168, 1, "A", VOLUME_E_HEADER},
		{"UUID too long", 204, 1, "0", VOLUME_E_HEADER},
		{"UUID without end", 204, 4, "0000", VOLUME_E_HEADER},
		{"something behind the UUID", 207, 1, "x", VOLUME_E_HEADER},
		{"slot neither in use nor not", 208, 4, "\0\0\0\0", VOLUME_E_HEADER},
		{"slot in use without iterations", 212, 4, "\0\0\0\0", VOLUME_E_HEADER},
		{"slot not in use with iterations", 260, 4, "\0\0\3\xe8", VOLUME_E_HEADER},
		{"slot not in use with a salt", 560, 1, "x", VOLUME_E_HEADER},
		{"no slot in use", 208, 40,
		 "\0\0\xde\xad\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
		 VOLUME_E_METADATA},
		{"key material over the header", 248, 4, "\0\0\0\1", VOLUME_E_METADATA},
		{"key material before the beginning", 248, 4, "\0\0\0\0", VOLUME_E_METADATA},
		{"key material in the data", 248, 4, "\0\0\x10\0", VOLUME_E_METADATA},
		{"key material far away", 248, 4, "\xff\xff\xff\xff", VOLUME_E_METADATA},
		{"key material of two slots in one place", 248, 4, "\0\0\2\1", VOLUME_E_METADATA},
		{"stripes", 252, 4, "\0\0\0\1", VOLUME_E_HEADER},
		{"very many stripes", 588, 4, "\xff\xff\xff\xff", VOLUME_E_HEADER},
		{"something behind the header", 592, 1, "x", VOLUME_E_HEADER},
		{"ext superblock behind the header", 1080, 2, "\x53\xef", VOLUME_E_HEADER},
		{"last byte", 4095, 1, "x", VOLUME_E_HEADER},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		luks1_image_make(image);
		damage_apply(&rows[i], image);
		damage_expect_volume(&rows[i], parse(LUKS1_IMAGE_MEDIUM));
	}
}

static void volume_smaller_than_the_header_is_refused(void)
{
	luks1_image_make(image);
	CU_ASSERT_EQUAL(parse(0), VOLUME_E_CAPACITY);
	CU_ASSERT_EQUAL(parse(4096 * 512), VOLUME_E_CAPACITY);
	CU_ASSERT_EQUAL(parse(4096 * 512 + 512), 0);
	CU_ASSERT_EQUAL(parse(UINT64_MAX), 0);
}

static const struct test tests[] = {
	TEST(header_of_cryptsetup_is_taken_and_read),    TEST(every_slot_can_be_in_use),
	TEST(other_magic_and_versions_are_told_apart),   TEST(header_that_lies_is_refused),
	TEST(volume_smaller_than_the_header_is_refused),
};

int main(void)
{
	return testing_run("luks1", tests, ARRAY_SIZE(tests));
}
