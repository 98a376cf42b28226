// SPDX-License-Identifier: GPL-2.0-or-later
/* core/luks2: both copies of the header, and its JSON as text. */
#include "luks2-parse.h"

static void header_of_cryptsetup_is_taken_and_read(void)
{
	size_t size = 0;

	image_make(area, IMAGE_HEADER, image_json);
	CU_ASSERT_EQUAL(luks2_header_size(area, &size, detail), 0);
	CU_ASSERT_EQUAL(size, IMAGE_HEADER);
	CU_ASSERT_EQUAL(parse(IMAGE_MEDIUM), 0);
	CU_ASSERT_STRING_EQUAL(volume.uuid, IMAGE_UUID);
	CU_ASSERT_STRING_EQUAL(volume.label, "\xe8\xb2\xb8\xe5\x87\xba\x31");
	CU_ASSERT_STRING_EQUAL(volume.cipher, "aes-xts-plain64");
	CU_ASSERT_EQUAL(luks.seqid, 3);
	CU_ASSERT_EQUAL(luks.hdr_size, IMAGE_HEADER);
	CU_ASSERT_EQUAL(volume.method, ENCRYPTION_LUKS2);
	CU_ASSERT_STRING_EQUAL(volume.kdf, "argon2id");
	CU_ASSERT(!volume.has_mark);
	CU_ASSERT_EQUAL(luks.data_offset, 16777216);
	CU_ASSERT_EQUAL(luks.keyslots_end, 16777216);
	CU_ASSERT_EQUAL(luks.sector_size, 512);
	CU_ASSERT_EQUAL(volume.keyslots, 1);
	CU_ASSERT_EQUAL(luks.segments, 1);
	CU_ASSERT_STRING_EQUAL(detail, "");
}

static void headers_of_all_specified_sizes_are_taken(void)
{
	static uint8_t large[2 * LUKS2_SIZE_MAX];
	char number[32], text[2048];

	for (size_t size = LUKS2_SIZE_MIN; size <= LUKS2_SIZE_MAX; size *= 2) {
		size_t said = 0;

		/* Keyslots of 4096 bytes right behind both headers, data behind them. */
		snprintf(number, sizeof(number), "%zu", size);
		snprintf(text, sizeof(text),
			 "{\"tokens\":{},\"keyslots\":{\"0\":{\"type\":\"luks2\",\"af\":{}," KDF
			 "\"area\":"
			 "{\"offset\":\"%zu\",\"size\":\"4096\",\"encryption\":\"aes-xts-plain64\"}"
			 "}},"
			 "\"segments\":{\"0\":{\"type\":\"crypt\",\"offset\":\"%zu\",\"size\":"
			 "\"dynamic\",\"iv_tweak\":\"0\",\"encryption\":\"aes-xts-plain64\","
			 "\"sector_size\":4096}},\"digests\":{\"0\":{" DIGEST
			 "\"keyslots\":[\"0\"],"
			 "\"segments\":[\"0\"]}},\"config\":{\"json_size\":\"%zu\","
			 "\"keyslots_size\":\"4096\"}}",
			 2 * size, 2 * size + 4096, size - 4096);
		image_make(large, size, text);
		EXPECT(luks2_header_size(large, &said, detail) == 0 && said == size, number);
		EXPECT(luks2_parse(large, large + size, size, IMAGE_MEDIUM, &volume, &luks,
				   detail) == 0,
		       number);
	}
}

static void header_size_is_taken_only_from_the_list(void)
{
	static const uint64_t sizes[] = {0,     1,     4096,          8192,       16383,
					 16385, 24576, 8u << 20,      1ull << 32, 1ull << 63,
					 ~0ull, 12288, (4u << 20) + 1};
	size_t size = 77;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		image_make(area, IMAGE_HEADER, image_json);
		image_put_be(area + 8, sizes[i], 8);
		CU_ASSERT_EQUAL(luks2_header_size(area, &size, detail), VOLUME_E_HEADER);
		CU_ASSERT_EQUAL(size, 77);
	}
}

static void plain_medium_and_other_versions_are_told_apart(void)
{
	size_t size;

	image_make(area, IMAGE_HEADER, image_json);
	area[5] = 0xbf;
	CU_ASSERT_EQUAL(luks2_header_size(area, &size, detail), VOLUME_E_NONE);
	image_make(area, IMAGE_HEADER, image_json);
	area[7] = 1;
	CU_ASSERT_EQUAL(luks2_header_size(area, &size, detail), VOLUME_E_VERSION);
	CU_ASSERT_STRING_EQUAL(detail, "LUKS version 1");
	area[6] = 2;
	CU_ASSERT_EQUAL(luks2_header_size(area, &size, detail), VOLUME_E_VERSION);
}

/* The secondary header's magic marks no medium of its own. */
static void secondary_header_at_the_start_is_refused(void)
{
	size_t size;

	image_make(area, IMAGE_HEADER, image_json);
	memcpy(area, "SKUL\xba\xbe", 6);
	CU_ASSERT_EQUAL(luks2_header_size(area, &size, detail), VOLUME_E_NONE);
}

static void binary_header_that_lies_is_refused(void)
{
	static const struct damage rows[] = {
		{"header that lies elsewhere", 262, 2, "\x40\0", VOLUME_E_HEADER},
		{"unknown checksum", 72, 7, "sha512", VOLUME_E_HEADER},
		{"no checksum", 72, 7, "\0\0\0\0\0\0", VOLUME_E_HEADER},
		{"UUID in upper case", 168, 1, "A", VOLUME_E_HEADER},
		{"UUID without a dash", 176, 1, "0", VOLUME_E_HEADER},
		{"UUID too short", 203, 1, "\0", VOLUME_E_HEADER},
		{"UUID too long", 204, 1, "0", VOLUME_E_HEADER},
		{"UUID with a path", 168, 3, "../", VOLUME_E_HEADER},
		{"boot signature behind the checksum", 510, 2, "\x55\xaa", VOLUME_E_HEADER},
		{"partition entry before the checksum", 446, 1, "\x80", VOLUME_E_HEADER},
		{"GPT behind the header", 512, 8, "EFI PART", VOLUME_E_HEADER},
		{"ext4 superblock in the padding", 1080, 2, "\x53\xef", VOLUME_E_HEADER},
		{"last byte of the padding", 4095, 1, "\x01", VOLUME_E_HEADER},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		image_make(area, IMAGE_HEADER, image_json);
		damage_apply(&rows[i], area);
		image_twin(area, IMAGE_HEADER);
		damage_expect_volume(&rows[i], parse(IMAGE_MEDIUM));
	}
}

static void strings_that_do_not_end_are_refused(void)
{
	static const struct {
		const char *name;
		size_t offset;
		size_t len;
	} rows[] = {{"label", 24, 48},
		    {"algorithm", 72, 32},
		    {"UUID", 168, 40},
		    {"subsystem", 208, 48}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		image_make(area, IMAGE_HEADER, image_json);
		memset(area + rows[i].offset, 'a', rows[i].len);
		image_twin(area, IMAGE_HEADER);
		EXPECT(parse(IMAGE_MEDIUM) == VOLUME_E_HEADER, rows[i].name);
	}
}

static void one_flipped_bit_anywhere_is_refused(void)
{
	for (size_t copy = 0; copy < 2; copy++)
		for (size_t i = 0; i < IMAGE_HEADER; i += i < 600 ? 1 : 97) {
			image_make(area, IMAGE_HEADER, image_json);
			area[copy * IMAGE_HEADER + i] ^= 1;
			CU_ASSERT_NOT_EQUAL(parse(IMAGE_MEDIUM), 0);
		}
}

static void header_cut_anywhere_is_refused(void)
{
	image_make(area, IMAGE_HEADER, image_json);
	for (size_t len = 0; len < IMAGE_HEADER; len += 511)
		CU_ASSERT_NOT_EQUAL(
			luks2_parse(area, area + len, len, IMAGE_MEDIUM, &volume, &luks, detail),
			0);
}

static void json_text_without_end_is_refused(void)
{
	image_make(area, IMAGE_HEADER, image_json);
	for (size_t i = 4096 + strlen(image_json); i < IMAGE_HEADER; i++)
		area[i] = ' ';
	image_twin(area, IMAGE_HEADER);
	CU_ASSERT_EQUAL(parse(IMAGE_MEDIUM), VOLUME_E_JSON);
}

static void bytes_behind_the_json_text_are_refused(void)
{
	image_make(area, IMAGE_HEADER, image_json);
	memcpy(area + 8192, "RDSK", 4);
	image_twin(area, IMAGE_HEADER);
	CU_ASSERT_EQUAL(parse(IMAGE_MEDIUM), VOLUME_E_JSON);
}

static void malformed_json_is_refused(void)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"null",
		"{}}",
		"{\"a\":}",
		"{} x",
		" {}",
		"{\"a\"",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\x01\"}",
		"\xef\xbb\xbf{}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		image_make(area, IMAGE_HEADER, texts[i]);
		EXPECT(parse(IMAGE_MEDIUM) == VOLUME_E_JSON, texts[i]);
	}
}

static void json_nested_without_end_is_refused(void)
{
	memset(json, '[', sizeof(json));
	memcpy(json, "{\"a\":", 5);
	json[12000] = '\0';
	image_make(area, IMAGE_HEADER, json);
	CU_ASSERT_EQUAL(parse(IMAGE_MEDIUM), VOLUME_E_JSON);
}

static void json_text_of_unreasonable_length_is_refused(void)
{
	static uint8_t large[2 << 20];
	static char text[512 << 10];

	memset(text, ' ', sizeof(text) - 1);
	memcpy(text, "{\"a\":", 5);
	memcpy(text + sizeof(text) - 4, "1}", 2);
	image_make(large, sizeof(large) / 2, text);
	CU_ASSERT_EQUAL(luks2_parse(large, large + sizeof(large) / 2, sizeof(large) / 2,
				    IMAGE_MEDIUM, &volume, &luks, detail),
			VOLUME_E_JSON);
}

static void second_copy_that_lies_is_refused(void)
{
	static const struct damage rows[] = {
		{"no magic", 0, 4, "\0\0\0\0", VOLUME_E_COPIES},
		{"the first one's magic", 0, 4, "LUKS", VOLUME_E_COPIES},
		{"another version", 7, 1, "\3", VOLUME_E_COPIES},
		{"another size", 14, 1, "\x80", VOLUME_E_COPIES},
		{"older", 23, 1, "\2", VOLUME_E_COPIES},
		{"newer", 16, 1, "\1", VOLUME_E_COPIES},
		{"another label", 24, 1, "x", VOLUME_E_COPIES},
		{"another UUID", 168, 1, "4", VOLUME_E_COPIES},
		{"another subsystem", 208, 1, "x", VOLUME_E_COPIES},
		{"the first one's offset", 256, 8, "\0\0\0\0\0\0\0\0", VOLUME_E_HEADER},
		{"another checksum's name", 72, 6, "sha512", VOLUME_E_HEADER},
		{"boot signature", 510, 2, "\x55\xaa", VOLUME_E_HEADER},
		{"padding", 300, 1, "x", VOLUME_E_HEADER},
		{"another keyslot's place", 4096 + 150, 1, "5", VOLUME_E_COPIES},
		{"something behind its JSON text", IMAGE_HEADER - 1, 1, "}", VOLUME_E_COPIES},
	};
	uint8_t *second = area + IMAGE_HEADER;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		image_make(area, IMAGE_HEADER, image_json);
		damage_apply(&rows[i], second);
		image_seal(second, IMAGE_HEADER);
		damage_expect_volume(&rows[i], parse(IMAGE_MEDIUM));
	}
	image_make(area, IMAGE_HEADER, image_json);
	second[480] = 0;
	second[500] ^= 1;
	CU_ASSERT_EQUAL(parse(IMAGE_MEDIUM), VOLUME_E_HEADER);
	image_make(area, IMAGE_HEADER, image_json);
	second[110] ^= 1;
	CU_ASSERT_EQUAL(parse(IMAGE_MEDIUM), VOLUME_E_CHECKSUM);
	CU_ASSERT_STRING_EQUAL(detail, "second header: wrong checksum");
}

static void bytes_behind_a_string_are_refused(void)
{
	static const size_t offsets[] = {24 + 47, 72 + 10, 168 + 38, 208 + 30};

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		image_make(area, IMAGE_HEADER, image_json);
		area[offsets[i]] = 'x';
		image_twin(area, IMAGE_HEADER);
		CU_ASSERT_EQUAL(parse(IMAGE_MEDIUM), VOLUME_E_HEADER);
	}
}

/* Whatever the bytes are: no crash, and nothing is read out of bounds. */
static void random_damage_never_crashes(void)
{
	uint32_t state = 1;

	for (int round = 0; round < 3000; round++) {
		image_make(area, IMAGE_HEADER, image_json);
		for (int i = 0; i < 3; i++) {
			state = state * 1664525 + 1013904223;
			area[4096 + (state >> 8) % sizeof(image_json)] = (uint8_t)(state >> 24);
		}
		image_twin(area, IMAGE_HEADER);
		(void)parse(IMAGE_MEDIUM);
		CU_ASSERT_PTR_NOT_NULL(memchr(detail, '\0', sizeof(detail)));
	}
}

int main(void)
{
	static const struct test tests[] = {
		TEST(header_of_cryptsetup_is_taken_and_read),
		TEST(headers_of_all_specified_sizes_are_taken),
		TEST(header_size_is_taken_only_from_the_list),
		TEST(plain_medium_and_other_versions_are_told_apart),
		TEST(secondary_header_at_the_start_is_refused),
		TEST(binary_header_that_lies_is_refused),
		TEST(strings_that_do_not_end_are_refused),
		TEST(one_flipped_bit_anywhere_is_refused),
		TEST(header_cut_anywhere_is_refused),
		TEST(json_text_without_end_is_refused),
		TEST(bytes_behind_the_json_text_are_refused),
		TEST(malformed_json_is_refused),
		TEST(json_nested_without_end_is_refused),
		TEST(json_text_of_unreasonable_length_is_refused),
		TEST(second_copy_that_lies_is_refused),
		TEST(bytes_behind_a_string_are_refused),
		TEST(random_damage_never_crashes),
	};

	return testing_run("luks2", tests, ARRAY_SIZE(tests));
}
